"""Which resource a part belongs to: by the name that the part states, or by all that identifies the resource."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import TypeAlias

from threatmodel.stacks.stack import Resource
from threatmodel.stacks.terraform.rows import Row, own_name_of
from threatmodel.stacks.values import Link, Node, Scalar, Unknown, items, links, shape_of, unknowns

_MAY_NAME = "a reference whose value is unknown may name it"
_FARTHEST = 5
"""Resources that repeat a value of each other and are followed."""

Key: TypeAlias = "tuple[str, ...]"
"""What identifies a resource, one text for each argument."""


class Candidates:
    """The resources that a part may belong to: by type, and by the names that they give themselves."""

    def __init__(self, found: Mapping[str, Resource], written: Mapping[str, Resource]) -> None:
        self.found = found
        self.written = written
        self.by_key: dict[tuple[str, tuple[str, ...]], dict[Key, list[str]]] = {}
        self.outside: dict[tuple[str, Key], str] = {}
        self.compared = 0
        self.types = {name: one.type for name, one in found.items()}
        self.by_type: dict[str, list[str]] = {}
        self.by_name: dict[tuple[str, str], list[str]] = {}
        self.unnamed: dict[str, list[str]] = {}
        self.asked: set[tuple[object, ...]] = set()
        for name, one in found.items():
            self.by_type.setdefault(one.type, []).append(name)
            own = one.properties.entries.get(own_name_of(one.type))
            for known in (own, *(one.properties.entries.get(key) for key in ("id", "arn"))):
                if isinstance(known, Scalar) and not known.given:
                    self.by_name.setdefault((one.type, str(known.value)), []).append(name)
            if own is not None and (not isinstance(own, Scalar) or own.given):
                self.unnamed.setdefault(one.type, []).append(name)

    def owners(self, part: Resource, row: Row) -> Sequence[tuple[str, Unknown | None]]:
        """The resources that a part belongs to, and those that it may belong to, with why."""
        return tuple(self._identified(part, row) if len(row.by) > 1 else self._named(part, row))

    def _named(self, part: Resource, row: Row) -> Iterator[tuple[str, Unknown | None]]:
        node = part.properties.entries.get(row.by[0])
        if part.opaque is not None and node is None:
            yield from self._once(part, row, self.by_type, part.opaque)
        for one in items(node):
            linked = dict.fromkeys(link.resource for link in links(one))
            unknown = next(unknowns(one), None)
            if linked:
                doubt = None if len(linked) == 1 else unknown or Unknown(_MAY_NAME, one.place)
                yield from ((name, doubt) for name in linked if self.types.get(name) == row.type)
            elif unknown is not None:
                yield from self._once(part, row, self.by_type, unknown)
            else:
                sure = [name for text in _names(one) for name in self.by_name.get((row.type, text), ())]
                yield from ((name, None) for name in dict.fromkeys(sure))
                yield from self._once(part, row, self.unnamed, Unknown(_MAY_NAME, one.place))

    def _once(
        self, part: Resource, row: Row, among: Mapping[str, Sequence[str]], why: Unknown
    ) -> Iterator[tuple[str, Unknown | None]]:
        """Each resource of the type among some: once for a type of parts, however many of them may belong to each."""
        key = (part.type, among is self.unnamed)
        if key not in self.asked:
            self.asked.add(key)
            yield from ((name, why) for name in among.get(row.type, ()))

    # --- what several arguments identify

    def _identified(self, part: Resource, row: Row) -> Iterator[tuple[str, Unknown | None]]:
        """The resources with the same arguments; without any, those that may have them."""
        if (row.type, row.by) not in self.by_key:
            self.by_key[row.type, row.by] = {}
            for name in self.by_type.get(row.type, ()):
                own = self.written.get(self.found[name].made_by or name)
                self.by_key[row.type, row.by].setdefault(self.key(own, row), []).append(name)
        known, key = self.by_key[row.type, row.by], self.key(part, row)
        yield from ((name, None) for name in known.get(key, ()))
        loose = tuple(None if _is_open(one) else one for one in key)
        if key not in known and (part.type, loose) not in self.asked:
            self.asked.add((part.type, loose))
            self.compared += len(known)
            why = next((one for name in row.by for one in unknowns(part.properties.entries.get(name))), None)
            doubt = why or part.opaque or Unknown(_MAY_NAME, part.place)
            if self.compared > _MOST_COMPARED:
                yield from self._once(part, row, self.by_type, doubt)
            else:
                for other, names in known.items():
                    if all(a == b or _is_open(a) or _is_open(b) for a, b in zip(key, other, strict=True)):
                        yield from ((name, doubt) for name in names)

    def key(self, resource: Resource | None, row: Row) -> Key:
        """What identifies a resource, by the arguments of a row."""
        return tuple(self._text(resource, name) for name in row.by)

    def _text(self, resource: Resource | None, name: str) -> str:
        """The text of an argument, of the resource that states it where this one repeats that."""
        node = resource.properties.entries.get(name) if resource is not None else None
        for _ in range(_FARTHEST):
            if not isinstance(node, Link) or (other := self.written.get(node.resource)) is None:
                break
            resource, name = other, node.attribute
            node = other.properties.entries.get(name)
        match node:
            case Scalar(value=str() | int() as value, given=given):
                return "\n".join((_OPEN if given else "", str(value), *given))
            case Link():
                return shape_of(node)
            case _:
                own = "" if node is None and name in _OWN else _OPEN
                return f"{own}{resource.name if resource is not None else ''}.{name}"


_OPEN = "?"
"""How the text begins of what may be any other."""
_OWN = ("id", "root_resource_id")
"""Attributes that differ from those of each other resource, also where only the apply tells them."""
_MOST_COMPARED = 1_000_000


def _is_open(text: str) -> bool:
    return text.startswith(_OPEN)


def _names(node: Node) -> tuple[str, ...]:
    """The names that a text can mean: itself, and the last part of an ARN or URL."""
    raw = node.value if isinstance(node, Scalar) else None
    return (raw, re.split(r"[:/]", raw)[-1]) if isinstance(raw, str) else ()
