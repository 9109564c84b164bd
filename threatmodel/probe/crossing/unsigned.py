"""What else a request without a right signature may say: fields, paths and forms."""

from __future__ import annotations

import base64
import gzip
import json
import re
import zlib
from collections.abc import Iterator, Mapping, Sequence
from itertools import product
from typing import Any
from urllib.parse import parse_qsl, urlencode

from threatmodel.probe.bodies import Keys, parse
from threatmodel.probe.cases import METHODS, Send
from threatmodel.probe.crossing import bodies
from threatmodel.probe.crossing.candidates import TYPES, field_names, lengths, values
from threatmodel.probe.crossing.pairing import paired
from threatmodel.probe.events import SHAPES
from threatmodel.probe.hints import step_of
from threatmodel.probe.kinds import KINDS, body_of, caller_of, of_event
from threatmodel.probe.requests import Genuine
from threatmodel.reading.values import replace

_FORM, _JSON = "application/x-www-form-urlencoded", "application/json"


def fields(send: Send, genuine: Genuine) -> Iterator[Send]:
    """Yield requests in whose body one text is another, or a field is added, left out or repeated."""
    text = genuine.text_of(send.body)
    for says, body in _bodies(text, genuine):
        yield crossed(send, says, text=body)


def crossed(send: Send, says: str, **changes: Any) -> Send:
    """Return the request with changes, and what these are in words."""
    if isinstance(text := changes.get("text"), str):
        changes["text"] = text.encode("utf-8", "surrogateescape")
    return replace(send, says=says, **changes)


def _bodies(text: str, genuine: Genuine) -> Iterator[bodies.Changed]:
    words, more = values(genuine), dict.fromkeys(field_names(genuine), "x")
    read = [keys for keys in bodies.places(text) if _is_read(keys, genuine)]
    yield from _replaced(text, read, words)
    yield from _lengthened(text, read, lengths(genuine))
    yield from _with_objects(text, field_names(genuine), words)
    yield from _of_other_types(text, words, more)
    yield from _of_other_kinds(text, genuine)
    yield from _with_words(text, read, words)
    yield from _with_more(text, field_names(genuine), words)
    yield from _spelled(text, read)
    yield from _repeated(text, read, words)
    for keys in dict.fromkeys((*read, *(keys[:1] for keys in bodies.places(text)))):
        left, name = bodies.without(text, keys), bodies.name_of(keys)
        yield f"without {bodies.dotted(keys)}", left
        if left:
            others = {one: value for one, value in more.items() if one != name}
            yield f"without {bodies.dotted(keys)}, with 'x' in each other field", bodies.with_fields(left, (), others)
    for value in words:
        yield from bodies.with_other_first(text, value)


def _replaced(text: str, read: Sequence[Keys], words: Sequence[str]) -> Iterator[bodies.Changed]:
    named = {bodies.dotted(keys): keys for keys in read if keys[-1] != "type"}
    for pairs in paired(list(named), ("", *words)):
        body = text
        for name, value in pairs.items():
            body = bodies.with_value(body, named[name], value)
        yield f"with {_said(pairs)}", body


def _lengthened(text: str, read: Sequence[Keys], sizes: Sequence[int]) -> Iterator[bodies.Changed]:
    """Texts that are longer than what the source may hold them against."""
    for size in sizes:
        typed = [keys for keys in read if keys[-1] in bodies.TYPED]
        for group in (typed, read):
            body = text
            for keys in group:
                body = bodies.with_value(body, keys, "x" * (size + 1))
            yield f"with {size + 1} letters in {'each text' if group is read else 'what was typed'}", body


def _with_objects(text: str, names: Sequence[str], words: Sequence[str]) -> Iterator[bodies.Changed]:
    """JSON, where Slack keeps what the app wrote there, or where the source looks for it in an object."""
    opaque = [keys for keys in bodies.places(text) if keys[-1] in _OPAQUE]
    asked = [name for name in names if name in _OPAQUE]
    for value in (*words, True) if opaque or asked else ():
        body, whole = text, json.dumps(dict.fromkeys(names, value))
        for root in bodies.roots(text) if asked else ():
            body = bodies.with_fields(body, root, dict.fromkeys(names, dict.fromkeys(asked, whole)))
        for keys in opaque:
            body = bodies.with_value(body, keys, whole)
        yield f"with an object that has {json.dumps(value)} in each field, in what the app wrote", body


_OPAQUE = frozenset({"value", "private_metadata", "callback_id", "action_id", "block_id", "state"})
"""Fields that an app fills, and that Slack sends back: docs.slack.dev/reference/interaction-payloads."""


