"""An assessment made again: under the rules of a check, or as if controls were in place or missing."""

from __future__ import annotations

from collections.abc import Iterable
from types import MappingProxyType

from threatmodel.assessment.assess import assess
from threatmodel.assessment.assessed import Assessment
from threatmodel.assessment.gate.baseline import since
from threatmodel.assessment.gate.judging import held_to, judge
from threatmodel.assessment.gate.known import Baseline
from threatmodel.assessment.gate.missing import with_missing
from threatmodel.assessment.gate.results import CheckResult, Rules
from threatmodel.assessment.misdirected import misdirected_statement
from threatmodel.assessment.states import Assumed
from threatmodel.graph.building import Graph
from threatmodel.model.system import ControlStatement
from threatmodel.reading.problems import InputError, Place, Problem


def again(assessment: Assessment, graph: Graph, assumed: Assumed = MappingProxyType({})) -> Assessment:
    """Return the assessment of another graph of the same system, without the same threats."""
    held = {one.threat for one in graph.system.exclusions}
    named = [name for name in assessment.excluded if name not in held]
    return assess(graph, assessment.library, assessment.today, named, assumed)


def checked(assessment: Assessment, rules: Rules, baseline: Baseline | None) -> tuple[CheckResult, ...]:
    """Return everything that a check under these rules says; compared with a baseline, where there is one."""
    graph = held_to(assessment.graph, rules)
    found = assessment if graph is assessment.graph else again(assessment, graph)
    if baseline is None:
        return judge(found, rules)
    found = with_missing(found, baseline)
    return since(baseline, found, judge(found, rules))


def assumed(given: Iterable[tuple[str, bool, str]], assessment: Assessment) -> Assumed:
    """Return which controls are supposed to be in place or not.

    `given` has each as CONTROL@ELEMENT, or CONTROL for one of a plane, with whether it is in place and where it was
    named.  Raises InputError with every unknown name.
    """
    found: dict[tuple[str, str], bool] = {}
    problems: list[Problem] = []
    for name, in_place, place in given:
        statement = _statement(name, place)
        wrong = list(misdirected_statement(statement, assessment.graph, assessment.library))
        problems += wrong
        if not wrong and statement.control in assessment.library.controls:
            scope = assessment.library.controls[statement.control].scope
            found[statement.control, statement.element or scope] = in_place
    if problems:
        raise InputError(problems)
    return found


def _statement(name: str, place: str) -> ControlStatement:
    control, _, element = name.partition("@")
    return ControlStatement(
        control=control,
        element=element,
        attested_by="",
        on=None,
        expires=None,
        planned_for=None,
        note="",
        place=Place(place, 0),
    )
