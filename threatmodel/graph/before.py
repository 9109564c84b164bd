"""What comes before an element: who calls a function, who fills a queue, what starts functions with what it holds."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property

from threatmodel.graph.members import Lists, Member, members_of, none_in
from threatmodel.model.facts import EVIDENCE, STATED, Fact, Statement


class Before:
    """The steps toward each element, given the lists of all elements, and those of the functions, by id."""

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
        """By element, what hands something to it: functions, services, and apis and others that hand on to it."""
        found: dict[str, list[Member]] = {}
        for element, lists in self._lists.items():
            for name in ("sends", "writes", "passes_to", "calls"):
                for into, fact in members_of(lists, name):
                    found.setdefault(into, []).append(Member(element, fact))
        return found

    @cached_property
    def nothing_unlisted(self) -> Fact | None:
        """That no function passes anything to another that is not listed."""
        return none_in(
            [lists.get(name) for lists in self._functions.values() for name in ("invokes", "sends", "writes")]
        )

    def _step(self, element: str) -> Iterator[Member]:
        """What is one step before an element."""
        yield from self.callers.get(element, ())
        yield from self._fillers.get(element, ())
        for trigger, fact in members_of(self._functions.get(element, {}), "triggers"):
            if trigger.by in {"queue", "store", "service"} and trigger.source is not None:
                yield Member(trigger.source.id, fact)

    @cached_property
    def _ahead(self) -> Mapping[str, Sequence[Member]]:
        """By element, what is one step ahead of it."""
        found: dict[str, list[Member]] = {}
        for element in self._lists:
            for before, fact in self._step(element):
                found.setdefault(before, []).append(Member(element, fact))
        return found

    def best_ways(self, sources: Mapping[str, Statement]) -> Mapping[str, Statement]:
        """All that is ahead of the sources, one step or more, each with the weakest link of the best way there.

        Ways over evidence alone come first, then those over word too, so that every step is taken twice at most.
        """
        found: dict[str, Statement] = {}
        for least in (EVIDENCE, STATED):
            waiting = deque((one, said) for one, said in (*sources.items(), *found.items()) if said.size >= least)
            while waiting:
                at, said = waiting.popleft()
                for element, fact in self._ahead.get(at, ()):
                    if element not in found and fact.said.size >= least:
                        found[element] = min(fact.said, said, key=lambda step: step.size)
                        waiting.append((element, found[element]))
        return found

    def first_before(self, sources: Iterable[str]) -> Mapping[str, str]:
        """All that is ahead of the sources, one step or more, each with the first source that leads to it."""
        found: dict[str, str] = {}
        for source in sources:
            waiting = [source]
            while waiting:
                new = [element for element, _ in self._ahead.get(waiting.pop(), ()) if element not in found]
                found.update(dict.fromkeys(new, source))
                waiting += dict.fromkeys(new)
        return found
