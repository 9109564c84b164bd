"""Genuine requests in which something else than the signed bytes says something else, and bytes added to these."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator
from urllib.parse import quote

from threatmodel.probe.bodies import Body, parse, written
from threatmodel.probe.cases import Send
from threatmodel.probe.crossing import bodies
from threatmodel.probe.crossing.candidates import HEADERS, composed_names, field_names, header_names, lengths, values
from threatmodel.probe.crossing.places import around
from threatmodel.probe.crossing.unsigned import crossed
from threatmodel.probe.requests import Genuine
from threatmodel.probe.slack import signature
from threatmodel.reading.values import replace

MARK = "probeoutside"
"""What is said outside of the signed bytes: in place of a signed value, it is not what Slack asked for."""


_OF_A_REQUEST = ("X-Amzn-Trace-Id", "X-Request-Id", "X-Correlation-Id", "X-Slack-Retry-Num", "X-Slack-Retry-Reason")
"""Headers beside `HEADERS` that a handler may keep with what it does, as they are: no part of what was asked."""


def outside(send: Send, genuine: Genuine) -> Iterator[Send]:
    """Yield genuine requests with a query, header, cookie or path that repeats a field with another value."""
    text = genuine.text_of(send.body)
    own = _names(text)
    composed = composed_names(genuine, own)
    names = tuple(dict.fromkeys((*own, *field_names(genuine), *composed)))
    usual = {name.lower() for name in (*HEADERS, *_OF_A_REQUEST)}
    headers = [name for name in header_names(genuine) if name.lower() not in usual]
    headers += [*composed, *(f"X-Slack-{name.replace('_', '-').title()}" for name in names if name not in composed)]
    headers = list({name.lower(): name for name in headers}.values())
    other = text.replace(quote(_text_of(text)), MARK).replace(_text_of(text), MARK)
    rest = {name: body for name in ("body", "payload", "event") for body in (other,)}
    path = genuine.path_for(send.body)
    found = [
        crossed(send, "with another body in the query", query=rest),
        crossed(send, "", path=f"{path}/{MARK}"),
        crossed(send, "", path=f"{path.rpartition('/')[0]}/{MARK}"),
    ]
    for says, value in _contents(own):
        found += [
            crossed(send, f"with {says} in the query, as each field", query=dict.fromkeys(names, value)),
            crossed(send, f"with {says} in cookies, as each field", headers={"Cookie": _cookies(names, value)}),
            crossed(send, f"with {says} in headers, as each field", headers=dict.fromkeys(headers, value)),
        ]
    found += [crossed(send, "", query={name: MARK}) for name in names]
    found += [crossed(send, "", headers={name: MARK}) for name in dict.fromkeys(headers)]
    found += [crossed(send, "", headers={"Cookie": f"{name}={MARK}"}) for name in names]
    for host in _hosts(genuine):
        found.append(crossed(send, "", headers={"Host": host, "X-Forwarded-Host": host, "Origin": f"https://{host}"}))
    for number, one in enumerate(found):
        yield replace(one, change={"delivery": f"398738663015.2.probe{number}"})


def _hosts(genuine: Genuine) -> Iterator[str]:
    """Other hosts whose first label is another value, with each word of the source behind it."""
    if {"host", "x-forwarded-host", "origin", "domainname"} & {key.lower() for key in genuine.hints.keys}:
        yield f"{MARK}.example.com"
        for word in values(genuine):
            if _LABELS.match(word):
                yield from (f"{MARK}.{word.strip('.')}", f"{MARK}.{word.strip('.')}.example.com")


_LABELS = re.compile(r"\.?[a-z0-9-]{1,30}(?:\.[a-z0-9-]{1,30}){0,4}\Z")


def _contents(names: tuple[str, ...]) -> Iterator[bodies.Changed]:
    """Another value, and all of the signed fields with another value, as text that a handler may take apart."""
    whole = json.dumps(dict.fromkeys(names, MARK), separators=(",", ":"))
    yield "another value", MARK
    yield "an object", whole
    yield "an object in base64", base64.urlsafe_b64encode(whole.encode()).decode().rstrip("=")
    yield "a form", "&".join(f"{name}={MARK}" for name in names)


def _cookies(names: tuple[str, ...], value: str) -> str:
    return "; ".join(f"{name}={quote(value, safe='')}" for name in names)


def _names(text: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(bodies.name_of(one) for one in bodies.places(text)))


def _text_of(text: str) -> str:
    found = [one for one in bodies.places(text) if one[-1] in bodies.TYPED]
    return str(bodies.value_at(text, found[0])) if found else "\n"


def tampered(send: Send, genuine: Genuine) -> Iterator[Send]:
    """Yield genuine requests to whose body something was added, in each place, once it was signed."""
    text = genuine.text_of(send.body)
    added = [(says, body.encode("utf-8", "surrogateescape")) for says, body in _added(text, genuine) if body != text]
    for says, instead in added:
        yield crossed(send, f"{says} after signing", instead=instead)
    for size in lengths(genuine) if parse(text).form else ():
        if whole := bodies.of_length(text, size):
            instead = f"{whole}&{'&'.join(f'{name}={MARK}' for name in _names(text))}".encode()
            yield crossed(send, f"of {size} bytes, each field repeated after signing", text=whole, instead=instead)
    # In a separate process: what reads as much as is stated does what was signed, and a rule ends at an effect.
    length = {"Content-Length": str(len(text.encode()))}
    says, instead = added[0]
    yield crossed(send, f"{says} after signing, with the length of before", instead=instead, headers=length, apart=True)


def _added(text: str, genuine: Genuine) -> Iterator[bodies.Changed]:
    yield from _with_pairs(text, genuine) if parse(text).form else _with_members(text, genuine)
    typed = _text_of(text)
    for says, other in _lossy(typed) if len(typed) > 1 else ():
        yield f"{says} what was typed", text.replace(typed, other)
    for behind in (" ", "\n", "\r\n", "\0", "&", "\udcff", "\ufeff"):
        yield f"{behind!r} added", f"{text}{behind}"
        yield f"{behind!r} added at the beginning", f"{behind}{text}"


def _with_pairs(text: str, genuine: Genuine) -> Iterator[bodies.Changed]:
    names = dict.fromkeys((*(str(one[0]) for one in bodies.places(text)), *field_names(genuine)))
    yield "each field repeated at the end", f"{text}&{'&'.join(f'{name}={MARK}' for name in names)}"
    for name in names:
        yield f"{name} repeated at the end", f"{text}&{name}={MARK}"
        yield f"{name} repeated at the beginning", f"{name}={MARK}&{text}"
    for between in ("\n", "\r\n", "#", "\0", ";", "?", "\r\n\r\n"):
        yield f"{between!r} and a field added", f"{text}{between}&text={MARK}"
    for between in "&=":
        for at in sorted({text.find(between), text.rfind(between)} - {-1}):
            yield f"{between!r} escaped", f"{text[:at]}{quote(between)}{text[at + 1 :]}"


def _with_members(text: str, genuine: Genuine) -> Iterator[bodies.Changed]:
    whole = json.loads(text)
    for root in bodies.roots(text):
        for name in field_names(genuine):
            yield f"{name} added", bodies.with_fields(text, root, {name: MARK})
    for name in whole:
        yield f"{name} repeated", f"{text[:-1]},{json.dumps(name)}:{json.dumps(MARK)}}}"
    yield "written again", written(Body(form=False, value=dict(reversed(whole.items()))))


def _lossy(typed: str) -> Iterator[bodies.Changed]:
    """A text in which another one is what remains of it, once bytes are dropped or folded."""
    middle = len(typed) // 2
    for between in ("\0", "\xe9", "\udcff", "\u200b", " ", "\t", "+", "\\", "%00", "\ufffd"):
        yield f"{between!r} within", f"{typed[:middle]}{between}{typed[middle:]}"
    yield "the eighth bit in", "".join(chr(0xDC80 | ord(one)) if one < "\x80" else one for one in typed)
    yield "other letters' size in", typed.swapcase()
    yield "wide letters in", bodies.wide(typed)


_CHANGED = (
    *("X-Amzn-Trace-Id", "X-Request-Id", "X-Slack-Retry-Num", "User-Agent", "X-Forwarded-For", "X-Forwarded-Port"),
    *("Accept", "Accept-Encoding", "Cookie", "Host"),
)
"""Headers of a request that its sender may change, and that no handler needs as they are."""


_SPELT = (
    "v0={capitals}", "{signature} ", " {signature}", "V0={digest}", "{digest}", "v0={spaced}", "{signature}zz",
    "v0=0{digest}", "v0=0x{digest}", "v0=+{digest}", "v0={parted}", "{signature},x", "x,{signature}",
    "v0=0, {signature}", "{signature};x", "{signature} x", "{signature}=",
)  # fmt: skip
"""The same digest in other spellings.

