"""What a file is said to prove holds in every way to deploy it: each is read by itself, and is the oracle."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.collecting import collected
from tests.evidence.random_templates import RandomTemplate
from tests.evidence.random_wiring import RandomWiring
from threatmodel.authoring.importing.plan import imported
from threatmodel.evidence.claims import Claim, Said, member_of
from threatmodel.evidence.environments import environments
from threatmodel.evidence.file_statements import FileStatements
from threatmodel.evidence.matching import held_file
from threatmodel.evidence.sources import read_sources
from threatmodel.evidence.worlds import World
from threatmodel.graph.resolved import Evidence
from threatmodel.library.directions import Directions
from threatmodel.model.facts import EVIDENCE
from threatmodel.model.load import load_model
from threatmodel.model.system import System
from threatmodel.model.vocabulary import FACTS, LISTS, PLANES
from threatmodel.reading.files import Files
from threatmodel.stacks.assumed import DEFAULTS

FILE, VALUES, MODEL = Path("template.json"), Path("values.json"), Path("model.yaml")
CHILD = Path("child.json")
USUAL = range(16)


Texts = Mapping[Path | str, str]


def read(texts: Texts, model: str, ways: Directions, values: str = "{}") -> tuple[System, Evidence]:
    """What a template proves of a model's elements, deployed with some values."""
    files = Files(texts={**texts, MODEL: model, VALUES: values})
    system = load_model(files, MODEL)
    return system, collected(system, files, ways)[0]


def claims(system: System, evidence: Evidence, ways: Directions) -> Iterator[Claim]:
    """The claims of some evidence that reassure."""
    nodes = {name: one.kind for name, one in system.nodes.items()}
    planes: dict[str, str] = {one: one for one in PLANES}
    kinds = {**dict.fromkeys(system.externals, "external system"), **planes, **nodes}
    for element, by in evidence.items():
        for name, statements in by.items():
            for statement in statements:
                claim = Claim(element, kinds[element], name, statement, ways)
                if statement.size >= EVIDENCE and claim.reassures:
                    yield claim


def untrue(
    seed: int, ways: Directions, *, nested: bool = False, made: type[RandomTemplate] = RandomTemplate
) -> list[str]:
    """What a random template is said to prove, alone or nested by another, and does not in some deployment."""
    template = made(seed)
    texts: Texts = {FILE: template.nesting(str(CHILD)), CHILD: template.text} if nested else {FILE: template.text}
    model = imported(FILE, "template", MODEL, Files(texts=texts)).text
    system, evidence = read(texts, model, ways)
    given = model.replace("template: template.json", "template: template.json, parameters: values.json", 1)
    assert given != model
    worlds = [read(texts, given, ways, values)[1] for values in template.deployments()]
    return [
        f"{seed}: {claim.element}.{claim.name} = {claim.statement.value!r} {claim.statement.open[:40]}"
        for claim in claims(system, evidence, ways)
        if not all(map(claim.holds, worlds))
    ]


def opened_file(template: RandomTemplate) -> FileStatements:
    """A template held against the model that is made of it."""
    model = imported(FILE, "template", MODEL, Files(texts={FILE: template.text})).text
    files = Files(texts={FILE: template.text, MODEL: model})
    system = load_model(files, MODEL)
    (environment,) = environments(system)
    (opened,) = read_sources(system, files).stacks.values()
    return FileStatements(held_file(system, environment, opened.stack), opened)


def _values(said: Said) -> Mapping[tuple[str, str], list[Any]]:
    """What is said, wherever it stands: two values that are the same may stand in two places."""
    return {
        (element, name): [
            (set(map(member_of, one.value)) if name in LISTS else one.value, bool(one.open or one.doubt))
            for one in found
        ]
        for element, by in said.items()
        for name, found in by.items()
    }


