"""How much a run works out of files of evidence, counted so that every machine stops at the same point.

An operation is a resource of a file that is read, some of its values, or a question that is answered, in one world; and
as many values or characters as functions, variables, conditions and policies make or look through.  A run has one
`Work`, made for it and handed down; nothing of it is kept when the run ends.  What is not worked out for lack of it is
unknown, never harmless.
"""

from __future__ import annotations

from collections.abc import Iterator

USUAL_WORK = 100_000
"""Operations of a run where no option says otherwise."""
VALUES = 32
"""Values of resources that are one operation to read."""
CHARACTERS = 8
"""Characters that are as much as one value; also entries of the tables of AWS that a pattern is held against."""


class Work:
    """Counts operations up to a limit; what a share counts, the whole counts too."""

    def __init__(self, limit: int = USUAL_WORK) -> None:
        self.limit = limit
        self.spent = 0
        self.reached = False
        self._whole = self
        self._begun = 0

    def share(self, among: int) -> Work:
        """Return an equal share of what is left, where so many want one."""
        found = Work(max(1, (self.limit - self.spent) // among))
        found._whole = self
        return found

    def shares(self, among: int) -> Iterator[Work]:
        """Yield as many shares, one after the other: what one leaves by then, the others have."""
        return (self.share(left) for left in range(among, 0, -1))

    def spend(self, operations: int) -> bool:
        """Count operations; False, and counts none, where the limit has no room for them."""
        if self.spent + operations > self.limit:
            self.end()
            return False
        self.count(operations)
        return True

    def count(self, operations: int) -> None:
        """Count operations, for all that this is a share of."""
        self.spent += operations
        if self._whole is not self:
            self._whole.count(operations)

    def values(self, count: int) -> bool:
        """Count values that are made or looked through; False, and counts none, where the limit has no room."""
        return self.characters(count * CHARACTERS)

    def characters(self, count: int) -> bool:
        """Count characters that are made or looked through; False, and counts none, where the limit has no room."""
        operations, begun = divmod(self._begun + count, VALUES * CHARACTERS)
        if operations and not self.spend(operations):
            return False
        self._begun = begun
        return True

    @property
    def room(self) -> int:
        """The values that are left."""
        return max(0, self.limit - self.spent) * VALUES

    def end(self) -> None:
        """Note that the limit was reached."""
        self.reached = True
        if self._whole is not self:
            self._whole.end()

    @property
    def allowed(self) -> int:
        """The limit of the whole run."""
        return self.limit if self._whole is self else self._whole.allowed

    @property
    def why(self) -> str:
        """The reason that is given for what is unknown because of the limit."""
        return f"working it out takes more than the limit of {self.allowed:,} operations (--work)"
