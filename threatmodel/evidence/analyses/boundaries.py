"""Whether the boundary of a function's role bounds anything that matters."""

from __future__ import annotations

from collections.abc import Sequence

from threatmodel.evidence.analyses.registry import analysis
from threatmodel.evidence.answers import Answered, Gathered, Outcome, Unanswered, unknown, yes
from threatmodel.evidence.policies.grants import attached
from threatmodel.evidence.policies.permissions import effective
from threatmodel.stacks.stack import Resource, Stack


@analysis("boundary")
def boundary_bounds(parts: Sequence[Gathered], resource: Resource, stack: Stack) -> Outcome:
    """Whether what the boundary allows leaves out every known way to more rights.

    A boundary that allows everything, or one such action, limits nothing.  Unknown if its document is not in these
    files and it is none of AWS's own policies.
    """
    for part in parts:
        doubt = part.resource.doubt
        if doubt is not None and part.resource.name != resource.name:
            return unknown(doubt)
        found = effective(attached(part.node, stack, follow=True))
        if found.escalations:
            note = f"the boundary allows {found.escalations[0].way.cited}"
            return Answered(value=False, places=(part.node.place, *found.escalations[0].places), note=note)
        if found.unknown:
            return Unanswered(f"what the boundary allows: {found.unknown[0].why}", part.node.place)
        return yes(part.node.place)
    return None
