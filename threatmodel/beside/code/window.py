"""Within which window of time a handler that verifies signatures itself accepts them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from threatmodel.beside.code.flows import Labels
from threatmodel.beside.code.functions import Function, ends
from threatmodel.beside.code.observed import CERTAIN, CLAIMED, SIGN, Observed, Reading
from threatmodel.beside.code.syntax import Node, walk

_CLOCK = re.compile(
    r"time\.time\(|Date\.now\(|Date\(|datetime\.(?:datetime\.)?(?:now|utcnow)\(|arrow\.|dayjs\(|moment\(|time_ns\("
    r"|gmtime\(|localtime\(|timegm\(|performance\.|hrtime|Temporal\.|DateTime\.|pendulum\."
)
NOTES = frozenset({"print", "log", "debug", "info", "warning", "warn", "error", "exception", "critical"})
"""What is called to write a log."""
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


class Window:
    """The comparisons of a program with a clock, and the numbers of seconds in them."""

    def __init__(self, reading: Reading) -> None:
        self.reading, self.program = reading, reading.program

    def observed(self, sure: Sequence[_Found]) -> Iterator[Observed]:
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
        return node.kind == "compare" and node.name in _ORDERS and self.reading.depends(node, function)

    def _is_given(self, function: Function, compared: Node) -> bool:
        """Return whether a comparison is of a part of the request, or of what a function is given: not of a cache."""
        values = [self._followed(side, function) for side in compared.parts]
        names = {one.name for value in (compared, *values) for one in walk(value) if one.kind == "name"}
        return bool(names & function.bound) or self.reading.depends(compared, function)

    def _compares_elsewhere(self, function: Function, node: Node) -> bool:
        """Return whether a call is given a clock and a part of the request, and may compare them."""
        if node.kind != "call":
            return False
        sides = [*node.parts[1:], *node.parts[0].parts]
        clock = any(_CLOCK.search(self._expanded(one, function)) for one in node.parts[1:])
        return clock and any(self.reading.depends(one, function) for one in sides)

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
        given = [self.reading.depends(side, function, _HEADERS) for side in (one, other)]
        return sorted(zip(clocks, given, strict=True)) == [(False, True), (True, False)]

    def _followed(self, node: Node, function: Function, depth: int = 0) -> Node:
        """Return the value of a variable that has one."""
        values = function.assigned.get(node.name, ()) if node.kind == "name" else ()
        return self._followed(values[0], function, depth + 1) if len(values) == 1 and depth < _DEEPEST else node

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


def _is_only_noted(function: Function, compared: Node) -> bool:
    """Return whether nothing comes of a comparison but what its branches call: they leave nothing, and set nothing."""
    for node in function.nodes:
        if node.kind == "if" and any(one is compared for one in walk(node.parts[0])):
            branches = node.parts[1:]
            kinds = {one.kind for branch in branches for one in walk(branch)}
            named = {one.parts[0].name for branch in branches for one in walk(branch) if one.kind == "call"}
            return not any(map(ends, branches)) and "assign" not in kinds and named <= NOTES
    return False
