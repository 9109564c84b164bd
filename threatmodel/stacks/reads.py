"""Which choices of a deployment a computation read, and what was computed once and read them."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Any, TypeVar

_T = TypeVar("_T")


class Reads:
    """Records choices (``?Condition``, parameter) while computations read a stack, one record inside another.

    Computations on a value are kept by a key; a later caller is recorded to have read what the first one
    read.  A changed copy of a stack is another one, so it shares the record and nothing that was computed.
    """

    def __init__(self) -> None:
        self._recording: list[set[str]] = []
        self._kept: dict[tuple[int, Hashable], tuple[Any, frozenset[str], object]] = {}

    def note(self, choices: frozenset[str]) -> None:
        """Record that these choices were read."""
        if self._recording and choices:
            self._recording[-1] |= choices

    @property
    def so_far(self) -> frozenset[str]:
        """What the innermost record has by now."""
        return frozenset(self._recording[-1]) if self._recording else frozenset()

    def during(self, work: Callable[[], _T]) -> tuple[_T, frozenset[str]]:
        """Return what some work gives, and the choices that it read."""
        found, choices = self.apart(work)
        self.note(choices)
        return found, choices

    def apart(self, work: Callable[[], _T]) -> tuple[_T, frozenset[str]]:
        """Return the same, for a caller that does not depend on what is read until it notes it."""
        self._recording.append(set())
        try:
            found = work()
        finally:
            choices = frozenset(self._recording.pop())
        return found, choices

    def once(self, about: object, key: Hashable, work: Callable[[], _T]) -> _T:
        """Return what some work about a thing gave the first time; each caller has read what that read."""
        found = self._kept.get((id(about), key))
        if found is None:
            found = self._kept[id(about), key] = (*self.apart(work), about)  # while it is kept, its id is its own
        self.note(found[1])
        result: _T = found[0]
        return result

    def forget(self) -> None:
        """Drop what was computed: it refers to the stack, and the collector of cycles does not run."""
        self._kept.clear()
