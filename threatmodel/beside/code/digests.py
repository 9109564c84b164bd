"""How a handler that verifies signatures itself compares digests, and within which window of time."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from threatmodel.beside.code.flows import ANY, Labels
from threatmodel.beside.code.functions import Function, ends
from threatmodel.beside.code.observed import CERTAIN, CLAIMED, SIGN, Observed, Reading
from threatmodel.beside.code.syntax import Node, walk

HMAC = re.compile(
    r"(?:\A|\.)(?:hmac\.(?:new|digest|HMAC)|createHmac|subtle\.(?:sign|verify)|HmacSHA256)\Z", re.IGNORECASE
)
_DIGEST = re.compile(r"(?:hmac\.new|createHmac|HMAC)\(.*\)\.(?:hex)?digest\(|(?:\A|\.)hmac\.digest\(|HmacSHA256\(")
CONSTANT_TIME = ("compare_digest", "timingSafeEqual", "tsscmp", "safeCompare")
_CLOCK = re.compile(
    r"time\.time\(|Date\.now\(|Date\(|datetime\.(?:datetime\.)?(?:now|utcnow)\(|arrow\.|dayjs\(|moment\(|time_ns\("
    r"|gmtime\(|localtime\(|timegm\(|performance\.|hrtime|Temporal\.|DateTime\.|pendulum\."
)
NOTES = frozenset({"print", "log", "debug", "info", "warning", "warn", "error", "exception", "critical"})
"""What is called to write a log."""
_MEASURES = frozenset({"len", "bool", "type", "isinstance", "typeof"})
"""What says of a digest only what it is like."""
_HEADERS: Labels = frozenset({"headers", "header"})
_ABSOLUTE = re.compile(r"\bf?abs\(")
_LEAST, _MOST = 10, 1_000_000
_MILLISECONDS = 10_000
_DEEPEST = 6
_TWO = 2
_ORDERS = frozenset({"<", ">", "<=", ">="})
_Found = tuple[Function, Node]


class _Age(NamedTuple):
    """A comparison with a clock: the number of seconds that it names, and the calls in it, variables followed."""

    where: _Found
    seconds: int | None
    text: str


class Digests:
    """The digests of a program, and the numbers that ages of timestamps are compared with."""

    def __init__(self, reading: Reading) -> None:
        self.reading, self.program = reading, reading.program
        self._known: dict[tuple[int, int], bool] = {}

    def window(self, sure: Sequence[_Found]) -> Iterator[Observed]:
        """Yield how far the timestamp of a request may be off."""
        ages = list(self._ages())
        for where, seconds, text in ages:
            if seconds is not None and _ABSOLUTE.search(text):
                if not self._is_given(*where):
                    continue
                how = SIGN if _is_only_noted(*where) else CLAIMED
                yield self.reading.at("window", how, where, f"a timestamp may be {seconds} seconds off", seconds)
                return
        single = len(ages) == 1 and ages[0].seconds is not None and self._is_difference(*ages[0].where)
        if single and not any(self._compares_elsewhere(*one) for one in self.program.nodes):
            note = "the timestamp is compared in one direction: one in the future is accepted"
            yield self.reading.at("one-sided", CERTAIN, ages[0].where, note)
        elif not self.reading.openings and not any(self._may_be_window(*one) for one in self.program.nodes):
            yield self.reading.at("no-window", CERTAIN, sure[0], "nothing compares the timestamp with a clock")

    def _may_be_window(self, function: Function, node: Node) -> bool:
        """Return whether a node reads a clock, or compares a part of the request that may be its timestamp."""
        if node.kind == "call":
            return bool(_CLOCK.search(self.program.dotted(node, function)))
        return node.kind == "compare" and node.name in _ORDERS and self._is_of_request(node, function)

    def _is_given(self, function: Function, compared: Node) -> bool:
        """Return whether a comparison is of a part of the request, or of what a function is given: not of a cache."""
        values = [self._followed(side, function) for side in compared.parts]
        names = {one.name for value in (compared, *values) for one in walk(value) if one.kind == "name"}
        return bool(names & function.bound) or self._is_of_request(compared, function)

    def _compares_elsewhere(self, function: Function, node: Node) -> bool:
        """Return whether a call is given a clock and a part of the request, and may compare them."""
        if node.kind != "call":
            return False
        sides = [*node.parts[1:], *node.parts[0].parts]
        clock = any(_CLOCK.search(self._expanded(one, function)) for one in node.parts[1:])
        return clock and any(self._is_of_request(one, function) for one in sides)

    def _ages(self) -> Iterator[_Age]:
        """Yield the comparisons with a clock, in any direction."""
        for function, node in self.program.nodes:
            if node.kind != "compare" or node.name not in _ORDERS:
                continue
            texts = [self._expanded(side, function) for side in node.parts]
            if any(_CLOCK.search(text) for text in texts):
                numbers = [self._number(side, function) for side in node.parts]
                seconds = next((one for one in numbers if one is not None and _LEAST <= one <= _MOST), None)
                scaled = seconds // 1000 if seconds is not None and seconds >= _MILLISECONDS else seconds
                yield _Age((function, node), scaled, " ".join(texts))

    def _is_difference(self, function: Function, compared: Node) -> bool:
        """Return whether a clock and a part of the request are compared, or their plain difference with a number."""
        one, other = (self._followed(side, function) for side in compared.parts)
        numbers = [self._number(side, function) is not None for side in (one, other)]
        if any(numbers):
            age = other if numbers[0] else one
            if age.kind != "operation" or len(age.parts) != _TWO:
                return False
            one, other = age.parts
        clocks = [bool(_CLOCK.search(self._expanded(side, function))) for side in (one, other)]
        given = [self._is_of_request(side, function, _HEADERS) for side in (one, other)]
        return sorted(zip(clocks, given, strict=True)) == [(False, True), (True, False)]

    def _followed(self, node: Node, function: Function, depth: int = 0) -> Node:
        """Return the value of a variable that has one."""
        values = function.assigned.get(node.name, ()) if node.kind == "name" else ()
        return self._followed(values[0], function, depth + 1) if len(values) == 1 and depth < _DEEPEST else node

    def _is_of_request(self, node: Node, function: Function, parts: Labels = ANY, seen: set[str] | None = None) -> bool:
        """Return whether an expression depends on some parts of the request, by the variables that it names too."""
        seen = set() if seen is None else seen
        for one in walk(node):
            if self.reading.flows.of(one, function) & parts:
                return True
            if one.kind == "name" and one.name not in seen:
                seen.add(one.name)
                values = function.assigned.get(one.name, ())
                if any(self._is_of_request(value, function, parts, seen) for value in values):
                    return True
        return False

    def _expanded(self, node: Node, function: Function, seen: set[str] | None = None) -> str:
        """Return the calls of an expression, with those of the variables that it names, each once."""
        found = []
        seen = set() if seen is None else seen
        for one in walk(node):
            if one.kind == "call":
                found.append(self.program.dotted(one, function))
            elif one.kind == "name" and one.name not in seen:
                seen.add(one.name)
                values = (*function.assigned.get(one.name, ()), *self._of_module(one.name, function))
                found += [self._expanded(value, function, seen) for value in values]
        return " ".join(found)

    def _of_module(self, name: str, function: Function) -> Sequence[Node]:
        if name in function.assigned or name in function.bound:
            return ()
        return self.program.top[function.module.path].assigned.get(name, ())

    def _number(self, node: Node, function: Function, depth: int = 0) -> int | None:
        if depth > _DEEPEST:
            return None
        match node.kind:
            case "constant":
                return int(node.name) if node.name.isdigit() else None
            case "name":
                values = [*function.assigned.get(node.name, ()), *self._of_module(node.name, function)]
                return self._number(values[0], function, depth + 1) if len(values) == 1 else None
            case "operation" if len(node.parts) == _TWO:
                one, other = (self._number(part, function, depth + 1) for part in node.parts)
                return one * other if one is not None and other is not None else None
            case _:
                return None

    def is_digest(self, node: Node, function: Function, depth: int = 0) -> bool:
        """Return whether an expression is the digest of an HMAC."""
        key = (id(node), id(function.node))
        if key not in self._known:
            self._known[key] = False  # while it is followed
            self._known[key] = depth <= _DEEPEST and self._is_digest(node, function, depth)
        return self._known[key]

    def _is_digest(self, node: Node, function: Function, depth: int) -> bool:
        if node.kind == "call":
            target = self.program.called(node, function)
            if target is not None:
                return any(
                    self.is_digest(one.parts[0], target, depth + 1)
                    for one in target.nodes
                    if one.kind == "return" and one.parts
                )
            if _DIGEST.search(self.program.dotted(node, function)):
                return True
            if node.parts[0].name in _MEASURES:
                return False
            return any(self.is_digest(one, function, depth + 1) for one in node.parts[1:]) or (
                node.parts[0].kind == "attribute" and self.is_digest(node.parts[0].parts[0], function, depth + 1)
            )
        if node.kind == "name":
            return any(self.is_digest(value, function, depth + 1) for value in function.assigned.get(node.name, ()))
        if node.kind in {"join", "keyword"}:
            return any(self.is_digest(one, function, depth + 1) for one in node.parts)
        return False

    def compared(self, sure: Sequence[_Found]) -> Iterator[Observed]:
        """Yield whether the digest is compared in constant time."""
        calls = ((function, node) for function in self.program.surely for node in function.nodes)
        constant = next((one for one in calls if one[1].kind == "call" and one[1].parts[0].name in CONSTANT_TIME), None)
        for function, node, other in self._equalities():
            note = f"the digest is compared with {node.name}"
            if constant is None or self._is_of_request(other, function):
                yield self.reading.at("constant-time", CERTAIN, (function, node), note, value=False)
            else:
                yield self.reading.at("constant-time", SIGN, (function, node), note)
            return
        if constant is not None and sure:
            yield self.reading.at(
                "constant-time", CLAIMED, constant, "the digest is compared in constant time", value=True
            )

    def _equalities(self) -> Iterator[tuple[Function, Node, Node]]:
        """Yield where the digest is compared with another value: two digests under one key tell nothing of it."""
        for function in self.program.surely:
            for node in function.nodes:
                if node.kind == "compare" and node.name in {"==", "!="}:
                    digests = [self.is_digest(side, function) for side in node.parts]
                    constants = any(side.kind in {"constant", "text"} for side in node.parts)
                    if any(digests) and not all(digests) and not constants:
                        yield function, node, node.parts[digests.index(False)]


def _is_only_noted(function: Function, compared: Node) -> bool:
    """Return whether nothing comes of a comparison but what its branches call: they leave nothing, and set nothing."""
    for node in function.nodes:
        if node.kind == "if" and any(one is compared for one in walk(node.parts[0])):
            branches = node.parts[1:]
            kinds = {one.kind for branch in branches for one in walk(branch)}
            named = {one.parts[0].name for branch in branches for one in walk(branch) if one.kind == "call"}
            return not any(map(ends, branches)) and "assign" not in kinds and named <= NOTES
    return False
