"""Every fact that a file can show has its place, and every place is of use."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Any

import threatmodel.evidence.beside
from tests.evidence.mappings.every_place import MAPPINGS, every_place
from tests.support import HOME
from threatmodel.evidence.analyses.registry import analyses
from threatmodel.evidence.beside.results import table
from threatmodel.evidence.mappings import format as reading
from threatmodel.model.vocabulary import KINDS, PLANES, ROWS


def seen_by(word: str) -> set[str]:
    return {f"{row.kind}.{row.name}" for row in ROWS if word in row.seen_by}


def names(table: Any) -> set[str]:
    return {f"{kind}.{name}" for kind, facts in table.items() for name in facts}


WIRED = (
    *("role_reaches_unused", "handles_installation", "open_for_installation", "routes_authenticated"),
    "code_decides_callers",
)
"""Facts of a function without a place: they follow from what starts it and what it uses (evidence/lists.py)."""


def test_template_facts_stand_in_the_file_or_follow_from_the_lists() -> None:
    shown = seen_by("template") | {f"{row.kind}.{row.name}" for row in ROWS if "template" in row.denied_by}
    noted = {"pipeline.secret_in_files"}  # it follows from what is said of secrets in any file
    assert names(MAPPINGS.facts) | {f"function.{name}" for name in WIRED} | noted == shown
    assert not {*WIRED} & MAPPINGS.facts["function"].keys()


def test_what_is_only_denied_is_never_shown_to_be_so() -> None:
    assert not [row for row in ROWS if set(row.denied_by) & set(row.seen_by)]


def test_what_a_repository_or_its_host_shows_is_named_by_a_reader() -> None:
    modules = Path(threatmodel.evidence.beside.__path__[0]).glob("*.py")
    trees = [ast.walk(ast.parse(one.read_text(encoding="utf-8"))) for one in modules]
    named = {node.value for tree in trees for node in tree if isinstance(node, ast.Constant)}
    named |= {row.fact for rows in table().values() for row in rows}
    shown = [row for row in ROWS if {"repository", "host"} & {*row.seen_by, *row.denied_by}]
    assert [row.name for row in shown if row.name not in named] == []


def test_every_kind_of_element_can_be_found() -> None:
    template = set(KINDS) - set(PLANES)
    assert set(MAPPINGS.elements) == template


def test_every_type_of_element_has_a_place() -> None:
    """What is an element but has no fact would be found and said nothing of."""
    for kind, types in MAPPINGS.elements.items():
        used = {one for place in every_place(MAPPINGS) if place[0] == kind for one in place[2].source.types}
        assert set(types) <= used, kind


def test_whatever_is_gathered_is_looked_at() -> None:
    used: dict[tuple[str, str], set[str]] = {}
    for kind, _, place in every_place(MAPPINGS):
        if place.analysis:
            used.setdefault((kind, place.gather), set()).update(analyses()[place.analysis].takes)
    for kind, sets in MAPPINGS.gathered.items():
        for gather, sources in sets.items():
            assert {source.part for source in sources} <= used[kind, gather], f"{kind}.{gather}"


def test_every_analysis_is_asked_for() -> None:
    assert {place.analysis for _, _, place in every_place(MAPPINGS)} - {""} == set(analyses())


def test_every_part_of_an_analysis_is_gathered_somewhere() -> None:
    given: dict[str, set[str]] = {name: set() for name in analyses()}
    for kind, _, place in every_place(MAPPINGS):
        if place.analysis:
            given[place.analysis] |= {source.part for source in MAPPINGS.gathered[kind][place.gather]}
    assert {
        name: set(one.takes) - given[name] for name, one in analyses().items() if set(one.takes) - given[name]
    } == {}


def test_page_explains_every_word() -> None:
    page = (HOME / "docs" / "evidence.md").read_text(encoding="utf-8")
    for word in (*reading.PREDICATES, *reading.VALUES, *reading.OVER, "left_out", "gather"):
        assert f"`{word}" in page, word
