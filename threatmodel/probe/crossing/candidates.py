"""The names and values to cross: those of the handler's source, and those that any handler may treat as special."""

from __future__ import annotations

import re

from threatmodel.probe.requests import SIGNERS, Genuine

VALUES = ("1", "true", "GET", "localhost", "127.0.0.1", "10.0.0.1")
"""Values of switches, methods and addresses."""
HEADERS = (
    "User-Agent",
    "Authorization",
    "Host",
    "Origin",
    "Referer",
    "X-Forwarded-For",
    "X-Forwarded-Host",
    "X-Real-IP",
    "X-Api-Key",
    "X-Amz-Invocation-Type",
    "X-HTTP-Method-Override",
    "X-Original-URL",
    "X-Rewrite-URL",
)
"""Headers that a caller may set, and that applications take for something else."""
FIELDS = ("ssl_check", "challenge", "Records", "test", "debug", "internal")
"""Fields of a body that exempt a request in public handlers, beside those that the source names."""
TYPES = (
    "url_verification",
    "event_callback",
    "app_rate_limited",
    "block_actions",
    "view_submission",
    "view_closed",
    "shortcut",
    "message_action",
    "block_suggestion",
    "interactive_message",
    "dialog_submission",
    "message",
    "app_home_opened",
    "app_uninstalled",
    "tokens_revoked",
    "app_mention",
)
"""What Slack writes into `type`: docs.slack.dev/reference/interaction-payloads, /reference/events."""
BLANK = ("", "None", "undefined", "null")
"""What a value that is missing becomes, by language."""
KEYS = (*BLANK, "secret", "changeme", "test", f"[{'object'} Object]", "function Object() { [native code] }")
"""Secrets that anyone may guess, beside those that the source names."""

_HEADER = re.compile(r"[A-Za-z][A-Za-z0-9-]{1,40}\Z")
_FIELD = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,40}\Z")
_CAPITALS = re.compile(r"[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+\Z")
_VALUE = re.compile(r"[ -~]{1,60}\Z")
_KEY = re.compile(r"[ -~]{0,100}\Z")
_OPEN = re.compile(r"[ =:.]\Z")
_SPECIAL = re.compile(r"\\[bdswBDSW]|[\\^$]|\(\?[:=!i]*|[()]")
_ALWAYS = frozenset(
    {
        "x-slack-signature",
        "x-slack-request-timestamp",
        "content-type",
        "content-length",
        "headers",
        "body",
        "isbase64encoded",
    }
)
MOST_NAMES, MOST_VALUES, MOST_KEYS = 40, 40, 120


def header_names(genuine: Genuine) -> tuple[str, ...]:
    """Return the headers that a caller may set; those without which no request is verified are left out."""
    named = (name for name in genuine.hints.keys if _HEADER.match(name) and name.lower() not in _ALWAYS)
    return tuple({name.lower(): name for name in (*named, *HEADERS)}.values())[: MOST_NAMES + len(HEADERS)]


def field_names(genuine: Genuine) -> tuple[str, ...]:
    """Return the names that a query, cookie or field of a body may have."""
    return _named_fields(genuine)[:MOST_NAMES]


def _named_fields(genuine: Genuine) -> tuple[str, ...]:
    asked = (*genuine.hints.names, *genuine.hints.keys)
    named = (name for name in asked if _FIELD.match(name) and not _CAPITALS.match(name))
    return tuple(dict.fromkeys((*FIELDS, *named)))


def left_out(genuine: Genuine) -> str:
    """Return how many names and texts of the source are more than what is crossed; '' where all are."""
    found = {"names": len(_named_fields(genuine)) - MOST_NAMES, "texts": len(_said(genuine)) - MOST_VALUES}
    return " and ".join(f"{number} {what}" for what, number in found.items() if number > 0)


def values(genuine: Genuine) -> tuple[str, ...]:
    """Return the values that something may be compared with, those of the source first."""
    found = _said(genuine)
    return (*found[:MOST_VALUES], *(value for value in VALUES if value not in found))


def _said(genuine: Genuine) -> list[str]:
    """The texts of the source.

    What ends as the beginning of something does (`Bearer `) is completed by what a missing value becomes, and of a
    regular expression the text is taken.
    """
    found = dict.fromkeys([genuine.hints.token] if genuine.hints.token else [])
    completed: dict[str, None] = {}
    for word in genuine.hints.literals:
        if not _VALUE.match(word) or _CAPITALS.match(word):
            continue
        found[word.strip() or word] = None
        if _OPEN.search(word):
            completed |= dict.fromkeys(f"{word}{blank}" for blank in BLANK[1:])
        if _SPECIAL.search(word) and (plain := _SPECIAL.sub("", word)):
            found[plain] = None
    return list(found | completed)


def keys(genuine: Genuine) -> tuple[str, ...]:
    """Return what a handler may sign with that anyone knows."""
    hints = genuine.hints
    found = dict.fromkeys((*KEYS, *hints.defaults, *hints.known.values(), *hints.literals))
    return tuple(key for key in found if key not in SIGNERS and _KEY.match(key))[:MOST_KEYS]
