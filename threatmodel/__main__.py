"""What `python tm.py`, an installed `tm` and `python -m threatmodel` start: the command line, or why it cannot run.

It imports nothing but the standard library before it runs, so that a package that is missing can be named.
"""

from __future__ import annotations

import sys


def run() -> int:
    """Runs the command line, which imports packages as it needs them; returns the exit code."""
    from threatmodel.reading.home import CLONE, PROGRAM

    try:
        from threatmodel.command.main import main

        return main(sys.argv[1:])
    except ModuleNotFoundError as error:
        if (error.name or "").startswith("threatmodel"):
            raise
        if sys.stderr is not None:
            again = "python3 dev.py setup, then .venv/bin/python tm.py" if CLONE else "install threatmodel again"
            sys.stderr.write(f"{PROGRAM}: the package '{error.name}' is missing.\n  fix: {again}\n")
        return 2
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(run())
