"""What must hold between the files of a library: links resolve, nothing is orphaned, exposure is not weakness."""

from __future__ import annotations

from collections.abc import Iterator

from threatmodel.graph.reach import REACHES
from threatmodel.library.condition import And, Condition, Leaf, Or, Tree, leaves
from threatmodel.library.contradiction import can_hold
from threatmodel.library.entries import Control, ControlLink, Library, Threat
from threatmodel.model.vocabulary import INPUTS, Kind
from threatmodel.reading.problems import Place, Problem, article, listed, suggestion


def lint(library: Library) -> list[Problem]:
    """Every problem between the files of a library."""
    problems = [*_links(library), *_requirements(library), *_orphans(library), *_former(library)]
    if library.layers:  # a test holds the toolkit's own entries to it, which saves each run the time
        problems += senseless(library)
    for threat in library.threats.values():
        problems += _exposure(threat, library)
    return problems


def _links(library: Library) -> Iterator[Problem]:
    for threat in library.threats.values():
        for link in threat.links:
            control = library.controls.get(link.control)
            if control is None:
                yield _unknown(link.control, library, link.place)
                continue
            for kind in threat.targets:
                if control.scope not in REACHES[kind]:
                    message = f"'{link.control}' applies to {article(control.scope)}, which no {kind} reaches"
                    hint = f"reached from {article(kind)}: {listed(sorted(REACHES[kind]))}"
                    yield Problem(code="unreachable-control", place=link.place, message=message, hint=hint)


def senseless(library: Library) -> Iterator[Problem]:
    """Yield a problem for each link to a control that is never applicable where the link has its effect."""
    for threat in library.threats.values():
        for link in threat.links:
            control = library.controls.get(link.control)
            if control is None or (kind := control.scope) not in threat.applies:
                continue
            if reason := _never_applicable(threat.applies[kind], link, control, kind):
                message = f"'{link.control}' is applicable to no {kind} that the threat applies to: {reason}"
                hint = "link another control, or add its 'needs' to what the threat applies to"
                yield Problem(code="contradicting-condition", place=link.place, message=message, hint=hint)


def _never_applicable(exposed: Condition, link: ControlLink, control: Control, kind: Kind) -> str:
    """Return why a control is never applicable to an element that a threat and a link's condition select; or ''."""
    selected = [exposed, *(one for name, one in link.conditions.items() if name == kind)]
    read = {fact for one in selected for fact in one.facts}
    for need in control.needs:
        shared = not read.isdisjoint(need.condition.facts)  # conditions on different facts never contradict each other
        if shared and not can_hold(And((*(one.tree for one in selected), need.condition.tree)), kind):
            return need.reason
    return ""


def _unknown(control: str, library: Library, place: Place) -> Problem:
    hint = suggestion(control, library.controls)
    return Problem(code="unknown-control", place=place, message=f"there is no control '{control}'", hint=hint)


def _requirements(library: Library) -> Iterator[Problem]:
    for control in library.controls.values():
        for required in control.requires:
            other = library.controls.get(required)
            if other is None:
                yield _unknown(required, library, control.place)
            elif other.scope not in REACHES[control.scope]:
                message = f"'{required}' applies to {article(other.scope)}, which no {control.scope} reaches"
                yield Problem(code="unreachable-control", place=control.place, message=message)
        if control.id in library.with_required(control.requires):
            message = f"'{control.id}' requires itself through {listed(control.requires)}"
            yield Problem(code="circular-requirement", place=control.place, message=message)


def _orphans(library: Library) -> Iterator[Problem]:
    used = {link.control for threat in library.threats.values() for link in threat.links}
    used |= {required for control in library.controls.values() for required in control.requires}
    for control in library.controls.values():
        if control.id not in used:
            message = f"no threat links to '{control.id}'"
            yield Problem(code="orphan-control", place=control.place, message=message, hint="link it, or delete it")
    for threat in library.threats.values():
        if not threat.links and not threat.by_provider:
            message = f"'{threat.id}' links to no control"
            yield Problem(
                code="orphan-threat", place=threat.place, message=message, hint="link a control that addresses it"
            )


def _former(library: Library) -> Iterator[Problem]:
    """Yield a problem for each former id that is an id now, or that two entries claim."""
    entries: list[Threat | Control] = [*library.threats.values(), *library.controls.values()]
    claimed: dict[str, str] = {one.id: one.id for one in entries}
    for one in entries:
        for old in (*one.formerly, *one.took_in):
            other = claimed.setdefault(old, one.id)
            if other != one.id or old == one.id:
                message = f"'{old}' cannot be a former id of '{one.id}': it belongs to '{other}'"
                hint = "remove it from one of the two"
                yield Problem(code="duplicate-id", place=one.place, message=message, hint=hint)


def _exposure(threat: Threat, library: Library) -> Iterator[Problem]:
    """A control in place answers its threat, it does not make it vanish: `applies` reads no fact of its control.

    A fact that is bad by itself may widen the exposure, as one alternative beside others (`... or target.fact`).
    """
    for kind, condition in threat.applies.items():
        read = set().union(*(_roots(kind, name) for name in condition.facts))
        for link in threat.links:
            control = library.controls.get(link.control)
            if control is None or control.in_place is None:
                continue
            decides = set().union(*(_roots(control.scope, name) for name in control.in_place.facts))
            for of, name in sorted(read & decides):
                if (of, name) in _widening(condition.tree, kind, decides):
                    continue
                message = (
                    f"'applies' depends on '{name}' of {article(of)}, which decides its control '{control.id}' too"
                )
                hint = "state when an element is exposed, not when the control is missing"
                yield Problem(code="weakness-as-exposure", place=threat.place, message=message, hint=hint)


def _widening(tree: Tree, kind: str, deciding: set[tuple[str, str]]) -> set[tuple[str, str]]:
    """The facts that only widen a condition: each is an alternative to one that is not a weakness."""
    parts = tree.parts if isinstance(tree, Or) else ()
    read = [set().union(*(_roots(kind, leaf.fact) for leaf in leaves(part))) for part in parts]
    alone: set[tuple[str, str]] = set()
    elsewhere: set[tuple[str, str]] = set()
    for part, facts in zip(parts, read, strict=True):
        if not isinstance(part, Leaf):
            elsewhere |= facts
        elif not part.test:
            alone |= facts
    return alone - elsewhere if any(facts.isdisjoint(deciding) for facts in read) else set()


def _roots(kind: str, name: str) -> set[tuple[str, str]]:
    """The fact itself, or the stated inputs of a derived one."""
    inputs = INPUTS.get((kind, name))
    return {(kind, name)} if inputs is None else {(given.kind, given.name) for given in inputs} or {(kind, name)}
