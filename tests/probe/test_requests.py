"""Requests are what Slack sends, and each differs from a genuine one in what its probe says and nothing else."""

from __future__ import annotations

import base64
import hashlib
import json
from dataclasses import replace
from typing import Any
from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st
from slack_sdk.signature import SignatureVerifier

from threatmodel.probe import bodies
from threatmodel.probe.bodies import UnknownBodyError, changed, parse, round_trip, written
from threatmodel.probe.cases import Case, Send, load_cases
from threatmodel.probe.expanding import expanded
from threatmodel.probe.kinds import BODY, KINDS, kind_of
from threatmodel.probe.protocol import Call
from threatmodel.probe.requests import LARGE, MARGIN, SECRET, Genuine, sent
from threatmodel.probe.slack import PUBLISHED, signature
from threatmodel.probe.wording import in_words

NOW = 1_795_000_000.25
GENUINE = Genuine(now=NOW)


def case_of(*sends: Send, secret: str) -> Case:
    return Case(
        id="x", title="x", level="required", expect="refused", failure="x", decides={}, send=sends, secret=secret
    )


def calls_of(case: Case, genuine: Genuine = GENUINE) -> list[Call]:
    return [call for one in sent(expanded(case, genuine), genuine) for call in one.scenario.calls]


def event_of(send: Send, genuine: Genuine = GENUINE) -> dict[str, Any]:
    return dict(calls_of(case_of(send, secret="right"), genuine)[0].event)


def body_of(event: dict[str, Any]) -> bytes:
    body = event["body"] or ""
    return base64.b64decode(body) if event["isBase64Encoded"] else str(body).encode()


def header(event: dict[str, Any], name: str) -> str | None:
    return next((value for key, value in event["headers"].items() if key.lower() == name.lower()), None)


def is_valid(event: dict[str, Any], secret: str = GENUINE.secret) -> bool:
    """What Slack's own verifier says, without its clock."""
    expected = SignatureVerifier(secret).generate_signature(
        timestamp=header(event, "X-Slack-Request-Timestamp") or "", body=body_of(event)
    )
    return expected == header(event, "X-Slack-Signature")


def test_the_published_example_is_slack_s() -> None:
    body = PUBLISHED.body.encode()
    assert len(body) == 362
    assert hashlib.sha256(body).hexdigest() == "390eeeff8d0cb7c9f6ecf8a88c3df6452fea0914eb02f64844369f3758d8d330"
    assert signature(PUBLISHED.secret, "1531420618", body) == PUBLISHED.signature
    assert PUBLISHED.signature == "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503"


def test_the_base_joined_by_dots_gives_another_signature() -> None:
    found = signature(PUBLISHED.secret, "1531420618", PUBLISHED.body.encode(), "dots")
    assert found == "v0=b7ac5755bce179bb844769c301a9742462cabad126c047bdf54d426f0af38803"


def test_dots_can_be_shifted() -> None:
    assert signature("s", "1531420618", b"5.x", "dots") == signature("s", "1531420618.5", b"x", "dots")
    assert signature("s", "1531420618", b"5.x") != signature("s", "1531420618.5", b"x")


@pytest.mark.parametrize("shape", ["rest-api", "http-api", "function-url", "alb"])
@pytest.mark.parametrize("body", ["genuine", *KINDS, "bot-event", "ssl-check", "nothing", "nonsense"])
def test_genuine_requests_satisfy_slack_s_own_verifier(shape: str, body: str) -> None:
    assert is_valid(event_of(Send(body=body, shape=shape)))


def test_the_published_request_is_sent_as_published_at_its_time() -> None:
    (scenario,) = (one.scenario for one in sent(case_of(Send(body="published"), secret="published"), GENUINE))
    event = dict(scenario.calls[0].event)
    assert scenario.calls[0].at == PUBLISHED.timestamp
    assert scenario.secret == PUBLISHED.secret
    assert body_of(event) == PUBLISHED.body.encode()
    assert header(event, "X-Slack-Signature") == PUBLISHED.signature
    assert header(event, "X-Slack-Request-Timestamp") == "1531420618"


