"""All answers of a handler together are judged as the page says."""

from __future__ import annotations

import base64
from collections.abc import Sequence

import pytest

from tests.probe.judged import COMMON, CRASH, GOOD, LOOK, NO, SIGNATURE, case_of, outcome, setting, status
from threatmodel.probe.cases import OVERALL, Case, Send, Shows
from threatmodel.probe.judging import judge
from threatmodel.probe.kinds import BODY, TEXT
from threatmodel.probe.outcome import ProbeOutcome
from threatmodel.probe.outcome_names import FAILED, NOT_RUN, PASSED, UNDECIDED
from threatmodel.probe.protocol import Effect, Reply
from threatmodel.probe.requests import SECRET

IN_BASE64 = base64.b64encode(f'{{"secret": "{SECRET}"}}'.encode()).decode()
LOGGED = Effect(service="logs", operation="PutLogEvents", content=f'{{"message": "got {SIGNATURE}"}}')


def overall(expect: str, *replies: Reply, name: str = "no-signature", genuine: Reply = GOOD) -> ProbeOutcome:
    decides = {"verifies_signature": Shows(True, False)}
    case = case_of("refused", *[Send()] * len(replies), name=name, decides=decides)
    return judge(case_of(expect), (), setting(genuine, replies=[(case, replies)]))


@pytest.mark.parametrize(
    ("expect", "replies", "expected"),
    [
        ("no-crash", [GOOD, NO], (PASSED, "")),
        ("no-crash", [GOOD, CRASH], (FAILED, "after: no-signature")),
        ("no-crash", [status(500)], (FAILED, "after: no-signature")),
        ("no-crash", [Reply()], (FAILED, "after: no-signature")),
        ("no-crash", [], (UNDECIDED, "nothing was sent")),
        ("alike", [NO, NO, GOOD], (PASSED, "")),
        ("alike", [NO, status(401, body="old timestamp")], (FAILED, "2 different ones: no-signature")),
        ("alike", [GOOD], (UNDECIDED, "nothing was rejected")),
        ("discreet-answers", [status(200, body="Working on it.")], (PASSED, "")),
        ("discreet-answers", [status(500, body=f"bad {SECRET}")], (FAILED, "signing secret (no-signature)")),
        ("discreet-answers", [status(401, body=f"not {SIGNATURE}")], (FAILED, "signature (no-signature)")),
        (
            "discreet-answers",
            [status(500, body="Traceback (most recent call last)")],
            (FAILED, "a stack trace (no-signature)"),
        ),
        ("discreet-answers", [status(500, body="at /var/task/app.py")], (FAILED, "a path (no-signature)")),
        ("discreet-answers", [status(500, body="no arn:aws:sqs:eu-west-1:1:x")], (FAILED, "an ARN (no-signature)")),
        ("discreet-answers", [status(500, body="KeyError: 'x'")], (FAILED, "an exception (no-signature)")),
        ("discreet-logs", [Reply(status=200, logs='{"level": "INFO", "message": "queued"}')], (PASSED, "")),
        ("discreet-logs", [Reply(status=200, logs=f"secret {SECRET}")], (FAILED, "signing secret (no-signature)")),
        ("discreet-logs", [Reply(status=200, logs=f"got {SIGNATURE}")], (FAILED, "signature (no-signature)")),
        ("discreet-logs", [Reply(status=200, logs=f"text={TEXT}")], (FAILED, "body (no-signature)")),
        ("discreet-logs", [Reply(status=200, logs="xyzz0WbapA4vBCDEFasx0q6G")], (FAILED, "token (no-signature)")),
        (
            "discreet-logs",
            [Reply(status=200, logs=f"secret {SECRET[:8]}...")],
            (FAILED, "part of signing secret (no-signature)"),
        ),
        ("discreet-logs", [Reply(status=200, logs=f"secret {SECRET[:4]}...{SECRET[-4:]}")], (PASSED, "")),
        ("discreet-logs", [Reply(status=200, logs=f"event {IN_BASE64}")], (FAILED, "signing secret (no-signature)")),
        ("discreet-logs", [status(200, LOGGED)], (FAILED, "signature (no-signature)")),
        ("discreet-logs", [Reply(ended="output")], (UNDECIDED, "a log was longer than what is read")),
    ],
)
def test_all_answers_are_judged(expect: str, replies: Sequence[Reply], expected: tuple[str, str]) -> None:
    found = overall(expect, *replies)
    assert (found.outcome, found.why) == expected


