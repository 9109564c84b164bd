"""A graph held against a library: which threats apply, what state controls are in, what risk is left, what to ask."""

from __future__ import annotations

import datetime
from collections import Counter
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from heapq import nsmallest
from types import MappingProxyType
from typing import NamedTuple

from threatmodel.assessment import reliances
from threatmodel.assessment.asks import Ask
from threatmodel.assessment.assessed import Assessment, Finding, Group, Question, RuledOut
from threatmodel.assessment.control_state import State, shown_value
from threatmodel.assessment.groups import alike, in_order
from threatmodel.assessment.invariants import HeldInvariant, held
from threatmodel.assessment.misdirected import is_off, misdirected, unknown_threats
from threatmodel.assessment.outcomes import Outcomes, Situation
from threatmodel.assessment.questions import Questions
from threatmodel.assessment.ranking import distance
from threatmodel.assessment.risk import MOVES, Cell, Weighed, kept_low, weighed
from threatmodel.assessment.states import Assumed, States
from threatmodel.graph.building import Element, Flow, Graph
from threatmodel.graph.resolved import premise_of
from threatmodel.library.current import current_system
from threatmodel.library.entries import Library, Threat
from threatmodel.model.facts import EVIDENCE, STATED
from threatmodel.model.system import OPEN_TO_ALL, Acceptance, Exclusion, System
from threatmodel.reading.problems import InputError, Place
from threatmodel.reading.values import new_tuple, replace

_CRITICALITY = {"low": -1, "normal": 0, "high": 1}

_FIRST = 3
"""Elements that are named of those on which a claim rules a threat out."""


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
    left_out = _excluded(graph.system, library, today, excluded)
    if problems := [*misdirected(graph, library), *unknown_threats(left_out, library)]:
        raise InputError(problems)
    found = _Assessing(States(graph, library, today, assumed), left_out).assessment()
    return replace(found, renamed=renamed) if renamed else found


def _excluded(
    system: System, library: Library, today: datetime.date, named: Sequence[str]
) -> Mapping[str, Exclusion | None]:
    """Return the threats that are not looked for, each with the exclusion that counts today; None for a `named` one."""
    current = library.former.threats
    held = (one for one in system.exclusions if system.longest_terms.is_in_force(one.expires, today))
    known: dict[str, Exclusion | None] = {current.get(one.threat, one.threat): one for one in held}
    return known | {current.get(name, name): None for name in named}


class _Looked(NamedTuple):
    """Every threat that applies or may apply, and those that claims keep from applying, a tuple of twins each."""

    findings: Sequence[tuple[Finding, ...]]
    denied: Sequence[tuple[Threat, Sequence[Element | Flow]]]


