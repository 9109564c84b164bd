#!/usr/bin/env python3
"""Set up a fresh clone and run its tasks: `python3 dev.py report`, `python3 dev.py test`.

The packages of requirements.lock go into .venv, once, by uv where it is installed and by pip elsewhere.
Only the standard library is used, and only syntax that Python 3.8 can parse, so that an old Python says
what it lacks instead of dying with a SyntaxError.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
LOCK = ROOT / "requirements.lock"
STAMP = "made-from"  # a file in .venv, written last: without it the environment is unfinished
OLDEST = (3, 11)
GET_UV = "install uv (https://docs.astral.sh/uv/) and run the same command again"


class SetupError(Exception):
    """Something that only the user can put right: what is wrong, and the ways to mend it."""

    def __init__(self, problem: str, *fixes: str) -> None:
        super().__init__("\n".join([problem, *(f"  fix: {fix}" for fix in fixes)]))


# --- the environment


def interpreter(venv: Path) -> Path:
    """The Python of a virtual environment, as this system lays it out."""
    return venv / "Scripts" / "python.exe" if os.name == "nt" else venv / "bin" / "python"


def wanted_stamp(lock: Path) -> str:
    """What an environment made now is made from: the locked packages and a Python (`cpython-311`)."""
    return f"{hashlib.sha256(lock.read_bytes()).hexdigest()} {sys.implementation.cache_tag}\n"


def why_remake(venv: Path, stamp: str) -> str:
    """The reason to make the environment (again), or nothing when it is as wanted."""
    if not os.path.lexists(venv):
        return "first run"
    made_from = venv / STAMP
    if not made_from.is_file():
        return "the one there is unfinished or was not made by dev.py"
    if made_from.read_text(encoding="utf-8") != stamp:
        return "requirements.lock or the Python has changed"
    if not succeeds(interpreter(venv), "-c", ""):
        return "the Python of the one there is gone"
    return ""


def succeeds(*command: str | Path) -> bool:
    """Whether the command can be started and exits with 0; what it prints is dropped."""
    try:
        return subprocess.run(command, capture_output=True, check=False).returncode == 0
    except OSError:
        return False


def find_uv() -> str | None:
    """The uv on PATH, if it works: a version manager leaves a shim there that only complains."""
    uv = shutil.which("uv")
    return uv if uv and succeeds(uv, "--version") else None


def base_python() -> str:
    """The running Python, or what it was made from when it is the one in .venv that is about to go."""
    if Path(sys.prefix).resolve() != VENV.resolve():
        return sys.executable
    name = "python.exe" if os.name == "nt" else "bin/python{}.{}".format(*sys.version_info)
    base = Path(sys.base_prefix, name)
    if not base.exists():
        raise SetupError(f"{VENV} is out of date, and dev.py runs inside it.", "leave it first: deactivate")
    return str(base)


def require_python(version: Sequence[int]) -> None:
    """Raise SetupError when a Python of this version cannot run the toolkit."""
    if tuple(version) < OLDEST:
        needed, this = (".".join(map(str, numbers)) for numbers in (OLDEST, version))
        raise SetupError(
            f"Python {needed} or newer is needed, this is {this}.",
            "run dev.py with a newer one, for example: python3.13 dev.py report",
            f"{GET_UV}: uv brings a Python along",
        )


def ensure_environment() -> None:
    """Make .venv unless it is there and current; raise SetupError, leaving none behind, when that fails."""
    stamp = wanted_stamp(LOCK)
    reason = why_remake(VENV, stamp)
    if not reason:
        return
    uv = find_uv()
    if uv is None:
        require_python(sys.version_info[:3])
    say(f"making .venv with {'uv' if uv else 'pip'} ({reason})")
    python = base_python()
    remove(VENV)
    try:
        make_with_uv(uv, python) if uv else make_with_pip(python)
    except (SetupError, KeyboardInterrupt):
        remove(VENV)
        raise
    (VENV / STAMP).write_text(stamp, encoding="utf-8")


def make_with_uv(uv: str, python: str) -> None:
    """Make .venv and fill it with uv, which can find or fetch a Python when the running one is too old."""
    usable = python if sys.version_info >= OLDEST else ">={}.{}".format(*OLDEST)
    if run(uv, "venv", "--quiet", "--python", usable, VENV):
        raise SetupError("uv could not make a virtual environment; it says why above.")
    install(uv, "pip", "install", "--python", interpreter(VENV))


def make_with_pip(python: str) -> None:
    """Make .venv and fill it with the standard library's venv and the pip that it brings."""
    made = subprocess.run(
        [python, "-m", "venv", str(VENV)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if made.returncode:
        raise venv_failure(made.stdout)
    install(interpreter(VENV), "-m", "pip", "install", "--disable-pip-version-check")


def venv_failure(output: str) -> SetupError:
    """What to tell the user when `python -m venv` failed with this output."""
    if "ensurepip" in output or "No module named venv" in output:
        package = "python{}.{}-venv".format(*sys.version_info)
        return SetupError(
            "this Python cannot make virtual environments: its venv or ensurepip module is missing.",
            f"on Debian or Ubuntu: sudo apt-get install {package}",
            GET_UV,
        )
    return SetupError(f"python -m venv failed:\n{output.strip()}", GET_UV)


def install(*installer: str | Path) -> None:
    """Install exactly the locked packages, each checked against its hash."""
    if run(*installer, "--quiet", "--require-hashes", "-r", LOCK):
        raise SetupError(
            "the packages in requirements.lock could not be installed; the installer says why above.",
            "check the network, and proxy, certificate or index settings (PIP_* or UV_* variables), then run"
            " the same command again",
        )


def remove(venv: Path) -> None:
    """Remove an environment; where .venv is a link, the link only."""
    try:
        if venv.is_symlink() or venv.is_file():
            venv.unlink()
        elif venv.exists():
            shutil.rmtree(venv)
    except OSError as error:
        raise SetupError(
            f"{venv} is out of date and could not be removed: {error}",
            "close what uses it (a shell where it is activated, an editor), or remove it by hand",
        ) from error


# --- the checks


class Check(NamedTuple):
    """One check of `test`: the arguments with which .venv's Python runs it."""

    name: str
    arguments: list[str]


class Outcome(NamedTuple):
    """How a check went."""

    name: str
    passed: bool
    seconds: float


def all_checks(pytest_arguments: list[str]) -> list[Check]:
    """Every check, the quick ones first."""
    # import-linter has no `python -m` form, and its script breaks when the clone is moved
    lint_imports = "from importlinter.cli import lint_imports_command as main; main()"
    return [
        Check("format", ["-m", "ruff", "format", "--check"]),
        Check("lint", ["-m", "ruff", "check"]),
        Check("layers", ["-c", lint_imports, "--no-logo"]),
        Check("types", ["-m", "mypy"]),
        Check("docs", ["tm.py", "docs", "--check"]),
        Check("tests", ["-m", "pytest", "-n", "auto", "--dist", "loadfile", *pytest_arguments]),
    ]


def run_check(check: Check) -> Outcome:
    """Run one check under a line that names it; what it prints goes through."""
    print(f"--- {check.name}", flush=True)
    start = time.monotonic()
    status = python(*check.arguments)
    print(flush=True)
    return Outcome(check.name, status == 0, time.monotonic() - start)


def table(outcomes: Sequence[Outcome]) -> str:
    """One line a check, and a last line that names what failed."""
    lines = [f"{one.name:<8} {'ok' if one.passed else 'FAILED':<6} {one.seconds:7.1f} s" for one in outcomes]
    failed = [one.name for one in outcomes if not one.passed]
    lines.append(f"failed: {', '.join(failed)}" if failed else f"all {len(outcomes)} checks are fine")
    return "\n".join(lines)


# --- the tasks


def setup(arguments: list[str]) -> int:
    """Make .venv; the other tasks do it by themselves."""
    if arguments:
        raise SetupError(f"setup takes no arguments, got: {' '.join(arguments)}")
    ensure_environment()
    say(f"{interpreter(VENV)} is ready")
    return 0


def report(arguments: list[str]) -> int:
    """Write the report and the picture to build/, print the summary [arguments of: tm.py summary]."""
    ensure_environment()
    return python("tm.py", "summary", "--out", "build", *arguments)


def test(arguments: list[str]) -> int:
    """Run every check, then say which failed [arguments of pytest]."""
    ensure_environment()
    outcomes = [run_check(check) for check in all_checks(arguments)]
    print(table(outcomes))
    return 0 if all(one.passed for one in outcomes) else 1


def fix(arguments: list[str]) -> int:
    """Format the code and mend what ruff can mend [arguments of ruff check]."""
    ensure_environment()
    mended = python("-m", "ruff", "check", "--fix", *arguments)
    return python("-m", "ruff", "format") or mended


def docs(arguments: list[str]) -> int:
    """Write the generated pages and schemas anew [arguments of: tm.py docs]."""
    ensure_environment()
    return python("tm.py", "docs", *arguments)


def lock(arguments: list[str]) -> int:
    """Write requirements.lock from pyproject.toml, with uv [arguments of uv pip compile: --upgrade]."""
    uv = find_uv()
    if uv is None:
        raise SetupError("only uv can write a lock for every system.", GET_UV)
    options = [
        "--universal",
        "--python-version",
        "{}.{}".format(*OLDEST),
        "--extra",
        "dev",
        "--generate-hashes",
    ]
    clean = ["--no-annotate", "--no-emit-index-url", "--no-emit-find-links", "--quiet"]
    header = ["--custom-compile-command", "python3 dev.py lock"]
    return run(
        uv,
        "pip",
        "compile",
        *options,
        *clean,
        *header,
        "--output-file",
        LOCK.name,
        *arguments,
        "pyproject.toml",
    )


TASKS: dict[str, Callable[[list[str]], int]] = {task.__name__: task for task in (setup, report, test, fix, docs, lock)}


# --- the command


def run(*command: str | Path) -> int:
    """Run a command in the clone, its output going through; its exit code."""
    return subprocess.run([str(part) for part in command], cwd=ROOT, check=False).returncode


def python(*arguments: str) -> int:
    """Run the Python of .venv."""
    return run(interpreter(VENV), *arguments)


def say(message: str) -> None:
    """Tell the user something that is no part of a task's output."""
    print(f"dev.py: {message}", file=sys.stderr, flush=True)


def help_text() -> str:
    """The tasks, each with the promise of its function."""
    tasks = [f"  {name:<8} {task.__doc__}" for name, task in TASKS.items()]
    usage = "usage: python3 dev.py TASK [ARGUMENTS]"
    return "\n".join([usage, "", *tasks, "", "Tasks run in the clone's folder: paths among ARGUMENTS start there."])


def unknown_task(name: str) -> str:
    """What to tell someone who asked for a task that does not exist."""
    near = get_close_matches(name, TASKS, n=1)
    question = f"; did you mean '{near[0]}'?" if near else ""
    return f"'{name}' is not a task{question}\n  tasks: {', '.join(TASKS)}"


def main(arguments: list[str]) -> int:
    """Run one task; its exit code, 1 when the environment cannot be made, 2 for an unknown task."""
    if not arguments or arguments[0] in {"-h", "--help", "help"}:
        print(help_text())
        return 0
    name, *rest = arguments
    if name not in TASKS:
        say(unknown_task(name))
        return 2
    try:
        return TASKS[name](rest)
    except SetupError as error:
        say(str(error))
        return 1
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
