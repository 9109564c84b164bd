"""The tools that every generator of SAM resources uses: nodes out of plain data and patterns, and the growing stack."""

from __future__ import annotations

import hashlib
import operator
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from threatmodel.reading.problems import Place
from threatmodel.reading.values import replace
from threatmodel.stacks.apis import Integration
from threatmodel.stacks.reads import Reads
from threatmodel.stacks.sam.merging import merged, pruned
from threatmodel.stacks.stack import Resource, Stack
from threatmodel.stacks.tracking import tracked_resource, untracked
from threatmodel.stacks.values import (
    ALWAYS,
    Joined,
    Link,
    List,
    Node,
    Scalar,
    Table,
    Unknown,
    both,
    get,
    node_of,
    rebuilt,
    shape_of,
    text,
)

PREFIX = "AWS::Serverless::"

# --- looking at nodes


def usual_text(node: Node | None) -> str | None:
    """The text of a value, or the text that parameter defaults would give."""
    return text(node.usual if isinstance(node, Unknown) else node)


def literal(node: Node | None) -> str:
    """The text that is there itself; '' for one that SAM sees a function or a parameter in."""
    return node.value if isinstance(node, Scalar) and isinstance(node.value, str) and not node.given else ""


def flag(node: Node | None) -> bool | None:
    """Whether a value says yes; None where it is missing or neither yes nor no."""
    value = node.value if isinstance(node, Scalar) else None
    return value if isinstance(value, bool) else {"true": True, "false": False}.get(str(value).lower())


def hashed(node: Node | None) -> str:
    """The end that SAM gives a logical id that depends on a value: exact where the value is a plain text."""
    return hashlib.sha1(shape_of(node).encode(), usedforsecurity=False).hexdigest()[:10]


def doubtful(node: Unknown, *, usually: bool | None) -> Unknown:
    """Why it is not sure that a resource is made, and whether parameter defaults would make it."""
    return Unknown(node.why, node.place, None if usually is None else Scalar(usually, node.place), choices=node.choices)


def doubted(resource: Resource, doubt: Unknown | None) -> Resource:
    """The resource as the maker of something that may not be made although itself is."""
    return resource if doubt is None else replace(resource, doubt=both(resource.doubt, doubt))


class Event(NamedTuple):
    """One of a resource's `Events`: its key there, its type, its properties, and where it is."""

    id: str
    type: str
    properties: Table
    place: Place

    def get(self, *names: str) -> Node | None:
        """A property of the event."""
        return get(self.properties, *names)


def events(resource: Resource) -> Iterator[Event]:
    """The events of a function or state machine, as far as their type can be read."""
    found = get(resource.properties, "Events")
    if not isinstance(found, Table):
        return
    for name, node in found.entries.items():
        kind, properties = text(get(node, "Type")), get(node, "Properties")
        if kind is not None:
            place = found.keys.get(name, node.place)
            yield Event(name, kind, properties if isinstance(properties, Table) else Table({}, place), place)


# --- the growing stack


class Opened(NamedTuple):
    """A way through an API that an event opens, and what it leads to."""

    maker: Resource
    event: Event
    method: str
    path: Node
    integration: Integration


