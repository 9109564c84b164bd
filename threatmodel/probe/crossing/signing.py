"""What may be in the two headers of a signature: other versions, texts and times, and almost the right signature."""

from __future__ import annotations

import base64
import datetime
import email.utils
import hashlib
import hmac
import random
import re
from collections.abc import Iterator
from itertools import product

from threatmodel.probe.cases import Send
from threatmodel.probe.crossing.candidates import BLANK, header_names, named_headers, values
from threatmodel.probe.crossing.unsigned import crossed
from threatmodel.probe.requests import Genuine
from threatmodel.probe.slack import signature
from threatmodel.reading.values import replace

_VERSIONS = ("v0", "V0", "v1", "v2", "v00", "sha256")
_TEXTS = (
    "",
    "0",
    "x",
    "short",
    "zz",
    "%",
    "\xe9",
    "0" * 64,
    "z" * 64,
    "-" * 64,
    ".*",
    "[0-9a-f]+",
    "undefined",
    "None",
)
_WORD = re.compile(r"[A-Za-z0-9]{1,12}\Z")
_ALGORITHMS = ("md5", "sha1", "sha256", "sha512")
_RANDOM = 300
_MOST_KEYS = 6
_DIGITS = "0123456789abcdef"
OLD = 7200
"""Seconds by which a request is too old whose timestamp is spelled in another way."""
_STAMPS = (
    "", " ", "soon", "now", "nan", "NaN", "inf", "1e999", "-1", "0", "99999999999999999999", "{now}s", "{now} s",
    "{now}.0", "0x{now}", "None", "undefined", "null", "true", "[]",
    "\u0661\u0668\u0660\u0660\u0660\u0660\u0661\u0662\u0663\u0664",
)  # fmt: skip


def signatures(send: Send, genuine: Genuine) -> Iterator[Send]:
    """Yield requests with signatures of other versions and forms, with and without a timestamp."""
    stamp = str(int(genuine.now))
    body = genuine.text_of(send.body).encode()
    unkeyed = {name: hashlib.new(name, f"v0:{stamp}:".encode() + body).hexdigest() for name in _ALGORITHMS}
    digests = (*_TEXTS, *unkeyed.values(), hashlib.sha256(body).hexdigest())
    called = (part for name in genuine.hints.called for part in (name, *name.split("_")))
    words = (word for word in (*values(genuine), *called) if _WORD.match(word))
    wrong = signature(genuine.secret[::-1] + "0", stamp, body).removeprefix("v0=")
    forms = [f"{version}={digest}" for version, digest in product(_VERSIONS, digests)]
    forms += [f"{word}={digest}" for word, digest in product(dict.fromkeys(words), ("", "0", *unkeyed.values()))]
    forms += [*digests, " ", wrong, f"V0={wrong}", f"v0={wrong},v0=0", f"v0=0, v0={wrong}"]
    for form in dict.fromkeys(forms):
        yield replace(send, signature=form)
    for form in ("", "v0=", "v0=0", "v0=short", "v1=0", f"v0={wrong}"):
        for timestamp in (None, "", "0", "soon"):
            yield replace(send, signature=form, timestamp=timestamp)
        yield replace(send, signature=form, added=(("X-Slack-Signature", "v0=1"),))
        for names in ("lower", "upper"):
            yield replace(send, signature=form, header_names=names)
    for name, digest in unkeyed.items():
        together = dict.fromkeys(header_names(genuine), name)
        yield crossed(send, f"{name} named by headers", signature=f"v0={digest}", headers=together)
    yield from _by_others(send, genuine)


def _by_others(send: Send, genuine: Genuine) -> Iterator[Send]:
    """A signature in each other header, as a second sender would make it, with a key that anyone knows."""
    stamp, body = str(int(genuine.now)).encode(), genuine.text_of(send.body).encode()
    keys = tuple(dict.fromkeys((*BLANK, *genuine.hints.defaults, *genuine.hints.known.values())))[:_MOST_KEYS]
    names, named = header_names(genuine), named_headers(genuine)
    for key, over in product((*keys, _SENT), (body, b"v0:" + stamp + b":" + body, stamp + b"." + body, stamp + body)):
        made = hmac.digest(key.encode(), over, "sha256")
        for written in (made.hex(), f"sha256={made.hex()}", f"v0={made.hex()}", base64.b64encode(made).decode()):
            if key != _SENT:
                yield crossed(send, "", headers={**(send.headers or {}), **dict.fromkeys(names, written)})
            for name in named if key == _SENT else ():
                beside = {**dict.fromkeys(named, key), name: written}
                yield crossed(send, "with its key in other headers", headers={**(send.headers or {}), **beside})


