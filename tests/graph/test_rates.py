"""Whether the requests that APIs accept fit into a function's executions: a rate protects by what is behind it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support import graph_of

MODEL = """\
name: x
apis: {{one: {{{one}}}, two: {{{two}}}}}
functions: {{bot: {{triggers: {triggers}{facts}}}}}
account: {{{account}}}
"""
ONE, BOTH = "[{http: GET /, api: one}]", "[{http: GET /, api: one}, {http: GET /, api: two}]"


def value_of(folder: Path, name: str, **parts: str) -> object:
    """The value of a derived fact, '?' where it is unknown."""
    parts = {"one": "", "two": "", "triggers": ONE, "facts": "", "account": ""} | parts
    parts["facts"] = f", {parts['facts']}" if parts["facts"] else ""
    fact = graph_of(folder, MODEL.format(**parts)).elements["bot"].facts.get(name)
    return "?" if fact is None or not fact.size else fact.value


@pytest.mark.parametrize(
    ("one", "two", "triggers", "expected"),
    [
        ("throttle_rate: 20", "", ONE, 20),
        ("throttle_rate: 20", "throttle_rate: 30", BOTH, 50),
        ("throttle_rate: 20", "throttle_rate: null", BOTH, None),
        ("", "throttle_rate: null", BOTH, None),
        ("throttle_rate: 20", "", BOTH, "?"),
        ("", "", ONE, "?"),
        ("throttle_rate: 20", "throttle_rate: 30", "[]", 0),
    ],
)
def test_the_rate_is_the_sum_over_the_apis(tmp_path: Path, one: str, two: str, triggers: str, expected: object) -> None:
    assert value_of(tmp_path, "request_rate", one=one, two=two, triggers=triggers) == expected


@pytest.mark.parametrize(
    ("rate", "facts", "expected"),
    [
        ("1", "timeout_seconds: 5, reserved_concurrency: 5", True),
        ("2", "timeout_seconds: 5, reserved_concurrency: 5", False),
        ("9999", "timeout_seconds: 10, reserved_concurrency: 5", False),
        ("null", "timeout_seconds: 1, reserved_concurrency: 1000", False),
        ("null", "", False),
        ("1", "timeout_seconds: 5, reserved_concurrency: null", False),
        ("1", "timeout_seconds: 5", "?"),
        ("1", "reserved_concurrency: 5", "?"),
    ],
)
def test_requests_fit_the_reserve_by_rate_and_timeout(tmp_path: Path, rate: str, facts: str, expected: object) -> None:
    assert value_of(tmp_path, "requests_fit_reserve", one=f"throttle_rate: {rate}", facts=facts) == expected


@pytest.mark.parametrize(("quota", "expected"), [("1000", True), ("999", False), ("", "?")])
def test_requests_fit_the_quota_of_the_account(tmp_path: Path, quota: str, expected: object) -> None:
    account = f"concurrent_executions: {quota}" if quota else ""
    found = value_of(
        tmp_path, "requests_fit_quota", one="throttle_rate: 100", facts="timeout_seconds: 10", account=account
    )
    assert found == expected
