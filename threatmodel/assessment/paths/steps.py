"""The steps that an attacker can take in a system: its threats, and what its design allows from where to where."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from threatmodel.assessment.assessed import Assessment, Finding
from threatmodel.assessment.control_state import Answer
from threatmodel.assessment.outcomes import Outcomes, Situation
from threatmodel.assessment.paths.leads import LEADS, Lead
from threatmodel.assessment.paths.values import BLOCKING, MOST, UNLIKELY, Barrier, Hold, Level, Position, Step
from threatmodel.assessment.risk import Cell, weighed
from threatmodel.graph.elements import Element, Flow, Graph
from threatmodel.graph.members import members_of
from threatmodel.library.entries import Threat
from threatmodel.model.facts import EVIDENCE, STATED, Fact
from threatmodel.model.system import Trigger
from threatmodel.reading.grouping import grouped

_WHOLE: frozenset[Hold] = frozenset(
    ("outside", "member", "client", "supplier", "principal", "account", "deploy", "workspace")
)
"""The holds that are of no single element."""


class Relations:
    """What starts, uses and passes on what, by element."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.functions = tuple(one.id for one in graph.elements.values() if one.kind == "function")
        self.secrets = tuple(one.id for one in graph.elements.values() if one.kind == "secret")
        self.started: dict[str, dict[str, None]] = {}
        self.writers: dict[str, dict[str, None]] = {}
        for function in self.functions:
            for trigger in self._list(function, "triggers"):
                if isinstance(trigger, Trigger) and trigger.source is not None:
                    self.started.setdefault(trigger.source.id, {})[function] = None
            for store in self.of(function, "writes"):
                self.writers.setdefault(store, {})[function] = None
        names = {resource: element for read in graph.evidence for element, resource in read.elements.items()}
        self.granted: dict[str, dict[str, None]] = {}
        for read in graph.evidence:
            for function, resource, _ in read.unused:
                if (held := names.get(resource, resource)) in graph.lists:
                    self.granted.setdefault(function, {})[held] = None
        self._named: Mapping[str, Callable[[str], Iterable[str]]] = {
            "self": lambda element: (element,),
            "started": lambda element: self.started.get(element, ()),
            "writers": lambda element: self.writers.get(element, ()),
            "granted": lambda element: (one for one in self.granted.get(element, ()) if one not in self.secrets),
            "granted-secrets": lambda element: (one for one in self.granted.get(element, ()) if one in self.secrets),
            "reads": lambda element: self._stores(element, "reads"),
            "writes": lambda element: self._stores(element, "writes"),
            "secrets": lambda element: self.of(element, "secrets"),
            "passed": lambda element: self.of(element, "passes_to"),
            "every-function": lambda _: self.functions,
            "every-secret": lambda _: self.secrets,
        }

    def _list(self, element: str, name: str) -> Iterator[object]:
        return (member.item for member in members_of(self.graph.lists.get(element, {}), name))

    def of(self, element: str, name: str) -> tuple[str, ...]:
        """The elements that a list of an element names, those outside the model left out."""
        items = (item for item in self._list(element, name) if isinstance(item, str))
        return tuple(item for item in items if item in self.graph.elements)

    def _stores(self, element: str, name: str) -> tuple[str, ...]:
        """The stores of a function; where none is known, the function stands for the data that it handles."""
        return self.of(element, name) or (element,)

    def passes_on(self, function: str) -> Iterator[tuple[str, str]]:
        """The functions that another one starts, each with the flow through which."""
        for other in self.of(function, "invokes"):
            yield other, f"{function}:{other}:invoke"
        for name, verb in (("sends", "send"), ("writes", "write")):
            for through in self.of(function, name):
                for other in self.started.get(through, ()):
                    yield other, f"{function}:{through}:{verb}"

    def positions(self, hold: Hold, name: str, element: str) -> Iterator[Position]:
        """Yield the positions of a hold that a lead names, seen from the element of a finding."""
        if hold in _WHOLE:
            yield Position(hold)
            return
        for one in self._named[name](element):
            yield Position(hold, one)


_ESCALATES = {"function-role-escalates": "role_can_escalate", "over-privileged-role": "role_over_privileged"}
"""The fact that says through what a threat leads on, with its note."""


SIZES: Mapping[Level, int] = {"claimed": STATED, "proven": EVIDENCE}
"""How well a control has to be known to count as in place at a level."""

_MOST_HINDERED = 2
"""How far controls that hinder lower a likelihood."""


