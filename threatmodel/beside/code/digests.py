"""Digests and signatures in a program, and how they are compared."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from threatmodel.beside.code.functions import Function
from threatmodel.beside.code.program import Program
from threatmodel.beside.code.syntax import Node

HMAC = re.compile(
    r"(?:\A|\.)(?:hmac\.(?:new|digest|HMAC)|createHmac|subtle\.(?:sign|verify)|HmacSHA256)\Z", re.IGNORECASE
)
_DIGEST = re.compile(r"(?:hmac\.new|createHmac|HMAC)\(.*\)\.(?:hex)?digest\(|(?:\A|\.)hmac\.digest\(|HmacSHA256\(")
CONSTANT_TIME = frozenset({"compare_digest", "timingSafeEqual", "tsscmp", "safeCompare"})
"""What compares in constant time."""
_METHODS = frozenset({"__eq__", "__ne__", "equals", "compare", "localeCompare"})
"""What compares what it is called on with its only argument, and ends at the first difference."""
_FUNCTIONS = re.compile(r"(?:\A|\.)(?:operator\.(?:eq|ne)|Buffer\.compare|(?:lodash|_)\.isEqual)\Z")
"""What compares its arguments so."""
_OPERATORS = frozenset({"==", "!=", "in", "not in"})
_MEASURES = (
    frozenset({"len", "bool", "type", "isinstance", "typeof"})
    | {"sorted", "sort", "reversed", "reverse", "set", "frozenset", "Set", "Counter", "sum"}
    | _METHODS
    | CONSTANT_TIME
)
"""What says of a digest only what it is like: how long it is, or which digits it has in any order."""
_KEEPS = frozenset(
    {"str", "bytes", "bytearray", "b64encode", "hexlify", "from_hex", "fromhex", "urlsafe_b64encode", "from", "String"}
    | {"encode", "decode", "lower", "upper", "strip", "hex", "removeprefix", "ljust", "toString", "toLowerCase", "trim"}
    | {"split", "slice", "substring", "substr", "subarray", "map"}
)
"""What gives a signature in another form, or a part of it."""
_HEADER = "x-slack-signature"
_PARTS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")
_SIGNATURE = frozenset({"signature", "signatures", "sig", "digest", "hexdigest", "hmac", "mac"})
_ABOUT = frozenset(
    {"header", "headers", "name", "names", "key", "version", "prefix", "pattern", "regex", "method", "mod", "secret"}
    | {"length", "len", "size", "type", "count", "valid", "ok", "verified", "error", "enabled", "required", "alg"}
    | {"algorithm", "window", "verifier"}
)
"""Parts of a name that make it one of something about a signature."""
_DEEPEST = 6
_TWO = 2


class Equality(NamedTuple):
    """An equality on something secret: where it is, its sides, and how it is written."""

    function: Function
    node: Node
    sides: Sequence[Node]
    written: str


class Digests:
    """The digests of a program."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self._known: dict[tuple[int, int], bool] = {}
        self._held: dict[str, list[tuple[Function, Node, Node]]] = {}

    def equalities(self, functions: Iterable[Function]) -> Iterator[Equality]:
        """Yield the equalities of values that are no constants."""
        for function in functions:
            for node in function.nodes:
                sides = [side for side in self._equal(node, function) if not _is_constant(side)]
                if len(sides) > 1:
                    yield Equality(function, node, sides, node.name or f"{node.parts[0].name}()")

    def _equal(self, node: Node, function: Function) -> Sequence[Node]:
        """Return what a node compares by an equality; nothing where it compares nothing."""
        if node.kind == "call":
            if node.parts[0].name in _METHODS and len(node.parts) == _TWO:
                return (*_owner(node), node.parts[1])
            return node.parts[1:] if _FUNCTIONS.search(self.program.dotted(node.parts[0], function)) else ()
        if node.kind != "compare" or node.name not in _OPERATORS:
            return ()
        left, right = node.parts
        return (left, *right.parts) if node.name.endswith("in") and right.kind == "list" else node.parts

    def in_constant_time(self, functions: Iterable[Function]) -> Iterator[tuple[Function, Node]]:
        """Yield the calls that compare in constant time, by any name that they are imported under."""
        for function, node in ((one, node) for one in functions for node in one.nodes if node.kind == "call"):
            if self.program.dotted(node.parts[0], function).rpartition(".")[2] in CONSTANT_TIME:
                yield function, node

    def is_digest(self, node: Node, function: Function, depth: int = 0) -> bool:
        """Return whether an expression is the digest of an HMAC."""
        key = (id(node), id(function.node))
        if key not in self._known:
            self._known[key] = False  # while it is followed
            self._known[key] = depth <= _DEEPEST and self._is_digest(node, function, depth)
        return self._known[key]

    def _is_digest(self, node: Node, function: Function, depth: int) -> bool:
        values: Iterable[Node] = ()
        match node.kind:
            case "call":
                return self._gives_digest(node, function, depth)
            case "name":
                values = function.assigned.get(node.name, ())
            case "attribute" if node.parts[0].name in {"self", "this"}:
                held = self._held_by(node.name, function.module.path)
                return any(self.is_digest(value, holder, depth + 1) for holder, value in held)
            case "assign":
                values = node.parts[1:]
            case "join" | "keyword" | "list" | "spread" | "or":
                values = node.parts
        return any(self.is_digest(value, function, depth + 1) for value in values)

    def _held_by(self, name: str, path: str) -> Iterator[tuple[Function, Node]]:
        """Yield what objects of a module are given to hold under a name, each with the function that does so."""
        if path not in self._held:
            every = ((one, node) for one in self.program.functions if one.module.path == path for node in one.nodes)
            assigned = ((one, node.parts[0], node.parts[1]) for one, node in every if node.kind == "assign")
            self._held[path] = [(one, target, value) for one, target, value in assigned if target.kind == "attribute"]
        for function, target, value in self._held[path]:
            if target.name == name and target.parts[0].name in {"self", "this"}:
                yield function, value

    def _gives_digest(self, node: Node, function: Function, depth: int) -> bool:
        target = self.program.called(node, function)
        if target is not None:
            returned = [one.parts[0] for one in target.nodes if one.kind == "return" and one.parts]
            given = {
                parameter.name
                for parameter, one in zip(target.parameters, node.parts[1:], strict=False)
                if self.is_digest(one, function, depth + 1)
            }
            kept = {name for one in returned for name in _kept(one)} if given else set()
            return bool(given & kept) or any(self.is_digest(one, target, depth + 1) for one in returned)
        if _DIGEST.search(self.program.dotted(node, function)):
            return True
        if node.parts[0].name in _MEASURES:
            return False
        return any(self.is_digest(one, function, depth + 1) for one in (*node.parts[1:], *_owner(node)))

    def is_signature(self, node: Node, function: Function, depth: int = 0) -> bool:
        """Return whether an expression is a digest, or the signature that it is compared with, by name or header."""
        if depth > _DEEPEST:
            return False
        if self.is_digest(node, function) or _is_header(node):
            return True
        values: Iterable[Node] = ()
        match node.kind:
            case "name" | "attribute":
                values = function.assigned.get(node.name, ()) if node.kind == "name" else ()
                if names_signature(node.name) and not (values and all(map(_is_constant, values))):
                    return True
                values = () if _parts(node.name) & _ABOUT else values
            case "call" if node.parts[0].name in _KEEPS:
                values = (*node.parts[1:], *_owner(node))
            case "join" | "list" | "or" | "choice" | "spread" | "keyword":
                values = node.parts
            case "item" | "assign":
                values = node.parts[:1] if node.kind == "item" else node.parts[1:]
        return any(self.is_signature(one, function, depth + 1) for one in values)


