"""Where the outcome of a check is used: which requests it rejects, and whether it is used at all."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from threatmodel.beside.code.digests import CONSTANT_TIME, Digests
from threatmodel.beside.code.functions import Function, ends, unconditional
from threatmodel.beside.code.guards import EITHER, FAILED, rejects
from threatmodel.beside.code.idle import is_idle, is_swallowed
from threatmodel.beside.code.observed import Reading
from threatmodel.beside.code.syntax import Node, walk

VERIFIES = ("is_valid_request", "is_valid", "verifyRequestSignature", "verifySlackRequest", "isValidSlackRequest")
"""Methods of Slack's packages that verify a signature."""

_RETURNING = frozenset({"is_valid_request", "isValidSlackRequest"})


class Site(NamedTuple):
    """Where a check is used: `when` is "always", "sometimes", or "dropped" where its outcome is not used."""

    function: Function
    node: Node
    when: str


class Checks:
    """The functions that verify a signature, and what becomes of their outcome."""

    def __init__(self, reading: Reading, functions: Sequence[Function]) -> None:
        self.reading, self.program, self.functions = reading, reading.program, functions
        self.digests = Digests(reading.program)
        self._reached: dict[int, str] = {}

    def sites(self) -> Iterator[Site]:
        """Yield where the outcome of a check is used: in a test that rejects (always, or sometimes), or dropped.

        A test in a function whose every call drops its outcome rejects nothing, and is left out.
        """
        checking, raising = self._passing_on()
        found: dict[int, list[Site]] = {}
        for caller in self.program.surely:
            for node in caller.nodes:
                if node.kind == "expression" and self._drops(node, caller):
                    yield Site(caller, node.parts[0], "dropped")
                target = self.program.called(node, caller) if node.kind == "call" else None
                if target is not None and id(target.node) in checking:
                    when = self._when_called(caller, node, target, raises=id(target.node) in raising)
                    found.setdefault(id(target.node), []).append(Site(caller, node, when))
        yield from (site for sites in found.values() for site in sites if site.when)
        own = {id(one.node) for one in self.functions}
        for function in (one for one in self.program.surely if id(one.node) in own):
            sites = found.get(id(function.node), ())
            if not sites or any(site.when != "dropped" for site in sites):
                yield from self._inside(function)

    def _when_called(self, caller: Function, call: Node, target: Function, *, raises: bool) -> str:
        """Return when the call of a check rejects; '' where its caller returns its outcome, and has calls itself."""
        use = self._use(caller, call)
        if raises and is_swallowed(self.reading, caller, call, target) and self._keeps_nothing(target):
            return "dropped"
        if use == "tested" or (use != "returned" and raises):
            return self._when(caller, call)
        if use == "dropped" and self._only_returns(target):
            return "dropped"
        return "" if use == "returned" else "sometimes"

    def _inside(self, function: Function) -> Iterator[Site]:
        """Yield the test in a function that itself computes the digest, or gets it from a verifier."""
        test = self._own_check(function)
        if test is not None:
            yield Site(function, test, self._when(function, test))
        elif self.program.is_entry(function):
            calls = [
                one for one in function.nodes if one.kind == "call" and one.parts[0].name in (*CONSTANT_TIME, *VERIFIES)
            ]
            for one in function.nodes:
                tested = [call for call in walk(one.parts[0]) if call.kind == "call"] if one.kind == "if" else []
                whole = calls and all(any(call is other for other in tested) for call in calls)
                returns = all(call.parts[0].name in {*CONSTANT_TIME, *_RETURNING} for call in calls)
                if whole and returns and is_idle(self.reading, function, one):
                    yield Site(function, one, "dropped")

    def _drops(self, statement: Node, function: Function) -> bool:
        """Return whether a statement is the only call of a verifier of Slack's packages, which returns its outcome."""
        call = statement.parts[0] if statement.parts else statement
        if (
            call.kind != "call"
            or call.parts[0].name not in _RETURNING
            or self.program.called(call, function) is not None
        ):
            return False
        return sum(node.parts[0].name in _RETURNING for _, node, _ in self.program.calls) == 1

    def _only_returns(self, function: Function) -> bool:
        """Return whether the outcome of a check is in what it returns alone: it changes nothing and calls nothing else.

        What it assigns outside, and what it calls on its parameters, may keep the outcome or answer the request.
        """
        returned = [node.parts[0] for node in function.nodes if node.kind == "return" and node.parts]
        plain = all(
            one.kind in {"constant", "compare", "not", "and", "or", "name", "call", "dict", "text"} for one in returned
        )
        return bool(returned) and plain and self._keeps_nothing(function)

    def _keeps_nothing(self, function: Function) -> bool:
        """Return whether a function assigns nothing outside, and calls nothing that may change its parameters."""
        outer = {name for name in function.assigned if not self._is_local(name, function)}
        kept = any(node.kind == "assign" and node.parts[0].kind in {"attribute", "item"} for node in function.nodes)
        called = (node.parts[0] for node in function.nodes if node.kind == "call")
        answers = any(_root(one) in function.bound and one.name not in _READS for one in called)
        return not outer and not kept and not answers

    def _is_local(self, name: str, function: Function) -> bool:
        if any(node.kind == "declare" and any(one.name == name for one in node.parts) for node in function.nodes):
            return False
        declared = any(
            node.kind == "assign" and node.name == "declare" and any(one.name == name for one in walk(node.parts[0]))
            for node in function.nodes
        )
        around = function.around
        while around is not None and not declared:
            if name in around.assigned or name in around.bound:
                return function.module.python
            around = around.around
        return True

    def _passing_on(self) -> tuple[set[int], set[int]]:
        """Return the functions that give their callers the outcome of a check, and those that raise."""
        checking = {id(one.node) for one in self.functions}
        raising: set[int] = set()
        ahead = list(self.functions)
        for one in ahead:  # it grows on the way
            if any(node.kind == "raise" for node in one.nodes):
                raising.add(id(one.node))
            for caller in self.program.surely:
                if id(caller.node) not in checking and self._returns(caller, checking):
                    checking.add(id(caller.node))
                    ahead.append(caller)
        return checking, raising

    def _own_check(self, function: Function) -> Node | None:
        """Return the test in a function that itself computes the digest and rejects, as a handler in one piece does."""
        if not self.program.is_entry(function) and not any(one.kind == "raise" for one in function.nodes):
            return None
        for node in function.nodes:
            if (
                node.kind == "if"
                and (ends(node.parts[1]) or ends(node.parts[2]))
                and self._tests_digest(node, function)
            ):
                return node
        return None

    def _tests_digest(self, node: Node, function: Function) -> bool:
        for one in walk(node.parts[0]):
            if one.kind == "call" and (one.parts[0].name in CONSTANT_TIME or one.parts[0].name in VERIFIES):
                return True
            if one.kind == "compare" and any(self.digests.is_digest(side, function) for side in one.parts):
                return True
            if one.kind == "name" and any(
                value.kind == "call" and value.parts[0].name in (*CONSTANT_TIME, *VERIFIES)
                for value in function.assigned.get(one.name, ())
            ):
                return True
        return False

    def _returns(self, function: Function, checking: set[int]) -> bool:
        """Return whether a function gives its callers the outcome of a check."""
        for node in function.nodes:
            if node.kind == "return" and any(self._is_check(one, function, checking) for one in walk(node)):
                return True
        return False

    def _is_check(self, node: Node, function: Function, checking: set[int]) -> bool:
        if node.kind == "name":
            return any(
                self._is_check(value, function, checking)
                for value in function.assigned.get(node.name, ())
                if value.kind == "call"
            )
        target = self.program.called(node, function) if node.kind == "call" else None
        return target is not None and id(target.node) in checking

    def _use(self, function: Function, call: Node) -> str:
        """Return how the outcome of a call is used: tested, returned, dropped, or in another way."""
        for statement in function.nodes:
            if statement.kind == "expression" and statement.parts and statement.parts[0] is call:
                return "dropped"
            if statement.kind == "return" and any(one is call for one in walk(statement)):
                return "returned"
            if statement.kind in {"if", "choice", "loop"} and any(one is call for one in walk(statement.parts[0])):
                if not self._is_promise(function, call):
                    return "tested"
                return "dropped" if any(one is call for one in _operands(statement.parts[0])) else "other"
            if statement.kind == "assign" and any(one is call for one in walk(statement.parts[1])):
                names = {one.name for one in walk(statement.parts[0]) if one.kind == "name"}
                if self._tested(function, names):
                    return "tested"
                if any(one.kind == "return" and names & {n.name for n in walk(one)} for one in function.nodes):
                    return "returned"
        return "other"

    def _is_promise(self, function: Function, call: Node) -> bool:
        """Return whether a call gives a promise or a coroutine, which counts as true whatever comes of it."""
        target = self.program.called(call, function)
        return target is not None and target.node.parts[0].name == "async" and call.name != "await"

    def _tested(self, function: Function, names: set[str]) -> bool:
        return any(
            node.kind in {"if", "choice"} and names & {one.name for one in walk(node.parts[0]) if one.kind == "name"}
            for node in function.nodes
        )

    def _when(self, function: Function, node: Node) -> str:
        """Return whether a check in a function rejects every request that fails it: "always", or "sometimes"."""
        if self.statement(function, node) is None or not self._rejects(function, node):
            return "sometimes"
        return self._reaches(function)

    def _reaches(self, function: Function) -> str:
        """Return whether a function runs for every request, and its outcome is used; each is followed once."""
        key = id(function.node)
        if key not in self._reached:
            self._reached[key] = "always" if self.program.is_entry(function) else "sometimes"
            calls = (
                (caller, one)
                for caller in self.program.surely
                for one in caller.nodes
                if one.kind == "call" and self.program.called(one, caller) is function
            )
            if any(self._when(caller, call) == "always" for caller, call in calls):
                self._reached[key] = "always"
        return self._reached[key]

    def _rejects(self, function: Function, node: Node) -> bool:
        if node.kind == "if":
            return rejects(self.program, function, node, lambda one: self._gives(one, function), raises=False)
        target = self.program.called(node, function)
        gives = FAILED if target is not None and self._is_plain(target) else EITHER
        given = lambda one: gives if one is node else ""  # noqa: E731
        raises = target is not None and any(one.kind == "raise" for one in target.nodes)
        raises = raises and not self._is_promise(function, node)
        return rejects(self.program, function, node, given, raises=raises)

    def _gives(self, node: Node, function: Function) -> str:
        """Return what a part of a test gives where the digest is another one."""
        if node.kind == "call" and node.parts[0].name in (*CONSTANT_TIME, *VERIFIES):
            return FAILED
        if node.kind == "compare" and any(self.digests.is_digest(side, function) for side in node.parts):
            return FAILED if node.name == "==" else EITHER
        values = function.assigned.get(node.name, ()) if node.kind == "name" else ()
        found = [self._gives(one, function) or (FAILED if one[:2] in _FALSY else "") for one in values]
        if not any(self._gives(one, function) for one in values) or not all(found):
            return ""  # a later value may replace the outcome
        return FAILED if set(found) == {FAILED} else EITHER

    def _is_plain(self, function: Function) -> bool:
        """Return whether a function returns whether the check succeeded: false, or what compares the digests."""
        returned = [node.parts[0] for node in function.nodes if node.kind == "return" and node.parts]
        return bool(returned) and all(
            one[:2] in {("constant", "false"), ("constant", "true")} or one.kind in {"and", "call", "compare"}
            for one in returned
        )

    def statement(self, function: Function, node: Node) -> Node | None:
        """Return the statement of a function, under no condition, that a node is in."""
        for statement in unconditional(function.body):
            inside = walk(statement.parts[0]) if statement.kind == "if" else walk(statement)
            if statement is node or any(one is node for one in inside):
                return statement
        return None


def _operands(test: Node) -> Iterator[Node]:
    """Yield what a test is made of by not, and, or."""
    if test.kind in {"not", "and", "or"}:
        yield from (inner for one in test.parts for inner in _operands(one))
    else:
        yield test


_FALSY = {("constant", "false"), ("constant", "none")}
"""What a variable holds before the outcome of a check."""
_READS = frozenset(
    {"get", "encode", "decode", "split", "partition", "strip", "lower", "items", "startswith", "isdigit"}
)
"""Methods that only read what they are called on."""


def _root(node: Node) -> str:
    """Return the name that a chain of attributes begins with."""
    while node.kind == "attribute":
        node = node.parts[0]
    return node.name if node.kind == "name" else ""
