"""The interpreter that runs a handler: that of the template's runtime where there is one, or the one that is there."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

OLDEST_PYTHON = 11
"""The oldest Python 3 that can run what is beside the handler in its process."""


class Interpreter(NamedTuple):
    """Where it is, what a user should know about it ('' where that is nothing), and the library of another one."""

    program: str
    note: str = ""
    library: str = ""


THIS = Interpreter(sys.executable)


def python_of(runtime: str, packages: Sequence[Path] = ()) -> Interpreter:
    """Return the Python of a runtime (`python3.13`), which is looked for on the PATH; this one where there is none.

    So is it where the packages are those of a virtual environment of another version: parts of them may be compiled.
    """
    here = f"python3.{sys.version_info.minor}"
    found = re.fullmatch(r"python3\.(\d{1,2})", runtime)
    if found is None or runtime == here:
        return THIS
    of_others = any(folder.name == "site-packages" and folder.parent.name != runtime for folder in packages)
    able = int(found[1]) >= OLDEST_PYTHON and not of_others
    folders = os.environ.get("PATH", "").split(os.pathsep) if able else []
    for path in (Path(folder) / runtime for folder in folders):
        if path.is_absolute() and (started := _started(path, found[1])):
            program, library = started
            return Interpreter(
                program, f"it was run with {program}, since the template's runtime is {runtime}", library
            )
    return Interpreter(sys.executable, _other(runtime, here))


def node_note(runtime: str, major: int) -> str:
    """Return what a user should know of the Node.js that is there, where the template has another."""
    return "" if runtime in {"", f"nodejs{major}.x"} else _other(runtime, f"Node.js {major}")


def _other(runtime: str, here: str) -> str:
    return (
        f"the template's runtime is {runtime}, and it was run with {here}; how it behaves with {runtime} was not tried"
    )


def _started(path: Path, minor: str) -> tuple[str, str] | None:
    """Return the program that a path starts and its library, if that is Python 3 of this version.

    The path may be a script that starts the program.
    """
    if not path.is_file():
        return None
    try:
        done = subprocess.run(  # noqa: S603 - the user's own
            [path, "-I", "-S", "-c", _SAYS], capture_output=True, text=True, timeout=10, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    match done.stdout.splitlines():
        case [version, program, library] if version == minor and Path(program).is_file() and library:
            return program, library
    return None


_SAYS = "import sys, sysconfig; print(sys.version_info.minor, sys.executable, sysconfig.get_path('stdlib'), sep='\\n')"
