"""The state of a control on an element, as a value: what it counts for, and what it rests on in words."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Literal, NamedTuple, get_args

from threatmodel.assessment.asks import Ask
from threatmodel.library.condition import Condition
from threatmodel.library.entries import ControlLink
from threatmodel.model.facts import EVIDENCE, STATED, Fact, Facts, Statement
from threatmodel.model.system import Trigger
from threatmodel.reading.values import dataclass

ControlState = Literal[
    "proven",
    "attested",
    "claimed",
    "planned",
    "unknown",
    "lapsed",
    "ineffective",
    "absent",
    "contradicted",
    "not-applicable",
]
STATES: tuple[ControlState, ...] = get_args(ControlState)
"""Control states from best to worst known; not-applicable is not in this order."""

OPEN_QUESTION: frozenset[ControlState] = frozenset({"unknown", "lapsed"})
"""States in which it is unknown whether the control is in place."""


_COUNTS = {
    pair: pair
    for pair in ((level, is_open) for level in (-EVIDENCE, -1, 0, STATED, EVIDENCE) for is_open in (True, False))
}
_LIKENESSES: dict[Hashable, Hashable] = {}
"""Few that a million states share."""


class Support(NamedTuple):
    """A fact that a state rests on; `known` is False where statements of one standing differ."""

    fact: str
    value: object
    said: Statement
    against: tuple[Statement, ...]
    known: bool


def support_of(name: str, fact: Fact) -> Support:
    """A fact as something that a state or a finding rests on."""
    return Support(name, fact.value, fact.said, fact.against, fact.size > 0)


class _Computed:
    """What is computed from a state once and stored with it; a dictionary for each of a million states is too large."""

    __slots__ = ("_counts", "_likeness", "_support")
    _counts: tuple[int, bool]
    _likeness: Hashable
    _support: tuple[Support, ...]


@dataclass(frozen=True, slots=True, eq=False)
class State(_Computed):
    """The state of a control on an element.

    `level` is what it counts for: 2 proven, 1 claimed, 0 unknown, -1 not in place.  `asks` is what would decide an
    unknown one.  `basis` is the condition and the facts that decided it, from which `support` and, where `words` is
    empty, `reason` are computed when they are read.  `size` is how well it is known that a control is not
    applicable: what leaves one out is a link of the chain too.  `unwanted`: it would restrict access to what is
    meant to be public, so that it is not asked for; it counts as it is.  `lacks` is the state of the control that an
    ineffective one requires.
    """

    control: str
    element: str
    state: ControlState
    level: int
    words: str = ""
    basis: tuple[Condition, Facts] | None = None
    asks: tuple[Ask, ...] = ()
    size: int = EVIDENCE
    unwanted: bool = False
    lacks: State | None = None

    @property
    def counts(self) -> tuple[int, bool]:
        """What it counts for, and whether it is unknown if it is in place: all that an outcome follows from.

        -2: something in a file, in an answer or in what ran shows that it is missing.  -1: it is missing.
        """
        try:
            return self._counts
        except AttributeError:
            level = -EVIDENCE if self.is_seen_missing else self.level if self.level >= 0 or self.is_missing else 0
            object.__setattr__(self, "_counts", _COUNTS[level, self.is_open])
            return self._counts

    @property
    def is_seen_missing(self) -> bool:
        """Whether evidence shows something that denies it: a value that is there, and not one that is left out."""
        if self.lacks is not None:
            return self.lacks.is_seen_missing
        if self.level >= 0 or not self.is_missing or self.basis is None:
            return False
        condition, facts = self.basis
        shown = any(not one.said.omitted and one.said.size >= EVIDENCE for one in self.support)
        return shown and condition.truth(facts) <= -EVIDENCE

    @property
    def is_open(self) -> bool:
        """Whether it is unknown if it is in place, and it may be."""
        return self.state in OPEN_QUESTION and not self.unwanted

    @property
    def is_missing(self) -> bool:
        """Whether it is not in place, as far as is known, where it could be and may be asked for."""
        return self.level < STATED and self.state != "not-applicable" and not self.unwanted

    @property
    def support(self) -> tuple[Support, ...]:
        """The facts that it rests on."""
        try:
            return self._support
        except AttributeError:
            object.__setattr__(self, "_support", support(*self.basis) if self.basis else ())
            return self._support

    @property
    def likeness(self) -> Hashable:
        """What findings follow from it, whatever element it is on: its state, and what shows that it is missing."""
        try:
            return self._likeness
        except AttributeError:
            object.__setattr__(self, "_likeness", self._alike())
            return self._likeness

    def _alike(self) -> Hashable:
        shows = self.support if self.level < 0 and self.is_missing else ()
        facts = tuple([(item.fact, item.known, item.said.omitted) for item in shows])
        found = self.state, self.level, self.unwanted, facts, self.lacks and (self.lacks.control, self.lacks.likeness)
        return _LIKENESSES.setdefault(found, found)

    @property
    def reason(self) -> str:
        """What made it so, in words."""
        if self.words or self.basis is None:
            return self.words
        return said_by(self.support) if self.level else not_stated(*self.basis)


class Answer(NamedTuple):
    """A link of a threat to a control, and the state of that control as it counts for an element.

    `holds` says how well it is known that the control has this effect on the element.
    """

    link: ControlLink
    state: State
    holds: int = EVIDENCE

    @property
    def is_missing(self) -> bool:
        """Whether the control is not in place, could be, and would have this effect."""
        return self.holds > 0 and self.state.is_missing


def support(condition: Condition, facts: Facts) -> tuple[Support, ...]:
    """Return the facts that decide a condition, each once."""
    found = (support_of(leaf.fact, fact) for leaf, fact in condition.why(facts) if fact is not None)
    return tuple(dict.fromkeys(found))


def shown_value(value: object) -> str:
    """A fact's value as a model file writes it."""
    return "null" if value is None else str(value).lower() if isinstance(value, bool) else str(value)


def shown(value: object) -> str:
    """The value of a fact or a relation as a reader knows it from the model file."""
    if isinstance(value, tuple | list):
        return "[" + ", ".join(_item(item) for item in value) + "]"
    return shown_value(value)


def _item(item: object) -> str:
    if isinstance(item, Trigger):
        path = f" at {item.path}" if item.path else ""
        through = f" through {item.source.id}{path}" if item.source is not None else ""
        return f"{item.detail or item.by}{through}"
    return str(item)


def said_by(support: tuple[Support, ...]) -> str:
    """The facts in words: 'reserved_concurrency: 10, tracing: false'."""
    return ", ".join(f"{item.fact}: {shown_value(item.value)}" for item in support)


def not_stated(condition: Condition, facts: Facts) -> str:
    """What keeps a condition unknown: statements that differ, or facts that are not stated."""
    unknown = {leaf.fact: fact for leaf, fact in condition.why(facts)}
    differing = [name for name, fact in unknown.items() if fact is not None and not fact.size]
    if differing:
        return f"statements differ: {', '.join(differing)}"
    doubts = [name for name in unknown if name in facts and facts[name].in_doubt]
    if doubts:
        why = dict.fromkeys(facts[name].said.doubt for name in doubts)
        return f"in doubt: {', '.join(doubts)} ({'; '.join(why)})"
    return f"not stated: {', '.join(unknown)}"