_SENT = "probe"
"""A key that the request has beside the signature."""


def timestamps(send: Send, _genuine: Genuine) -> Iterator[Send]:
    """Yield requests with timestamps that are no plain number."""
    for stamp in _STAMPS:
        yield replace(send, timestamp=stamp)
        yield replace(send, timestamp=stamp, signature="v0=")


_SPELT = (
    "X_Slack_Request_Timestamp",
    "HTTP_X_SLACK_REQUEST_TIMESTAMP",
    "X-Slack-Request-Timestamp ",
    "XSlackRequestTimestamp",
)
"""Names that a gateway of another kind, or a handler, may take for that of the timestamp."""


def old_timestamps(send: Send, genuine: Genuine) -> Iterator[Send]:
    """Yield requests as Slack signed them hours ago, whose timestamp is spelled in another way, or beside a new one."""
    now, old = int(genuine.now), int(genuine.now) - OLD
    day = email.utils.formatdate(now, usegmt=True)
    moment = datetime.datetime.fromtimestamp(now, datetime.UTC).isoformat()
    signed = signature(genuine.secret, str(old), genuine.text_of(send.body).encode())
    spelt = (
        f"{old}s", f"{old} s", f"{old},{now}", f"{now},{old}", f"{old}, {now}", f"{old};{now}", f"{old}.{now}",
        f"{old}e1", f"{old}000", f"+{old}", f"0{old}", f"{old}.0", f"{now}", day, moment,
    )  # fmt: skip
    for stamp in spelt:
        yield crossed(send, f"{OLD} seconds old", timestamp=stamp, signature=signed)
    usual = (
        "X-Slack-Request-Time",
        "X-Slack-Request-Time-Ms",
        "X-Slack-Signed-Timestamp",
        "X-Timestamp",
        "Date",
        *_SPELT,
    )
    names = tuple({name.lower(): name for name in (*usual, *header_names(genuine))}.values())
    for new in (str(now), f"{now}000", day):
        beside = dict.fromkeys(names, new)
        yield crossed(send, f"{OLD} seconds old", timestamp=str(old), signature=signed, headers=beside)
    for stamp in (str(now), day, moment):
        beside = dict.fromkeys(names, str(old))
        yield crossed(send, f"{OLD} seconds old", timestamp=stamp, signature=signed, headers=beside)


def near(send: Send, genuine: Genuine) -> Iterator[Send]:
    """Yield requests whose signature is almost the right one, and ones with a random signature."""
    stamp = str(int(genuine.now))
    right = signature(genuine.secret, stamp, genuine.text_of(send.body).encode()).removeprefix("v0=")
    parts = {
        "its digits in another order": _permuted(right),
        "one or two digits changed": _changed(right),
        "a part of it": _kept(right),
        "a random one": _drawn(),
    }
    other = _with(
        right, {0: int(right[0], 16) ^ 1}
    )  # where equal digits change places, so that as many are sent each time
    for says, digests in parts.items():
        for digest in digests:
            yield crossed(send, says, signature=f"v0={other if digest == right else digest}")


def _permuted(right: str) -> Iterator[str]:
    yield from (right[::-1], "".join(sorted(right)), right[1:] + right[0], right[32:] + right[:32])
    for at in range(0, 64, 2):
        yield right[:at] + right[at + 1] + right[at] + right[at + 2 :]


def _changed(right: str) -> Iterator[str]:
    """One digit, and pairs of digits by equal and by opposite changes."""
    for at in range(64):
        yield _with(right, {at: int(right[at], 16) ^ 1})
    for at in range(0, 64, 4):
        first, second = int(right[at], 16), int(right[at + 1], 16)
        yield _with(right, {at: first ^ 1, at + 1: second ^ 1})
        yield _with(right, {at: (first + 1) % 16, at + 1: (second - 1) % 16})


def _with(right: str, digits: dict[int, int]) -> str:
    return "".join(_DIGITS[digits[at]] if at in digits else digit for at, digit in enumerate(right))


def _kept(right: str) -> Iterator[str]:
    """A part of it, alone and filled up."""
    for length in (1, 2, 4, 8, 10, 12, 14, 16, 20, 32, 48, 63):
        yield from (right[:length], right[-length:])
        yield from (right[:length].ljust(64, "0"), right[-length:].rjust(64, "0"))
        yield from (right[:length].ljust(64, "f"), right[-length:].rjust(64, "f"))


def _drawn() -> Iterator[str]:
    drawn = random.Random(1)  # noqa: S311 - the same in each run
    for _ in range(_RANDOM):
        yield f"{drawn.getrandbits(256):064x}"
