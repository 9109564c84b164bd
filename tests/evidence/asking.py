"""Putting a question to a template and to a plan the way collectors do: through the data files."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import yaml

from threatmodel.evidence.answers import Answered, Outcome, Unanswered
from threatmodel.evidence.mappings.format import Mappings
from threatmodel.evidence.mappings.load import load_mappings
from threatmodel.evidence.mappings.stack_facts import StackFacts
from threatmodel.reading.problems import Place
from threatmodel.stacks import sam
from threatmodel.stacks.cloudformation.reader import read
from threatmodel.stacks.reads import Reads
from threatmodel.stacks.stack import Resource, Stack, Unread
from threatmodel.stacks.terraform.canonical import canonical
from threatmodel.stacks.values import Joined, Link, List, Node, Scalar, Table, Unknown

NOTHING = "nothing"
UNKNOWN = "unknown"


@functools.cache
def places() -> Mappings:
    return load_mappings()


def template(text: str) -> Stack:
    head = "" if "Resources:" in text else "Resources:\n"
    return sam.expanded(*read(head + text, "template.yaml"))


AT = Place("plan.json", 1, 1)
_REFERENCE = re.compile(r"\$\{([^}]+)\.(\w+)\}")


def plan(text: str, unread: tuple[Unread, ...] = ()) -> Stack:
    """A plan as its reader gives it: ``${type.name.attribute}`` is a link, ``?`` is known after apply only."""
    resources: dict[str, Resource] = {}
    for address, values in yaml.safe_load(text).items():
        kind = address.split(".")[0]
        node = _node(values or {}, Place("plan.json", 1, 1, address))
        assert isinstance(node, Table)
        resources[address] = Resource(
            name=address, type=kind, properties=node, place=Place("plan.json", len(resources) + 1)
        )
    found = canonical(resources)
    return Stack(
        file="plan.json",
        kind="terraform",
        resources=found.resources,
        parts=found.parts,
        unread=unread,
        looked_up=found.looked_up,
    )


def _node(raw: Any, place: Place) -> Node:
    if raw == "?":
        return Unknown("it is known after apply", place)
    match raw:
        case dict():
            return Table({name: _node(child, place) for name, child in raw.items()}, place)
        case list():
            return List(tuple(_node(child, place) for child in raw), place)
        case str() if found := _REFERENCE.fullmatch(raw):
            return Link(found[1], found[2], place)
        case str() if _REFERENCE.search(raw):
            return Joined(tuple(_split(raw, place)), place)
        case _:
            return Scalar(raw, place)


def _split(raw: str, place: Place) -> list[str | Link | Unknown]:
    parts: list[str | Link | Unknown] = []
    at = 0
    for found in _REFERENCE.finditer(raw):
        parts += [raw[at : found.start()], Link(found[1], found[2], place)]
        at = found.end()
    return [part for part in (*parts, raw[at:]) if part != ""]


PLANES = ("account", "pipeline", "workspace")


def found(stack: Stack, kind: str, fact: str, name: str = "") -> Outcome:
    """What a stack says of a fact: of a plane, of the resource of that name, or of the only one of the kind.

    Each answer is held to the rule that a part that is not known never turns it into another one: every part of every
    resource is made unknown in turn.
    """
    if kind not in PLANES and not name:
        name = next(one.name for one in stack.resources.values() if kind in _facts(stack).kinds_of_type(one.type)[:1])
    outcome = _asked(stack, kind, fact, name)
    told = answer(outcome)
    for resource in stack.resources.values():
        for less in _less_known(resource, existence=resource.name != name):
            resources = {**stack.resources, resource.name: less}
            changed = replace(stack, resources=resources, reads=Reads())  # nothing of the other is kept
            other = answer(_asked(changed, kind, fact, name))
            assert told == UNKNOWN or other in {told, UNKNOWN, NOTHING}, (less, told, other)
    return outcome


def _facts(stack: Stack) -> StackFacts:
    return StackFacts(stack, places())


def _asked(stack: Stack, kind: str, fact: str, name: str) -> Outcome:
    facts = _facts(stack)
    resource = stack.resources[name] if name else Resource(name="", type="", properties=Table({}, AT), place=AT)
    return facts.of(kind, resource).get(fact)


def _less_known(resource: Resource, *, existence: bool) -> Iterator[Resource]:
    unknown = Unknown("swapped", resource.place)
    yield replace(resource, opaque=unknown)
    if existence:
        yield replace(resource, doubt=unknown)
    for properties in _with_unknown(resource.properties):
        if isinstance(properties, Table):
            yield replace(resource, properties=properties)


def _with_unknown(node: Node) -> Iterator[Node]:
    yield Unknown("swapped", node.place)
    match node:
        case Table(entries=entries):
            for name, child in entries.items():
                yield from (node._replace(entries={**entries, name: one}) for one in _with_unknown(child))
        case List(items=children):
            for at, child in enumerate(children):
                yield from (
                    node._replace(items=(*children[:at], one, *children[at + 1 :])) for one in _with_unknown(child)
                )
        case _:
            return


def answer(outcome: Outcome) -> Any:
    match outcome:
        case Answered(value=value, places=cited):
            assert cited
            return value
        case Unanswered(why=why):
            assert why
            return UNKNOWN
        case _:
            return NOTHING