def _of_other_types(text: str, words: Sequence[str], more: Mapping[str, str]) -> Iterator[bodies.Changed]:
    """Requests and events of another type, which has what Slack sends with it, or each field that the source names."""
    for keys in bodies.places(text):
        if keys[-1] == "type":
            for value in dict.fromkeys((*TYPES, *words)):
                says, body = f"with {bodies.dotted(keys)} '{value}'", bodies.with_value(text, keys, value)
                yield says, body
                if keys == ("event", "type"):
                    for name, one in of_event(value, caller_of(text)).items():
                        body = bodies.with_value(body, ("event", name), one)
                    yield f"{says} and its fields", body
                    yield f"{says}, and 'x' in each other field", bodies.with_fields(body, ("event",), more)


def _of_other_kinds(text: str, genuine: Genuine) -> Iterator[bodies.Changed]:
    """Requests of each other kind, also with each switch on and with each field that the source names."""
    more = dict.fromkeys(field_names(genuine), "x")
    for kind in KINDS:
        body = body_of(kind, caller_of(text), delivery="7", now=genuine.now)
        yield f"as a genuine {kind}", body
        on = bodies.switched_on(body)
        for root in bodies.roots(on):
            on = bodies.with_fields(on, root, more)
        yield f"as a genuine {kind}, with true for false and 'x' in each other field", on


def _with_words(text: str, read: Sequence[Keys], words: Sequence[str]) -> Iterator[bodies.Changed]:
    """What the caller typed, with a word behind it."""
    for keys in read:
        if keys[-1] in bodies.TYPED:
            before = bodies.value_at(text, keys)
            for value in words:
                yield f"with '{value}' in {bodies.dotted(keys)}", bodies.with_value(text, keys, f"{before} {value}")


def _with_more(text: str, names: Sequence[str], words: Sequence[str]) -> Iterator[bodies.Changed]:
    for root in bodies.roots(text):
        for pairs in paired(names, (*words, "x")):
            yield f"with {_said(pairs)} added", bodies.with_fields(text, root, pairs)
        switches: tuple[Any, ...] = (True, 1, {})
        for switch in switches:
            added = dict.fromkeys(names, switch)
            yield f"with {json.dumps(switch)} in each field", bodies.with_fields(text, root, added)
            of_all = {"__proto__": added, "constructor": {"prototype": added}}
            yield f"with {json.dumps(switch)} in each field of every object", bodies.with_fields(text, root, of_all)


def _spelled(text: str, read: Sequence[Keys]) -> Iterator[bodies.Changed]:
    """What is there, in other spellings."""
    for keys in read:
        value = bodies.value_at(text, keys)
        for one in dict.fromkeys(
            (value.upper(), value.title(), f"{value} ", f" {value}", f"{value}\0", bodies.wide(value))
        ):
            yield f"with {bodies.dotted(keys)} '{one}'", bodies.with_value(text, keys, one)


def _repeated(text: str, read: Sequence[Keys], words: Sequence[str]) -> Iterator[bodies.Changed]:
    """A form that has a field twice, of which one has another value."""
    names = [str(keys[0]) for keys in read if len(keys) == 1]
    for pairs in paired(names, words, _FEW) if parse(text).form else ():
        yield f"with {_said(pairs)} first, too", f"{urlencode(pairs)}&{text}"
        yield f"with {_said(pairs)} last, too", f"{text}&{urlencode(pairs)}"


def _is_read(keys: Keys, genuine: Genuine) -> bool:
    """Whether the source names what is there."""
    return any(isinstance(key, str) and key in genuine.hints.keys for key in keys)


def _said(pairs: Mapping[str, str]) -> str:
    return ", ".join(f"{name} '{value}'" for name, value in pairs.items())


def paths(send: Send, genuine: Genuine) -> Iterator[Send]:
    """Yield requests at other spellings of each path, below and above other words, by each method."""
    known = dict.fromkeys((genuine.path_for(send.body), *genuine.paths))
    for path in known:
        last = path.rpartition("/")[2]
        spelt = [
            path.upper(),
            path.title(),
            path.replace("/", "//"),
            f"{path}/",
            f"/.{path}",
            f"{path};x",
            f"/x/..{path}",
        ]
        spelt += [path.replace("/", "/%2e/", 1), path[:-1] + f"%{ord(path[-1]):x}" if last else path]
        words = [word.strip("/") for word in (*genuine.hints.paths, *values(genuine)) if _is_path(word)]
        for word in dict.fromkeys(words):
            spelt += [f"/{word}", f"/{word}{path}", f"/{word}/{last}", f"{path}/{word}", f"{path}/{word}/x"]
        for one in dict.fromkeys(spelt):
            if not step_of(one):  # an installation is not signed, and has its own probes
                yield crossed(send, "", path=one)
    for method in METHODS:
        yield crossed(send, "", method=method, headers={"X-HTTP-Method-Override": "POST"})


