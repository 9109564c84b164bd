"""The logical ids that the Serverless Framework makes of names, and the way back."""

from __future__ import annotations

from threatmodel.stacks.stack import Resource
from threatmodel.stacks.values import get, text

_FUNCTION = "LambdaFunction"
_LONGEST = 140
"""Characters of a function's own name that are looked at; Lambda takes 64."""


def upper_first(name: str) -> str:
    """A name that begins with a capital letter."""
    return name[:1].upper() + name[1:]


def logical(name: str) -> str:
    """The beginning of the logical ids of what is made of a function, layer or authorizer."""
    return upper_first(name.replace("-", "Dash").replace("_", "Underscore"))


def key_of(resource: Resource) -> str:
    """The key of a function in a serverless.yml where its logical id spells out marks in it; '' where none is told.

    The framework calls a function SERVICE-STAGE-KEY: the key is the end of that name of which the logical id is made.
    """
    if not resource.name.endswith(_FUNCTION) or ("Dash" not in resource.name and "Underscore" not in resource.name):
        return ""
    own = (text(get(resource.properties, "FunctionName")) or "")[:_LONGEST]
    ends = (own[at:] for at in range(len(own)))
    return next((end for end in ends if f"{logical(end)}{_FUNCTION}" == resource.name), "")
