"""`tm.py check --with CONTROL@ELEMENT`: the effect of a control that is in place, or is not."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from threatmodel.command.request import Invocation
from threatmodel.model.system import ControlStatement
from threatmodel.reading.output import say
from threatmodel.reading.problems import InputError, Place

if TYPE_CHECKING:
    from threatmodel.assessment.assessed import Assessment
    from threatmodel.assessment.states import Assumed


def supposed(request: Invocation) -> int:
    """Print the effect; return 1 where the check fails with it under the rules of the run, 0 otherwise."""
    from threatmodel.assessment.assess import assess
    from threatmodel.assessment.gate.judging import held_to, judge
    from threatmodel.command.checking import asked
    from threatmodel.render.supposed import supposed_lines

    args, rules = request.args, asked(request).rules
    said = request.assessment()
    now = assess(held_to(said.graph, rules), said.library, request.today, request.excluded)
    given = [*((name, "--with") for name in getattr(args, "with")), *((name, "--without") for name in args.without)]
    assumed = _assumed([(request.current(name, now.library, option), option) for name, option in given], now)
    then = assess(now.graph, now.library, request.today, request.excluded, assumed)
    before, after = (sum(result.fails for result in judge(one, rules)) for one in (now, then))
    say([*supposed_lines(now, then, assumed), f"{'fails':<11} {before} now, then {after}"])
    return 1 if after else 0


def _assumed(given: Sequence[tuple[str, str]], assessment: Assessment) -> Assumed:
    """Return which controls are assumed to be in place or not. Raises InputError with every unknown name."""
    from threatmodel.assessment.misdirected import misdirected_statement

    found, problems = {}, []
    for name, option in given:
        statement = _statement(name, option)
        wrong = list(misdirected_statement(statement, assessment.graph, assessment.library))
        problems += wrong
        if not wrong and statement.control in assessment.library.controls:
            scope = assessment.library.controls[statement.control].scope
            found[statement.control, statement.element or scope] = option == "--with"
    if problems:
        raise InputError(problems)
    return found


def _statement(name: str, option: str) -> ControlStatement:
    control, _, element = name.partition("@")
    return ControlStatement(
        control=control,
        element=element,
        attested_by="",
        on=None,
        expires=None,
        planned_for=None,
        note="",
        place=Place(option, 0),
    )