def _is_path(word: str) -> bool:
    return bool(word.strip("/")) and not set(word) - set(_OF_PATHS)


_OF_PATHS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_./"


def forms(send: Send, genuine: Genuine) -> Iterator[Send]:
    """Yield requests with the same content in other forms, each said to be of each type."""
    text = genuine.text_of(send.body)
    query = dict(parse_qsl(bodies.as_form(text)))
    flat = json.dumps(query)
    written = {
        "as JSON": bodies.as_json(text),
        "as JSON without objects in it": flat,
        "as a list": f"[{bodies.as_json(text)}]",
        "as a list without objects in it": f"[{flat}]",
        "as a form": bodies.as_form(text),
        "as JSON in a form": urlencode({"payload": bodies.as_json(text)}),
        "in base64 as text": base64.b64encode(text.encode()).decode(),
        "as a message of a queue": json.dumps({"Records": [{"body": text}]}),
        "as a message of a queue, without objects in it": json.dumps({"Records": [{"body": flat}]}),
        "with a brace behind it": f"{text}}}",
        "with a byte that is not UTF-8": f"{text}&note=\udcff",
        "with such a byte alone": f"{text}\udcff",
        "with a percent sign that encodes nothing": f"{text}&note=%E0%A4%A",
        "cut": text[:-1],
        "unchanged": text,
    }
    named = (word for word in values(genuine) if _TYPE.match(word))
    described = (*_DESCRIBED, *(("Content-Type", word) for word in named))
    for word in values(genuine) if "Records" in genuine.hints.keys else ():
        record = dict.fromkeys(field_names(genuine), word) | {"body": flat}
        yield crossed(send, f"as a message of a queue, with '{word}'", text=json.dumps({"Records": [record]}))
    for encoded in (False, True):
        headers = {**(send.headers or {}), "Content-Type": f"multipart/form-data; boundary={_BOUNDARY}"}
        yield crossed(send, "as parts", text=_as_parts(query), headers=headers, base64=encoded)
    for packed, (name, value) in product((gzip.compress(text.encode()), zlib.compress(text.encode())), _PACKED):
        yield crossed(send, "compressed", text=packed, headers={**(send.headers or {}), name: value})
    for shape, method in product(SHAPES, ("POST", "GET")):
        yield crossed(send, "without a body", text="", query=query, method=method, shape=shape)
    for says, body in written.items():
        for name, value in described:
            yield crossed(send, says, text=body, headers={**(send.headers or {}), name: value})
        yield crossed(send, says, text=body, base64=True)
    for kind, charset in product((_FORM, _JSON), _CHARSETS):
        yield crossed(send, "", headers={**(send.headers or {}), "Content-Type": f"{kind}; charset={charset}"})
    if text[:1] != "{" and send.signature is None:
        yield from _as_objects(send, flat, genuine)


_BOUNDARY = "x"
_PACKED = (("Accept", "*/*"), ("Content-Encoding", "gzip"), ("Content-Encoding", "deflate"))
"""Headers that say how a body is compressed, and one that says nothing of it."""


def _as_parts(fields: Mapping[str, str]) -> str:
    """The fields as a browser sends a form with files."""
    parts = (f'Content-Disposition: form-data; name="{name}"\r\n\r\n{value}' for name, value in fields.items())
    return "".join(f"--{_BOUNDARY}\r\n{part}\r\n" for part in parts) + f"--{_BOUNDARY}--\r\n"


def _as_objects(send: Send, flat: str, genuine: Genuine) -> Iterator[Send]:
    """A form as JSON, with more in it."""
    headers = {**(send.headers or {}), "Content-Type": _JSON}
    for pairs in paired(field_names(genuine), (*values(genuine), "x"), _FEW):
        body = bodies.with_fields(flat, (), pairs)
        yield crossed(send, f"as JSON without objects in it, with {_said(pairs)}", text=body, headers=headers)


_FEW = 60
_TYPE = re.compile(r"[a-z]+/[\w.+-]+\Z")
_CHARSETS = ("utf-16", "utf-7", "x-probe", "")
"""Charsets in which text is another one, one that does not exist, and none."""

_DESCRIBED = (
    ("Content-Type", _FORM),
    ("Content-Type", _JSON),
    ("Content-Type", "text/plain"),
    ("Content-Type", f"multipart/form-data; boundary={_BOUNDARY}"),
    ("Content-Type", "application/octet-stream"),
    ("Content-Encoding", "gzip"),
    ("Content-Encoding", "base64"),
    ("Content-Transfer-Encoding", "base64"),
)
"""Headers that say in which form a body is."""
