"""The stacks of one environment as one: what one file exports is found where another imports it.

A resource is called ``<label>.<name>`` there, and a parameter or condition ``<label>::<name>``.  Names and ARNs need
no work: they are texts, and an analysis holds them against every resource of the joined stack.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import TypeVar

from threatmodel.reading.values import replace
from threatmodel.stacks.assumed import Assumed
from threatmodel.stacks.stack import ELSEWHERE, MADE_OF, Choice, Export, Parameter, Resource, Stack, Unread
from threatmodel.stacks.terraform.rows import own_name_of, row_of
from threatmodel.stacks.texts import relinked
from threatmodel.stacks.values import ANY_CHOICE, Joined, Link, List, Node, Scalar, Table, Unknown, choices_of

_OF = "::"
"""What is between a label and the parameter or condition of the file."""
_OF_ONE_STACK = re.compile(r"\$\{AWS::Stack(?:Id|Name)(?=[.}])")
"""The variables of AWS that differ from stack to stack."""
_NAMES = re.compile("\x00([^\x00\x01]+)\x01")
_Named = TypeVar("_Named")


def joined(stacks: Mapping[str, Stack]) -> Stack:
    """Return the stacks of an environment, by label, as one; a single one as it is."""
    if len(stacks) == 1:
        return next(iter(stacks.values()))
    found = {label: _Labels(label).stack(stack) for label, stack in stacks.items()}
    exports = [one for stack in found.values() for one in stack.exports]
    by_name = {name: same[0] for name, same in exported(exports).items() if len(same) == 1}
    linked = {one.name: _imported(one, by_name) for stack in found.values() for one in stack.resources.values()}
    resources, owners, more = _taken_in(linked)
    first = next(iter(stacks.values()))
    kinds = {stack.kind for stack in stacks.values()}
    return Stack(
        file=first.file,
        kind=next((kind for kind in ("terraform", "serverless") if kind in kinds), "cloudformation"),
        resources=resources,
        title=next((stack.title for stack in stacks.values() if stack.title), ""),
        description=next((stack.description for stack in stacks.values() if stack.description is not None), None),
        unread=(*_every(found, lambda stack: stack.unread), *more),
        problems=_every(found, lambda stack: stack.problems),
        parameters=_all(stack.parameters for stack in found.values()),
        undecided=_every(found, lambda stack: stack.undecided),
        exports=tuple(exports),
        nested=_every(found, lambda stack: stack.nested),
        beside=_every(found, lambda stack: stack.beside),
        hidden=_all(stack.hidden for stack in found.values()),
        shaped=frozenset().union(*(stack.shaped for stack in found.values())),
        parts={**_all(stack.parts for stack in found.values()), **owners},
        looked_up=_all(stack.looked_up for stack in found.values()),
        joined=stacks,
        deployed=all(stack.deployed for stack in stacks.values()),
    )


def own_name(name: str, labels: Iterable[str]) -> tuple[str, str]:
    """Return the label of a joined stack's resource and the name that its file has; no label where it is none."""
    label = next((one for one in labels if name.startswith(f"{one}.")), "")
    return label, name[len(label) + 1 :] if label else name


def own_choice(name: str) -> str:
    """Return the name that its file has for a parameter of a joined stack."""
    return name.rpartition(_OF)[2]


def exported(exports: Iterable[Export]) -> Mapping[str, list[Export]]:
    """Return what is exported for certain under each name that is written out."""
    found: dict[str, list[Export]] = {}
    for one in exports:
        name = _written_out(one.name)
        if name and one.doubt is None:
            found.setdefault(name, []).append(one)
    return found


def together(assumed: Mapping[str, Assumed]) -> Assumed:
    """Return what is assumed of each file of an environment, by label, as of their joined stack."""
    if len(assumed) == 1:
        return next(iter(assumed.values()))
    first = next(iter(assumed.values()))
    return replace(
        first,
        values=_all(_within(label, one.values) for label, one in assumed.items()),
        conditions=_all(_within(label, one.conditions) for label, one in assumed.items()),
        stated=_all(_within(label, one.stated) for label, one in assumed.items()),
        names={label: one.names[""] for label, one in assumed.items() if one.names},
        withheld=_all(_within(label, one.withheld) for label, one in assumed.items()),
    )


