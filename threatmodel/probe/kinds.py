"""The kinds of request that Slack sends, and a genuine one of each."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple
from urllib.parse import urlencode

from threatmodel.probe.bodies import Body, Nested, found, parse
from threatmodel.probe.slack import PUBLISHED

KINDS = (
    "command",
    "event",
    "action",
    "view",
    "shortcut",
    "options",
    "view_closed",
    "message_shortcut",
    "url_verification",
)
"""What `--kind` takes: docs.slack.dev/interactivity/implementing-slash-commands, /apis/events-api,
/reference/interaction-payloads."""

_LIKE = {"view_closed": "view", "message_shortcut": "shortcut"}
"""Kinds that come by the same way as another: where a handler serves both, every probe is asked of the first alone."""

CHALLENGE = "3eZbrw1aBm2rZgRNFdxV2595E9CY3gmdALWMmHkvFXO7tYXAYM8P"
TEXT = "probe-7f3a9c21d4"
"""What the caller types in the genuine request: nothing else says it, so that it is known again in a log."""
BODY = PUBLISHED.body.replace("&text=&", f"&text={TEXT}&")
"""The genuine command: the slash command of Slack's own example."""

_MOMENT = 1531420618
_STAMP = f"{_MOMENT}.000200"
"""When something happened, in the form of Slack's `ts`."""

_TYPES = {
    "block_actions": "action",
    "interactive_message": "action",
    "view_submission": "view",
    "view_closed": "view_closed",
    "shortcut": "shortcut",
    "message_action": "message_shortcut",
    "block_suggestion": "options",
    "url_verification": "url_verification",
}


_BOT_USER = "U0PROBEBOT"
"""The app's own user."""


class Caller(NamedTuple):
    """Who asks, from where: the same in a request of every kind."""

    token: str
    user: str
    team: str
    channel: str
    text: str
    app: str
    response_url: str


def caller_of(text: str) -> Caller:
    """Who asks in a body; Slack's example where it does not say."""
    body, usual = parse(text), parse(BODY)

    def said(role: str) -> str:
        return found(body, role) or found(usual, role)

    app = found(body, "app") or "A0PROBE99"
    return Caller(
        said("token"), said("user"), said("workspace"), said("channel"), said("text"), app, said("response_url")
    )


def kind_of(text: str) -> str:
    """Which kind of request a body is."""
    body = parse(text)
    value = _payload(body) if body.form else body.value
    if value is None:
        return "command"
    return _TYPES.get(str(value.get("type", "")), "action" if body.form else "event")


def is_beside(kind: str, kinds: Iterable[str]) -> bool:
    """Whether a kind comes by the same way as one of others."""
    return _LIKE.get(kind, kind) in {_LIKE.get(other, other) for other in kinds}


def _payload(body: Body) -> Mapping[str, Any] | None:
    return next((value.value for name, value in body.value if name == "payload" and isinstance(value, Nested)), None)


def body_of(kind: str, caller: Caller, word: str = "", delivery: str = "1", now: float = 0) -> str:
    """A genuine body of a kind.

    `word` is what the handler calls it: a command, a type of event, an action_id or callback_id.  `delivery` names this
    one request among others, as Slack's trigger_id and event_id do.  `now`: when it happened, seconds since 1970.
    """
    return _MAKERS[kind](caller, word, delivery).replace(str(_MOMENT), str(int(now or _MOMENT)))


def at_another_time(text: str, now: float, seconds: int) -> str:
    """A body in which what happened now happened so many seconds later: what was captured then shows that time."""
    return text.replace(str(int(now)), str(int(now) + seconds))


def _json(value: Mapping[str, Any]) -> str:
    """The value as Slack writes JSON."""
    return json.dumps(value, separators=(",", ":"))


def _command(caller: Caller, word: str, delivery: str) -> str:
    fields = {
        "token": caller.token,
        "team_id": caller.team,
        "team_domain": "testteamnow",
        "channel_id": caller.channel,
        "channel_name": "foobar",
        "user_id": caller.user,
        "user_name": "roadrunner",
        "command": word or "/webhook-collect",
        "text": caller.text,
        "api_app_id": caller.app,
        "is_enterprise_install": "false",
        "response_url": caller.response_url,
        "trigger_id": f"398738663015.47445629121.probe{delivery}",
    }
    return urlencode(fields)


