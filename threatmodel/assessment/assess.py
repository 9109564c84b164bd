"""A graph held against a library: which threats apply, what state controls are in, what risk is left, what to ask."""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple, get_args

from threatmodel.assessment import word
from threatmodel.assessment.asks import Ask
from threatmodel.assessment.questions import Question, Questions
from threatmodel.assessment.risk import MOVES, STRICTEST, Cell, residual, within
from threatmodel.assessment.states import OPEN_QUESTION, State, States, Support, support_of
from threatmodel.graph.building import Element, Flow, Graph
from threatmodel.library.format import Control, ControlLink, Library, Threat
from threatmodel.model.facts import EVIDENCE, WORD
from threatmodel.model.system import Acceptance, ControlStatement, Rating
from threatmodel.model.vocabulary import PLANES
from threatmodel.reading.problems import InputError, Place, Problem, article, listed, suggestion

Verdict = Literal["open", "undetermined", "reduced", "unproven", "accepted", "transferred", "mitigated"]
VERDICTS: tuple[Verdict, ...] = get_args(Verdict)
"""Verdicts, from what needs work to what needs none."""

_CRITICALITY = {"low": -1, "normal": 0, "high": 1}


class Answer(NamedTuple):
    """A link of a threat to a control, and the state of that control as it counts for the finding."""

    link: ControlLink
    state: State


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """A threat to an element.

    `applies` is its exposure: 2 or 1 where it applies by evidence or word, 0 where that is unknown.  `rated` says in
    words why the inherent cell is not the library's.  `acceptance` is the one that names it, in force or not.
    """

    id: str
    threat: Threat
    target: Element | Flow
    applies: int
    verdict: Verdict
    inherent: Cell
    claimed: Cell
    proven: Cell
    answers: tuple[Answer, ...]
    rated: tuple[str, ...] = ()
    acceptance: Acceptance | None = None

    @property
    def why(self) -> tuple[Support, ...]:
        """The facts that expose the element (empty where every element of its kind is)."""
        facts = self.target.facts
        leaves = self.threat.applies[self.target.kind].why(facts)
        found = (facts.get(leaf.fact) for leaf in leaves)
        pairs = zip(leaves, found, strict=True)
        return tuple(support_of(leaf.fact, fact) for leaf, fact in pairs if fact is not None)


class _Cells(NamedTuple):
    """What is left of a risk under what is claimed, under what is proven, and if every unknown control is in place.

    The proven cell begins at the library's, where the model's own is lower: no word makes it smaller.
    """

    claimed: Cell
    proven: Cell
    hoped: Cell


