"""The worst results of any number of models, as many as whoever takes them has room for; the others are counted."""

from __future__ import annotations

import heapq
import zlib
from collections.abc import Sequence

from threatmodel.assessment.gate.results import CheckResult

_DIGITS = 6
_FAILS = "1"
_WIDEST = 4
"""Bytes of a character, at most."""
_GZIP = 31
"""What tells zlib to write gzip's format."""
_EVERY = 100
"""Lines after which it is looked how large the file has become."""


def weighted(result: CheckResult, line: str) -> str:
    """A line about a result, behind what sorts it: whether it fails, is not accepted, warned of, sure; its score."""
    weight = f"{result.fails:d}{not result.accepted:d}{result.warns:d}{not result.unsure:d}{result.score:02}"
    return f"{weight}{line}"


class Worst:
    """Keeps at most so many lines, and at last so many bytes of them, compressed."""

    def __init__(self, most: int, size: int) -> None:
        self._most = most
        self._size = size
        self._kept: list[tuple[str, int, str]] = []
        self.seen = 0
        self.failing_left_out = 0

    def __len__(self) -> int:
        return len(self._kept)

    def gather(self, lines: str) -> None:
        """Takes in weighted lines."""
        for line in filter(None, lines.split("\n")):
            self.seen += 1
            one = (line[:_DIGITS], -self.seen, line[_DIGITS:])
            if len(self._kept) < self._most:
                heapq.heappush(self._kept, one)
            else:
                one = heapq.heappushpop(self._kept, one)
                self.failing_left_out += one[0].startswith(_FAILS)

    def lines(self, rest: str) -> list[str]:
        """The lines that there is room for beside the rest of the file, the worst first; the others are let go."""
        self._kept.sort(key=lambda one: (one[0], one[1]), reverse=True)
        room = self._size - len(zlib.compress(rest.encode())) - self._size // 50
        fit = _fitting([line for _, _, line in self._kept], room)
        self.failing_left_out += sum(weight.startswith(_FAILS) for weight, _, _ in self._kept[fit:])
        del self._kept[fit:]
        return [line for _, _, line in self._kept]


def _fitting(lines: Sequence[str], room: int) -> int:
    """How many of the first lines fit into so many bytes, compressed."""
    if sum(map(len, lines)) * _WIDEST <= room:
        return len(lines)
    squeeze, used = zlib.compressobj(wbits=_GZIP), 0
    for start in range(0, len(lines), _EVERY):
        used += len(squeeze.compress("".join(lines[start : start + _EVERY]).encode()))
        used += len(squeeze.flush(zlib.Z_SYNC_FLUSH))
        if used > room:
            return start
    return len(lines)
