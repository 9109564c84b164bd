#!/usr/bin/env python3
"""Set up a fresh clone and run its tasks: `python3 dev.py report`, `python3 dev.py test`.

What the program needs (requirements.lock) goes into .venv, once, by uv where it is installed and by pip elsewhere;
what checks it (requirements-dev.lock, which holds the same packages and more) is added by the first task that needs it.
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
from collections.abc import Callable, Iterable, Iterator, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
PROGRAM = ROOT / "requirements.lock"
CHECKS = ROOT / "requirements-dev.lock"
STAMP = "made-from"  # a file in .venv, written last: a line a lock; without it the environment is unfinished
OLDEST = (3, 11)
GET_UV = "install uv (https://docs.astral.sh/uv/) and run the same command again"


class SetupError(Exception):
    """Something that only the user can put right: what is wrong, and the ways to fix it."""

    def __init__(self, problem: str, *fixes: str) -> None:
        super().__init__("\n".join([problem, *(f"  fix: {fix}" for fix in fixes)]))


# --- the environment


def interpreter(venv: Path) -> Path:
    """The Python of a virtual environment, as this system lays it out."""
    return venv / "Scripts" / "python.exe" if os.name == "nt" else venv / "bin" / "python"


def made_from(lock: Path) -> str:
    """What an environment says of a lock once it holds the lock's packages, for this Python (`cpython-311`)."""
    return f"{lock.name} {hashlib.sha256(lock.read_bytes()).hexdigest()} {sys.implementation.cache_tag}"


def stamps(venv: Path) -> list[str]:
    """What an environment says that it was made from; nothing where it is unfinished or was not made by dev.py."""
    stamp = venv / STAMP
    return stamp.read_text(encoding="utf-8").splitlines() if stamp.is_file() else []


def why_remake(venv: Path, wanted: Sequence[str]) -> str:
    """The reason to make the environment (again), or nothing when all it needs is what it lacks of `wanted`."""
    if not os.path.lexists(venv):
        return "first run"
    there = stamps(venv)
    if wanted[0].split()[0] not in (line.split(" ")[0] for line in there):
        return "the one there is unfinished or was not made by dev.py"
    for line in wanted:
        name = line.split()[0]
        if line not in there and any(other.startswith(f"{name} ") for other in there):
            return f"{name} or the Python has changed"
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


def ensure_environment(*locks: Path) -> None:
    """Make .venv unless it is there and current, and add what it lacks of the locks, each of which holds those before.

    Raises SetupError when that fails, and leaves no environment behind that is half made.
    """
    wanted = [made_from(lock) for lock in locks]
    uv = find_uv()
    reason = why_remake(VENV, wanted)
    lacking = [line for line in wanted if reason or line not in stamps(VENV)]
    if not lacking:
        return
    if not reason and uv is None and not succeeds(interpreter(VENV), "-m", "pip", "--version"):
        reason = "uv made the one there, and is gone"
    try:
        if reason:
            make(uv, reason)
        install(uv, locks[-1])
    except (SetupError, KeyboardInterrupt):
        if reason:
            remove(VENV)
        raise
    (VENV / STAMP).write_text("".join(f"{line}\n" for line in wanted), encoding="utf-8")
    compile_tables()


def compile_tables() -> None:
    """Compile the toolkit's own YAML into .venv, so that each run starts faster; without it, runs read the YAML."""
    subprocess.run([str(interpreter(VENV)), "-m", "threatmodel.compiling"], cwd=ROOT, capture_output=True, check=False)


def make(uv: str | None, reason: str) -> None:
    """Make an empty .venv instead of the one that is there."""
    if uv is None:
        require_python(sys.version_info[:3])
    say(f"making .venv with {'uv' if uv else 'pip'} ({reason})")
    python = base_python()
    remove(VENV)
    make_with_uv(uv, python) if uv else make_with_pip(python)


def make_with_uv(uv: str, python: str) -> None:
    """Make .venv with uv, which can find or fetch a Python when the running one is too old."""
    usable = python if sys.version_info >= OLDEST else ">={}.{}".format(*OLDEST)
    if run(uv, "venv", "--quiet", "--python", usable, VENV):
        raise SetupError("uv could not make a virtual environment; it says why above.")


