"""The worst results of any number of models, as many as the output format allows; the others are counted."""

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
"""Makes zlib write the gzip format."""
_EVERY = 100
"""Lines after which the size of the file is measured."""


def weighted(result: CheckResult, line: str) -> str:
    """Return a line after its sort key: whether the result fails, is not accepted, warns, is sure; and its score."""
    weight = f"{result.fails:d}{not result.accepted:d}{result.warns:d}{not result.unsure:d}{result.score:02}"
    return f"{weight}{line}"


class Worst:
    """Keeps at most so many lines, and in the end so many compressed bytes of them."""

    def __init__(self, most: int, size: int) -> None:
        self._most = most
        self._size = size
        self._kept: list[tuple[str, int, str]] = []
        self.seen = 0
        self.failing_left_out = 0

    def __len__(self) -> int:
        return len(self._kept)

    def gather(self, lines: str) -> None:
        """Gather weighted lines."""
        for line in filter(None, lines.split("\n")):
            self.seen += 1
            one = (line[:_DIGITS], -self.seen, line[_DIGITS:])
            if len(self._kept) < self._most:
                heapq.heappush(self._kept, one)
            else:
                one = heapq.heappushpop(self._kept, one)
                self.failing_left_out += one[0].startswith(_FAILS)

    def lines(self, rest: str) -> list[str]:
        """Return the lines that fit beside the rest of the file, the worst first; the others are dropped."""
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