def of_event(kind: str, caller: Caller) -> Mapping[str, Any]:
    """Return what an event of this type has that others lack: docs.slack.dev/reference/events."""
    item = {"type": "message", "channel": caller.channel, "ts": _STAMP}
    reaction = {"reaction": "thumbsup", "item": item, "item_user": "U0PROBE77"}
    channel = {"id": caller.channel, "name": "foobar", "created": _MOMENT, "creator": caller.user}
    link = {"domain": "example.com", "url": "https://example.com/1"}
    known: Mapping[str, Mapping[str, Any]] = {
        "message": {"channel_type": "im"},
        "app_home_opened": {"tab": "home"},
        "reaction_added": reaction,
        "reaction_removed": reaction,
        "tokens_revoked": {"tokens": {"oauth": [caller.user], "bot": [_BOT_USER]}},
        "channel_created": {"channel": channel},
        "channel_rename": {"channel": channel},
        "team_join": {"user": {"id": caller.user, "team_id": caller.team, "name": "roadrunner"}},
        "file_shared": {"file_id": "F0PROBE99", "file": {"id": "F0PROBE99"}, "user_id": caller.user},
        "link_shared": {"links": [link], "message_ts": _STAMP},
        "subteam_members_changed": {"subteam_id": "S0PROBE99", "added_users": [caller.user], "removed_users": []},
    }
    return known.get(kind, {})


def _event(caller: Caller, word: str, delivery: str) -> str:
    kind = word or "app_mention"
    event: dict[str, Any] = {
        "type": kind,
        "user": caller.user,
        "text": caller.text,
        "channel": caller.channel,
        "ts": _STAMP,
        "event_ts": _STAMP,
    }
    if kind in {"app_mention", "message"}:
        said: list[dict[str, str]] = [{"type": "text", "text": caller.text}]
        if kind == "app_mention":
            said.insert(0, {"type": "user", "user_id": _BOT_USER})
            event["text"] = f"<@{_BOT_USER}> {caller.text.removeprefix(f'<@{_BOT_USER}> ')}"
        block = {"type": "rich_text_section", "elements": said}
        event["blocks"] = [{"type": "rich_text", "block_id": "probe", "elements": [block]}]
        event |= {"client_msg_id": f"00000000-0000-4000-8000-{delivery:0>12}", "team": caller.team}
    event |= of_event(word, caller)
    whole = {
        "token": caller.token,
        "team_id": caller.team,
        "api_app_id": caller.app,
        "event": event,
        "type": "event_callback",
        "event_id": f"Ev0PROBE{delivery}",
        "event_time": _MOMENT,
        "authorizations": [
            {
                "enterprise_id": None,
                "team_id": caller.team,
                "user_id": _BOT_USER,
                "is_bot": True,
                "is_enterprise_install": False,
            }
        ],
        "is_ext_shared_channel": False,
        "event_context": "4-probe",
    }
    return _json(whole)


def _interaction(caller: Caller, kind: str, delivery: str, **more: Any) -> str:
    whole = {
        "type": kind,
        "user": {"id": caller.user, "username": "roadrunner", "name": "roadrunner", "team_id": caller.team},
        "api_app_id": caller.app,
        "token": caller.token,
        "trigger_id": f"398738663015.47445629121.{kind}{delivery}",
        "team": {"id": caller.team, "domain": "testteamnow"},
        "enterprise": None,
        "is_enterprise_install": False,
        **more,
    }
    return urlencode({"payload": _json(whole)})


