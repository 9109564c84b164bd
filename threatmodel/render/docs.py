"""Files that are generated: the schema for editors, references of model files and facts, the README's picture."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from threatmodel.files import Files
from threatmodel.graph import build
from threatmodel.model.file import model_schema
from threatmodel.model.load import load_model
from threatmodel.model.vocabulary import FACTS, KINDS, FactRow
from threatmodel.output import write
from threatmodel.render.dfd import dfd
from threatmodel.render.draw import draw
from threatmodel.render.model_page import model_page

ASSESSMENT_SCHEMA = Path(__file__).with_name("assessment.schema.json")


def generated(home: Path, *, only_check: bool) -> int:
    """Writes every generated file, or says which are not current; returns the exit code."""
    stale = []
    for name, content in _files(home).items():
        path = home / name
        if not path.is_file() or path.read_text(encoding="utf-8") != content:
            stale.append(name)
            if not only_check:
                write(content, path)
    for name in stale:
        sys.stdout.write(f"{name}: {'is not current; run python3 dev.py docs' if only_check else 'written'}\n")
    if not stale:
        sys.stdout.write("generated files are current\n")
    return 1 if stale and only_check else 0


def _files(home: Path) -> dict[str, str]:
    return {
        "models/model.schema.json": model_schema_text(),
        "docs/facts.md": facts_reference(),
        "docs/model.md": model_page((home / "docs" / "example.yaml").read_text(encoding="utf-8")),
        "docs/images/dfd.svg": _picture(home / "models" / "slack-lambda.yaml"),
    }


def _picture(model: Path) -> str:
    """The README's picture: the default model's runtime plane."""
    return draw(dfd(build(load_model(Files(), model))), "svg").decode()


def model_schema_text() -> str:
    """The JSON Schema of model files as text."""
    return json.dumps(model_schema(), indent=1, ensure_ascii=False) + "\n"


def facts_reference() -> str:
    """Every fact of every kind, as Markdown."""
    lines = [
        "# Facts",
        "",
        "Generated from `threatmodel/model/vocabulary.py` by `python3 dev.py docs`. A fact is a key of the model file,",
        "a name in a condition (`target.runtime`), and what collectors look for. Leave out what you do not know: it",
        "becomes a question. Where the meaning says so, write `null` for what you know is not set.",
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
    seen = ", ".join(row.seen_by) or "only a person knows"
    return f"| `{row.name}` | {row.type} | {row.default} | {row.meaning} | {seen} |"
