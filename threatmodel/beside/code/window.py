"""Within which window of time a handler that verifies signatures itself accepts them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from threatmodel.beside.code.flows import Labels
from threatmodel.beside.code.functions import Function, followed, only_notes
from threatmodel.beside.code.observed import CERTAIN, CLAIMED, SIGN, Observed, Reading
from threatmodel.beside.code.syntax import Node, walk

_CLOCK = re.compile(
    r"time\.time\(|Date\.now\(|Date\(|datetime\.(?:datetime\.)?(?:now|utcnow)\(|arrow\.|dayjs\(|moment\(|time_ns\("
    r"|gmtime\(|localtime\(|timegm\(|performance\.|hrtime|Temporal\.|DateTime\.|pendulum\."
)
_HEADERS: Labels = frozenset({"headers", "header"})
_ABSOLUTE = re.compile(r"\bf?abs\(")
_LEAST, _MOST = 10, 1_000_000
_MILLISECONDS = 10_000
_DEEPEST = 6
_SUMS = frozenset({"-", "*", "/", "//"})
_UNITS = {"seconds": 1, "minutes": 60, "hours": 3600, "days": 86_400}
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
        if not self.reading.openings and not any(self._may_be_window(*one) for one in self.program.nodes):
            yield self.reading.at("no-window", CERTAIN, sure[0], "nothing compares the timestamp with a clock")

    def _may_be_window(self, function: Function, node: Node) -> bool:
        """Return whether a node reads a clock, or compares a part of the request that may be its timestamp."""
        if node.kind == "call" and _CLOCK.search(self.program.dotted(node, function)):
            return not self._is_apart(function)
        return node.kind == "compare" and node.name in _ORDERS and self.reading.depends(node, function)

    def _is_apart(self, function: Function) -> bool:
        """Return whether a function gets nothing of a request, and returns no time."""
        if function.around is None or function.bound:
            return False
        if any(self.reading.flows.of(node, function) for node in function.nodes):
            return False
        returned = (node.parts[0] for node in function.nodes if node.kind == "return" and node.parts)
        return not any(_CLOCK.search(self._expanded(one, function)) for one in returned)

    def _is_given(self, function: Function, compared: Node) -> bool:
        """Return whether a comparison is of a part of the request, or of what a function is given: not of a cache."""
        values = [self._followed(side, function) for side in compared.parts]
        names = {one.name for value in (compared, *values) for one in walk(value) if one.kind == "name"}
        return bool(names & function.bound) or self.reading.depends(compared, function)

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

    def _followed(self, node: Node, function: Function, depth: int = 0) -> Node:
        """Return the value of a variable that has one."""
        values = function.assigned.get(node.name, ()) if node.kind == "name" else ()
        return self._followed(values[0], function, depth + 1) if len(values) == 1 and depth < _DEEPEST else node

    def _expanded(self, node: Node, function: Function) -> str:
        """Return the calls of an expression, with those of the variables that it names, each once."""
        every = followed(node, lambda name: self._values(name, function))
        return " ".join(self.program.dotted(one, function) for one in every if one.kind == "call")

    def _values(self, name: str, function: Function) -> Sequence[Node]:
        """Return the values of a variable of a function, or of its module."""
        own = name in function.assigned or name in function.bound
        return (function if own else self.program.top[function.module.path]).assigned.get(name, ())

    def _number(self, node: Node, function: Function, depth: int = 0) -> int | None:
        if depth > _DEEPEST:
            return None
        match node.kind:
            case "constant":
                return int(node.name) if node.name.isdigit() else None
            case "call" if node.parts[0].name == "timedelta":
                return self._duration(node.parts[1:], function, depth)
            case "name":
                values = self._values(node.name, function)
                return self._number(values[0], function, depth + 1) if len(values) == 1 else None
            case "operation" if node.name == "*":
                one, other = (self._number(part, function, depth + 1) for part in node.parts)
                return one * other if one is not None and other is not None else None
            case _:
                return None

    def _duration(self, given: Sequence[Node], function: Function, depth: int) -> int | None:
        """Return the seconds of a `timedelta`."""
        found = 0
        for one in given:
            number = self._number(one.parts[0], function, depth + 1) if one.kind == "keyword" else None
            if number is None or one.name not in _UNITS:
                return None
            found += number * _UNITS[one.name]
        return found


def _is_only_noted(function: Function, compared: Node) -> bool:
    """Return whether nothing comes of a comparison but a note in a log."""
    tests = [one for one in function.nodes if one.kind == "if" and any(part is compared for part in walk(one.parts[0]))]
    return any(only_notes(function, one.parts[1:]) for one in tests[:1])
