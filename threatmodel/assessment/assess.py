"""A graph held against a library: which threats apply, what state controls are in, what risk is left, what to ask."""

from __future__ import annotations

import datetime
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

from threatmodel.assessment import reliances
from threatmodel.assessment.asks import Ask
from threatmodel.assessment.assessed import VERDICTS, Answer, Assessment, Finding, Question, RuledOut, Verdict
from threatmodel.assessment.groups import Group
from threatmodel.assessment.invariants import HeldInvariant, held
from threatmodel.assessment.misdirected import is_off, misdirected, unknown_threats
from threatmodel.assessment.questions import Questions
from threatmodel.assessment.ranking import distance
from threatmodel.assessment.risk import MOVES, STRICTEST, Cell, Weighed, kept_low, residual, weighed, within
from threatmodel.assessment.states import Assumed, State, States
from threatmodel.graph.building import Element, Flow, Graph
from threatmodel.library.current import current_system
from threatmodel.library.entries import Control, ControlLink, Library, Threat
from threatmodel.model.facts import EVIDENCE, STATED
from threatmodel.model.system import OPEN_TO_ALL, Acceptance
from threatmodel.model.vocabulary import PLANES
from threatmodel.reading.problems import InputError, Place
from threatmodel.reading.values import replace

_CRITICALITY = {"low": -1, "normal": 0, "high": 1}

_MOST_SIGNS = 4
"""Signs of Slack that the question for callers names."""


class _Cells(NamedTuple):
    """What is left of a risk under what is claimed, under what is proven, and if every unknown control is in place.

    The proven cell begins at the library's, where the model's own is lower: no word makes it smaller.
    """

    claimed: Cell
    proven: Cell
    hoped: Cell


def assess(
    graph: Graph,
    library: Library,
    today: datetime.date,
    excluded: Sequence[str] = (),
    assumed: Assumed = MappingProxyType({}),
) -> Assessment:
    """The assessment of a graph as of a day, without the threats `excluded`, as if `assumed` were so.

    Raises InputError where the model speaks of threats, controls or elements that do not exist.
    """
    system, renamed = current_system(graph.system, library)
    graph = replace(graph, system=system) if renamed else graph
    excluded = [library.former.threats.get(name, name) for name in excluded]
    if problems := [*misdirected(graph, library), *unknown_threats(excluded, library)]:
        raise InputError(problems)
    found = _Assessing(States(graph, library, today, assumed), frozenset(excluded)).assessment()
    return replace(found, renamed=renamed) if renamed else found


class Reconsidered(NamedTuple):
    """Findings that are alike, and would be under other states of their controls: the first, as it is and then; all."""

    before: Finding
    after: Finding
    findings: tuple[Finding, ...]


def reconsidered(assessment: Assessment, assumed: Assumed, groups: Iterable[Group]) -> Iterator[Reconsidered]:
    """The findings that controls answer which are taken to be in place, or gone; `groups` are the assessment's."""
    states, touched = assessment.states.assuming(assumed)
    run = _Assessing(states, frozenset(assessment.excluded))
    places = {threat.id: _places(threat, touched) for threat in run.library.threats.values()}
    for group in groups:
        if at := places[group.head.threat.id]:
            yield from _reconsidered(run, group, at)


def _reconsidered(run: _Assessing, group: Group, places: Sequence[int]) -> Iterator[Reconsidered]:
    """A group as it would be: the findings whose answers at these places come into the same states, together."""
    links = [group.head.answers[place].link for place in places]
    controls = [run.library.controls[link.control] for link in links]
    found: dict[tuple[tuple[int, bool], ...], tuple[list[State], list[Finding]]] = {}
    of_planes = all(control.scope in PLANES for control in controls)  # of which there is one, whatever the element
    for finding in group.findings[:1] if of_planes else group.findings:
        states = [run.states.counting(control, finding.target) for control in controls]
        levels = tuple([(state.level, state.is_open) for state in states])
        found.setdefault(levels, (states, []))[1].append(finding)
    for states, some in found.values():
        alike = group.findings if of_planes else some
        answers = [*alike[0].answers]
        for place, link, state in zip(places, links, states, strict=True):
            answers[place] = Answer(link, state)
        yield Reconsidered(alike[0], run.again(alike[0], tuple(answers)), tuple(alike))


