"""How much a run works out of what files of evidence leave open, counted so that every machine stops at the same point.

An operation is a resource of a file, read in one world.  A run has one `Work`, made for it and handed down; nothing of
it is kept when the run ends.  What is not worked out for lack of it is unknown, never harmless.
"""

from __future__ import annotations

USUAL_WORK = 100_000
"""Operations of a run where no option says otherwise: sixty times what the largest of 32 public samples takes."""

_PARTS = 8
"""One set of worlds may take this part of the work, so that a single one cannot use up what the others need."""


class Work:
    """Counts operations up to a limit; a part counts for the whole too."""

    def __init__(self, limit: int = USUAL_WORK) -> None:
        self.limit = limit
        self.spent = 0
        self.reached = False
        self._whole: Work | None = None

    def part(self) -> Work:
        """Return what one set of worlds may take of this."""
        found = Work(max(1, self.limit // _PARTS))
        found._whole = self
        return found

    def spend(self, operations: int) -> bool:
        """Count operations; False, and counts none, where the limit has no room for them."""
        whole = [self] if self._whole is None else [self, self._whole]
        fits = all(one.spent + operations <= one.limit for one in whole)
        for one in whole:
            one.spent += operations if fits else 0
            one.reached = one.reached or not fits
        return fits

    @property
    def why(self) -> str:
        """The reason that is given for what is unknown because of the limit."""
        whole = self if self._whole is None else self._whole
        return f"working it out takes more than the limit of {whole.limit:,} operations (--work)"
