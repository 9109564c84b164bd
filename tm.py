#!/usr/bin/env python3
# /// script
# requires-python = ">=3.11"
# dependencies = ["graphviz~=0.21", "graphviz-pure~=0.2.2", "Jinja2~=3.1", "pytm~=1.4.0", "PyYAML~=6.0"]
# ///
"""The door: python tm.py --report, --dfd | dot -Tpng, --json, check ..."""

import sys

if sys.version_info < (3, 11):  # noqa: UP036 - the message is for those who run it with an older one
    sys.exit(f"tm.py: Python 3.11 or newer is needed; this is {sys.version.split()[0]}")

try:
    from threatmodel.cli import main
except ModuleNotFoundError as error:
    if (error.name or "").startswith("threatmodel"):
        raise
    sys.exit(f"tm.py: the package '{error.name}' is missing.\n  fix: python3 dev.py setup, then .venv/bin/python tm.py")

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
