"""What comes back is judged as the page says: never an all-clear that nothing shows."""

from __future__ import annotations

import base64
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.probe.judged import (
    ABROAD,
    CRASH,
    EXCHANGE,
    EXTENSION,
    GOOD,
    LOOK,
    METRIC,
    NO,
    POST,
    READ,
    REFUSED_WRITE,
    SEND,
    WRITE,
    case_of,
    outcome,
    setting,
    status,
)
from threatmodel.probe.cases import EXPECTED, OVERALL, REFUSING, Send
from threatmodel.probe.judging import judge
from threatmodel.probe.kinds import CHALLENGE
from threatmodel.probe.outcome_names import FAILED, NOT_RUN, OUTCOMES, PASSED, UNDECIDED
from threatmodel.probe.protocol import MOST_CONTENT, Effect, Reply
from threatmodel.probe.replies import side_effects


@pytest.mark.parametrize(
    ("expect", "reply", "expected"),
    [
        ("accepted", status(200), PASSED),
        ("accepted", status(204), PASSED),
        ("accepted", status(301), FAILED),
        ("accepted", status(401), FAILED),
        ("accepted", CRASH, FAILED),
        ("accepted", Reply(), FAILED),
        ("refused", NO, PASSED),
        ("refused", status(401, EXTENSION), PASSED),
        ("refused", status(403, REFUSED_WRITE), PASSED),
        ("refused", status(401, METRIC), PASSED),
        ("refused", status(401, WRITE), FAILED),
        ("refused", status(401, ABROAD), FAILED),
        ("refused", status(200), PASSED),
        ("refused", status(200, SEND), FAILED),
        ("refused", status(200, LOOK, body="3 orders"), UNDECIDED),
        ("refused", status(302), PASSED),
        ("refused", status(500), PASSED),
        ("refused", CRASH, PASSED),
        ("refused", Reply(ended="error", error="X", effects=(SEND,)), FAILED),
        ("refused", Reply(ended="timeout"), UNDECIDED),
        ("refused", Reply(ended="not-run"), UNDECIDED),
        ("refused", Reply(), PASSED),
        ("closed", status(500), PASSED),
        ("closed", status(500, SEND), FAILED),
        ("closed", CRASH, PASSED),
        ("closed", status(200), PASSED),
        ("closed", status(200, WRITE), FAILED),
        ("denied", status(403), PASSED),
        ("denied", status(200), PASSED),
        ("denied", status(200, WRITE, SEND), FAILED),
        ("denied", status(200, WRITE), UNDECIDED),
        ("denied", status(403, WRITE), UNDECIDED),
        ("denied", status(200, POST), FAILED),
        ("denied", CRASH, PASSED),
        ("plainly-refused", status(401), PASSED),
        ("plainly-refused", status(200), FAILED),
        ("plainly-refused", CRASH, FAILED),
        ("idle", status(200), PASSED),
        ("idle", CRASH, PASSED),
        ("idle", status(200, SEND), FAILED),
        ("not-open", status(500, REFUSED_WRITE), PASSED),
        ("not-open", status(200, REFUSED_WRITE, SEND), FAILED),
        ("nothing-later", status(200, SEND), PASSED),
        ("nothing-later", Reply(status=200, effects=(SEND,), after=1), FAILED),
        ("nothing-later", Reply(status=200, effects=(SEND, METRIC), after=1), PASSED),
        ("worked", GOOD, PASSED),
        ("worked", status(200, WRITE), FAILED),
        ("worked", status(401), FAILED),
        ("once", status(401), UNDECIDED),
        ("once", status(401, READ), UNDECIDED),
        ("once", status(401, LOOK), PASSED),
        ("once", status(401, REFUSED_WRITE), PASSED),
        ("once", status(200), UNDECIDED),
        ("once", status(200, REFUSED_WRITE), PASSED),
        ("once", status(200, WRITE, SEND), FAILED),
        ("once", status(200, SEND), FAILED),
        ("once", status(401, SEND), FAILED),
        ("once", status(200, WRITE), UNDECIDED),
        ("once", CRASH, UNDECIDED),
        ("once", Reply(ended="error", error="X", effects=(REFUSED_WRITE,)), PASSED),
        ("once", Reply(ended="timeout", effects=(REFUSED_WRITE,)), UNDECIDED),
        ("as-signed", GOOD, PASSED),
        ("as-signed", status(401), PASSED),
        ("as-signed", CRASH, PASSED),
        ("as-signed", Reply(ended="timeout"), UNDECIDED),
        ("unkept", status(401), PASSED),
        ("unkept", status(200, EXCHANGE), PASSED),
        ("unkept", CRASH, PASSED),
        ("unkept", Reply(ended="timeout"), UNDECIDED),
        ("unkept", status(200, EXCHANGE, WRITE), UNDECIDED),
        ("unkept", status(401, EXCHANGE, WRITE, SEND), FAILED),
        ("handled", status(200), PASSED),
        ("handled", status(400), PASSED),
        ("handled", status(500), FAILED),
        ("handled", CRASH, FAILED),
        ("harmless", status(200), PASSED),
        ("harmless", status(401), PASSED),
        ("harmless", status(200, SEND), FAILED),
        ("harmless", CRASH, FAILED),
        ("unswayed", status(200), PASSED),
        ("unswayed", status(301), FAILED),
        ("unswayed", status(401), FAILED),
        ("unswayed", status(200, body="see https://evil.example/x"), FAILED),
        ("unswayed", Reply(status=200, headers={"Location": "https://evil.example"}), FAILED),
        ("unswayed", status(200, ABROAD), FAILED),
        ("challenge", status(200, body=CHALLENGE), PASSED),
        ("challenge", status(200, body="ok"), FAILED),
        ("challenge", status(401), UNDECIDED),
        ("challenge", CRASH, FAILED),
        ("handed-over", GOOD, PASSED),
        ("handed-over", Reply(status=200, effects=(SEND,), seconds=3.0), FAILED),
        ("handed-over", Reply(ended="timeout"), FAILED),
        ("handed-over", status(200, SEND, POST), UNDECIDED),
        ("handed-over", status(200, WRITE), UNDECIDED),
        ("handed-over", status(401), UNDECIDED),
        ("not-fetched", status(200, ABROAD), FAILED),
        ("not-fetched", status(401), PASSED),
        ("not-fetched", status(200, SEND), NOT_RUN),
        ("not-fetched", CRASH, UNDECIDED),
    ],
)
def test_an_answer_is_judged(expect: str, reply: Reply, expected: str) -> None:
    assert outcome(expect, reply) == expected


