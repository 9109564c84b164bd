"""Runs cases in this process: `python -m tests.fuzz.running --count 100000`; each failure is shown with its number."""

from __future__ import annotations

import argparse
import contextlib
import io
import os
import re
import shutil
import signal
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

from tests.fuzz.cases import Case, case, project
from threatmodel import __main__ as entry_point

SECONDS = 30
"""Of the processor, for one case."""

UNSEEN = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069]")
"""Characters that a terminal obeys, or that turn text around."""


class TooLongError(BaseException):
    """No Exception, since the command line turns those into an exit code."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """How a run went: its exit code, its output, what it complained about."""

    code: object
    out: str
    err: str


def run(arguments: tuple[str, ...]) -> Ended:
    """One run of the command line."""
    out, err = (io.TextIOWrapper(io.BytesIO(), "utf-8", newline="\n", errors="backslashreplace") for _ in range(2))
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            code: object = entry_point.run(arguments)
        except SystemExit as error:
            code = error.code
    texts = []
    for stream in (out, err):
        stream.flush()
        texts.append(stream.buffer.getvalue().decode(errors="replace"))
    return Ended(code=code, out=texts[0], err=texts[1])


def fault(ended: Ended, arguments: tuple[str, ...]) -> str:
    """What is wrong with how a run ended, or nothing."""
    if ended.code not in {0, 1, 2}:
        return f"exit code {ended.code}"
    if ended.code == 2 and not ended.err:
        return "exit code 2 without a word"
    if "Traceback" in ended.err:
        return "a traceback"
    for text in (ended.err, ended.out):
        if unseen := UNSEEN.search(text):
            return f"{unseen[0]!r} is printed"
    if arguments[0] == "import" and ended.code == 0 and "--update" not in arguments:
        if "-o" not in arguments:
            Path("out.yaml").write_text(ended.out, encoding="utf-8")
        again = run(("-m", "out.yaml", "--dfd"))
        if again.code != 0:
            return f"what import wrote is refused: {again.err[:300]}"
    return ""


@contextlib.contextmanager
def laid_out(made: Case) -> Iterator[None]:
    """The files of a case, where it runs; afterwards those are as before."""
    before = {name: Path(name).read_bytes() for name in made.files if Path(name).exists()}
    try:
        for name, text in made.files.items():
            Path(name).parent.mkdir(parents=True, exist_ok=True)
            Path(name).write_bytes(text.encode("utf-8", errors="surrogatepass"))
        yield
    finally:
        for name in made.files:
            Path(name).unlink(missing_ok=True)
        for name, data in before.items():
            Path(name).write_bytes(data)
        if made.arguments[0] == "new" or made.kind == "arguments":  # these write
            for folder in ("handlers", "h", "out", "team"):
                shutil.rmtree(folder, ignore_errors=True)
            project(Path())
        Path("out.yaml").unlink(missing_ok=True)


def _over(_signal: int, _frame: FrameType | None) -> None:
    raise TooLongError


def failure(seed: int, number: int) -> str:
    """What is wrong with the case of a number, or nothing."""
    return failing(case(seed, number))


def failing(made: Case) -> str:
    """What is wrong with how a case ends, or nothing; it runs in the working directory, which holds a `project`."""
    signal.signal(signal.SIGPROF, _over)
    signal.setitimer(signal.ITIMER_PROF, SECONDS)
    try:
        with laid_out(made):
            ended = run(made.arguments)
            signal.setitimer(signal.ITIMER_PROF, 0)
            wrong = fault(ended, made.arguments)
            return f"{wrong}\n{ended.err[-3000:]}" if wrong else ""
    except TooLongError:
        return f"took more than {SECONDS} s of the processor"
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)


@contextlib.contextmanager
def at_work() -> Iterator[None]:
    """A project in a temporary folder as the working directory, and faults with their tracebacks."""
    here, debug = Path.cwd(), os.environ.get("TM_DEBUG")
    with tempfile.TemporaryDirectory(prefix="fuzz-") as folder:
        project(Path(folder))
        os.chdir(folder)
        os.environ["TM_DEBUG"] = "1"
        try:
            yield
        finally:
            os.chdir(here)
            os.environ.pop("TM_DEBUG") if debug is None else os.environ.__setitem__("TM_DEBUG", debug)


def _main() -> int:
    line = argparse.ArgumentParser(description=__doc__)
    line.add_argument("--count", type=int, default=1000)
    line.add_argument("--first", type=int, default=0)
    line.add_argument("--seed", type=int, default=0)
    args = line.parse_args()
    seen: Counter[str] = Counter()
    done = 0
    try:
        with at_work():
            for number in range(args.first, args.first + args.count):
                wrong, done = failure(args.seed, number), done + 1
                key = re.sub(r"\d+", "N", "".join(wrong.splitlines()[-2:]))[:200]
                if wrong and key not in seen:
                    made = case(args.seed, number)
                    print(f"=== {args.seed}:{number} {made.kind} {made.arguments}\n{wrong}", flush=True)  # noqa: T201
                seen.update([key] if wrong else [])
    except KeyboardInterrupt:
        pass  # what was done until then is told
    print(f"{done} cases, {sum(seen.values())} failures of {len(seen)} kinds")  # noqa: T201
    return 1 if seen else 0


if __name__ == "__main__":
    sys.exit(_main())
