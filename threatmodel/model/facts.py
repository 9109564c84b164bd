"""What is known of an element: facts with their origin, and the one rule for weighing them.

A truth is a signed number: its sign says true or false, 0 unknown, and its size how well it is known: 1 as claimed (a
model file, a source check, stale evidence), 2 by evidence (a template, an AWS answer, a probe, and what code shows to
be bad).  `not` is minus, `and`
is min, `or` is max: Kleene's logic and the weakest link in one rule.

What something unread may change is in doubt: it can alarm, and it cannot reassure (`Fact.firm`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal, NamedTuple

from threatmodel.reading.problems import Place
from threatmodel.reading.values import new_tuple

STATED, EVIDENCE = 1, 2

Origin = Literal[
    "wiring", "model", "source", "repository", "tool", "code", "checkout", "result", "template", "probe", "aws", "host"
]
"""Who states a fact.  Code has two words: `source` for what it states, `code` for what it shows to be bad.  So have the
repository, `repository` and `checkout`, and another tool, `tool` and `result`.  `host` is an answer of Slack or of the
repository's host."""

STANDING: Mapping[Origin, int] = {
    "wiring": 0,
    "model": 1,
    "source": 2,
    "repository": 2,
    "tool": 2,
    "code": 3,
    "checkout": 3,
    "result": 3,
    "template": 4,
    "probe": 4,
    "aws": 5,
    "host": 5,
}
"""Who may state a fact, by standing: AWS beats template and probe, they beat the code, that beats the model,
and what the model states beats what the toolkit derives from the kind of wiring."""

_SAID_BY_EVIDENCE = STANDING["code"]


LEFT_OUT = "not set: AWS's default"
NOWHERE = "nothing in this file says otherwise"
"""Notes of what evidence says by saying nothing: a property that is left out, and something that is nowhere."""
ONLY_CLAIMED = "it reassures as a claim only"
"""The doubt about what alarms as evidence: a reader sees it where the value would reassure, not at the alarm."""
_OF_CODE = frozenset({"code", "probe"})
OMITTED = frozenset({LEFT_OUT, NOWHERE})
"""The notes of what is not written."""


class Statement(NamedTuple):
    """One origin's statement of a fact.

    `source` is a key of STANDING, `place` is its line (None for what follows from the kind of wiring), `note`
    what a reader should know (an AWS request's time, the default that applied), `stale` that evidence is too old, or
    of other code, and counts as a claim.  `defaults` are the parameters without whose defaults it would not hold: it
    then counts as a claim, since a deployment may give other values.  `open`, of a list, is the reason
    why it may be incomplete.  `doubt` is why the deployed value may be another one.
    """

    value: Any
    source: Origin
    place: Place | None
    note: str = ""
    stale: bool = False
    defaults: tuple[str, ...] = ()
    open: str = ""
    doubt: str = ""

    @property
    def omitted(self) -> bool:
        """Return whether it is not written: a default applies, or nothing is set. What code lacks is no default."""
        return self.note in OMITTED or (self.value is None and self.source not in _OF_CODE)

    @property
    def remark(self) -> str:
        """Return what a reader should know of it: its note, and what puts it in doubt."""
        doubt = self.doubt_of_value
        return "; ".join(part for part in (self.note, f"in doubt: {doubt}" if doubt else "") if part)

    @property
    def doubt_of_value(self) -> str:
        """Return why the deployed value may be another one; '' where it only counts less as it reassures."""
        return "" if self.doubt == ONLY_CLAIMED else self.doubt

    @property
    def size(self) -> int:
        """Return 1 where it counts as a claim, 2 where it counts as evidence."""
        weak = self.stale or self.defaults
        return EVIDENCE if STANDING[self.source] >= _SAID_BY_EVIDENCE and not weak else STATED


Statements = dict[str, dict[str, list[Statement]]]
"""What collectors found: statements by element, and by fact or list."""


class Fact(NamedTuple):
    """A fact as weighed: `size` 0 means that statements of one standing differ, so that nothing is known.

    `said` is the statement that counts, `against` those that differ from it.  For a derived fact `said` is the weakest
    of its inputs' statements.  A fact `in_doubt` may be changed by something that was not read: its value counts where
    it alarms; where it would reassure, `firm` counts, the fact without the statements in doubt (None: unknown).
    """

    value: Any
    size: int
    said: Statement
    against: tuple[Statement, ...] = ()
    in_doubt: bool = False
    firm: Fact | None = None

    @property
    def sure(self) -> Fact | None:
        """Return the fact as it may reassure: without what is in doubt."""
        return self.firm if self.in_doubt else self


Facts = Mapping[str, Fact]


def stated(statement: Statement) -> Fact:
    """The fact of a single statement."""
    return new_tuple(Fact, (statement.value, statement.size, statement, (), bool(statement.doubt), None))


def known(value: object, said: Iterable[Statement]) -> Fact:
    """A fact that follows from others: as well known as its weakest input, and in doubt where one of them is."""
    weakest, *others = said
    doubt = weakest.doubt
    for one in others:
        weakest, doubt = weakest if weakest.size <= one.size else one, doubt or one.doubt
    _, source, place, note, stale, defaults, _, _ = weakest
    return stated(new_tuple(Statement, (value, source, place, note, stale, defaults, "", doubt)))


def either(facts: Sequence[Fact | None]) -> Fact | None:
    """Whether one of several holds: true by the best known that does, false where all are known not to."""
    holding = [fact for fact in facts if fact is not None and fact.size and fact.value]
    if holding:
        return known(value=True, said=[max(holding, key=lambda fact: fact.size).said])
    if any(fact is None or not fact.size for fact in facts):
        return None
    return known(value=False, said=[fact.said for fact in facts if fact is not None])


def weigh(statements: Iterable[Statement]) -> Fact:
    """The fact that several statements amount to: the best standing counts, and differing ones of it cancel out.

    Values are compared as they are; the statements are taken in any order with the same result.
    """
    every = list(statements)
    fact = _weighed(every)
    if not fact.size or not fact.said.doubt:
        return fact
    firm = [statement for statement in every if not statement.doubt]
    return fact._replace(in_doubt=True, firm=_weighed(firm) if firm else None)


def _weighed(statements: Sequence[Statement]) -> Fact:
    ranked = sorted(statements, key=rank, reverse=True)
    best = ranked[0]
    differing = tuple(s for s in ranked if s.value != best.value or type(s.value) is not type(best.value))
    if any(rank(s)[:2] == rank(best)[:2] for s in differing):
        return Fact(None, 0, best, differing)
    return Fact(best.value, best.size, best, differing)


def rank(statement: Statement) -> tuple[int, int, bool, str]:
    """What decides between statements: how they count, then their standing; the rest is for order alone."""
    return statement.size, STANDING[statement.source], not statement.doubt, repr(tuple(statement))


def in_doubt(fact: Fact, firm: Fact | None) -> Fact:
    """A fact that holds as the files stand, where `firm` is what holds without their doubtful statements."""
    if firm is not None and (firm.value, firm.size, type(firm.value)) == (fact.value, fact.size, type(fact.value)):
        return firm
    return fact._replace(said=fact.said._replace(doubt=fact.said.doubt or _SOMETHING), in_doubt=True, firm=firm)


_SOMETHING = "a part that was not read may change it"


def stated_only(facts: Facts) -> Facts:
    """Return the facts as claimed without evidence, where evidence contradicts a statement."""
    claimed = dict(facts)
    for name, fact in facts.items():
        words = [s for s in (fact.said, *fact.against) if s.size == STATED]
        if fact.against and words:
            claimed[name] = weigh(words)
    return claimed
