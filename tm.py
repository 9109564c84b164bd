#!/usr/bin/env python3
# /// script
# requires-python = ">=3.11"
# dependencies = [
#   "graphviz-pure~=0.2.2", "Jinja2~=3.1", "pytm~=1.4.0", "PyYAML~=6.0",
#   "tree-sitter~=0.25", "tree-sitter-javascript~=0.25.0", "tree-sitter-typescript~=0.23.2",
# ]
# ///
"""Run the toolkit from a clone: python tm.py --report, --dfd | dot -Tpng, --json, check ..."""

import sys

if sys.version_info < (3, 11):  # noqa: UP036 - the message is for an older Python
    sys.stderr.write(f"tm.py: Python 3.11 or newer is needed; this is {sys.version.split()[0]}\n")
    sys.exit(2)

try:
    from threatmodel.__main__ import start
except ImportError as error:
    sys.stderr.write(f"tm.py: the folder threatmodel/ is incomplete: {error.name} cannot be imported\n")
    sys.exit(70)

if __name__ == "__main__":
    start()
