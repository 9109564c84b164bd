"""The normal form of infrastructure code: resources by name, with resolved properties, whatever file they come from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from threatmodel.reading.problems import Place, Problem
from threatmodel.stacks.values import Link, Node, Table, Unknown, links


@dataclass(frozen=True, slots=True, kw_only=True)
class Resource:
    """One resource.

    `name` is its logical id (Terraform: its address), `type` in the file's own words (AWS::Lambda::Function,
    aws_lambda_function), `made_by` the resource that a transform made it of ('' where it stands in the file),
    `doubt` what its very existence hangs on (a condition; `usual`: whether defaults make it), `opaque` why there may
    be other properties than these (all stand under a condition, or a file is included): while it is set, no property
    is left out.  `about` has its other keys, resolved (Metadata, DeletionPolicy, UpdateReplacePolicy).
    """

    name: str
    type: str
    properties: Table
    place: Place
    made_by: str = ""
    doubt: Unknown | None = None
    opaque: Unknown | None = None
    about: Mapping[str, Node] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """What is asked for at deployment: its name, the type that it declares, and whether its value is hidden (NoEcho).

    `value` is its default; an Unknown without one, and where the value is read from elsewhere (AWS::SSM::Parameter...).
    """

    name: str
    type: str
    hidden: bool
    value: Node
    place: Place


@dataclass(frozen=True, slots=True, kw_only=True)
class Unread:
    """A part of the file that cannot be read for what it makes (a nested stack, a loop): its name, and why in words."""

    name: str
    why: str
    place: Place


@dataclass(frozen=True, slots=True, kw_only=True)
class Stack:
    """One file of infrastructure code, resolved.

    `kind` is cloudformation, serverless or terraform; `parameters` are those that a node's `given` names; `problems`
    are what its author should know (a duplicate key); `unread` says what may hold more resources than these: while
    there is any, nothing can be said to be absent elsewhere than on a resource that is here.
    """

    file: str
    kind: str
    resources: Mapping[str, Resource]
    unread: tuple[Unread, ...] = ()
    problems: tuple[Problem, ...] = ()
    parameters: Mapping[str, Parameter] = field(default_factory=dict)

    def of_type(self, *types: str) -> Iterator[Resource]:
        """The resources of some types, in the file's order."""
        return (resource for resource in self.resources.values() if resource.type in types)

    def target(self, node: Node | None) -> Resource | None:
        """The one resource that a node refers to: by a link, or by a text with exactly one resource in it."""
        found = {link.resource: link for link in links(node)}
        return self.resources.get(next(iter(found))) if len(found) == 1 else None


def follows(node: Node | None, stack: Stack) -> tuple[Resource, ...]:
    """Every resource that a node refers to, in order."""
    names: dict[str, Link] = {}
    for link in links(node):
        names.setdefault(link.resource, link)
    return tuple(stack.resources[name] for name in names if name in stack.resources)
