"""What a probe sends, in a few words for a table."""

from __future__ import annotations

import re
from collections.abc import Iterator

from threatmodel.probe.cases import Send
from threatmodel.reading.problems import visible

_WORDS = {
    "genuine": "a genuine request",
    "command": "a slash command",
    "event": "an event caused by a person",
    "action": "a click on a button",
    "view": "a submitted view",
    "shortcut": "a shortcut",
    "options": "a request for options",
    "view_closed": "a closed view",
    "message_shortcut": "a shortcut on a message",
    "bot-event": "an event caused by a bot",
    "bot-user-event": "an event caused by a bot, without a subtype",
    "url_verification": "a url_verification",
    "ssl-check": "an ssl_check",
    "nothing": "a request without a body",
    "nonsense": "a body that asks for nothing",
    "bytes": "a genuine request with bytes that are not UTF-8",
    "published": "Slack's published example, at its own time",
}
_DIGITS = re.compile(r"\{\w+\}|(?<==)[0-9a-fA-F]+|[0-9a-fA-F]{8,}")
"""Digits of a signature, which a result must not hold."""
_SECONDS = re.compile(r"\d{9,}")
MOST = 300
"""Characters in which a request is described."""
_SIGNED = {
    "right": "",
    "wrong": "signed with another secret",
    "next": "signed with the new secret",
    "published": "signed with the secret of Slack's example",
}


def in_words(send: Send) -> str:
    """What is sent, in a few words."""
    if send.again:
        return ", ".join(["the same again", *_where(send)])
    if send.event is not None:
        return f"an event that is not a request: {', '.join(map(str, send.event)) or 'an empty one'}"[:120]
    return visible(", ".join([_WORDS[send.body], *_changes(send), *_where(send)])[:MOST])


def _where(send: Send) -> Iterator[str]:
    if send.later:
        yield f"{send.later} seconds later"
    if send.stale:
        yield "in another environment at the same time"
    elif send.fresh:
        yield "in another environment"
    if send.failing:
        usual = {"errors": "while the stores fail", "silence": "while the stores do not answer"}
        usual["lateness"] = "while the store of secrets answers late"
        yield usual.get(send.failing, f"while the store of secrets answers with {send.failing}")
    if send.store:
        yield "after the secret was changed" if send.store != "lost" else "after the secret store failed"


def _changes(send: Send) -> Iterator[str]:  # noqa: C901, PLR0912 - one line for each key of the format
    if send.method != "POST":
        yield f"by {send.method}"
    if send.path:
        yield f"at {send.path[:60]}"
    if send.query:
        yield f"with ?{'&'.join(f'{name}={value}' for name, value in send.query.items())}"[:80]
    if send.shape:
        yield f"through {send.shape}" if send.shape != "direct" else "by direct invocation"
    if send.base64:
        yield "in base64"
    if send.pad:
        yield "padded to almost 6 MB" if send.pad == "large" else "padded a little"
    if send.change:
        yield f"with {', '.join(f'{name} {value}' for name, value in send.change.items())}"
    yield from _signing(send)
    if send.tamper:
        yield f"{', '.join(send.tamper)} changed after signing"
    if send.after_signing:
        yield f"{send.after_signing!r} added after signing"
    if send.encoding != "utf-8":
        yield f"in {send.encoding}"
    if send.reencoded != "utf-8":
        yield f"written in {send.reencoded} after signing"
    if send.says:
        yield send.says
    if send.environment:
        given = (f"no {name}" if value is None else f"{name}={value}" for name, value in send.environment.items())
        yield f"under {', '.join(given)}"
    if send.header_names != "as-sent":
        yield f"header names: {send.header_names}"
    if send.repeat:
        yield f"{', '.join(send.repeat)} twice"
    if send.no_headers:
        yield "headers: null"
    yield from (f"{name}: {(value or 'none').replace('{now}', 'now')}" for name, value in (send.headers or {}).items())


def _signing(send: Send) -> Iterator[str]:
    if send.clock:
        yield f"{abs(send.clock)} seconds {'old' if send.clock < 0 else 'ahead'}"
    if send.timestamp is None:
        yield "no timestamp"
    elif send.timestamp != "{now}":
        yield f"timestamp '{_SECONDS.sub('<seconds>', send.timestamp)[:24]}'"
    if send.first_timestamp is not None or send.last_timestamp is not None:
        where = "before" if send.last_timestamp is None else "behind"
        yield f"a new timestamp {where} it{' in one header' if send.joined else ''}"
    if words := _SIGNED.get(send.secret, f"signed with '{send.secret}'"):
        yield words
    if send.base != "slack":
        yield "signed over timestamp.body"
    if send.signature is None:
        yield "no signature"
    elif send.signature != "{signature}":
        shown = _DIGITS.sub(lambda found: found[0] if found[0].startswith("{") else "<digits>", send.signature)
        yield f"signature '{shown}'"
