"""Rules of the team's own: what breaks one, who is exempt, and by whose leave."""

from __future__ import annotations

import datetime
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.support import HOME, TODAY
from threatmodel.assessment.assess import assess
from threatmodel.assessment.assessed import Assessment
from threatmodel.assessment.changes import changes
from threatmodel.assessment.gate.judging import held_to, judge
from threatmodel.assessment.gate.results import CheckResult, Rules
from threatmodel.assessment.invariants import counted
from threatmodel.graph.building import build
from threatmodel.library.entries import Library
from threatmodel.library.load import load_library
from threatmodel.model.load import load_model
from threatmodel.reading.files import Files
from threatmodel.reading.problems import InputError
from threatmodel.render.contract.assessment import contract
from threatmodel.render.report.report import report

RULE = """\
name: Shop
owners: {team: team@example.com}
invariants:
  reserved:
    of: function
    if: target.role_shared
    holds: target.reserved_concurrency >= 1
    severity: high
    message: Every function with a shared role has a reserve
exemptions:
  reserved@known: {reason: a pilot, owner: team, expires: EXPIRES, ticket: OPS-7}
functions:
  good: {role_shared: true, reserved_concurrency: 5}
  bad: {role_shared: true, reserved_concurrency: null}
  open: {role_shared: true}
  other: {role_shared: false}
  known: {role_shared: true, reserved_concurrency: null}
"""
LATER = "2027-01-01"
PAST = "2026-01-01"


@pytest.fixture(scope="module")
def library() -> Library:
    return load_library(HOME / "threatlib")


def assessed(
    folder: Path,
    text: str,
    library: Library,
    rules: Rules = Rules(),  # noqa: B008 - frozen
    today: datetime.date = TODAY,
) -> Assessment:
    path = folder / "model.yaml"
    path.write_text(text, encoding="utf-8")
    graph = build(load_model(Files(), path), today=today)
    return assess(held_to(graph, rules), library, today)


def results(folder: Path, text: str, library: Library, **rules: Any) -> tuple[CheckResult, ...]:
    asked = Rules(**rules)
    return judge(assessed(folder, text, library, asked), asked)


def failing(folder: Path, expires: str, library: Library, **rules: Any) -> dict[str, str]:
    found = results(folder, RULE.replace("EXPIRES", expires), library, **rules)
    return {one.element: one.message for one in found if one.fails and one.code == "invariant"}


def codes(found: tuple[CheckResult, ...]) -> set[str]:
    return {one.code for one in found if one.code.endswith(("exemption", "acceptor"))}


def test_an_invariant_binds_every_element_and_unknown_is_no_yes(tmp_path: Path, library: Library) -> None:
    found = failing(tmp_path, LATER, library)
    assert set(found) == {"bad", "open"}
    assert found["open"].endswith(": not stated")
    assert set(failing(tmp_path, PAST, library)) == {"bad", "open", "known"}
    assert set(failing(tmp_path, LATER, library, allow_undetermined=True)) == {"bad"}
    assert set(failing(tmp_path, LATER, library, require_proof=True)) == {"good", "bad", "open"}
    assert set(failing(tmp_path, LATER, library, fail_on="critical")) == set()


def test_an_exemption_is_held_to_its_terms(tmp_path: Path, library: Library) -> None:
    text = RULE.replace("EXPIRES", LATER)
    assert codes(results(tmp_path, text, library)) == set()
    assert codes(results(tmp_path, text, library, acceptors=("team",))) == set()
    assert codes(results(tmp_path, text, library, acceptors=("security",))) == {"not-an-acceptor"}
    assert codes(results(tmp_path, text, library, longest_acceptance=10)) == {"long-exemption"}
    assert codes(results(tmp_path, RULE.replace("EXPIRES", PAST), library)) == {"lapsed-exemption"}
    assert codes(results(tmp_path, RULE.replace("EXPIRES", "2028-01-01"), library)) == {"long-exemption"}


def test_a_policy_can_forbid_exemptions(tmp_path: Path, library: Library) -> None:
    assert set(failing(tmp_path, LATER, library, ignore_acceptances=True)) == {"bad", "open", "known"}


def test_an_exemption_of_what_is_not_bound_is_told(tmp_path: Path, library: Library) -> None:
    found = results(tmp_path, RULE.replace("EXPIRES", LATER).replace("@known", "@other"), library)
    needless = [one for one in found if one.code == "needless-exemption"]
    assert [(one.name, one.fails, one.warns) for one in needless] == [("reserved@other", False, True)]


