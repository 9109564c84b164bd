"""The values of attack paths: what an attacker holds, the steps from one to the next, and whole paths."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, NamedTuple, get_args

from threatmodel.assessment.assessed import Question
from threatmodel.assessment.control_state import Answer, ControlState
from threatmodel.assessment.risk import Cell
from threatmodel.assessment.states import States
from threatmodel.graph.elements import Element, Flow
from threatmodel.library.entries import Threat
from threatmodel.reading.problems import Place

Start = Literal["outside", "client", "member", "supplier"]
STARTS: tuple[Start, ...] = get_args(Start)
"""Where an attacker starts: on the internet, with access to the API, in the Slack workspace, as a supplier of code."""

Hold = Literal[
    Start,
    "input",
    "act",
    "code",
    "role",
    "principal",
    "secret",
    "write",
    "read",
    "rights",
    "deploy",
    "account",
    "workspace",
    "down",
]
"""What an attacker holds of an element, such as `code`: the attacker decides what the function runs."""

Aim = Literal["rights", "secrets", "data", "availability"]
AIMS: tuple[Aim, ...] = get_args(Aim)
"""What an attacker wants."""

AIM_OF: Mapping[Hold, Aim] = {
    "account": "rights",
    "deploy": "rights",
    "rights": "rights",
    "act": "rights",
    "workspace": "rights",
    "secret": "secrets",
    "read": "data",
    "write": "data",
    "down": "availability",
}
"""The holds that a path may end at; the others only lead on."""

Strength = Literal["open", "undecided", "unlikely", "stopped"]
STRENGTHS: tuple[Strength, ...] = get_args(Strength)
"""What blocks a step or a path, weakest first.

