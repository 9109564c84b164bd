"""The table of facts: complete, readable by pytm, and nothing in it that nothing reads."""

from __future__ import annotations

import re
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
import pytm

from tests.support import HOME
from threatmodel.graph.derived import DERIVE
from threatmodel.graph.reach import REACHES
from threatmodel.library.directions import directions
from threatmodel.library.entries import Library
from threatmodel.library.load import load_library
from threatmodel.model.file import ELEMENTS, FACT_KEYS, MODEL
from threatmodel.model.vocabulary import (
    FACTS,
    FORMER_FACTS,
    FORMER_KINDS,
    INPUTS,
    KINDS,
    ONLY_IF,
    PLANES,
    RELATIONS,
    ROWS,
    FactRow,
    RelationRow,
)
from threatmodel.model.vocabulary.format import FOLDER, read_rows
from threatmodel.reading.problems import InputError
from threatmodel.reading.shape import Flag, Number, Word

Name = tuple[str, str]


def name_of(row: FactRow) -> str:
    return f"{row.kind}.{row.name}"


@pytest.mark.parametrize("row", ROWS, ids=name_of)
def test_fact_says_what_it_means_and_how_to_ask(row: FactRow) -> None:
    assert re.fullmatch(r"[a-z]+(_[a-z]+)*", row.name)
    assert row.kind in KINDS
    assert isinstance(row.shape, Flag | Number | Word)
    assert row.meaning
    assert not row.meaning.endswith(".")
    assert row.ask.endswith("?") or (row.derived and not row.ask)
    assert set(row.seen_by) <= {"template", "aws", "probe", "repository", "host", "source"}


LONGEST_QUESTION = 20  # words
YES_NO = ("Are", "Can", "Did", "Do", "Does", "Has", "Have", "Is", "May", "Must")


@pytest.mark.parametrize("row", [row for row in ROWS if row.ask], ids=name_of)
def test_question_is_one_sentence_that_the_values_answer(row: FactRow) -> None:
    """Whether `y` means `true` cannot be tested, but a question about anyone *but* those allowed reverses it."""
    assert row.ask.count("?") == 1
    assert len(row.ask.split()) <= LONGEST_QUESTION
    assert not re.search(r"\bbut\b", row.ask)
    first = row.ask.split()[0]
    match row.shape:
        case Flag():
            assert first in YES_NO
        case Number():
            assert row.ask.startswith(("How many ", "After how many ")) or row.name.endswith("_port")


@pytest.mark.parametrize("row", [row for rows in RELATIONS.values() for row in rows.values()], ids=lambda row: row.name)
def test_question_about_a_list_is_one_sentence(row: RelationRow) -> None:
    for ask in (row.ask, row.ask_rest):
        assert ask.endswith("?")
        assert len(ask.split()) <= LONGEST_QUESTION


@pytest.mark.parametrize("row", [row for row in ROWS if isinstance(row.shape, Word)], ids=name_of)
def test_words_are_distinct_and_plain(row: FactRow) -> None:
    assert isinstance(row.shape, Word)
    assert len(set(row.shape.words)) == len(row.shape.words)
    assert all(re.fullmatch(r"[a-z0-9.-]+", word) for word in row.shape.words)
    assert not set(row.shape.words) & {"true", "false", "null", "~"}


def test_each_fact_once() -> None:
    assert len({(row.kind, row.name) for row in ROWS}) == len(ROWS)
    assert sum(map(len, FACTS.values())) == len(ROWS)


def test_one_name_has_one_type() -> None:
    """A threat to two kinds reads the same fact of both."""
    types: dict[str, set[str]] = {}
    for row in ROWS:
        types.setdefault(row.name, set()).add(type(row.shape).__name__)
    assert {name: found for name, found in types.items() if len(found) > 1} == {}


def test_no_fact_is_a_key_of_its_element() -> None:
    for kind, record in ELEMENTS.items():
        names = [key.name for key in record.keys]
        assert len(names) == len(set(names)), kind
        assert {key.name for key in FACT_KEYS[kind]} <= set(names)
        assert not {row.name for row in ROWS if row.kind == kind and row.derived} & set(names)