def _places(threat: Threat, touched: frozenset[str]) -> tuple[int, ...]:
    """Which of a threat's answers are those of these controls."""
    return tuple(at for at, link in enumerate(threat.links) if link.control in touched)


class _Assessing:
    """One run of `assess`."""

    def __init__(self, states: States, excluded: frozenset[str]) -> None:
        self.states = states
        self.graph = graph = states.graph
        self.library = library = states.library
        self.today = states.today
        self.excluded = excluded
        self.has_signs = any(read.signs for read in graph.evidence)
        self.tolerance = graph.system.risk_tolerance
        self.acceptances = {f"{a.threat}@{a.element}": a for a in graph.system.acceptances}
        self.ratings = {f"{r.threat}@{r.element}": r for r in graph.system.ratings}
        self.accepted: set[str] = set()
        self.lowered: list[reliances.Lowered] = []
        self.claims: list[reliances.Claimed] = []
        self.unsaid: list[reliances.Unsaid] = []
        self.ruled: dict[tuple[str, tuple[tuple[str, object], ...]], list[tuple[str, Place | None]]] = {}
        self.cells: dict[tuple[str, Cell, Cell, tuple[tuple[int, bool], ...]], _Cells] = {}
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
        rules = tuple(held(self.graph, self.library, self.today))
        return Assessment(
            graph=self.graph,
            library=self.library,
            states=self.states,
            today=self.today,
            findings=(*findings, *possible),
            ruled_out=tuple(self._ruled_out()),
            questions=self._questions(findings, possible),
            needless=tuple(self._needless(findings)),
            excluded=tuple(sorted(self.excluded)),
            reliances=tuple(self._taken_out(by_kind, [*findings, *possible], rules)),
            invariants=rules,
        )

    def _taken_out(
        self, by_kind: Mapping[str, list[Threat]], findings: Sequence[Finding], invariants: Sequence[HeldInvariant]
    ) -> Iterator[reliances.Reliance]:
        """What word takes out; `findings` are the possible ones too."""
        system = self.graph.system
        authors = reliances.Authors(system)
        applying = [finding for finding in findings if finding.applies]
        yield from reliances.lowered(self.lowered, authors)
        yield from reliances.tolerated(
            [one.claimed for one in applying], self.tolerance, authors.owner, Place(system.file)
        )
        yield from reliances.out_of_scope(self.graph, by_kind, authors)
        yield from reliances.claimed("ruled-out-by-claim", self.claims, authors)
        yield from reliances.claimed(
            "lowered-by-claim", [one for found in findings for one in self._kept_low(found)], authors
        )
        yield from reliances.not_said(self.unsaid)
        yield from reliances.meant_public(system, _spared(findings), authors)
        yield from reliances.accepted(one for one in system.acceptances if one.finding in self.accepted)
        yield from reliances.exempted(invariants)
        yield from reliances.attested(system, _attested(findings))
        yield from (self._excluded(name) for name in sorted(self.excluded))
        yield from reliances.of_library(self.library, _touched(findings))
        yield from reliances.long_terms(system, self.today, authors)

    def _kept_low(self, finding: Finding) -> Iterator[reliances.Claimed]:
        """The facts that are only claimed and keep a finding's numbers below the library's."""
        target = finding.target
        for name in dict.fromkeys(kept_low(finding.threat, target.kind, target.facts)):
            said = target.facts[name].said
            if said.source != "wiring":
                yield reliances.Claimed(finding.threat.id, target.id, name, said, said.place or target.place)

    def _excluded(self, name: str) -> reliances.Reliance:
        threat = self.library.threats[name]
        count = sum(reliances.may_apply(threat, one) for one in self.graph.targets() if not one.out_of_scope)
        return reliances.Reliance("excluded", name, count, "--exclude", "", None)

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
            if truth == -STATED:
                self._rule_out(threat, target)
            return
        applies = truth if target.described else 0
        finding = self._finding(threat, target, applies)
        if finding.verdict == "accepted":
            self.accepted.add(finding.id)
        if applies:
            findings.append(finding)
        elif finding.verdict == "undetermined":
            possible.append(finding)
        elif finding.verdict == "unproven":
            self._note_unsaid(threat, target)

    def _note_unsaid(self, threat: Threat, target: Element | Flow) -> None:
        """Notes a threat that may apply and is not looked at, since claims would keep it low enough."""
        leaves = threat.applies[target.kind].why(target.facts) if target.described else ()
        for name in dict.fromkeys(leaf.fact for leaf in leaves) or ("",):
            self.unsaid.append(reliances.Unsaid(threat.id, target.id, name, target.place))

    def _rule_out(self, threat: Threat, target: Element | Flow) -> None:
        """Notes a threat that claims keep from applying; what follows from the kind of wiring claims nothing."""
        facts = target.facts
        names = dict.fromkeys(leaf.fact for leaf in threat.applies[target.kind].why(facts))
        if any(facts[name].said.source != "wiring" for name in names):
            key = (threat.id, tuple((name, facts[name].value) for name in names))
            self.ruled.setdefault(key, []).append((target.id, target.place))
            self.claims += [
                reliances.Claimed(threat.id, target.id, name, facts[name].said, facts[name].said.place or target.place)
                for name in names
                if facts[name].said.source != "wiring" and facts[name].size == STATED
            ]

    def _finding(self, threat: Threat, target: Element | Flow, applies: int) -> Finding:
        name = f"{threat.id}@{target.id}"
        library = weighed(threat, target.kind, target.facts)
        inherent, rated = self._inherent(library, target, name)
        counting = self.states.counting
        answers = tuple(
            [same or Answer(link, counting(control, target)) for link, control, same in self.links[threat.id]]
        )
        if inherent.likelihood < library.cell.likelihood or inherent.impact < library.cell.impact:
            self._note_lower(name, target, library.cell, inherent, rated)
        return self._answered(threat, target, applies, inherent, library.proof, rated, answers)

    def again(self, finding: Finding, answers: tuple[Answer, ...]) -> Finding:
        """A finding under other states of its controls."""
        one = finding
        return self._answered(one.threat, one.target, one.applies, one.inherent, one.proof, one.rated, answers)

    def _answered(  # noqa: PLR0913, PLR0917 - what a finding is made of
        self,
        threat: Threat,
        target: Element | Flow,
        applies: int,
        inherent: Cell,
        proof: Cell,
        rated: tuple[str, ...],
        answers: tuple[Answer, ...],
    ) -> Finding:
        """A finding with what its controls leave of it."""
        cells = self._cells(threat, inherent, proof, answers)
        name = f"{threat.id}@{target.id}"
        acceptance = self.acceptances.get(name)
        verdict = "transferred" if threat.by_provider else self._verdict(applies, inherent, cells, acceptance)
        return Finding(
            id=name,
            threat=threat,
            target=target,
            applies=applies,
            verdict=verdict,
            inherent=inherent,
            proof=proof,
            claimed=cells.claimed,
            proven=cells.proven,
            answers=answers,
            rated=rated,
            acceptance=acceptance,
            likely=bool(applies) or (self.has_signs and distance(target) == 0),
        )

    def _note_lower(
        self, name: str, target: Element | Flow, library: Cell, cell: Cell, reasons: tuple[str, ...]
    ) -> None:
        rating = self.ratings.get(name)
        place = rating.place if rating is not None else target.place
        self.lowered.append(reliances.Lowered(name, library, cell, "; ".join(reasons), place))

    def _inherent(self, library: Weighed, target: Element | Flow, name: str) -> tuple[Cell, tuple[str, ...]]:
        """The risk before controls: the library's for this element, moved by criticality, overridden by a rating."""
        cell, reasons = library.cell, [*library.reasons]
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

    def _cells(self, threat: Threat, inherent: Cell, library: Cell, answers: tuple[Answer, ...]) -> _Cells:
        key = (threat.id, inherent, library, tuple([(a.state.level, a.state.is_open) for a in answers]))
        found = self.cells.get(key)
        if found is None:
            proof = Cell(max(library.likelihood, inherent.likelihood), max(library.impact, inherent.impact))
            found = self.cells[key] = _Cells(
                claimed=residual(inherent, (a.link.effect for a in answers if a.state.level >= STATED)),
                proven=residual(proof, (a.link.effect for a in answers if a.state.level >= EVIDENCE)),
                hoped=residual(
                    inherent, (a.link.effect for a in answers if a.state.level >= STATED or a.state.is_open)
                ),
            )
        return found

    def _verdict(self, applies: int, inherent: Cell, cells: _Cells, acceptance: Acceptance | None) -> Verdict:
        """The first verdict that holds."""
        if within(cells.proven, STRICTEST):
            return "mitigated"
        if acceptance is not None and self._is_in_force(acceptance) and cells.claimed.score <= acceptance.risk:
            return "accepted"
        if within(cells.claimed, self.tolerance):
            return "unproven"
        if not applies or within(cells.hoped, self.tolerance):
            return "undetermined"
        return "reduced" if cells.claimed.band != inherent.band else "open"

    def _is_in_force(self, acceptance: Acceptance) -> bool:
        return self.graph.system.longest_terms.is_in_force(acceptance.expires, self.today)

    def _ruled_out(self) -> Iterator[RuledOut]:
        for (threat, facts), elements in self.ruled.items():
            yield RuledOut(self.library.threats[threat], facts, len(elements), tuple(elements[:3]))

    def _questions(self, findings: list[Finding], possible: list[Finding]) -> tuple[Question, ...]:
        questions = Questions(self.library, [sign for read in self.graph.evidence for sign in read.signs][:_MOST_SIGNS])
        for finding in possible:
            questions.add([self._exposure_asks(finding)], finding)
        for finding in findings:
            if finding.verdict == "undetermined":
                questions.add([state.asks for state in self._deciding(finding)], finding)
            if finding.verdict in {"open", "reduced"}:
                questions.add([tuple(self._entry_points(finding))], finding)
        return questions.ranked()

    def _entry_points(self, finding: Finding) -> Iterator[Ask]:
        """Ask whether an element is meant to be public, where no control restricts access and it is not stated."""
        for answer in finding.answers:
            state, control = answer.state, self.library.controls[answer.link.control]
            if control.keeps_out and state.level < 0 and state.is_missing and answer.link.effect in MOVES:
                node = self.graph.elements[state.element].node
                if node is not None and node.kind in OPEN_TO_ALL and not node.public:
                    yield Ask("public", node.kind, "public", state.element)

    def _exposure_asks(self, finding: Finding) -> tuple[Ask, ...]:
        target = finding.target
        if not target.described:
            return (Ask("describe", target.kind, target.kind, target.id),)
        return tuple(self.states.asks(target, finding.threat.applies[target.kind]))

    def _deciding(self, finding: Finding) -> list[State]:
        """The unknown controls to ask about first: one that stops the threat if there is one, else all that move it."""
        unknown = [a for a in finding.answers if a.state.is_open and a.link.effect in MOVES]
        stopping = [a.state for a in unknown if a.link.effect == "stops"]
        return stopping or [a.state for a in unknown]

    def _needless(self, findings: list[Finding]) -> Iterator[tuple[Acceptance, str]]:
        """Acceptances that nothing rests on, with the reason."""
        by_id = {finding.id: finding for finding in findings}
        for name, acceptance in self.acceptances.items():
            finding = by_id.get(name)
            if is_off("threat", acceptance.threat, self.library):
                yield acceptance, "the threat is switched off"
            elif finding is None and name not in self.accepted:
                yield acceptance, "the threat does not apply, or is within tolerance"
            elif finding is None:
                continue  # accepted whether or not it applies
            elif finding.verdict in {"mitigated", "transferred"}:
                yield acceptance, f"the finding is {finding.verdict}"