class _Assessing:
    """One run of `assess`."""

    def __init__(self, states: States, excluded: Mapping[str, Exclusion | None]) -> None:
        self.states = states
        self.graph = graph = states.graph
        self.library = library = states.library
        self.today = states.today
        self.excluded = excluded
        self.has_signs = any(read.signs for read in graph.evidence)
        self.tolerance = graph.system.risk_tolerance
        self.acceptances = {f"{a.threat}@{a.element}": a for a in graph.system.acceptances}
        self.ratings = {f"{r.threat}@{r.element}": r for r in graph.system.ratings}
        self.twins = states.twins
        self.outcomes = Outcomes(graph.system, states.today)
        self.by_kind: dict[str, list[Threat]] = {}
        for threat in library.threats.values():
            if threat.id not in excluded:
                for kind in threat.targets:
                    self.by_kind.setdefault(kind, []).append(threat)

    def assessment(self) -> Assessment:
        looked = self._looked()
        groups = alike(some for some in looked.findings if some[0].applies or some[0].verdict == "undetermined")
        findings = in_order(groups)
        rules = tuple(held(self.graph, self.library, self.today))
        accepted = {one.id for some in looked.findings if some[0].verdict == "accepted" for one in some}
        return Assessment(
            graph=self.graph,
            library=self.library,
            states=self.states,
            today=self.today,
            findings=findings,
            groups=groups,
            ruled_out=tuple(self._ruled_out(looked.denied)),
            questions=self._questions(findings, groups),
            needless=tuple(self._needless((one for one in findings if one.applies), accepted)),
            excluded=tuple(sorted(self.excluded)),
            reliances=tuple(self._taken_out(looked, groups, accepted, rules)),
            invariants=rules,
        )

    def _looked(self) -> _Looked:
        """Each threat against each element of its kinds; what twins have in common is computed for the first."""
        findings: list[tuple[Finding, ...]] = []
        denied: list[tuple[Threat, Sequence[Element | Flow]]] = []
        for threat in self.library.threats.values():
            for kind in threat.targets if threat.id not in self.excluded else ():
                condition = threat.applies[kind]
                for targets in self.twins.of(threat, kind):
                    truth = condition.truth(targets[0].facts)
                    if truth >= 0:
                        findings.append(
                            self._findings(threat, targets, truth if self._is_shown(threat, targets[0]) else 0)
                        )
                    elif truth == -STATED:
                        denied.append((threat, targets))
        return _Looked(findings, denied)

    def _is_shown(self, threat: Threat, target: Element | Flow) -> bool:
        """Whether a threat surely concerns its target: a plane that no model describes, only where files show it.

        They show what the threat depends on, or that a control which would stop it is missing.
        """
        if target.described or threat.applies[target.kind].facts:
            return True
        stopping = [link.control for link in threat.links if link.effect == "stops"] if target.facts else []
        controls = [self.library.controls[name] for name in stopping]
        return any(self.states.at(one, target.id).level < 0 for one in controls if one.scope == target.kind)

    def _taken_out(
        self,
        looked: _Looked,
        groups: Sequence[Group],
        accepted: Container[str],
        invariants: Sequence[HeldInvariant],
    ) -> Iterator[reliances.Reliance]:
        """What statements take out."""
        system = self.graph.system
        authors = reliances.Authors(system)
        rated = [finding for some in looked.findings if some[0].rated for finding in some]
        yield from reliances.lowered([one for found in rated for one in self._lowered(found)], authors)
        yield from reliances.tolerated(
            ((group.head.claimed, len(group.findings)) for group in groups if group.head.applies),
            self.tolerance,
            authors.owner,
            Place(system.file),
        )
        yield from reliances.out_of_scope(self.graph, self.by_kind, authors)
        ruled = ((threat, targets, self._denying(threat, targets[0])) for threat, targets in looked.denied)
        yield from reliances.claimed("ruled-out-by-claim", self._claims(ruled, STATED), authors)
        low = (
            (one.threat, [finding.target for finding in some], kept_low(one.threat, one.target.kind, one.target.facts))
            for group in groups
            for some in group.twins
            for one in some[:1]
        )
        yield from reliances.claimed("lowered-by-claim", self._claims(low), authors)
        left_out = [some for some in looked.findings if not some[0].applies and some[0].verdict == "unproven"]
        yield from reliances.not_said([one for some in left_out for one in self._unsaid(some)])
        yield from reliances.meant_public(system, _spared(groups), authors)
        yield from reliances.accepted(one for one in system.acceptances if one.finding in accepted)
        yield from reliances.exempted(invariants)
        yield from reliances.attested(system, _attested(groups))
        yield from (self._excluded(name) for name in sorted(self.excluded))
        yield from reliances.of_library(self.library, _touched(groups))
        yield from reliances.long_terms(system, self.today, authors)

    def _claims(
        self, found: Iterable[tuple[Threat, Sequence[Element | Flow], Iterable[str]]], least: int = 0
    ) -> reliances.Claims:
        """The claims about these facts, each with all threats that it keeps from an element or keeps low on it.

        `least`: only facts that are exactly as well known.
        """
        threats_of: dict[str, tuple[Element | Flow, dict[str, dict[str, None]]]] = {}
        for threat, targets, names in found:
            for name in names:
                for target in targets:
                    _, of_target = threats_of.setdefault(target.id, (target, {}))
                    of_target.setdefault(name, {})[threat.id] = None
        claims: dict[tuple[str, str, Place | None], list[reliances.Claim]] = {}
        for target, by_fact in sorted(threats_of.values(), key=lambda one: self.twins.place[one[0].id]):
            for name, threats in by_fact.items():
                fact = target.facts[name].sure
                if fact is not None and fact.said.source != "wiring" and (not least or fact.size == least):
                    key = name, shown_value(fact.said.value), fact.said.place or target.place
                    claims.setdefault(key, []).append(reliances.Claim(target.id, fact.said, threats))
        return claims

    def _excluded(self, name: str) -> reliances.Reliance:
        threat = self.library.threats[name]
        count = sum(reliances.may_apply(threat, one) for one in self.graph.targets() if not one.out_of_scope)
        by = self.excluded[name]
        if by is None:
            return reliances.Reliance("excluded", name, count, "--exclude", "", None)
        return reliances.Reliance("excluded", name, count, self.graph.system.reached(by.owner), by.reason, by.place)

    def _unsaid(self, found: Sequence[Finding]) -> Iterator[reliances.Unsaid]:
        """What is not stated where a threat may apply and is left out, because claims would keep it low enough."""
        threat, first = found[0].threat, found[0].target
        readings = threat.applies[first.kind].why(first.facts) if first.described else ()
        names = dict.fromkeys(leaf.fact for leaf, _ in readings) or ("",)
        for finding in found:
            for name in names:
                yield reliances.Unsaid(threat.id, finding.target.id, name, finding.target.place)

    def _denying(self, threat: Threat, target: Element | Flow) -> tuple[str, ...]:
        """The facts that keep a threat from applying; none where they follow from the kind of wiring alone."""
        readings = threat.applies[target.kind].why(target.facts)
        named = ((premise_of(target.kind, leaf.fact, target.facts), fact) for leaf, fact in readings)
        found = {name: fact for name, fact in named if fact is not None}
        return tuple(found) if any(fact.said.source != "wiring" for fact in found.values()) else ()

    def _findings(self, threat: Threat, targets: Sequence[Element | Flow], applies: int) -> tuple[Finding, ...]:
        """A threat to twins."""
        first = targets[0]
        library = weighed(threat, first.kind, first.facts)
        name = f"{threat.id}@{first.id}"
        inherent, rated = self._inherent(library, first, name)
        acceptance = self.acceptances.get(name)
        situation = Situation(threat, inherent, library.proof, bool(applies), acceptance)
        counts = tuple([answer.state.counts for answer in self.states.answers(threat, first)])
        outcome = self.outcomes.of(situation, counts)
        likely = bool(applies) or (self.has_signs and distance(first) == 0)
        cells = outcome.verdict, inherent, library.proof, outcome.claimed, outcome.proven
        rest = applies, *cells, rated, acceptance, likely, self.states
        prefix = f"{threat.id}@"
        return tuple([new_tuple(Finding, (prefix + target.id, threat, target, *rest)) for target in targets])

    def _lowered(self, finding: Finding) -> Iterator[reliances.Lowered]:
        """Yield the finding where the model makes its inherent cell smaller than the library's."""
        target, cell = finding.target, finding.inherent
        library = weighed(finding.threat, target.kind, target.facts).cell
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

    def _ruled_out(self, denied: Iterable[tuple[Threat, Sequence[Element | Flow]]]) -> Iterator[RuledOut]:
        """The threats that claims keep from applying; what follows from the kind of wiring claims nothing."""
        ruled: dict[tuple[str, tuple[tuple[str, object], ...]], list[Element | Flow]] = {}
        for threat, targets in denied:
            facts = targets[0].facts
            if names := self._denying(threat, targets[0]):
                sure = [(name, facts[name].sure) for name in names]
                key = (threat.id, tuple([(name, fact.value) for name, fact in sure if fact is not None]))
                ruled.setdefault(key, []).extend(targets)
        for (name, values), found in ruled.items():
            first = nsmallest(_FIRST, found, key=lambda target: self.twins.place[target.id])
            yield RuledOut(self.library.threats[name], values, len(found), tuple((one.id, one.place) for one in first))

    def _questions(self, findings: Sequence[Finding], groups: Sequence[Group]) -> tuple[Question, ...]:
        """What to ask; first about the findings that may apply."""
        questions = Questions(self.graph, self.library, self.twins.place)
        for group in groups:
            head = group.head
            if not head.applies:
                questions.add(group, lambda finding: [self._exposure_asks(finding)])
            elif head.verdict == "undetermined":
                questions.add(group, lambda finding: [state.asks for state in self._deciding(finding)])
            elif head.verdict in {"open", "reduced"}:
                questions.add(group, lambda finding: [tuple(self._entry_points(finding))])
        return questions.ranked(findings)

    def _entry_points(self, finding: Finding) -> Iterator[Ask]:
        """Ask whether an element is meant to be public, where no control restricts access and it is not stated."""
        for answer in finding.answers:
            state, control = answer.state, self.library.controls[answer.link.control]
            if control.keeps_out and state.level < 0 and answer.is_missing and answer.link.effect in MOVES:
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
        by_id = {finding.id: finding for finding in findings} if self.acceptances else {}
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
