"""The current ids of threats and controls: what a layer, a model or a baseline names by a former id."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TypeVar

from threatmodel.library.entries import Control, FormerIds, Library, Off, Threat
from threatmodel.model.reference_architecture import FORMER_ELEMENTS
from threatmodel.model.system import Acceptance, ControlStatement, Rating, System
from threatmodel.model.vocabulary import PLANES
from threatmodel.reading.former import Renamed
from threatmodel.reading.problems import InputError, Place, Problem, quoted
from threatmodel.reading.shape import current_id
from threatmodel.reading.values import replace

T = TypeVar("T", Threat, Control)


def former_ids(threats: Sequence[Threat], controls: Sequence[Control], before: FormerIds) -> FormerIds:
    """Return the current id of each former one: of these entries, and of the layers `before` them."""
    return FormerIds(
        {**before.threats, **{old: one.id for one in threats for old in one.formerly}},
        {**before.controls, **{old: one.id for one in controls for old in one.formerly}},
    )


class CurrentIds:
    """Gives current ids, and notes the former ones."""

    def __init__(self, former: FormerIds) -> None:
        self.former = former
        self.renamed: list[Renamed] = []

    def threat(self, name: str, place: Place) -> str:
        """Return the current id of a threat."""
        return self._current(name, self.former.threats, place)

    def control(self, name: str, place: Place) -> str:
        """Return the current id of a control."""
        return self._current(name, self.former.controls, place)

    def _current(self, name: str, former: Mapping[str, str], place: Place) -> str:
        new = former.get(name)
        if new is None:
            return name
        self.renamed.append(Renamed(place, name, new))
        return new

    def of_threat(self, one: Threat) -> Threat:
        """Return a threat of a layer that has current ids."""
        links = tuple(replace(link, control=self.control(link.control, link.place)) for link in one.links)
        return replace(one, id=self.threat(one.id, one.place), links=links)

    def of_control(self, one: Control) -> Control:
        """Return a control of a layer that has current ids."""
        places = one.required_at or (one.place,) * len(one.requires)
        requires = tuple(self.control(name, place) for name, place in zip(one.requires, places, strict=True))
        return replace(one, id=self.control(one.id, one.place), requires=requires)

    def of_off(self, one: Off) -> Off:
        """Return what a layer switches off, by its current id."""
        if one.part == "kind":
            return one
        name = self.threat(one.id, one.place) if one.part == "threat" else self.control(one.id, one.place)
        return replace(one, id=name)


def current_system(system: System, library: Library) -> tuple[System, tuple[Renamed, ...]]:
    """Return a system that names threats and controls by their current ids, and the former ids that it has.

    Raises InputError where it has a statement, an acceptance or a rating under both names.
    """
    ids = CurrentIds(library.former)
    statements = [replace(one, control=ids.control(one.control, one.place)) for one in system.controls]
    accepted = [replace(one, threat=ids.threat(one.threat, one.place)) for one in system.acceptances]
    rated = [replace(one, threat=ids.threat(one.threat, one.place)) for one in system.ratings]
    if not ids.renamed:
        return system, ()
    if problems := [
        *_both(system.controls, statements),
        *_both(system.acceptances, accepted),
        *_both(system.ratings, rated),
    ]:
        raise InputError(problems)
    found = replace(system, controls=tuple(statements), acceptances=tuple(accepted), ratings=tuple(rated))
    return found, tuple(ids.renamed)


Decision = ControlStatement | Acceptance | Rating


def _both(before: Sequence[Decision], after: Sequence[Decision]) -> Iterator[Problem]:
    """Yield a problem for each decision that has the id of another one under its former name."""
    first: dict[tuple[str, str], Decision] = {}
    for old, new in zip(before, after, strict=True):
        element = "" if new.element in PLANES else new.element
        other = first.setdefault((_subject(new), element), old)
        if other is not old:
            message = f"{quoted(_subject(old))} and {quoted(_subject(other))} ({other.place.short}) are one id now"
            hint = f"keep one of the two, as {quoted(_subject(new))}"
            yield Problem(code="duplicate-key", place=old.place, message=message, hint=hint)


def _subject(one: Decision) -> str:
    return one.control if isinstance(one, ControlStatement) else one.threat


def current_name(name: str, library: Library) -> str:
    """Return ``id@element`` or an id of a threat or control with current names; others as they are."""
    subject, at, element = name.partition("@")
    former = {**library.former.controls, **library.former.threats}
    return former.get(subject, subject) + at + current_id(element, FORMER_ELEMENTS)
