"""Whether a value of a request is tested, cleaned or changed on its way, so that it is unknown what arrives."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Literal

from threatmodel.beside.code.functions import Function, derived
from threatmodel.beside.code.observed import Reading
from threatmodel.beside.code.syntax import Node, walk

_CLEANS = re.compile(
    r"(?<!un)(?:escape|quote)|sanitiz|bleach|encodeURI|html|clean|redact|mask|scrub|hide|censor|filter|omit|pick",
    re.IGNORECASE,
)
_ONLY_READS = re.compile(
    r"\A(?:json|JSON|urllib\.parse|querystring|qs|base64)\.|\A(?:parse_qsl?|parse_multipart|URLSearchParams|Buffer\.from|"
    r"console\.\w+|print|len|str|dict|list|sorted|min|max|int|Number|String|Object\.\w+|dir)\Z|\.(?:get|items|keys|entries)\Z"
)
"""What is called on a value, and neither rejects nor changes it."""
_CHANGES = frozenset({"pop", "popitem", "clear", "delete", "update", "setdefault", "remove", "set", "append"})
_PARTS = frozenset({"payload", "field", "id"})
"""What is followed to its tests: a test of all of a request is about who sent it."""
_DEEPEST = 8
_REPLACER = 2
_FROM_PATHS = re.compile(r"base_?name|secure_?file|is_?relative|real_?path|abs_?path|resolve|normal", re.IGNORECASE)
"""What takes the directory out of a path, or makes it comparable."""
_CHECKS = re.compile(r"(?i:valid|verif|check|allow|safe|assert|ensure|reject|match)|\A(?:is|has)(?=_|[A-Z])")
Taken = Literal["text", "address", "object", "path"]
"""As what a value counts where it arrives."""


def is_handled(reading: Reading, value: Node, function: Function, sink: Node, taken: Taken = "text") -> bool:
    """Return whether a value is tested, cleaned or changed before it arrives, here or where it comes from.

    `sink` is the expression that it arrives in. Taken as an address: a test that only looks for a text somewhere in the
    value says nothing of its host. Taken as an object: what sets a member of it leaves the others. Taken as a path:
    only what takes its directory, or by its name checks it, does so. A value from further away than can be followed
    counts as handled.
    """
    return _Handling(reading, taken).of(value, function, sink, 0)


class _Handling:
    def __init__(self, reading: Reading, taken: Taken) -> None:
        self.reading, self.taken, self.as_address = reading, taken, taken == "address"

    def of(self, value: Node, function: Function, sink: Node, depth: int) -> bool:
        """Return whether a value is handled on its way to a call."""
        if is_changed(self.reading, value, function, taken=self.taken):
            return True
        if depth > _DEEPEST:
            return True
        inside = list(walk(value))
        keys = frozenset(one.name for one in inside if one.kind in {"attribute", "text"})
        for name, holder in _variables(value, function):
            labels = self.reading.flows.of(name, function)
            if not labels or not labels <= _PARTS:
                continue
            within = keys if "payload" in labels else frozenset[str]()
            for here in function.scopes:  # when one calls what is in it is not known
                if self.tested(name.name, here, sink if here is function else None, within):
                    return True
                if here is holder:
                    break
            values = [one for one in holder.assigned.get(name.name, ()) if not any(part is one for part in inside)]
            if any(self.of(one, holder, sink, depth + 1) for one in values):
                return True
            if not values and self.given(name.name, holder, depth):
                return True
        return False

    def tested(self, name: str, function: Function, sink: Node | None, keys: frozenset[str]) -> bool:
        """Return whether a variable is in a test, is given to what may reject it, or is assigned twice.

        What follows the `sink` tests nothing that arrives there.  Where the variable holds several parts of a request,
        only tests that name one of `keys` are about the value.
        """
        others = derived(function, [name]) - {name} if self.as_address else frozenset[str]()
        for node in function.nodes if sink is None else _before(sink, function):
            for test in _tests(node):
                if self.decides(test, name, function, keys) or any(
                    one.kind == "name" and one.name in others for one in walk(test)
                ):
                    return True
            given = node.kind == "call" and any(_root(one) == name for one in node.parts[1:])
            if given and not self.passes(node, function):
                return True
        return len(function.assigned.get(name, ())) > 1

    def decides(self, test: Node, name: str, function: Function, keys: frozenset[str]) -> bool:
        """Return whether a test may reject some values of a variable, and not only that it is empty."""
        plain = test.parts[0] if test.kind == "not" else test
        if _is_chain(plain) or (plain.kind == "call" and self.passes(plain, function)):
            return False
        return _mentions(test, name, keys) and not (self.as_address and _only_looks(test, name))

    def passes(self, call: Node, function: Function) -> bool:
        """Return whether a call only reads what it is given: a function of the folder that gives one constant back."""
        target = self.reading.program.called(call, function)
        if target is None and self.taken == "path":
            return not (_FROM_PATHS.search(call.parts[0].name) or _CHECKS.search(call.parts[0].name))
        if target is None:
            return _ONLY_READS.search(self.reading.program.dotted(call.parts[0], function)) is not None
        if self.taken == "path":
            names = [one.name for one in target.parameters]
            tests = [test for one in target.nodes for test in (one.kind == "compare" and (one,)) or _tests(one)]
            return not any(_FROM_PATHS.search(node.name) for node in target.nodes) and not any(
                _mentions(test, name, frozenset()) for test in tests for name in names
            )
        return [one.kind for one in target.body.parts] == ["return"] and all(
            one.kind == "constant" for one in target.body.parts[0].parts
        )

    def given(self, name: str, holder: Function, depth: int) -> bool:
        """Return whether each caller that gives a parameter data of a request has handled it."""
        given = list(given_to(self.reading, name, holder))
        return bool(given) and all(self.of(one, caller, call, depth + 1) for one, caller, call in given)


def is_changed(reading: Reading, value: Node, function: Function, depth: int = 0, taken: Taken = "text") -> bool:
    """Return whether a value may be another one than the request's: cleaned, chosen among several, or without parts."""
    if depth > _DEEPEST:
        return True
    inside = list(walk(value))
    if any(_selects(reading, one, function) or _cleans(reading, one, function) for one in inside):
        return True
    for name, holder in _variables(value, function):
        if not reading.flows.of(name, function):
            continue
        if any(_changes(node, name.name) for node in function.nodes if taken != "object" or node.kind != "assign"):
            return True
        values = [one for one in holder.assigned.get(name.name, ()) if not any(part is one for part in inside)]
        if any(is_changed(reading, one, holder, depth + 1, taken) for one in values):
            return True
    return False


