"""The logical ids that the Serverless Framework makes of names, and the way back."""

from __future__ import annotations

from threatmodel.stacks.stack import Resource
from threatmodel.stacks.values import get, text

_MADE = {"LambdaFunction": "FunctionName", "EventBridgeEventBus": "Name"}
"""How the logical ids end that the framework makes of names, and the property with the whole name."""
_LONGEST = 256
"""Characters of an own name that are looked at; EventBridge takes as many."""


def upper_first(name: str) -> str:
    """A name that begins with a capital letter."""
    return name[:1].upper() + name[1:]


def logical(name: str) -> str:
    """The beginning of the logical ids of what is made of a function, layer or authorizer."""
    return upper_first(name.replace("-", "Dash").replace("_", "Underscore"))


def key_of(resource: Resource) -> str:
    """What a function or bus is called in a serverless.yml whose logical id spells out marks; '' where none is stated.

    The framework calls a function SERVICE-STAGE-KEY: the key is the end of that name of which the logical id is made.
    """
    made = next((end for end in _MADE if resource.name.endswith(end)), "")
    if not made or ("Dash" not in resource.name and "Underscore" not in resource.name):
        return ""
    own = (text(get(resource.properties, _MADE[made])) or "")[:_LONGEST]
    ends = (own[at:] for at in range(len(own)))
    return next((end for end in ends if f"{logical(end)}{made}" == resource.name), "")
