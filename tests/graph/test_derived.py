"""Derived facts: what follows from wiring, from neighbours, and from the dated table of runtimes."""

from __future__ import annotations

import datetime
from pathlib import Path

import pytest

from tests.support import TODAY, assessed, evidence, graph_of, said, system_of
from threatmodel.assessment.drift import differences
from threatmodel.graph.building import build
from threatmodel.library.load import load_library
from threatmodel.model.facts import EVIDENCE, Fact, stated_only
from threatmodel.model.runtimes import CHECKED, RUNTIMES
from threatmodel.model.system import Trigger
from threatmodel.reading.problems import Place

HEAD = "name: x\napis: {api: {}}\nqueues: {q: {}, p: {}}\nstores: {s: {}}\n"


def fact(folder: Path, functions: str, name: str, of: str = "bot") -> Fact | None:
    return graph_of(folder, f"{HEAD}functions: {{{functions}}}\n").elements[of].facts.get(name)


def value(found: Fact | None) -> object:
    return None if found is None else found.value


# --- Slack's events


@pytest.mark.parametrize(("trigger", "expected"), [("slack: events", True), ("service: events", False)])
def test_a_service_of_the_name_is_not_what_sends_slacks_events(tmp_path: Path, trigger: str, expected: object) -> None:
    functions = f"bot: {{triggers: [{{{trigger}}}]}}"
    text = f"{HEAD}externals: {{events: {{}}}}\nfunctions: {{{functions}}}\n"
    assert value(graph_of(tmp_path, text).elements["bot"].facts.get("receives_slack_events")) is expected


# --- runtimes


@pytest.mark.parametrize(
    ("runtime", "today", "expected"),
    [
        ("python3.13", "2026-11-25", True),
        ("python3.9", "2026-11-25", False),
        ("python3.13", "2029-06-29", True),
        ("python3.13", "2029-06-30", False),
        ("python9.99", "2026-11-25", None),
        ("null", "2026-11-25", None),
    ],
)
def test_a_runtime_is_supported_until_its_last_day(tmp_path: Path, runtime: str, today: str, expected: object) -> None:
    system = system_of(tmp_path, f"name: x\nfunctions: {{bot: {{runtime: {runtime}}}}}\n")
    graph = build(system, today=datetime.date.fromisoformat(today))
    assert value(graph.elements["bot"].facts.get("runtime_supported")) is expected
    assert "runtime_supported" not in build(system).elements["bot"].facts, "without a day nobody can tell"