`open`: nothing in place stops it, and it is likely. `undecided`: the same, and an open question decides whether it is
possible. `unlikely`: its likelihood is 2 or lower, which is the least that controls reach that do not stop it.
`stopped`: a control in place stops it.
"""

Level = Literal["claimed", "proven"]
LEVELS: tuple[Level, ...] = get_args(Level)
"""Which controls count as being in place: those that are claimed, or only those that are proven."""

BLOCKING = frozenset({"stops", "hinders"})
"""The effects of controls that block a step."""

UNLIKELY = 2
"""The likelihood at which a step counts as cut although no control stops it."""


class Position(NamedTuple):
    """What an attacker holds, and of which element ('' where the hold is of no single one)."""

    hold: Hold
    element: str = ""


_WIDTHS = {strength: (len(STRENGTHS) - at) * 10 for at, strength in enumerate(STRENGTHS)}


class Barrier(NamedTuple):
    """What blocks a step at one level: its strength, and the likelihood that is left (1 to 5)."""

    strength: Strength
    likelihood: int

    @property
    def width(self) -> int:
        """How easily the step is taken, as one number: its strength first, then its likelihood."""
        return _WIDTHS[self.strength] + self.likelihood


class Step(NamedTuple):
    """How an attacker gets from one position to another.

    `threat` is None for what the design allows: `along` then names the flow or relation. `applies` is how well it is
    known that the step is possible (0: unknown). `impact` is that of the threat at each level, in order of `barriers`.
    `states` are those of all controls, from which `answers` and `unknown` follow for the `element` of the threat. Both
    `note` and `place` say what the step rests on, such as the escalation that a role allows.
    """

    begin: Position
    end: Position
    threat: Threat | None
    target: str
    along: str
    applies: int
    claimed: Barrier
    proven: Barrier
    cells: tuple[Cell, Cell] | None
    element: Element | Flow | None = None
    states: States | None = None
    note: str = ""
    place: Place | None = None
    described: bool = True

    @property
    def finding(self) -> str:
        """The id of the finding ('' for what the design allows)."""
        return f"{self.threat.id}@{self.target}" if self.threat is not None else ""

    @property
    def answers(self) -> tuple[Answer, ...]:
        """The controls that stop or hinder the threat, each with its state."""
        if self.threat is None or self.element is None or self.states is None:
            return ()
        every = self.states.answers(self.threat, self.element)
        return tuple(answer for answer in every if answer.link.effect in BLOCKING)

    @property
    def unknown(self) -> tuple[str, ...]:
        """The facts that decide an undecided step: of controls that stop the threat, else of those that hinder."""
        if self.applies:
            asks = [(one.link.effect, ask.name) for one in self.answers if one.state.is_open for ask in one.state.asks]
            stops = tuple(dict.fromkeys(name for effect, name in asks if effect == "stops"))
            return stops or tuple(dict.fromkeys(name for _, name in asks))
        if self.threat is None or self.element is None:
            return ()
        readings = self.threat.applies[self.element.kind].why(self.element.facts)
        return tuple(dict.fromkeys(leaf.fact for leaf, fact in readings if fact is None or not fact.size))

    @property
    def doubt(self) -> int:
        """How little is known: 0 all, 1 not a control, 2 not whether it applies, 3 nothing of the element."""
        undecided = "undecided" in {self.claimed.strength, self.proven.strength}
        return 3 if not self.described else 2 if not self.applies else int(undecided)

    def at(self, level: Level) -> Barrier:
        """Return what blocks it at a level."""
        return self.claimed if level == "claimed" else self.proven


MOST = 5
"""The likelihood of what nothing prevents."""


class Decides(NamedTuple):
    """An open question that decides a path, and those of its facts that do (all, where none is known to)."""

    question: Question
    facts: tuple[str, ...]


class Path(NamedTuple):
    """A chain of steps from a start to what an attacker wants.

    A path is as strong as its strongest step: `as_claimed` and `as_proven` are that step's strength at each level, and
    the likelihood of `claimed` and `proven` is the lowest of the steps outside functions. Their impact is that of the
    last threat.  `asked` are the questions of an assessment by the findings that they decide.
    """

    steps: tuple[Step, ...]
    as_claimed: Strength
    as_proven: Strength
    claimed: Cell
    proven: Cell
    asked: Mapping[str, Question]

    @property
    def questions(self) -> tuple[Decides, ...]:
        """The open questions that decide the path, each with its facts that do."""
        unsure = (step for step in self.steps if "undecided" in {step.claimed.strength, step.proven.strength})
        found = [_decides(step, self.asked[step.finding]) for step in unsure if step.finding in self.asked]
        return tuple({(one.question.id, one.facts): one for one in found}.values())

    @property
    def start(self) -> Position:
        """Where the attacker starts: a hold of STARTS."""
        return self.steps[0].begin

    @property
    def goal(self) -> Position:
        """What the attacker reaches."""
        return self.steps[-1].end

    @property
    def aim(self) -> Aim:
        """What the attacker wants there."""
        return AIM_OF[self.goal.hold]


def _decides(step: Step, question: Question) -> Decides:
    unknown = step.unknown
    return Decides(question, tuple(name for name in question.facts if name in unknown) or question.facts)


class Alike(NamedTuple):
    """Paths of one rank whose last threat is the same; the first, which has the fewest steps, stands for all."""

    paths: tuple[Path, ...]

    @property
    def head(self) -> Path:
        """The first of them."""
        return self.paths[0]


class Choice(NamedTuple):
    """A control of a cut, with its states on the elements that need it."""

    control: str
    elements: Mapping[str, ControlState]


class Cut(NamedTuple):
    """The smallest set of controls that cuts every path that controls can cut.

    `exact` is False where it is only a small set and not shown to be the smallest. `uncut` are the aims that an
    attacker reaches whatever controls of the library are in place.
    """

    choices: tuple[Choice, ...]
    exact: bool
    uncut: tuple[Position, ...]


class Paths(NamedTuple):
    """All paths of a system, worst first, and what cuts them.

    `found` has every path that is not stopped as proven. `claimed` and `proven` count all paths by strength.
    `entries` is how many functions an attacker can send something to. `complete` is False where the search stopped at
    its limit. `unknown` are the functions whose triggers or uses are not all known.
    `unlisted` are threats of the team's library that take part in no path.
    """

    found: tuple[Alike, ...]
    claimed: Mapping[Strength, int]
    proven: Mapping[Strength, int]
    cut_claimed: Cut
    cut_proven: Cut
    entries: int
    complete: bool
    unknown: tuple[str, ...]
    unlisted: tuple[str, ...]