Python's `bytes.fromhex` skips spaces and `int` underscores, `Buffer.from` of Node.js ends at a z, lists have commas.
"""


def resent(send: Send, genuine: Genuine) -> Iterator[Send]:
    """Yield the genuine request again, with what its sender may change."""
    path, stamp = genuine.path_for(send.body), str(int(genuine.now))
    text = genuine.text_of(send.body).encode()
    for name in _CHANGED:
        yield crossed(send, "again", headers={name: "2"})
    kind = "application/x-www-form-urlencoded" if parse(genuine.text_of(send.body)).form else "application/json"
    yield crossed(send, "again", headers={"Content-Type": f"{kind};charset=UTF-8"})
    yield crossed(send, "again", headers=dict.fromkeys(header_names(genuine), "2"))
    yield crossed(send, "again", query={"again": "1"})
    yield crossed(send, "again", query=dict.fromkeys(field_names(genuine), "2"))
    for one in (f"{path}/", path.upper(), path.replace("/", "//")):
        yield crossed(send, "again", path=one)
    for one in _SPELT:
        yield crossed(send, "again", signature=one)
    for one in (f"0{stamp}", f"{stamp}.0", f" {stamp}", f"{stamp} ", f"+{stamp}"):
        yield crossed(send, "again", timestamp=one, signature=signature(genuine.secret, stamp, text))
    for behind in (b" ", b"\n", b"&"):
        yield crossed(send, "again", instead=text + behind)
    for one in bodies.respelled(text.decode()):
        yield crossed(send, "again, with its body in another spelling", instead=one.encode())
    for beside in around(send, genuine):
        yield crossed(beside, f"{beside.says} again".lstrip())
    yield crossed(send, "again", base64=True)