def test_every_kind_is_described_somewhere_in_a_model() -> None:
    described = {key.name for key in MODEL.keys}
    assert set(PLANES) <= described
    assert {"functions", "apis", "stores", "queues", "secrets", "flows"} <= described


def test_no_fact_is_a_field_of_a_pytm_class() -> None:
    """Facts become attributes of pytm's elements: one of the same name would overwrite what pytm means by it."""
    fields: set[str] = set()
    for thing in vars(pytm).values():
        if isinstance(thing, type):
            fields |= {*dir(thing), *getattr(thing, "model_fields", {})}
    assert fields
    assert sorted({row.name for row in ROWS} & fields) == []


# --- the files


def broken(folder: Path, kind: str, old: str, new: str) -> list[str]:
    """What is said of the vocabulary with one text replaced in one of its files."""
    shutil.copytree(FOLDER, folder, ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    file = folder / f"{kind}.yaml"
    text = file.read_text("utf-8")
    assert old in text
    file.write_text(text.replace(old, new, 1), "utf-8")
    with pytest.raises(InputError) as raised:
        read_rows(folder)
    return [f"{problem.place.line}: {problem.code}" for problem in raised.value.problems]


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("type: flag", "type: boolean", "unknown-word"),
        ("type: flag", "type: {one_of: [a], from: 1}", "wrong-type"),
        ("type: flag", "type: {from: 1}", "wrong-type"),
        ("seen_by: [template", "seen_by: [tempalte", "unknown-word"),
        ("follows_from: [function.", "follows_from: [functions.", "wrong-type"),
        ("        ask: ", "        asks: ", "unknown-key"),
    ],
)
def test_broken_file_is_refused_with_its_line(old: str, new: str, expected: str, tmp_path: Path) -> None:
    found = broken(tmp_path / "vocabulary", "function", old, new)
    line = (FOLDER / "function.yaml").read_text("utf-8").partition(old)[0].count("\n") + 1
    assert f"{line}: {expected}" in found


# --- derived facts


def test_derived_facts_and_their_inputs_agree() -> None:
    assert set(INPUTS) == {(row.kind, row.name) for row in ROWS if row.derived}
    for (kind, name), inputs in INPUTS.items():
        for given in inputs:
            known = given.name in RELATIONS[given.kind] or (
                given.name in FACTS[given.kind] and not FACTS[given.kind][given.name].derived
            )
            assert known, f"{kind}.{name} follows from {given}"


def test_each_derived_fact_has_its_function() -> None:
    """Those of flows are computed with the flow."""
    computed = {(kind, name) for kind, by_name in DERIVE.items() for name in by_name}
    assert computed == {(row.kind, row.name) for row in ROWS if row.derived and row.kind != "flow"}


# --- what reads them

READ_BY_CODE: dict[Name, str] = {
    ("function", "in_vpc"): "pictures put the function into the VPC's boundary",
    ("function", "runtime"): "pictures and reports show it under the function's name",
    ("function", "code_signing"): "AWS Signer is drawn where packages are signed",
    ("function", "called_by_unverified"): "a call that hands on what outsiders say carries their request",
    ("api", "kind"): "shown under the api's name",
    ("api", "waf_rate_rule"): "the WAF is drawn where there is one",
    ("store", "kind"): "shown under the store's name",
    ("store", "data_classification"): "shown under the store's name",
    ("store", "personal_data"): "the pytm model says whether a store holds personal data",
    ("queue", "kind"): "shown under the queue's name",
    ("queue", "data_classification"): "shown under the queue's name",
    ("secret", "kept_in"): "shown under the secret's name",
    ("secret", "grants"): "decides which data flows from the secret",
    ("flow", "transport"): "labels the flow in pictures, and is the protocol of the pytm model",
    ("flow", "tcp_port"): "labels the flow in pictures, and is the port of the pytm model",
    ("flow", "encrypted"): "labels the flow in pictures, and is the encryption of the pytm model",
}
"""Facts that pictures, reports or the pytm model read, each with what for."""


