"""What an attacker who holds an element reaches from there, and what to revoke, rotate and restore, in which order."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Literal, NamedTuple

from threatmodel.assessment.assessed import Assessment
from threatmodel.assessment.paths.search import LIMIT, Network, Search, Work
from threatmodel.assessment.paths.steps import Relations, steps
from threatmodel.assessment.paths.tracing import path
from threatmodel.assessment.paths.values import STRENGTHS, Hold, Path, Position
from threatmodel.graph.elements import Graph

ROLE = ".role"
"""What follows a function's id in the name of its role."""

_HELD: Mapping[str, tuple[Hold, ...]] = {
    "function": ("code", "role"),
    "secret": ("secret",),
    "store": ("read", "write"),
    "queue": ("read", "write"),
    "api": ("input",),
    "account": ("account",),
    "pipeline": ("deploy",),
    "workspace": ("workspace", "member"),
    "organization": ("account",),
}
"""What an attacker who holds an element of a kind has."""

Duty = Literal["isolate", "revoke", "rotate", "restore", "check"]
_DUTIES: Mapping[Hold, Duty] = {
    "code": "isolate",
    "role": "revoke",
    "secret": "rotate",
    "deploy": "revoke",
    "account": "revoke",
    "workspace": "revoke",
    "write": "restore",
    "read": "check",
}


class Task(NamedTuple):
    """What to do about a position that an attacker holds, who owns it, and the functions that use it."""

    duty: Duty
    position: Position
    owner: str
    used_by: tuple[str, ...]


class Reach(NamedTuple):
    """What an attacker who holds an element reaches, easiest first, and the tasks, in their order.

    `tasks` are about what is held or reached without a control that stops it. `later` are about what only claimed
    controls keep the attacker from. `complete` is False where the search stopped at its limit.
    """

    element: str
    held: tuple[Position, ...]
    reached: tuple[Path, ...]
    tasks: tuple[Task, ...]
    later: tuple[Task, ...]
    complete: bool


def positions_of(graph: Graph, element: str) -> tuple[Position, ...]:
    """Return what an attacker has who holds an element, or the role of a function (`order-bot.role`); () for none."""
    function = element.removesuffix(ROLE)
    if function != element and function in graph.elements and graph.elements[function].kind == "function":
        return (Position("role", function),)
    found = graph.elements.get(element)
    if found is None or found.kind not in _HELD:
        return ()
    whole = found.kind in {"account", "pipeline", "workspace", "organization"}
    started = tuple(Relations(graph).started.get(element, ())) if found.kind == "api" else (element,)
    return tuple(Position(hold, "" if whole else one) for hold in _HELD[found.kind] for one in started)


def reach(assessment: Assessment, element: str, limit: int = LIMIT) -> Reach:
    """Return what an attacker who holds an element reaches, over every step that is not stopped as proven."""
    held = positions_of(assessment.graph, element)
    every = steps(assessment, beyond=True)
    network = Network((step for step in every if step.proven.strength != "stopped"), held, ending=False)
    best: dict[Position, Path] = {}
    work = Work(limit)
    search = Search(network, "claimed", work)
    chains = (chain for start in network.starts for chain in search.to_all(start))
    for one in (path([network.steps[number] for number in chain], {}) for chain in chains):
        if one.goal not in held and (one.goal not in best or _order(one) < _order(best[one.goal])):
            best[one.goal] = one
    reached = tuple(sorted(best.values(), key=_order))
    open_ones = (one.goal for one in sorted(reached, key=_distance) if one.as_claimed != "stopped")
    stopped = (one.goal for one in sorted(reached, key=_distance) if one.as_claimed == "stopped")
    tasks = tuple(_tasks(assessment, [*held, *open_ones]))
    later = tuple(_tasks(assessment, [*stopped]))
    return Reach(element, held, reached, tasks, later, work.is_done)


def _order(one: Path) -> tuple[int, int, Position]:
    return STRENGTHS.index(one.as_claimed), len(one.steps), one.goal


def _distance(one: Path) -> tuple[bool, int, int, Position]:
    """What is unlikely last, else the nearest first: what reads a secret is taken away before it is rotated."""
    return one.as_claimed == "unlikely", len(one.steps), STRENGTHS.index(one.as_claimed), one.goal


def _tasks(assessment: Assessment, positions: list[Position]) -> Iterator[Task]:
    graph = assessment.graph
    done: set[tuple[Duty, str]] = set()
    written = {one.element for one in positions if one.hold == "write"}
    for position in positions:
        duty = _DUTIES.get(position.hold)
        if duty is None or (duty == "check" and position.element in written):
            continue
        name = position.element or _PLANE.get(position.hold, "")
        if (duty, name) not in done:
            done.add((duty, name))
            yield Task(duty, position, _owner(graph, name), _users(graph, name) if duty == "rotate" else ())


_PLANE: Mapping[Hold, str] = {"deploy": "pipeline", "account": "account", "workspace": "workspace"}


def _owner(graph: Graph, name: str) -> str:
    """The owner of the file that describes an element, with the address; '' where none is assigned."""
    system = graph.system
    place = graph.elements[name].place if name in graph.elements else None
    owner = system.file_owners.get(place.file, "") if place is not None else ""
    return system.reached(owner or system.owner)


def _users(graph: Graph, secret: str) -> tuple[str, ...]:
    """The functions that read a secret, which need its new value."""
    lists = ((name, graph.lists[name].get("secrets")) for name in graph.lists if name in graph.elements)
    return tuple(name for name, members in lists if members is not None and secret in members.items)
