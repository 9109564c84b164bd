"""Slack in memory: what its Web API answers a handler, plausibly enough that a client of Slack's own takes it."""

from __future__ import annotations

import json
import re
from typing import Any
from urllib.parse import parse_qs, urlsplit

from threatmodel.probe.protocol import EXCHANGES, MOST_CONTENT
from threatmodel.probe.runners.aws import World

TEAM, USER, BOT, CHANNEL = "T1DC2JH3J", "U2CERLKJA", "U0PROBEBOT", "G8PSS9T3V"
"""Those of Slack's published example, so that what is looked up fits the genuine request."""

_USER = {
    "id": USER,
    "team_id": TEAM,
    "name": "roadrunner",
    "real_name": "Road Runner",
    "deleted": False,
    "is_admin": False,
    "is_owner": False,
    "is_bot": False,
    "is_restricted": False,
    "tz": "Etc/UTC",
    "profile": {"display_name": "roadrunner", "real_name": "Road Runner", "email": "roadrunner@example.com"},
}
_CHANNEL = {"id": CHANNEL, "name": "foobar", "is_channel": True, "is_member": True, "is_private": False}
_MESSAGE = {"type": "message", "user": USER, "text": "hello", "ts": "1531420618.000200"}
_POSTED = {"channel": CHANNEL, "ts": "1531420619.000300", "message": {**_MESSAGE, "bot_id": "B0PROBE99"}}
_ANSWERS: dict[str, dict[str, Any]] = {
    "auth.test": {
        "url": "https://testteamnow.slack.com/",
        "team": "testteamnow",
        "user": "probe",
        "team_id": TEAM,
        "user_id": BOT,
        "bot_id": "B0PROBE99",
        "is_enterprise_install": False,
    },
    "api.test": {"args": {}},
    "bots.info": {"bot": {"id": "B0PROBE99", "app_id": "A0PROBE99", "user_id": BOT, "name": "probe"}},
    "team.info": {"team": {"id": TEAM, "name": "testteamnow", "domain": "testteamnow"}},
    "users.info": {"user": _USER},
    "users.lookupByEmail": {"user": _USER},
    "users.profile.get": {"profile": _USER["profile"]},
    "users.list": {"members": [_USER], "response_metadata": {"next_cursor": ""}},
    "users.conversations": {"channels": [_CHANNEL], "response_metadata": {"next_cursor": ""}},
    "usergroups.list": {"usergroups": []},
    "usergroups.users.list": {"users": [USER]},
    "conversations.info": {"channel": _CHANNEL},
    "conversations.list": {"channels": [_CHANNEL], "response_metadata": {"next_cursor": ""}},
    "conversations.members": {"members": [USER], "response_metadata": {"next_cursor": ""}},
    "conversations.history": {"messages": [_MESSAGE], "has_more": False},
    "conversations.replies": {"messages": [_MESSAGE], "has_more": False},
    "conversations.open": {"channel": {"id": CHANNEL}},
    "chat.postMessage": _POSTED,
    "chat.update": _POSTED,
    "chat.postEphemeral": {"message_ts": "1531420619.000300"},
    "views.open": {"view": {"id": "V0PROBE99", "type": "modal"}},
    "views.push": {"view": {"id": "V0PROBE99", "type": "modal"}},
    "views.update": {"view": {"id": "V0PROBE99", "type": "modal"}},
    "oauth.v2.access": {
        "access_token": "xoxb-probe-" + "5550000000-installed",
        "token_type": "bot",
        "scope": "commands",
        "bot_user_id": BOT,
        "app_id": "A0PROBE99",
        "team": {"id": TEAM, "name": "testteamnow"},
        "enterprise": None,
        "is_enterprise_install": False,
        "authed_user": {"id": USER},
    },
}


def _code(target: str, content: str) -> str:
    query = {**parse_qs(urlsplit(target).query), **parse_qs(content)}
    return query.get("code", [target + content])[0]


def answer(world: World, host: str, method: str, target: str, body: bytes) -> tuple[int, str, bytes]:
    """Status, content type and body of Slack's answer; what was asked is recorded, by the method of its Web API."""
    content = body[:MOST_CONTENT].decode(errors="replace")
    asked = re.match(r"/api/([A-Za-z][\w.]{1,60})", target)
    if asked is None or host.startswith("hooks."):
        world.note("network", method, host, content=f"{target}\n{content}")
        return 200, "text/html", b"ok"
    world.note("slack", asked[1], host, content=content)
    if asked[1] in EXCHANGES and not world.exchange(_code(target, content)):
        return 200, "application/json", b'{"ok": false, "error": "code_already_used"}'
    return 200, "application/json", json.dumps({"ok": True, **_ANSWERS.get(asked[1], {})}).encode()