def _action(caller: Caller, word: str, delivery: str) -> str:
    action = {
        "action_id": word or "probe",
        "block_id": "probe",
        "type": "button",
        "text": {"type": "plain_text", "text": "Approve"},
        "value": caller.text,
        "action_ts": _STAMP,
    }
    container = {"type": "message", "message_ts": _STAMP, "channel_id": caller.channel}
    button = {name: action[name] for name in ("type", "action_id", "text", "value")}
    asked = {"type": "section", "block_id": "asked", "text": {"type": "mrkdwn", "text": "Approve?"}}
    blocks = [asked, {"type": "actions", "block_id": "probe", "elements": [button]}]
    message = {"type": "message", "user": _BOT_USER, "ts": _STAMP, "text": "Approve?", "blocks": blocks}
    return _interaction(
        caller,
        "block_actions",
        delivery,
        container=container,
        channel={"id": caller.channel, "name": "foobar"},
        message=message,
        response_url=caller.response_url,
        actions=[action],
    )


def _view(caller: Caller, word: str, delivery: str) -> str:
    entered = {"probe": {"probe": {"type": "plain_text_input", "value": caller.text}}}
    return _interaction(caller, "view_submission", delivery, view=_modal(caller, word, entered), response_urls=[])


def _view_closed(caller: Caller, word: str, delivery: str) -> str:
    return _interaction(caller, "view_closed", delivery, view=_modal(caller, word, {}), is_cleared=False)


def _modal(caller: Caller, word: str, entered: Mapping[str, Any]) -> Mapping[str, Any]:
    return {
        "id": "V0PROBE99",
        "team_id": caller.team,
        "type": "modal",
        "callback_id": word or "probe",
        "private_metadata": "",
        "blocks": [],
        "state": {"values": entered},
        "hash": "156772938.1827394",
        "root_view_id": "V0PROBE99",
        "previous_view_id": None,
        "app_id": caller.app,
    }


def _shortcut(caller: Caller, word: str, delivery: str) -> str:
    return _interaction(caller, "shortcut", delivery, callback_id=word or "probe", action_ts=_STAMP)


def _message_shortcut(caller: Caller, word: str, delivery: str) -> str:
    return _interaction(
        caller,
        "message_action",
        delivery,
        callback_id=word or "probe",
        action_ts=_STAMP,
        message_ts=_STAMP,
        channel={"id": caller.channel, "name": "foobar"},
        message={"type": "message", "user": "U0PROBE77", "ts": _STAMP, "text": caller.text},
        response_url=caller.response_url,
    )


def _options(caller: Caller, word: str, delivery: str) -> str:
    name = word or "probe"
    container = {"type": "view", "view_id": "V0PROBE99"}
    return _interaction(
        caller, "block_suggestion", delivery, action_id=name, block_id="probe", value=caller.text, container=container
    )


def _url_verification(caller: Caller, _word: str, _delivery: str) -> str:
    return _json({"token": caller.token, "challenge": CHALLENGE, "type": "url_verification"})


_MAKERS: Mapping[str, Callable[[Caller, str, str], str]] = {
    "command": _command,
    "event": _event,
    "action": _action,
    "view": _view,
    "view_closed": _view_closed,
    "shortcut": _shortcut,
    "message_shortcut": _message_shortcut,
    "options": _options,
    "url_verification": _url_verification,
}


def nonsense(text: str) -> str:
    """A body of the same form that asks for nothing: a handler's answer to it is what it answers to anything."""
    body = parse(text)
    if not body.form:
        return '{"probe":"1"}'
    return urlencode({"payload": '{"probe":"1"}'}) if _payload(body) is not None else "probe=1"


def by_bot(caller: Caller, now: float = 0, *, classic: bool = True) -> str:
    """An event that a bot caused: with the subtype of classic apps, or as an app's bot user posts today.

    docs.slack.dev/reference/events/message/bot_message: apps of today post as a user, with a `bot_id` and no subtype.
    """
    whole = json.loads(body_of("event", caller, "message", "02" if classic else "03", now))
    profile = {"id": _BOT, "app_id": caller.app, "name": "probe", "deleted": False, "team_id": caller.team}
    own = {"subtype": "bot_message"} if classic else {"app_id": caller.app, "bot_profile": profile}
    whole["event"] |= {"bot_id": _BOT, **own}
    return _json(whole)


_BOT = "B0PROBE99"
