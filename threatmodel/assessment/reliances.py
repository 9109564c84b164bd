"""What an assessment relies on beside evidence: each statement with its kind, its author and its location.

No statement lowers a risk silently.  Covered are ratings, the accepted level and the scope; claims that rule a threat
out or lower its risk; facts that are not stated where claims alone keep a threat low; accepted risks, exemptions and
attestations; what a team's library switches off, weakens or replaces; and terms longer than the usual ones.
"""

from __future__ import annotations

import datetime
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from heapq import nsmallest
from itertools import chain
from typing import NamedTuple

from threatmodel.assessment.assessed import Finding, Group, Looked, Reliance, RelianceKind, RuledOut
from threatmodel.assessment.control_state import shown_value
from threatmodel.assessment.invariants import HeldInvariant
from threatmodel.assessment.risk import MOVES, STRICTEST, Cell, kept_low, weighed, within
from threatmodel.assessment.states import States
from threatmodel.graph.building import Element, Flow
from threatmodel.graph.resolved import premise_of
from threatmodel.library.entries import Threat
from threatmodel.model.facts import EVIDENCE, STATED, Statement
from threatmodel.model.longest import RESULT, YEAR
from threatmodel.model.system import Acceptance, Exclusion, Exemption, System
from threatmodel.model.vocabulary import FACTS
from threatmodel.reading.grouping import grouped
from threatmodel.reading.problems import Place
from threatmodel.reading.values import new_tuple

_FIRST = 3
"""Elements that are named of those on which a claim rules a threat out."""

_OF_FILES: Mapping[str, str] = {"source": "the source code", "repository": "the repository"}
"""Files beside the model that state something, by the origin of it."""


class Authors:
    """The authors of statements: the owner of the file, or the default or evidence that gives the fact."""

    def __init__(self, system: System) -> None:
        self._system = system
        self.owner = system.owner or system.file

    def at(self, place: Place | None) -> str:
        """The owner of the file of a place."""
        return (self._system.file_owners.get(place.file) or self.owner) if place is not None else self.owner

    def of(self, said: Statement) -> str:
        """The author of a statement about an element."""
        if said.defaults:
            return f"the default of {', '.join(said.defaults)}"
        if said.stale:
            return "evidence that counts as claimed"
        return _OF_FILES.get(said.source) or self.at(said.place)


class _Claim(NamedTuple):
    """A fact of an element that is only claimed, and the threats that it keeps from applying, or keeps low."""

    element: str
    said: Statement
    threats: Collection[str]