def apart(assumed: Assumed, label: str) -> Assumed:
    """Return what is assumed of one file of a joined stack."""
    if not label:
        return assumed
    return replace(
        assumed,
        values=_own(label, assumed.values),
        conditions=_own(label, assumed.conditions),
        stated=_own(label, assumed.stated),
        names={"": assumed.names[label]} if label in assumed.names else {},
        withheld=_own(label, assumed.withheld),
    )


def _within(label: str, by_name: Mapping[str, _Named]) -> Mapping[str, _Named]:
    return {f"{label}{_OF}{name}": one for name, one in by_name.items()}


def _own(label: str, by_name: Mapping[str, _Named]) -> Mapping[str, _Named]:
    before = f"{label}{_OF}"
    return {name.removeprefix(before): one for name, one in by_name.items() if name.startswith(before)}


def _all(parts: Iterable[Mapping[str, _Named]]) -> Mapping[str, _Named]:
    return {name: one for part in parts for name, one in part.items()}


def _every(found: Mapping[str, Stack], part: Callable[[Stack], tuple[_Named, ...]]) -> tuple[_Named, ...]:
    return tuple(one for stack in found.values() for one in part(stack))


# --- what other files export


def _written_out(name: Node | None) -> str:
    """A name that nothing decides at deployment; '' for any other."""
    if isinstance(name, Scalar) and isinstance(name.value, str) and not name.given and "${" not in name.value:
        return name.value
    return ""


def _imported(resource: Resource, exports: Mapping[str, Export]) -> Resource:
    """The resource with what its imports stand for, where one export has that very name."""

    def found(node: Unknown) -> Node:
        export = exports.get(_written_out(node.imports))
        value = export.value if export is not None else None
        return value._replace(place=node.place) if isinstance(value, Scalar | Link | Joined | Unknown) else node

    properties = relinked(resource.properties, found, Unknown)
    return replace(resource, properties=properties) if isinstance(properties, Table) else resource


# --- what sets properties of another file's resource


def _taken_in(
    resources: Mapping[str, Resource],
) -> tuple[Mapping[str, Resource], Mapping[str, str], tuple[Unread, ...]]:
    """The resources with what plans set of those in other files, which parts are in which, and what may be in some."""
    found = dict(resources)
    taken: dict[str, str] = {}
    unread: list[Unread] = []
    for part in resources.values():
        kind, row = part.type.removesuffix(ELSEWHERE), row_of(part.written)
        if kind == part.type or row is None:
            continue
        named = _written_out(part.properties.entries.get(row.by[0])) if len(row.by) == 1 else ""
        others = [one for one in resources.values() if MADE_OF.get(one.type, one.type) == kind]
        owners = [one for one in others if named and named == _written_out(_own_name(one, kind))]
        if len(owners) == 1 and part.doubt is None:
            own = found[owners[0].name]
            found[own.name] = _with(own, part, row.by[0])
            taken[part.name] = own.name
            del found[part.name]
        else:
            maybe = owners or [one for one in others if not named or not _written_out(_own_name(one, kind))]
            why = f"{part.type_in_file} sets properties of a resource in another file"
            handed = frozenset(one.name for one in maybe)
            unread.append(Unread(name=part.name, why=why, place=part.place, strength="changes", handed=handed))
    return found, taken, tuple(one for one in unread if one.handed)


def _own_name(resource: Resource, kind: str) -> Node | None:
    return resource.properties.entries.get(own_name_of(kind))


def _with(own: Resource, part: Resource, by: str) -> Resource:
    """A resource with what a part of another file sets of it; what both set is unknown, but for lists."""
    entries = dict(own.properties.entries)
    for name, node in part.properties.entries.items():
        there = entries.get(name)
        if name == by:
            continue
        if isinstance(there, List) and isinstance(node, List):
            entries[name] = there._replace(items=(*there.items, *node.items))
        else:
            entries[name] = (
                node if there is None else Unknown("two files set it", node.place, choices=choices_of(there))
            )
    return replace(own, properties=own.properties._replace(entries=entries))


# --- labels


