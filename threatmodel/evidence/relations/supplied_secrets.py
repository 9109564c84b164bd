"""What variables and parameters hold: a secret that is no resource of the file, by its key, or a plain setting."""

from __future__ import annotations

import re

from threatmodel.evidence.analyses.properties import read
from threatmodel.evidence.analyses.secrets import Supply, supplied
from threatmodel.evidence.outside import Outside
from threatmodel.stacks.joining import own_choice
from threatmodel.stacks.stack import Resource, Stack
from threatmodel.stacks.values import Node, shape_of, text, unknowns

_DYNAMIC = re.compile(r"\{\{resolve:(secretsmanager|ssm)(?:-secure)?:((?!arn:)[^:{}$]{1,500})")
"""A dynamic reference to a secret by its plain name."""
_FROM_STORE = re.compile(r"ssm:(?:/aws/reference/(secretsmanager)/)?(.*)")
"""The name of a value that Serverless reads from the Parameter Store, which hands on from Secrets Manager."""


def supplied_secret(supply: Supply, node: Node, stack: Stack) -> Outside | None:
    """Return where the secret is kept that a variable holds, and its name there.

    One that a parameter supplies is the same secret in each variable; else each variable's name stands for its own.
    """
    if not supply.secret or not supply.named:
        return None
    match supply.how:
        case "secretsmanager-dynamic" | "ssm-secure" | "ssm-dynamic":
            return _stored(_DYNAMIC.search(shape_of(node)))
        case "parameter" | "hidden-parameter":
            parameter = {**stack.hidden, **stack.parameters}[supply.by]
            name = own_choice(parameter.name)
            kept = _FROM_STORE.match(f"ssm:{parameter.stored}" if parameter.stored else name)
            return _stored(kept) or Outside("environment", name.rpartition(":")[2])
        case how:
            return Outside("code" if how == "literal-secret" else "environment", supply.name)


def _stored(found: re.Match[str] | None) -> Outside | None:
    return Outside(found[1] or "ssm", found[2].strip("/")) if found is not None else None


# --- settings

_PLAIN = ("String", "StringList")


def is_setting(resource: Resource, stack: Stack) -> bool:
    """Whether a parameter is certainly no secret: it is kept in the clear, and neither name nor value speaks of one."""
    kind, value = read(resource.properties, "Type"), read(resource.properties, "Value")
    if resource.type != "AWS::SSM::Parameter" or text(kind) not in _PLAIN or value is None:
        return False
    if any(getattr(node, "given", ()) or next(unknowns(node), None) for node in (kind, value)):
        return False
    named = (text(read(resource.properties, "Name")) or resource.name, resource.name)
    return all(supplied(name.rpartition("/")[2], value, stack).secret is False for name in named)
