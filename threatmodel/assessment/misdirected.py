"""What a model may speak of: statements, acceptances, ratings and exemptions that name what does not exist."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from threatmodel.graph.building import Element, Flow, Graph
from threatmodel.library import lookup
from threatmodel.library.entries import Library
from threatmodel.model.decisions import named_twice
from threatmodel.model.system import Acceptance, ControlStatement, Exclusion, Rating
from threatmodel.model.vocabulary import PLANES
from threatmodel.reading.problems import Place, Problem, article, listed, suggestion


def misdirected(graph: Graph, library: Library) -> Iterator[Problem]:
    """Statements, acceptances, ratings and exemptions that name what does not exist, invariants named twice."""
    yield from named_twice((*library.invariants, *graph.system.invariants))
    yield from _exemptions(graph, library)
    for statement in graph.system.controls:
        yield from misdirected_statement(statement, graph, library)
    named: list[Acceptance | Rating] = [*graph.system.acceptances, *graph.system.ratings]
    for item in named:
        threat = library.threats.get(item.threat)
        if threat is None and not is_off("threat", item.threat, library):
            hint = lookup.hint(library.threats, item.threat, "tm.py --list shows every threat")
            yield Problem(
                code="unknown-threat", place=item.place, message=f"there is no threat '{item.threat}'", hint=hint
            )
        element = _element(graph, item.element)
        if element is None:
            yield _no_element(graph, item.element, item.place)
        elif threat is not None and element.kind not in threat.targets:
            message = f"'{item.threat}' is no threat to {article(element.kind or 'party')}: '{item.element}'"
            hint = f"its targets: {listed(threat.targets)}"
            yield Problem(code="wrong-kind", place=item.place, message=message, hint=hint)


def _exemptions(graph: Graph, library: Library) -> Iterator[Problem]:
    rules = {one.id: one for one in (*library.invariants, *graph.system.invariants)}
    for one in graph.system.exemptions:
        rule, element = rules.get(one.invariant), _element(graph, one.element)
        if rule is None:
            hint = (
                suggestion(one.invariant, rules) or "invariants: of the model, of a file that it uses or of a library"
            )
            message = f"there is no invariant '{one.invariant}'"
            yield Problem(code="unknown-invariant", place=one.place, message=message, hint=hint)
        if element is None:
            yield _no_element(graph, one.element, one.place)
        elif rule is not None and element.kind != rule.kind:
            message = f"'{rule.id}' binds {article(rule.kind)}, and not {article(element.kind or 'party')}"
            yield Problem(code="wrong-kind", place=one.place, message=message, hint="remove the exemption")


def misdirected_statement(statement: ControlStatement, graph: Graph, library: Library) -> Iterator[Problem]:
    """What is wrong with the names of one statement about a control."""
    control = library.controls.get(statement.control)
    if control is None:
        if is_off("control", statement.control, library):
            return
        hint = lookup.hint(library.controls, statement.control)
        message = f"there is no control '{statement.control}'"
        yield Problem(code="unknown-control", place=statement.place, message=message, hint=hint)
    elif not statement.element and control.scope in PLANES:
        return
    elif not statement.element:
        message = f"'{control.id}' lives on each {control.scope}, and this statement names none"
        hint = f"write {control.id}@{control.scope}-id"
        yield Problem(code="no-element", place=statement.place, message=message, hint=hint)
    elif (element := _element(graph, statement.element)) is None:
        yield _no_element(graph, statement.element, statement.place)
    elif element.kind != control.scope:
        kind = article(element.kind or "party")
        message = f"'{control.id}' lives on {article(control.scope)}, but '{element.id}' is {kind}"
        yield Problem(code="wrong-kind", place=statement.place, message=message)


def is_off(part: str, name: str, library: Library) -> bool:
    """Whether a team's library switches something off: then what a model states about it is unnecessary, not wrong."""
    return any((off.part, off.id) == (part, name) for off in library.off)


def _element(graph: Graph, name: str) -> Element | Flow | None:
    return graph.elements.get(name) or graph.flows.get(name)


def _no_element(graph: Graph, name: str, place: Place) -> Problem:
    hint = suggestion(name, [target.id for target in graph.targets()])
    return Problem(code="unknown-element", place=place, message=f"there is no element '{name}'", hint=hint)


def unknown_threats(excluded: Mapping[str, Exclusion | None], library: Library) -> Iterator[Problem]:
    """A problem for each id that is no threat of the library, at the exclusion that has it."""
    for name, by in excluded.items():
        if name not in library.threats:
            hint = lookup.hint(library.threats, name, "tm.py --list shows every threat")
            place = by.place if by is not None else Place("--exclude")
            yield Problem(code="unknown-threat", place=place, message=f"there is no threat '{name}'", hint=hint)