def steps(assessment: Assessment, *, beyond: bool = False) -> Iterator[Step]:
    """Yield every step that may be possible; `beyond` adds what follows from rights over everything.

    What code reads has to leave the function: where that is a threat too, the design alone gives nothing.
    """
    relations = Relations(assessment.graph)
    guarded: set[tuple[Position, Position]] = set()
    for step in _threats(assessment, relations):
        if step.begin.hold == "code" and step.end.hold == "read":
            guarded.add((step.begin, step.end))
        yield step
    yield from (step for step in _by_design(assessment.graph, relations) if (step.begin, step.end) not in guarded)
    if beyond:
        yield from _beyond(assessment.graph, relations)


# --- by threats


def _threats(assessment: Assessment, relations: Relations) -> Iterator[Step]:
    found = _Found(assessment)
    by_kind = grouped((target.kind, target) for target in assessment.graph.targets())
    for lead in LEADS:
        threat = assessment.library.threats.get(lead.threat)
        if threat is None or threat.id in assessment.excluded:
            continue
        for kind in threat.targets:
            for target in by_kind.get(kind, ()):
                yield from _steps_of(lead, threat, target, found, relations)


def _steps_of(
    lead: Lead, threat: Threat, target: Element | Flow, found: _Found, relations: Relations
) -> Iterator[Step]:
    one = found.one(threat, target)
    if one is None:
        return
    states = found.states
    fact = target.facts.get(_ESCALATES.get(threat.id, ""))
    note, place = (fact.said.note, fact.said.place) if fact is not None and fact.value is True else ("", None)
    for begin in relations.positions(lead.begin, lead.of, target.id):
        for end in relations.positions(lead.end, lead.to, target.id):
            if lead.of == lead.to != "self" and begin.element != end.element:
                continue
            yield Step(
                begin=begin,
                end=end,
                threat=threat,
                target=target.id,
                along="",
                applies=one.applies,
                claimed=one.claimed,
                proven=one.proven,
                cells=one.cells,
                element=target,
                states=states,
                note=note,
                place=place,
                described=target.described,
            )


class _Taken(NamedTuple):
    """A threat to an element as a step: whether it applies, and what blocks it."""

    applies: int
    claimed: Barrier
    proven: Barrier
    cells: tuple[Cell, Cell]


class _Found:
    """The findings of an assessment, and those that it leaves out since claims would keep them within tolerance."""

    def __init__(self, assessment: Assessment) -> None:
        self.states = assessment.states
        self._outcomes = Outcomes(assessment.graph.system, assessment.today)
        self._groups = {one.id: group.head for group in assessment.groups for one in group.findings}
        self._known: dict[tuple[str, str] | str, _Taken | None] = {}

    def one(self, threat: Threat, target: Element | Flow) -> _Taken | None:
        """Return a threat to an element as a step; None where it does not apply.  Findings that are alike share it."""
        head = self._groups.get(f"{threat.id}@{target.id}")
        name = (threat.id, target.id) if head is None else head.id
        if name not in self._known:
            self._known[name] = self._left_out(threat, target) if head is None else self._taken(head)
        return self._known[name]

    def _taken(self, finding: Finding) -> _Taken:
        cells = finding.claimed, finding.proven
        return _Taken(finding.applies, *_barriers(finding.answers, finding.applies, cells), cells)

    def _left_out(self, threat: Threat, target: Element | Flow) -> _Taken | None:
        """A finding that may apply and that an assessment does not list."""
        if target.out_of_scope or threat.applies[target.kind].truth(target.facts) < 0:
            return None
        library = weighed(threat, target.kind, target.facts)
        situation = Situation(threat, library.cell, library.proof, applies=False, acceptance=None)
        answers = self.states.answers(threat, target)
        outcome = self._outcomes.of(situation, tuple(answer.state.counts for answer in answers))
        cells = outcome.claimed, outcome.proven
        return _Taken(0, *_barriers(answers, 0, cells), cells)


def _barriers(answers: Iterable[Answer], applies: int, cells: tuple[Cell, Cell]) -> tuple[Barrier, Barrier]:
    """What blocks a step as claimed and as proven."""
    blocking = tuple(answer for answer in answers if answer.link.effect in BLOCKING)
    claimed, proven = (
        _barrier(blocking, applies, size, cell.likelihood) for size, cell in zip(SIZES.values(), cells, strict=True)
    )
    return claimed, proven


def _barrier(answers: Sequence[Answer], applies: int, size: int, likelihood: int) -> Barrier:
    """What blocks a step at a level; a control that is not known to be in place stops nothing."""
    stops = [answer.state for answer in answers if answer.link.effect == "stops"]
    if any(state.level >= size and state.state != "not-applicable" for state in stops):
        return Barrier("stopped", likelihood)
    if likelihood <= UNLIKELY:
        return Barrier("unlikely", likelihood)
    hinders = sum(answer.link.effect == "hinders" and answer.state.is_open for answer in answers)
    would_hinder = likelihood - UNLIKELY <= min(hinders, could_hinder(answers, size))
    unsure = not applies or would_hinder or any(state.is_open for state in stops)
    return Barrier("undecided" if unsure else "open", likelihood)