def _variables(value: Node, function: Function) -> Iterator[tuple[Node, Function]]:
    """Yield the variables and parameters that an expression names, each once, with the function that has it."""
    for name in {one.name: one for one in walk(value) if one.kind == "name"}.values():
        for here in function.scopes:
            if here.around is not None and (name.name in here.assigned or name.name in here.bound):
                yield name, here
                break


def _selects(reading: Reading, node: Node, function: Function) -> bool:
    """Return whether an expression replaces a value, or leaves parts of it out."""
    kinds = [one.kind for one in node.parts]
    match node.kind:
        case "choice":
            given = [bool(reading.flows.of(one, function)) for one in node.parts[1:]]
            return any(given) and not all(given)
        case "list":  # a comprehension with a test
            return kinds[:1] == ["assign"] and any(one in {"compare", "not", "and", "or"} for one in kinds)
        case "dict":
            return "spread" in kinds and "pair" in kinds[kinds.index("spread") :]
        case _:
            return False


def _cleans(reading: Reading, node: Node, function: Function) -> bool:
    """Return whether a call may reject a value or give back another one."""
    if node.kind != "call":
        return False
    name = reading.program.dotted(node.parts[0], function)
    if _CLEANS.search(node.parts[0].name):
        return True
    if name == "JSON.stringify" and len(node.parts) > _REPLACER:
        return node.parts[_REPLACER].kind != "constant"
    if name == "dict":
        return any(one.kind == "keyword" for one in node.parts)
    target = reading.program.called(node, function)
    return target is not None and any(
        one.kind in {"if", "choice", "raise", "try"} or _selects(reading, one, target) for one in target.nodes
    )


