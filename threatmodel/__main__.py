"""What `python tm.py`, an installed `tm` and `python -m threatmodel` start: the command line, or why it cannot run.

It imports nothing but the standard library before it runs, so that what is missing or cannot be imported is told.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path


def run(arguments: Sequence[str] | None = None) -> int:
    """Runs the command line, on what was typed if nothing else is given; returns the exit code.

    Packages are imported as they are needed.
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
    except Exception as error:  # noqa: BLE001 - the last wall: Python would end with 1, which means findings
        return _fault(error, program)


def _here() -> bool:
    """Whether there is a working directory; says so where it is gone, since nothing can be read or named then."""
    try:
        Path.cwd()
    except OSError:
        if sys.stderr is not None:
            sys.stderr.write(".: missing-file: the folder that you stand in is gone; go to one that is there\n")
        return False
    return True


def _fault(error: Exception, program: str) -> int:
    from threatmodel.command.fault import fault

    return fault(error, program)


if __name__ == "__main__":
    sys.exit(run())
