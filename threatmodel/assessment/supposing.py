"""Controls that are supposed to be in place, or missing: names from an author, held to what there is."""

from __future__ import annotations

from collections.abc import Iterable

from threatmodel.assessment.assessed import Assessment
from threatmodel.assessment.misdirected import misdirected_statement
from threatmodel.assessment.states import Assumed
from threatmodel.model.system import ControlStatement
from threatmodel.reading.problems import InputError, Place, Problem


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
