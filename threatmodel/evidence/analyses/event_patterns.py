"""Which events a pattern of EventBridge, or a filter of CloudWatch Logs, matches: yes, no, or unknown."""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Iterator, Sequence

from threatmodel.evidence.analyses.properties import each
from threatmodel.evidence.answers import one_of
from threatmodel.stacks.values import List, Node, Scalar, Table, Unknown, get

_MOST_ALTERNATIVES = 50
"""Alternatives of a pattern that are read, each with the other parts repeated.  Whether others match is unknown."""


def admits(field: Node | None, value: str | float) -> bool | None:
    """Whether what a pattern asks of a field lets a value through; a field that is not asked about takes any."""
    if field is None:
        return True
    if not isinstance(field, List):
        return None
    return one_of(_admits(node, value) for node in field.items)


def admits_none(field: Node | None) -> bool | None:
    """Whether what a pattern asks of a field lets an event through that has no such field."""
    if field is None:
        return True
    if not isinstance(field, List):
        return None
    absent = [get(node, "exists") for node in field.items if isinstance(node, Table)]
    return any(isinstance(one, Scalar) and one.value is False for one in absent)


def _admits(node: Node, value: str | float) -> bool | None:
    if isinstance(node, Scalar):
        return bool(node.value == value and isinstance(node.value, bool) is isinstance(value, bool))
    if not isinstance(node, Table) or len(node.entries) != 1:
        return None
    name, argument = next(iter(node.entries.items()))
    if name == "anything-but":
        return _anything_but(argument, value)
    if not isinstance(argument, Scalar):
        return _in_range(argument, value) if name == "numeric" else None
    asked = argument.value
    match name, asked, value:
        case "exists", bool(), _:
            return asked
        case "prefix", str(), str():
            return value.startswith(asked)
        case "suffix", str(), str():
            return value.endswith(asked)
        case "equals-ignore-case", str(), str():
            return value.lower() == asked.lower()
        case "wildcard", str(), str():
            return _fits(asked, value)
        case _:
            return None


def _anything_but(argument: Node, value: str | float) -> bool | None:
    listed = each(argument)
    if any(isinstance(one, Table) for one in listed):
        found = _admits(argument, value)
        return None if found is None else not found
    if not all(isinstance(one, Scalar) for one in listed):
        return None
    return all(not isinstance(one, Scalar) or one.value != value for one in listed)


def _in_range(argument: Node, value: str | float) -> bool | None:
    """A numeric condition such as ``[">=", 4, "<", 9]``."""
    words = [one.value if isinstance(one, Scalar) else None for one in each(argument)]
    if not isinstance(value, int | float) or not words or len(words) % 2:
        return None
    for sign, limit in zip(words[::2], words[1::2], strict=True):
        if not isinstance(limit, int | float):
            return None
        found = {
            ">=": value >= limit,
            ">": value > limit,
            "<": value < limit,
            "<=": value <= limit,
            "=": value == limit,
        }
        if str(sign) not in found:
            return None
        if not found[str(sign)]:
            return False
    return True


def _fits(pattern: str, text: str) -> bool:
    """Whether a text fits a pattern in which only ``*`` is special."""
    return fnmatch.fnmatchcase(text, re.sub(r"([\[?])", r"[\1]", pattern))


def alternatives(detail: Node | None) -> Iterator[Node | None]:
    """What a pattern asks of an event's detail; with ``$or``, each of its alternatives.

    None where it asks nothing; anything but a mapping where what it asks cannot be read.
    """
    if not isinstance(detail, Table) or "$or" not in detail.entries:
        yield detail
        return
    own = {name: child for name, child in detail.entries.items() if name != "$or"}
    either = detail.entries["$or"]
    every = either.items if isinstance(either, List) else (either,)
    for one in every[:_MOST_ALTERNATIVES]:
        yield Table({**own, **one.entries}, detail.place, {}) if isinstance(one, Table) else one
    if len(every) > _MOST_ALTERNATIVES:
        yield Unknown(f"it has more than {_MOST_ALTERNATIVES} alternatives", detail.place)


def leaves_out(node: Node | None) -> bool:
    """Whether a pattern only leaves some out: each of its fields takes anything but a few."""
    if isinstance(node, Table):
        return all(leaves_out(child) for child in node.entries.values())
    if not isinstance(node, List):
        return node is None
    return any(isinstance(one, Table) and "anything-but" in one.entries for one in node.items)


# --- filters of CloudWatch Logs

_TERM = re.compile(
    r"""\$\.(?P<field>[\w.]+)\s*(?P<sign>!=|=|NOT\s+EXISTS|EXISTS|IS\s+\w+)\s*(?P<value>"[^"]*"|[^\s)&|]+)?"""
)
_LONGEST = 20_000
_OF_A_WRITE = {"readOnly": "false", "managementEvent": "true", "eventType": "AwsApiCall", "eventCategory": "Management"}
"""Fields that may be asked about, and what they hold of a write."""
_OF_A_FAILURE = ("errorCode", "errorMessage")
"""Fields that a call has only where it was rejected or failed."""


def filter_admits(pattern: str, source: str, name: str) -> bool | None:
    """Whether a filter in JSON form counts the call `name` of a service by CloudTrail; None where that is not certain.

    Terms for one field are alternatives and different fields hold together, which is how such filters are written.
    """
    asked: dict[str, list[str]] = {"eventSource": [], "eventName": []}
    for term in _TERM.finditer(pattern[:_LONGEST]):
        field, sign, value = term["field"], term["sign"], (term["value"] or "").strip('"')
        if field in asked and sign == "=":
            asked[field].append(value)
        elif field in asked or not (
            _takes_a_write(field, sign, value) or (field.startswith("userIdentity.") and sign != "=")
        ):
            return None
    if not any(asked.values()):
        return None
    return _one_fits(asked["eventSource"], source) and _one_fits(asked["eventName"], name)


def _takes_a_write(field: str, sign: str, value: str) -> bool:
    """Whether a term holds for a write that succeeds."""
    if field in _OF_A_FAILURE:
        return sign.startswith("NOT")
    if field not in _OF_A_WRITE or sign.startswith("NOT"):
        return False
    if sign.startswith("IS"):
        return sign.split()[1].lower() == _OF_A_WRITE[field]
    return sign == "EXISTS" or _fits(value, _OF_A_WRITE[field]) is (sign == "=")


def _one_fits(patterns: Sequence[str], text: str) -> bool:
    return not patterns or any(_fits(pattern, text) for pattern in patterns)


def asks_only(detail: Table, names: Sequence[str]) -> bool:
    """Whether a pattern asks about these fields of an event's detail alone."""
    return all(name in names for name in detail.entries)
