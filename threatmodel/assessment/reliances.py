"""What an assessment relies on beside evidence: each statement with its kind, its author and its location.

No statement lowers a risk silently.  Covered are ratings, the accepted level and the scope; claims that rule a threat
out or lower its risk; facts that are not stated where claims alone keep a threat low; accepted risks, exemptions and
attestations; what a team's library switches off, weakens or replaces; and terms longer than the usual ones.
"""

from __future__ import annotations

import datetime
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Literal, NamedTuple

from threatmodel.assessment.invariants import HeldInvariant
from threatmodel.assessment.risk import STRICTEST, Cell, within
from threatmodel.graph.building import Element, Flow, Graph
from threatmodel.library.entries import Library, Off, Threat
from threatmodel.model.facts import Statement
from threatmodel.model.longest import RESULT, YEAR
from threatmodel.model.system import Acceptance, Exemption, System
from threatmodel.reading.problems import Place
from threatmodel.reading.values import new_tuple

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


class Lowered(NamedTuple):
    """A finding whose inherent cell the model makes smaller than the library's."""

    finding: str
    library: Cell
    cell: Cell
    reason: str
    place: Place | None


class Claim(NamedTuple):
    """A fact of an element that is only claimed, and the threats that it keeps from applying, or keeps low."""

    element: str
    said: Statement
    threats: Collection[str]


Claims = Mapping[tuple[str, str, Place | None], Sequence[Claim]]
"""The claims of each statement, by the fact, its value in words, and its place."""


class Unsaid(NamedTuple):
    """What is not stated of an element ('' where nothing is), and a threat to it that claims alone keep low."""

    threat: str
    element: str
    fact: str
    place: Place | None


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


def lowered(findings: Sequence[Lowered], authors: Authors) -> Iterator[Reliance]:
    """The ratings and criticalities that make a risk smaller; what one line says of many findings is said once."""
    by_line: dict[tuple[Place | None, str], list[Lowered]] = {}
    for one in findings:
        by_line.setdefault((one.place, one.reason), []).append(one)
    for (place, reason), alike in by_line.items():
        first = alike[0]
        was, now = first.library, first.cell
        what = f"{first.finding}: {was.score} {was.band} made {now.score} {now.band}"
        what += f", and {len(alike) - 1} more" if len(alike) > 1 else ""
        yield Reliance("rated-lower", what, len(alike), authors.at(place), reason, place)


def tolerated(left: Iterable[tuple[Cell, int]], tolerance: str, owner: str, place: Place) -> Iterator[Reliance]:
    """A tolerance above the lowest band; `left` is what remains of findings as claimed, and of how many."""
    count = sum(number for cell, number in left if within(cell, tolerance) and not within(cell, STRICTEST))
    if tolerance != STRICTEST:
        yield Reliance("tolerated", f"risk_tolerance: {tolerance}", count, owner, "", place)


def out_of_scope(graph: Graph, threats: Mapping[str, Sequence[Threat]], authors: Authors) -> Iterator[Reliance]:
    """The elements that are out of scope, with the number of threats that apply or may apply to each."""
    for target in (*graph.targets(),):
        if target.out_of_scope and isinstance(target, Element):
            count = sum(may_apply(threat, target) for threat in threats.get(target.kind, ()))
            by = authors.at(target.place)
            yield Reliance("out-of-scope", target.id, count, by, target.out_of_scope, target.place)


def may_apply(threat: Threat, target: Element | Flow) -> bool:
    """Whether an element is exposed to a threat, or may be."""
    return target.kind in threat.applies and threat.applies[target.kind].truth(target.facts) >= 0


def claimed(kind: RelianceKind, claims: Claims, authors: Authors) -> Iterator[Reliance]:
    """The claims that keep threats from applying, or their risk low, by statement."""
    for (fact, value, place), alike in claims.items():
        element, statement, threats = alike[0]
        elements: tuple[str, ...] = (element,)
        times = sum([len(claim.threats) for claim in alike])
        if len(alike) > 1:
            threats = dict.fromkeys(threat for claim in alike for threat in claim.threats)
            elements = tuple(dict.fromkeys(claim.element for claim in alike))
        said, by, reason = f"{fact}: {value}", authors.of(statement), ", ".join(threats)
        yield new_tuple(Reliance, (kind, said, times, by, reason, place, elements))


def _some(names: Sequence[str]) -> str:
    more = f" and {len(names) - _NAMED:,} more" if len(names) > _NAMED else ""
    return ", ".join(names[:_NAMED]) + more