def test_every_fact_is_read() -> None:
    """By a condition of the library, by code that shows it, or by a derived fact that is read."""
    library = load_library(HOME / "threatlib")
    read: set[Name] = set(READ_BY_CODE)
    for threat in library.threats.values():
        told = ((kind, condition) for kind in threat.targets for condition in threat.conditions(kind))
        read |= {(kind, name) for kind, condition in told for name in condition.facts}
    for control in library.controls.values():
        conditions = [need.condition for need in control.needs] + ([control.in_place] if control.in_place else [])
        read |= {(control.scope, name) for condition in conditions for name in condition.facts}
    read |= {(row.kind, row.only_if) for row in ROWS if row.only_if}
    read |= {(given.kind, given.name) for derived in sorted(read & INPUTS.keys()) for given in INPUTS[derived]}
    assert [name_of(row) for row in ROWS if (row.kind, row.name) not in read] == []


def reached(library: Library) -> set[Name]:
    """The facts that a finding can follow from: those of exposures and moves, and of controls that count for a threat.

    A control counts where the threat's targets reach its scope, and with it those that it requires; what a derived fact
    follows from counts too.
    """
    found: set[Name] = set()
    for threat in library.threats.values():
        told = ((kind, condition) for kind in threat.targets for condition in threat.conditions(kind))
        found |= {(kind, name) for kind, condition in told for name in condition.facts}
        scopes = {scope for target in threat.targets for scope in REACHES[target]}
        linked = [library.controls[link.control] for link in threat.links]
        for control in (*linked, *(library.controls[one] for link in linked for one in link.requires)):
            conditions = [need.condition for need in control.needs] + ([control.in_place] if control.in_place else [])
            if control.scope in scopes:
                found |= {(control.scope, name) for condition in conditions for name in condition.facts}
    return found | {(given.kind, given.name) for derived in sorted(found & INPUTS.keys()) for given in INPUTS[derived]}


def values(row: FactRow) -> tuple[object, ...]:
    """The values that a fact may have, of numbers the ends."""
    shape = row.shape
    found: tuple[object, ...] = (True, False)
    if not isinstance(shape, Flag):
        found = shape.words if isinstance(shape, Word) else (shape.low, shape.high)
    return (*found, None) if row.nullable else found


def unreached(library: Library) -> list[str]:
    """The values that alarm, and of which no threat could follow."""
    ways, facts = directions(library), reached(library)
    return [
        f"{name_of(row)}: {value}"
        for row in ROWS
        for value in values(row)
        if ways.alarms(row.kind, row.name, value) and (row.kind, row.name) not in facts
    ]


def test_every_alarming_value_reaches_a_threat() -> None:
    """What a template or a person says that is bad is never lost between a control and the threats."""
    library = load_library(HOME / "threatlib")
    assert unreached(library) == []
    alone = {name: replace(one, links=()) for name, one in library.threats.items()}
    lost = unreached(replace(library, threats=alone))
    assert "function.code_signing: none" in lost
    assert "account.guardduty: False" in lost


def test_code_reads_only_facts_that_exist() -> None:
    assert READ_BY_CODE.keys() <= {(row.kind, row.name) for row in ROWS}


def test_a_former_name_belongs_to_one_fact_and_is_no_name_now() -> None:
    for kind, former in FORMER_FACTS.items():
        claimed = [old for row in ROWS if row.kind == kind for old in row.formerly]
        claimed += [old for row in RELATIONS[kind].values() for old in row.formerly]
        assert len(claimed) == len(set(claimed))
        assert not former.keys() & {*FACTS[kind], *RELATIONS[kind]}
    for row in ROWS:
        if isinstance(row.shape, Word):
            assert not {old for old, _ in row.shape.formerly} & set(row.shape.words)
            assert {new for _, new in row.shape.formerly} <= set(row.shape.words)
    assert not {old for old, _ in FORMER_KINDS} & set(KINDS)
    assert {new for _, new in FORMER_KINDS} <= set(KINDS)


@pytest.mark.parametrize(
    ("kind", "name", "premise"), [(k, n, p) for k, by_name in ONLY_IF.items() for n, p in by_name.items()]
)
def test_what_has_to_be_true_for_a_fact_is_a_flag_that_comes_before_it(kind: str, name: str, premise: str) -> None:
    """Then no two wait for each other, and a chain is followed in one pass; a derived fact needs no other."""
    rows = list(FACTS[kind])
    assert FACTS[kind][premise].type == FACTS[kind][name].type == "yes/no"
    assert FACTS[kind][premise].derived or rows.index(premise) < rows.index(name)
