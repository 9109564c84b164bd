"""The generated mutants: what they are, and a sample of them judged; scripts/mutants.py judges all."""

from __future__ import annotations

from collections.abc import Mapping
from fnmatch import fnmatchcase

import pytest

from scripts.mutation.bases import bases, before
from scripts.mutation.judging import Outcome, outcome
from scripts.mutation.making import Made, made, sample
from scripts.mutation.page import CLASSES, needless, page, reasons, why
from scripts.mutation.table import table
from tests.support import HOME
from threatmodel.library.load import load_library

MOST_EXCUSED = 12
"""Mutants that one reason may excuse: what excuses more is a rule that is missing."""


@pytest.fixture(scope="module")
def every() -> Made:
    return made()


@pytest.fixture(scope="module", params=[pytest.param(2, id="100"), pytest.param(1, id="200", marks=pytest.mark.long)])
def judged(every: Made, request: pytest.FixtureRequest) -> Mapping[str, Outcome]:
    """A sample: every other one of 200 in the ordinary tests, all 200 with `long`."""
    mutants = [every.mutants[number] for number in sample(every.mutants)[:: request.param]]
    return {mutant.id: outcome(mutant, before(mutant.base)) for mutant in mutants}


@pytest.mark.slow
def test_there_are_enough_and_each_undoes_what_was_proven_or_hides_something(every: Made) -> None:
    assert len(every.mutants) >= 1500
    assert {one.weakening for one in every.mutants} == set(CLASSES)
    assert all(one.weakens or one.reported for one in every.mutants)


@pytest.mark.slow
def test_the_good_systems_are_read_and_prove_something() -> None:
    for name in bases():
        assert not before(name).refused
        assert sum(state == "proven" for state in before(name).states.values()) >= 30, name


@pytest.mark.slow
def test_a_sample_is_caught_or_survives_for_a_reason(judged: Mapping[str, Outcome]) -> None:
    assert len(judged) >= 100
    assert {one.mutant.id: one.survivors for one in judged.values() if not one.caught and not why(one)} == {}


@pytest.mark.slow
def test_few_of_them_are_caught_by_refusing_the_input(judged: Mapping[str, Outcome]) -> None:
    assert sum(bool(one.refused) for one in judged.values()) < len(judged) / 4


@pytest.mark.slow
def test_each_reason_is_of_a_few_mutants_that_all_survive(every: Made) -> None:
    for pattern, said in reasons().items():
        assert said.strip()
        meant = [one for one in every.mutants if fnmatchcase(one.id, pattern)]
        assert 0 < len(meant) <= MOST_EXCUSED, pattern
        assert needless([outcome(one, before(one.base)) for one in meant], [pattern]) == []


@pytest.mark.slow
def test_a_reason_that_excuses_what_is_caught_is_needless(every: Made) -> None:
    first, second = every.mutants[:2]
    caught = Outcome(mutant=first, survivors=(), became={})
    survivor = Outcome(mutant=second, survivors=second.weakens, became={})
    assert needless([caught, survivor], [first.id, second.id, "of-nothing"]) == [first.id, "of-nothing"]
    assert needless([caught, survivor], ["*"]) == ["*"]


def test_the_table_names_controls_of_the_library() -> None:
    known = load_library(HOME / "threatlib").controls.keys()
    for name in ("weaker.yaml", "weaker-plan.yaml"):
        found = table(name)
        named = {control for rows in found.rows.values() for row in rows for control in row.rests}
        named |= {control for controls in found.resources.values() for control in controls}
        named |= {control for rows in found.additions.values() for row in rows for control in row["rests"]}
        assert named <= known


@pytest.mark.slow
def test_the_page_names_each_survivor(every: Made, judged: Mapping[str, Outcome]) -> None:
    first = next(iter(judged.values()))
    survivor = Outcome(mutant=first.mutant, survivors=first.mutant.weakens, became={})
    text = page([survivor], every.excluded, len(every.mutants))
    assert f"`{first.mutant.id}`" in text
    assert "0 of 1" in text
