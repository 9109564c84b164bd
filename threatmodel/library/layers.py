"""Libraries on top of each other: a team adds threats and controls, replaces some, and switches others off."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple, TypeVar

from threatmodel.library import lookup
from threatmodel.library.current import CurrentIds, former_ids
from threatmodel.library.entries import NO_FORMER_IDS, Control, FormerIds, Library, Off, Replaced, Threat
from threatmodel.library.weakness import weaknesses
from threatmodel.model.system import Invariant
from threatmodel.reading.former import Renamed
from threatmodel.reading.problems import InputError, Problem
from threatmodel.reading.values import dataclass, field, replace

T = TypeVar("T", Threat, Control)


class Layer(NamedTuple):
    """What one folder holds."""

    threats: Sequence[Threat]
    controls: Sequence[Control]
    off: list[Off]
    invariants: Sequence[Invariant] = ()


@dataclass(slots=True)
class Layered:
    """What all layers hold together; what is switched off is still among them."""

    threats: dict[str, Threat] = field(default_factory=dict)
    controls: dict[str, Control] = field(default_factory=dict)
    replaced: list[Replaced] = field(default_factory=list)
    off: list[Off] = field(default_factory=list)
    former: FormerIds = NO_FORMER_IDS
    renamed: list[Renamed] = field(default_factory=list)


def layered(layers: Sequence[Layer], problems: list[Problem]) -> Layered:
    """The layers together, later ones on top; notes where one switches off what does not exist."""
    found = Layered()
    for given in layers:
        layer = _current(given, found, problems)
        _put(found, "threat", found.threats, layer.threats)
        _put(found, "control", found.controls, layer.controls)
        found.off += _of_kinds(found, layer)
        for off in layer.off:
            if off.part == "kind":
                continue
            known: Mapping[str, Threat | Control] = found.threats if off.part == "threat" else found.controls
            if off.id in known:
                found.off.append(replace(off, title=known[off.id].title))
            else:
                hint = lookup.hint(known, off.id)
                message = f"there is no {off.part} '{off.id}' to switch off"
                problems.append(Problem(code=f"unknown-{off.part}", place=off.place, message=message, hint=hint))
    return found


def _current(layer: Layer, found: Layered, problems: list[Problem]) -> Layer:
    """Return a layer with the current ids of itself and of those below it; notes what it has under two ids."""
    found.former = former_ids(layer.threats, layer.controls, found.former)
    ids = CurrentIds(found.former)
    threats = [ids.of_threat(one) for one in layer.threats]
    controls = [ids.of_control(one) for one in layer.controls]
    off = [ids.of_off(one) for one in layer.off]
    found.renamed += ids.renamed
    problems += [*_twice(threats), *_twice(controls)]
    return layer._replace(threats=threats, controls=controls, off=off)


def _twice(items: Sequence[T]) -> Iterator[Problem]:
    """Yield a problem for each entry that has the id of another one under its former name."""
    first: dict[str, T] = {}
    for item in items:
        other = first.setdefault(item.id, item)
        if other is not item:
            message = f"'{item.id}' is the id of {other.place.file} too, which has its former or its current name"
            yield Problem(code="duplicate-id", place=item.place, message=message, hint="keep one of the two")


def _put(found: Layered, part: str, known: dict[str, T], items: Sequence[T]) -> None:
    """Lays threats or controls on top of those of the same id; what was switched off is on again."""
    for given in items:
        item: T = given
        if item.id in known:
            old: T = known[item.id]
            item = replace(item, formerly=tuple(dict.fromkeys((*old.formerly, *item.formerly))))
            weakens = tuple(weaknesses(item, old))
            found.replaced.append(Replaced(part=part, id=item.id, place=item.place, of=old.place, weakens=weakens))
        known[item.id] = item
    on = {item.id for item in items}
    found.off = [off for off in found.off if off.part != part or off.id not in on]


def _of_kinds(found: Layered, layer: Layer) -> Iterator[Off]:
    """The threats of the layers below that target none but the kinds of element that a layer switches off."""
    kinds = {off.id: off for off in layer.off if off.part == "kind"}
    own = {threat.id for threat in layer.threats} | {off.id for off in layer.off if off.part == "threat"}
    gone = {off.id for off in found.off if off.part == "threat"}
    for threat in found.threats.values() if kinds else ():
        if kinds.keys() >= set(threat.targets) and threat.id not in own | gone:
            why = dict.fromkeys(kinds[kind].reason for kind in threat.targets)
            place = kinds[threat.targets[0]].place
            yield Off(part="threat", id=threat.id, title=threat.title, reason="; ".join(why), place=place)


def switched_off(library: Library, off: Sequence[Off]) -> Library:
    """The library without what is switched off.  Raises InputError where a control requires one that is."""
    gone = {part: {item.id: item for item in off if item.part == part} for part in ("threat", "control")}
    controls = {name: control for name, control in library.controls.items() if name not in gone["control"]}
    if problems := [*_requiring(controls, gone["control"])]:
        raise InputError(problems)
    return replace(
        library,
        threats={
            name: replace(threat, links=tuple(link for link in threat.links if link.control not in gone["control"]))
            for name, threat in library.threats.items()
            if name not in gone["threat"]
        },
        controls=controls,
        off=tuple(off),
    )


def _requiring(controls: Mapping[str, Control], gone: Mapping[str, Off]) -> Iterator[Problem]:
    for control in controls.values():
        for required in control.requires:
            if required in gone:
                message = f"'{required}' is switched off, but '{control.id}' requires it"
                hint = f"switch off '{control.id}' too, or replace it with a version that does not require it"
                yield Problem(code="required-control", place=gone[required].place, message=message, hint=hint)
