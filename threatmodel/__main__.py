"""The entry point of `python tm.py`, an installed `tm` and `python -m threatmodel`.

It imports only the standard library before it runs, so that it can report what is missing or cannot be imported.
"""

from __future__ import annotations

import atexit
import os
import sys
from collections.abc import Sequence
from pathlib import Path


def start() -> None:
    """Run the command line of the process and end it, without freeing each value of the model first: that is slow."""
    code = run()
    atexit._run_exitfuncs()  # noqa: SLF001 - the only way to run them before a process ends at once
    try:
        for stream in (sys.stdout, sys.stderr):
            if stream is not None:
                stream.flush()
    except (OSError, ValueError):
        sys.exit(code)  # Python reports what cannot be written
    os._exit(code)


def run(arguments: Sequence[str] | None = None) -> int:
    """Run the command line with these arguments, or with those of the process; return the exit code.

    Packages are imported when they are needed.
    """
    if not _here():
        return 2
    program, again = "tm", "install threatmodel again"
    try:
        from threatmodel.reading.home import CLONE, PROGRAM

        if CLONE:
            program, again = PROGRAM, "python3 dev.py setup, then .venv/bin/python tm.py"
        from threatmodel.command.main import main

        return main(sys.argv[1:] if arguments is None else arguments)
    except KeyboardInterrupt:
        return 130
    except ModuleNotFoundError as error:
        if (error.name or "").startswith("threatmodel"):
            return _fault(error, program)
        if sys.stderr is not None:
            sys.stderr.write(f"{program}: the package '{error.name}' is missing.\n  fix: {again}\n")
        return 2
    except Exception as error:  # noqa: BLE001 - the last handler: Python would exit with 1, which means findings
        return _fault(error, program)


def _here() -> bool:
    """Return whether there is a working directory; report it where there is none."""
    try:
        Path.cwd()
    except OSError:
        if sys.stderr is not None:
            sys.stderr.write(".: missing-file: the working directory no longer exists; change to one that exists\n")
        return False
    return True


def _fault(error: Exception, program: str) -> int:
    from threatmodel.command.fault import fault

    return fault(error, program)


if __name__ == "__main__":
    start()
