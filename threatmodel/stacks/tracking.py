"""A stack that records which choices of a deployment are read of it.

Analyses see the stack that they know.  What is known whatever a deployment chooses is handed out as it is: only
properties that a choice decides, and resources that it may leave out, are recorded.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from threatmodel.reading.values import field_names, replace
from threatmodel.stacks.reads import Reads
from threatmodel.stacks.stack import Resource, Stack
from threatmodel.stacks.values import ALWAYS, Node, Table, choices_of


class TrackedEntries(Mapping[str, "Node"]):
    """Entries of which each records the choices that decide it; which keys there are depends on all of them."""

    __slots__ = ("_choices", "_reads", "_shaped", "entries")

    def __init__(self, entries: Mapping[str, Node], shaped: frozenset[str], reads: Reads) -> None:
        self.entries, self._shaped, self._reads = entries, shaped, reads
        self._choices: dict[str, frozenset[str]] = {}

    def _note(self, key: str) -> None:
        found = self._choices.get(key)
        if found is None:
            found = self._choices[key] = self._shaped | choices_of(self.entries.get(key))
        self._reads.note(found)

    def __getitem__(self, key: str) -> Node:
        self._note(key)
        return self.entries[key]

    def __iter__(self) -> Iterator[str]:
        for key in self.entries:
            self._note(key)
        return iter(self.entries)

    def __len__(self) -> int:
        return sum(1 for _ in self)


class _Resources(Mapping[str, Resource]):
    """Resources of which each records the choices that decide whether it is there."""

    def __init__(
        self, resources: Mapping[str, Resource], shaped: frozenset[str], reads: Reads, *, regardless: bool = False
    ) -> None:
        self._resources, self._shaped, self._reads = resources, shaped, reads
        self._tracked: dict[str, Resource] = {}
        self.is_regardless = regardless
        existence = _form if regardless else _existence
        self._existence = {name: found for name, one in resources.items() if (found := existence(one))}
        self._every = shaped.union(*self._existence.values())

    def __getitem__(self, name: str) -> Resource:
        found = self._tracked.get(name)
        if found is None:
            if name not in self._resources:
                self._reads.note(self._shaped)
                raise KeyError(name)
            found = self._tracked[name] = tracked_resource(self._resources[name], self._reads)
        self._reads.note(self._existence.get(name, ALWAYS))
        return found

    def __iter__(self) -> Iterator[str]:
        self._reads.note(self._every)
        return iter(self._resources)

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def regardless(self) -> _Resources:
        """Return the same resources, of which it is not recorded which were looked for."""
        found = _Resources(self._resources, self._shaped, self._reads, regardless=True)
        found._tracked = self._tracked
        return found

    def types(self) -> Iterator[tuple[str, str]]:
        """The type of each resource that may be there, by name."""
        return ((name, one.type) for name, one in self._resources.items())

    def of_type(self, types: tuple[str, ...]) -> Iterator[Resource]:
        """The resources of some types; whether others are there is not recorded."""
        self._reads.note(self._shaped)
        return (self[name] for name, kind in self.types() if kind in types)


class _TrackedStack(Stack):
    """A stack whose resources are recorded by type too."""

    __slots__ = ()

    def of_type(self, *types: str) -> Iterator[Resource]:
        resources = self.resources
        return resources.of_type(types) if isinstance(resources, _Resources) else super().of_type(*types)

    def types(self) -> Iterator[tuple[str, str]]:
        resources = self.resources
        return resources.types() if isinstance(resources, _Resources) else super().types()

    def regardless(self) -> Stack:
        resources = self.resources
        if not isinstance(resources, _Resources) or resources.is_regardless:
            return self
        return self.once(_TrackedStack.regardless, lambda: replace(self, resources=resources.regardless()))


def tracked(stack: Stack) -> Stack:
    """Return the stack as one that records in its `reads` what is read of it."""
    reads = Reads()
    given = {name: getattr(stack, name) for name in field_names(Stack)}
    return _TrackedStack(**{**given, "resources": _Resources(stack.resources, stack.shaped, reads), "reads": reads})


def tracked_resource(resource: Resource, reads: Reads) -> Resource:
    """Return the resource as one whose properties are recorded."""
    shaped = resource.shaped | choices_of(resource.opaque)
    properties, about = resource.properties, resource.about
    entries = TrackedEntries(properties.entries, shaped, reads)
    return replace(
        resource,
        properties=Table(entries, properties.place, properties.keys),
        about=None if about is None else TrackedEntries(about, ALWAYS, reads),
    )


def untracked(resource: Resource) -> Resource:
    """Return the resource as it was before it was tracked."""
    properties, about = resource.properties, resource.about
    if not isinstance(properties.entries, TrackedEntries):
        return resource
    return replace(
        resource,
        properties=properties._replace(entries=properties.entries.entries),
        about=about.entries if isinstance(about, TrackedEntries) else about,
    )


def _existence(resource: Resource) -> frozenset[str]:
    return _form(resource) | choices_of(resource.doubt)


def _form(resource: Resource) -> frozenset[str]:
    """The choices by which a resource may be another one, or have other properties."""
    return resource.shaped | choices_of(resource.opaque)
