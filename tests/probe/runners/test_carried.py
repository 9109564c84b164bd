"""What an installation's first answer gives the browser comes back in the requests that name it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.probe.running import replies, written
from threatmodel.probe.protocol import Reply
from threatmodel.probe.runners.carried import Carried

SLACK = "https://slack.com/oauth/v2/authorize?client_id=1.2&state="


@pytest.mark.parametrize(
    ("reply", "state", "cookie"),
    [
        (Reply(status=302, headers={"Location": SLACK + "a%2Bb&scope=x"}), "a+b", ""),
        (Reply(status=302, headers={"location": SLACK + "a", "set-cookie": "s=1; Path=/; HttpOnly"}), "a", "s=1"),
        (
            Reply(
                status=200,
                headers={"Set-Cookie": "s=1; Expires=Wed, 01 Jan 2031 00:00:00 GMT, t=2; Secure"},
                body=f'<a href="{SLACK.replace("&", "&amp;")}b">Add to Slack</a>',
            ),
            "b",
            "s=1; t=2",
        ),
        (Reply(status=200, headers={"Set-Cookie": "s=; Max-Age=0"}, body="Installed."), "", ""),
    ],
)
def test_state_and_cookies_are_taken_from_the_answer_that_gives_a_state(reply: Reply, state: str, cookie: str) -> None:
    carried = Carried()
    carried.take(reply)
    assert (carried.state, carried.cookie) == (state, cookie)


def test_they_come_back_in_every_form_of_event() -> None:
    carried = Carried(state="a+b", cookie="s=1; t=2")
    event = {
        "queryStringParameters": {"state": "{state}"},
        "rawQueryString": "code=1&state=%7Bstate%7D",
        "headers": {"Cookie": "{cookie}"},
        "multiValueHeaders": {"Cookie": ["{cookie}"]},
    }
    assert carried.into(event) == {
        "queryStringParameters": {"state": "a+b"},
        "rawQueryString": "code=1&state=a%2Bb",
        "headers": {"Cookie": "s=1; t=2"},
        "multiValueHeaders": {"Cookie": ["s=1; t=2"]},
    }
    without = Carried(state="a").into(event)
    assert (without["headers"], without["multiValueHeaders"]) == ({}, {})
    assert carried.into(plain := {"headers": {"Cookie": "s=1"}}) is plain


@pytest.mark.slow
def test_an_environment_carries_what_its_own_answers_gave(tmp_path: Path) -> None:
    file = written(
        tmp_path,
        """
        def handler(event, context):
            if event["path"] == "/install":
                where = "https://slack.com/oauth/v2/authorize?state=made-here"
                return {"statusCode": 302, "headers": {"Location": where}, "cookies": ["s=1; Path=/", "t=2"]}
            return {"statusCode": 200, "body": event["query"] + " " + event["cookies"][0]}
        """,
    )
    back = {"path": "/back", "query": "{state}", "cookies": ["{cookie}"]}
    _, second = replies(file, {"path": "/install"}, back)
    assert second.body == "made-here s=1; t=2"
