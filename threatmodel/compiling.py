"""Writes the tables of the toolkit's own YAML: python -m threatmodel.compiling [FOLDER], when it is built or set up."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from threatmodel.evidence import resource_types
from threatmodel.evidence.mappings import load as mappings
from threatmodel.library import built
from threatmodel.library.files import read_library
from threatmodel.model import vocabulary
from threatmodel.probe import case_files, cases
from threatmodel.reading.compiled import FOLDER
from threatmodel.reading.files import Files
from threatmodel.reading.home import LIBRARY
from threatmodel.render import generated, templates


def tables() -> Iterator[tuple[str, str]]:
    """Yield each table's name, and the file that holds it."""
    yield vocabulary.TABLE.name, vocabulary.TABLE.text(vocabulary.read())
    yield resource_types.TABLE.name, resource_types.TABLE.text(resource_types.read())
    yield cases.TABLE.name, cases.TABLE.text(case_files.read_cases())
    yield mappings.TABLE.name, mappings.TABLE.text(mappings.read_mappings())
    yield built.TABLE, built.table(read_library(LIBRARY, Files()))
    yield generated.TABLE, generated.table(templates.generate)


def main(arguments: Sequence[str]) -> int:
    """Write the tables to the folder where they are looked for, or to the one that is named."""
    folder = Path(arguments[0]) if arguments else FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in tables():
        draft = folder / f"{name}.{os.getpid()}"
        draft.write_text(text, encoding="utf-8")
        draft.replace(folder / f"{name}.json")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