class RuledOut(NamedTuple):
    """A threat that a claim keeps from applying: the facts that say so, how often, and the first elements."""

    threat: Threat
    facts: tuple[tuple[str, object], ...]
    times: int
    first: tuple[tuple[str, Place | None], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Assessment:
    """What is found: `findings` apply, `possible` ones wait for an answer, worst first in each.

    `taken_out` is what word alone leaves out or makes smaller.
    """

    graph: Graph
    library: Library
    states: States
    today: datetime.date
    findings: tuple[Finding, ...]
    possible: tuple[Finding, ...]
    ruled_out: tuple[RuledOut, ...]
    questions: tuple[Question, ...]
    needless: tuple[tuple[Acceptance, str], ...]
    excluded: tuple[str, ...]
    taken_out: tuple[word.TakenOut, ...]


def assess(graph: Graph, library: Library, today: datetime.date, excluded: Sequence[str] = ()) -> Assessment:
    """The assessment of a graph as of a day, without the threats `excluded`.

    Raises InputError where the model speaks of threats, controls or elements that do not exist.
    """
    if problems := [*_misdirected(graph, library), *unknown_threats(excluded, library)]:
        raise InputError(problems)
    return _Assessing(graph, library, today, frozenset(excluded)).assessment()


class _Assessing:
    """One run of `assess`."""

    def __init__(self, graph: Graph, library: Library, today: datetime.date, excluded: frozenset[str]) -> None:
        self.graph = graph
        self.library = library
        self.today = today
        self.excluded = excluded
        self.states = States(graph, library, today)
        self.tolerance = graph.system.risk_tolerance
        self.acceptances = {f"{a.threat}@{a.element}": a for a in graph.system.acceptances}
        self.ratings = {f"{r.threat}@{r.element}": r for r in graph.system.ratings}
        self.accepted: set[str] = set()
        self.lowered: list[word.Lowered] = []
        self.claims: list[word.Claimed] = []
        self.ruled: dict[tuple[str, tuple[tuple[str, object], ...]], list[tuple[str, Place | None]]] = {}
        self.cells: dict[tuple[str, Cell, tuple[tuple[int, str], ...]], _Cells] = {}
        self.links: dict[str, tuple[tuple[ControlLink, Control, Answer | None], ...]] = {
            threat.id: tuple(self._link(link) for link in threat.links) for threat in library.threats.values()
        }

    def _link(self, link: ControlLink) -> tuple[ControlLink, Control, Answer | None]:
        """A link, its control, and its answer where that is the same for every element: on a plane."""
        control = self.library.controls[link.control]
        plane = control.scope in PLANES
        return link, control, Answer(link, self.states.at(control, control.scope)) if plane else None

    def assessment(self) -> Assessment:
        findings: list[Finding] = []
        possible: list[Finding] = []
        by_kind = self._threats_by_kind()
        for target in self.graph.targets():
            if target.out_of_scope:
                continue
            for threat in by_kind.get(target.kind, ()):
                self._look(threat, target, findings, possible)
        findings.sort(key=_worst_first)
        possible.sort(key=_worst_first)
        return Assessment(
            graph=self.graph,
            library=self.library,
            states=self.states,
            today=self.today,
            findings=tuple(findings),
            possible=tuple(possible),
            ruled_out=tuple(self._ruled_out()),
            questions=self._questions(findings, possible),
            needless=tuple(self._needless(findings)),
            excluded=tuple(sorted(self.excluded)),
            taken_out=tuple(self._taken_out(by_kind, findings)),
        )

    def _taken_out(self, by_kind: Mapping[str, list[Threat]], findings: list[Finding]) -> Iterator[word.TakenOut]:
        system = self.graph.system
        cells = [finding.claimed for finding in findings]
        owner = system.owner or system.file
        yield from word.lowered(self.lowered, owner)
        yield from word.tolerated(cells, self.tolerance, owner, Place(system.file))
        yield from word.out_of_scope(self.graph, by_kind, owner)
        yield from word.ruled_out(self.claims, owner)
        yield from word.of_library(self.library, sorted(self.excluded))
        yield from word.long_terms(system.controls, system.acceptances, self.today)

    def _threats_by_kind(self) -> Mapping[str, list[Threat]]:
        found: dict[str, list[Threat]] = {}
        for threat in self.library.threats.values():
            if threat.id not in self.excluded:
                for kind in threat.targets:
                    found.setdefault(kind, []).append(threat)
        return found

    def _look(self, threat: Threat, target: Element | Flow, findings: list[Finding], possible: list[Finding]) -> None:
        """One threat, one element: it applies, it may apply, or it is ruled out."""
        condition = threat.applies[target.kind]
        truth = condition.truth(target.facts)
        if truth < 0:
            if truth == -WORD:
                self._rule_out(threat, target)
            return
        applies = truth if target.described else 0
        finding = self._finding(threat, target, applies)
        if applies:
            findings.append(finding)
        elif finding.verdict == "undetermined":
            possible.append(finding)
        elif finding.verdict == "accepted":
            self.accepted.add(finding.id)

    def _rule_out(self, threat: Threat, target: Element | Flow) -> None:
        """Notes a threat that claims keep from applying; what follows from the kind of wiring claims nothing."""
        facts = target.facts
        names = dict.fromkeys(leaf.fact for leaf in threat.applies[target.kind].why(facts))
        if any(facts[name].said.source != "wiring" for name in names):
            key = (threat.id, tuple((name, facts[name].value) for name in names))
            self.ruled.setdefault(key, []).append((target.id, target.place))
            self.claims += [
                word.Claimed(threat.id, target.id, name, facts[name].value, facts[name].said.place or target.place)
                for name in names
                if facts[name].said.source != "wiring"
            ]

    def _finding(self, threat: Threat, target: Element | Flow, applies: int) -> Finding:
        name = f"{threat.id}@{target.id}"
        inherent, rated = self._inherent(threat, target, name)
        counting = self.states.counting
        answers = tuple(
            [same or Answer(link, counting(control, target)) for link, control, same in self.links[threat.id]]
        )
        library = Cell(threat.likelihood, threat.impact)
        if inherent.likelihood < library.likelihood or inherent.impact < library.impact:
            self._note_lower(name, target, library, inherent, rated)
        cells = self._cells(threat, inherent, answers)
        acceptance = self.acceptances.get(name)
        verdict = "transferred" if threat.by_provider else self._verdict(applies, inherent, cells, acceptance)
        return Finding(
            id=name,
            threat=threat,
            target=target,
            applies=applies,
            verdict=verdict,
            inherent=inherent,
            claimed=cells.claimed,
            proven=cells.proven,
            answers=answers,
            rated=rated,
            acceptance=acceptance,
        )

    def _note_lower(
        self, name: str, target: Element | Flow, library: Cell, cell: Cell, reasons: tuple[str, ...]
    ) -> None:
        rating = self.ratings.get(name)
        place = rating.place if rating is not None else target.place
        self.lowered.append(word.Lowered(name, library, cell, "; ".join(reasons), place))

    def _inherent(self, threat: Threat, target: Element | Flow, name: str) -> tuple[Cell, tuple[str, ...]]:
        """The risk before controls: the library's, moved by criticality, overridden by a rating."""
        cell, reasons = Cell(threat.likelihood, threat.impact), []
        node = target.node
        if node is not None and node.criticality != "normal":
            impact = min(5, max(1, cell.impact + _CRITICALITY[node.criticality]))
            cell = cell._replace(impact=impact)
            reasons.append(f"criticality {node.criticality}: {node.criticality_reason}")
        rating = self.ratings.get(name)
        if rating is not None:
            cell = Cell(rating.likelihood or cell.likelihood, rating.impact or cell.impact)
            reasons.append(f"rated by the model: {rating.reason}")
        return cell, tuple(reasons)

    def _cells(self, threat: Threat, inherent: Cell, answers: tuple[Answer, ...]) -> _Cells:
        key = (threat.id, inherent, tuple([(a.state.level, a.state.state) for a in answers]))
        found = self.cells.get(key)
        if found is None:
            proof = Cell(max(threat.likelihood, inherent.likelihood), max(threat.impact, inherent.impact))
            found = self.cells[key] = _Cells(
                claimed=residual(inherent, (a.link.effect for a in answers if a.state.level >= WORD)),
                proven=residual(proof, (a.link.effect for a in answers if a.state.level >= EVIDENCE)),
                hoped=residual(inherent, (a.link.effect for a in answers if a.state.level >= WORD or _open(a.state))),
            )
        return found

    def _verdict(self, applies: int, inherent: Cell, cells: _Cells, acceptance: Acceptance | None) -> Verdict:
        """The first verdict that holds."""
        if within(cells.proven, STRICTEST):
            return "mitigated"
        if acceptance is not None and acceptance.expires >= self.today and cells.claimed.score <= acceptance.risk:
            return "accepted"
        if within(cells.claimed, self.tolerance):
            return "unproven"
        if not applies or within(cells.hoped, self.tolerance):
            return "undetermined"
        return "reduced" if cells.claimed.band != inherent.band else "open"

    def _ruled_out(self) -> Iterator[RuledOut]:
        for (threat, facts), elements in self.ruled.items():
            yield RuledOut(self.library.threats[threat], facts, len(elements), tuple(elements[:3]))

    def _questions(self, findings: list[Finding], possible: list[Finding]) -> tuple[Question, ...]:
        questions = Questions(self.library)
        for finding in possible:
            questions.add(self._exposure_asks(finding), finding.id, finding.claimed.score)
        for finding in findings:
            if finding.verdict == "undetermined":
                for state in self._deciding(finding):
                    questions.add(state.asks, finding.id, finding.claimed.score)
        return questions.ranked()

    def _exposure_asks(self, finding: Finding) -> tuple[Ask, ...]:
        target = finding.target
        if not target.described:
            return (Ask("describe", target.kind, target.kind, target.id),)
        return tuple(self.states.asks(target, finding.threat.applies[target.kind]))

    def _deciding(self, finding: Finding) -> list[State]:
        """The unknown controls to ask about first: one that stops the threat if there is one, else all that move it."""
        unknown = [a for a in finding.answers if _open(a.state) and a.link.effect in MOVES]
        stopping = [a.state for a in unknown if a.link.effect == "stops"]
        return stopping or [a.state for a in unknown]

    def _needless(self, findings: list[Finding]) -> Iterator[tuple[Acceptance, str]]:
        """Acceptances that nothing rests on, with the reason."""
        by_id = {finding.id: finding for finding in findings}
        for name, acceptance in self.acceptances.items():
            finding = by_id.get(name)
            if _is_off("threat", acceptance.threat, self.library):
                yield acceptance, "the threat is switched off"
            elif finding is None and name not in self.accepted:
                yield acceptance, "the threat does not apply, or is within tolerance"
            elif finding is None:
                continue  # accepted whether or not it applies
            elif finding.verdict in {"mitigated", "transferred"}:
                yield acceptance, f"the finding is {finding.verdict}"


def _open(state: State) -> bool:
    return state.state in OPEN_QUESTION


def _worst_first(finding: Finding) -> tuple[int, int, int, str]:
    return VERDICTS.index(finding.verdict), -finding.claimed.score, -finding.inherent.score, finding.id


# --- what a model may speak of


def _misdirected(graph: Graph, library: Library) -> Iterator[Problem]:
    """Statements, acceptances and ratings that name what does not exist."""
    for statement in graph.system.controls:
        yield from _misdirected_statement(statement, graph, library)
    named: list[Acceptance | Rating] = [*graph.system.acceptances, *graph.system.ratings]
    for item in named:
        threat = library.threats.get(item.threat)
        if threat is None and not _is_off("threat", item.threat, library):
            hint = suggestion(item.threat, library.threats) or "tm.py --list shows every threat"
            yield Problem(
                code="unknown-threat", place=item.place, message=f"there is no threat '{item.threat}'", hint=hint
            )
        element = _element(graph, item.element)
        if element is None:
            yield _no_element(graph, item.element, item.place)
        elif threat is not None and element.kind not in threat.targets:
            message = f"'{item.threat}' is no threat to {article(element.kind or 'party')}: '{item.element}'"
            hint = f"its targets: {listed(threat.targets)}"
            yield Problem(code="wrong-kind", place=item.place, message=message, hint=hint)


def _misdirected_statement(statement: ControlStatement, graph: Graph, library: Library) -> Iterator[Problem]:
    control = library.controls.get(statement.control)
    if control is None:
        if _is_off("control", statement.control, library):
            return
        hint = suggestion(statement.control, library.controls)
        message = f"there is no control '{statement.control}'"
        yield Problem(code="unknown-control", place=statement.place, message=message, hint=hint)
    elif not statement.element and control.scope in PLANES:
        return
    elif not statement.element:
        message = f"'{control.id}' lives on each {control.scope}, and this statement names none"
        hint = f"write {control.id}@{control.scope}-id"
        yield Problem(code="no-element", place=statement.place, message=message, hint=hint)
    elif (element := _element(graph, statement.element)) is None:
        yield _no_element(graph, statement.element, statement.place)
    elif element.kind != control.scope:
        kind = article(element.kind or "party")
        message = f"'{control.id}' lives on {article(control.scope)}, but '{element.id}' is {kind}"
        yield Problem(code="wrong-kind", place=statement.place, message=message)


def _is_off(part: str, name: str, library: Library) -> bool:
    """Whether a team's library switches something off: then what a model says of it is needless, not wrong."""
    return any((off.part, off.id) == (part, name) for off in library.off)


def _element(graph: Graph, name: str) -> Element | Flow | None:
    return graph.elements.get(name) or graph.flows.get(name)


def _no_element(graph: Graph, name: str, place: Place) -> Problem:
    hint = suggestion(name, [target.id for target in graph.targets()])
    return Problem(code="unknown-element", place=place, message=f"there is no element '{name}'", hint=hint)


def unknown_threats(excluded: Sequence[str], library: Library) -> Iterator[Problem]:
    """A problem for each id that is no threat of the library."""
    for name in excluded:
        if name not in library.threats:
            hint = suggestion(name, library.threats) or "tm.py --list shows every threat"
            place = Place("--exclude")
            yield Problem(code="unknown-threat", place=place, message=f"there is no threat '{name}'", hint=hint)
