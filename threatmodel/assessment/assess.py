"""A graph held against a library: which threats apply, what state controls are in, what risk is left, what to ask."""

from __future__ import annotations

import datetime
from collections import Counter
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

from threatmodel.assessment import reliances
from threatmodel.assessment.asks import Ask
from threatmodel.assessment.assessed import VERDICTS, Answer, Assessment, Finding, Group, Question, RuledOut
from threatmodel.assessment.groups import alike
from threatmodel.assessment.invariants import HeldInvariant, held
from threatmodel.assessment.misdirected import is_off, misdirected, unknown_threats
from threatmodel.assessment.outcomes import Outcomes, Situation
from threatmodel.assessment.profiles import PerProfile
from threatmodel.assessment.questions import Questions
from threatmodel.assessment.ranking import distance
from threatmodel.assessment.risk import MOVES, Cell, Weighed, kept_low, weighed
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


class _Looked(NamedTuple):
    """Every threat that applies or may apply, in the graph's order, and those that claims keep from applying."""

    findings: Sequence[Finding]
    denied: Sequence[tuple[Threat, Element | Flow]]


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
        self.profiles = states.profiles
        self.truths = PerProfile[int]()
        self.library_cells = PerProfile[Weighed]()
        self.kept_low = PerProfile[tuple[str, ...]]()
        self.denying = PerProfile[tuple[str, ...]]()
        self.outcomes = Outcomes(graph.system, states.today)
        self.links: dict[str, tuple[tuple[ControlLink, Control, Answer | None], ...]] = {
            threat.id: tuple(self._link(link) for link in threat.links) for threat in library.threats.values()
        }

    def _link(self, link: ControlLink) -> tuple[ControlLink, Control, Answer | None]:
        """A link, its control, and its answer where that is the same for every element: on a plane."""
        control = self.library.controls[link.control]
        plane = control.scope in PLANES
        return link, control, Answer(link, self.states.at(control, control.scope)) if plane else None

    def assessment(self) -> Assessment:
        looked = self._looked()
        findings = sorted((one for one in looked.findings if one.applies), key=_worst_first)
        undecided = [one for one in looked.findings if not one.applies and one.verdict == "undetermined"]
        every = (*findings, *sorted(undecided, key=_worst_first))
        groups = alike(every, self.profiles)
        rules = tuple(held(self.graph, self.library, self.today))
        accepted = {one.id for one in looked.findings if one.verdict == "accepted"}
        return Assessment(
            graph=self.graph,
            library=self.library,
            states=self.states,
            today=self.today,
            findings=every,
            groups=groups,
            ruled_out=tuple(self._ruled_out(looked.denied)),
            questions=self._questions(every, groups),
            needless=tuple(self._needless(findings, accepted)),
            excluded=tuple(sorted(self.excluded)),
            reliances=tuple(self._taken_out(looked, every, groups, accepted, rules)),
            invariants=rules,
        )

    def _looked(self) -> _Looked:
        """Each threat against each element of its kinds."""
        findings: list[Finding] = []
        denied: list[tuple[Threat, Element | Flow]] = []
        by_kind = self._threats_by_kind()
        for target in self.graph.targets():
            if target.out_of_scope:
                continue
            profile, counted = self.profiles.of(target), dict[str, State]()
            for threat in by_kind.get(target.kind, ()):
                truth = self.truths.get((threat.id, profile))
                if truth is None:
                    truth = self.truths[threat.id, profile] = threat.applies[target.kind].truth(target.facts)
                if truth >= 0:
                    findings.append(self._finding(threat, target, truth if target.described else 0, counted))
                elif truth == -STATED:
                    denied.append((threat, target))
        return _Looked(findings, denied)

    def _taken_out(
        self,
        looked: _Looked,
        findings: Sequence[Finding],
        groups: Sequence[Group],
        accepted: Container[str],
        invariants: Sequence[HeldInvariant],
    ) -> Iterator[reliances.Reliance]:
        """What statements take out; `findings` are the possible ones too."""
        system = self.graph.system
        authors = reliances.Authors(system)
        rated = [finding for finding in looked.findings if finding.rated]
        yield from reliances.lowered([one for found in rated for one in self._lowered(found)], authors)
        yield from reliances.tolerated(
            [one.claimed for one in findings if one.applies], self.tolerance, authors.owner, Place(system.file)
        )
        yield from reliances.out_of_scope(self.graph, self._threats_by_kind(), authors)
        ruled = [one for threat, target in looked.denied for one in self._ruled_by_claims(threat, target)]
        yield from reliances.claimed("ruled-out-by-claim", ruled, authors)
        yield from reliances.claimed(
            "lowered-by-claim", [one for found in findings for one in self._kept_low(found)], authors
        )
        left_out = [one for one in looked.findings if not one.applies and one.verdict == "unproven"]
        yield from reliances.not_said([one for found in left_out for one in self._unsaid(found)])
        yield from reliances.meant_public(system, _spared(groups), authors)
        yield from reliances.accepted(one for one in system.acceptances if one.finding in accepted)
        yield from reliances.exempted(invariants)
        yield from reliances.attested(system, _attested(groups))
        yield from (self._excluded(name) for name in sorted(self.excluded))
        yield from reliances.of_library(self.library, _touched(groups))
        yield from reliances.long_terms(system, self.today, authors)

    def _kept_low(self, finding: Finding) -> Iterator[reliances.Claimed]:
        """The facts that are only claimed and keep a finding's numbers below the library's."""
        threat, target = finding.threat, finding.target

        def names() -> tuple[str, ...]:
            return tuple(dict.fromkeys(kept_low(threat, target.kind, target.facts)))

        for name in self.kept_low.once(threat.id, self.profiles.of(target), names):
            fact = target.facts[name].sure
            if fact is not None and fact.said.source != "wiring":
                yield reliances.Claimed(threat.id, target.id, name, fact.said, fact.said.place or target.place)

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

    def _unsaid(self, finding: Finding) -> Iterator[reliances.Unsaid]:
        """What is not stated where a threat may apply and is left out, because claims would keep it low enough."""
        threat, target = finding.threat, finding.target
        readings = threat.applies[target.kind].why(target.facts) if target.described else ()
        for name in dict.fromkeys(leaf.fact for leaf, _ in readings) or ("",):
            yield reliances.Unsaid(threat.id, target.id, name, target.place)

    def _denying(self, threat: Threat, target: Element | Flow) -> tuple[str, ...]:
        """The facts that keep a threat from applying; none where they follow from the kind of wiring alone."""

        def names() -> tuple[str, ...]:
            found = {
                leaf.fact: fact for leaf, fact in threat.applies[target.kind].why(target.facts) if fact is not None
            }
            return tuple(found) if any(fact.said.source != "wiring" for fact in found.values()) else ()

        return self.denying.once(threat.id, self.profiles.of(target), names)

    def _ruled_by_claims(self, threat: Threat, target: Element | Flow) -> Iterator[reliances.Claimed]:
        """The claims that keep a threat from applying."""
        for name in self._denying(threat, target):
            fact = target.facts[name].sure
            if fact is not None and fact.said.source != "wiring" and fact.size == STATED:
                yield reliances.Claimed(threat.id, target.id, name, fact.said, fact.said.place or target.place)

    def _finding(self, threat: Threat, target: Element | Flow, applies: int, counted: dict[str, State]) -> Finding:
        """A threat to an element; `counted` holds the states that count for the element, by control."""
        library = self._weighed(threat, target)
        name = f"{threat.id}@{target.id}"
        inherent, rated = self._inherent(library, target, name)
        counting = self.states.counting
        answers = tuple(
            [
                same
                or Answer(link, counted.get(control.id) or counted.setdefault(control.id, counting(control, target)))
                for link, control, same in self.links[threat.id]
            ]
        )
        acceptance = self.acceptances.get(name)
        situation = Situation(threat, inherent, library.proof, bool(applies), acceptance)
        outcome = self.outcomes.of(situation, tuple([answer.state.counts for answer in answers]))
        return Finding(
            id=name,
            threat=threat,
            target=target,
            applies=applies,
            verdict=outcome.verdict,
            inherent=inherent,
            proof=library.proof,
            claimed=outcome.claimed,
            proven=outcome.proven,
            answers=answers,
            rated=rated,
            acceptance=acceptance,
            likely=bool(applies) or (self.has_signs and distance(target) == 0),
        )

    def _weighed(self, threat: Threat, target: Element | Flow) -> Weighed:
        """The threat's numbers for an element, by the library."""
        key = threat.id, self.profiles.of(target)
        found = self.library_cells.get(key)
        if found is None:
            found = self.library_cells[key] = weighed(threat, target.kind, target.facts)
        return found

    def _lowered(self, finding: Finding) -> Iterator[reliances.Lowered]:
        """Yield the finding where the model makes its inherent cell smaller than the library's."""
        library, cell = self._weighed(finding.threat, finding.target).cell, finding.inherent
        if cell.likelihood < library.likelihood or cell.impact < library.impact:
            rating = self.ratings.get(finding.id)
            place = rating.place if rating is not None else finding.target.place
            yield reliances.Lowered(finding.id, library, cell, "; ".join(finding.rated), place)

    def _inherent(self, library: Weighed, target: Element | Flow, name: str) -> tuple[Cell, tuple[str, ...]]:
        """The risk before controls: the library's for this element, moved by criticality, overridden by a rating."""
        node, rating = target.node, self.ratings.get(name)
        if rating is None and (node is None or node.criticality == "normal"):
            return library.cell, library.reasons
        cell, reasons = library.cell, [*library.reasons]
        if node is not None and node.criticality != "normal":
            impact = min(5, max(1, cell.impact + _CRITICALITY[node.criticality]))
            cell = cell._replace(impact=impact)
            reasons.append(f"criticality {node.criticality}: {node.criticality_reason}")
        if rating is not None:
            cell = Cell(rating.likelihood or cell.likelihood, rating.impact or cell.impact)
            reasons.append(f"rated by the model: {rating.reason}")
        return cell, tuple(reasons)

    def _ruled_out(self, denied: Iterable[tuple[Threat, Element | Flow]]) -> Iterator[RuledOut]:
        """The threats that claims keep from applying; what follows from the kind of wiring claims nothing."""
        ruled: dict[tuple[str, tuple[tuple[str, object], ...]], list[tuple[str, Place | None]]] = {}
        for threat, target in denied:
            if names := self._denying(threat, target):
                sure = [(name, target.facts[name].sure) for name in names]
                key = (threat.id, tuple([(name, fact.value) for name, fact in sure if fact is not None]))
                ruled.setdefault(key, []).append((target.id, target.place))
        for (name, facts), elements in ruled.items():
            yield RuledOut(self.library.threats[name], facts, len(elements), tuple(elements[:3]))

    def _questions(self, findings: Sequence[Finding], groups: Sequence[Group]) -> tuple[Question, ...]:
        """What to ask; first about the findings that may apply."""
        read = self.graph.evidence
        signs = [sign for one in read for sign in one.signs][:_MOST_SIGNS]
        questions = Questions(self.library, signs, [left for one in read for left in one.left_open])
        group_of = {one.id: group for group in groups for one in group.findings}
        for finding in (one for one in findings if not one.applies):
            questions.add([self._exposure_asks(finding)], finding, group_of[finding.id])
        for finding in (one for one in findings if one.applies):
            if finding.verdict == "undetermined":
                questions.add([state.asks for state in self._deciding(finding)], finding, group_of[finding.id])
            if finding.verdict in {"open", "reduced"}:
                questions.add([tuple(self._entry_points(finding))], finding, group_of[finding.id])
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

    def _needless(self, findings: Iterable[Finding], accepted: Container[str]) -> Iterator[tuple[Acceptance, str]]:
        """Acceptances that nothing rests on, with the reason."""
        by_id = {finding.id: finding for finding in findings}
        for name, acceptance in self.acceptances.items():
            finding = by_id.get(name)
            if is_off("threat", acceptance.threat, self.library):
                yield acceptance, "the threat is switched off"
            elif finding is None and name not in accepted:
                yield acceptance, "the threat does not apply, or is within tolerance"
            elif finding is None:
                continue  # accepted whether or not it applies
            elif finding.verdict in {"mitigated", "transferred"}:
                yield acceptance, f"the finding is {finding.verdict}"


