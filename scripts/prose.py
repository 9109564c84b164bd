#!/usr/bin/env python3
"""Checks the language of every text that a person reads: titles, messages, help, templates, documents, comments.

    .venv/bin/python scripts/prose.py [PATH...]

Prints `path:line: rule: "text" -> write: ...` for each hit, and exits with 1 if there is one. Without a PATH it reads
all files that scripts/wording/places.yaml lists.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

HOME = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(HOME))  # started as a script, it finds its package beside itself

from scripts.wording.checking import hits  # noqa: E402
from scripts.wording.places import places  # noqa: E402


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the hits; 0 where there is none, 1 where there is one, 2 where a path is not one that is checked."""
    parser = argparse.ArgumentParser(description="Check the language of every text that a person reads.")
    parser.add_argument("paths", nargs="*", metavar="PATH", help="a file or folder (default: all that is checked)")
    wanted: list[str] = parser.parse_args(arguments).paths
    where = places(HOME)
    unchecked = [path for path in wanted if not where.files([path])]
    if unchecked:
        print(f"prose: no file that is checked in: {' '.join(unchecked)}", file=sys.stderr)
        return 2
    files = where.files(wanted)
    found = hits(HOME, files)
    for hit in found:
        print(hit)
    print(f"{len(found)} to fix in {len(files)} files")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
