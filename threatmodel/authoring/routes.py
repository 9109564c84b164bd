"""The callers of routes: routes whose callers are not stated, an answer for several, and how it is written."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence

from threatmodel.assessment.assessed import Assessment
from threatmodel.authoring.answers import Edit, NotAnAnswerError, Said
from threatmodel.authoring.insertion import scalar
from threatmodel.authoring.surfaces import OTHERS, SURFACES
from threatmodel.graph.elements import Graph
from threatmodel.model.system import Trigger, meet
from threatmodel.reading.problems import listed, suggestion
from threatmodel.reading.values import dataclass

_WORDS = {
    **{word: word for word in (*SURFACES, OTHERS)},
    **dict.fromkeys(("n", "no", "none", "other"), OTHERS),
    **dict.fromkeys(("slash", "command", "commands"), "slash-command"),
    "event": "events",
}
_ALL = frozenset({"all", "rest"})
_NUMBERS = re.compile(r"([0-9]{1,6})(?:-([0-9]{1,6}))?\Z")


@dataclass(frozen=True, slots=True)
class Route:
    """A route for which it is not stated whether Slack calls it.

    `index` is its place among the triggers that the model states; None where evidence alone has it.
    """

    function: str
    trigger: Trigger
    index: int | None

    @property
    def api(self) -> str:
        """The api that its requests come through."""
        return self.trigger.source.id if self.trigger.source is not None else ""

    @property
    def shown(self) -> str:
        """Its method and its path, as people speak of it."""
        return f"{self.trigger.detail} {self.trigger.path or '(any path)'}"


def open_routes(assessment: Assessment) -> tuple[Route, ...]:
    """The routes that the question of who calls is about, as they are numbered when it is asked."""
    elements = [name for question in assessment.questions if question.kind == "caller" for name in question.elements]
    return tuple(route for name in elements for route in _of(assessment.graph, name))


def _of(graph: Graph, function: str) -> Iterator[Route]:
    """Those that the model states, then those that only evidence has."""
    node = graph.system.nodes[function]
    stated = tuple(node.triggers or ())
    for index, trigger in enumerate(stated):
        if trigger.caller == "unknown":
            yield Route(function, trigger, index)
    for member in graph.lists[function]["triggers"].known:
        if member.item.caller == "unknown" and not any(_covers(one, member.item) for one in stated):
            yield Route(function, member.item, None)


def _covers(stated: Trigger, other: Trigger) -> bool:
    """Whether a trigger of the model is this route, or all of its api's."""
    same = stated.source is not None and other.source is not None and stated.source.id == other.source.id
    meets = stated.by == "slack" or (stated.by == "http" and meet(stated.detail, other.detail))
    return same and meets and stated.path in {"", other.path}


def answers(routes: Sequence[Route], given: str) -> dict[int, str]:
    """Who calls which route, by its index: a surface of Slack, or OTHERS.

    An answer is parts between commas, each a number, a range, a path or a function's id and then a caller; a
    caller on its own is for all routes that no other part names.

    Raises NotAnAnswerError, with everything that is wrong.
    """
    found: dict[int, str] = {}
    wrong: list[str] = []
    for part in filter(None, (part.replace("=", " ").split() for part in re.split("[,;]", given))):
        word = _WORDS.get(part[-1].lower())
        if word is None:
            hint = suggestion(part[-1], list(_WORDS))
            wrong.append(f"'{part[-1]}' is none of {listed([*SURFACES, OTHERS])}{f'; {hint}' if hint else ''}")
            continue
        for name in part[:-1] or ["rest"]:
            chosen = list(_chosen(routes, name, found))
            twice = [index + 1 for index in chosen if found.get(index, word) != word]
            if not chosen:
                wrong.append(
                    f"'{name}' names no route: expected a number from 1 to {len(routes)}, a path or a function"
                )
            elif twice:
                wrong.append(f"route {listed([str(one) for one in twice])} has two answers")
            found |= dict.fromkeys(chosen, word)
    if wrong or not found:
        raise NotAnAnswerError("; ".join(wrong) or "expected numbers and who calls them: 1 slash-command, 2-3 others")
    return found


def _chosen(routes: Sequence[Route], name: str, found: Mapping[int, str]) -> Iterable[int]:
    """The indices of the routes that a part of an answer is about."""
    if name.lower() in _ALL:
        return [index for index in range(len(routes)) if index not in found]
    numbers = _NUMBERS.match(name)
    if numbers is not None:
        first = int(numbers[1])
        last = int(numbers[2] or first)
        return range(first - 1, last) if 1 <= first <= last <= len(routes) else ()
    return [index for index, one in enumerate(routes) if name in {one.trigger.path, one.function}]


def written(routes: Sequence[Route], said: Mapping[int, str], graph: Graph) -> Iterator[Edit | Said]:
    """What an answer writes.

    A route that only evidence has gets its function and its api an entry in the model, with the function's other open
    routes, so that one entry tells all of them.
    """
    for index, word in said.items():
        route = routes[index]
        if route.index is not None:
            yield Said(route.function, route.index, word)
    read = [(index, route) for index, route in enumerate(routes) if route.index is None]
    named: set[str] = set()
    for function in dict.fromkeys(routes[index].function for index in said if routes[index].index is None):
        own = [(said.get(index, "unknown"), route) for index, route in read if route.function == function]
        for api in dict.fromkeys(route.api for _, route in own):
            if not _stated(graph, api) and api not in named:
                named.add(api)
                yield Edit(("apis",), api, "{}")
        yield Edit(("functions", function), "triggers", f"[{', '.join(_entry(*one) for one in own)}]")
        yield Edit(("functions", function), "incomplete", "[triggers]")


def _stated(graph: Graph, api: str) -> bool:
    """Whether the model has an entry for an api, not only its evidence."""
    return graph.system.nodes[api].place.file == graph.system.file


def _entry(word: str, route: Route) -> str:
    """A trigger as YAML."""
    trigger = route.trigger
    by = f"slack: {word}" if word in SURFACES else f"http: {scalar(trigger.detail.strip() or 'ANY')}"
    path = f", path: {scalar(trigger.path)}" if trigger.path else ""
    caller = "" if word in SURFACES else f", caller: {word}"
    return f"{{{by}, api: {scalar(route.api)}{path}{caller}}}"