def could_hinder(answers: Iterable[Answer], size: int) -> int:
    """Return by how much more controls that hinder can lower a likelihood, beside those that are in place."""
    placed = (answer for answer in answers if answer.link.effect == "hinders" and answer.state.level >= size)
    return max(0, _MOST_HINDERED - sum(answer.state.state != "not-applicable" for answer in placed))


# --- by design


def _by_design(graph: Graph, relations: Relations) -> Iterator[Step]:
    for function in relations.functions:
        facts = graph.elements[function].facts
        yield from _callers(function, facts.get("slack_facing"), Position("member"))
        yield from _callers(function, facts.get("web_facing"), Position("client"))
        yield _allowed(Position("act", function), Position("input", function), "")
        for hold in _WITH_ROLE:
            yield _allowed(Position(hold, function), Position("principal"), "")
            yield from _uses(function, Position(hold, function), relations)
        for other, flow in relations.passes_on(function):
            yield _allowed(Position("input", function), Position("input", other), flow)
            yield _allowed(Position("code", function), Position("act", other), flow)
    for store, functions in relations.started.items():
        if store in graph.elements and graph.elements[store].kind == "store":
            for function in functions:
                yield _allowed(Position("write", store), Position("input", function), f"{store}:{function}:start")
    yield from _secrets(graph, relations)


def _allowed(begin: Position, end: Position, along: str, applies: int = EVIDENCE) -> Step:
    barrier = Barrier("open" if applies else "undecided", MOST)
    return Step(begin, end, None, "", along, applies, barrier, barrier, None)


def _callers(function: str, fact: Fact | None, caller: Position) -> Iterator[Step]:
    """A legitimate caller sends requests; where it is unknown whether there are any, a question decides."""
    size = fact.size if fact is not None else 0
    if not size or (fact is not None and fact.value is True):
        yield _allowed(caller, Position("input", function), "its route", size)


_WITH_ROLE: tuple[Hold, ...] = ("code", "role")
"""The holds that give the rights of a function's role."""

_USES: tuple[tuple[str, Hold, str], ...] = (
    ("reads", "read", "read"),
    ("writes", "write", "write"),
    ("secrets", "secret", "read"),
)
"""The lists of what a function uses, with what each gives and the verb of its flows."""


def _uses(function: str, held: Position, relations: Relations) -> Iterator[Step]:
    """What the function's own role allows, which no control can take away from the function."""
    for name, hold, verb in _USES:
        for other in relations.of(function, name):
            yield _allowed(held, Position(hold, other), f"{function}:{other}:{verb}")


def _secrets(graph: Graph, relations: Relations) -> Iterator[Step]:
    """What a secret grants to its holder; where that is unknown, it may grant any access to Slack."""
    for secret in relations.secrets:
        grants = graph.elements[secret].facts.get("grants")
        size, value = (grants.size, str(grants.value)) if grants is not None and grants.size else (0, "")
        if not size or (value.startswith("slack-") and value not in _MINOR):
            yield _allowed(Position("secret", secret), Position("workspace"), "acts as the app in Slack", size)
        for function in relations.functions if not size or value == "slack-requests" else ():
            facing = graph.elements[function].facts.get("slack_facing")
            known = facing.size if facing is not None else 0
            if secret in relations.of(function, "secrets") and not (known and facing is not None and not facing.value):
                act = Position("act", function)
                yield _allowed(Position("secret", secret), act, "signs requests as Slack does", min(size, known))


_MINOR = {"slack-requests", "slack-webhook", "slack-trigger"}
"""Secrets of Slack's that give no access to the workspace."""


def _beyond(graph: Graph, relations: Relations) -> Iterator[Step]:
    """What follows from rights over everything: the steps that no path takes, since all of them are the same."""
    for function in relations.functions:
        yield _allowed(Position("deploy"), Position("code", function), "deploys its code")
        yield _allowed(Position("account"), Position("code", function), "administers the account")
    for element in graph.elements.values():
        if element.kind == "secret":
            yield _allowed(Position("account"), Position("secret", element.id), "administers the account")
        elif element.kind in {"store", "queue"}:
            yield _allowed(Position("account"), Position("read", element.id), "administers the account")
            yield _allowed(Position("account"), Position("write", element.id), "administers the account")