def not_said(unsaid: Sequence[Unsaid]) -> Iterator[Reliance]:
    """What is not stated, by element, with the threats that are not assessed because claims would keep them low."""
    by_fact: dict[tuple[str, str], list[Unsaid]] = {}
    for one in unsaid:
        by_fact.setdefault((one.element, one.fact), []).append(one)
    for (element, fact), alike in by_fact.items():
        threats = ", ".join(dict.fromkeys(one.threat for one in alike))
        said, of = (fact, (element,)) if fact else (f"{element}: not described", ())
        yield Reliance("not-stated", said, len(alike), "", threats, alike[0].place, of)


def of_library(library: Library, touched: Mapping[str, int]) -> Iterator[Reliance]:
    """What teams' libraries switch off or put something in place of; `touched` counts findings by threat, control."""
    by_line: dict[tuple[str, Place, str], list[Off]] = {}
    for off in library.off:
        by_line.setdefault((off.part, off.place, off.reason), []).append(off)
    for (part, place, reason), alike in by_line.items():
        what = f"{part} {alike[0].id}" + (f", and {len(alike) - 1} more" if len(alike) > 1 else "")
        yield Reliance("switched-off", what, len(alike), place.file, reason, place)
    for one in library.replaced:
        kind: RelianceKind = "weakened" if one.weakens else "replaced"
        times = touched.get(one.id, 0)
        yield Reliance(kind, f"{one.part} {one.id}", times, one.place.file, ", ".join(one.weakens), one.place)


def meant_public(system: System, spared: Mapping[str, int], authors: Authors) -> Iterator[Reliance]:
    """What is meant to be public, so that no control that restricts access is asked for.

    `spared` counts the findings that this touches, by element.
    """
    for node in system.nodes.values():
        if node.public == "intended" and spared.get(node.id):
            by = authors.at(node.place)
            yield Reliance("intended-public", node.id, spared[node.id], by, node.public_reason, node.place)


def accepted(acceptances: Iterable[Acceptance]) -> Iterator[Reliance]:
    """The accepted risks: each is of a finding that nothing else lowers enough."""
    for one in acceptances:
        what = f"{one.finding}, a risk of {one.risk} at most until {one.expires}"
        yield Reliance("accepted", what, 1, one.owner, one.reason, one.place)


def exempted(invariants: Iterable[HeldInvariant]) -> Iterator[Reliance]:
    """The elements that are exempt from a team's own rule."""
    for held in invariants:
        for element in held.bound:
            if element.is_exempt and (by := element.exemption) is not None:
                yield Reliance("exempted", f"{by.name} until {by.expires}", 1, by.owner, by.reason, by.place)


def attested(system: System, moved: Mapping[str, int]) -> Iterator[Reliance]:
    """The attestations that replace evidence; `moved` counts the findings by what is attested."""
    for said in system.controls:
        name = f"{said.control}@{said.element}" if said.element else said.control
        if said.expires is not None and moved.get(name):
            until = system.longest_terms.attested_until(said.on, said.expires)
            yield Reliance("attested", f"{name} until {until}", moved[name], said.attested_by, said.note, said.place)


def long_terms(system: System, today: datetime.date, authors: Authors) -> Iterator[Reliance]:
    """Terms beyond the usual ones: the model's own, what counts for longer because of them, and old results."""
    terms = system.longest_terms
    for what, days in (("acceptance", terms.acceptance), ("attestation", terms.attestation)):
        if days > YEAR:
            said = f"longest_terms.{what}: {days} days, not {YEAR}"
            yield Reliance("long-term", said, 0, authors.owner, "", terms.place)
    year = datetime.timedelta(days=YEAR)
    for by in system.controls:
        if by.expires is not None and by.on is not None:
            until = terms.attested_until(by.on, by.expires)
            if until - by.on > year:
                name = f"{by.control}@{by.element}" if by.element else by.control
                yield Reliance("long-term", f"{name} until {until}", 1, by.attested_by, "attested", by.place)
    taken: Iterable[tuple[str, str, Acceptance | Exemption]] = (
        *(("accepted", one.finding, one) for one in system.acceptances),
        *(("exempted", one.name, one) for one in system.exemptions),
    )
    for done, name, one in taken:
        if one.expires - today > year and terms.is_in_force(one.expires, today):
            yield Reliance("long-term", f"{name} until {one.expires}", 1, one.owner, done, one.place)
    for source in system.evidence:
        if source.days is not None and source.days > RESULT:
            what = f"probe of {source.function} for {source.days} days, not {RESULT}"
            yield Reliance("long-term", what, 1, authors.at(source.place), "", source.place)