def sent(content: str) -> Reply:
    return Reply(status=200, effects=(replace(SEND, content=content),))


@pytest.mark.parametrize(
    ("usual", "said", "expected"),
    [
        ('{"text": "deploy", "user": "U0001"}', '{"text": "probeoutside", "user": "U0001"}', FAILED),
        ('{"text": "undefined"}', '{"text": "probeoutside"}', FAILED),
        (
            base64.b64encode(b'{"text": "deploy"}').decode(),
            base64.b64encode(b'{"text": "probeoutside"}').decode(),
            FAILED,
        ),
        ('{"text": "deploy"}', '{"text": "deploy"}', PASSED),
        ('{"text": "deploy", "query": null}', '{"text": "deploy", "query": {"text": "probeoutside"}}', PASSED),
        ('{"query": null, "text": "deploy"}', f'{{"query": "probeoutside{"x" * MOST_CONTENT}'[:MOST_CONTENT], PASSED),
    ],
)
def test_what_is_not_signed_must_not_take_the_place_of_what_is(usual: str, said: str, expected: str) -> None:
    """The last two pass on the whole request, in which both are; of the last one, the end was not kept."""
    given = setting(sent(usual), signed=["deploy", "U0001"])
    assert outcome("as-signed", sent(said), given=given) == expected


def called(service: str, operation: str, content: str = "{}") -> Effect:
    return Effect(service=service, operation=operation, content=content)


ASKED = '{"FunctionName": "worker", "Payload": "{\\"text\\": \\"deploy\\"}"'


