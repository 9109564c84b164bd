"""The functions that a model has because it says of a file that all its functions belong to it."""

from __future__ import annotations

from collections.abc import Container

from threatmodel.evidence.environments import Environment, environments
from threatmodel.evidence.mappings.load import load_mappings
from threatmodel.evidence.mappings.stack_facts import StackFacts
from threatmodel.evidence.matching import MATCHED, kebab, matches
from threatmodel.evidence.relations.found import function_relations
from threatmodel.evidence.relations.use import used_as, uses_of
from threatmodel.evidence.sources import Sources
from threatmodel.model.system import Node, System
from threatmodel.model.vocabulary import PLANES, Kind
from threatmodel.reading.values import replace
from threatmodel.stacks.cloudformation.constructs import HELPER, construct, helper
from threatmodel.stacks.stack import Resource, Stack


def with_functions(system: System, sources: Sources) -> System:
    """The system with the functions of every file whose functions all belong to it, and what these meet.

    A file that could not be used yields none: `collect` reports it, with all others of the kind.
    """
    for environment in environments(system, sources.deployed):
        opened = sources.stacks.get(environment.number)
        if opened is not None and any(one.every_function for one in environment.files.values()):
            system = _with_every_function(system, environment, opened.stack)
    return system


def _with_every_function(system: System, environment: Environment, stack: Stack) -> System:
    """The system with every function of some files, and the apis, stores, queues and secrets that they meet."""
    facts = StackFacts(stack, load_mappings())
    kinds = {name: facts.kinds_of_type(kind) for name, kind in stack.types()}
    known = set(matches(system, environment.source, stack, kinds).resources.values())
    wanted: dict[str, str] = {}
    by_function = function_relations(stack, facts)
    used = used_as(by_function)
    for function, relations in by_function.items():
        if not environment.files[environment.own(function)[0]].every_function:
            continue
        wanted[function] = "function"
        named = (*(start.source for start in relations.triggers), *(use.resource for _, use in uses_of(relations)))
        for name in filter(None, named):
            wanted.setdefault(name, used[name])
    nodes, before = dict(system.nodes), set(system.nodes)
    resources = {label: dict(one.resources) for label, one in environment.files.items()}
    for name, word in wanted.items():
        kind = next((kind for kind in MATCHED if kind == word), None)
        if kind is not None and name not in known and name in stack.resources:
            label, own = environment.own(name)
            resource, formerly = stack.resources[name], _free(kebab(own), "", before)
            before.add(formerly)
            element = _free(kebab("-".join(construct(resource)[-2:]) or own), kebab(label) if label else "", nodes)
            nodes[element] = _node(kind, element, resource, formerly if formerly != element else "")
            resources[label][element] = (own, resource.place)
    evidence = list(system.evidence)
    for number, label in environment.labels.items():
        evidence[number] = replace(evidence[number], resources=resources[label])
    ordered = dict(sorted(nodes.items(), key=lambda item: item[1].kind in PLANES))  # as a loaded model has them
    return replace(system, nodes=ordered, evidence=tuple(evidence))


def _node(kind: Kind, element: str, resource: Resource, formerly: str) -> Node:
    what = helper(resource) if kind == "function" else ""
    return Node(
        kind=kind,
        id=element,
        name=element,
        description=f"{HELPER}, which {what}" if what else "",
        place=resource.place,
        facts={},
        relations={},
        formerly=formerly,
    )


def _free(element: str, label: str, taken: Container[str]) -> str:
    """An id that is free: with the label of the file where another has it, else with a number."""
    if label and element in taken:
        element = f"{label}-{element}"
    while element in taken or element in PLANES:
        element += "-2"
    return element