def _attested(findings: Sequence[Finding]) -> Mapping[str, int]:
    """The findings whose proven risk relies on an attestation, by what is attested."""
    return Counter(
        name
        for finding in findings
        for answer in finding.answers
        if answer.state.state == "attested" and answer.state.level >= EVIDENCE and answer.link.effect in MOVES
        for name in (f"{answer.state.control}@{answer.state.element}", answer.state.control)
    )


def _spared(findings: Sequence[Finding]) -> Mapping[str, int]:
    """By element that is meant to be public, the findings for which a control is not asked for on it."""
    return Counter(name for one in findings for name in {a.state.element for a in one.answers if a.state.unwanted})


def _touched(findings: Sequence[Finding]) -> Mapping[str, int]:
    """The findings by their threat, and by the controls that answer it."""
    return Counter(
        name for finding in findings for name in (finding.threat.id, *(one.link.control for one in finding.answers))
    )


def in_order(finding: Finding) -> tuple[bool, tuple[int, int, int, str]]:
    """The key that orders findings as an assessment has them: those that apply, then possible ones, worst first."""
    return not finding.applies, _worst_first(finding)


def _worst_first(finding: Finding) -> tuple[int, int, int, str]:
    return VERDICTS.index(finding.verdict), -finding.claimed.score, -finding.inherent.score, finding.id
