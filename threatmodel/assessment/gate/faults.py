"""Where to fix a finding: the line of evidence that shows what is wrong, or the model's."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from threatmodel.assessment.assessed import Assessment, Finding
from threatmodel.assessment.causes import Cause, candidates
from threatmodel.assessment.control_state import Answer, Support, shown
from threatmodel.assessment.gate.results import RelatedPlace
from threatmodel.assessment.risk import MOVES
from threatmodel.model.facts import EVIDENCE
from threatmodel.reading.problems import Place

MOST_RELATED = 10
"""Places beside its own that a finding names."""


class Fault(NamedTuple):
    """What shows that a finding is one: a fact, and the control that it denies ('' where it only exposes)."""

    item: Support
    control: str


def places(finding: Finding, assessment: Assessment, control: str) -> tuple[Place, tuple[RelatedPlace, ...]]:
    """Return the one place of the cause to fix, and related ones; where an answer is missing, the element's.

    `control` is the one that is the cause, '' where there is none.
    """
    wrong = tuple(_wrong(finding))
    place = _cause(finding, control)
    if place is None and finding.verdict != "undetermined" and (found := _fault(finding, wrong)) is not None:
        place = found.item.said.place
    place = place or finding.target.place or Place(assessment.graph.system.file)
    return place, _related(finding, place, wrong)


def _cause(finding: Finding, control: str) -> Place | None:
    """The place of the first value that keeps a control from being in place."""
    for answer in finding.answers:
        cause = Cause(answer, written=True)
        if control in {answer.link.control, cause.state.control}:
            items = cause.items
            return next((item.said.place for item in items if _lined(item.said.place)), None)
    return None


def _fault(finding: Finding, wrong: Iterable[Fault]) -> Fault | None:
    shown_wrong = [one for one in wrong if one.item.said.size == EVIDENCE and not one.item.said.stale]
    lined = [one for one in shown_wrong if _lined(one.item.said.place)]
    if not lined:
        return None
    at_fault = {one.state.control for one in candidates(finding)}
    return min(lined, key=lambda one: (one.item.said.omitted, one.control not in at_fault))


def _lined(place: Place | None) -> bool:
    return place is not None and bool(place.line) and not place.part


def _related(finding: Finding, place: Place, wrong: Iterable[Fault]) -> tuple[RelatedPlace, ...]:
    """The other places that have to do with it: the element in the model, what its exposure and controls rest on."""
    found: dict[Place, str] = {}
    if finding.target.place is not None:
        found[finding.target.place] = f"{finding.target.id} in the model"
    for item, _ in wrong:
        if item.said.place is not None:
            found.setdefault(item.said.place, f"{item.fact}: {shown(item.value)}")
    found.pop(place, None)
    return tuple(RelatedPlace(at, what) for at, what in found.items() if _lined(at))[:MOST_RELATED]


def because(finding: Finding) -> str:
    """Which controls are missing, in a few words."""
    if not finding.target.described:
        return f"nothing is stated about the {finding.target.kind}"
    missing = [f"{a.link.control} {a.state.state}" for a in _missing(finding)]
    return ", ".join(missing[:3]) + (f" and {len(missing) - 3} more" if len(missing) > 3 else "")  # noqa: PLR2004 - a line's worth


def _missing(finding: Finding) -> list[Answer]:
    return [a for a in finding.answers if a.is_missing]


def _wrong(finding: Finding) -> Iterator[Fault]:
    """What shows that a finding is one: what denies controls, those that lower the risk first; then its exposure."""
    missing = sorted(_missing(finding), key=lambda answer: answer.link.effect not in MOVES)
    for answer in missing:
        if answer.state.level < 0:
            yield from (Fault(item, answer.link.control) for item in answer.state.support)
    yield from (Fault(item, "") for item in finding.why)