@pytest.mark.parametrize(
    ("effects", "expected"),
    [
        ([called("lambda", "Invoke", f'{ASKED}, "InvocationType": "Event"}}')], PASSED),
        ([called("lambda", "Invoke", f'{ASKED}, "InvocationType": "RequestResponse"}}')], UNDECIDED),
        (
            [
                called(
                    "lambda", "Invoke", '{"Payload": "{\\"InvocationType\\": \\"Event\\", \\"text\\": \\"deploy\\"}"}'
                )
            ],
            UNDECIDED,
        ),
        ([replace(SEND, content='{"MessageBody": "deploy"}')], PASSED),
        ([replace(SEND, content=f'{{"MessageBody": "{base64.b64encode(b"text=deploy&x=1").decode()}"}}')], PASSED),
        ([replace(SEND, content='{"MessageBody": "seen"}')], PASSED),
        ([WRITE, replace(SEND, content='{"MessageBody": "seen"}')], UNDECIDED),
        ([replace(SEND, content='{"MessageBody": "deploy"}'), called("codebuild", "StartBuild")], UNDECIDED),
        ([called("s3", "PutObject", '{"Body": "deploy"}'), replace(SEND, content='{"MessageBody": "key"}')], PASSED),
    ],
)
def test_work_is_handed_over_where_the_request_goes_along_and_nothing_is_waited_for(
    effects: list[Effect], expected: str
) -> None:
    given = setting(status(200), signed=["deploy"])
    assert outcome("handed-over", status(200, *effects), given=given) == expected


def test_every_expectation_has_cases_above() -> None:
    marks = test_an_answer_is_judged.pytestmark  # type: ignore[attr-defined]
    tried = {expect for expect, *_ in marks[0].args[1]}
    assert tried == set(EXPECTED) - OVERALL


REPLIES = st.builds(
    Reply,
    status=st.sampled_from([None, 200, 204, 301, 400, 401, 404, 413, 500, 502]),
    ended=st.sampled_from(["", "", "", "error", "timeout", "exit", "crash", "output", "memory", "not-run"]),
    effects=st.lists(st.sampled_from([READ, WRITE, REFUSED_WRITE, SEND, POST, ABROAD]), max_size=3).map(tuple),
    body=st.sampled_from(["", "ok", CHALLENGE]),
)


@given(REPLIES, st.sampled_from(sorted(REFUSING)), st.sampled_from([NO, CRASH, status(500), status(301), Reply()]))
def test_where_the_genuine_request_is_refused_no_refusal_passes(reply: Reply, expect: str, genuine: Reply) -> None:
    assert outcome(expect, reply, given=setting(genuine)) in {FAILED, UNDECIDED, NOT_RUN}


@given(REPLIES, st.sampled_from(sorted(REFUSING)), st.booleans())
def test_an_effect_never_passes_for_a_refusal(reply: Reply, expect: str, sees: bool) -> None:
    if expect in {"refused", "closed", "denied"} and side_effects(reply):
        assert outcome(expect, reply, given=setting(sees_effects=sees)) != PASSED


RAISED = {"error", "exit"}


@given(REPLIES, st.sampled_from(sorted(set(EXPECTED) - OVERALL)), st.booleans())
def test_only_an_answer_or_an_exception_before_any_effect_passes(reply: Reply, expect: str, sees: bool) -> None:
    if reply.ended and outcome(expect, reply, given=setting(sees_effects=sees)) == PASSED:
        assert expect in REFUSING
        assert expect in {"idle", "not-open"} or (sees and reply.ended in RAISED)
        assert not [effect for effect in side_effects(reply) if not (expect == "not-open" and effect.refused)]


@given(REPLIES, st.sampled_from(sorted(EXPECTED)), REPLIES, st.booleans())
def test_judging_never_raises_and_gives_a_reason(reply: Reply, expect: str, genuine: Reply, sees: bool) -> None:
    found = judge(
        case_of(expect), [reply], setting(genuine, sees_effects=sees, replies=[(case_of("refused"), [reply])])
    )
    assert found.outcome in OUTCOMES
    assert found.outcome == PASSED or found.why


def test_an_acceptance_shows_something_though_the_genuine_request_is_refused() -> None:
    found = judge(case_of("refused"), [status(200, SEND)], setting(NO))
    assert (found.outcome, found.why) == (FAILED, "it answered 200 and did this: sqs SendMessage work")


def test_a_refusal_says_why_it_shows_nothing() -> None:
    found = judge(case_of("refused"), [NO], setting(NO))
    assert (found.outcome, found.why) == (UNDECIDED, "a genuine request is rejected too")