def names_signature(name: str) -> bool:
    """Return whether a variable of this name holds a signature or digest, and not something about one."""
    parts = _parts(name)
    return bool(parts & _SIGNATURE) and not parts & _ABOUT


def _parts(name: str) -> frozenset[str]:
    return frozenset(part.lower() for part in _PARTS.findall(name))


def _kept(node: Node) -> Iterator[str]:
    """Yield the variables of which an expression is another form, or a part."""
    match node.kind:
        case "name":
            yield node.name
        case "item":
            yield from _kept(node.parts[0])
        case "join":
            yield from (name for one in node.parts for name in _kept(one))
        case "call" if node.parts[0].name in _KEEPS:
            yield from (name for one in (*node.parts[1:], *_owner(node)) for name in _kept(one))


def _owner(call: Node) -> Sequence[Node]:
    """Return what a method is called on."""
    return call.parts[0].parts[:1] if call.parts[0].kind == "attribute" else ()


def _is_constant(node: Node) -> bool:
    return node.kind in {"constant", "text"}


def _is_header(node: Node) -> bool:
    """Return whether an expression takes the signature from the headers."""
    if node.kind == "attribute":
        return node.name.lower() == _HEADER
    asks = node.kind == "call" and node.parts[0].name == "get" and len(node.parts) > 1
    return asks and node.parts[1].kind == "text" and node.parts[1].name.lower() == _HEADER
