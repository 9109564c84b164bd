"""Which ways of a handler's code the requests of a run took, and which of them no request did that could matter.

A way is taken by requests as they say it, and what a handler says may be wrong: it only lowers what is proven.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import NamedTuple

from threatmodel.probe.branches.follows import Open
from threatmodel.probe.branches.marked import Marked
from threatmodel.probe.branches.points import CASE, CONDITION, FILE, HANDLER, LOOP, Point

Mask = int
"""The ways that one request took: of each point a bit for what is true or entered, and one for the other."""


class Way(NamedTuple):
    """A way that no request took: the file, the point, and whether it is the one where that is true."""

    file: str
    point: Point
    outcome: bool

    @property
    def place(self) -> str:
        """The file, line and column."""
        return f"{self.file}:{self.point.line}:{self.point.column}"

    def __str__(self) -> str:
        return f"{self.place}: {_WORDS[self.point.kind][not self.outcome]}, so what happens then is untested"


_WORDS = {
    CONDITION: ("no request made this condition true", "no request made this condition false"),
    CASE: ("no request was this case", "every request was this case"),
    HANDLER: ("no request raised this exception", ""),
    LOOP: ("no request entered this loop", "no request passed over this loop"),
}


class Taken:
    """The points of a handler, and the ways that the requests of a run took."""

    def __init__(self, marked: Marked, masks: Iterable[Mask]) -> None:
        points = self._points = marked.points
        self._left_out = marked.left_out
        self._masks = set(masks)
        every = 0
        for mask in self._masks:
            every |= mask
        self._taken = [
            tuple(self._is_taken(at, every, outcome=outcome) for outcome in (True, False)) for at in range(len(points))
        ]

    def _is_taken(self, number: int, every: Mask, *, outcome: bool) -> bool:
        if not every >> (2 * number + (not outcome)) & 1:
            return False
        if outcome or self._points[number][1].kind not in {HANDLER, LOOP}:
            return True
        return any(mask >> 2 * number & 3 == 2 for mask in self._masks)  # noqa: PLR2004 - begun, and not entered

    @property
    def unrecorded(self) -> tuple[str, ...]:
        """Files of the handler that are not recorded; all of them where nothing came of what was marked."""
        loaded = [taken[0] for (_, point), taken in zip(self._points, self._taken, strict=True) if point.kind == FILE]
        return (*self._left_out, *(() if any(loaded) or not loaded else ("the handler",)))

    @property
    def counted(self) -> tuple[int, int]:
        """How many points that go two ways requests reached, and of how many both ways were taken."""
        ways = [one for (_, point), one in zip(self._points, self._taken, strict=True) if point.kind in _TWO_WAYS]
        return sum(any(one) for one in ways), sum(all(one) for one in ways)

    def untested(self, refused: Collection[Mask], accepted: Collection[Mask]) -> list[Way]:
        """The ways that no request took, at points that a rejected one reached, which may be no rejection."""
        reached, seen = 0, self._said(refused) - self._said(accepted)
        for mask in refused:
            reached |= mask
        found = []
        for at, (file, point) in enumerate(self._points):
            if point.kind not in _TWO_WAYS or not reached >> 2 * at & 3:
                continue
            for outcome, follow, taken in zip(
                (True, False), (point.if_true, point.if_false), self._taken[at], strict=True
            ):
                if not taken and (follow is None or follow - seen):
                    found.append(Way(file, point, outcome))
        return found

    def _said(self, masks: Collection[Mask]) -> set[Open]:
        """What functions returned in some requests."""
        every = 0
        for mask in masks:
            every |= mask
        return {
            said
            for at, (_, point) in enumerate(self._points)
            for bit, said in enumerate(point.says)
            if said is not None and every >> (2 * at + bit) & 1
        }


_TWO_WAYS = frozenset({CONDITION, CASE, HANDLER, LOOP})
