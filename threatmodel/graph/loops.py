"""Which functions can start themselves: what they send, write or say in Slack comes back to them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from threatmodel.graph.derived import known
from threatmodel.model.facts import Fact, Facts, Statement

_OUTPUTS = ("writes", "sends", "calls")
"""What a function puts out that can start one; of external systems only Slack does."""


class Loops:
    """The loops among functions.  `relations` has each function's relations by its id."""

    def __init__(self, relations: Mapping[str, Facts]) -> None:
        self._relations = relations
        started: dict[str, list[str]] = {}
        for function, said in relations.items():
            for trigger in _items(said, "triggers"):
                if _by_output(trigger):
                    started.setdefault("slack" if trigger.by == "slack" else trigger.source.id, []).append(function)
        self._next: dict[str, Sequence[str]] = dict(started)  # by way of what starts: pairs of functions could be many
        for function, said in relations.items():
            self._next[function] = [put for name in _OUTPUTS for put in _items(said, name) if put in started]
        self._in_circle: dict[str, Fact] = {}
        for circle in self._found():
            members = [member for member in circle if member in relations]
            found = known(value=True, said=_weakest(relations[member] for member in members))
            self._in_circle |= dict.fromkeys(circle, found)
        deciding = _OUTPUTS if "slack" in started else _OUTPUTS[:2]
        self._complete = all(_known(said, name) for said in relations.values() for name in deciding)
        self._weakest = _weakest(relations.values())

    def of(self, function: str) -> Fact | None:
        """Whether a function can start itself; unknown where a list that decides it is."""
        said = self._relations[function]
        if function in self._in_circle:
            return self._in_circle[function]
        triggers = said.get("triggers")
        if triggers is None or not triggers.size:
            return None
        if not any(_by_output(trigger) for trigger in triggers.value):
            return known(value=False, said=[triggers.said])
        return known(value=False, said=[triggers.said, *self._weakest]) if self._complete else None

    def _found(self) -> Iterator[tuple[str, ...]]:
        """The circles: functions and what starts them, strongly connected (Tarjan's algorithm, without recursion)."""
        order: dict[str, int] = {}
        low: dict[str, int] = {}
        stack: list[str] = []
        for root in self._next:
            walk = [] if root in order else [(root, iter(self._next[root]))]
            if walk:
                order[root] = low[root] = len(order)
                stack.append(root)
            while walk:
                at, ahead = walk[-1]
                after = next(ahead, None)
                if after is None:
                    walk.pop()
                    if walk:
                        low[walk[-1][0]] = min(low[walk[-1][0]], low[at])
                    if low[at] == order[at]:
                        circle = tuple(stack[stack.index(at) :]) if stack[-1] != at else (at,)
                        del stack[-len(circle) :]
                        low.update(dict.fromkeys(circle, len(self._next)))
                        if len(circle) > 1:
                            yield circle
                elif after not in order:
                    order[after] = low[after] = len(order)
                    stack.append(after)
                    walk.append((after, iter(self._next[after])))
                else:
                    low[at] = min(low[at], low[after])


def _by_output(trigger: Any) -> bool:
    """Whether what functions put out can be what starts one: messages, changes, and what is posted in Slack."""
    if trigger.by == "slack":
        return bool(trigger.detail == "events")
    return trigger.by in {"queue", "store"} and trigger.source is not None


def _weakest(relations: Any) -> list[Statement]:
    """The weakest of what was said, as a list of one, or none where nothing was."""
    said = [fact.said for one in relations for fact in one.values() if fact.size]
    return [min(said, key=lambda statement: statement.size)] if said else []


def _known(relations: Facts, name: str) -> bool:
    fact = relations.get(name)
    return fact is not None and fact.size > 0


def _items(relations: Facts, name: str) -> tuple[Any, ...]:
    return tuple(relations[name].value) if _known(relations, name) else ()
