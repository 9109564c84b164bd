"""The functions that a model has because it says of a file that all its functions belong to it."""

from __future__ import annotations

from collections.abc import Mapping

from threatmodel.evidence.environments import Environment, environments
from threatmodel.evidence.mappings.load import mappings_of
from threatmodel.evidence.mappings.stack_facts import StackFacts
from threatmodel.evidence.matching import MATCHED, kebab, matches
from threatmodel.evidence.relations.fitting import used_as, uses_of
from threatmodel.evidence.relations.found import function_relations
from threatmodel.evidence.sources import Sources
from threatmodel.model.system import Node, System
from threatmodel.model.vocabulary import PLANES, Kind
from threatmodel.reading.problems import Place
from threatmodel.reading.values import replace
from threatmodel.stacks.stack import Stack


def with_functions(system: System, sources: Sources) -> System:
    """The system with the functions of every file whose functions all belong to it, and what these meet.

    A file that could not be used yields none: `collect` reports it, with all others of the kind.
    """
    for environment in environments(system):
        opened = sources.stacks.get(environment.number)
        if opened is not None and any(one.every_function for one in environment.files.values()):
            system = _with_every_function(system, environment, opened.stack)
    return system


def _with_every_function(system: System, environment: Environment, stack: Stack) -> System:
    """The system with every function of some files, and the apis, stores, queues and secrets that they meet."""
    facts = StackFacts(stack, mappings_of(stack.kind))
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
    nodes = dict(system.nodes)
    resources = {label: dict(one.resources) for label, one in environment.files.items()}
    for name, word in wanted.items():
        kind = next((kind for kind in MATCHED if kind == word), None)
        if kind is not None and name not in known and name in stack.resources:
            label, own = environment.own(name)
            element = _free(kebab(own), nodes)
            nodes[element] = _node(kind, element, stack.resources[name].place)
            resources[label][element] = (own, stack.resources[name].place)
    evidence = list(system.evidence)
    for number, label in environment.labels.items():
        evidence[number] = replace(evidence[number], resources=resources[label])
    return replace(system, nodes=_ordered(nodes), evidence=tuple(evidence))


def _node(kind: Kind, element: str, place: Place) -> Node:
    return Node(kind=kind, id=element, name=element, description="", place=place, facts={}, relations={})


def _free(element: str, nodes: Mapping[str, Node]) -> str:
    while element in nodes or element in PLANES:
        element += "-2"
    return element


def _ordered(nodes: Mapping[str, Node]) -> dict[str, Node]:
    """Planes last, as a loaded model has them."""
    return dict(sorted(nodes.items(), key=lambda item: item[1].kind in PLANES))
