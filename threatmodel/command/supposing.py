"""`tm.py check --with CONTROL@ELEMENT`: the effect of a control that is in place, or is not."""

from __future__ import annotations

from threatmodel.command.request import Invocation
from threatmodel.reading.output import say


def supposed(request: Invocation) -> int:
    """Print the effect; return 1 where the check fails with it under the rules of the run, 0 otherwise."""
    from threatmodel.assessment.assess import assess
    from threatmodel.assessment.assessing_again import assumed
    from threatmodel.assessment.gate.judging import held_to, judge
    from threatmodel.command.checking import asked
    from threatmodel.render.supposed import supposed_lines

    args, rules = request.args, asked(request).rules
    said = request.assessment()
    now = assess(held_to(said.graph, rules), said.library, request.today, request.excluded)
    given = [*((name, "--with") for name in getattr(args, "with")), *((name, "--without") for name in args.without)]
    current = ((request.current(name, now.library, option), option == "--with", option) for name, option in given)
    what = assumed(current, now)
    then = assess(now.graph, now.library, request.today, request.excluded, what)
    before, after = (sum(result.fails for result in judge(one, rules)) for one in (now, then))
    say([*supposed_lines(now, then, what), f"{'fails':<11} {before} now, then {after}"])
    return 1 if after else 0
