"""The measures by which a handler is confined, in words: what each is, and whether it holds."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from threatmodel.reading.values import dataclass

MEASURES: Mapping[str, str] = {
    "processes": "it sees, signals and outlives no process but its own",
    "files": "it sees its code, its packages and the system's libraries, read-only, and a private /tmp",
    "network": "it has no network, not even this machine's",
    "user": "it runs as a user with no rights over this machine",
    "programs": "it starts no programs and makes none of the calls by which a process reaches another or the kernel",
    "writes": "it writes nowhere but in /tmp, even where its user may",
    "number": "the number of its processes is limited",
}
"""By name, in the order in which they are reported."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    """Whether a measure holds, and why not ('' where it does)."""

    name: str
    why: str = ""

    @property
    def holds(self) -> bool:
        """Whether it holds."""
        return not self.why


WEIGHTY = ("processes", "files", "network", "user")
"""Without one of these a hostile handler that is run by root owns the machine, or reads what it holds."""


def described(measures: Iterable[Measure]) -> tuple[str, ...]:
    """Each measure on a line: `files: holds`, `network: does not hold (unshare: Operation not permitted)`."""
    return tuple(f"{one.name}: {'holds' if one.holds else f'does not hold ({one.why})'}" for one in measures)


def from_words(found: Mapping[str, str]) -> tuple[Measure, ...]:
    """The measures as a child tells them: by name, why each does not hold."""
    return tuple(Measure(name=name, why=found.get(name, "it was not tried")) for name in MEASURES)
