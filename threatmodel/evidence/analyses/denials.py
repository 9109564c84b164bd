"""What statements of policies deny to all principals except named ones."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence

from threatmodel.evidence.answers import Answered, Gathered, Outcome, every, places, unknown, yes
from threatmodel.evidence.policies.arns import arn_parts
from threatmodel.evidence.policies.grants import ConditionKey, Grant, Pattern
from threatmodel.stacks.values import Unknown

_EXEMPTS = ("arnnotlike", "arnnotequals", "stringnotlike", "stringnotequals")


def everywhere(grant: Grant) -> bool:
    """Whether a statement is about every resource."""
    return not grant.but_resources and any(one.text == "*" for one in grant.resources)


def exempts(condition: ConditionKey) -> bool:
    """Whether a condition spares some named principals, and nothing else."""
    named = condition.key in {"aws:principalarn", "aws:principalorgid"}
    return named and condition.operator in _EXEMPTS and all(_is_named(one) for one in condition.values)


def _is_named(one: Pattern) -> bool:
    name = re.sub(r"\A(?:role|user|assumed-role)/", "", arn_parts(one.text)[-1])
    return one.open is None and name.strip("*?/") != ""


def denies(grant: Grant, action: str, holds: Callable[[ConditionKey], bool] | None = None) -> bool | None:
    """Whether a statement denies an action on everything, but for principals that are spared.

    `holds` says which further condition it may have; it must then have one, unless it has none at all.
    """
    if grant.effect == "Allow" or not everywhere(grant):
        return None if grant.open is not None and not grant.actions else False
    rest = [one for one in grant.conditions if not exempts(one)]
    if rest and (holds is None or not all(holds(one) for one in rest)):
        return None if any(not one.key or one.open is not None for one in rest) else False
    covered = grant.covers(action)
    return None if covered and grant.open is not None else covered


def all_denied(
    parts: Sequence[Gathered],
    found: Sequence[Grant],
    actions: Iterable[str],
    holds: Callable[[ConditionKey], bool] | None,
) -> Outcome:
    """Whether every action is denied by a statement."""
    rests = []
    for action in actions:
        decided = [(grant, denies(grant, action, holds)) for grant in found]
        decisive = next((grant for grant, denied in decided if denied), None)
        hidden = next((grant for grant, denied in decided if denied is None), None)
        if decisive is not None:
            rests.append(yes(decisive.place))
        elif hidden is not None:
            open_one = next((grant.open for grant in found if grant.open is not None), None)
            return unknown(open_one or Unknown("a statement cannot be read", hidden.place))
        else:
            return Answered(value=False, places=places(parts), note=f"nothing denies {action}")
    return every(rests)
