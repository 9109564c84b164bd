"""order-bot's secret, and what goes wrong: what is told of it, and what is not."""

from __future__ import annotations

import json
import logging

import pytest

from tests.examples.standing_in import (
    AT,
    FORGED,
    REFUSAL,
    SECRET,
    SIGNATURE,
    UNAUTHORISED,
    Ask,
    Aws,
    form,
    signed,
    told,
)


def test_secret_is_read_every_five_minutes(ask: Ask, aws: Aws) -> None:
    for second in (0, 1, 299, 300, 599, 600):
        aws.now = AT + second
        assert ask(signed(timestamp=AT + second))["statusCode"] == 200
    assert aws.reads == 3


def test_new_secret_is_found_when_the_old_one_does_not_fit(ask: Ask, aws: Aws) -> None:
    ask()
    aws.secrets = {"AWSCURRENT": ("new", AT + 30), "AWSPREVIOUS": (SECRET, 0.0)}
    aws.now = AT + 60
    assert ask(signed(timestamp=AT + 60, secret="new"))["statusCode"] == 200
    assert ask(signed(timestamp=AT + 61))["statusCode"] == 200


def test_wrong_signatures_cause_a_read_a_minute_at_most(ask: Ask, aws: Aws) -> None:
    for second in range(180):
        aws.now = AT + second
        assert ask(signed(timestamp=AT + second, secret="wrong")) == REFUSAL
    assert aws.reads == 3


def test_secret_before_the_current_one_counts_for_an_hour(ask: Ask, aws: Aws) -> None:
    aws.secrets = {"AWSCURRENT": ("new", AT - 3599), "AWSPREVIOUS": (SECRET, 0.0)}
    assert ask()["statusCode"] == 200
    aws.now = AT + 300
    assert ask(signed(timestamp=AT + 300)) == REFUSAL
    assert ask(signed(timestamp=AT + 300, secret="new"))["statusCode"] == 200


@pytest.mark.parametrize("how", ["broken", "lost"])
@pytest.mark.parametrize("name", ["get_secret_value", "put_item"])
def test_what_fails_before_the_request_counts_is_a_refusal(ask: Ask, aws: Aws, how: str, name: str) -> None:
    setattr(aws, how, {name})
    assert ask() == REFUSAL
    assert aws.sent == []


def test_a_service_that_hangs_leaves_time_to_answer(ask: Ask, aws: Aws) -> None:
    assert ask()["statusCode"] == 200
    assert sorted(aws.configs) == ["dynamodb", "secretsmanager", "sqs"]
    for config in aws.configs.values():
        assert config
        longest = (config.connect_timeout + config.read_timeout) * config.retries["total_max_attempts"]
        assert longest <= 2.8


def test_an_answer_that_is_lost_afterwards_is_told_without_a_reason(
    ask: Ask, aws: Aws, caplog: pytest.LogCaptureFixture
) -> None:
    aws.lost = {"send_message"}
    answer = ask()
    assert answer["statusCode"] == 200
    assert json.loads(answer["body"])["text"] == "That did not work. Reference: 6f1e0c2a"
    (record,) = told(caplog)
    assert (record["error"], record["code"]) == ("ReadTimeoutError", None)


def test_what_fails_afterwards_is_told_to_the_caller_without_a_reason(
    ask: Ask, aws: Aws, caplog: pytest.LogCaptureFixture
) -> None:
    aws.broken = {"send_message"}
    answer = ask()
    assert answer["statusCode"] == 200
    assert json.loads(answer["body"])["text"] == "That did not work. Reference: 6f1e0c2a"
    (record,) = told(caplog)
    assert (record["levelname"], record["error"], record["code"]) == (
        "ERROR",
        "RefusedByAwsError",
        "AccessDeniedException",
    )
    assert record["steps"][0].startswith("app.py:")


def test_log_names_the_check_and_nothing_that_is_secret(ask: Ask, aws: Aws, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    ask()
    ask()
    aws.broken = {"put_item"}
    ask(signed(form(text="new mug")))
    ask(signed(timestamp=AT - 301))
    for event in FORGED.values():
        ask(event)
    for changes in UNAUTHORISED.values():
        ask(signed(form(**changes)))
    assert [record["msg"] for record in told(caplog)][:3] == ["queued", "refused", "failed"]
    assert {record["reason"] for record in told(caplog) if record["msg"] == "refused"} == {
        "body",
        "caller",
        "command",
        "form",
        "replay",
        "response_url",
        "signature",
        "timestamp",
        "x-slack-request-timestamp",
        "x-slack-signature",
    }
    everything = repr(told(caplog))
    for secret in (SECRET, SIGNATURE[3:], "xyzz0Wbap", "hooks.slack.com", "96rGlf", "trigger_id", "803a0bc8", "mug"):
        assert secret not in everything
