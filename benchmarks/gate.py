"""How long the gate takes: `check` and `--dfd` against ``import pytm``, and a thousand models in one run.

    python benchmarks/gate.py              # all of it
    python benchmarks/gate.py --models 100 # fewer models

Processor time of whole processes, the best of several runs; ratios, since machines differ.  Both sides run from byte
code, as installed packages do: the first run of each writes it, whatever PYTHONDONTWRITEBYTECODE says.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

HOME = Path(__file__).resolve().parent.parent
TM = str(HOME / "tm.py")
RUNS = 5
TEN = ["reads: [orders]", "writes: [orders]", "secrets: [key]", "calls: [slack]", "triggers: [{queue: work}]"]


def main() -> None:
    """Prints the figures."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--models", type=int, default=1000, help="how many models of ten functions")
    count = parser.parse_args().models
    with tempfile.TemporaryDirectory() as folder:
        os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
        os.environ["PYTHONPYCACHEPREFIX"] = str(Path(folder) / "byte-code")
        ratios(Path(folder))
        many(Path(folder), count, ())
        many(Path(folder), count, ("sarif", "junit", "markdown"))


def ratios(folder: Path) -> None:
    """`check` and `--dfd` of the default model, from an empty cache and again, against ``import pytm``."""
    base = best(["-c", "import pytm"], {})
    print(f"import pytm                 {base:.2f} s of processor time = 1.0")
    for command in (["check"], ["--dfd"]):
        for name, env in (("worked out", {"TM_CACHE": "off"}), ("again", {"TM_CACHE": str(folder)})):
            took = best([TM, *command, "--today", "2026-11-25"], env)
            print(f"{command[0]:<10} {name:<16} {took / base:.2f}")


def best(arguments: Sequence[str], env: dict[str, str]) -> float:
    """The least processor time of several runs."""
    return min(_took(arguments, env) for _ in range(RUNS))


def _took(arguments: Sequence[str], env: dict[str, str]) -> float:
    before = os.times()
    subprocess.run([sys.executable, *arguments], cwd=HOME, env={**os.environ, **env}, capture_output=True, check=False)
    return _worked(os.times()) - _worked(before)


def _worked(times: os.times_result) -> float:
    """The processor time of every process that has ended, those that it started included."""
    return times.children_user + times.children_system


def many(folder: Path, count: int, forms: Sequence[str]) -> None:
    """A check of many models of ten functions, as text or in forms: time, and the memory of the process that writes."""
    models = [write_model(folder / f"m{n:04}.yaml", n) for n in range(count)]
    outputs = [part for form in forms for part in ("--format", form, "-o", str(folder / f"out.{form}"))]
    command = [sys.executable, TM, "check", *models, *outputs, "--today", "2026-11-25"]
    began, before = time.monotonic(), os.times()
    process = subprocess.Popen(command, cwd=HOME, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, used = os.wait4(process.pid, 0)
    took = time.monotonic() - began
    worked = _worked(os.times()) - _worked(before)
    code = os.waitstatus_to_exitcode(status)
    spent = f"{worked:.1f} s of processor time, {took:.1f} s, {used.ru_maxrss / 1024:.0f} MB"
    print(f"{count} models of 10 functions, {', '.join(forms) or 'text'}   {spent}, exit code {code}")


def write_model(path: Path, number: int) -> str:
    """A model of ten functions."""
    functions = "".join(
        f"  bot-{at}: {{{', '.join(TEN[: at % 5 + 1])}, timeout_seconds: {3 + (number + at) % 30}}}\n"
        for at in range(10)
    )
    text = (
        f"name: System {number}\nstores: {{orders: {{}}}}\nqueues: {{work: {{}}}}\nsecrets: {{key: {{}}}}\nfunctions:\n"
    )
    path.write_text(text + functions, encoding="utf-8")
    return str(path)


if __name__ == "__main__":
    main()
