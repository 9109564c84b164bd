"""Files that are generated: the schema for editors, the references under docs/, the README's picture."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from threatmodel.graph.building import build
from threatmodel.library.load import load_library
from threatmodel.library.standards import load_coverage, load_standards
from threatmodel.model.file import model_schema
from threatmodel.model.load import load_model
from threatmodel.model.vocabulary import FACTS, KINDS, FactRow
from threatmodel.reading.files import Files
from threatmodel.reading.whole import make_folder, place
from threatmodel.render.fitted import Wanted, fitted
from threatmodel.render.pages.library import Book
from threatmodel.render.pages.library_reference import reference
from threatmodel.render.pages.model import model_page

_LIBRARY = "docs/library"

_SCHEMAS = Path(__file__).resolve().parent.parent
"""The folder with the schemas of the JSON that commands print: assessment, paths, reach."""


def schema_text(which: str) -> str:
    """Return the JSON Schema of an output."""
    return (_SCHEMAS / f"{which}.schema.json").read_text(encoding="utf-8")


def generated(home: Path, files: Files, *, only_check: bool) -> int:
    """Writes every generated file, or says which are not current; returns the exit code.

    Raises InputError where the library or the default model cannot be used.
    """
    stale = []
    wanted = _files(home, files)
    for path in sorted((home / _LIBRARY).glob("*.md")):
        if (name := f"{_LIBRARY}/{path.name}") not in wanted:
            stale.append(name)
            if not only_check:
                path.unlink()
    for name, content in wanted.items():
        path = home / name
        if not path.is_file() or path.read_text(encoding="utf-8") != content:
            stale.append(name)
            if not only_check:
                make_folder(path.parent)
                place(content, path)
    for name in stale:
        sys.stdout.write(f"{name}: {'is not current; run python3 dev.py docs' if only_check else 'written'}\n")
    if not stale:
        sys.stdout.write("generated files are current\n")
    return 1 if stale and only_check else 0


def _files(home: Path, files: Files) -> dict[str, str]:
    folder = home / "threatlib"
    book = Book(load_library(folder, files), load_standards(folder, files), pages=True)
    pages = reference(book, load_coverage(folder, files))
    return {
        **{f"{_LIBRARY}/{name}": text for name, text in pages.items()},
        "models/model.schema.json": model_schema_text(),
        "docs/facts.md": facts_reference(),
        "docs/model.md": model_page((home / "docs" / "example.yaml").read_text(encoding="utf-8")),
        "docs/images/dfd.svg": _picture(home / "models" / "slack-lambda.yaml"),
    }


def _picture(model: Path) -> str:
    """The README's picture: the default model's runtime plane."""
    return fitted(build(load_model(Files(), model)), "a4", Wanted()).picture.decode()


def model_schema_text() -> str:
    """The JSON Schema of model files as text."""
    return json.dumps(model_schema(), indent=1, ensure_ascii=False) + "\n"


def facts_reference() -> str:
    """Every fact of every kind, as Markdown."""
    lines = [
        "# Facts",
        "",
        "Generated from `threatmodel/model/vocabulary/` by `python3 dev.py docs`. A fact is a key of the model file,",
        "a name in a condition (`target.runtime`), and what collectors look for. Leave out what is unknown: it",
        "becomes a question. Where the meaning allows it, write `null` for what is known not to be set.",
    ]
    for kind in KINDS:
        rows = FACTS[kind].values()
        lines += [
            "",
            f"## {kind}",
            "",
            "| fact | type | AWS's default | meaning | seen by |",
            "| --- | --- | --- | --- | --- |",
        ]
        lines += [_row(row) for row in rows if not row.derived]
        derived = [row for row in rows if row.derived]
        if derived:
            lines += ["", "Derived, not stated:", "", "| fact | type | meaning |", "| --- | --- | --- |"]
            lines += [f"| `{row.name}` | {row.type} | {row.meaning} |" for row in derived]
    return "\n".join(lines) + "\n"


def _row(row: FactRow) -> str:
    denied = (f"denied by {one}" for one in row.denied_by)
    seen = ", ".join((*row.seen_by, *denied)) or "attestation needed"
    return f"| `{row.name}` | {row.type} | {row.default} | {row.meaning} | {seen} |"
