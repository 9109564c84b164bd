"""Whether a value of a request is tested, cleaned or changed on its way, so that it is unknown what arrives."""

from __future__ import annotations

import re
from collections.abc import Iterator

from threatmodel.beside.code.observed import Reading
from threatmodel.beside.code.program import Function
from threatmodel.beside.code.syntax import Node, walk

_CLEANS = re.compile(r"escape|quote|sanitiz|bleach|encodeURI|html|clean|redact|mask|scrub|strip_?secrets", re.IGNORECASE)
_ONLY_READS = re.compile(
    r"\A(?:json|JSON|urllib\.parse|querystring|qs|base64)\.|\A(?:parse_qsl?|parse_multipart|URLSearchParams|Buffer\.from|"
    r"console\.\w+|print|len|str|dict|list|sorted|min|max|int|Number|String|Object\.\w+|dir)\Z|\.(?:get|items|keys|entries)\Z"
)
"""What is called on a value, and neither refuses nor changes it."""
_CHANGES = frozenset({"pop", "popitem", "clear", "delete", "update", "setdefault", "remove", "set", "append"})
_PARTS = frozenset({"payload", "field", "id"})
"""What is followed: a test of all of a request is about who sent it."""
_DEEPEST = 8
_TESTS = {"if": 0, "choice": 0, "loop": -1, "and": 0}


def is_handled(reading: Reading, value: Node, function: Function, sink: Node | None = None, depth: int = 0) -> bool:
    """Return whether a value is tested, cleaned or changed before it arrives, here or where it comes from.

    `sink` is the call that it arrives in. A value from further away than can be followed counts as handled.
    """
    if depth > _DEEPEST:
        return True
    inside = list(walk(value))
    if any(_selects(one) or _cleans(reading, one, function) for one in inside):
        return True
    keys = frozenset(one.name for one in inside if one.kind in {"attribute", "text"})
    for node in {one.name: one for one in inside if one.kind == "name"}.values():
        name, holder, labels = node.name, _holder(node.name, function), reading.flows.of(node, function)
        if holder is None or not labels <= _PARTS or not labels:
            continue
        if _is_tested(reading, name, function, sink, keys if "payload" in labels else frozenset()):
            return True
        values = [one for one in holder.assigned.get(name, ()) if not any(part is one for part in inside)]
        if any(is_handled(reading, one, holder, sink, depth + 1) for one in values):
            return True
        if not values and _is_given_handled(reading, name, holder, depth):
            return True
    return False


def _holder(name: str, function: Function) -> Function | None:
    """Return the function whose variable or parameter a name is; None where it is none of a function."""
    here: Function | None = function
    while here is not None and here.around is not None:
        if name in here.assigned or name in here.bound:
            return here
        here = here.around
    return None


def _selects(node: Node) -> bool:
    """Return whether an expression takes one of several values, leaves some out, or sets some anew."""
    if node.kind == "choice":
        return True
    if node.kind == "list":  # the tests of a comprehension
        return node.parts[:1] != () and node.parts[0].kind == "assign" and len(node.parts) > 1 and any(
            one.kind in {"compare", "not", "and", "or"} for one in node.parts[1:]
        )
    if node.kind == "dict":
        spread = [one.kind for one in node.parts]
        return "spread" in spread and "pair" in spread[spread.index("spread") :]
    return False


def _cleans(reading: Reading, node: Node, function: Function) -> bool:
    """Return whether a call may refuse a value or give back another one."""
    if node.kind != "call":
        return False
    if _CLEANS.search(node.parts[0].name):
        return True
    target = reading.program.called(node, function)
    return target is not None and any(
        one.kind in {"if", "choice", "raise", "try"} or _selects(one) for one in target.nodes
    )


def _is_tested(reading: Reading, name: str, function: Function, sink: Node | None, keys: frozenset[str]) -> bool:
    """Return whether a variable is in a test, is given to what may refuse it, or is changed or assigned twice.

    Where it holds several parts of a request, only tests that name one of `keys` are about the value.
    """
    within = {id(one) for one in walk(sink)} if sink is not None else set()
    for node in function.nodes:
        if id(node) in within:
            continue
        if node.kind in _TESTS and _mentions(node.parts[_TESTS[node.kind]], name, keys):
            return True
        if node.kind == "call" and _may_refuse(reading, node, name, function):
            return True
        if node.kind == "assign" and node.parts[0].kind in {"attribute", "item"} and _root(node.parts[0]) == name:
            return True
        if node.kind == "operation" and len(node.parts) == 1 and _root(node.parts[0]) == name:
            return True  # delete event.headers
        if node.kind == "expression" and node.parts and node.parts[0].kind in {"attribute", "item"}:
            if _root(node.parts[0]) == name:
                return True  # del event["headers"]
    return len(function.assigned.get(name, ())) > 1


def _may_refuse(reading: Reading, call: Node, name: str, function: Function) -> bool:
    called = call.parts[0]
    if called.kind == "attribute" and _root(called) == name and called.name in _CHANGES:
        return True
    if not any(_root(one.parts[0] if one.kind == "keyword" else one) == name for one in call.parts[1:]):
        return False
    return not _ONLY_READS.search(reading.program.dotted(called, function))


def _is_given_handled(reading: Reading, name: str, holder: Function, depth: int) -> bool:
    """Return whether each caller that gives a parameter data of a request has handled it."""
    given = list(_given(reading, name, holder))
    return bool(given) and all(is_handled(reading, one, caller, call, depth + 1) for one, caller, call in given)


def _given(reading: Reading, name: str, holder: Function) -> Iterator[tuple[Node, Function, Node]]:
    parameters = [one.name for one in holder.parameters if one.name not in {"self", "cls"}]
    for caller in reading.program.surely:
        for call in caller.nodes:
            if call.kind != "call" or reading.program.called(call, caller) is not holder:
                continue
            for number, one in enumerate(call.parts[1:]):
                named = one.name if one.kind == "keyword" else parameters[number] if number < len(parameters) else ""
                if named == name and reading.flows.of(one, caller):
                    yield one, caller, call


def _mentions(node: Node, name: str, keys: frozenset[str]) -> bool:
    inside = list(walk(node))
    named = any(one.kind == "name" and one.name == name for one in inside)
    return named and (not keys or any(one.kind in {"attribute", "text"} and one.name in keys for one in inside))


def _root(node: Node) -> str:
    """Return the variable that a chain of keys begins with; '' where it begins with something else."""
    while node.kind in {"attribute", "item"} and node.parts:
        node = node.parts[0]
    return node.name if node.kind == "name" else ""
