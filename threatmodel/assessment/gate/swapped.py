"""Evidence that a model names in place of what a baseline knew: other files, other resources, other choices.

The text of a file changes with what it describes, and its digest fails nothing.  Which file, which resource in it and
which parameters show an element is the model's choice, and another choice can make anything look proven.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from threatmodel.assessment.assessed import Assessment
from threatmodel.assessment.gate.results import CheckResult
from threatmodel.graph.elements import Read
from threatmodel.reading.problems import Place, listed

_SHOWN = 3
_DESCRIBED = frozenset(("repository", "results", "slack"))
"""Kinds whose words for an element describe what the file says of it, which no model chooses."""


class KnownSource(NamedTuple):
    """A file of evidence as it was named (`graph.elements.Source`), with its kind and the resource of each element."""

    kind: str
    path: str
    chosen: Mapping[str, str]
    sha256: str
    elements: Mapping[str, str]


_Showing = tuple[str, tuple[tuple[str, str], ...], str]
"""What shows an element: a file, what is chosen for it, and the resource."""


def sources_of(assessment: Assessment) -> tuple[KnownSource, ...]:
    """Return the evidence that a model names, in a stable order."""
    found = [
        KnownSource(read.kind, read.source.path, read.source.chosen, read.source.sha256, _elements(read))
        for read in assessment.graph.evidence
        if read.source is not None
    ]
    return tuple(
        sorted(found, key=lambda one: (one.kind, one.path, sorted(one.chosen.items()), sorted(one.elements.items())))
    )


def _elements(read: Read) -> Mapping[str, str]:
    """Return what the model chose for each element: a resource, or only the file."""
    return dict.fromkeys(read.elements, "") if read.kind in _DESCRIBED else dict(read.elements)


def swapped(assessment: Assessment, known: Sequence[KnownSource], day: str) -> Iterator[CheckResult]:
    """Yield a failing result for each file that shows an element in another way than evidence of its kind did."""
    before = _showings(known)
    places = {(read.kind, read.source.path): read.source.place for read in assessment.graph.evidence if read.source}
    named = {_named(one) for one in sources_of(assessment)}
    for one in sources_of(assessment):
        shown = [name for name in one.elements if (one.kind, name) in before]
        other = [name for name in shown if _showing(one, name) not in before[one.kind, name]]
        if other:
            was = sorted({_words(*showing) for name in other for showing in before[one.kind, name]})
            now = sorted({_words(*_showing(one, name)) for name in other})
            yield _result(
                one,
                places[one.kind, one.path],
                f"{_some(other)}: the model names {_some(now)}, and at the baseline of {day} {_some(was)}",
            )
    for one in known:
        if not one.elements and _named(one) not in named:
            place = places.get((one.kind, one.path), Place(assessment.graph.system.file, 0))
            so = f" with {_chosen(one.chosen.items())}" if one.chosen else " as it did" if place.line else ""
            yield _result(one, place, f"the model no longer names it{so}, and did at the baseline of {day}")


def _showings(known: Sequence[KnownSource]) -> Mapping[tuple[str, str], set[_Showing]]:
    found: dict[tuple[str, str], set[_Showing]] = {}
    for one in known:
        for name in one.elements:
            found.setdefault((one.kind, name), set()).add(_showing(one, name))
    return found


def _showing(one: KnownSource, element: str) -> _Showing:
    return one.path, tuple(sorted(one.chosen.items())), one.elements[element]


def _named(one: KnownSource) -> tuple[str, ...]:
    """Which file it is, and all that is chosen for it: its environment decides what it is read with."""
    return (one.kind, one.path, *(part for pair in sorted(one.chosen.items()) for part in pair))


def _words(path: str, chosen: tuple[tuple[str, str], ...], resource: str) -> str:
    return f"{f'{resource} in ' if resource else ''}{path}{f' with {_chosen(chosen)}' if chosen else ''}"


def _chosen(chosen: Iterable[tuple[str, str]]) -> str:
    return ", ".join(f"{key} {value}" for key, value in chosen)


def _result(one: KnownSource, place: Place, message: str) -> CheckResult:
    return CheckResult(
        code="swapped-evidence",
        name=f"{one.kind} {one.path}",
        place=place,
        message=message,
        rule="swapped-evidence",
        fails=True,
        do="name the evidence that the baseline knows, or review the change and run check --update-baseline",
    )


def _some(names: Sequence[str]) -> str:
    return listed(names, _SHOWN)
