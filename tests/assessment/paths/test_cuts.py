"""The smallest set of controls that cuts all paths: it cuts them, and none of it can be left out."""

from __future__ import annotations

from itertools import combinations
from pathlib import Path

import pytest

from tests.assessment.paths.samples import SAMPLES, assessed
from threatmodel.assessment.assess import _Assessing
from threatmodel.assessment.assessed import Assessment
from threatmodel.assessment.paths import cuts
from threatmodel.assessment.paths.tracing import paths
from threatmodel.assessment.paths.values import Cut, Paths


def still_open(found: Paths) -> int:
    """How many paths are open as claimed, or may be."""
    return found.claimed["open"] + found.claimed["undecided"]


def with_controls(assessment: Assessment, cut: Cut, but: str = "") -> Assessment:
    """The assessment if the controls of a cut were in place, all but one."""
    assumed = {(one.control, element): True for one in cut.choices if one.control != but for element in one.elements}
    states, _ = assessment.states.assuming(assumed)
    return _Assessing(states, {}).assessment()


@pytest.mark.parametrize("name", SAMPLES)
def test_a_cut_leaves_no_open_path_and_needs_each_of_its_controls(name: str, tmp_path: Path) -> None:
    assessment = assessed(tmp_path, SAMPLES[name].changes)
    found = paths(assessment)
    assert found.claimed["open"]
    assert found.cut_claimed.exact
    after = paths(with_controls(assessment, found.cut_claimed))
    assert not still_open(after)
    for choice in found.cut_claimed.choices:
        without = paths(with_controls(assessment, found.cut_claimed, choice.control))
        assert still_open(without), choice


def test_the_search_finds_what_trying_every_set_finds() -> None:
    controls = "abcdef"
    demands = [
        frozenset({frozenset(first), frozenset(second)})
        for first, second in (("a", "bc"), ("b", "d"), ("ce", "f"), ("d", "ae"), ("c", "ab"), ("ef", "d"))
    ]
    for number in range(1, len(demands) + 1):
        smallest = cuts._Smallest()  # noqa: SLF001 - a search of its own
        for demand in demands[:number]:
            smallest.add([demand])
        tried = next(
            set(some)
            for size in range(len(controls) + 1)
            for some in combinations(controls, size)
            if all(any(option <= set(some) for option in demand) for demand in demands[:number])
        )
        assert len(smallest.found) == len(tried)
        assert smallest.exact


def test_beyond_the_limit_a_cut_still_cuts_and_says_that_it_may_not_be_the_smallest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cuts, "TRIES", 0)
    assessment = assessed(tmp_path, SAMPLES["forged-commands"].changes)
    found = paths(assessment)
    assert not found.cut_claimed.exact
    after = paths(with_controls(assessment, found.cut_claimed))
    assert not still_open(after)


def test_what_a_control_requires_is_in_the_cut_where_it_is_missing(tmp_path: Path) -> None:
    changes = {
        "functions": {
            "order-bot": {"verifies_signature": False, "reads": ["orders"], "authorizes_caller": False},
        }
    }
    assessment = assessed(tmp_path, changes)
    chosen = {choice.control for choice in paths(assessment).cut_claimed.choices}
    required = assessment.library.with_required(chosen)
    for control in required.keys() - chosen:
        states = [one for one in assessment.states.known() if one.control == control]
        assert all(state.level > 0 or state.state == "not-applicable" for state in states), control
