#!/usr/bin/env python3
"""How well infrastructure code is read: what people found in files, held against what an import of them finds.

    python scripts/accuracy.py [FOLDER] [--only NAME] [--write]

Files of the project's own are in tests/samples/accuracy with their labels; FOLDER holds public templates that are
labeled in scripts/accuracy.yaml or, fresh ones, in scripts/accuracy-fresh.yaml; docs/maintainers/accuracy.md says
where they are public.  The labels were written by reading the files, not by running the toolkit;
`scripts/labelled/labels.py` describes how.  `--write` keeps the tables in that page.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

HOME = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(HOME))  # started as a script, it finds the engine beside its own folder

from scripts.labelled.comparing import Compared, compared  # noqa: E402
from scripts.labelled.found import found_in, library  # noqa: E402
from scripts.labelled.labels import Label, digest, load  # noqa: E402
from scripts.labelled.page import inserted, tables  # noqa: E402

PAGE = HOME / "docs" / "maintainers" / "accuracy.md"
PUBLIC = HOME / "scripts" / "accuracy.yaml"
FRESH = HOME / "scripts" / "accuracy-fresh.yaml"
OWN = HOME / "tests" / "samples" / "accuracy"
OWN_FRESH = HOME / "tests" / "samples" / "fresh"


def labels(path: Path) -> Mapping[str, Label]:
    """The labels in a file.  Raises LabelError."""
    return load(path, library().controls)


def measured(folder: Path, said: Mapping[str, Label], only: str = "") -> Iterator[Compared]:
    """Each labeled file below a folder; files are known by their digest."""
    for path in sorted(folder.rglob("*")):
        label = said.get(digest(path)) if path.is_file() else None
        if label is not None and only in label.name:
            yield compared(label, found_in(path))


def main() -> int:
    """Prints the tables, or writes them; the exit code."""
    parser = argparse.ArgumentParser(description="How well infrastructure code is read, against labels by people.")
    parser.add_argument("folder", nargs="?", type=Path, help="the folder of the labeled public templates")
    parser.add_argument("--only", default="", metavar="NAME", help="only files with this in their label's name")
    parser.add_argument("--write", action="store_true", help="write the tables of docs/maintainers/accuracy.md")
    asked = parser.parse_args()
    parts = {"own samples": (OWN, OWN / "labels.yaml"), "fresh own files": (OWN_FRESH, OWN_FRESH / "labels.yaml")}
    if asked.folder is not None:
        parts |= {"public templates": (asked.folder, PUBLIC), "fresh files": (asked.folder, FRESH)}
    for name, (folder, where) in parts.items():
        said = labels(where)
        files = list(measured(folder, said, asked.only))
        print(f"{name}: {len(files)} of {len(said)} labeled files found")
        print(tables(files))
        if asked.write and files:
            PAGE.write_text(inserted(PAGE.read_text(encoding="utf-8"), name, tables(files)), encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
