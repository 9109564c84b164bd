"""Whether the password of a database or cache is in plaintext in the file, or shown by the stack.

Values are looked at here and dropped: what is returned holds names, places and words, never a value.
"""

from __future__ import annotations

from collections.abc import Sequence

from threatmodel.evidence.analyses.properties import flag
from threatmodel.evidence.analyses.registry import analysis
from threatmodel.evidence.analyses.secrets import supplied
from threatmodel.evidence.answers import Answered, Gathered, Outcome, Unanswered, doubt_of, named
from threatmodel.stacks.stack import Resource, Stack
from threatmodel.stacks.values import Scalar, Unknown, is_set

_NAME = "PASSWORD"
"""The property is a password, whatever its own name and its value say."""


@analysis("password", "managed")
def password_in_plaintext(parts: Sequence[Gathered], resource: Resource, stack: Stack) -> Outcome:
    """Whether a password is a literal, or a parameter that everyone who reads the stack sees (no NoEcho)."""
    managed = next((part for part in named(parts, "managed") if flag(part.node)), None)
    for part in named(parts, "password"):
        outcome = _judged(part, stack)
        doubt = doubt_of(part.resource, resource)
        if outcome is not None:
            return outcome if doubt is None or not isinstance(outcome, Answered) else Unanswered(doubt.why, doubt.place)
    if managed is None:
        return None
    return Answered(value=False, places=(managed.node.place,), note="Secrets Manager holds the password")


def _judged(part: Gathered, stack: Stack) -> Outcome:
    node = part.node
    if isinstance(node, Scalar) and not is_set(node):
        return None
    supply = supplied(_NAME, node, stack)
    if supply.how in {"secretsmanager-dynamic", "ssm-secure"}:
        return Answered(value=False, places=(node.place,), note="it is read from a managed store")
    parameter = {**stack.parameters, **stack.hidden}.get(supply.by)
    if parameter is not None and parameter.hidden and isinstance(parameter.value, Unknown):
        return Answered(value=False, places=(node.place,), note="a hidden parameter supplies it")
    if parameter is not None and not parameter.hidden:
        note = f"the parameter {supply.by} supplies it, and is shown with the stack (no NoEcho)"
        return Answered(value=True, places=(node.place,), note=note)
    if supply.how in {"literal", "literal-secret"}:
        return Answered(value=True, places=(node.place,), note="the file contains the password as a literal")
    why = "the hidden parameter has a default in the file, which a deployment may replace"
    return Unanswered(why if parameter is not None else supply.why or "its value cannot be read", node.place)
