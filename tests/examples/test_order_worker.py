"""What order-worker does with a message."""

from __future__ import annotations

import http.client
import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.examples.standing_in import CONTEXT, SECRET, Aws, Slack, loaded, told


@pytest.fixture
def slack(monkeypatch: pytest.MonkeyPatch) -> Slack:
    hosts = Slack()
    monkeypatch.setattr(http.client, "HTTPSConnection", hosts)
    return hosts


Work = Callable[..., None]


@pytest.fixture
def work(aws: Aws, slack: Slack, monkeypatch: pytest.MonkeyPatch) -> Work:
    """Has order-worker work on a message: a good one, with what the test changes of it."""
    assert slack.posted == []
    worker = loaded("worker", aws, monkeypatch)

    def worked(text: str = "new two mugs", **changes: Any) -> None:
        message = {"request": "0123456789abcdef" * 4, "user_id": "U2CERLKJA", "text": text, "response_url": ANSWER_AT}
        worker.handler({"Records": [{"body": json.dumps({**message, **changes})}]}, CONTEXT)

    return worked


ANSWER_AT = "https://hooks.slack.com/commands/T1/2/abc"


def said(slack: Slack) -> list[str]:
    return [content["text"] for _, _, content, _ in slack.posted]


def test_order_is_placed_once_and_found_by_who_placed_it(work: Work, aws: Aws, slack: Slack) -> None:
    work("new <!channel> & two mugs")
    work("new <!channel> & two mugs")
    work(" 0123456789AB ")
    work("0123456789AB", user_id="U999")
    work("BA9876543210")
    assert said(slack) == [
        "Order 0123456789AB is placed.",
        "Order 0123456789AB is placed.",
        "Order 0123456789AB: &lt;!channel&gt; &amp; two mugs",
        "There is no such order.",
        "There is no such order.",
    ]
    assert {(host, path, token) for host, path, _, token in slack.posted} == {
        ("hooks.slack.com", "/commands/T1/2/abc", None)
    }
    assert len(aws.tables["orders"]) == 1
    assert aws.reads == 0


@pytest.mark.parametrize("text", ["", "new", "new ", "new a\nb", "new " + "a" * 101, "0123456789ab", "0123456789ABC"])
def test_text_that_is_no_order(work: Work, aws: Aws, slack: Slack, text: str) -> None:
    work(text)
    assert said(slack)[0].startswith("Which order?")
    assert aws.tables["orders"] == {}


@pytest.mark.parametrize(
    "changes",
    [
        {"response_url": "https://example.com/commands/T1/2/abc"},
        {"response_url": "https://hooks.slack.com.example.com/commands/T1/2/abc"},
        {"response_url": "https://hooks.slack.com@example.com/commands/T1/2/abc"},
        {"response_url": "http://hooks.slack.com/commands/T1/2/abc"},
        {"response_url": "https://hooks.slack.com/commands/T1/2/abc\r\nHost: example.com"},
        {"response_url": "https://hooks.slack.com/services/T1/2/abc"},
        {"response_url": None},
        {"request": "0123456789ab"},
        {"user_id": "*"},
        {"text": 1},
    ],
)
def test_message_that_order_bot_did_not_write(work: Work, aws: Aws, slack: Slack, changes: dict[str, Any]) -> None:
    with pytest.raises(Exception, match=r"^$"):
        work(**changes)
    assert slack.posted == []
    assert aws.tables["orders"] == {}


def test_answer_goes_by_direct_message_where_the_address_is_used_up(work: Work, slack: Slack) -> None:
    slack.answers["hooks.slack.com"] = (404, "used_url")
    work()
    (_, _, content, _), (host, path, direct, token) = slack.posted
    assert (host, path, token) == ("slack.com", "/api/chat.postMessage", f"Bearer {SECRET}")
    assert (direct["channel"], direct["text"]) == ("U2CERLKJA", content["text"])


@pytest.mark.parametrize(
    "answers",
    [
        {"hooks.slack.com": (500, "")},
        {"hooks.slack.com": (302, "")},
        {"hooks.slack.com": (404, ""), "slack.com": (200, '{"ok": false, "error": "xoxb-1"}')},
        {"hooks.slack.com": (404, ""), "slack.com": (503, "xoxb-1")},
        {"hooks.slack.com": (404, ""), "slack.com": (200, "xoxb-1")},
    ],
)
def test_answer_that_does_not_arrive_is_tried_again(
    work: Work, slack: Slack, caplog: pytest.LogCaptureFixture, answers: dict[str, tuple[int, str]]
) -> None:
    slack.answers.update(answers)
    with pytest.raises(Exception, match=r"^$") as raised:
        work()
    assert type(raised.value).__name__ == "FailedError"
    assert raised.value.__suppress_context__
    everything = repr(told(caplog))
    for secret in (SECRET, "hooks.slack.com", "mugs", "xoxb-1"):
        assert secret not in everything


def test_worker_s_failures_tell_nothing_of_the_order(
    work: Work, aws: Aws, slack: Slack, caplog: pytest.LogCaptureFixture
) -> None:
    aws.broken = {"put_item"}
    with pytest.raises(Exception, match=r"^$"):
        work()
    aws.broken, aws.lost = set(), {"put_item"}
    with pytest.raises(Exception, match=r"^$"):
        work()
    record, lost = told(caplog)
    assert (record["msg"], record["code"]) == ("failed", "AccessDeniedException")
    assert (lost["msg"], lost["error"]) == ("failed", "ReadTimeoutError")
    assert "mugs" not in repr(record)
    assert SECRET not in repr(record)
    assert slack.posted == []
