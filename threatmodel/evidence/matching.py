"""Files held against the model: which resource is which element, by the author's word, else by name."""

from __future__ import annotations

import re
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from itertools import chain
from typing import NamedTuple

from threatmodel.evidence.environments import Environment
from threatmodel.evidence.mappings.load import load_mappings
from threatmodel.evidence.mappings.stack_facts import StackFacts
from threatmodel.evidence.outside import host_of, is_host, names_of, outside
from threatmodel.evidence.relations.naming import kinds_of
from threatmodel.evidence.resource_types import known
from threatmodel.model.system import EvidenceFile, System
from threatmodel.model.vocabulary import Kind
from threatmodel.reading.problems import Place, Problem, listed, quoted, suggestion
from threatmodel.reading.spelling import latin
from threatmodel.reading.values import dataclass, replace
from threatmodel.stacks.cloudformation.constructs import construct
from threatmodel.stacks.joining import own_name
from threatmodel.stacks.serverless.names import key_of
from threatmodel.stacks.stack import Resource, Stack
from threatmodel.stacks.values import text

MATCHED: tuple[Kind, ...] = ("function", "api", "store", "queue", "secret")
"""The kinds of element that are resources of a file."""

ENDINGS: Mapping[str, tuple[str, ...]] = {
    "function": ("function", "lambda", "handler", "lambdafunction"),
    "api": ("restapi", "httpapi", "websocketapi", "api", "url", "functionurl"),
    "store": ("table", "bucket", "database", "cluster", "store", "filesystem", "domain", "stream", "cache"),
    "queue": ("queue", "topic", "bus", "eventbus", "stream"),
    "secret": ("secret", "parameter"),
    "external system": (
        *(
            "statemachine",
            "workflow",
            "machine",
            "userpool",
            "pool",
            "rule",
            "cluster",
            "broker",
            "agent",
            "api",
            "key",
        ),
        *("distribution", "targetgroup", "collection"),
    ),
}
"""Words that a resource's name ends in and an element's id may leave out."""


class Matches(NamedTuple):
    """Elements by id with their resource's name, model elements that the file lacks, and problems."""

    resources: Mapping[str, str]
    missing: tuple[tuple[str, str, Place], ...]
    problems: tuple[Problem, ...]


def matches(system: System, source: EvidenceFile, stack: Stack, kinds: Mapping[str, Sequence[str]]) -> Matches:
    """The resource of each element; `kinds` says which kinds of element each resource can be."""
    problems = [*_misnamed(system, source, stack), *_of_other_kinds(system, source, stack, kinds)]
    found: dict[str, str] = {}
    missing: list[tuple[str, str, Place]] = []
    taken = {name for name, _ in source.resources.values()}
    nodes = [node for node in system.nodes.values() if node.kind in MATCHED and not node.out_of_scope]
    by_name = _by_name({n.id: n.kind for n in nodes if n.id not in source.resources}, stack, kinds, taken)
    for node in nodes:
        if node.id in source.resources:
            name = source.resources[node.id][0]
            if name in stack.resources:
                found[node.id] = name
            continue
        candidates = by_name[node.id]
        if len(candidates) == 1:
            found[node.id] = candidates[0]
        elif candidates:
            problems.append(_ambiguous(node.id, candidates, source, stack))
        else:
            missing.append((node.id, node.kind, node.place))
    return Matches(found, tuple(_only_api(found, missing, stack, kinds)), tuple(problems))


def _ambiguous(element: str, candidates: Sequence[str], source: EvidenceFile, stack: Stack) -> Problem:
    """That an element may be several resources, and where to state which one it is."""
    if not stack.joined:
        hint = f"state which one under resources: {{{element}: {candidates[0]}}}"
        message = f"{quoted(element)} may be any of {listed(candidates)} in {stack.file}"
    else:
        found = [own_name(name, stack.joined) for name in candidates]
        said = (f"{name} in {stack.joined[label].file}" for label, name in found)
        message = f"{quoted(element)} may be any of {listed(said)}, which are in one environment"
        hint = (
            f"state which one in the entry of its file: resources: {{{element}: {found[0][1]}}}; "
            "give a file of another deployment its own environment: NAME"
        )
    return Problem(code="ambiguous-resource", place=source.place, message=message, hint=hint)


