"""Genuine requests in which something else than the signed bytes says something else, and bytes added to these."""

from __future__ import annotations

import json
from collections.abc import Iterator
from urllib.parse import quote

from threatmodel.probe.bodies import Body, parse, written
from threatmodel.probe.cases import Send
from threatmodel.probe.crossing import bodies
from threatmodel.probe.crossing.candidates import HEADERS, field_names, header_names
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
    names = tuple(dict.fromkeys((*(bodies.name_of(one) for one in bodies.places(text)), *field_names(genuine))))
    usual = {name.lower() for name in (*HEADERS, *_OF_A_REQUEST)}
    headers = [name for name in header_names(genuine) if name.lower() not in usual]
    headers += [f"X-Slack-{name.replace('_', '-').title()}" for name in names]
    headers = list({name.lower(): name for name in headers}.values())
    everything = dict.fromkeys(names, MARK)
    other = text.replace(quote(_text_of(text)), MARK).replace(_text_of(text), MARK)
    rest = {name: body for name in ("body", "payload", "event") for body in (other,)}
    path = genuine.path_for(send.body)
    found = [
        crossed(send, "with each field in the query", query=everything),
        crossed(send, "with each field in cookies", headers={"Cookie": "; ".join(f"{one}={MARK}" for one in names)}),
        crossed(send, "with each field in headers", headers=dict.fromkeys(headers, MARK)),
        crossed(send, "with another body in the query", query=rest),
        crossed(send, "", path=f"{path}/{MARK}"),
        crossed(send, "", path=f"{path.rpartition('/')[0]}/{MARK}"),
    ]
    found += [crossed(send, "", query={name: MARK}) for name in names]
    found += [crossed(send, "", headers={name: MARK}) for name in dict.fromkeys(headers)]
    found += [crossed(send, "", headers={"Cookie": f"{name}={MARK}"}) for name in names]
    for number, one in enumerate(found):
        yield replace(one, change={"delivery": f"398738663015.2.probe{number}"})


def _text_of(text: str) -> str:
    found = [one for one in bodies.places(text) if one[-1] in {"text", "value"}]
    return str(bodies.value_at(text, found[0])) if found else "\n"


def tampered(send: Send, genuine: Genuine) -> Iterator[Send]:
    """Yield genuine requests to whose body something was added, in each place, once it was signed."""
    text = genuine.text_of(send.body)
    length = {"Content-Length": str(len(text.encode()))}
    for says, body in _added(text, genuine):
        instead = body.encode("utf-8", "surrogateescape")
        if body == text:  # what was to be added is there already
            continue
        yield crossed(send, f"{says} after signing", instead=instead)
        yield crossed(send, f"{says} after signing, with the length of before", instead=instead, headers=length)


def _added(text: str, genuine: Genuine) -> Iterator[bodies.Changed]:
    if parse(text).form:
        names = dict.fromkeys((*(str(one[0]) for one in bodies.places(text)), *field_names(genuine)))
        yield "each field repeated at the end", f"{text}&{'&'.join(f'{name}={MARK}' for name in names)}"
        for name in names:
            yield f"{name} repeated at the end", f"{text}&{name}={MARK}"
            yield f"{name} repeated at the beginning", f"{name}={MARK}&{text}"
        for between in ("\n", "\r\n", "#", "\0", ";", "?", "\r\n\r\n"):
            yield f"{between!r} and a field added", f"{text}{between}&text={MARK}"
    else:
        whole = json.loads(text)
        for root in bodies.roots(text):
            for name in field_names(genuine):
                yield f"{name} added", bodies.with_fields(text, root, {name: MARK})
        for name in whole:
            yield f"{name} repeated", f"{text[:-1]},{json.dumps(name)}:{json.dumps(MARK)}}}"
        yield "written again", written(Body(form=False, value=dict(reversed(whole.items()))))
    for behind in (" ", "\n", "\r\n", "\0", "&", "\udcff", "\ufeff"):
        yield f"{behind!r} added", f"{text}{behind}"
        yield f"{behind!r} added at the beginning", f"{behind}{text}"


def resent(send: Send, genuine: Genuine) -> Iterator[Send]:
    """Yield the genuine request again, with what its sender may change."""
    path, stamp = genuine.path_for(send.body), str(int(genuine.now))
    text = genuine.text_of(send.body).encode()
    for name in ("X-Amzn-Trace-Id", "X-Request-Id", "X-Slack-Retry-Num", "User-Agent", "X-Forwarded-For", "Cookie"):
        yield crossed(send, "again", headers={name: "2"})
    yield crossed(send, "again", headers=dict.fromkeys(header_names(genuine), "2"))
    yield crossed(send, "again", query={"again": "1"})
    yield crossed(send, "again", query=dict.fromkeys(field_names(genuine), "2"))
    for one in (f"{path}/", path.upper(), path.replace("/", "//")):
        yield crossed(send, "again", path=one)
    for one in ("v0={capitals}", "{signature} ", " {signature}", "V0={digest}"):
        yield crossed(send, "again", signature=one)
    for one in (f"0{stamp}", f"{stamp}.0", f" {stamp}", f"{stamp} ", f"+{stamp}"):
        yield crossed(send, "again", timestamp=one, signature=signature(genuine.secret, stamp, text))
    for behind in (b" ", b"\n", b"&"):
        yield crossed(send, "again", instead=text + behind)
    yield crossed(send, "again", base64=True)