@pytest.mark.parametrize(
    ("expect", "reply", "expected"),
    [
        ("refused", status(401), PASSED),
        ("denied", status(200), UNDECIDED),
        ("once", status(200), UNDECIDED),
        ("once", status(409), PASSED),
        ("refused", CRASH, UNDECIDED),
        ("harmless", status(200), UNDECIDED),
        ("not-fetched", status(401), UNDECIDED),
        ("refused", status(200), UNDECIDED),
        ("refused", status(200, body="done"), FAILED),
    ],
)
def test_where_effects_are_not_seen(expect: str, reply: Reply, expected: str) -> None:
    genuine = status(200, body=reply.body)
    assert outcome(expect, reply, given=setting(genuine, sees_effects=False)) == expected


@pytest.mark.parametrize(("expect", "expected"), [("denied", UNDECIDED), ("once", NOT_RUN), ("refused", UNDECIDED)])
def test_a_handler_without_effects_shows_nothing_by_200(expect: str, expected: str) -> None:
    assert outcome(expect, status(200), given=setting(status(200))) == expected


HELLO, ORDERS, WRONG = (status(200, body=text) for text in ("You said hello", "You said ", "wrong signature"))


@pytest.mark.parametrize(
    ("reply", "nonsense", "expected"),
    [
        (HELLO, ORDERS, FAILED),  # what it says rests on what was asked, though it is not signed
        (WRONG, WRONG, PASSED),  # whoever has no signature gets this, whatever they ask
        (WRONG, ORDERS, UNDECIDED),
        (WRONG, None, UNDECIDED),
        (HELLO, HELLO, UNDECIDED),
        (status(200), status(200), PASSED),
        (status(200), HELLO, UNDECIDED),
    ],
)
def test_where_nothing_has_an_effect_the_answers_tell_who_was_let_in(
    reply: Reply, nonsense: Reply | None, expected: str
) -> None:
    assert outcome("refused", reply, given=setting(HELLO, nonsense=nonsense)) == expected


def test_two_that_cannot_be_told_apart_are_said_to_be_so() -> None:
    found = judge(case_of("refused"), [HELLO], setting(HELLO, nonsense=HELLO))
    assert "cannot be distinguished" in found.why
    assert "--kind" in found.why


def test_a_hostile_request_is_compared_with_a_genuine_one_of_its_kind_and_form() -> None:
    given = setting(GOOD, twins={("event", "rest-api"): status(200, body="ok"), ("command", "alb"): status(200)})
    assert outcome("refused", status(200, body="ok"), given=given, send=[Send(body="event")]) == FAILED
    assert outcome("refused", status(200, body="no"), given=given, send=[Send(body="event")]) == PASSED
    assert outcome("refused", status(200), given=given, send=[Send(shape="alb")]) == PASSED


@pytest.mark.parametrize(
    ("anew", "expected"), [(GOOD, PASSED), (None, PASSED), (NO, UNDECIDED), (status(200, WRITE), UNDECIDED)]
)
def test_a_changed_body_shows_nothing_where_the_same_one_written_anew_is_refused(
    anew: Reply | None, expected: str
) -> None:
    send = [Send(change={"user": "U0"})]
    assert outcome("denied", NO, given=setting(round_trip=anew), send=send) == expected


def test_a_control_in_another_world_holds_for_what_comes_after_it() -> None:
    send = [Send(pad="short", control=True), Send(pad="large", apart=True)]
    assert outcome("refused", GOOD, NO, send=send) == PASSED
    assert outcome("refused", NO, NO, send=send) == UNDECIDED
    assert outcome("refused", GOOD, GOOD, send=send) == FAILED


def test_a_control_that_is_refused_leaves_a_probe_undecided() -> None:
    send = [Send(control=True), Send(again=True)]
    assert outcome("once", NO, NO, send=send) == UNDECIDED
    assert outcome("once", GOOD, status(401, REFUSED_WRITE), send=send) == PASSED
    assert outcome("once", GOOD, GOOD, send=send) == FAILED


def test_too_few_replies_are_no_pass() -> None:
    assert outcome("refused", NO, send=[Send(), Send()]) == UNDECIDED


