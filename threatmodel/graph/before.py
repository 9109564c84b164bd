"""What stands before an element: who calls a function, who fills a queue, what starts functions with what it holds."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property

from threatmodel.graph.members import Lists, Member, members_of, none_in
from threatmodel.model.facts import Fact, Statement


class Before:
    """The steps towards each element, given the lists of all elements, and those of the functions, by id."""

    def __init__(self, lists: Mapping[str, Lists], functions: Mapping[str, Lists]) -> None:
        self._lists = lists
        self._functions = functions

    @cached_property
    def callers(self) -> Mapping[str, Sequence[Member]]:
        """By function, the functions that call it, each with how well that is known."""
        found: dict[str, list[Member]] = {}
        for function, lists in self._functions.items():
            for called, fact in members_of(lists, "invokes"):
                if called in self._functions:
                    found.setdefault(called, []).append(Member(function, fact))
        return found

    @cached_property
    def _fillers(self) -> Mapping[str, Sequence[Member]]:
        """By queue and store, what puts something into it: functions, and apis and others that hand on to it."""
        found: dict[str, list[Member]] = {}
        for element, lists in self._lists.items():
            for name in ("sends", "writes", "passes_to"):
                for into, fact in members_of(lists, name):
                    found.setdefault(into, []).append(Member(element, fact))
        return found

    @cached_property
    def nothing_unlisted(self) -> Fact | None:
        """That no function hands anything to another that nobody has listed."""
        return none_in(
            [lists.get(name) for lists in self._functions.values() for name in ("invokes", "sends", "writes")]
        )

    @cached_property
    def _steps(self) -> Mapping[str, Sequence[Member]]:
        """By element, what stands one step before it."""
        return {element: tuple(self._step(element)) for element in self._lists}

    def _step(self, element: str) -> Iterator[Member]:
        yield from self.callers.get(element, ())
        yield from self._fillers.get(element, ())
        for trigger, fact in members_of(self._functions.get(element, {}), "triggers"):
            if trigger.by in {"queue", "store"} and trigger.source is not None:
                yield Member(trigger.source.id, fact)

    def ways_back(self, function: str) -> Mapping[str, Statement]:
        """All that stands before a function, one step or more, each with the weakest step of the best way."""
        best: dict[str, Statement] = {}
        waiting = [(one.item, one.fact.said) for one in self._steps[function]]
        while waiting:
            element, said = waiting.pop()
            if element in self._steps and (element not in best or best[element].size < said.size):
                best[element] = said
                waiting += [
                    (one.item, min(said, one.fact.said, key=lambda step: step.size)) for one in self._steps[element]
                ]
        return best