def _tests(node: Node) -> Sequence[Node]:
    """Return what a statement or an expression tests: of a loop, all but its body."""
    match node.kind:
        case "if" | "choice" | "and":
            return node.parts[:1]
        case "loop":
            return node.parts[1:]
        case _:
            return ()


def _is_chain(node: Node) -> bool:
    """Return whether an expression is a variable, or a constant key of one: its test is that it is not empty."""
    while node.kind == "attribute":
        node = node.parts[0]
    return node.kind == "name"


def _only_looks(test: Node, name: str) -> bool:
    """Return whether a test only looks for a text anywhere in a variable: `"slack.com" in url`."""
    match test.kind:
        case "not" | "and" | "or":
            return all(_only_looks(one, name) or not _mentions(one, name, frozenset()) for one in test.parts)
        case "compare" if test.name in {"in", "not in"}:
            return test.parts[0].kind == "text" and test.parts[1].kind == "name"
        case "call":
            called = test.parts[0]
            looks = called.kind == "attribute" and called.name == "includes" and called.parts[0].kind == "name"
            return looks and all(one.kind == "text" for one in test.parts[1:])
        case _:
            return False


def _changes(node: Node, name: str) -> bool:
    """Return whether a statement or call takes parts out of a variable, or sets them."""
    match node.kind:
        case "assign":
            return node.parts[0].kind in {"attribute", "item"} and _root(node.parts[0]) == name
        case "operation" | "expression" if len(node.parts) == 1 and not node.name:  # `delete a.b`, `del a["b"]`
            return node.parts[0].kind in {"attribute", "item"} and _root(node.parts[0]) == name
        case "call":
            called = node.parts[0]
            return called.kind == "attribute" and called.name in _CHANGES and _root(called) == name
        case _:
            return False


def _before(sink: Node, function: Function) -> Iterator[Node]:
    """Yield the nodes of a function that may run before a call in it: all of them if it is in a loop."""
    within = {id(one) for one in walk(sink)}
    again = any(one is sink for node in function.nodes if node.kind == "loop" for one in walk(node))
    for node in function.nodes:
        if id(node) not in within and (again or (node.line, node.column) <= (sink.line, sink.column)):
            yield node


def given_to(reading: Reading, name: str, holder: Function) -> Iterator[tuple[Node, Function, Node]]:
    """Yield what of a request callers give a function as a parameter, each with the caller and the call."""
    parameters = [one.name for one in holder.parameters if one.name not in {"self", "cls"}]
    for caller, call, _ in reading.program.sure_calls:
        for number, one in enumerate(call.parts[1:] if reading.program.called(call, caller) is holder else ()):
            named = one.name if one.kind == "keyword" else parameters[number] if number < len(parameters) else ""
            if named == name and reading.flows.of(one, caller):
                yield one, caller, call


def _mentions(node: Node, name: str, keys: frozenset[str]) -> bool:
    inside = list(walk(node))
    named = any(one.kind == "name" and one.name == name for one in inside)
    return named and (not keys or any(one.kind in {"attribute", "text"} and one.name in keys for one in inside))


def _root(node: Node) -> str:
    """Return the variable that a chain of keys begins with; '' where it begins with something else."""
    if node.kind == "keyword":
        node = node.parts[0]
    while node.kind in {"attribute", "item"} and node.parts:
        node = node.parts[0]
    return node.name if node.kind == "name" else ""
