"""What the Parameter Store keeps beside secrets: plain texts whose name and value speak of none."""

from __future__ import annotations

from threatmodel.evidence.analyses.properties import read
from threatmodel.evidence.analyses.secrets import supplied
from threatmodel.stacks.stack import Resource, Stack
from threatmodel.stacks.values import text, unknowns

_PARAMETERS = ("AWS::SSM::Parameter",)
_PLAIN = ("String", "StringList")


def is_setting(resource: Resource, stack: Stack) -> bool:
    """Whether a parameter is certainly no secret: it is kept in the clear, and neither name nor value speaks of one."""
    kind, value = read(resource.properties, "Type"), read(resource.properties, "Value")
    if resource.type not in _PARAMETERS or text(kind) not in _PLAIN or value is None:
        return False
    if any(getattr(node, "given", ()) or next(unknowns(node), None) for node in (kind, value)):
        return False
    named = (text(read(resource.properties, "Name")) or resource.name, resource.name)
    return all(supplied(name.rpartition("/")[2], value, stack).secret is False for name in named)
