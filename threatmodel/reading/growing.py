"""The one walk over YAML's events: what is in a text becomes what a grower makes of it.

Our own files and infrastructure templates differ in what they may hold and in what becomes of it, not in how a text is
walked.  The walk keeps no recursion, so that depth is a grower's to limit.
"""

from __future__ import annotations

from typing import Any, Protocol

from yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)


class Grower(Protocol):
    """What becomes of the events of a text.

    A container is a dict or a list of the grower's own making; it is filled while the events between its beginning and
    its end come.  Each method may raise InputError for what the kind of file does not hold.
    """

    def key(self, mapping: Any, event: Any) -> Any:
        """The key that an event is, in the mapping being filled; any event but the mapping's end may be one."""

    def scalar(self, container: Any, event: Any) -> Any:
        """The value of a scalar in a container."""

    def begin(self, container: Any, event: Any) -> Any:
        """A new container, empty, for the mapping or list that begins with an event inside another container."""

    def end(self, container: Any, event: Any) -> Any:
        """The value of a container that is full and began with an event."""

    def alias(self, container: Any, event: Any) -> Any:
        """The value that an alias repeats in a container."""

    def further(self, event: Any) -> None:
        """Takes note that a second document, or one after it, begins."""


def grow(parser: Any, root: Any, grower: Grower) -> None:
    """Fills `root`, a list-like container of the grower's, with the value of the document whose events a parser has.

    A file that holds nothing leaves it empty.  Raises yaml.YAMLError for what is no YAML.
    """
    container, key, in_mapping = root, None, False
    waiting: list[tuple[Any, Any, Any]] = []  # containers around the one being filled, with the key and first event
    documents = 0
    events = iter(parser.get_event, None)
    for event in events:
        kind = event.__class__
        if in_mapping and kind is not MappingEndEvent:
            key = grower.key(container, event)
            event = next(events)  # noqa: PLW2901 - a key's value follows it
            kind = event.__class__
        if kind is ScalarEvent:
            value = grower.scalar(container, event)
        elif kind is MappingStartEvent or kind is SequenceStartEvent:
            waiting.append((container, key, event))
            container, in_mapping = grower.begin(container, event), kind is MappingStartEvent
            continue
        elif kind is MappingEndEvent or kind is SequenceEndEvent:
            full = container
            container, key, first = waiting.pop()
            in_mapping = container is not root and waiting[-1][2].__class__ is MappingStartEvent
            value = grower.end(full, first)
        elif kind is AliasEvent:
            value = grower.alias(container, event)
        else:
            if kind is DocumentStartEvent:
                documents += 1
                if documents > 1:
                    grower.further(event)
            continue
        if in_mapping:
            container[key] = value
        else:
            container.append(value)
