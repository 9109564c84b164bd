"""The example's template, changed in one place at a time: every control moves that should, and no other."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import pytest
from cfnlint.decode.decode import decode_str

from scripts.readings import (
    MOST_COLLATERAL,
    NOT_SHOWN,
    PAGE,
    TEMPLATE,
    Mutant,
    Outcome,
    mutants,
    page,
    run,
    score,
)
from tests.support import HOME
from threatmodel.assessment.control_state import STATES
from threatmodel.library.entries import Library
from threatmodel.library.load import load_library
from threatmodel.model.vocabulary import FACTS, INPUTS

MUTANTS = mutants()


def provable(library: Library) -> Iterator[str]:
    """The controls that rest on a fact which templates tell."""
    for control in library.controls.values():
        facts = control.in_place.facts if control.in_place is not None else frozenset()
        if any(_told(control.scope, name) for name in facts):
            yield control.id


def _told(kind: str, name: str) -> bool:
    """Whether templates tell a fact, or one that it follows from."""
    inputs = [one for one in INPUTS.get((kind, name), ()) if one.name in FACTS.get(one.kind, {})]
    return "template" in FACTS[kind][name].seen_by or any(_told(one.kind, one.name) for one in inputs)


@pytest.fixture(scope="module")
def ran() -> tuple[Mapping[str, str], tuple[Outcome, ...]]:
    return run()


@pytest.fixture(scope="module")
def outcomes(ran: tuple[Mapping[str, str], tuple[Outcome, ...]]) -> Mapping[str, Outcome]:
    return {one.mutant.id: one for one in ran[1]}


@pytest.mark.parametrize("mutant", [one.id for one in MUTANTS])
def test_mutant_moves_what_it_should_and_hardly_anything_else(mutant: str, outcomes: Mapping[str, Outcome]) -> None:
    outcome = outcomes[mutant]
    found = {name: states[1] for name, states in outcome.moved.items() if name in outcome.mutant.moves}
    assert found == outcome.mutant.moves
    assert outcome.caught
    assert len(outcome.collateral) <= MOST_COLLATERAL, outcome.collateral


def test_score(outcomes: Mapping[str, Outcome]) -> None:
    found = score(list(outcomes.values()))
    assert found.good, str(found)


def test_mutants_are_told_apart() -> None:
    assert len({one.id for one in MUTANTS}) == len(MUTANTS)
    assert len({one.says for one in MUTANTS}) == len(MUTANTS)
    template = TEMPLATE.read_text(encoding="utf-8")
    assert len({one.of(template) for one in MUTANTS} | {template}) == len(MUTANTS) + 1


def test_states_are_states_and_few_mutants_are_to_change_nothing() -> None:
    assert {state for one in MUTANTS for state in one.moves.values()} <= set(STATES)
    assert sum(not one.moves for one in MUTANTS) < len(MUTANTS) / 8


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda one: one.id)
def test_mutant_is_still_a_template(mutant: Mutant) -> None:
    template, errors = decode_str(mutant.of(TEMPLATE.read_text(encoding="utf-8")))
    assert not errors
    assert all(isinstance(one["Type"], str) for one in template["Resources"].values())


def test_whatever_the_template_proves_is_moved_by_a_mutant(ran: tuple[Mapping[str, str], tuple[Outcome, ...]]) -> None:
    moved = {name for one in MUTANTS for name in one.moves}
    assert [name for name, state in ran[0].items() if state == "proven" and name not in moved] == []


def test_whatever_templates_tell_is_moved_or_has_a_reason() -> None:
    moved = {name.partition("@")[0] for one in MUTANTS for name in one.moves}
    seen = set(provable(load_library(HOME / "threatlib")))
    assert seen - moved == set(NOT_SHOWN)
    assert not moved & set(NOT_SHOWN)


def test_page_is_current(outcomes: Mapping[str, Outcome]) -> None:
    assert PAGE.read_text(encoding="utf-8") == page(list(outcomes.values()))