def test_no_rule_takes_anothers_place(tmp_path: Path, library: Library) -> None:
    text = RULE.replace("EXPIRES", LATER)
    rules = assessed(tmp_path, text, library).graph.system.invariants
    with pytest.raises(InputError, match="'reserved' is already an invariant"):
        assessed(tmp_path, text, replace(library, invariants=rules))
    (tmp_path / "platform.yaml").write_text(
        "name: Platform\n" + RULE[RULE.index("invariants") : RULE.index("exemptions")], encoding="utf-8"
    )
    with pytest.raises(InputError, match=r"platform.yaml:3:3: duplicate-id: 'reserved' is already an invariant"):
        assessed(tmp_path, text + "uses: [platform.yaml]\n", library)
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "library.yaml").write_text(
            RULE[RULE.index("invariants") : RULE.index("exemptions")], encoding="utf-8"
        )
    with pytest.raises(InputError, match=r"two.library.yaml:2:3: duplicate-id"):
        load_library(HOME / "threatlib", None, [tmp_path / "one", tmp_path / "two"])


def test_an_invariant_that_is_no_condition_is_refused_at_its_place(tmp_path: Path, library: Library) -> None:
    text = RULE.replace("EXPIRES", LATER).replace("reserved_concurrency >= 1", "reserve >= 1", 1)
    with pytest.raises(InputError, match=r"model.yaml:7:12"):
        assessed(tmp_path, text, library)


@pytest.mark.parametrize("template", ["md", "html", "brief", "full", "full.md"])
def test_every_report_tells_the_rules(tmp_path: Path, library: Library, template: str) -> None:
    page = report(assessed(tmp_path, RULE.replace("EXPIRES", LATER), library), template)
    assert "1 rule: 1 broken, 1 unknown, 1 exempt, 1 claimed" in page
    if template != "brief":
        assert "broken by bad; unknown for open" in page
        assert re.search(r"reserved@known\S* until 2027", page.replace("\\", ""))
        assert "4 of 5 functions" in page


def test_a_rule_that_nobody_states_is_no_section(tmp_path: Path, library: Library) -> None:
    page = report(assessed(tmp_path, "name: Shop\nfunctions: {bot: {}}\n", library), "full.md")
    assert "Your own rules" not in page


def test_a_difference_tells_rules_that_were_loosened_first(tmp_path: Path, library: Library) -> None:
    text = RULE.replace("EXPIRES", LATER)
    loose = text.replace(">= 1\n", ">= 0\n").replace("reserved_concurrency: 5", "reserved_concurrency: null")
    before, after = (contract(assessed(tmp_path, one, library)) for one in (text, loose))
    told = [(one.how, one.name, one.before, one.after) for one in changes(before, after).parts["rules"]]
    old, new = "high, function: target.reserved_concurrency >= 1", "high, function: target.reserved_concurrency >= 0"
    only = " if target.role_shared"
    assert told == [
        ("changed", "reserved", old + only, new + only),
        ("worse", "reserved@good", "claimed", "broken"),
    ]
    gone = contract(assessed(tmp_path, "name: Shop\nfunctions: {bot: {}}\n", library))
    assert [(one.how, one.name) for one in changes(before, gone).parts["rules"]] == [("removed", "reserved")]


def test_what_is_exempt_is_counted_apart(tmp_path: Path, library: Library) -> None:
    text = RULE.replace("EXPIRES", LATER)
    assert counted(assessed(tmp_path, text, library).invariants) == (0, 1, 1, 1, 1)
    after = datetime.date(2027, 1, 2)
    assert counted(assessed(tmp_path, text, library, today=after).invariants) == (0, 1, 1, 2, 0)


def test_an_exemption_beyond_the_longest_term_exempts_nothing(tmp_path: Path, library: Library) -> None:
    text = RULE.replace("EXPIRES", "2027-11-27")
    assert counted(assessed(tmp_path, text, library).invariants).exempt == 0
    longer = text + "\nlongest_terms: {acceptance: 367}\n"
    found = assessed(tmp_path, longer, library)
    assert counted(found.invariants).exempt == 1
    assert [one.what for one in found.reliances if one.kind == "long-term"] == [
        "longest_terms.acceptance: 367 days, not 366",
        "reserved@known until 2027-11-27",
    ]
