"""How much a run works out of what files of evidence leave open, counted so that every machine stops at the same point.

An operation is a resource of a file that is read, some of its values, or a question that is answered, in one world.  A
run has one `Work`, made for it and handed down; nothing of it is kept when the run ends.  What is not worked out for
lack of it is unknown, never harmless.
"""

from __future__ import annotations

USUAL_WORK = 100_000
"""Operations of a run where no option says otherwise."""
VALUES = 32
"""Values of resources that are one operation to read."""


class Work:
    """Counts operations up to a limit; what a share counts, the whole counts too."""

    def __init__(self, limit: int = USUAL_WORK) -> None:
        self.limit = limit
        self.spent = 0
        self.reached = False
        self._whole = self

    def share(self, among: int) -> Work:
        """Return an equal share of what is left, where so many want one."""
        found = Work(max(1, (self.limit - self.spent) // among))
        found._whole = self
        return found

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
