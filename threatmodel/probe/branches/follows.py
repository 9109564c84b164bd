"""What follows from a place in a source, as far as that is certain: a rejection, or the return of a constant."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from threatmodel.beside.code.syntax import Node, walk


class Open(NamedTuple):
    """A value that a function returns: what that leads to was seen where the same was returned."""

    function: str
    text: str


Follow = frozenset[Open] | None
"""Empty: a rejection.  None: unknown.  Else it is what followed where each of these was returned."""
_MOST = 12
"""Branches that are followed."""
_CLIENT, _LAST = 400, 599


class Frame(NamedTuple):
    """What comes behind a statement: the rest of its blocks, from the inside, in a function.

    `answers`: the function is the handler, so that what it returns is the answer.  `loops`: it is repeated.  `outside`
    are names that keep what they are given when the function ends.
    """

    function: str = ""
    answers: bool = False
    loops: bool = False
    rest: tuple[Sequence[Node], ...] = ()
    outside: frozenset[str] = frozenset()

    def then(self, more: Sequence[Node]) -> Frame:
        """Return the frame of what is before some statements."""
        return self._replace(rest=(tuple(more), *self.rest))

    def around(self) -> Frame:
        """Return the frame of what is in the body of a loop."""
        return self._replace(loops=True, rest=())

    def open(self, text: str) -> Open:
        """Return what the return of a value is."""
        return Open(self.function, text)


def follow(statements: Sequence[Node], frame: Frame, depth: int = 0) -> Follow:
    """Return what follows from the beginning of some statements."""
    ahead = [*statements, *(one for several in frame.rest for one in several)]
    for at, one in enumerate(ahead):
        match one.kind:
            case "raise":
                return frozenset()
            case "return":
                return _returned(one, frame)
            case "if" if depth < _MOST:
                rest = frame._replace(rest=(tuple(ahead[at + 1 :]),))
                ways = [follow(part.parts, rest, depth + 1) for part in one.parts[1:]]
                return None if None in ways else frozenset().union(*(way for way in ways if way is not None))
            case _ if is_quiet(one) or _is_local(one, frame):
                continue
            case _:
                return None
    if frame.loops or not frame.function:
        return None
    return _of_constant("none", frame)


def _returned(one: Node, frame: Frame) -> Follow:
    value = one.parts[0] if one.parts else None
    if is_rejection(value):
        return frozenset()
    if value is not None and value.kind == "choice":
        ways = [_returned(one._replace(parts=(part,)), frame) for part in value.parts[1:]]
        return None if None in ways else frozenset().union(*(way for way in ways if way is not None))
    text = constant_text(value)
    return _of_constant(text, frame, calls="(" in text) if text else None


def _of_constant(text: str, frame: Frame, *, calls: bool = False) -> Follow:
    """A constant answer tells and does nothing; any other value is what it was where it was returned before."""
    return frozenset() if frame.answers and not calls else frozenset({frame.open(text)})


def is_rejection(value: Node | None) -> bool:
    """Whether a value says that a request is rejected: an object, call or pair with a status of 4xx or 5xx."""
    if value is None:
        return False
    if value.kind == "operation" and value.name == "await":
        return is_rejection(value.parts[0])
    if value.kind == "dict":
        return any(_STATUS.search(one.name) and _is_status(one.parts[0]) for one in value.parts if one.kind == "pair")
    if value.kind == "call" and value.parts[0][:2] == ("attribute", "reject"):
        return value.parts[0].parts[0].name == "Promise"
    given = value.parts[1:] if value.kind == "call" else value.parts if value.kind == "list" else ()
    return any(_is_status(one.parts[0] if one.kind == "keyword" else one) or is_rejection(_dict(one)) for one in given)


def _dict(one: Node) -> Node | None:
    return one if one.kind == "dict" else None


_STATUS = re.compile(r"(?i)status|code")
_NAMED = re.compile(r"(?:BAD_REQUEST|UNAUTHORIZED|FORBIDDEN|NOT_FOUND|METHOD_NOT_ALLOWED)\Z")


def _is_status(one: Node) -> bool:
    if one.kind == "attribute":
        return bool(_NAMED.match(one.name))
    return one.kind in {"constant", "text"} and one.name.isdecimal() and _CLIENT <= int(one.name[:9]) <= _LAST


def constant_text(value: Node | None) -> str:
    """Return the text of a value that is the same each time; '' where it may differ.  One of a call has parentheses."""
    if value is None:
        return "none"
    if value.kind in {"text", "constant"}:
        return f"{value.kind} {value.name}" if value.name != "none" else "none"
    if value.kind == "name":
        return value.name if _CONSTANT.match(value.name) else ""
    if value.kind in {"dict", "list", "pair", "key", "keyword", "call", "attribute", "spread"}:
        parts = [part for part in value.parts if part.kind != "key"]
        called = parts[0] if value.kind == "call" else None
        inner = [constant_text(part) if part is not called else _called(part) for part in parts]
        if value.kind == "attribute" and parts and parts[0].kind == "name":
            inner = [parts[0].name]
        return f"{value.kind}{'(' if called else '['}{value.name} {' '.join(inner)}]" if all(inner) else ""
    return ""


_CONSTANT = re.compile(r"_?[A-Z][A-Z0-9_]*\Z|undefined\Z")


def _called(one: Node) -> str:
    return one.name if one.kind == "name" or (one.kind == "attribute" and one.parts[0].kind == "name") else ""


def is_quiet(one: Node) -> bool:
    """Whether statements only log."""
    if one.kind == "block":
        return all(map(is_quiet, one.parts))
    if one.kind == "declare" or (one.kind == "expression" and not one.parts):
        return True
    if one.kind != "expression" or one.name == "with":
        return False
    value = one.parts[0]
    return value.kind in {"text", "constant"} or (value.kind == "call" and _logs(value))


def _logs(call: Node) -> bool:
    called = call.parts[0]
    root = called
    while root.kind in {"attribute", "item"}:
        root = root.parts[0]
    if not (
        _LOG.match(root.name) or (called.kind == "attribute" and root.name in {"self", "this"} and _own_log(called))
    ):
        return False
    inner = (one for part in call.parts[1:] for one in walk(part) if one.kind == "call")
    return all(one.parts[0].name in _PURE for one in inner)


def _own_log(called: Node) -> bool:
    return any(one.kind == "attribute" and _LOG.match(one.name) for one in walk(called))


_LOG = re.compile(r"_?(?:print|console|logging|log|logger|LOG|LOGGER|warnings)\Z")
_PURE = frozenset(
    {"str", "len", "repr", "type", "dumps", "get", "join", "format", "stringify", "String", "int", "bool"}
)


def _is_local(one: Node, frame: Frame) -> bool:
    """Whether a constant gets a name, which is lost with the function."""
    if one.kind != "assign" or one.parts[0].kind != "name" or not constant_text(one.parts[-1]):
        return False
    return one.name == "declare" or one.parts[0].name not in frame.outside
