"""Replies, effects and cases that the tests of judging share."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from threatmodel.probe.cases import OVERALL, Case, Send
from threatmodel.probe.judging import judge
from threatmodel.probe.leaks import Hidden
from threatmodel.probe.outcome import Setting
from threatmodel.probe.protocol import Effect, Reply
from threatmodel.probe.requests import Genuine

SOUND = {
    "acknowledges_first": True,
    "authorizes_caller": True,
    "errors_generic": True,
    "ignores_forwarded_headers": True,
    "limits_body_size": True,
    "logs_redacted": True,
    "rejects_replay": True,
    "timestamp_tolerance_seconds": 300,
    "verification_fails_closed": True,
    "verifies_signature": True,
}
"""What a run decides of a handler that does all of it right."""

SIGNATURE = "v0=" + "0123456789abcdef" * 4
WRITE = Effect(service="dynamodb", operation="PutItem", detail="replay")
REFUSED_WRITE = Effect(service="dynamodb", operation="PutItem", detail="replay", refused=True)
EXCHANGE = Effect(service="slack", operation="oauth.v2.access", detail="slack.com")
SEND = Effect(service="sqs", operation="SendMessage", detail="work")
READ = Effect(service="secretsmanager", operation="GetSecretValue", detail="arn")
LOOK = Effect(service="dynamodb", operation="GetItem", detail="replay")
METRIC = Effect(service="cloudwatch", operation="PutMetricData", detail="refusals")
POST = Effect(service="network", operation="POST", detail="slack.com")
ABROAD = Effect(service="network", operation="CONNECT", detail="evil.example", refused=True)
EXTENSION = Effect(service="network", operation="GET", detail="localhost:2773")
GOOD = Reply(status=200, effects=(READ, WRITE, SEND))
NO = Reply(status=401, effects=(READ,))
CRASH = Reply(ended="error", error="KeyError")
HIDDEN = Hidden(Genuine(), [SIGNATURE], {"WORK_QUEUE_URL": "https://queue", "STAGE": "prod"})


def setting(genuine: Reply = GOOD, *, sees_effects: bool = True, shape: str = "rest-api", **rest: Any) -> Setting:
    return Setting(genuine=genuine, shape=shape, sees_effects=sees_effects, hidden=HIDDEN, **rest)


def case_of(expect: str, *send: Send, name: str = "x", decides: Any = None) -> Case:
    sends = () if expect in OVERALL else send or (Send(),)
    return Case(id=name, title="x", level="required", expect=expect, failure="x", decides=decides or {}, send=sends)


COMMON: dict[str, Any] = {
    "id": "x",
    "title": "x",
    "level": "required",
    "expect": "closed",
    "failure": "x",
    "decides": {},
}


def outcome(expect: str, *replies: Reply, given: Setting | None = None, send: Sequence[Send] = ()) -> str:
    return judge(case_of(expect, *send), replies, given or setting()).outcome


def status(code: int, *effects: Effect, body: str = "") -> Reply:
    return Reply(status=code, effects=effects, body=body)