ELSEWHERE = [
    Case(**COMMON, send=(Send(),), secret="missing"),
    Case(**COMMON, send=(Send(),), secret="empty"),
    Case(**COMMON, send=(Send(),), environment={"STAGE": "dev"}),
    Case(**COMMON, send=(Send(store="rotated"),)),
    Case(**COMMON, send=(Send(failing="errors"),)),
    Case(**COMMON, send=(Send(shape="http-api"),)),
    Case(**COMMON, send=(Send(shape="direct"),)),
    Case(**COMMON, send=(Send(event={}),)),
]


@pytest.mark.parametrize("case", ELSEWHERE)
def test_what_nobody_can_bring_about_by_the_own_api_is_no_crash(case: Case) -> None:
    others = [(case, [CRASH]), (case_of("refused"), [NO])]
    assert judge(case_of("no-crash"), (), setting(replies=others)).outcome == PASSED


@pytest.mark.parametrize("case", [Case(**COMMON, send=(Send(shape="rest-api"),)), Case(**COMMON, send=(Send(),))])
def test_what_anybody_can_send_to_the_own_api_is_a_crash(case: Case) -> None:
    assert judge(case_of("no-crash"), (), setting(replies=[(case, [CRASH])])).outcome == FAILED


def test_what_is_looked_up_for_a_stranger_is_no_refusal_where_nothing_has_an_effect() -> None:
    given = setting(status(200, body="Hello."), nonsense=status(401))
    assert outcome("refused", status(200, LOOK, body="3 orders"), given=given, send=[Send(path="/orders")]) == UNDECIDED
    assert outcome("refused", status(200, body="healthy"), given=given, send=[Send(path="/health")]) == PASSED


def test_where_nothing_has_an_effect_there_is_nothing_to_repeat() -> None:
    given = setting(status(200, body="Hello."))
    late = Send(again=True, fresh=True, later=290)
    assert outcome("once", status(401), given=given, send=[late]) == NOT_RUN


def test_an_old_request_may_be_refused_for_its_age_without_a_look_at_the_store() -> None:
    assert outcome("once", NO, send=[Send(again=True, fresh=True, later=290)]) == PASSED
    assert outcome("once", NO, send=[Send(again=True, fresh=True)]) == UNDECIDED


def test_an_answer_in_a_form_that_the_handler_is_not_made_for_shows_no_acceptance() -> None:
    twins = {("command", "alb"): status(200, body="Oops.")}
    given = setting(status(200, body="Hello."), nonsense=status(401), twins=twins)
    assert outcome("refused", status(200, body="Oops."), given=given, send=[Send(shape="alb")]) == UNDECIDED


@pytest.mark.parametrize("expect", ["refused", "denied"])
def test_the_same_answer_shows_acceptance_where_an_unsigned_one_gets_another(expect: str) -> None:
    given = setting(status(200, body="Hello."), nonsense=status(404), idle=status(404), unsigned=status(401))
    assert outcome(expect, status(200, body="Hello."), given=given) == FAILED


@pytest.mark.parametrize("expect", ["refused", "denied"])
@pytest.mark.parametrize("body", ["", "Hello.", "U2CERLKJA may not do that."])
def test_the_same_answer_shows_no_acceptance_where_nothing_has_an_effect(expect: str, body: str) -> None:
    usual = status(200, body=body)
    given = setting(usual, nonsense=status(404), idle=status(404), unsigned=usual)
    assert outcome(expect, status(200, body=body), given=given) == UNDECIDED


@pytest.mark.parametrize(
    "log",
    [
        BODY,
        "https://hooks.slack.com/commands/T1DC2JH3J/397700885554/96rGlfmibIGlgcZRskXaIFfN",
        "https:\\/\\/hooks.slack.com\\/commands\\/T1DC2JH3J\\/397700885554\\/96rGlfmibIGlgcZRskXaIFfN",
        "https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN",
        "dG9rZW49eHl6ejBXYmFwQTR2QkNERUZhc3gwcTZHJnRlYW1faWQ9VDFEQzJKSDNKJnRlYW1fZG9tYWluPXRlc3R0ZWFtbm93JmNoYW5u",
    ],
)
def test_a_body_and_its_address_are_found_in_a_log_however_they_are_written(log: str) -> None:
    import base64

    text = base64.b64encode(BODY.encode()).decode() if log.startswith("dG9r") else log
    assert overall("discreet-logs", Reply(status=200, logs=f"got {text}!")).outcome == FAILED


@pytest.mark.parametrize("expect", sorted(OVERALL - {"discreet-calls"}))
def test_all_answers_of_a_handler_that_refuses_genuine_requests_show_nothing(expect: str) -> None:
    assert overall(expect, NO).outcome == PASSED
    assert overall(expect, NO, genuine=NO).outcome == UNDECIDED