def test_a_runtime_without_a_last_day_is_supported_only_as_long_as_the_table_is_fresh(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(RUNTIMES, "python9.99", None)
    system = system_of(tmp_path, "name: x\nfunctions: {bot: {runtime: python9.99}}\n")
    for days, expected in ((365, True), (366, None)):
        graph = build(system, today=CHECKED + datetime.timedelta(days=days))
        assert value(graph.elements["bot"].facts.get("runtime_supported")) is expected


def test_an_unlisted_runtime_is_asked_about(tmp_path: Path) -> None:
    text = f"{HEAD}functions: {{bot: {{triggers: [], runtime: python9.99, package_format: zip}}}}\n"
    questions = assessed(tmp_path, text, load_library(Path(__file__).parents[2] / "threatlib")).questions
    assert [q.ask for q in questions if "runtime_supported" in q.facts] == [
        "Does AWS still patch the function's runtime?"
    ]


# --- who calls


def test_who_comes_through_an_api_that_calls_no_function_is_not_known(tmp_path: Path) -> None:
    text = "bot: {triggers: [{schedule: rate(1 hour)}]}"
    assert value(fact(tmp_path, text, "web_facing", "api")) is None


def test_callers_other_than_slack(tmp_path: Path) -> None:
    both = "bot: {triggers: [{slack: events}, {http: POST}]}"
    slack = "bot: {triggers: [{slack: events}]}"
    assert [value(fact(tmp_path, text, "web_facing")) for text in (both, slack, "bot: {}")] == [True, False, None]
    assert [value(fact(tmp_path, text, "web_facing", "api")) for text in (both, slack, "bot: {}")] == [
        True,
        False,
        None,
    ]


@pytest.mark.parametrize(
    ("facts", "expected"),
    [("verifies_signature: false", True), ("verifies_signature: true", None), ("timeout_seconds: 3", None)],
)
def test_others_can_call_what_does_not_verify_whoever_is_meant_to(tmp_path: Path, facts: str, expected: object) -> None:
    bot = f"bot: {{triggers: [{{http: POST, caller: unknown}}], {facts}}}"
    assert value(fact(tmp_path, bot, "web_facing")) is expected
    assert value(fact(tmp_path, bot, "slack_facing")) is None
    slack = f"bot: {{triggers: [{{slack: events}}], {facts}}}"
    assert value(fact(tmp_path, slack, "web_facing")) is False, "that is forged in Slack's name"


# --- loops

CALLS_SLACK = "reads: [], calls: [slack]"
SILENT = "reads: [], calls: []}"


@pytest.mark.parametrize(
    ("functions", "expected"),
    [
        ("bot: {triggers: [{queue: q}], sends: [q]}", True),
        ("bot: {triggers: [{queue: q}], sends: [p]}, two: {triggers: [{queue: p}], sends: [q]}", True),
        ("bot: {triggers: [{store: s}], writes: [s]}", True),
        ("bot: {triggers: [{queue: q}], sends: [p]}, two: {triggers: [{queue: p}], sends: []}", False),
        ("bot: {triggers: [{queue: q}], sends: []}, two: {triggers: [{queue: p}], sends: [p]}", False),
        ("bot: {triggers: [{queue: q}]}", None),
        ("bot: {triggers: [{queue: q}], sends: []}, two: {triggers: [{queue: p}]}", None),
        ("bot: {triggers: [{slack: slash-command}], sends: [q]}", False),
        ("bot: {triggers: [{slack: slash-command}]}", False),
        ("bot: {}", None),
        (f"bot: {{triggers: [{{slack: events}}], {CALLS_SLACK}}}", True),
        (f"bot: {{triggers: [{{slack: slash-command}}], {CALLS_SLACK}}}", False),
        ("bot: {triggers: [{slack: events}], sends: [q]}, two: {triggers: [{queue: q}], calls: [slack]}", True),
        ("bot: {triggers: [{slack: events}], sends: [q]}, two: {triggers: [{queue: q}], reads: [], calls: []}", None),
        (
            f"bot: {{triggers: [{{slack: events}}], sends: [q], {SILENT}, two: {{triggers: [{{queue: q}}], {SILENT}",
            False,
        ),
        ("bot: {triggers: [{slack: events}]}", None),
    ],
)
def test_a_function_can_start_itself(tmp_path: Path, functions: str, expected: object) -> None:
    assert value(fact(tmp_path, functions, "starts_itself")) is expected


@pytest.mark.parametrize(
    ("functions", "kinds", "expected"),
    [
        ("bot: {triggers: [{queue: q}], sends: [q]}", "q: {kind: sqs}", True),
        ("bot: {triggers: [{queue: q}], sends: [q]}", "q: {kind: eventbridge}", False),
        ("bot: {triggers: [{queue: q}], sends: [q]}", "q: {}", None),
        (
            "bot: {triggers: [{queue: q}], sends: [p]}, two: {triggers: [{queue: p}], sends: [q]}",
            "q: {kind: sqs}",
            None,
        ),
        ("bot: {triggers: [{slack: events}], calls: [slack]}", "q: {}", False),
        ("bot: {invokes: [two]}, two: {invokes: [bot]}", "q: {}", True),
    ],
)
def test_lambda_detects_a_loop_by_its_links(tmp_path: Path, functions: str, kinds: str, expected: object) -> None:
    text = f"name: x\napis: {{api: {{}}}}\nqueues: {{{kinds}, p: {{}}}}\nfunctions: {{{functions}}}\n"
    assert value(graph_of(tmp_path, text).elements["bot"].facts.get("loop_detected")) is expected


def test_a_loop_is_as_well_known_as_its_weakest_link(tmp_path: Path) -> None:
    found = evidence(
        bot={"sends": said(("q",)), "triggers": said((_polls(tmp_path),))},
    )
    graph = graph_of(tmp_path, f"{HEAD}functions: {{bot: {{}}}}\n", found)
    proven = graph.elements["bot"].facts["starts_itself"]
    assert (proven.value, proven.size) == (True, EVIDENCE)
    word = fact(tmp_path, "bot: {triggers: [{queue: q}], sends: [q]}", "starts_itself")
    assert word is not None
    assert word.size < EVIDENCE


def test_a_derived_fact_keeps_what_word_alone_says_of_it(tmp_path: Path) -> None:
    """Else a control that the model claims would only be absent where the template denies it."""
    model = f"{HEAD}functions: {{bot: {{runtime: python3.13, triggers: [{{queue: q}}]}}}}\n"
    graph = graph_of(tmp_path, model, evidence(bot={"runtime": "python3.8"}))
    facts = graph.elements["bot"].facts
    supported = facts["runtime_supported"]
    assert (supported.value, supported.size, [said.value for said in supported.against]) == (False, EVIDENCE, [True])
    assert stated_only(facts)["runtime_supported"].value is True
    assert [(one.element, one.name) for one in differences(graph)] == [("bot", "runtime")], "once, where it is stated"
    same = graph_of(tmp_path, model, evidence(bot={"runtime": "python3.13"}))
    assert same.elements["bot"].facts["runtime_supported"].against == ()
    assert facts["event_driven"].against == ()


def _polls(folder: Path) -> Trigger:
    system = system_of(folder, f"{HEAD}functions: {{bot: {{triggers: [{{queue: q}}]}}}}\n")
    (trigger,) = system.nodes["bot"].triggers or ()
    return trigger._replace(place=Place("t.yaml")) if hasattr(trigger, "_replace") else trigger


@pytest.mark.slow
def test_a_long_chain_is_no_loop_and_takes_no_time(tmp_path: Path) -> None:
    count = 1100  # more than Python lets functions call each other
    queues = ", ".join(f"q{n}: {{}}" for n in range(count + 1))
    functions = ", ".join(f"f{n}: {{triggers: [{{queue: q{n}}}], sends: [q{n + 1}]}}" for n in range(count))
    open_ended = graph_of(tmp_path, f"name: x\nqueues: {{{queues}}}\nfunctions: {{{functions}}}\n")
    assert open_ended.elements["f0"].facts["starts_itself"].value is False
    closing = f"last: {{triggers: [{{queue: q{count}}}], sends: [q0]}}"
    closed = graph_of(tmp_path, f"name: x\nqueues: {{{queues}}}\nfunctions: {{{functions}, {closing}}}\n")
    assert all(closed.elements[f"f{n}"].facts["starts_itself"].value is True for n in (0, 550, count - 1))


# --- the account's scanner


def test_a_function_is_scanned_where_its_account_is(tmp_path: Path) -> None:
    for said_so, expected in (("{inspector_lambda: true}", True), ("{inspector_lambda: false}", False), ("{}", None)):
        text = f"{HEAD}account: {said_so}\nfunctions: {{bot: {{}}}}\n"
        assert value(graph_of(tmp_path, text).elements["bot"].facts.get("scanned_by_inspector")) is expected


def test_an_undescribed_account_is_what_is_asked_for(tmp_path: Path) -> None:
    text = f"{HEAD}functions: {{bot: {{triggers: [], code_inline: false}}}}\n"
    questions = assessed(tmp_path, text, load_library(Path(__file__).parents[2] / "threatlib"), today=TODAY).questions
    about = [q for q in questions if "vulnerable-dependency@bot" in q.decides]
    assert "describe" in {q.kind for q in about}
    assert all("inspector_lambda" not in q.facts for q in questions)


# --- how much too much

NARROW = {
    "role_reaches_unused": True,
    "role_wildcard_action": False,
    "role_wildcard_resource": False,
    "role_broad_policy": False,
    "role_can_escalate": False,
    "role_assumes_roles": False,
    "role_shared": False,
}


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({}, True),
        ({"role_wildcard_resource": True, "role_wildcard_beyond_polling": False}, True),
        ({"role_wildcard_resource": True, "role_wildcard_beyond_polling": True}, False),
        ({"role_wildcard_resource": True}, None),
        ({"role_reaches_unused": False}, False),
        ({"role_wildcard_action": True}, False),
        ({"role_broad_policy": True}, False),
        ({"role_can_escalate": True}, False),
        ({"role_assumes_roles": True}, False),
        ({"role_assumes_roles": None}, None),
        ({"role_shared": True}, False),
        ({"role_shared": None}, None),
        ({"role_can_escalate": None}, None),
        ({"role_broad_policy": None}, None),
    ],
)
def test_an_excess_is_narrow_only_where_nothing_is_known_or_may_be_wide(
    tmp_path: Path, change: dict[str, bool | None], expected: object
) -> None:
    facts = {name: given for name, given in {**NARROW, **change}.items() if given is not None}
    stated = ", ".join(f"{name}: {str(given).lower()}" for name, given in facts.items())
    assert value(fact(tmp_path, f"bot: {{{stated}}}", "role_excess_narrow")) is expected


def test_an_excess_is_narrow_by_evidence_only_where_all_of_it_is_evidence(tmp_path: Path) -> None:
    shown = {name: said(value=given) for name, given in NARROW.items()}
    system = system_of(tmp_path, f"{HEAD}functions: {{bot: {{role_shared: false}}}}\n")
    for facts, size in ((shown, EVIDENCE), ({**shown, "role_shared": None}, 1)):
        known = {name: one for name, one in facts.items() if one is not None}
        found = build(system, evidence(bot=known)).elements["bot"].facts["role_excess_narrow"]
        assert (found.value, found.size) == (True, size)


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        ("invoke_source_pinned: true", False),
        ("invoke_source_pinned: false", True),
        ("invoke_source_pinned: false, invoke_source_owned: false", True),
        ("invoke_source_pinned: false, invoke_source_owned: true", False),
        ("invoke_source_owned: true", None),
    ],
)
def test_a_source_may_be_anybodys_until_its_account_is_known_to_be_named(
    tmp_path: Path, facts: str, expected: object
) -> None:
    assert value(fact(tmp_path, f"bot: {{{facts}}}", "invocable_from_any_account")) is expected
