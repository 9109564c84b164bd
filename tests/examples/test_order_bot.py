"""Whom order-bot lets in."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable

import pytest

from tests.examples.standing_in import (
    AT,
    BODY,
    FORGED,
    REFUSAL,
    SECRET,
    UNAUTHORISED,
    Ask,
    Aws,
    form,
    headers,
    rest,
    signed,
)


def test_slack_s_own_request_is_accepted_at_its_time(ask: Ask, aws: Aws) -> None:
    assert signed() == rest()
    answer = ask()
    assert answer["statusCode"] == 200
    assert json.loads(answer["body"]) == {"response_type": "ephemeral", "text": "Working on it."}
    request = hashlib.sha256(f"v0:{AT}:{BODY}".encode()).hexdigest()
    response_url = "https://hooks.slack.com/commands/T1DC2JH3J/397700885554/96rGlfmibIGlgcZRskXaIFfN"
    assert aws.sent == [{"request": request, "user_id": "U2CERLKJA", "text": "", "response_url": response_url}]
    assert aws.tables["replay"] == {request: {"request_key": {"S": request}, "expires_at": {"N": str(AT + 900)}}}


@pytest.mark.parametrize("app", ["A012AB3CD", None])
def test_the_app_s_id_may_be_left_out(ask: Ask, aws: Aws, app: str | None) -> None:
    assert ask(signed(form(api_app_id=app)))["statusCode"] == 200
    assert len(aws.sent) == 1


def test_replay_is_refused(ask: Ask, aws: Aws) -> None:
    assert [ask()["statusCode"] for _ in range(3)] == [200, 401, 401]
    assert ask() == REFUSAL
    assert len(aws.sent) == 1


@pytest.mark.parametrize("away", [-300, 0, 300])
def test_inside_the_window(ask: Ask, aws: Aws, away: int) -> None:
    aws.now = AT + away
    assert ask()["statusCode"] == 200


@pytest.mark.parametrize("away", [-1e9, -301, -300.5, 300.5, 301, 3e8])
def test_outside_the_window(ask: Ask, aws: Aws, away: float) -> None:
    aws.now = AT + away
    assert ask() == REFUSAL
    assert (aws.sent, aws.reads) == ([], 0)


@pytest.mark.parametrize(
    "timestamp", ["", "abc", f"{AT}.0", f" {AT}", f"+{AT}", f"{AT}\n", f"-{AT}", "1531420618".translate({49: "\u0661"})]
)
def test_timestamp_that_is_no_number(ask: Ask, aws: Aws, timestamp: str) -> None:
    assert ask(signed(timestamp=timestamp)) == REFUSAL
    assert aws.sent == []


@pytest.mark.parametrize("timestamp", ["9" * 12, "9" * 10_000])
def test_timestamp_without_end(ask: Ask, timestamp: str) -> None:
    assert ask(signed(timestamp=timestamp)) == REFUSAL


@pytest.mark.parametrize("name", FORGED)
def test_what_slack_did_not_send_is_refused(ask: Ask, aws: Aws, name: str) -> None:
    assert ask(FORGED[name]) == REFUSAL
    assert (aws.sent, aws.tables["replay"]) == ([], {})


@pytest.mark.parametrize(
    "secrets",
    [
        {"AWSCURRENT": ("", 0.0)},
        {"AWSCURRENT": (" \n", 0.0)},
        {},
        {"AWSCURRENT": ("", AT), "AWSPREVIOUS": ("", 0.0)},
    ],
)
def test_without_a_secret_nobody_gets_in(ask: Ask, aws: Aws, secrets: dict[str, tuple[str, float]]) -> None:
    aws.secrets = secrets
    for guessed in ("", " \n", SECRET):
        assert ask(signed(secret=guessed)) == REFUSAL
    assert aws.sent == []


def test_a_line_break_behind_the_secret_does_not_count(ask: Ask, aws: Aws) -> None:
    aws.secrets = {"AWSCURRENT": (f"{SECRET}\n", 0.0)}
    assert ask()["statusCode"] == 200


@pytest.mark.parametrize("body", [BODY.encode(), form(text="f\u00fcr drei").encode()])
def test_base64(ask: Ask, aws: Aws, body: bytes) -> None:
    assert ask(signed(body))["statusCode"] == 200
    assert len(aws.sent) == 1


@pytest.mark.parametrize("case", [str.lower, str.upper, str.title, str.swapcase])
def test_case_of_header_names(ask: Ask, case: Callable[[str], str]) -> None:
    sent = {case(name): value for name, value in headers().items()}
    assert ask(rest(sent=sent))["statusCode"] == 200


@pytest.mark.parametrize("left_out", ["headers", "multiValueHeaders"])
def test_one_kind_of_headers_is_enough(ask: Ask, left_out: str) -> None:
    assert ask({name: value for name, value in rest().items() if name != left_out})["statusCode"] == 200


@pytest.mark.parametrize("name", UNAUTHORISED)
def test_who_may_not_is_refused_like_everybody(ask: Ask, aws: Aws, name: str) -> None:
    assert ask(signed(form(**UNAUTHORISED[name]))) == REFUSAL
    assert aws.sent == []


@pytest.mark.parametrize("variable", ["ALLOWED_IDS", "ALLOWED_COMMANDS"])
@pytest.mark.parametrize("value", ["", " , ", None])
def test_an_empty_list_lets_nobody_in(
    ask: Ask, monkeypatch: pytest.MonkeyPatch, variable: str, value: str | None
) -> None:
    monkeypatch.delenv(variable) if value is None else monkeypatch.setenv(variable, value)
    assert ask() == REFUSAL
    assert ask(signed(form(team_id="", user_id=""))) == REFUSAL
    assert ask(signed(form(command=""))) == REFUSAL


def test_certificate_check(ask: Ask, aws: Aws) -> None:
    assert ask(signed("token=a&ssl_check=1")) == {"statusCode": 200, "body": ""}
    assert ask(rest("token=a&ssl_check=1")) == REFUSAL
    assert aws.sent == []
