"""The page about model files: its example is a model, and it names every key."""

from __future__ import annotations

import pytest
from markdown_it import MarkdownIt

from tests.support import HOME, TODAY
from threatmodel.assessment.assess import assess
from threatmodel.graph.building import build
from threatmodel.library.load import load_library
from threatmodel.model.file import ELEMENTS, FACT_KEYS, MODEL, TRIGGER
from threatmodel.model.load import load_model
from threatmodel.model.reference_architecture import RESERVED, ZONES
from threatmodel.model.system import System
from threatmodel.model.vocabulary import RELATIONS
from threatmodel.reading.files import Files
from threatmodel.reading.shape import NamedItems, Record
from threatmodel.reading.source import parse

USES = {row.name for row in RELATIONS["function"].values() if row.verb}
EXAMPLE = HOME / "docs" / "example.yaml"
PAGE = (HOME / "docs" / "model.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def system() -> System:
    return load_model(Files(), EXAMPLE)


def test_the_example_is_assessed_without_a_complaint(system: System) -> None:
    files = Files()
    found = assess(build(system, today=TODAY), load_library(HOME / "threatlib", files), TODAY)
    assert len(found.findings) > 20
    assert EXAMPLE.read_text(encoding="utf-8").strip() in PAGE


def test_the_example_shows_every_section_but_the_planes() -> None:
    stated = parse(EXAMPLE.read_text(encoding="utf-8"), "example").root
    assert set(MODEL.index) - set(stated) == {"account", "pipeline", "workspace", "organization", "evidence"}
    assert "\n# evidence:" in EXAMPLE.read_text(encoding="utf-8"), "named, but there is no template to it"
    triggers = [trigger for function in stated["functions"].values() for trigger in function.get("triggers", ())]
    assert {key for trigger in triggers for key in trigger} == set(TRIGGER.index)


def test_the_example_does_what_its_comments_say(system: System) -> None:
    uses = {name: set(node.relations) & USES for name, node in system.nodes.items()}
    for name in ("command", "messenger"):
        assert uses[name] == USES
    assert uses["status"] == USES - {"calls"}
    assert uses["sweeper"] == {"calls"}
    assert system.nodes["sweeper"].triggers is None


def test_every_key_is_explained() -> None:
    records = [MODEL, TRIGGER, *ELEMENTS.values()]
    shapes = [key.shape.of if isinstance(key.shape, NamedItems) else key.shape for key in MODEL.keys]
    records += [shape for shape in shapes if isinstance(shape, Record)]
    facts = {key.name for kind, keys in FACT_KEYS.items() if kind != "flow" for key in keys}
    rows = [row.split(" | ") for row in PAGE.splitlines() if row.startswith("| `")]
    for name in {key.name for found in records for key in found.keys} - facts:
        assert [row for row in rows if row[0] == f"| `{name}`" and row[-1].strip(" |")], name
    for name in {*RESERVED, *(zone.id for zone in ZONES)}:
        assert f"`{name}`" in PAGE


def test_the_page_is_markdown_whose_tables_are_whole() -> None:
    tokens = MarkdownIt("commonmark").enable("table").parse(PAGE)
    assert sum(token.type == "table_open" for token in tokens) > 15
    assert not [token for token in tokens if token.type == "inline" and token.content.startswith("|")]
    assert "\n\n\n" not in PAGE
