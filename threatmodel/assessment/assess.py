"""A graph held against a library: which threats apply, what state controls are in, what risk is left, what to ask."""

from __future__ import annotations

import datetime
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from types import MappingProxyType

from threatmodel.assessment.asks import Ask
from threatmodel.assessment.assessed import Assessment, Finding, Group, Looked, Question
from threatmodel.assessment.causes import alike, in_order
from threatmodel.assessment.control_state import State
from threatmodel.assessment.invariants import held
from threatmodel.assessment.misdirected import is_off, misdirected, unknown_threats
from threatmodel.assessment.outcomes import Outcomes, Situation
from threatmodel.assessment.questions import Questions
from threatmodel.assessment.ranking import distance
from threatmodel.assessment.reliances import Reliances
from threatmodel.assessment.risk import MOVES, Cell, Weighed, weighed
from threatmodel.assessment.states import Assumed, States
from threatmodel.graph.building import Element, Flow, Graph
from threatmodel.library.current import current_system
from threatmodel.library.entries import Library, Threat
from threatmodel.model.facts import STATED
from threatmodel.model.system import OPEN_TO_ALL, Acceptance, Exclusion, System
from threatmodel.reading.grouping import grouped
from threatmodel.reading.problems import InputError
from threatmodel.reading.values import new_tuple, replace

_CRITICALITY = {"low": -1, "normal": 0, "high": 1}

_AT_STAKE = frozenset(("data_classification", "uses_aws", "role_over_privileged"))
"""Facts of what an attacker gets: unknown, they are no reason to keep back a hole that evidence shows."""


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
        threats = [threat for threat in library.threats.values() if threat.id not in excluded]
        self.by_kind: Mapping[str, Sequence[Threat]] = grouped((kind, one) for one in threats for kind in one.targets)

    def assessment(self) -> Assessment:
        looked = self._looked()
        groups = alike(some for some in looked.findings if some[0].applies or some[0].verdict == "undetermined")
        findings = in_order(groups)
        rules = tuple(held(self.graph, self.library, self.today))
        accepted = {one.id for some in looked.findings if some[0].verdict == "accepted" for one in some}
        reliances = Reliances(self.states, self.excluded, looked)
        return Assessment(
            graph=self.graph,
            library=self.library,
            states=self.states,
            today=self.today,
            findings=findings,
            groups=groups,
            ruled_out=tuple(reliances.ruled_out()),
            questions=self._questions(findings, groups),
            needless=tuple(self._needless((one for one in findings if one.applies), accepted)),
            excluded=tuple(sorted(self.excluded)),
            reliances=tuple(reliances.all(groups, accepted, rules)),
            invariants=rules,
        )

    def _looked(self) -> Looked:
        """Each threat against each element of its kinds; what twins have in common is computed for the first."""
        findings: list[tuple[Finding, ...]] = []
        denied: list[tuple[Threat, Sequence[Element | Flow]]] = []
        for threat in self.library.threats.values():
            for kind in threat.targets if threat.id not in self.excluded else ():
                condition = threat.applies[kind]
                for targets in self.twins.of(threat, kind):
                    truth = condition.truth(targets[0].facts)
                    if truth >= 0:
                        shown = self._is_shown(threat, targets[0]) if truth else self._is_hole(threat, targets[0])
                        findings.append(self._findings(threat, targets, (truth or STATED) if shown else 0))
                    elif truth == -STATED:
                        denied.append((threat, targets))
        return Looked(findings, denied)

    def _is_hole(self, threat: Threat, target: Element | Flow) -> bool:
        """Whether evidence shows that what would stop a threat, or else contain it, is missing.

        Only what is at stake may be unknown.
        """
        unknown = {leaf.fact for leaf, _ in threat.applies[target.kind].why(target.facts)}
        if not unknown or not unknown <= _AT_STAKE:
            return False
        stopping = [self.library.controls[link.control] for link in threat.links if link.effect == "stops"]
        own = [self.states.at(one, target.id) for one in stopping if one.scope == target.kind]
        if threat.contained_by:
            contains = self.states.at(self.library.controls[threat.contained_by], target.id)
            return contains.level < 0 and contains.is_missing
        return any(state.is_seen_missing for state in own)

    def _is_shown(self, threat: Threat, target: Element | Flow) -> bool:
        """Whether a threat surely concerns its target: a plane that no model describes, only where files show it.

        They show what the threat depends on, or that a control which would stop it is missing.
        """
        if target.described or threat.applies[target.kind].facts:
            return True
        stopping = [link.control for link in threat.links if link.effect == "stops"] if target.facts else []
        controls = [self.library.controls[name] for name in stopping]
        return any(self.states.at(one, target.id).level < 0 for one in controls if one.scope == target.kind)

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
