"""Signs in a file of infrastructure code that a system has to do with Slack: names and paths, never values."""

from __future__ import annotations

import re
from collections.abc import Iterator

from threatmodel.evidence.analyses.properties import read
from threatmodel.evidence.relations.found import FunctionRelations
from threatmodel.reading.problems import Place, quoted
from threatmodel.stacks.joining import own_choice, own_name
from threatmodel.stacks.stack import Stack
from threatmodel.stacks.values import Scalar, Table

_OF_OTHERS = re.compile(r"AWS::(?:IAM|Lambda::Permission|Logs|CloudWatch)")
"""Types of resources that are there for others and are called after them."""

Sign = tuple[str, Place]


def signs(stack: Stack, relations: dict[str, FunctionRelations]) -> tuple[Sign, ...]:
    """What speaks of Slack, each once with its place: parameters, resources, variables, routes."""
    found: dict[str, Place] = {}
    for what, place in _signs(stack, relations):
        found.setdefault(what, place)
    return tuple(found.items())


def _signs(stack: Stack, relations: dict[str, FunctionRelations]) -> Iterator[Sign]:
    """The strongest first: where Slack would call, the parameters that it would send, and then names."""
    for found in relations.values():
        for start in found.triggers:
            if _speaks(start.path):
                yield f"the path {quoted(start.path)}", start.places[0]
    for name in relations:
        variables = read(stack.resources[name].properties, "Environment", "Variables")
        for variable in variables.entries if isinstance(variables, Table) else ():
            if isinstance(variables, Table) and _speaks(variable):
                yield f"the variable {quoted(variable)}", variables.keys.get(variable, variables.place)
    yield from _named(stack)


def _named(stack: Stack) -> Iterator[Sign]:
    for file in stack.joined.values() or (stack,):
        if _speaks(file.title):
            yield f"the service {quoted(file.title)}", Place(file.file)
        if isinstance(file.description, Scalar) and _speaks(str(file.description.value)):
            yield "the description", file.description.place
    for name, parameter in stack.parameters.items():
        if _speaks(own_choice(name)):
            yield f"the parameter {quoted(own_choice(name))}", parameter.value.place
    every = (one for one in stack.resources.values() if not one.made_by)
    named = [one for one in every if _speaks(own_name(one.name, stack.joined)[1])]
    for resource in sorted(named, key=lambda one: bool(_OF_OTHERS.match(one.type))):
        yield f"the name {quoted(own_name(resource.name, stack.joined)[1])}", resource.place


def _speaks(text: str) -> bool:
    return "slack" in text.lower()
