"""What word takes out of a report: ratings, scope, tolerance, claims that rule threats out, switched-off threats.

Word never hides quietly: each kind is counted, with who says so and where.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Mapping, Sequence
from typing import Literal, NamedTuple

from threatmodel.assessment.risk import STRICTEST, Cell, within
from threatmodel.graph.building import Element, Flow, Graph
from threatmodel.library.entries import Library, Off, Threat
from threatmodel.model.system import Acceptance, ControlStatement
from threatmodel.reading.problems import Place

WordKind = Literal[
    "rated-lower", "tolerated", "out-of-scope", "ruled-out", "excluded", "switched-off", "replaced", "long-term"
]
LONGEST_TERM = datetime.timedelta(days=366)
"""How long an attestation or acceptance may hold before it is told of."""


class TakenOut(NamedTuple):
    """Something that word alone takes out or makes smaller: what and how much, who says so, where and why.

    `times` is the number of findings (or of threats that would be looked for) that it touches.
    """

    kind: WordKind
    what: str
    times: int
    by: str
    reason: str
    place: Place | None


class Lowered(NamedTuple):
    """A finding whose inherent cell the model makes smaller than the library's."""

    finding: str
    library: Cell
    cell: Cell
    reason: str
    place: Place | None


class Claimed(NamedTuple):
    """A fact that is only word and keeps a threat from applying to an element."""

    threat: str
    element: str
    fact: str
    value: object
    place: Place | None


def lowered(findings: Sequence[Lowered], owner: str) -> Iterator[TakenOut]:
    """The ratings and criticalities that make a risk smaller; what one line says of many findings is said once."""
    by_line: dict[tuple[Place | None, str], list[Lowered]] = {}
    for one in findings:
        by_line.setdefault((one.place, one.reason), []).append(one)
    for (place, reason), alike in by_line.items():
        first = alike[0]
        was, now = first.library, first.cell
        what = f"{first.finding}: {was.score} {was.band} made {now.score} {now.band}"
        what += f", and {len(alike) - 1} more" if len(alike) > 1 else ""
        yield TakenOut("rated-lower", what, len(alike), owner, reason, place)


def tolerated(cells: Sequence[Cell], tolerance: str, owner: str, place: Place) -> Iterator[TakenOut]:
    """A tolerance above the lowest band; `cells` are what is left of each finding under what is claimed."""
    count = sum(within(cell, tolerance) and not within(cell, STRICTEST) for cell in cells)
    if tolerance != STRICTEST:
        yield TakenOut("tolerated", f"risk_tolerance: {tolerance}", count, owner, "", place)


def out_of_scope(graph: Graph, threats: Mapping[str, Sequence[Threat]], owner: str) -> Iterator[TakenOut]:
    """The elements that are out of scope, with the number of threats that apply or may apply to each."""
    for target in (*graph.targets(),):
        if target.out_of_scope and isinstance(target, Element):
            count = sum(_may_apply(threat, target) for threat in threats.get(target.kind, ()))
            yield TakenOut("out-of-scope", target.id, count, owner, target.out_of_scope, target.place)


def _may_apply(threat: Threat, target: Element | Flow) -> bool:
    return threat.applies[target.kind].truth(target.facts) >= 0


def ruled_out(claims: Sequence[Claimed], owner: str) -> Iterator[TakenOut]:
    """The claims that keep threats from applying, by statement."""
    by_statement: dict[tuple[str, str, Place | None], list[Claimed]] = {}
    for claim in claims:
        by_statement.setdefault((claim.fact, _shown(claim.value), claim.place), []).append(claim)
    for (fact, value, place), alike in by_statement.items():
        elements = dict.fromkeys(claim.element for claim in alike)
        on = next(iter(elements)) if len(elements) == 1 else f"{len(elements)} elements"
        threats = ", ".join(dict.fromkeys(claim.threat for claim in alike))
        yield TakenOut("ruled-out", f"{on}.{fact}: {value}", len(alike), owner, threats, place)


def of_library(library: Library, excluded: Sequence[str]) -> Iterator[TakenOut]:
    """What the command line leaves out, and what teams' libraries switch off or put something weaker in place of."""
    for name in excluded:
        yield TakenOut("excluded", name, 1, "--exclude", "", None)
    by_line: dict[tuple[str, Place, str], list[Off]] = {}
    for off in library.off:
        by_line.setdefault((off.part, off.place, off.reason), []).append(off)
    for (part, place, reason), alike in by_line.items():
        what = f"{part} {alike[0].id}" + (f", and {len(alike) - 1} more" if len(alike) > 1 else "")
        yield TakenOut("switched-off", what, len(alike), place.file, reason, place)
    for one in library.replaced:
        what = f"{one.part} {one.id}" + (f": {', '.join(one.weakens)}" if one.weakens else "")
        yield TakenOut("replaced", what, 1, one.place.file, "weaker" if one.weakens else "", one.place)


def long_terms(
    controls: Sequence[ControlStatement], acceptances: Sequence[Acceptance], today: datetime.date
) -> Iterator[TakenOut]:
    """Attestations and acceptances that hold for more than a year."""
    for said in controls:
        start = said.on or today
        if said.attested_by and said.expires is not None and said.expires - start > LONGEST_TERM:
            name = f"{said.control}@{said.element}" if said.element else said.control
            yield TakenOut("long-term", f"{name} until {said.expires}", 1, said.attested_by, "attested", said.place)
    for one in acceptances:
        if one.expires - today > LONGEST_TERM:
            name = f"{one.threat}@{one.element} until {one.expires}"
            yield TakenOut("long-term", name, 1, one.owner, "accepted", one.place)


def _shown(value: object) -> str:
    return "null" if value is None else str(value).lower() if isinstance(value, bool) else str(value)
