#!/usr/bin/env python3
# /// script
# requires-python = ">=3.11"
# dependencies = ["graphviz~=0.21", "graphviz-pure~=0.2.2", "Jinja2~=3.1", "pytm~=1.4.0", "PyYAML~=6.0"]
# ///
"""The door: python tm.py --report, --dfd | dot -Tpng, --json, check ..."""

import sys

if sys.version_info < (3, 11):  # noqa: UP036 - the message is for those who run it with an older one
    sys.stderr.write(f"tm.py: Python 3.11 or newer is needed; this is {sys.version.split()[0]}\n")
    sys.exit(2)


def run() -> int:
    """Runs the command line, which imports packages as it needs them; returns the exit code."""
    try:
        from threatmodel.command.main import main

        return main(sys.argv[1:])
    except ModuleNotFoundError as error:
        if (error.name or "").startswith("threatmodel"):
            raise
        if sys.stderr is not None:
            fix = "fix: python3 dev.py setup, then .venv/bin/python tm.py"
            sys.stderr.write(f"tm.py: the package '{error.name}' is missing.\n  {fix}\n")
        return 2
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(run())
