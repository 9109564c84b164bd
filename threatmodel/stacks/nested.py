"""Templates that nest others of the same project, as one stack: parameters handed down, outputs handed back.

A resource of a nested stack is called ``<nested stack>.<name>``.  What is elsewhere (an address, an application of
the Serverless Application Repository), leaves the project or cannot be read stays an unread part, which is named.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from threatmodel.reading.files import Files, shown_path
from threatmodel.reading.problems import InputError, Place, Problem, note, quoted, refusal
from threatmodel.reading.project import real_path
from threatmodel.reading.values import replace
from threatmodel.stacks import sam
from threatmodel.stacks.assumed import Assumed
from threatmodel.stacks.cloudformation import reader
from threatmodel.stacks.cloudformation.nesting import NESTED, TEMPLATE_IN, Nesting, is_local, template_of
from threatmodel.stacks.definitions import file_at, with_definitions
from threatmodel.stacks.stack import Choice, Export, Nested, Parameter, Resource, Stack, Unread
from threatmodel.stacks.texts import relinked
from threatmodel.stacks.values import (
    ALWAYS,
    Joined,
    Link,
    Node,
    Scalar,
    Table,
    Unknown,
    both,
    choices_of,
    get,
    items,
    leaves,
    links,
    shape_of,
    text,
)
from threatmodel.stacks.work import Work

MOST_NESTED = 100
"""Nested templates that are read for one file; two that nest the other twice would double at each level."""
_HANDED = "^"
"""How the names of resources begin, within a nested template, that the one around it handed down."""
_OUTPUTS = "Outputs."
_STACK_SET, _BODY = "AWS::CloudFormation::StackSet", "TemplateBody"


def read(path: Path, files: Files, assumed: Assumed) -> Stack:
    """The stack of a template with those that it nests.  Raises InputError where the template cannot be used."""
    return _Following(files, assumed.work or Work()).stack(path, assumed, Nesting(), (real_path(path),))


class _Following:
    """One template, while those that it nests are read."""

    def __init__(self, files: Files, work: Work) -> None:
        self.files = files
        self.left = MOST_NESTED
        self.work = work

    def stack(self, path: Path, assumed: Assumed, nesting: Nesting, above: tuple[Path, ...]) -> Stack:
        """The stack of a template; `above` are the files of those around it, its own the last."""
        noted: list[Problem] = []
        found = reader.read(
            self.files.text(path),
            shown_path(path),
            assumed,
            nesting,
            lambda location: file_at(location, path, self.files, noted),
        )
        stack = with_definitions(sam.expanded(*found), path, self.files)
        stack = replace(stack, problems=(*stack.problems, *noted))
        stack = self.with_bodies(stack, path)
        waiting = {one.name: one for one in stack.resources.values() if _is_file(one)}
        if not waiting:
            return stack
        inner: dict[str, Stack] = {}
        outputs = _Outputs(waiting, inner)
        problems = list(stack.problems)
        unread = {one.name: one for one in stack.unread}
        while waiting:
            name = next((name for name, one in waiting.items() if not outputs.needed(one) & waiting.keys()), None)
            resource = waiting.pop(name if name is not None else next(iter(waiting)))
            child = self.child(resource, path, assumed, nesting, above, outputs)
            if isinstance(child, Problem):
                why = f"the template that it nests was not read: {child.message}"
                unread[resource.name] = Unread(name=resource.name, why=why, place=resource.place)
                note(problems, child)
            else:
                inner[resource.name] = child
                del unread[resource.name]
        return _together(replace(stack, problems=tuple(problems), unread=tuple(unread.values())), inner, outputs)

    def with_bodies(self, stack: Stack, path: Path) -> Stack:
        """The stack with what the templates make that its stack sets hold as texts, which is in doubt."""
        found = dict(stack.resources)
        problems = list(stack.problems)
        for one in stack.of_type(_STACK_SET):
            body = text(get(one.properties, _BODY))
            if body is None:
                continue
            try:
                made = sam.expanded(*reader.read(body, f"{shown_path(path)}#{one.name}.{_BODY}", Assumed(open=True)))
            except InputError as error:
                problems += error.problems
                continue
            if not self.work.spend(len(made.resources)):
                break
            usual = Scalar(value=False, place=one.place) if _is_for_others(one) else None
            why = "a stack set makes it, in accounts and Regions that may be others"
            doubt = Unknown(why, one.place, usual, choices=ALWAYS)
            inner = (
                _inner(each, replace(one, doubt=both(one.doubt, doubt) or doubt)) for each in made.resources.values()
            )
            found |= {each.name: each for each in inner}
        return replace(stack, resources=found, problems=tuple(problems))

    def child(  # noqa: PLR0913, PLR0917 - what is nested, by which file, in which world, where, with what
        self,
        resource: Resource,
        path: Path,
        assumed: Assumed,
        nesting: Nesting,
        above: tuple[Path, ...],
        outputs: _Outputs,
    ) -> Stack | Problem:
        """The stack that a resource nests; the problem where it cannot be read.  Raises InputError for a circle."""
        location = _template(resource)
        place = location.place if location is not None else resource.place
        written = text(location) or ""
        if self.left <= 0:
            return Problem(code="unread-template", place=place, message=f"more than {MOST_NESTED} templates are nested")
        self.left -= 1
        try:
            target = self.files.named(written, path, place)
            if target in above:
                raise _circle(written, place, above, target)
            handed = outputs.within(get(resource.properties, "Parameters"))
            inside = Nesting(f"{nesting.name}.{resource.name}".lstrip("."), _handed(handed, resource))
            found = self.stack(target, _inside(assumed, resource.name), inside, (*above, target))
            if self.work.spend(len(found.resources)):
                return found if _is_this(resource, self.files.text(target)) else _in_doubt(found, resource)
            return Problem(code="unread-template", place=place, message=self.work.why)
        except InputError as error:
            if any(one.code == "circular-nesting" for one in error.problems):
                raise
            first = error.problems[0]
            message = first.message if first.place == place else f"{quoted(written)}: {first.message}"
            return Problem(code="unread-template", place=place, message=message, hint=first.hint)


def _is_for_others(stack_set: Resource) -> bool:
    """Whether all targets of a stack set are written out: accounts and units, and not this account as such."""
    groups = items(stack_set.properties.entries.get("StackInstancesGroup"))
    targets = [one for group in groups for one in leaves(get(group, "DeploymentTargets"))]
    return bool(targets) and all(_TARGET.fullmatch(text(one) or "") for one in targets)


_TARGET = re.compile(r"\d{12}|(?:ou|r)-[a-z0-9-]{4,64}")


def _circle(written: str, place: Place, above: tuple[Path, ...], target: Path) -> InputError:
    way = [shown_path(one) for one in (*above[above.index(target) :], target)]
    message = f"{quoted(written)} nests itself: {' nests '.join(way)}"
    return refusal("circular-nesting", place, message, "a cycle cannot be deployed: remove one of these nested stacks")


def _is_file(resource: Resource) -> bool:
    """Whether a resource is a nested stack whose template is a file."""
    return resource.type in NESTED and resource.opaque is None and is_local(_template(resource))


def _template(resource: Resource) -> Node | None:
    return template_of(resource.type, resource.properties, (resource.about or {}).get("Metadata"))


def _is_this(resource: Resource, content: str) -> bool:
    """Whether a nested stack surely is made of a file: its property names it, or has the digest that the CDK gives."""
    location = get(resource.properties, TEMPLATE_IN[resource.type])
    if is_local(location):
        return True
    try:
        compact = json.dumps(json.loads(content), separators=(",", ":"), ensure_ascii=False)
    except (ValueError, RecursionError):
        return False
    return location is not None and hashlib.sha256(compact.encode()).hexdigest() in shape_of(location)


def _in_doubt(stack: Stack, resource: Resource) -> Stack:
    """A stack that its metadata alone shows: another one may be deployed."""
    why = "its address does not show that it is the template that its metadata names"
    return replace(stack, unread=(*stack.unread, Unread(name="template", why=why, place=resource.place)))


# --- what goes down


def _handed(parameters: Node | None, resource: Resource) -> Mapping[str, Node] | Unknown:
    """What the parameters of a nested template are given, by name; links are marked as those of the one around it."""
    match parameters:
        case None:
            return {}
        case Table(entries=entries):
            return {name: relinked(node, _marked) for name, node in entries.items()}
        case _:
            why = f"what {quoted(resource.name)} is given is not stated"
            return Unknown(why, resource.place, choices=choices_of(parameters))


def _marked(link: Link) -> Node:
    return link._replace(resource=f"{_HANDED}{link.resource}")


def _inside(assumed: Assumed, name: str) -> Assumed:
    """What is assumed of a nested template: its conditions; its parameters are handed to it."""
    prefix = f"{name}."
    own = {key: holds for key, holds in assumed.conditions.items() if key.startswith(prefix)}
    inside = {key.removeprefix(prefix): holds for key, holds in own.items()}
    return Assumed(usual=assumed.usual, values=assumed.values, conditions=inside)


# --- what comes back


class _Outputs:
    """The outputs of nested stacks, in the words of the template that nests them."""

    def __init__(self, nested: Iterable[str], inner: Mapping[str, Stack]) -> None:
        self.nested = frozenset(nested)
        self.inner = inner
        self.known: dict[tuple[str, str], Node] = {}

    def needed(self, resource: Resource) -> set[str]:
        """The nested stacks whose outputs one is handed."""
        return {link.resource for link in links(get(resource.properties, "Parameters"))} & self.nested

    def within(self, node: Node | None) -> Node | None:
        """A node with outputs instead of the links to them."""
        return None if node is None else relinked(node, self.of)

    def of(self, link: Link) -> Node:
        """What a link stands for."""
        if link.resource not in self.nested or not link.attribute.startswith(_OUTPUTS):
            return link
        key = (link.resource, link.attribute.removeprefix(_OUTPUTS))
        if key not in self.known:
            child = self.inner.get(key[0])
            node = child.outputs.get(key[1]) if child is not None else None
            if node is None:
                return Unknown(f"it is an output of the nested stack {quoted(key[0])}", link.place, choices=ALWAYS)
            self.known[key] = relinked(node, lambda one: _renamed(one, key[0]))
        found = self.known[key]
        return found._replace(place=link.place) if isinstance(found, Scalar | Link | Joined | Unknown) else found


def _renamed(link: Link, name: str) -> Link:
    """A link of a nested template as one of the template around it."""
    if link.resource.startswith(_HANDED):
        return link._replace(resource=link.resource.removeprefix(_HANDED))
    return link._replace(resource=f"{name}.{link.resource}")


def _together(stack: Stack, inner: Mapping[str, Stack], outputs: _Outputs) -> Stack:
    """The stack with the resources of those that it nests, each instead of the nested stack."""
    resources: dict[str, Resource] = {}
    for name, resource in stack.resources.items():
        child = inner.get(name)
        if child is None:
            resources[name] = _relinked(resource, outputs.of)
        else:
            made = (_inner(one, resource) for one in child.resources.values())
            resources |= {one.name: one for one in made}
    return replace(
        stack,
        resources=resources,
        unread=(*stack.unread, *(part for name, child in inner.items() for part in _unread(name, child))),
        problems=(*stack.problems, *(one for child in inner.values() for one in child.problems)),
        undecided=(
            *stack.undecided,
            *(Choice(f"{name}.{one.condition}") for name, child in inner.items() for one in child.undecided),
        ),
        exports=(
            *(one._replace(value=relinked(one.value, outputs.of)) for one in stack.exports),
            *(_taken_up(one, name, stack) for name, child in inner.items() for one in child.exports),
        ),
        outputs={key: relinked(node, outputs.of) for key, node in stack.outputs.items()},
        nested=tuple(_nested(stack, inner)),
        beside=(*stack.beside, *(node for child in inner.values() for node in child.beside)),
        hidden={key: one for child in inner.values() for key, one in _hidden(child)},
        shaped=stack.shaped.union(*(child.shaped for child in inner.values())),
    )


def _hidden(child: Stack) -> Iterator[tuple[str, Parameter]]:
    """The parameters of a nested stack that hide what they are handed, by the names that are beside such values."""
    yield from child.hidden.items()
    for one in child.parameters.values():
        if one.hidden and isinstance(one.value, Scalar):
            yield one.value.given[-1], one


def _nested(stack: Stack, inner: Mapping[str, Stack]) -> Iterator[Nested]:
    for name, child in inner.items():
        yield Nested(name, child.file, stack.resources[name].place)
        yield from (one._replace(name=f"{name}.{one.name}") for one in child.nested)


def _taken_up(export: Export, name: str, stack: Stack) -> Export:
    value = relinked(export.value, lambda link: _renamed(link, name))
    return export._replace(value=value, doubt=both(export.doubt, stack.resources[name].doubt))


def _inner(resource: Resource, nesting: Resource) -> Resource:
    """A resource of a nested stack as one of the template around it."""
    found = _relinked(resource, lambda link: _renamed(link, nesting.name))
    return replace(
        found,
        name=f"{nesting.name}.{resource.name}",
        made_by=f"{nesting.name}.{resource.made_by}" if resource.made_by else "",
        doubt=both(resource.doubt, nesting.doubt),
    )


def _relinked(resource: Resource, change: Callable[[Any], Node]) -> Resource:
    properties = relinked(resource.properties, change)
    about = {key: relinked(node, change) for key, node in (resource.about or {}).items()}
    return replace(
        resource,
        properties=properties if isinstance(properties, Table) else resource.properties,
        about=about or None,
    )


def _unread(name: str, child: Stack) -> Iterator[Unread]:
    """What of a nested stack was not read."""
    for one in child.unread:
        found = one.of_template(child.resources)
        inside = frozenset(_renamed(Link(part, "", one.place), name).resource for part in found.handed)
        yield replace(found, name=f"{name}.{one.name}", handed=inside)