class Expansion:
    """The resources while they are being made.

    `routes` holds what events open, by the name of the API; `everything` the functions that get whatever an HTTP API is
    asked for, with that API; `notified` and `triggered` what events add to buckets and user pools; `reaching` the roles
    with which rules reach their targets; `meant` which resource a reference such as ``MyApi.Stage`` means.  `reads`
    records the choices that are looked at: they decide what is made; `hidden` are those that decide events, which may
    add to any bucket and user pool.
    """

    def __init__(self, stack: Stack, globals_: Table | None) -> None:
        self.globals_ = globals_
        self.reads = Reads()
        merging = {
            name: pruned(merged(one, globals_)) if one.type.startswith(PREFIX) else one
            for name, one in stack.resources.items()
        }
        self.resources = {name: tracked_resource(one, self.reads) for name, one in merging.items()}
        self.routes: dict[str, list[Opened]] = {}
        self.everything: set[tuple[str, str]] = set()
        self.reaching: dict[str, dict[str, Node]] = {}
        self.notified: dict[str, list[Node]] = {}
        self.triggered: dict[str, dict[str, Node]] = {}
        self.hidden: frozenset[str] = ALWAYS
        self.meant: dict[str, str] = {}

    def of_type(self, *types: str) -> list[Resource]:
        """The resources of some types, in order."""
        return [one for one in self.resources.values() if one.type in types]

    def add(
        self,
        maker: Resource,
        name: str,
        kind: str,
        properties: Mapping[str, Any],
        place: Place,
    ) -> None:
        """Adds a resource made of another one, as doubtful and opaque as that; one of its name already there stays.

        One that several resources make is as sure as the surest of them.
        """
        there = self.resources.get(name)
        if there is not None:
            if there.made_by and there.doubt is not None and maker.doubt is None:
                self.resources[name] = replace(there, doubt=None)
            self.shape(name, self.reads.so_far)
        else:
            table = Table(
                {key: node_of(node, place) for key, node in properties.items() if node is not None}, place, {}
            )
            self.resources[name] = Resource(
                name=name,
                type=kind,
                properties=table,
                place=place,
                made_by=maker.name,
                doubt=maker.doubt,
                opaque=maker.opaque,
                shaped=self.reads.so_far,  # what its properties are made of is among it
            )

    def shape(self, name: str, choices: frozenset[str]) -> None:
        """Notes that choices decide what a resource is like."""
        resource = self.resources[name]
        if not choices <= resource.shaped:
            self.resources[name] = replace(resource, shaped=resource.shaped | choices)

    def take_globals(self, name: str) -> None:
        """Merges what Globals says into a resource that was made."""
        self.resources[name] = tracked_resource(merged(untracked(self.resources[name]), self.globals_), self.reads)

    def polls(self, name: str, service: str) -> None:
        """Notes of a mapping which service the event polls that it was made of."""
        self.resources[name] = replace(self.resources[name], polls=service)

    def amend(self, name: str, properties: Mapping[str, Node], *, alone: bool = False) -> None:
        """Sets properties of a resource; `alone`: what they were decides what they become, and nothing else."""
        resource = untracked(self.resources[name])
        entries = {**resource.properties.entries, **properties}
        amended = replace(resource, properties=resource.properties._replace(entries=entries))
        self.resources[name] = tracked_resource(amended, self.reads)
        if not alone:
            self.shape(name, self.reads.so_far)

    def finished(self) -> dict[str, Resource]:
        """All resources, with every reference leading to what it means."""
        for one in self.of_type("AWS::S3::Bucket", "AWS::Cognito::UserPool") if self.hidden else ():
            self.shape(one.name, self.hidden)
        for bucket, notices in self.notified.items():
            self._notify(bucket, notices)
        for pool, triggers in self.triggered.items():
            config = get(self.resources[pool].properties, "LambdaConfig")
            if config is None or isinstance(config, Table):
                entries = {**triggers, **(config.entries if config else {})}
                place = config.place if config else self.resources[pool].place
                self.amend(pool, {"LambdaConfig": Table(entries, place, config.keys if config else {})})
        return {name: self._led(untracked(resource)) for name, resource in self.resources.items()}

    def _notify(self, bucket: str, notices: list[Node]) -> None:
        place = self.resources[bucket].place
        config = get(self.resources[bucket].properties, "NotificationConfiguration")
        if config is not None and not isinstance(config, Table):
            return
        before = get(config, "LambdaConfigurations")
        own = before.items if isinstance(before, List) else ()
        entries = {
            **(config.entries if config else {}),
            "LambdaConfigurations": before if isinstance(before, Unknown) else List((*own, *notices), place),
        }
        self.amend(bucket, {"NotificationConfiguration": Table(entries, place, config.keys if config else {})})

    def _led(self, resource: Resource) -> Resource:
        properties = self._node(resource.properties) if self.meant else resource.properties
        if properties is resource.properties or not isinstance(properties, Table):
            return resource
        return replace(resource, properties=properties, shaped=resource.shaped | self.reads.so_far)

    def _node(self, node: Node) -> Node:
        """The node with its links led where they mean; the very same where none changes."""
        match node:
            case Link():
                return self._link(node)
            case Joined(parts=parts):
                led = tuple(self._link(part) if isinstance(part, Link) else part for part in parts)
                return node if all(map(operator.is_, led, parts)) else node._replace(parts=led)
        return rebuilt(node, self._node)

    def _link(self, link: Link) -> Link:
        if link.resource in self.meant:
            return link._replace(resource=self.meant[link.resource])
        first, _, rest = link.attribute.partition(".")
        name = self.meant.get(f"{link.resource}.{first}") if first else None
        return link if name is None else Link(name, rest, link.place)