class Reliances:
    """What the statements of a system take out of its assessment: `looked` has all findings, `groups` those listed."""

    def __init__(self, states: States, excluded: Mapping[str, Exclusion | None], looked: Looked) -> None:
        self._graph = states.graph
        self._system = states.graph.system
        self._library = states.library
        self._today = states.today
        self._place = states.twins.place
        self._excluded = excluded
        self._looked = looked
        self._authors = Authors(states.graph.system)

    def all(
        self, groups: Sequence[Group], accepted: Collection[str], invariants: Iterable[HeldInvariant]
    ) -> Iterator[Reliance]:
        """Yield what statements take out; `accepted` are the findings that an acceptance takes out."""
        yield from self._rated_lower()
        yield from self._tolerated((group.head.claimed, len(group.findings)) for group in groups if group.head.applies)
        yield from self._out_of_scope()
        ruled = ((threat, targets, _denying(threat, targets[0])) for threat, targets in self._looked.denied)
        yield from self._claimed("ruled-out-by-claim", ruled, STATED)
        first = ((some, some[0]) for group in groups for some in group.twins)
        low = (
            (one.threat, [finding.target for finding in some], kept_low(one.threat, one.target.kind, one.target.facts))
            for some, one in first
        )
        yield from self._claimed("lowered-by-claim", low)
        yield from self._not_stated()
        yield from self._intended_public(groups)
        for one in self._system.acceptances:
            if one.name in accepted:
                what = f"{one.name}, a risk of {one.risk} at most until {one.expires}"
                yield Reliance("accepted", what, 1, one.owner, one.reason, one.place)
        for element in (element for held in invariants for element in held.bound):
            if element.is_exempt and (by := element.exemption) is not None:
                yield Reliance("exempted", f"{by.name} until {by.expires}", 1, by.owner, by.reason, by.place)
        yield from self._attested(groups)
        yield from self._left_out()
        yield from self._of_library(groups)
        yield from self._long_terms()

    def ruled_out(self) -> Iterator[RuledOut]:
        """Yield the threats that claims keep from applying; what follows from the kind of wiring claims nothing."""
        ruled: dict[tuple[str, tuple[tuple[str, object], ...]], list[Element | Flow]] = {}
        for threat, targets in self._looked.denied:
            facts = targets[0].facts
            if names := _denying(threat, targets[0]):
                sure = [(name, facts[name].sure) for name in names]
                key = (threat.id, tuple([(name, fact.value) for name, fact in sure if fact is not None]))
                ruled.setdefault(key, []).extend(targets)
        for (name, values), found in ruled.items():
            first = nsmallest(_FIRST, found, key=lambda target: self._place[target.id])
            yield RuledOut(self._library.threats[name], values, len(found), tuple((one.id, one.place) for one in first))

    def _rated_lower(self) -> Iterator[Reliance]:
        """The ratings and criticalities that make a risk smaller; what one line says of many findings is said once."""
        ratings = {f"{one.threat}@{one.element}": one for one in self._system.ratings}
        by_line: dict[tuple[Place | None, str], list[tuple[str, Cell, Cell]]] = {}
        for one in chain.from_iterable(some for some in self._looked.findings if some[0].rated):
            now, was = one.inherent, weighed(one.threat, one.target.kind, one.target.facts).cell
            if now.likelihood < was.likelihood or now.impact < was.impact:
                place = ratings[one.id].place if one.id in ratings else one.target.place
                by_line.setdefault((place, "; ".join(one.rated)), []).append((one.id, was, now))
        for (place, reason), alike in by_line.items():
            finding, was, now = alike[0]
            what = f"{finding}: {was.score} {was.band} made {now.score} {now.band}{_more(alike)}"
            yield Reliance("rated-lower", what, len(alike), self._authors.at(place), reason, place)

    def _tolerated(self, left: Iterable[tuple[Cell, int]]) -> Iterator[Reliance]:
        """A tolerance above the lowest band; `left` is what remains of findings as claimed, and of how many."""
        tolerance = self._system.risk_tolerance
        if tolerance != STRICTEST:
            count = sum(number for cell, number in left if within(cell, tolerance) and not within(cell, STRICTEST))
            said, place = f"risk_tolerance: {tolerance}", Place(self._system.file)
            yield Reliance("tolerated", said, count, self._authors.owner, "", place)

    def _out_of_scope(self) -> Iterator[Reliance]:
        """The elements that are out of scope, with the number of threats that apply or may apply to each."""
        threats = [one for one in self._library.threats.values() if one.id not in self._excluded]
        for target in self._graph.targets():
            if target.out_of_scope and isinstance(target, Element):
                count = sum(_may_apply(threat, target) for threat in threats)
                by = self._authors.at(target.place)
                yield Reliance("out-of-scope", target.id, count, by, target.out_of_scope, target.place)

    def _claimed(
        self,
        kind: RelianceKind,
        found: Iterable[tuple[Threat, Sequence[Element | Flow], Iterable[str]]],
        least: int = 0,
    ) -> Iterator[Reliance]:
        """The claims that keep threats from applying, or their risk low, by statement.

        `found` has the facts that keep a threat from some elements; `least`: only facts that are exactly as well known.
        """
        for (fact, value, place), alike in self._claims(found, least).items():
            element, statement, threats = alike[0]
            elements: tuple[str, ...] = (element,)
            times = len(threats)
            if len(alike) > 1:
                times = sum([len(claim.threats) for claim in alike])
                threats = dict.fromkeys(threat for claim in alike for threat in claim.threats)
                elements = tuple(dict.fromkeys(claim.element for claim in alike))
            said, by, reason = f"{fact}: {value}", self._authors.of(statement), ", ".join(threats)
            yield new_tuple(Reliance, (kind, said, times, by, reason, place, elements))

    def _claims(
        self, found: Iterable[tuple[Threat, Sequence[Element | Flow], Iterable[str]]], least: int
    ) -> Mapping[tuple[str, str, Place | None], Sequence[_Claim]]:
        """The claims of each statement, by the fact, its value in words, and its place."""
        threats_of: dict[str, tuple[Element | Flow, dict[str, dict[str, None]]]] = {}
        for threat, targets, names in found:
            for name in names:
                for target in targets:
                    _, of_target = threats_of.setdefault(target.id, (target, {}))
                    of_target.setdefault(name, {})[threat.id] = None
        claims: dict[tuple[str, str, Place | None], list[_Claim]] = {}
        for target, by_fact in sorted(threats_of.values(), key=lambda one: self._place[one[0].id]):
            for name, threats in by_fact.items():
                fact = target.facts[name].sure
                if fact is not None and fact.said.source != "wiring" and (not least or fact.size == least):
                    key = (*self._as_stated(target, name, fact.said.value), fact.said.place or target.place)
                    claims.setdefault(key, []).append(_Claim(target.id, fact.said, threats))
        return claims

    def _as_stated(self, target: Element | Flow, name: str, value: object) -> tuple[str, str]:
        """Return a fact and its value in words; of one that follows from an empty list alone, that list."""
        inputs = FACTS[target.kind][name].follows_from
        found = self._graph.lists.get(target.id, {}).get(inputs[0].name) if len(inputs) == 1 else None
        return (inputs[0].name, "[]") if found is not None and not found.items else (name, shown_value(value))

    def _not_stated(self) -> Iterator[Reliance]:
        """What is not stated, by element, with the threats that are not assessed because claims would keep them low."""
        by_fact: dict[tuple[str, str], list[Finding]] = {}
        for some in self._looked.findings:
            threat, target = some[0].threat, some[0].target
            if not some[0].applies and some[0].verdict == "unproven":
                readings = threat.applies[target.kind].why(target.facts) if target.described else ()
                names = dict.fromkeys(leaf.fact for leaf, _ in readings) or ("",)
                for one, name in ((one, name) for one in some for name in names):
                    by_fact.setdefault((one.target.id, name), []).append(one)
        for (element, fact), alike in by_fact.items():
            threats = ", ".join(dict.fromkeys(one.threat.id for one in alike))
            said, of = (fact, (element,)) if fact else (f"{element}: not described", ())
            yield Reliance("not-stated", said, len(alike), "", threats, alike[0].target.place, of)

    def _intended_public(self, groups: Iterable[Group]) -> Iterator[Reliance]:
        """What is meant to be public, with the findings for which a control that restricts access is not asked for."""
        spared = (group for group in groups if any(answer.state.unwanted for answer in group.head.answers))
        findings = (finding for group in spared for finding in group.findings)
        counts = Counter(
            name
            for one in findings
            for name in {answer.state.element for answer in one.answers if answer.state.unwanted}
        )
        for node in self._system.nodes.values():
            if node.public == "intended" and counts[node.id]:
                by = self._authors.at(node.place)
                yield Reliance("intended-public", node.id, counts[node.id], by, node.public_reason, node.place)

    def _attested(self, groups: Iterable[Group]) -> Iterator[Reliance]:
        """The attestations that replace evidence, with the findings whose proven risk relies on them."""
        moved: Counter[str] = Counter()
        for group in groups:
            for at, answer in enumerate(group.head.answers):
                if answer.state.state == "attested" and answer.state.level >= EVIDENCE and answer.link.effect in MOVES:
                    for state in (finding.answers[at].state for finding in group.findings):
                        moved.update((f"{state.control}@{state.element}", state.control))
        for said in self._system.controls:
            if said.expires is not None and moved[said.name]:
                until = self._system.longest_terms.attested_until(said.on, said.expires)
                what = f"{said.name} until {until}"
                yield Reliance("attested", what, moved[said.name], said.attested_by, said.note, said.place)

    def _left_out(self) -> Iterator[Reliance]:
        """The threats that are excluded, with the elements to which they apply or may apply."""
        for name, by in sorted(self._excluded.items()):
            threat = self._library.threats[name]
            count = sum(_may_apply(threat, one) for one in self._graph.targets() if not one.out_of_scope)
            if by is None:
                yield Reliance("excluded", name, count, "--exclude", "", None)
            else:
                yield Reliance("excluded", name, count, self._system.reached(by.owner), by.reason, by.place)

    def _of_library(self, groups: Iterable[Group]) -> Iterator[Reliance]:
        """What teams' libraries switch off or put something in place of, with the findings that it answers."""
        touched: Counter[str] = Counter()
        for group in groups:
            touched[group.head.threat.id] += len(group.findings)
            for answer in group.head.answers:
                touched[answer.link.control] += len(group.findings)
        by_line = grouped(((off.part, off.place, off.reason), off) for off in self._library.off)
        for (part, place, reason), alike in by_line.items():
            what = f"{part} {alike[0].id}{_more(alike)}"
            yield Reliance("switched-off", what, len(alike), place.file, reason, place)
        for one in self._library.replaced:
            kind: RelianceKind = "weakened" if one.weakens else "replaced"
            what, reason = f"{one.part} {one.id}", ", ".join(one.weakens)
            yield Reliance(kind, what, touched[one.id], one.place.file, reason, one.place)

    def _long_terms(self) -> Iterator[Reliance]:
        """Terms beyond the usual ones: the model's own, what counts for longer because of them, and old results."""
        terms, year = self._system.longest_terms, datetime.timedelta(days=YEAR)
        for what, days in (("acceptance", terms.acceptance), ("attestation", terms.attestation)):
            if days > YEAR:
                said = f"longest_terms.{what}: {days} days, not {YEAR}"
                yield Reliance("long-term", said, 0, self._authors.owner, "", terms.place)
        for by in self._system.controls:
            if by.expires is not None and by.on is not None:
                until = terms.attested_until(by.on, by.expires)
                if until - by.on > year:
                    yield Reliance("long-term", f"{by.name} until {until}", 1, by.attested_by, "attested", by.place)
        taken: Iterable[tuple[str, Acceptance | Exemption]] = (
            *(("accepted", one) for one in self._system.acceptances),
            *(("exempted", one) for one in self._system.exemptions),
        )
        for done, one in taken:
            if one.expires - self._today > year and terms.is_in_force(one.expires, self._today):
                yield Reliance("long-term", f"{one.name} until {one.expires}", 1, one.owner, done, one.place)
        for source in self._system.evidence:
            if source.days is not None and source.days > RESULT:
                what = f"probe of {source.function} for {source.days} days, not {RESULT}"
                yield Reliance("long-term", what, 1, self._authors.at(source.place), "", source.place)


def _more(alike: Sequence[object]) -> str:
    return f", and {len(alike) - 1} more" if len(alike) > 1 else ""


def _may_apply(threat: Threat, target: Element | Flow) -> bool:
    """Whether an element is exposed to a threat, or may be."""
    return target.kind in threat.applies and threat.applies[target.kind].truth(target.facts) >= 0


def _denying(threat: Threat, target: Element | Flow) -> tuple[str, ...]:
    """The facts that keep a threat from applying; none where they follow from the kind of wiring alone."""
    readings = threat.applies[target.kind].why(target.facts)
    named = ((premise_of(target.kind, leaf.fact, target.facts), fact) for leaf, fact in readings)
    found = {name: fact for name, fact in named if fact is not None}
    return tuple(found) if any(fact.said.source != "wiring" for fact in found.values()) else ()
