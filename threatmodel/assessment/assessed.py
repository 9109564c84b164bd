"""What an assessment holds: findings, what controls answer them, and what is ruled out."""

from __future__ import annotations

import datetime
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Literal, NamedTuple, get_args

from threatmodel.assessment.control_state import Answer, Support, support_of
from threatmodel.assessment.drift import Difference, differences
from threatmodel.assessment.invariants import HeldInvariant
from threatmodel.assessment.risk import Cell
from threatmodel.assessment.states import States
from threatmodel.graph.building import Element, Flow, Graph
from threatmodel.library.entries import Library, Threat
from threatmodel.model.system import Acceptance
from threatmodel.model.vocabulary import AnsweredFrom
from threatmodel.reading.former import Renamed
from threatmodel.reading.problems import Place
from threatmodel.reading.values import cached_property, dataclass

if TYPE_CHECKING:  # computed of an assessment, and imported when asked for
    from threatmodel.assessment.actions import Action
    from threatmodel.assessment.gate.known import Baseline
    from threatmodel.assessment.gate.results import CheckResult, Rules
    from threatmodel.assessment.issues import Issue
    from threatmodel.assessment.priorities import Expiry
    from threatmodel.assessment.safety import Safety

Verdict = Literal["open", "undetermined", "reduced", "unproven", "accepted", "transferred", "mitigated"]
VERDICTS: tuple[Verdict, ...] = get_args(Verdict)
"""Verdicts, from what needs work to what needs none."""
PLACES: Mapping[str, int] = {verdict: at for at, verdict in enumerate(VERDICTS)}
"""The place of each verdict in that order."""


DONE: frozenset[Verdict] = frozenset({"mitigated", "transferred", "accepted", "unproven"})
"""Verdicts under which nothing needs to be done now (unproven ones still want evidence)."""