def differing(seed: int, made: type[RandomTemplate] = RandomTemplate) -> list[str]:
    """What is answered otherwise where choices are decided that were not read for the answer."""
    template, drawn = made(seed), random.Random(seed)
    file = opened_file(template)
    found: list[str] = []
    for _ in range(3):
        given = {name: drawn.choice(values) for name, values in template.values.items() if drawn.random() < 0.3}
        start = replace(DEFAULTS, open=True, values=given)
        world = file.world(start)
        others: dict[str, World] = {}
        values = {name: drawn.choice(values) for name, values in template.values.items()}
        for key in file.questions():
            said, read = world.ask(key)
            completed = {name: value for name, value in values.items() if name not in read} | given
            other = others.get(str(completed)) or file.world(replace(start, values=completed))
            others[str(completed)] = other
            if (now := _values(other.ask(key)[0])) != _values(said):
                found.append(f"{seed}: {key} of {given} and {completed}: {_values(said)} is {now}")
    return found


def changed(seed: int, ways: Directions) -> list[str]:
    """What is known while some parameters are open, and otherwise known or unknown once they have a value."""
    template, drawn = RandomTemplate(seed), random.Random(seed)
    file = opened_file(template)
    found: list[str] = []
    for _ in range(2):
        given = {name: drawn.choice(values) for name, values in template.values.items() if drawn.random() < 0.3}
        start = replace(DEFAULTS, open=True, values=given)
        values = {name: drawn.choice(values) for name, values in template.values.items()} | given
        before, after = file.world(start), file.world(replace(start, values=values))
        left_out = {one for one, name in file.matched.resources.items() if name not in after.stack.resources}
        for key in file.questions():
            known, now = _values(before.ask(key)[0]), _values(after.ask(key)[0])
            found += [
                f"{seed}: {at} of {given} and {values}: {known[at]} is {now.get(at)}"
                for at in known
                if known[at] != now.get(at)
                and at[0] not in left_out
                and not _may_change(at[1], known[at], left_out, ways)
            ]
    return found


def _may_change(name: str, known: list[Any], left_out: set[str], ways: Directions) -> bool:
    """Whether an answer may become another: an alarm, what a doubt leaves standing, and members of an open list.

    So may a list with what the deployment leaves out, to which nothing in it may then refer.
    A list of triggers is left out as well: a policy that cannot be read may let another function call this one, and
    that is not held against it as long as it cannot be read.
    """
    if name in LISTS:
        return name == "triggers" or any(is_open or members & left_out for members, is_open in known)
    kinds = [kind for kind, rows in FACTS.items() if name in rows]
    return any(in_doubt or ways.alarms(kind, name, value) for kind in kinds for value, in_doubt in known)


@pytest.mark.parametrize("seed", USUAL)
def test_deciding_an_unknown_changes_no_known_answer(
    seed: int, ways: Directions, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It may make unknown known, never a known answer another; lists that are open may get other members."""
    monkeypatch.chdir(tmp_path)
    assert not changed(seed, ways)


@pytest.mark.parametrize("seed", USUAL)
def test_what_was_not_read_changes_no_answer(seed: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert not differing(seed)


@pytest.mark.parametrize("seed", USUAL)
def test_evidence_holds_in_every_deployment(
    seed: int, ways: Directions, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert not untrue(seed, ways)


@pytest.mark.parametrize("seed", USUAL)
def test_evidence_of_nested_stacks_holds(
    seed: int, ways: Directions, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert not untrue(seed, ways, nested=True)


@pytest.mark.parametrize("seed", USUAL)
def test_the_lists_of_functions_hold_whatever_is_left_out(
    seed: int, ways: Directions, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is not connected with a function may be there or not: its lists are the same."""
    monkeypatch.chdir(tmp_path)
    assert not [*differing(seed, RandomWiring), *untrue(seed, ways, made=RandomWiring)]


@pytest.mark.long
@pytest.mark.parametrize("seed", range(len(USUAL), 200))
def test_evidence_of_many_templates_holds(
    seed: int, ways: Directions, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert not [*untrue(seed, ways), *untrue(seed, ways, nested=True), *changed(seed, ways), *differing(seed)]