def _attested(groups: Iterable[Group]) -> Mapping[str, int]:
    """The findings whose proven risk relies on an attestation, by what is attested."""
    found: Counter[str] = Counter()
    for group in groups:
        for at, answer in enumerate(group.head.answers):
            if answer.state.state == "attested" and answer.state.level >= EVIDENCE and answer.link.effect in MOVES:
                for finding in group.findings:
                    state = finding.answers[at].state
                    found.update((f"{state.control}@{state.element}", state.control))
    return found


def _spared(groups: Iterable[Group]) -> Mapping[str, int]:
    """By element that is meant to be public, the findings for which a control is not asked for on it."""
    spared = (group for group in groups if any(answer.state.unwanted for answer in group.head.answers))
    findings = (finding for group in spared for finding in group.findings)
    return Counter(name for one in findings for name in {a.state.element for a in one.answers if a.state.unwanted})


def _touched(groups: Iterable[Group]) -> Mapping[str, int]:
    """The findings by their threat, and by the controls that answer it."""
    found: Counter[str] = Counter()
    for group in groups:
        found[group.head.threat.id] += len(group.findings)
        for answer in group.head.answers:
            found[answer.link.control] += len(group.findings)
    return found


def in_order(finding: Finding) -> tuple[bool, tuple[int, int, int, str]]:
    """The key that orders findings as an assessment has them: those that apply, then possible ones, worst first."""
    return not finding.applies, _worst_first(finding)


def _worst_first(finding: Finding) -> tuple[int, int, int, str]:
    return VERDICTS.index(finding.verdict), -finding.claimed.score, -finding.inherent.score, finding.id