def make_with_pip(python: str) -> None:
    """Make .venv with the standard library's venv, which brings pip."""
    made = subprocess.run(
        [python, "-m", "venv", str(VENV)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if made.returncode:
        raise venv_failure(made.stdout)


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


def install(uv: str | None, lock: Path) -> None:
    """Install exactly a lock's packages, each checked against its hash, none built from its source."""
    pinned = pins(lock)
    say(f"installing {lock.name}: up to {len(pinned)} packages")
    options = ["--require-hashes", "--only-binary", ":all:", "-r", str(lock)]
    if uv is not None:
        status = run(uv, "pip", "install", "--quiet", "--python", interpreter(VENV), *options)
    else:
        pip = ["-m", "pip", "install", "--disable-pip-version-check", "--progress-bar", "off", "--no-color"]
        status = reported([str(interpreter(VENV)), *pip, *options], pinned)
    if status:
        raise SetupError(
            f"the packages in {lock.name} could not be installed; the installer says why above.",
            "check the network, and proxy, certificate or index settings (PIP_* or UV_* variables), then run"
            " the same command again",
        )


def pins(lock: Path) -> list[str]:
    """The packages of a lock, as it pins them."""
    lines = lock.read_text(encoding="utf-8").splitlines()
    return [line.split()[0] for line in lines if "==" in line and not line.startswith((" ", "#"))]


def reported(command: Sequence[str], pinned: Sequence[str]) -> int:
    """Run pip, and say which package it is at instead of all that it prints; its exit code."""
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as pip:
        for line in progress(pip.stdout or [], len(pinned)):
            say(line)
    return pip.returncode


def progress(lines: Iterable[str], count: int) -> Iterator[str]:
    """A line for each package that pip names, and one for the unpacking."""
    done = 0
    for line in lines:
        verb, _, rest = line.partition(" ")
        if verb == "Collecting":
            done += 1
            yield f"  {done} of {count}: {rest.split()[0]}"
        elif verb == "Installing":
            yield "  unpacking"


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


# One more than there are cores, since some tests wait; in conftest's order, so that no long file is left to the end
EVERY_CORE = ["-n", str((os.cpu_count() or 1) + 1), "--dist", "loadfile", "--no-loadscope-reorder"]


class Check(NamedTuple):
    """One check: the arguments with which .venv's Python runs it."""

    name: str
    arguments: list[str]


class Outcome(NamedTuple):
    """How a check went."""

    name: str
    passed: bool
    seconds: float


def all_checks(pytest_arguments: list[str]) -> list[Check]:
    """Every check, the slowest last."""
    # import-linter has no `python -m` form, and its script breaks when the clone is moved
    lint_imports = "from importlinter.cli import lint_imports_command as main; main()"
    return [
        Check("format", ["-m", "ruff", "format", "--check"]),
        Check("lint", ["-m", "ruff", "check"]),
        Check("layers", ["-c", lint_imports, "--no-logo"]),
        Check("types", ["-m", "mypy"]),
        Check("docs", ["tm.py", "docs", "--check"]),
        Check("prose", ["scripts/prose.py"]),
        Check("unused", ["-m", "vulture"]),
        Check("packages", ["-m", "deptry", "--no-ansi", "."]),
        Check("tests", ["-m", "pytest", *EVERY_CORE, *pytest_arguments]),
    ]


def run_checks(checks: Sequence[Check]) -> list[Outcome]:
    """Run checks side by side: the last goes on while those before it run one after the other.

    What each prints is shown when it has ended, under a line that names it; what the last prints goes through, once the
    others are done.
    """
    *quick, slowest = checks
    start = time.monotonic()
    command = [str(interpreter(VENV)), *slowest.arguments]
    colours = {"PY_COLORS": "1"} if sys.stdout.isatty() else {}
    with subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env={**os.environ, **colours}
    ) as running:
        outcomes = [run_check(one) for one in quick]
        print(f"--- {slowest.name}", flush=True)
        while running.stdout is not None and (piece := os.read(running.stdout.fileno(), 65536)):
            os.write(sys.stdout.fileno(), piece)
    print(flush=True)
    return [*outcomes, Outcome(slowest.name, running.returncode == 0, time.monotonic() - start)]


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
    """Make .venv with what the program needs; `setup dev` adds what checks it. The other tasks do it by themselves."""
    if arguments not in ([], ["dev"]):
        raise SetupError(f"setup takes nothing or 'dev', got: {' '.join(arguments)}")
    ensure_environment(PROGRAM, *([CHECKS] if arguments else []))
    compile_tables()
    say(f"{interpreter(VENV)} is ready")
    return 0


def report(arguments: list[str]) -> int:
    """Write the report and the picture to build/, print the summary [arguments of: tm.py summary]."""
    ensure_environment(PROGRAM)
    return python("tm.py", "summary", "--out", "build", *arguments)


def check(arguments: list[str]) -> int:
    """Run every check and no test, then say which failed."""
    if arguments:
        raise SetupError(f"check takes no arguments, got: {' '.join(arguments)}", "python3 dev.py test takes pytest's")
    ensure_environment(PROGRAM, CHECKS)
    return ended([run_check(one) for one in all_checks([])[:-1]])


TESTS = {"--slow": "not long", "--long": ""}
"""What `test` runs besides the ordinary tests, as pytest selects it by its marks."""


def test(arguments: list[str]) -> int:
    """Run every check and the tests [--slow, --long: the slow or all tests too; arguments of pytest]."""
    rest = [one for one in arguments if one not in TESTS]
    chosen = next((TESTS[one] for one in reversed(TESTS) if one in arguments), "not slow and not long")
    ensure_environment(PROGRAM, CHECKS)
    return ended(run_checks(all_checks(["-m", chosen, *rest])))


def ended(outcomes: Sequence[Outcome]) -> int:
    """Print how each check went; return 1 when one failed."""
    print(table(outcomes))
    return 0 if all(one.passed for one in outcomes) else 1


def coverage(arguments: list[str]) -> int:
    """Run every test and say which lines none of them reaches [arguments of pytest]."""
    ensure_environment(PROGRAM, CHECKS)
    python("-m", "coverage", "erase")
    failed = python("-m", "coverage", "run", "-m", "pytest", *EVERY_CORE, *arguments)
    python("-m", "coverage", "combine", "--quiet")
    return failed or python("-m", "coverage", "report")


def build(arguments: list[str]) -> int:
    """Pack the sdist, and the wheel out of it, into dist/ [arguments of: python -m build]."""
    ensure_environment(PROGRAM, CHECKS)
    return python("-m", "build", "--no-isolation", *arguments)


def fix(arguments: list[str]) -> int:
    """Format the code and fix what ruff can fix [arguments of ruff check]."""
    ensure_environment(PROGRAM, CHECKS)
    mended = python("-m", "ruff", "check", "--fix", *arguments)
    return python("-m", "ruff", "format") or mended


def docs(arguments: list[str]) -> int:
    """Write the generated pages and schemas again [arguments of: tm.py docs]."""
    ensure_environment(PROGRAM, CHECKS)
    return python("tm.py", "docs", *arguments)


def lock(arguments: list[str]) -> int:
    """Write both locks from pyproject.toml, with uv [arguments of uv pip compile: --upgrade]."""
    uv = find_uv()
    if uv is None:
        raise SetupError("only uv can write a lock for every system.", GET_UV)
    options = ["--universal", "--python-version", "{}.{}".format(*OLDEST), "--generate-hashes", "--no-build"]
    clean = ["--no-annotate", "--no-emit-index-url", "--no-emit-find-links", "--quiet"]
    header = ["--custom-compile-command", "python3 dev.py lock"]
    command = [uv, "pip", "compile", *options, *clean, *header, *arguments]
    more = ["--group", "dev", "--all-extras", "--constraints", PROGRAM.name]
    return run(*command, "--output-file", PROGRAM.name, "pyproject.toml") or run(
        *command, *more, "--output-file", CHECKS.name, "pyproject.toml"
    )


TASKS: dict[str, Callable[[list[str]], int]] = {
    task.__name__: task for task in (setup, report, check, test, coverage, fix, docs, build, lock)
}


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
    """The message for a task that does not exist."""
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
