"""What is handed to an analysis, and what it answers: the words between the executor of places and the analyses."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, TypeAlias

from threatmodel.reading.problems import Place
from threatmodel.reading.values import dataclass
from threatmodel.stacks.stack import Resource, Stack
from threatmodel.stacks.values import Node, Unknown


@dataclass(frozen=True, slots=True)
class Gathered:
    """One value that a source of a `gather` led to.

    `part` is the source's `as`; `node` the value there (the resource's properties if the source has no path; an
    Unknown where it leads to something that cannot be read); `resource` where that is.
    """

    part: str
    node: Node
    resource: Resource


class Answered(NamedTuple):
    """The value of a fact, the places that it rests on (the first is cited), and what a reader should know.

    `doubt`: nothing that it rests on may exist, and then the value is another one.
    """

    value: Any
    places: tuple[Place, ...]
    note: str = ""
    doubt: Unknown | None = None


class Unanswered(NamedTuple):
    """That the value is unknown, with the reason and its place.

    `usual` is the value under the defaults, `stands` the value in the file, which something unread may change.
    """

    why: str
    place: Place
    usual: Answered | None = None
    stands: Answered | None = None


Outcome: TypeAlias = "Answered | Unanswered | None"
"""None: nothing was said, and the next place may say something."""

AnalysisFunction: TypeAlias = "Callable[[Sequence[Gathered], Resource, Stack], Outcome]"
"""From what was gathered for an element, which resource that is, and the stack around it."""
