#!/usr/bin/env python3
"""Checks the language of every text that a person reads: titles, messages, help, templates, documents, comments.

    .venv/bin/python scripts/prose.py [PATH...]

Prints `path:line: rule: "text" -> write: ...` for each hit, and exits with 1 where there is one. With a PATH it prints
all hits there. Without one it reads all files that scripts/wording/places.yaml lists, and only counts the hits of those
listed under `reported`. A path there that has no hit fails too, so that it is enforced from then on.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

HOME = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(HOME))  # started as a script, it finds its package beside itself

from scripts.wording.checking import hits  # noqa: E402
from scripts.wording.hits import Hit  # noqa: E402
from scripts.wording.places import Places, places  # noqa: E402


def split(found: Iterable[Hit], where: Places) -> tuple[list[Hit], Counter[str]]:
    """Return the hits that fail, and the number of the others by the path that is only reported."""
    failing: list[Hit] = []
    reported: Counter[str] = Counter()
    for hit in found:
        scope = where.reported_by(hit.path)
        if scope is None:
            failing.append(hit)
        else:
            reported[scope] += 1
    return failing, reported


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
    failing, reported = (found, Counter[str]()) if wanted else split(found, where)
    for hit in failing:
        print(hit)
    clean = [] if wanted else [scope for scope in where.reported if not reported[scope]]
    for scope in clean:
        print(f"scripts/wording/places.yaml: {scope} has no hit: remove it from `reported`")
    if reported:
        print("only reported: " + ", ".join(f"{scope} {count}" for scope, count in sorted(reported.items())))
    print(f"{len(failing)} to fix in {len(files)} files")
    return 1 if failing or clean else 0


if __name__ == "__main__":
    sys.exit(main())
