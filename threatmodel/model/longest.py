"""The longest terms of statements: a year, unless a model states another one; none is unlimited."""

from __future__ import annotations

import datetime

from threatmodel.reading.problems import Place
from threatmodel.reading.shape import Key, Number, record
from threatmodel.reading.values import dataclass

YEAR = 366
"""The default longest term of an attestation, an acceptance or an exemption, in days."""
LONGEST = 3 * YEAR
"""Days for which one may hold at all: the longest term that a model may state."""

RESULT = 180
"""The default longest term for which a saved result of the probe is evidence, in days."""
LONGEST_RESULT = 730
"""Days for which one may be evidence at all."""

_TERM = Number(1, LONGEST)
LONGEST_TERMS = record(
    "the longest terms",
    Key("acceptance", _TERM, "days that an acceptance or an exemption may reach ahead"),
    Key("attestation", _TERM, "days that an attestation may hold"),
)


@dataclass(frozen=True, slots=True)
class LongestTerms:
    """Return the longest terms in days, and their places (None: not stated)."""

    acceptance: int = YEAR
    attestation: int = YEAR
    place: Place | None = None

    def attested_until(self, on: datetime.date | None, expires: datetime.date) -> datetime.date:
        """The last day on which an attestation counts: its own, or where the longest term ends."""
        return expires if on is None else min(expires, on + datetime.timedelta(days=self.attestation))

    def is_in_force(self, expires: datetime.date, today: datetime.date) -> bool:
        """Whether an acceptance or exemption counts on a day: neither past its own end, nor for longer than may be."""
        return datetime.timedelta() <= expires - today <= datetime.timedelta(days=self.acceptance)

    def bounded(self, acceptance: int, attestation: int) -> LongestTerms:
        """The same, and never longer than these."""
        return LongestTerms(min(self.acceptance, acceptance), min(self.attestation, attestation), self.place)
