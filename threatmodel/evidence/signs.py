"""Signs in a file of infrastructure code that a system has to do with Slack: names and paths, never values."""

from __future__ import annotations

from collections.abc import Iterator

from threatmodel.evidence.analyses.properties import read
from threatmodel.evidence.relations.found import FunctionRelations
from threatmodel.reading.problems import Place, quoted
from threatmodel.stacks.stack import Stack
from threatmodel.stacks.values import Table

Sign = tuple[str, Place]


def signs(stack: Stack, relations: dict[str, FunctionRelations]) -> tuple[Sign, ...]:
    """What speaks of Slack, each once with its place: parameters, resources, variables, routes."""
    found: dict[str, Place] = {}
    for what, place in _signs(stack, relations):
        found.setdefault(what, place)
    return tuple(found.items())


def _signs(stack: Stack, relations: dict[str, FunctionRelations]) -> Iterator[Sign]:
    for name, parameter in stack.parameters.items():
        if _speaks(name):
            yield f"the parameter {quoted(name)}", parameter.value.place
    for resource in stack.resources.values():
        if not resource.made_by and _speaks(resource.name):
            yield f"the name {quoted(resource.name)}", resource.place
    for name, found in relations.items():
        variables = read(stack.resources[name].properties, "Environment", "Variables")
        for variable in variables.entries if isinstance(variables, Table) else ():
            if _speaks(variable):
                place = (
                    variables.keys.get(variable, variables.place)
                    if isinstance(variables, Table)
                    else stack.resources[name].place
                )
                yield f"the variable {quoted(variable)}", place
        for start in found.triggers:
            if _speaks(start.path):
                yield f"the path {quoted(start.path)}", start.places[0]


def _speaks(text: str) -> bool:
    return "slack" in text.lower()