def mistakable(
    elements: Mapping[str, tuple[str, str]], stack: Stack, kinds: Mapping[str, Sequence[str]]
) -> frozenset[str]:
    """The elements (ids to kind, and name or key in the file) that are not found again by their names alone.

    A host is found by its own id, or by none: a model names no host as a resource.
    """
    matched = {one: kind for one, (kind, _) in elements.items() if kind in MATCHED}
    by_name = _by_name(matched, stack, kinds, ())
    left = {one: kind for one, (kind, _) in elements.items() if not by_name.get(one)}
    return frozenset(
        one
        for one, (_, name) in elements.items()
        if not is_host(name) and [name] != [*by_name.get(one, ())] and [one] != _standing_for(name, left, stack)
    )


def named_elsewhere(
    system: System, source: EvidenceFile, stack: Stack, matched: Matches, names: Iterable[str]
) -> Mapping[str, str]:
    """The elements that services of AWS are and what other stacks hold, by the names or keys that the file has.

    One stands for what has its id as name, of the kind that it is, where the file has no resource for it.
    """
    stated = {name: element for element, (name, _) in source.resources.items()}
    left = {element: kind for element, kind, _ in matched.missing}
    left |= dict.fromkeys(system.externals, "external system")
    there = {element: system.nodes[element].kind for element in matched.resources}
    found: dict[str, str] = {}
    for name in names:
        fitting = [stated[name]] if name in stated else _standing_for(name, left, stack)
        for element in () if name in stated else chain(*_fitting(name, there, stack)):
            stack.resources.get(matched.resources[element])  # recorded: where it is left out, it may be meant too
        if len(fitting) == 1:
            found[name] = fitting[0]
    return found


def _standing_for(name: str, left: Mapping[str, str], stack: Stack) -> list[str]:
    """The elements (of ids to kinds) that may stand for a service, a host, a key of another stack or a resource."""
    exact, loose = _fitting(name, left, stack)
    return exact or loose


def _fitting(name: str, left: Mapping[str, str], stack: Stack) -> tuple[list[str], list[str]]:
    """The elements that are called so, and those that are but for a usual ending."""
    beyond = outside(name)
    if beyond is not None:
        kind, spelt = beyond.kind, set(names_of(beyond))
    elif is_host(name):
        kind, spelt = "external system", {host_of(name), f"{host_of(name)}-host"}
    else:
        kind, spelt = "external system", set(_names(stack.resources[name]))
    folded = {_folded(one) for one in spelt}
    exact = [element for element, of in left.items() if of == kind and _folded(element) in folded]
    loose = [
        element
        for element, of in left.items()
        if of == kind and any(_folded(element) in _shorter(one, kind) for one in folded)
    ]
    return exact, loose


def _misnamed(system: System, source: EvidenceFile, stack: Stack) -> Iterator[Problem]:
    for element, (name, place) in source.resources.items():
        node = system.nodes.get(element)
        if element not in system.externals and (node is None or node.kind not in MATCHED):
            hint = suggestion(element, [*(n.id for n in system.nodes.values() if n.kind in MATCHED), *system.externals])
            message = f"there is no element {quoted(element)}"
            yield Problem(code="unknown-reference", place=place, message=message, hint=hint)
        if name not in stack.resources and outside(name) is None:
            label, own = own_name(name, stack.joined)
            file = stack.joined.get(label, stack)
            hint = suggestion(own, file.resources)
            message = f"there is no resource {quoted(own)} in {file.file}"
            yield Problem(code="unknown-reference", place=place, message=message, hint=hint)


def _of_other_kinds(
    system: System, source: EvidenceFile, stack: Stack, kinds: Mapping[str, Sequence[str]]
) -> Iterator[Problem]:
    """Elements that are said to be a resource which can only be of another kind."""
    for element, (name, place) in source.resources.items():
        node, possible = system.nodes.get(element), kinds.get(name, ())
        if node is not None and possible and node.kind in MATCHED and node.kind not in possible:
            kind = stack.resources[name].type_in_file if name in stack.resources else possible[0]
            label, own = own_name(name, stack.joined)
            message = f"{quoted(element)} is a {node.kind}, and {quoted(own)} is not ({kind})"
            hint = f"name a {node.kind} of {stack.joined.get(label, stack).file}"
            yield Problem(code="wrong-kind", place=place, message=message, hint=hint)


