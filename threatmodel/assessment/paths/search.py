"""The easiest way to each aim: a path is as strong as its strongest step, so the search widens the narrowest step."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from heapq import heappop, heappush

from threatmodel.assessment.paths.values import AIM_OF, Hold, Level, Position, Step

LIMIT = 20_000_000
"""Steps that one search may look at: a count, so that the same model gives the same result on every machine."""

ENDS: frozenset[Hold] = frozenset(("account", "deploy", "rights", "read", "down"))
"""The holds at which paths end: what follows from the first two is everything, and from the others nothing."""

Next = Mapping[Position, Sequence[Step]]
"""The steps that begin at each position."""


class Work:
    """How many steps may still be looked at."""

    def __init__(self, limit: int = LIMIT) -> None:
        self.left = limit

    @property
    def is_done(self) -> bool:
        """Whether all that was asked for was within the limit."""
        return self.left >= 0

    def spend(self, number: int) -> bool:
        """Count these steps; return whether they are within the limit."""
        self.left -= number
        return self.left >= 0


def by_begin(steps: Iterable[Step], *, ending: bool = True) -> Next:
    """Return the steps by where they begin; `ending`: none after the end of a path."""
    found: dict[Position, list[Step]] = {}
    for step in steps:
        if not (ending and step.begin.hold in ENDS):
            found.setdefault(step.begin, []).append(step)
    return found


def widths(start: Position, following: Next, level: Level, work: Work) -> Mapping[Position, int]:
    """Return for each position that is reached the width of the narrowest step on the widest way to it."""
    found: dict[Position, int] = {}
    heap: list[tuple[int, int, Position]] = [(0, 0, start)]
    order = 0
    while heap:
        narrow, _, position = heappop(heap)
        if position in found:
            continue
        found[position] = -narrow
        after = following.get(position, ())
        if not work.spend(len(after)):
            break
        for step in after:
            if step.end not in found:
                order += 1
                width = step.at(level).width if not narrow else min(-narrow, step.at(level).width)
                heappush(heap, (-width, order, step.end))
    found.pop(start, None)
    return found


def shortest(
    starts: Iterable[Position], following: Next, passes: Callable[[Step], bool], work: Work
) -> Mapping[Position, Step]:
    """Return the last step of a shortest way to each position, over the steps that `passes` allows."""
    queue = deque(starts)
    seen = set(queue)
    last: dict[Position, Step] = {}
    while queue:
        after = following.get(queue.popleft(), ())
        if not work.spend(len(after)):
            break
        for step in after:
            if step.end not in seen and passes(step):
                seen.add(step.end)
                last[step.end] = step
                queue.append(step.end)
    return last


def chain(goal: Position, last: Mapping[Position, Step]) -> tuple[Step, ...]:
    """Return the steps to a position, from the last steps that `shortest` found."""
    found = []
    while (step := last.get(goal)) is not None:
        found.append(step)
        goal = step.begin
    return tuple(reversed(found))


class Search:
    """The ways through a system at one level, from one start after another."""

    def __init__(self, following: Next, level: Level, work: Work) -> None:
        self._following = following
        self._level = level
        self._work = work
        self._known: dict[int, int] = {}

    def to_aims(self, start: Position) -> Iterator[tuple[Step, ...]]:
        """Yield the chains to what an attacker wants, one for each last step.

        Of all chains with that last step it is a widest, and of these a shortest. It is left out where a former start
        has one that is as wide.
        """
        ends: dict[int, list[Step]] = {}
        for width, step, _ in self._last_steps(start):
            if step.end.hold in AIM_OF and width > self._known.get(id(step), 0):
                self._known[id(step)] = width
                ends.setdefault(width, []).append(step)
        return self._traced(start, ends)

    def to_all(self, start: Position) -> Iterator[tuple[Step, ...]]:
        """Yield a widest chain to each position, and of these a shortest."""
        ends: dict[int, dict[Position, Step]] = {}
        for width, step, best in self._last_steps(start):
            if width == best:
                ends.setdefault(width, {}).setdefault(step.end, step)
        for width, steps in ends.items():
            last = shortest((start,), self._following, partial(_is_wide, self._level, width), self._work)
            yield from (found for position in steps if (found := chain(position, last)))

    def _last_steps(self, start: Position) -> Iterator[tuple[int, Step, int]]:
        """Each step that can be reached, with the width of the way over it, and of the best way to its end."""
        reached = {start: _WIDEST, **widths(start, self._following, self._level, self._work)}
        for position, width in reached.items():
            for step in self._following.get(position, ()):
                yield min(width, step.at(self._level).width), step, reached.get(step.end, 0)

    def _traced(self, start: Position, ends: Mapping[int, Sequence[Step]]) -> Iterator[tuple[Step, ...]]:
        for width in sorted(ends, reverse=True):
            last = shortest((start,), self._following, partial(_is_wide, self._level, width), self._work)
            for end in ends[width]:
                before = chain(end.begin, last)
                if (before or end.begin == start) and all(step.begin != end.end for step in before):
                    yield (*before, end)


_WIDEST = 1_000
"""Wider than any step."""


def _is_wide(level: Level, width: int, step: Step) -> bool:
    return step.at(level).width >= width
