"""What a request says around its body: headers, queries, cookies and claims that no key has signed."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator, Sequence
from itertools import pairwise, product
from typing import Any
from urllib.parse import parse_qsl

from threatmodel.probe.cases import Send
from threatmodel.probe.crossing import bodies
from threatmodel.probe.crossing.candidates import CARRIED, field_names, header_names, named_headers, values
from threatmodel.probe.crossing.pairing import paired
from threatmodel.probe.crossing.unsigned import crossed
from threatmodel.probe.events import SHAPES
from threatmodel.probe.requests import Genuine


def places(send: Send, genuine: Genuine) -> Iterator[Send]:
    """Yield requests with headers, queries and cookies, alone and together with fields."""
    yield from around(send, genuine)
    headers, names = send.headers or {}, field_names(genuine)
    compared = [word for word in values(genuine) if word in genuine.hints.compared][:_MOST_COMPARED]
    for first, second in product(compared, compared):
        pairs = dict.fromkeys(names, second)
        text = bodies.with_fields(genuine.text_of(send.body), (), pairs)
        together = {**headers, **dict.fromkeys(header_names(genuine), first)}
        yield crossed(send, f"with '{second}' in each field", headers=together, query=pairs, text=text)

    yield from _as_compared(send, genuine)


def around(send: Send, genuine: Genuine) -> Iterator[Send]:
    """Yield requests with headers, queries and cookies around the same body."""
    words, names = values(genuine), field_names(genuine)
    headers = send.headers or {}
    for pairs in paired(header_names(genuine), words):
        yield crossed(send, "", headers={**headers, **pairs})
    shapes = (send.shape, "http-api") if "cookies" in genuine.hints.keys else (send.shape,)
    for pairs, shape in product(paired(names, words), shapes):
        cookies = "; ".join(f"{name}={value}" for name, value in pairs.items())
        yield crossed(send, "", query=dict(pairs), headers={**headers, "Cookie": cookies}, shape=shape)
    for credentials in _credentials(genuine, words):
        yield crossed(send, "", headers={**headers, "Authorization": credentials})
    for token, shape in product(_claims(genuine), shapes):
        cookies = "; ".join(f"{name}={token}" for name in names)
        given = {**dict.fromkeys(named_headers(genuine), token), "Authorization": f"Bearer {token}", "Cookie": cookies}
        query = dict.fromkeys(names, token)
        yield crossed(send, "with unsigned claims", query=query, headers={**headers, **given}, shape=shape)


def _as_compared(send: Send, genuine: Genuine) -> Iterator[Send]:
    """Requests of which every part has what the source compares it with: a check may need several of them at once."""
    answers = genuine.hints.answers
    text = genuine.text_of(send.body)
    named = named_headers(genuine)
    rest: tuple[dict[str, str], ...] = ({}, dict.fromkeys(field_names(genuine), "x"))
    for at, filled in product(range(min(_MOST_ANSWERS, max(map(len, answers.values()), default=0))), rest):
        said = {name: texts[at % len(texts)] for name, texts in answers.items()}
        more = {name: value for name, value in (filled | said).items() if name.lower() not in CARRIED}
        lowered = {name.lower(): value for name, value in said.items()}
        headers = {**(send.headers or {}), **{name: lowered.get(name.lower(), "1") for name in named}}
        own = text
        for keys in bodies.places(text):
            own = bodies.with_value(own, keys, said.get(bodies.name_of(keys), bodies.value_at(text, keys)))
        for root in bodies.roots(text):
            own = bodies.with_fields(own, root, more)
        flat = json.dumps({**dict(parse_qsl(bodies.as_form(text))), **more})
        for body, shape in product(dict.fromkeys((own, flat)), SHAPES):
            yield crossed(send, _AS_COMPARED, text=body, headers=headers, query=said, shape=shape)


_AS_COMPARED = "with what the source compares each field and header with"
_MOST_ANSWERS = 6
"""Requests with different texts for a field that is compared with several."""
_MOST_COMPARED = 10
"""Texts that are compared, of which one is in the headers and another in the fields of a request."""


def _credentials(genuine: Genuine, words: Sequence[str]) -> Iterator[str]:
    """Yield a name and password that follow each other in the source, and claims that no key has signed."""
    if not any(name.lower() == "authorization" for name in genuine.hints.keys):
        return
    near = [word for word in genuine.hints.literals if ":" not in word]
    for pair in pairwise(near):
        yield f"Basic {base64.b64encode(':'.join(pair).encode()).decode()}"
    for word in words:
        yield f"Bearer {_token(dict.fromkeys(field_names(genuine), word))}"


def _claims(genuine: Genuine) -> Iterator[str]:
    """Yield claims with what the source compares each with, in base64 and as a token without a signature."""
    answers = genuine.hints.answers
    for at, rest in product(range(max(1, min(_MOST_ANSWERS, max(map(len, answers.values()), default=0)))), _RESTS):
        said = {name: texts[at % len(texts)] for name, texts in answers.items()}
        claims = {**dict.fromkeys(field_names(genuine), rest), **said}
        yield _coded(json.dumps(claims).encode())
        yield _token(claims)


_RESTS: tuple[Any, ...] = (4_102_444_800, True, "x")
"""What is claimed where nothing is compared: a time that is far ahead, a switch, a text."""


def _token(claims: dict[str, Any]) -> str:
    return f"{_coded(_UNSIGNED)}.{_coded(json.dumps(claims).encode())}.x"


def _coded(text: bytes) -> str:
    return base64.urlsafe_b64encode(text).decode().rstrip("=")


_UNSIGNED = b'{"alg":"none"}'
"""The head of a JSON Web Token without a signature."""