class Finding(NamedTuple):
    """A threat to an element.

    `applies` is its exposure: 2 or 1 where it applies by evidence or word, 0 where that is unknown.  `proof` is the
    library's cell as evidence alone leaves it.  `rated` says in words why the inherent cell is not the library's.
    `acceptance` is the one that names it, in force or not.
    `likely`: it applies, or would if what signs in the files speak of is so and the Internet reaches the element.
    `states` are the states of all controls, from which `answers` follow.
    """

    id: str
    threat: Threat
    target: Element | Flow
    applies: int
    verdict: Verdict
    inherent: Cell
    proof: Cell
    claimed: Cell
    proven: Cell
    rated: tuple[str, ...]
    acceptance: Acceptance | None
    likely: bool
    states: States

    @property
    def answers(self) -> tuple[Answer, ...]:
        """The controls that answer the threat, each with its state as it counts for the element."""
        return self.states.answers(self.threat, self.target)

    @property
    def why(self) -> tuple[Support, ...]:
        """The facts that expose the element (empty where every element of its kind is)."""
        readings = self.threat.applies[self.target.kind].why(self.target.facts)
        return tuple(support_of(leaf.fact, fact) for leaf, fact in readings if fact is not None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """One question: what to ask, of which elements, and which findings depend on it.

    `kind` is fact, relation, caller, describe or attest; `of` the kind of element, `name` the fact, relation, plane or
    control.  `facts` are all the facts that it asks for, `name` first; none where it asks for something else.
    `scores` has the worst score of these findings for each name that it asks for. `answered_from` is the source that
    answers it together with others (None: no other question). `hint` is how to write the answer in the model ('' for
    facts, which are stated by name), `known` what files show of the answer.
    """

    id: str
    kind: str
    of: str
    name: str
    facts: tuple[str, ...]
    ask: str
    elements: tuple[str, ...]
    decides: tuple[str, ...]
    scores: tuple[tuple[str, int], ...]
    answered_from: AnsweredFrom | None = None
    hint: str = ""
    known: str = ""

    @property
    def score(self) -> int:
        """The worst score of the findings that depend on it."""
        return max((score for _, score in self.scores), default=0)

    @property
    def source(self) -> str:
        """What answers it: what one looks at, or its id if it is answered alone.

        Questions with one source are one to people, who are asked them together and see them counted as one.
        """
        return self.answered_from or self.id


@dataclass(frozen=True, slots=True)
class Group:
    """Findings of one threat that have the same rank but for their ids, the same causes, and gain alike from a control.

    All of an assessment's findings with one likeness, ordered by id.  `twins` has the same findings, those of elements
    that differ only in their names together.
    """

    findings: tuple[Finding, ...]
    twins: tuple[tuple[Finding, ...], ...]

    @property
    def head(self) -> Finding:
        """The first of them, which stands for all."""
        return self.findings[0]


class RuledOut(NamedTuple):
    """A threat that a claim keeps from applying: the facts that state it, how often, and the first elements."""

    threat: Threat
    facts: tuple[tuple[str, object], ...]
    times: int
    first: tuple[tuple[str, Place | None], ...]


class Looked(NamedTuple):
    """Every threat that applies or may apply, and those that claims keep from applying, a tuple of twins each."""

    findings: Sequence[tuple[Finding, ...]]
    denied: Sequence[tuple[Threat, Sequence[Element | Flow]]]


class Outline(NamedTuple):
    """What the counts of findings follow from: the verdict, the cells, and whether the threat applies."""

    verdict: Verdict
    applies: bool
    inherent: Cell
    claimed: Cell
    proven: Cell


RelianceKind = Literal[
    "rated-lower",
    "tolerated",
    "out-of-scope",
    "ruled-out-by-claim",
    "lowered-by-claim",
    "not-stated",
    "intended-public",
    "accepted",
    "exempted",
    "attested",
    "excluded",
    "switched-off",
    "weakened",
    "replaced",
    "long-term",
    "missing-since-baseline",
]
_NAMED = 3
"""Elements that are named of those that a statement is about."""


class Reliance(NamedTuple):
    """Something that a statement alone takes out or reduces: what and how much, its author, place and reason.

    `times` is the number of findings (or of threats that would be looked for) that it touches; `by` is '' where it
    is not a statement but the lack of one.  Where `of` names elements, `said` is what is stated, or is not, of each.
    """

    kind: RelianceKind
    said: str
    times: int
    by: str
    reason: str
    place: Place | None
    of: tuple[str, ...] = ()

    @property
    def what(self) -> str:
        """What is said, of which elements."""
        match self.of:
            case ():
                return self.said
            case (element,):
                return f"{element}.{self.said}"
            case several:
                return f"{self.said} on {_some(several)}"


def _some(names: Sequence[str]) -> str:
    more = f" and {len(names) - _NAMED:,} more" if len(names) > _NAMED else ""
    return ", ".join(names[:_NAMED]) + more


@dataclass(frozen=True, kw_only=True)
class Assessment:
    """What is found: every finding, first those that apply, then possible ones; worst first in each.

    `groups` has the same findings, similar ones together.  `reliances` is what claims alone leave out or reduce,
    `invariants` the rules of the team's own.  `renamed` are the former ids of threats and controls that the model has.
    """

    graph: Graph
    library: Library
    states: States
    today: datetime.date
    findings: tuple[Finding, ...]
    groups: tuple[Group, ...]
    ruled_out: tuple[RuledOut, ...]
    questions: tuple[Question, ...]
    needless: tuple[tuple[Acceptance, str], ...]
    excluded: tuple[str, ...]
    reliances: tuple[Reliance, ...]
    invariants: tuple[HeldInvariant, ...]
    renamed: tuple[Renamed, ...] = ()

    @cached_property
    def places(self) -> Mapping[str, int]:
        """The place of each finding among all, by its id."""
        return {finding.id: at for at, finding in enumerate(self.findings)}

    @cached_property
    def drift(self) -> tuple[Difference, ...]:
        """Every fact and list on which the model and its evidence differ."""
        return tuple(differences(self.graph))

    # --- what the command line says of it

    @cached_property
    def verdict(self) -> Safety:
        """Whether the risk is within the accepted level, and whether that is known: `tm summary`."""
        from threatmodel.assessment.safety import safety

        return safety(self)

    @cached_property
    def actions(self) -> tuple[Action, ...]:
        """What to do, the most effective first: a missing control with the elements that lack it."""
        from threatmodel.assessment.actions import actions

        return actions(self)

    @cached_property
    def issues(self) -> tuple[Issue, ...]:
        """Findings with one cause or one open question together, the most severe first: `tm check`."""
        from threatmodel.assessment.issues import issues

        return issues(self)

    def check(self, rules: Rules | None = None, baseline: Baseline | None = None) -> tuple[CheckResult, ...]:
        """Return everything that `tm check` says, what fails first (default: the default rules, and no baseline)."""
        from threatmodel.assessment.assessing_again import checked
        from threatmodel.assessment.gate.results import Rules

        return checked(self, rules or Rules(), baseline)

    def due(self, days: int = 60) -> tuple[Expiry, ...]:
        """Return what has ended, is due, or will be within so many days, soonest first: `tm due`."""
        from threatmodel.assessment.priorities import expiries

        return expiries(self, days)

    def what_if(self, *, in_place: Iterable[str] = (), missing: Iterable[str] = ()) -> Assessment:
        """Return the assessment as if controls (CONTROL@ELEMENT) were in place or missing: `tm check --with`.

        Raises InputError with every name that does not exist.
        """
        from threatmodel.assessment.assessing_again import again, assumed

        given = [*((one, True, "in_place") for one in in_place), *((one, False, "missing") for one in missing)]
        return again(self, self.graph, assumed(given, self))

    @cached_property
    def outlines(self) -> Mapping[Outline, int]:
        """How many findings have the same verdict and cells."""
        found: Counter[Outline] = Counter()
        for group in self.groups:
            head = group.head
            one = Outline(head.verdict, bool(head.applies), head.inherent, head.claimed, head.proven)
            found[one] += len(group.findings)
        return found

    @property
    def applying(self) -> tuple[Finding, ...]:
        """The findings that are known to apply."""
        return tuple([finding for finding in self.findings if finding.applies])

    @cached_property
    def possible(self) -> tuple[Finding, ...]:
        """The findings of which an open question decides whether they apply."""
        return tuple([finding for finding in self.findings if not finding.applies])
