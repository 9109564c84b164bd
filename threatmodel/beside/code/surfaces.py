"""Which features of Slack call a handler: by Bolt's listeners, or by the parts of a request that only Slack sends.

What the code is made for is certain. Who else may call is not decided by it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from threatmodel.beside.code.bolt import is_app, listeners
from threatmodel.beside.code.functions import Function
from threatmodel.beside.code.observed import CLAIMED, SERVES, Observed, Reading
from threatmodel.beside.code.packages import VERIFIERS
from threatmodel.beside.code.syntax import Node

_Found = tuple[Function, Node]
_OTHERS = re.compile(r"mattermost|rocket\.?chat|\blark\b|feishu|dingtalk|discord|telegram|zulip", re.IGNORECASE)
"""Services with requests of the same form."""
_EVENTS = frozenset({"url_verification", "event_callback"})
_INTERACTIONS = frozenset(
    {"block_actions", "view_submission", "view_closed", "interactive_message", "message_action"}
    | {"dialog_submission", "block_suggestion"}
)
"""Types of the requests that Slack sends for events, and for buttons, menus, modals and shortcuts."""
_SIGNED = re.compile(r"\Ax-slack-(?:signature|request-timestamp)\Z", re.IGNORECASE)
_OF_COMMAND = frozenset({"response_url", "trigger_id"})
"""Fields of a form that only a slash command has at its top."""
_OF_FORM = frozenset(
    {"command", "text", "user_id", "user_name", "channel_id", "channel_name", "team_id", "team_domain"}
)
_OF_ACTION = frozenset({"actions", "callback_id"})
_READS = {"get", "getlist", "get_all"}


def surfaces(reading: Reading) -> Iterator[Observed]:
    """Yield the features of Slack that call a handler, each once, with the line that shows it."""
    found: dict[str, tuple[_Found, str]] = {}
    for surface, where in listeners(reading):
        found.setdefault(surface, (where, f"Bolt listens: {where[1].parts[0].name}()"))
    if not any(is_app(name) for *_, name in reading.program.calls):
        found = dict(_by_form(reading))
    for surface, (where, note) in found.items():
        yield reading.at(SERVES, CLAIMED, where, note, surface)


def _by_form(reading: Reading) -> Iterator[tuple[str, tuple[_Found, str]]]:
    """Yield the features by what the handler, and what it calls, reads of a request."""
    texts, keys = _read(reading)
    if any(_OTHERS.search(word) for word in reading.program.words):
        return
    event = next((texts[one] for one in texts if one in _EVENTS), None)
    if event is None and {"challenge", "event"} <= keys.keys():
        event = keys["challenge"]
    if event is not None and any("slack" in word.lower() for word in reading.program.words):  # others send the same
        yield "events", (event, "reads an event of Slack")
    action = next((texts[one] for one in texts if one in _INTERACTIONS), None)
    if action is None and "payload" in keys:
        action = next((keys[one] for one in keys if one in _OF_ACTION), None)
    if action is not None:
        yield "interactivity", (action, "reads an interaction of Slack")
    command = _command(texts, keys, plain=action is None and "payload" not in keys)
    if command is not None:
        yield "slash-command", (command, "reads a slash command of Slack")


def _command(texts: Mapping[str, _Found], keys: Mapping[str, _Found], *, plain: bool) -> _Found | None:
    """Return where a slash command is read; `plain`: nothing in the form is an interaction."""
    signed = any(_SIGNED.match(one) or one in VERIFIERS for one in texts)
    own = next((keys[one] for one in keys if one in _OF_COMMAND), None)
    if "command" in keys and (signed or own is not None):
        return keys["command"]
    return own if plain and _OF_FORM & keys.keys() else None


def _read(reading: Reading) -> tuple[Mapping[str, _Found], Mapping[str, _Found]]:
    """Return the texts and names in what surely runs, and the keys by which parts of a request are read."""
    texts: dict[str, _Found] = {}
    keys: dict[str, _Found] = {}
    for function in reading.program.surely:
        for node in function.nodes:
            if node.kind in {"text", "name", "attribute", "pair"}:
                texts.setdefault(node.name, (function, node))
            key, owner = _key(node)
            if key and owner is not None and reading.flows.of(owner, function) & {"payload", "body", "field"}:
                keys.setdefault(key, (function, node))
    return texts, keys


def _key(node: Node) -> tuple[str, Node | None]:
    """Return the key that a node reads, and of what."""
    if node.kind == "attribute":
        return node.name, node.parts[0]
    if node.kind == "call" and node.parts[0].kind == "attribute" and node.parts[0].name in _READS:
        given = node.parts[1] if len(node.parts) > 1 else None
        if given is not None and given.kind == "text":
            return given.name, node.parts[0].parts[0]
    return "", None
