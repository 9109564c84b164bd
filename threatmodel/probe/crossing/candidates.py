"""The names and values to cross: those of the handler's source, and those that any handler may treat as special."""

from __future__ import annotations

import hashlib
import ipaddress
import re
from collections.abc import Iterator

from threatmodel.probe.bodies import leaves, parse
from threatmodel.probe.crossing.samples import SPECIAL, samples
from threatmodel.probe.events import Request, event_of
from threatmodel.probe.requests import SIGNERS, Genuine

VALUES = ("1", "true", "GET", "localhost", "127.0.0.1", "10.0.0.1", "constructor")
"""Values of switches, methods and addresses, and a name that every object of JavaScript has."""
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
    "reaction_added",
    "reaction_removed",
    "member_joined_channel",
    "team_join",
    "channel_created",
    "file_shared",
    "link_shared",
    "app_mention",
)
"""What Slack writes into `type`: docs.slack.dev/reference/interaction-payloads, /reference/events."""
BLANK = ("", "None", "undefined", "null")
"""What a value that is missing becomes, by language."""
KEYS = (*BLANK, "secret", "changeme", "test", f"[{'object'} Object]", "function Object() { [native code] }")
"""Secrets that anyone may guess, beside those that the source names."""

_HEADER = re.compile(r"[A-Za-z][A-Za-z0-9-]{1,40}\Z")
_FIELD = re.compile(r"(?![xX]-)[A-Za-z_][A-Za-z0-9_-]{0,40}\Z")
_PREFIX = re.compile(r"[A-Za-z][A-Za-z0-9_.-]{0,30}[-_.]\Z")
_CAPITALS = re.compile(r"[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+\Z")
_VALUE = re.compile(r"[ -~]{1,60}\Z")
_KEY = re.compile(r"[ -~]{0,100}\Z")
_HASHED = re.compile(r"[A-Za-z][\w.-]{2,40}\Z")
"""A name from which a key may be derived."""
_OPEN = re.compile(r"[ =:.]\Z")
CARRIED = frozenset(
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
"""What carries every request, by its name in small letters."""
_KNOWN = CARRIED | {name.lower() for name in HEADERS if "-" in name}
MOST_NAMES, MOST_VALUES, MOST_KEYS, MOST_LENGTHS = 40, 40, 400, 4
_SHORTEST, _LONG, _LARGEST = 100, 5_000, 1_500_000


def header_names(genuine: Genuine) -> tuple[str, ...]:
    """Return the headers that a caller may set; those without which no request is verified are left out."""
    named = (name for name in genuine.hints.keys if _HEADER.match(name) and name.lower() not in CARRIED)
    return tuple({name.lower(): name for name in (*named, *HEADERS)}.values())[: MOST_NAMES + len(HEADERS)]


def named_headers(genuine: Genuine) -> tuple[str, ...]:
    """Return those of them that the source names."""
    asked = {name.lower() for name in genuine.hints.keys}
    return tuple(name for name in header_names(genuine) if name.lower() in asked)


def field_names(genuine: Genuine) -> tuple[str, ...]:
    """Return the names that a query, cookie or field of a body may have."""
    return _named_fields(genuine)[:MOST_NAMES]


def _named_fields(genuine: Genuine) -> tuple[str, ...]:
    asked = (*genuine.hints.names, *genuine.hints.keys)
    named = (name for name in asked if _FIELD.match(name) and not _CAPITALS.match(name) and name.lower() not in _KNOWN)
    return tuple(dict.fromkeys((*FIELDS, *named)))


def composed_names(genuine: Genuine, names: tuple[str, ...]) -> tuple[str, ...]:
    """Return names behind the beginnings of names that the source has (`x-param-`)."""
    beginnings = [word for word in genuine.hints.literals if _PREFIX.match(word)][:MOST_LENGTHS]
    return tuple(f"{before}{name}" for before in beginnings for name in names)


def lengths(genuine: Genuine) -> tuple[int, ...]:
    """Return the numbers of the source that may be the length of a body or text, and one that is more than most."""
    found = (int(word) for word in genuine.hints.literals if word.isdecimal() and word.isascii())
    likely = sorted((one for one in dict.fromkeys(found) if _SHORTEST <= one <= _LARGEST), key=_is_no_size)
    return tuple(dict.fromkeys((*likely[:MOST_LENGTHS], _LONG)))


def _is_no_size(number: int) -> bool:
    """Return whether a number is no multiple of 64, as sizes mostly are and codes of answers are not."""
    return number % 64 != 0


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

    What ends as the beginning of something does (`Bearer `) is completed by what a missing value becomes, a regular
    expression by texts that match it, and a network by an address in it.
    """
    found = dict.fromkeys([genuine.hints.token] if genuine.hints.token else [])
    completed: dict[str, None] = {}
    for word in genuine.hints.literals:
        if not _VALUE.match(word) or _CAPITALS.match(word):
            continue
        found[word.strip() or word] = None
        if _OPEN.search(word):
            completed |= dict.fromkeys(f"{word}{blank}" for blank in BLANK[1:])
        if "/" in word and (address := _address_in(word)):
            completed[address] = None
        if SPECIAL.search(word):
            completed |= dict.fromkeys(one for one in samples(word) if _VALUE.match(one))
    return list(found | completed)


def _address_in(network: str) -> str:
    try:
        return str(ipaddress.ip_network(network, strict=False).network_address)
    except ValueError:
        return ""


def keys(genuine: Genuine) -> tuple[str, ...]:
    """Return what a handler may sign with that anyone knows: values, those that the request has, and their hashes."""
    hints = genuine.hints
    known = dict.fromkeys((*hints.defaults, *hints.known.values()))
    hashed = (hashlib.new(name, key.encode()).hexdigest() for key in known for name in ("sha256", "sha1", "md5"))
    named = [word for word in hints.literals if _HASHED.match(word)][:MOST_NAMES]
    derived = (hashlib.new(name, word.encode()).hexdigest() for word in named for name in ("sha256", "sha1", "md5"))
    found = dict.fromkeys((*KEYS, *known, *_of_request(genuine), *hashed, *hints.literals, *derived))
    return tuple(key for key in found if key not in SIGNERS and _KEY.match(key))[:MOST_KEYS]


def _of_request(genuine: Genuine) -> Iterator[str]:
    """Yield the texts of the body and of the event around it, all of which the sender knows."""
    yield from (value for _, value in leaves(parse(genuine.body)) if isinstance(value, str))
    event = event_of(Request(path=genuine.path, headers=(), body=b""), genuine.shape)
    yield from _texts(event)


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, dict):
        for inner in value.values():
            yield from _texts(inner)
    elif isinstance(value, str):
        yield value
