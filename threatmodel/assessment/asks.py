"""What to ask about what is unknown: the facts and lists that it follows from."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from threatmodel.graph.building import Element, Flow, Graph
from threatmodel.model.facts import Fact
from threatmodel.model.vocabulary import INPUTS, LISTS, ONLY_IF, RELATIONS, Input
from threatmodel.reading.values import dataclass


@dataclass(frozen=True, slots=True, eq=False)
class Alike:
    """Elements about which the same is asked; the hash of many of them costs no more than that of one."""

    elements: tuple[str, ...]

    def __eq__(self, other: object) -> bool:
        return self is other or (isinstance(other, Alike) and self.elements == other.elements)

    def __hash__(self) -> int:
        return hash((len(self.elements), self.elements[:1]))


class Ask(NamedTuple):
    """Something that is not stated.

    A fact or a list of an element, the callers of its routes, a plane's description, or the attestation of a control.
    `kind` is fact, relation, caller, describe or attest; `name` the fact, the list, the plane or the control. `rest`:
    only the rest of the list. `alike`: the same is asked of all these elements, `element` among them.
    """

    kind: str
    of: str
    name: str
    element: str
    rest: bool = False
    alike: Alike | None = None

    @property
    def elements(self) -> tuple[str, ...]:
        """The elements that it is asked of."""
        return (self.element,) if self.alike is None else self.alike.elements


class Asks:
    """What to ask about what is unknown in a graph; each is looked up once."""

    def __init__(self, graph: Graph) -> None:
        self._graph = graph
        self._about: dict[tuple[str, str], tuple[Ask, ...]] = {}
        self._open: dict[tuple[str, str], tuple[Ask, ...]] = {}

    def about(self, target: Element | Flow, name: str) -> tuple[Ask, ...]:
        """Return what to ask about an unknown fact: the fact itself, or for a derived fact its unknown inputs.

        What has to be true for it comes first, where that is not known either.
        """
        key = (target.id, name)
        if key not in self._about:
            self._about[key] = tuple(self._found(target, name)) or (Ask("fact", target.kind, name, target.id),)
        return self._about[key]

    def _found(self, target: Element | Flow, name: str) -> Iterable[Ask]:
        premise = ONLY_IF[target.kind].get(name)
        if premise is not None and not _known(target.facts.get(premise)):
            return self.about(target, premise)
        inputs = INPUTS.get((target.kind, name), ())
        if isinstance(target, Flow):
            return self._of_ends(target, name) if inputs else ()
        found = dict.fromkeys(ask for given in inputs for ask in self._of_input(target, given))
        return found or dict.fromkeys(
            ask for given in inputs if given.name in LISTS for ask in self._of_every(given.kind, given.name)
        )

    def _of_ends(self, flow: Flow, name: str) -> Iterable[Ask]:
        """What to ask of a flow's ends, which decide what it carries."""
        ends = [self._graph.elements[end] for end in (flow.source, flow.target)]
        unknown = [end for end in ends if (end.kind, name) in INPUTS and not _known(end.facts.get(name))]
        return dict.fromkeys(ask for end in unknown for ask in self.about(end, name))

    def _of_input(self, target: Element, given: Input) -> Iterator[Ask]:
        graph = self._graph
        if given.name in LISTS and given.kind == "function" and target.kind != "function":
            yield from self._of_every(given.kind, given.name)
            return
        elements = [target.id] if given.kind == target.kind else graph.related(target, given.kind).ids
        for element in elements:
            if given.name in LISTS:
                yield from list_asks(graph, given.kind, given.name, element)
            elif not graph.elements[element].described:
                yield Ask("describe", given.kind, given.kind, element)
            elif not _known(graph.elements[element].facts.get(given.name)):
                yield Ask("fact", given.kind, given.name, element)

    def _of_every(self, kind: str, name: str) -> tuple[Ask, ...]:
        """What to ask about a list of all elements of a kind, which decide what an element's own lists do not."""
        if (kind, name) not in self._open:
            found: dict[str, list[Ask]] = {}
            for element in self._graph.lists:
                for ask in list_asks(self._graph, kind, name, element):
                    found.setdefault(ask.kind, []).append(ask)
            self._open[kind, name] = tuple(map(_as_one, found.values()))
        return self._open[kind, name]


def _as_one(asks: Sequence[Ask]) -> Ask:
    """The same ask of several elements as one; of a list it is the whole that is asked where it is of any."""
    alike = Alike(tuple(ask.element for ask in asks))
    return asks[0]._replace(rest=all(ask.rest for ask in asks), alike=alike)


def _known(fact: Fact | None) -> bool:
    return fact is not None and fact.size > 0 and not fact.in_doubt


def list_asks(graph: Graph, kind: str, name: str, element: str) -> Iterator[Ask]:
    """Yield what to ask about a list of an element, or about its rest; nothing where it is complete.

    For triggers, also which requests Slack sends, where that is not stated.
    """
    if graph.elements[element].kind == kind and name in RELATIONS[kind]:
        members = graph.lists[element].get(name)
        if name == "triggers" and members is not None and any(one.caller == "unknown" for one in members.items):
            yield Ask("caller", kind, "callers", element)
        if members is None or not members.size:
            yield Ask("relation", kind, name, element, rest=members is not None and bool(members.known))