def test_forms_of_events() -> None:
    rest, http, url = (event_of(Send(shape=shape)) for shape in ("rest-api", "http-api", "function-url"))
    assert rest["body"] == BODY
    assert rest["multiValueHeaders"]["X-Slack-Signature"] == [rest["headers"]["X-Slack-Signature"]]
    assert "version" not in rest
    for event in (http, url):
        assert event["version"] == "2.0"
        assert all(name == name.lower() for name in event["headers"])
        assert event["isBase64Encoded"]
        assert body_of(event) == BODY.encode()
        assert event["requestContext"]["http"]["method"] == "POST"
    assert (http["routeKey"], url["routeKey"]) == ("POST /slack/command", "$default")
    assert not event_of(Send(shape="http-api", body="event"))["isBase64Encoded"]


@pytest.mark.parametrize("case", [case for case in load_cases() if case.send], ids=lambda case: case.id)
def test_what_is_sent_is_json_fits_lambda_and_has_words(case: Case) -> None:
    genuine = replace(GENUINE, paths=("/install", "/oauth_redirect"))
    case = expanded(case, genuine)
    several = sent(case, genuine)
    calls = [call for one in several for call in one.scenario.calls]
    signatures = [signature for one in several for signature in one.signatures]
    assert len(calls) == len(case.send)
    for call, send in zip(calls, case.send, strict=True):
        assert len(json.dumps(call.event).encode()) < 6 * 1024 * 1024
        assert in_words(send)
        if send.rule or send.secret != "right":  # too many to look for in each log, and no secrets of the app
            continue
        if call.event.get("headers") and (given := header(dict(call.event), "X-Slack-Signature")):
            assert given in signatures


# what each probe changes: whether the signature fits, and how far its timestamp is from now
@pytest.mark.parametrize(
    ("name", "valid", "distance"),
    [
        ("genuine", True, 0),
        ("no-signature", False, 0),
        ("wrong-secret", False, 0),
        ("body-changed", False, 0),
        ("base64-body-changed", False, 0),
        ("joined-by-dots", False, 0),
        ("timestamp-changed", False, 0),
        ("timestamp-301-seconds-old", True, -301),
        ("timestamp-301-seconds-ahead", True, 301),
        ("retry-without-signature", False, 0),
        ("foreign-host", True, 0),
        ("other-user", True, 0),
        ("six-megabyte-body", True, 0),
        ("base64-body", True, 0),
    ],
)
def test_only_what_a_probe_says_is_wrong(name: str, valid: bool, distance: int) -> None:
    case = next(case for case in load_cases() if case.id == name)
    event = dict(calls_of(case)[0].event)
    assert is_valid(event) is valid
    assert int(header(event, "X-Slack-Request-Timestamp") or "0") - int(NOW) == distance


@pytest.mark.parametrize(
    ("name", "keys"), [("empty-secret", [""]), ("missing-secret", ["", "None", "undefined", "null"])]
)
def test_without_a_secret_the_attacker_signs_with_what_code_makes_of_nothing(name: str, keys: list[str]) -> None:
    case = next(case for case in load_cases() if case.id == name)
    ((scenario, _),) = sent(case, GENUINE)
    assert scenario.secret == ("" if name == "empty-secret" else None)
    for call, key in zip(scenario.calls, [*keys, SECRET], strict=True):  # at last with what the source may fall back to
        found = header(dict(call.event), "X-Slack-Request-Timestamp") or ""
        assert header(dict(call.event), "X-Slack-Signature") == signature(key, found, BODY.encode())


def test_two_timestamps_stand_in_both_orders() -> None:
    case = next(case for case in load_cases() if case.id == "two-timestamps")
    old, new = str(int(NOW) - 3600), str(int(NOW))
    found = [call.event["multiValueHeaders"]["X-Slack-Request-Timestamp"] for call in calls_of(case)]
    assert found == [[new, old], [old, new], [f"{new}, {old}"], [f"{old}, {new}"]]


def test_a_replay_is_the_same_request() -> None:
    ((scenario, signatures),) = sent(case_of(Send(), Send(again=True), secret="right"), GENUINE)
    first, second = (dict(call.event) for call in scenario.calls)
    names = [event.pop("requestContext")["requestId"] for event in (first, second)]
    assert first == second
    assert len(set(names)) == 2, "what AWS calls a request must not serve to know it again"
    assert len(signatures) == 1


def test_a_redelivered_event_has_the_same_id_and_another_signature() -> None:
    case = next(case for case in load_cases() if case.id == "redelivered-event")
    first, second = (dict(call.event) for call in calls_of(case))
    assert body_of(first) == body_of(second)
    assert header(first, "X-Slack-Signature") != header(second, "X-Slack-Signature")
    assert is_valid(first)
    assert is_valid(second)


