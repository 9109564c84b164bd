"""Which elements are drawn as one box: functions by what starts them, others by what they are connected with."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Hashable, Iterable, Mapping, Sequence
from itertools import takewhile
from typing import NamedTuple

from threatmodel.graph.elements import Element, Flow
from threatmodel.model.reference_architecture import PARTIES
from threatmodel.reading.grouping import grouped
from threatmodel.render.picture import PLURALS, DrawnShape, Picture, outermost

LARGE = 8
"""Above so many functions a group is split by names."""

MOST_SHOWN = 24
"""The functions of a group that has a picture: more could not be read in one."""

NAMES = {**PLURALS, "process": "services"}
"""The kinds that can be grouped, with their plurals."""


_OPEN = ("open_to_public", "writable_by_public")


def is_open(element: Element) -> bool:
    """Whether it is known that anyone on the internet reads or writes an element by itself."""
    return any(fact.size and fact.value for name in _OPEN if (fact := element.facts.get(name)) is not None)


WORST = "worst"
"""What sets the worst element apart."""

_Key = Callable[[DrawnShape], Hashable]
_FIXED = frozenset(party.id for party in PARTIES)


class Placing(NamedTuple):
    """The box of each shape, how many boxes of a kind there may be, and what is not put together."""

    place: dict[str, str]
    most: int
    apart: Mapping[str, str]

    def put(self, shapes: Sequence[DrawnShape], keys: Iterable[_Key]) -> int:
        """Place shapes by the first key that leaves few enough boxes, and return how many these are.

        Each box has the id of its first member.  That of the worst element does not count.
        """
        found: dict[tuple[Hashable, str | None], list[str]] = {}
        more = any(self.apart.get(shape.id) == WORST for shape in shapes)
        for key in keys:
            found = grouped(((key(shape), self.apart.get(shape.id)), shape.id) for shape in shapes)
            if len(found) - more <= self.most:
                break
        for names in found.values():
            self.place.update(dict.fromkeys(names, names[0]))
        return len(found) - more


def group_functions(whole: Picture, placing: Placing, functions: Sequence[DrawnShape]) -> int:
    """Place functions together that the same elements start; where that leaves too many, the same kinds, or ways.

    A large group is split, by names or by what its functions use, where that does not leave too many either.
    Return how many boxes there are.
    """
    starts: dict[str, set[str]] = {shape.id: set() for shape in functions}
    uses: dict[str, set[str]] = {shape.id: set() for shape in functions}
    for arrow in whole.arrows:
        if arrow.target in starts and not only_answers(arrow.flows):
            starts[arrow.target].add(arrow.source)
        if arrow.source in uses and whole.shapes[arrow.target].kind == "store":
            uses[arrow.source].add(arrow.target)
    kinds = {name: frozenset(whole.shapes[one].kind for one in sources) for name, sources in starts.items()}
    keys: tuple[_Key, ...] = (
        lambda shape: (shape.zone, frozenset(starts[shape.id])),
        lambda shape: (shape.zone, kinds[shape.id]),
        lambda shape: (outermost(shape.zone, whole.zones), kinds[shape.id]),
        lambda shape: (
            outermost(shape.zone, whole.zones),
            next((w for w in _WAYS if w & kinds[shape.id]), kinds[shape.id]),
        ),
        lambda shape: outermost(shape.zone, whole.zones),
    )
    return placing.put(functions, [one for key in keys for one in (_split(key, functions, uses), key)])


_WAYS = (frozenset({"api", "external"}), frozenset({"queue", "store", "process"}))
"""The kinds of what starts functions: requests, then events."""


def _split(key: _Key, shapes: Sequence[DrawnShape], uses: Mapping[str, Collection[str]]) -> _Key:
    """A key that splits the large groups of another one by the words of names, or else by the stores in use."""
    parts: dict[str, Hashable] = {}
    for names in grouped((key(shape), shape.id) for shape in shapes).values():
        if len(names) > LARGE:
            words = _distinctive(names)
            parts.update(words if len(set(words.values())) > 1 else {name: frozenset(uses[name]) for name in names})
    return lambda shape: (key(shape), parts.get(shape.id, ""))


def _distinctive(names: Sequence[str]) -> Mapping[str, str]:
    """For each name its first word that is not common to all, or '' where that says nothing: a number, or unique."""
    parts = {name: name.split("-") for name in names}
    common = len(list(takewhile(lambda words: len(set(words)) == 1, zip(*parts.values(), strict=False))))
    found = {name: words[common] if len(words) > common else "" for name, words in parts.items()}
    counts = Counter(found.values())
    return {name: word if counts[word] > 1 and not word.isdigit() else "" for name, word in found.items()}


def group_others(whole: Picture, placing: Placing) -> int:
    """Place elements of a kind together that are connected with the same boxes, or in the same way, or at all.

    Return how many boxes there are of the kind that has most.
    """
    meets: dict[str, set[tuple[str, bool]]] = {}
    for arrow in whole.arrows:
        for name, other, ahead in ((arrow.source, arrow.target, True), (arrow.target, arrow.source, False)):
            meets.setdefault(name, set()).add((placing.place.get(other, ""), ahead))
    alone = {whole.focus, *_FIXED}
    others = (one for one in whole.shapes.values() if one.kind != "function" and one.kind in NAMES)
    by_kind = grouped((one.kind, one) for one in others if one.id in placing.place and one.id not in alone)
    ways = {name: frozenset(ahead for _, ahead in met) for name, met in meets.items()}
    keys: tuple[_Key, ...] = (
        lambda shape: (is_open(shape.members[0]), shape.zone, frozenset(meets.get(shape.id, ()))),
        lambda shape: (is_open(shape.members[0]), shape.zone, ways.get(shape.id)),
        lambda shape: (is_open(shape.members[0]), outermost(shape.zone, whole.zones)),
        lambda shape: outermost(shape.zone, whole.zones),
    )
    return max([placing.put(shapes, keys) for shapes in by_kind.values()], default=0)


def only_answers(flows: Iterable[Flow]) -> bool:
    """Whether flows only answer requests of the other side."""
    return all(flow.id.endswith(":answer") for flow in flows)