class _Labels:
    """Names of one file's stack as those of a joined one."""

    def __init__(self, label: str) -> None:
        self.label = label

    def stack(self, stack: Stack) -> Stack:
        resources = [self.resource(one) for one in stack.resources.values()]
        return replace(
            stack,
            resources={one.name: one for one in resources},
            unread=tuple(self.unread(one, stack.resources) for one in stack.unread),
            parameters={self.choice(name): self.parameter(one) for name, one in stack.parameters.items()},
            undecided=tuple(self.undecided(one) for one in stack.undecided),
            exports=tuple(self.export(one) for one in stack.exports),
            nested=tuple(one._replace(name=self.name(one.name)) for one in stack.nested),
            hidden={self.choice(name): self.parameter(one) for name, one in stack.hidden.items()},
            shaped=self.choices(stack.shaped),
            parts={self.name(part): self.name(owner) for part, owner in stack.parts.items()},
            looked_up={self.name(name): kind for name, kind in stack.looked_up.items()},
        )

    def name(self, name: str) -> str:
        return f"{self.label}.{name}"

    def choice(self, name: str) -> str:
        """The name of a parameter, or of a condition (``?Name``)."""
        if name == ANY_CHOICE:
            return name
        return f"?{self.label}{_OF}{name[1:]}" if name[:1] == "?" else f"{self.label}{_OF}{name}"

    def choices(self, names: frozenset[str]) -> frozenset[str]:
        return frozenset(map(self.choice, names))

    def parameter(self, one: Parameter) -> Parameter:
        return replace(one, name=self.choice(one.name), value=self.node(one.value))

    def undecided(self, one: Choice) -> Choice:
        parameter = self.choice(one.parameter) if one.parameter else ""
        return one._replace(condition=f"{self.label}{_OF}{one.condition}", parameter=parameter)

    def export(self, one: Export) -> Export:
        name = None if one.name is None else self.node(one.name)
        return Export(name, self.node(one.value), self.unknown(one.doubt))

    def unread(self, one: Unread, own: Iterable[str]) -> Unread:
        found = one.of_template(own)
        return replace(found, name=self.name(one.name), handed=frozenset(map(self.name, found.handed)))

    def resource(self, one: Resource) -> Resource:
        return replace(
            one,
            name=self.name(one.name),
            properties=self.table(one.properties),
            made_by=self.name(one.made_by) if one.made_by else "",
            doubt=self.unknown(one.doubt),
            opaque=self.unknown(one.opaque),
            about=None if one.about is None else {key: self.node(node) for key, node in one.about.items()},
            shaped=self.choices(one.shaped),
        )

    def table(self, node: Table) -> Table:
        return node._replace(entries={key: self.node(child) for key, child in node.entries.items()})

    def unknown(self, node: Unknown | None) -> Unknown | None:
        """What is unknown, with the new names of what decides it."""
        if node is None:
            return None
        return node._replace(
            usual=None if node.usual is None else self.node(node.usual),
            given=tuple(map(self.choice, node.given)),
            choices=None if node.choices is None else self.choices(node.choices),
            imports=None if node.imports is None else self.node(node.imports),
        )

    def node(self, node: Node) -> Node:
        match node:
            case Scalar(value=value, given=given, spelled=spelled):
                value = self.text(value) if isinstance(value, str) else value
                return node._replace(value=value, given=tuple(map(self.choice, given)), spelled=self.text(spelled))
            case Link(resource=resource):
                return node._replace(resource=self.name(resource))
            case Joined(parts=parts, given=given, spelled=spelled):
                found = tuple(self.text(one) if isinstance(one, str) else self.node(one) for one in parts)
                spelled = self.text(spelled)
                return Joined(_parts(found), node.place, tuple(map(self.choice, given)), spelled)
            case Table():
                return self.table(node)
            case List(items=items, given=given):
                return node._replace(items=tuple(map(self.node, items)), given=tuple(map(self.choice, given)))
            case Unknown():
                return self.unknown(node) or node

    def text(self, text: str) -> str:
        """A text in which what differs from stack to stack, and parameters, are those of this file."""
        if "\x00" in text:
            names = (",".join(map(self.choice, one[1].split(","))) for one in _NAMES.finditer(text))
            text = _NAMES.sub(lambda _: f"\x00{next(names)}\x01", text)
        return _OF_ONE_STACK.sub(lambda one: f"{one[0]}.{self.label}", text) if "${AWS::Stack" in text else text


def _parts(found: tuple[str | Node, ...]) -> tuple[str | Link | Unknown, ...]:
    return tuple(one for one in found if isinstance(one, str | Link | Unknown))