def test_one_of_several_that_fails_is_told_with_its_number() -> None:
    sends = [Send(shows=3600), Send(shows=86400), Send(shows=None)]
    found = judge(case_of("refused", *sends), [NO, status(200, SEND), status(200, SEND)], setting())
    assert (found.outcome, found.at, found.shows) == (FAILED, 1, (86400, None))


def test_another_value_is_a_good_answer_but_for_a_rest_api() -> None:
    assert outcome("accepted", Reply(body='"ok"'), given=setting(shape="http-api")) == PASSED
    assert outcome("refused", Reply(body='"ok"', effects=(SEND,)), given=setting(shape="function-url")) == FAILED
    assert outcome("accepted", Reply(body='"ok"')) == FAILED


def test_a_refusal_after_an_effect_is_late_unless_another_request_is_accepted() -> None:
    sends = [Send(), Send()]
    assert judge(case_of("refused", *sends), [NO, status(401, SEND)], setting()).late
    assert not judge(case_of("refused", *sends), [status(401, SEND), status(200, SEND)], setting()).late
    assert not judge(case_of("refused"), [Reply(ended="error", effects=(SEND,))], setting()).late


INSTALL_PAGE = "https://slack.com/oauth/v2/authorize?client_id=1&state=s"


@pytest.mark.parametrize(
    ("path", "reply", "expected"),
    [
        ("/slack/install", Reply(status=302, headers={"Location": INSTALL_PAGE}, effects=(WRITE,)), PASSED),
        ("/slack/install", status(200, WRITE, body=f'<a href="{INSTALL_PAGE}">'), PASSED),
        ("/slack/install", Reply(status=302, headers={"Location": INSTALL_PAGE}, effects=(WRITE, SEND)), FAILED),
        ("/slack/install", Reply(status=302, headers={"Location": "https://app.example/"}, effects=(WRITE,)), FAILED),
        ("/slack/install", status(200, WRITE), FAILED),
        ("/slack/command", Reply(status=302, headers={"Location": INSTALL_PAGE}, effects=(WRITE,)), FAILED),
        ("", status(200, WRITE, body=INSTALL_PAGE), FAILED),
    ],
)
def test_nobody_signs_the_beginning_of_an_installation(path: str, reply: Reply, expected: str) -> None:
    case = replace(case_of("refused"), send=(Send(signature=None, path=path),))
    assert judge(case, [reply], setting()).outcome == expected


CALLBACK = Send(method="GET", path="callback", body="nothing", signature=None)


def test_an_installation_is_judged_only_behind_one_that_was_carried_out() -> None:
    begun = Send(method="GET", path="install", body="nothing", signature=None, control=True)
    case = replace(case_of("idle"), send=(begun, replace(CALLBACK, control=True), CALLBACK))
    led = Reply(status=302, headers={"Location": INSTALL_PAGE})
    done = status(200, EXCHANGE, WRITE)
    assert judge(case, [led, done, NO], setting()).outcome == PASSED
    assert judge(case, [led, done, done], setting()).outcome == FAILED
    assert judge(case, [led, NO, NO], setting()).outcome == NOT_RUN
    assert judge(case, [NO, NO, NO], setting()).outcome == NOT_RUN


def test_nothing_is_repeated_where_nothing_is_done_though_it_raises() -> None:
    given = setting(status(200, body="ids"))
    assert outcome("once", CRASH, given=given) == NOT_RUN
    assert outcome("once", Reply(ended="timeout"), given=given) == UNDECIDED


def test_the_check_of_an_address_alone_denies_nothing() -> None:
    greeted = status(200, body=CHALLENGE)
    given = replace(setting(greeted), kind="url_verification")
    assert judge(case_of("refused"), [greeted], given).outcome == UNDECIDED
    asked = replace(case_of("refused"), send=(Send(signature=None, body="url_verification"),))
    assert judge(asked, [greeted], given).outcome == FAILED
    assert judge(case_of("refused"), [status(200, SEND, body=CHALLENGE)], given).outcome == FAILED


def test_what_takes_only_the_check_of_an_address_is_proven_nothing_either() -> None:
    given = replace(setting(status(200, body=CHALLENGE), replies=[(case_of("refused"), [NO])]), kind="url_verification")
    assert {judge(case_of(expect), [NO], given).outcome for expect in (*REFUSING, *OVERALL)} <= {UNDECIDED, NOT_RUN}
