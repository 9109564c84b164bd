"""The easiest way to each aim: a path is as strong as its strongest step, so the search widens the narrowest step."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from threatmodel.assessment.paths.values import AIM_OF, Hold, Level, Position, Step

LIMIT = 20_000_000
"""Steps that one search may look at: a count, so that the same model gives the same result on every machine."""

ENDS: frozenset[Hold] = frozenset(("account", "deploy", "rights", "read", "down"))
"""The holds at which paths end: what follows from the first two is everything, and from the others nothing."""

Chain = tuple[int, ...]
"""The numbers of steps, each of which begins where the one before it ends."""


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


class Network:
    """Steps by number: where each begins and ends, as numbers of positions, and which steps begin at a position."""

    def __init__(self, steps: Iterable[Step], starts: Iterable[Position], *, ending: bool = True) -> None:
        """Number the positions, those of `starts` first, and the steps; `ending`: none after the end of a path."""
        self.steps = [step for step in steps if not (ending and step.begin.hold in ENDS)]
        numbers: dict[Position, int] = {}
        self.starts = [numbers.setdefault(start, len(numbers)) for start in starts]
        self.begins = [numbers.setdefault(step.begin, len(numbers)) for step in self.steps]
        self.ends = [numbers.setdefault(step.end, len(numbers)) for step in self.steps]
        self.positions = list(numbers)
        self.after: list[list[int]] = [[] for _ in numbers]
        for number, begin in enumerate(self.begins):
            self.after[begin].append(number)


def shortest(starts: Iterable[int], network: Network, passes: Sequence[bool], work: Work) -> Mapping[int, int]:
    """Return the last step of a shortest way to each position, over the steps that pass."""
    ends, every = network.ends, network.after
    queue = list(starts)
    seen = set(queue)
    last: dict[int, int] = {}
    for position in queue:
        after = every[position]
        if not work.spend(len(after)):
            break
        for step in after:
            if passes[step] and ends[step] not in seen:
                seen.add(ends[step])
                last[ends[step]] = step
                queue.append(ends[step])
    return last


def chain(goal: int, last: Mapping[int, int], network: Network) -> Chain:
    """Return the steps to a position, from the last steps that `shortest` found."""
    found = []
    while (step := last.get(goal)) is not None:
        found.append(step)
        goal = network.begins[step]
    return tuple(reversed(found))


class Search:
    """The ways through a system at one level, from one start after another."""

    def __init__(self, network: Network, level: Level, work: Work) -> None:
        self._network = network
        self._widths = [step.at(level).width for step in network.steps]
        self._is_aim = [step.end.hold in AIM_OF for step in network.steps]
        self._work = work
        self._known = [0] * len(network.steps)

    def to_aims(self, start: int) -> Iterator[Chain]:
        """Yield the chains to what an attacker wants, one for each last step.

        Of all chains with that last step it is a widest, and of these a shortest. It is left out where a former start
        has one that is as wide.
        """
        widths, known, is_aim = self._widths, self._known, self._is_aim
        found: dict[int, list[int]] = {}
        for position, widest in self._widest(start).items():
            for step in self._network.after[position]:
                if is_aim[step] and (width := min(widest, widths[step])) > known[step]:
                    known[step] = width
                    found.setdefault(width, []).append(step)
        begins, ends = self._network.begins, self._network.ends
        for width in sorted(found, reverse=True):
            last = self._shortest(start, width)
            for step in found[width]:
                before = chain(begins[step], last, self._network)
                if (before or begins[step] == start) and all(begins[one] != ends[step] for one in before):
                    yield (*before, step)

    def to_all(self, start: int) -> Iterator[Chain]:
        """Yield a widest chain to each position, and of these a shortest."""
        found: dict[int, list[int]] = {}
        for position, width in self._widest(start).items():
            found.setdefault(width, []).append(position)
        for width, positions in found.items():
            last = self._shortest(start, width)
            yield from (one for position in positions if (one := chain(position, last, self._network)))

    def _shortest(self, start: int, least: int) -> Mapping[int, int]:
        """The last steps of shortest ways over steps of at least this width."""
        return shortest((start,), self._network, [width >= least for width in self._widths], self._work)

    def _widest(self, start: int) -> Mapping[int, int]:
        """The width of the narrowest step on the widest way to each position, by width."""
        widths, ends, every = self._widths, self._network.ends, self._network.after
        found: dict[int, int] = {}
        waiting = {_WIDEST: [start]}
        while waiting:
            width = max(waiting)
            reached = waiting.pop(width)
            for position in reached:
                if position in found:
                    continue
                found[position] = width
                if not self._work.spend(len(every[position])):
                    return found
                for step in every[position]:
                    if ends[step] not in found:
                        narrow = widths[step]
                        (reached if narrow >= width else waiting.setdefault(narrow, [])).append(ends[step])
        return found


_WIDEST = 1_000
"""Wider than any step."""
