"""The probes are data: complete, sensible, and about facts that the vocabulary leaves to a probe."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support import HOME
from threatmodel.library.load import load_library
from threatmodel.model.vocabulary import FACTS
from threatmodel.probe import limits
from threatmodel.probe.case_files import read_case, read_cases
from threatmodel.probe.cases import (
    EXPECTED,
    OVERALL,
    Case,
    Sealed,
    Shows,
    facts_decided,
    load_cases,
)
from threatmodel.reading.problems import InputError
from threatmodel.reading.shape import Flag
from threatmodel.render.probe import table

CASES = load_cases()
NEVER_DECIDED_BY_A_PROBE = {"outbound_hosts_fixed": True}
"""Values that no probe can show: the rest of what the fact says is not asked about."""


def test_every_fact_is_one_that_a_probe_sees_and_every_such_fact_has_probes() -> None:
    seen = {name for name, row in FACTS["function"].items() if "probe" in row.seen_by}
    assert set(facts_decided(CASES)) == seen


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_values_fit_their_facts(case: Case) -> None:
    for fact, values in case.decides.items():
        row = FACTS["function"][fact]
        by_request = [send.shows for send in case.send] if isinstance(values.failed, Sealed) else []
        shown = [value for value in (*values, *by_request) if not isinstance(value, Sealed)]
        for value in shown:
            if isinstance(row.shape, Flag):
                assert isinstance(value, bool)
            else:
                assert value is None or row.shape.low <= value <= row.shape.high  # type: ignore[union-attr]


@pytest.mark.parametrize("fact", sorted(facts_decided(CASES)))
def test_a_fact_can_be_shown_false_and_but_for_one_true(fact: str) -> None:
    bearing = facts_decided(CASES)[fact]
    passes = [case.decides[fact].passed for case in bearing]
    failures = [case.decides[fact].failed for case in bearing]
    shows = [send.shows for case in bearing for send in case.send]
    assert any(not isinstance(value, Sealed) for value in (*failures, *shows))
    can_be_true = all(not isinstance(value, Sealed) for value in passes)
    assert can_be_true is not NEVER_DECIDED_BY_A_PROBE.get(fact, False)


def test_the_same_requests_are_not_asked_about_twice_with_one_expectation() -> None:
    asked = [
        (case.send, case.secret, case.expect) for case in CASES if case.expect not in OVERALL and case.id not in SAME
    ]
    assert all(asked.count(one) == 1 for one in asked)


SAME = {"rest-api", "http-api", "function-url", "genuine"}


def test_order_is_the_genuine_one_then_required_ones_then_by_id() -> None:
    keys = [(case.level != "required", case.id != "genuine", case.id) for case in CASES]
    assert keys == sorted(keys)
    assert CASES is load_cases()


def test_every_expectation_is_used() -> None:
    assert {case.expect for case in CASES} == set(EXPECTED)


def test_controls_that_a_probe_can_decide_are_those_of_the_library() -> None:
    controls = load_library(HOME / "threatlib").controls.values()
    facts = set(facts_decided(CASES))
    read = {fact for control in controls if control.in_place for fact in control.in_place.facts & facts}
    assert read == facts


def test_the_table_of_the_page_is_that_of_the_probes() -> None:
    assert table() in (HOME / "docs" / "probe.md").read_text(encoding="utf-8")


def test_the_page_has_the_limits_of_each_fact_that_a_probe_decides() -> None:
    assert limits.table() in (HOME / "docs" / "probe.md").read_text(encoding="utf-8")
    assert set(limits.LIMITS) == set(facts_decided(CASES))


GOOD = """\
title: A request is refused
level: required
expect: refused
failure: It is bad.
decides:
  verifies_signature: {passed: true, failed: false}
send:
  - {signature: null, headers: {Host: null}, shows: 301}
"""


def test_a_probe_is_read() -> None:
    case = read_case(GOOD, "cases/no-name.yaml")
    assert (case.id, case.send[0].signature, case.send[0].headers) == ("no-name", None, {"Host": None})
    assert case.decides == {"verifies_signature": Shows(True, False)}
    assert case.send[0].shows == 301


@pytest.mark.parametrize(
    ("find", "replace", "expected"),
    [
        ("title: A request is refused\n", "", "1:1: missing-key: a probe has no 'title'"),
        ("level: required", "level: needed", "2:8: unknown-word: 'level' is 'needed'"),
        ("expect: refused", "expect: refusal", "3:9: unknown-word: 'expect' is 'refusal'"),
        ("expect: refused", "expect: no-crash", "3:9: wrong-type: 'no-crash' is about all answers"),
        ("signature: null", "signatur: null", "8:6: unknown-key: 'signatur' is not a key of a request"),
        ("signature: null", "signature: 5", "8:17: wrong-type: 'signature' must be text"),
        ("signature: null", "secret: null", "8:14: wrong-type: 'secret' must be text"),
        ("signature: null", "control: true", "3:9: wrong-type: this probe sends nothing that could be judged"),
        ("signature: null", "again: true", "3:9: wrong-type: the first request cannot be the same"),
        ("signature: null", "body: other", "8:12: unknown-word: 'body' is 'other'"),
        ("Host: null", "Host: 5", "8:39: wrong-type: a header must be text"),
        ("Host: null", "Ho st: x", "wrong-id: 'Ho st' cannot be the id of a header"),
        ("shows: 301", "shows: soon", "wrong-type: a probe shows true, false, a whole number or null"),
        ("passed: true", "passed: maybe", "6:32: wrong-type: a probe shows true, false, a whole number or null"),
        ("passed: true", "pass: true", "6:24: unknown-key: 'pass' is not a key"),
    ],
)
def test_a_faulty_probe_is_refused_at_its_place(find: str, replace: str, expected: str) -> None:
    assert find in GOOD
    with pytest.raises(InputError) as raised:
        read_case(GOOD.replace(find, replace), "cases/no-name.yaml")
    assert expected in str(raised.value)


def test_all_faulty_files_are_reported_at_once(tmp_path: Path) -> None:
    (tmp_path / "one.yaml").write_text("", encoding="utf-8")
    (tmp_path / "Two.yaml").write_text(GOOD, encoding="utf-8")
    with pytest.raises(InputError) as raised:
        read_cases(tmp_path)
    assert [problem.code for problem in raised.value.problems] == ["wrong-type", "empty-file"]