def _by_name(
    elements: Mapping[str, str], stack: Stack, kinds: Mapping[str, Sequence[str]], taken: Container[str]
) -> Mapping[str, tuple[str, ...]]:
    """The resources that elements (ids to kinds) may be by name, in the file's order, without those that are `taken`.

    One whose name is an id, exactly, comes before those with a usual ending left out, and is no other element's:
    a new resource of the right name must not replace another one.
    """
    whole: dict[tuple[str, str], dict[str, int]] = {}
    short: dict[tuple[str, str], dict[str, int]] = {}
    for at, resource in enumerate(stack.resources.values()):
        if resource.name not in taken:
            for kind in kinds.get(resource.name, ()):
                for name in {_folded(name) for name in _names(resource)}:
                    whole.setdefault((kind, name), {})[resource.name] = at
                    for end in _shorter(name, kind) if kind in ENDINGS else ():
                        short.setdefault((kind, end), {})[resource.name] = at
    exact = {name: whole.get((kind, _folded(name)), {}) for name, kind in elements.items()}
    given = {one for found in exact.values() if len(found) == 1 for one in found}
    found: dict[str, tuple[str, ...]] = {}
    for name, kind in elements.items():
        wanted = _folded(name)
        loose = dict(short.get((kind, wanted), {}))
        for end in _shorter(wanted, kind):
            loose |= whole.get((kind, end), {})
        more = sorted((one for one in loose if one not in exact[name] and one not in given), key=loose.__getitem__)
        found[name] = (*exact[name], *more)
    return found


def _only_api(
    found: dict[str, str], missing: list[tuple[str, str, Place]], stack: Stack, kinds: Mapping[str, Sequence[str]]
) -> Iterator[tuple[str, str, Place]]:
    """Elements without a resource; where model and file have one api each that is left over, they are the same."""
    apis = [name for name in stack.resources if "api" in kinds.get(name, ()) and name not in found.values()]
    lacking = [element for element, kind, _ in missing if kind == "api"]
    if len(apis) == 1 and len(lacking) == 1:
        found[lacking[0]] = apis[0]
    return (one for one in missing if one[0] not in found)


def _names(resource: Resource) -> Iterator[str]:
    """A resource's logical id, what people call its construct or function, and the name that it gives itself."""
    yield resource.name.rpartition(".")[2].partition("[")[0] if "." in resource.name else resource.name
    yield from construct(resource)[-1:]
    yield from filter(None, (key_of(resource),))
    for key in (known(resource.type).own_name, "name_prefix"):
        own = text(resource.properties.entries.get(key))
        if own:
            yield own.rpartition("/")[2]


def _folded(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", latin(name).lower())


def _shorter(name: str, kind: str) -> Iterator[str]:
    """A name without each usual ending of its kind."""
    return (name[: -len(ending)] for ending in ENDINGS[kind] if name.endswith(ending) and name != ending)


def kebab(name: str) -> str:
    """A logical id as an element's id: OrderBotFunction as order-bot-function."""
    parts = re.findall(r"[A-Z0-9]+(?=[A-Z][a-z])|[A-Z]?[a-z0-9]+|[A-Z]+|[0-9]+", latin(name))
    found = "-".join(part.lower() for part in parts) or "x"
    return found if found[0].isalpha() else f"x-{found}"


# --- the files of an environment, held against the model
@dataclass(frozen=True, kw_only=True)
class HeldFile:
    """The files of an environment, and what of them is which element: `kinds` are those of each resource."""

    system: System
    environment: Environment
    stack: Stack
    facts: StackFacts
    kinds: Mapping[str, Sequence[str]]
    matched: Matches

    @cached_property
    def element_of(self) -> Mapping[str, str]:
        """The element of each resource that is one."""
        return {name: element for element, name in self.matched.resources.items()}

    def place(self, element: str) -> Place:
        """Return where an element is in the file."""
        return self.stack.resources[self.matched.resources[element]].place

    def read_as(self, stack: Stack) -> HeldFile:
        """The same file read in another world: what was found to be an element stays it, wherever it is there at all.

        Names may depend on what a world changes (the stage of a serverless.yml is in each); which resource an author
        means does not.
        """
        facts, kinds = _kinds(stack)
        found: dict[str, str] = {}
        missing = list(self.matched.missing)
        for element, name in self.matched.resources.items():
            node = self.system.nodes[element]
            if node.kind in kinds.get(name, ()):
                found[element] = name
            else:
                missing.append((element, node.kind, node.place))
        matched = Matches(found, tuple(missing), ())
        return replace(self, stack=stack, facts=facts, kinds=kinds, matched=matched)


def held_file(system: System, environment: Environment, stack: Stack) -> HeldFile:
    """Find the element of each resource by the model's statement, by kind and by name."""
    facts, kinds = _kinds(stack)
    matched = matches(system, environment.source, stack, kinds)
    return HeldFile(system=system, environment=environment, stack=stack, facts=facts, kinds=kinds, matched=matched)


def _kinds(stack: Stack) -> tuple[StackFacts, Mapping[str, Sequence[str]]]:
    """What reads facts of a stack, and the kinds of element that each resource can be."""
    facts = StackFacts(stack, load_mappings())
    return facts, {name: kinds_of(kind, facts) for name, kind in stack.types()}