@pytest.mark.parametrize(
    ("names", "expected"),
    [("lower", "x-slack-signature"), ("upper", "X-SLACK-SIGNATURE"), ("mixed", "x-sLaCk-sIgNaTuRe")],
)
def test_header_names(names: str, expected: str) -> None:
    assert expected in event_of(Send(header_names=names))["headers"]


def test_no_headers_and_no_body_are_null() -> None:
    event = event_of(Send(no_headers=True, body="nothing"))
    assert (event["headers"], event["multiValueHeaders"], event["body"]) == (None, None, None)


def test_where_the_clock_cannot_be_set_only_what_lies_ahead_gets_a_margin() -> None:
    real = Genuine(now=NOW, sets_clock=False)
    call = calls_of(case_of(Send(), secret="right"), real)[0]
    assert call.at is None
    distances = {
        clock: int(header(event_of(Send(clock=clock), real), "X-Slack-Request-Timestamp") or 0) - int(NOW)
        for clock in (-301, 0, 301)
    }
    assert distances == {-301: -301, 0: 0, 301: 301 + MARGIN}


@pytest.mark.parametrize("shape", ["rest-api", "http-api", "function-url", "alb"])
@pytest.mark.parametrize("kind", ["command", "event", "action"])
def test_the_large_event_just_fits_lambda(shape: str, kind: str) -> None:
    genuine = Genuine(now=NOW, body=GENUINE.of_kind(kind), kind=kind)
    size = len(json.dumps(event_of(Send(pad="large", shape=shape), genuine)))
    assert 5_800_000 < size < 6 * 1024 * 1024
    assert LARGE < 6 * 1024 * 1024


_TEXT = st.text(st.characters(codec="utf-8"), max_size=30)


def leaves(body: str) -> list[tuple[Any, Any]]:
    return list(bodies.leaves(parse(body)))


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "url_verification"])
@pytest.mark.parametrize("role", ["user", "workspace"])
def test_a_change_is_made_inside_the_body_s_own_form_and_nothing_else_differs(kind: str, role: str) -> None:
    body = GENUINE.of_kind(kind)
    other = changed(body, {role: "X0PROBE"})
    assert other is not None
    assert kind_of(other) == kind
    differing = [keys for (keys, old), (_, new) in zip(leaves(body), leaves(other), strict=True) if old != new]
    assert differing
    assert {new for (_, old), (_, new) in zip(leaves(body), leaves(other), strict=True) if old != new} == {"X0PROBE"}
    assert all("user" in str(keys) if role == "user" else "team" in str(keys) for keys in differing)


def test_what_is_not_in_a_body_cannot_be_changed() -> None:
    assert changed(GENUINE.of_kind("view"), {"response_url": "https://evil.example/"}) is None
    assert changed("a=b", {"delivery": "1"}) == "a=b"


@pytest.mark.parametrize("kind", KINDS)
def test_a_body_written_anew_says_the_same(kind: str) -> None:
    body = GENUINE.of_kind(kind)
    assert leaves(round_trip(body)) == leaves(body)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | _TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_TEXT, inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(_TEXT, JSON, max_size=4), st.sampled_from(["json", "payload", "field"]))
def test_any_json_is_written_as_it_was_read(value: dict[str, Any], form: str) -> None:
    text = json.dumps(value)
    body = text if form == "json" else urlencode({"payload" if form == "payload" else "state": text, "a": "b"})
    assert leaves(written(parse(body))) == leaves(body)


@pytest.mark.parametrize(
    "body", ["", "hello", "{", "[1]", "<xml/>", "--b\r\nContent-Disposition: form-data", "=x", "a", "a=b&c", "1=2"]
)
def test_a_body_of_a_form_that_is_not_understood_is_refused(body: str) -> None:
    with pytest.raises(UnknownBodyError):
        parse(body)


@given(st.text(st.characters(codec="utf-8"), min_size=1, max_size=40), _TEXT)
def test_any_body_and_secret_are_signed_as_slack_does(body: str, secret: str) -> None:
    event = event_of(Send(), Genuine(now=NOW, body=body, secret=secret + "x"))
    assert is_valid(event, secret + "x")
