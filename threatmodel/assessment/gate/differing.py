"""Where evidence and statements differ: claims that evidence contradicts, drift, and evidence of something else."""

from __future__ import annotations

from collections.abc import Iterator

from threatmodel.assessment.assessed import Assessment
from threatmodel.assessment.control_state import shown
from threatmodel.assessment.drift import absences
from threatmodel.assessment.gate.results import CheckResult, RelatedPlace
from threatmodel.graph.elements import (
    SHOWN_SECRET,
    SOCKET_MODE,
    UNSERVED_URL,
    UNUSED_SECRET,
    VISIBLE_SECRET,
    WARNINGS,
    WORK_LIMIT,
)
from threatmodel.model.facts import STATED
from threatmodel.reading.problems import Place, article


def differing(assessment: Assessment) -> Iterator[CheckResult]:
    """Everything in which model and evidence differ."""
    yield from _contradicted(assessment)
    yield from _drifted(assessment)
    yield from _stale(assessment)
    yield from _noted(assessment)
    yield from _lacking(assessment)


def _contradicted(assessment: Assessment) -> Iterator[CheckResult]:
    for state in sorted(assessment.states.known(), key=lambda state: (state.control, state.element)):
        if state.state == "contradicted":
            places = [item.said.place for item in state.support if item.said.place is not None]
            place = places[0] if places else Place(assessment.graph.system.file)
            yield _failing("contradicted", f"{state.control}@{state.element}", place, state.reason, state.element)


def _drifted(assessment: Assessment) -> Iterator[CheckResult]:
    graph = assessment.graph
    for element, name, fact in assessment.drift:
        words = [said for said in fact.against if said.size == STATED] or fact.against
        said, found = words[0], fact.said
        message = f"{shown(said.value)} here, but {shown(found.value)} by {found.place or found.source}"
        place = said.place or Place(graph.system.file)
        other = _related(found.place, f"{name}: {shown(found.value)}")
        yield _failing("drift", f"{element}.{name}", place, message, element, other)


def _related(place: Place | None, message: str) -> tuple[RelatedPlace, ...]:
    """A place with a line, as one that has to do with a result."""
    return (RelatedPlace(place, message),) if place is not None and place.line and not place.part else ()


def _stale(assessment: Assessment) -> Iterator[CheckResult]:
    for read in assessment.graph.evidence:
        if read.stale:
            yield _failing("stale", read.file, Place(read.file, 0), read.stale, do="read or probe it again")


def _noted(assessment: Assessment) -> Iterator[CheckResult]:
    """Return what a reader should know of the evidence: it was not worked out whole, or declares secrets badly."""
    noted = ((read, note) for read in assessment.graph.evidence for note in read.notes if note.code in WARNINGS)
    for note, file in {note: read.file for read, note in noted}.items():  # of each environment that a file is read in
        yield CheckResult(
            code=note.code,
            name=_NAMED.get(note.code, file),
            place=Place(file, 0) if note.code == WORK_LIMIT else note.place,
            message=note.message,
            rule=note.code,
            warns=True,
            do=note.hint,
        )


_NAMED = {
    **dict.fromkeys((VISIBLE_SECRET, SHOWN_SECRET, UNUSED_SECRET), "secrets"),
    **dict.fromkeys((UNSERVED_URL, SOCKET_MODE), "workspace"),
}
"""What notes are of, by their code; of the others their file."""


def _lacking(assessment: Assessment) -> Iterator[CheckResult]:
    for one in absences(assessment.graph):
        message = f"{article(one.kind)} that {one.file if one.in_model else 'the model'} lacks"
        do = "remove it, or name the file that deploys it" if one.in_model else "tm import FILE --update MODEL adds it"
        yield _failing("drift", one.name, one.place, message, one.name if one.in_model else "", do=do)


def _failing(  # noqa: PLR0913, PLR0917 - a result's columns
    code: str,
    name: str,
    place: Place,
    message: str,
    element: str = "",
    related: tuple[RelatedPlace, ...] = (),
    do: str = "fix the one that is wrong",
) -> CheckResult:
    return CheckResult(
        code=code,
        name=name,
        place=place,
        message=message,
        rule=code,
        element=element,
        fails=True,
        do=do,
        related=related,
    )
