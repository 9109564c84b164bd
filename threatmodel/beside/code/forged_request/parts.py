"""What values hold: attributes and items of them, and the parts of a request."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from threatmodel.beside.code.forged_request.serving import App, method, of_request
from threatmodel.beside.code.forged_request.values import (
    BODY,
    FIXED,
    GATEWAY,
    NOTHING,
    OUTSIDE,
    PATH,
    REQUEST,
    SETTING,
    SIGNATURE,
    TIMESTAMP,
    UNKNOWN,
    VERDICT,
    Closure,
    Code,
    External,
    Fixed,
    Items,
    Length,
    Made,
    Thing,
    Value,
    Whole,
    fixed,
    joined,
)

if TYPE_CHECKING:
    from threatmodel.beside.code.forged_request.machine import Machine

_OF_EVENT: Mapping[str, str] = {
    **dict.fromkeys(("headers", "multiValueHeaders"), "headers"),
    "body": "body",
    **dict.fromkeys(("queryStringParameters", "multiValueQueryStringParameters", "rawQueryString"), "query"),
    **dict.fromkeys(("cookies", "pathParameters"), "query"),
    **dict.fromkeys(("requestContext", "isBase64Encoded", "httpMethod", "resource"), GATEWAY),
    **dict.fromkeys(("stageVariables", "version", "routeKey"), GATEWAY),
    **dict.fromkeys(("path", "rawPath"), PATH),
}
"""What API Gateway and function URLs put into an event; any other key is that of another trigger."""
_SIGNED = {"x-slack-signature": SIGNATURE, "x-slack-request-timestamp": TIMESTAMP}
_PREFIX = 3
_TWO = 2


_SET_BY_LAMBDA = re.compile(r"(?:AWS_|LAMBDA_)[A-Z_]+\Z|_HANDLER\Z")
"""Variables of Lambda's runtime, such as the function's name: no secret of Slack."""
_ENVIRONMENT = re.compile(r"(?:\A|\.)(?:os\.environ|process\.env)\Z")
_OF_SECRETS = re.compile(
    r"SECRET|SIGN|KEY|TOKEN|SLACK|HMAC|PASS|CRED|AUTH|SALT|CONFIG|SETTINGS|OPTIONS|PARAM|SSM", re.IGNORECASE
)
"""What the name of a variable has that may hold a secret."""


def attribute_of(machine: Machine, owner: Value, name: str) -> Value:
    """Return an attribute of a value, or what it has under a key."""
    shape = owner.shape
    if isinstance(shape, Thing):
        return _field(machine, owner, shape, name)
    if isinstance(shape, Made):
        return _member(machine, shape, name, None)
    if isinstance(shape, App):
        return method(shape, name)
    if owner.of == {REQUEST}:
        return of_request(machine, name)
    if isinstance(shape, External):
        return _outside(shape, name)
    if isinstance(shape, Items) and name.isdigit():
        return taken(machine, owner, fixed(int(name)))
    if owner.of == {"event"}:
        machine.keys.add(name)
        return of_event(name)
    if "headers" in owner.of:
        return header(name)
    if shape is not None and name in {"length", "size", "byteLength"}:
        return length_of(owner)
    return Value(frozenset(f"{one}.{name}" if one in {"body", "query"} else one for one in owner.of) or UNKNOWN.of)


def is_environment(value: Value) -> bool:
    """Return whether a value is all variables of the environment."""
    return isinstance(value.shape, External) and _ENVIRONMENT.search(value.shape.name) is not None


def _outside(owner: External, name: str) -> Value:
    """Return an attribute of what is defined outside the folder; of a setting, it is known whether it may be secret."""
    of = {OUTSIDE, FIXED} if _SET_BY_LAMBDA.match(name) else {OUTSIDE}
    if _ENVIRONMENT.search(owner.name) and not _OF_SECRETS.search(name):
        of.add(SETTING)
    return Value(frozenset(of), shape=External(f"{owner.name}.{name}"))


def length_of(value: Value) -> Value:
    """Return the length of a sequence or a text."""
    if isinstance(value.shape, Code):
        return Value(frozenset({FIXED}), truth=True, shape=Length(value))
    if isinstance(value.shape, Items) and value.shape.whole:
        return Value(value.of, truth=bool(value.shape.items), shape=Fixed(len(value.shape.items)))
    return Value(value.of, truth=value.truth, shape=Length(value))


def _field(machine: Machine, owner: Value, shape: Thing, name: str) -> Value:
    if name in shape.fields:
        return shape.fields[name]
    if shape.module:
        return machine.exported(shape.module, name)
    if shape.made is not None:
        return _member(machine, shape.made, name, owner)
    if shape.rest is not None:
        return header(name) if "headers" in shape.rest.of else Value(shape.rest.of)
    return NOTHING if shape.fields else UNKNOWN


def _member(machine: Machine, made: Made, name: str, own: Value | None) -> Value:
    """Return a method or a field of a class, or of one that it extends; of a property, its value."""
    for one in made.node.parts[0].parts:
        if one.kind == "function" and one.name == name:
            static = any(part.name == "staticmethod" for part in one.parts[2:])
            closure = Closure(one, made.frame, None if static else own or Value(truth=True, shape=made))
            if own is not None and any(part.name in {"property", "cached_property"} for part in one.parts[2:]):
                return machine.call(Value(shape=closure), (), {}) or UNKNOWN
            return Value(truth=True, shape=closure)
        if one.kind == "assign" and one.parts[0].name == name:
            if any(base.name.endswith("Enum") for base in made.node.parts[1:]):
                return fixed(f"{made.node.name}.{name}")
            return machine.value(one.parts[1], made.frame)
    for base in made.node.parts[1:]:
        extended = machine.value(base, made.frame).shape
        if isinstance(extended, Made):
            return _member(machine, extended, name, own)
    return UNKNOWN


def of_event(name: str) -> Value:
    """Return what an event of API Gateway or a function URL has under a key."""
    part = _OF_EVENT.get(name)
    if part is None:
        return NOTHING
    if part == BODY:
        return Value(frozenset({BODY}), truth=None, shape=Whole(frozenset({BODY})))
    return Value(frozenset({part}), truth=True if part == "headers" else None)


def header(name: str) -> Value:
    """Return a header."""
    low = name.lower()
    if low.isdigit():
        return Value(frozenset({"headers"}), truth=True)
    part = _SIGNED.get(low.replace("_", "-").removeprefix("http-"), "")
    return Value(frozenset({f"header.{low}"}), truth=None, shape=Whole(frozenset({part})) if part else None)


def taken(machine: Machine, owner: Value, key: Value) -> Value:
    """Return an item of a value, or a slice."""
    shape = owner.shape
    if isinstance(key.shape, Fixed) and isinstance(key.shape.value, str):
        return attribute_of(machine, owner, key.shape.value)
    if isinstance(key.shape, Items):
        return sliced(owner, key.shape.items)
    index = key.shape.value if isinstance(key.shape, Fixed) else None
    if isinstance(shape, Items) and isinstance(index, int) and -len(shape.items) <= index < len(shape.items):
        return shape.items[index]
    if isinstance(shape, Items) and shape.items:
        return joined(shape.items)
    if isinstance(shape, Thing) and shape.fields and shape.made is None and shape.rest is None:
        return joined([*shape.fields.values(), NOTHING])
    if "headers" in owner.of:
        return Value(frozenset({"headers"}))
    of = owner.of - {"event"}
    return Value((of | (key.of - {FIXED})) or UNKNOWN.of)


def sliced(value: Value, bounds: Sequence[Value]) -> Value:
    """Return a slice: of a signature or a MAC, what comes after the version is all of it."""
    start, end = (one.shape.value if isinstance(one.shape, Fixed) else "?" for one in (*bounds, NOTHING, NOTHING)[:2])
    whole = end is None and (start is None or (isinstance(start, int) and 0 <= start <= _PREFIX))
    is_signature = isinstance(value.shape, Whole) and value.shape.parts == {SIGNATURE}
    if whole and (is_signature or isinstance(value.shape, Code) or not start):
        return value
    return Value(value.of or UNKNOWN.of)


def mixed(values: Sequence[Value]) -> Value:
    """Return what an operation makes of some values."""
    of = frozenset[str]().union(*(one.of for one in values))
    return Value(of | {OUTSIDE} if VERDICT in of or not of else of)


def item_of(value: Value) -> Value:
    """Return any item of a sequence."""
    if isinstance(value.shape, Items):
        return joined(value.shape.items) if value.shape.items else UNKNOWN
    return Value(value.of or UNKNOWN.of)
