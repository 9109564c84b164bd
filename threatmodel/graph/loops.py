"""Which functions can start themselves: what they send, write or say in Slack comes back to them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from threatmodel.graph.members import Lists, Member, members_of
from threatmodel.model.facts import Fact, Statement, known
from threatmodel.model.vocabulary import RELATIONS

_OUTPUTS = tuple(row for row in RELATIONS["function"].values() if row.puts_out)
"""What a function puts out that can start one; of external systems only Slack does."""


class Loops:
    """The loops among functions, given each function's lists by its id."""

    def __init__(self, functions: Mapping[str, Lists]) -> None:
        self._functions = functions
        started: dict[str, list[str]] = {}
        for function, lists in functions.items():
            for trigger, _ in members_of(lists, "triggers"):
                if _by_output(trigger):
                    started.setdefault(_outlet(trigger), []).append(function)
        self._next: dict[str, Sequence[str]] = dict(started)  # by way of what starts: pairs of functions could be many
        self._called: dict[str, list[Member]] = {}
        for function, lists in functions.items():
            puts = (put for row in _OUTPUTS for put, _ in members_of(lists, row.name))
            self._next[function] = [put for put in puts if put in started or put in functions]
            for called, fact in members_of(lists, "invokes"):
                self._called.setdefault(called, []).append(Member(function, fact))
        self._in_circle: dict[str, Fact] = {}
        self._through: dict[str, Sequence[str]] = {}
        for circle in self._found():
            members = [member for member in circle if member in functions]
            links = [self._weakest_link(member, frozenset(circle)) for member in members]
            found = known(value=True, said=links)
            self._in_circle |= dict.fromkeys(circle, found)
            self._through |= dict.fromkeys(circle, tuple(member for member in circle if member not in functions))
        deciding = [row.name for row in _OUTPUTS if "slack" in started or "external system" not in row.to]
        self._complete = all(_closed(lists, name) for lists in functions.values() for name in deciding)
        self._weakest = _weakest(functions.values())

    def _weakest_link(self, function: str, circle: frozenset[str]) -> Statement:
        """The weakest of what makes a function part of a circle: one way in and one way out, each the best there is."""
        lists = self._functions[function]
        ways_in = [f.said for t, f in members_of(lists, "triggers") if _by_output(t) and _outlet(t) in circle]
        ways_in += [fact.said for caller, fact in self._called.get(function, ()) if caller in circle]
        ways_out = [f.said for row in _OUTPUTS for put, f in members_of(lists, row.name) if put in circle]
        best = [max(ways, key=lambda said: said.size) for ways in (ways_in, ways_out)]
        return min(best, key=lambda said: said.size)

    def of(self, function: str) -> Fact | None:
        """Whether a function can start itself; unknown where a list that decides it may be longer."""
        if function in self._in_circle:
            return self._in_circle[function]
        triggers = self._functions[function].get("triggers")
        if triggers is None or not triggers.size:
            return None
        if not any(_by_output(trigger) for trigger in triggers.items) and function not in self._called:
            return known(value=False, said=[triggers.weakest])
        return known(value=False, said=[triggers.weakest, *self._weakest]) if self._complete else None

    def through(self, function: str) -> Sequence[str]:
        """Return the queues and stores, and "slack", that are part of a function's circle."""
        return self._through.get(function, ())

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
                        if len(circle) > 1 or at in self._next[at]:
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


def _outlet(trigger: Any) -> str:
    """Where what starts a function was put out: the queue, the store, or Slack."""
    return "slack" if trigger.by == "slack" else trigger.source.id


def _weakest(functions: Iterable[Lists]) -> list[Statement]:
    """The weakest of what was said, as a list of one, or none where nothing was."""
    said = [members.weakest for lists in functions for members in lists.values() if members.size]
    return [min(said, key=lambda statement: statement.size)] if said else []


def _closed(lists: Lists, name: str) -> bool:
    found = lists.get(name)
    return found is not None and found.size > 0
