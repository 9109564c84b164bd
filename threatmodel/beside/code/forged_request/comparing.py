"""Comparisons: that of a signature with an HMAC shows who sent a request, if the key is secret and all is signed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from threatmodel.beside.code.forged_request.parts import header, mixed, of_event
from threatmodel.beside.code.forged_request.timing import ordered
from threatmodel.beside.code.forged_request.values import (
    BODY,
    EMPTY,
    FIXED,
    MAC,
    NOTHING,
    OUTSIDE,
    SIGNATURE,
    STAMP,
    TIMESTAMP,
    UNKNOWN,
    VERDICT,
    Boolean,
    Code,
    Fixed,
    Found,
    Items,
    Length,
    Made,
    Several,
    Thing,
    Timed,
    Value,
    Whole,
    constants,
    verdict,
)

if TYPE_CHECKING:
    from threatmodel.beside.code.forged_request.machine import Machine

_LONG = 24
_REQUEST = ("header", "body", "query")


def compared(machine: Machine, operator: str, left: Value, right: Value, where: Found) -> Value:
    """Return what a comparison gives."""
    match operator:
        case "==" | "is":
            return same(machine, left, right, where)
        case "!=" | "is not":
            return _opposite(same(machine, left, right, where))
        case "in":
            return _among(machine, left, right, where)
        case "not in":
            return _opposite(_among(machine, left, right, where))
        case "instanceof":
            return instance_of(machine, left, right)
    known = _ordered(machine, operator, left, right)
    if known is not None and any(isinstance(one.shape, Timed) for one in (left, right)):
        machine.times.append(where)
    of = mixed([left, right]).of
    return Value(of, shape=Boolean()) if known is None else Value(of, truth=known, shape=Fixed(known))


def _opposite(value: Value) -> Value:
    if value.truth is None:
        return value
    return Value(value.of, truth=not value.truth, shape=Fixed(not value.truth))


def _among(machine: Machine, left: Value, right: Value, where: Found) -> Value:
    """Return whether a value is in a sequence or under a key of an object, or a text in another one."""
    if isinstance(right.shape, Items) and right.shape.items:
        each = [same(machine, left, one, where) for one in right.shape.items]
        if right.shape.whole and all(one.truth is False for one in each):
            return each[0]
        return next((one for one in each if one.truth and VERDICT in one.of), mixed([left, right]))
    if MAC in left.of | right.of:
        machine.weak.append((where, "a part of the digest is compared"))
    if isinstance(left.shape, Fixed) and right.of == {"event"}:
        found = of_event(str(left.shape.value))
        return Value(found.of, truth=False if found == NOTHING else None)
    if isinstance(left.shape, Fixed) and "headers" in right.of:
        return Value(header(str(left.shape.value)).of)
    return mixed([left, right])


def instance_of(machine: Machine, value: Value, asked: Value) -> Value:
    """Return whether a value is an instance of a class of the folder."""
    made = value.shape.made if isinstance(value.shape, Thing) else None
    if made is None or not isinstance(asked.shape, Made):
        return mixed([value])
    while made is not None and made != asked.shape:
        bases = (machine.value(one, made.frame).shape for one in made.node.parts[1:])
        made = next((one for one in bases if isinstance(one, Made)), None)
    return Value(value.of, truth=made is not None, shape=Fixed(made is not None))


def _ordered(machine: Machine, operator: str, left: Value, right: Value) -> bool | None:
    """Return what an order comparison of numbers gives, or of a length with 0."""
    if isinstance(left.shape, Length) and left.truth is not None and right.shape == Fixed(0):
        return {">": left.truth, "<=": not left.truth}.get(operator)
    return ordered(machine, operator, left, right)


def same(machine: Machine, left: Value, right: Value, where: Found) -> Value:
    """Return whether two values are the same."""
    a, b = left.shape, right.shape
    for one, other in ((left, b), (right, a)):
        if one.of == {"headers"} and isinstance(other, Fixed) and isinstance(other.value, str):
            machine.sought = other.value
    known = _known(left, right)
    if known is not None:
        return Value(left.of | right.of, truth=known, shape=Fixed(known))
    lengths = [one.of.shape for one in (a, b) if isinstance(one, Length)]
    if machine.age is not None and {type(one) for one in lengths} == {Code, Whole}:  # what Slack signs is as long
        return Value(left.of | right.of, truth=True, shape=Fixed(value=True))
    if isinstance(a, Code) or isinstance(b, Code):
        return _of_codes(machine, left, right, where)
    if MAC in left.of | right.of and not (isinstance(a, Fixed) or isinstance(b, Fixed)):
        machine.weak.append((where, "a part of the digest is compared"))
    if a is not None and a == b and isinstance(a, Whole) and a.parts == {SIGNATURE}:
        machine.faults.append((where, "the signature of the request is compared with itself"))
        return verdict(passes=True)
    of = left.of | right.of
    secret = any(isinstance(one, Fixed) and isinstance(one.value, str) and len(one.value) >= _LONG for one in (a, b))
    if secret or VERDICT in of:  # a secret that only some senders know, or an outcome in another form
        of |= {OUTSIDE}
    return Value(of or UNKNOWN.of, shape=Boolean())


def _known(left: Value, right: Value) -> bool | None:
    """Return whether two values are surely the same, or surely are not."""
    a, b = left.shape, right.shape
    if isinstance(a, Fixed | Several) and isinstance(b, Fixed | Several):
        met = constants(a) & constants(b)
        if not met or len(constants(a) | constants(b)) == 1:
            return bool(met)
    for one, other in ((left, b), (right, a)):
        if isinstance(other, Fixed) and one.truth is not None and bool(other.value) is not one.truth:
            return False
    return None


def _of_codes(machine: Machine, left: Value, right: Value, where: Found) -> Value:
    """Return what a comparison of a MAC gives."""
    code, other = (left, right) if isinstance(left.shape, Code) else (right, left)
    shape: Code = code.shape
    of = left.of | right.of
    if isinstance(other.shape, Code):
        texts = {covered(one.shape.text) for one in (left, right)}
        if left.shape is right.shape:
            machine.faults.append((where, "the digest is compared with itself"))
            return verdict(passes=True)
        doubled = [one.shape.text for one in (left, right) if isinstance(one.shape.text.shape, Code)]
        if len(doubled) == 1 and frozenset({SIGNATURE}) in texts:
            return _judged(machine, doubled[0].shape, where)
        return Value(of)
    if MAC not in other.of and any(one.startswith("header") for one in other.of):  # a piece equals no whole digest
        return _judged(machine, shape, where)
    return Value(of)


def _judged(machine: Machine, code: Code, where: Found) -> Value:
    """Return what the comparison of a signature with a MAC gives, by its key and by what is under it."""
    fault = _fault(code)
    if fault:
        machine.faults.append((where, fault))
        return verdict(passes=True)
    if code.key.of == {OUTSIDE} and covered(code.text) >= {BODY, TIMESTAMP}:
        return checked(machine, where)
    why = "it may not cover the whole body and the timestamp"
    if code.key.of != {OUTSIDE}:
        why = "its key may be empty" if code.key.of == {OUTSIDE, EMPTY} else "its key may be known"
    machine.weak.append((where, f"an HMAC is compared, and {why}"))
    return Value(code.key.of | code.text.of | {OUTSIDE})


def _fault(code: Code) -> str:
    """Return by what anyone can compute or repeat a MAC."""
    if isinstance(code.key.shape, Fixed) and not code.key.shape.value:
        return "the key of the HMAC is empty"
    known = code.key.of - {FIXED, EMPTY}
    if known and all(one.startswith(_REQUEST) for one in known):
        return "the key of the HMAC is a part of the request"
    if BODY not in covered(code.text) and code.text.of <= {FIXED, EMPTY, STAMP}:
        return "the HMAC does not cover the body"
    return ""


def checked(machine: Machine, where: Found) -> Value:
    """Return the outcome of a check of the whole signature."""
    machine.checks.append(where)
    return verdict(passes=machine.passes)


def covered(text: Value) -> frozenset[str]:
    """Return the parts of a request of which a text has the whole."""
    return text.shape.parts if isinstance(text.shape, Whole) else frozenset()
