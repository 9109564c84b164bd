"""Which elements a threat leads from and to: what starts, uses and passes on what."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping

from threatmodel.assessment.paths.values import Hold, Position
from threatmodel.graph.elements import Graph
from threatmodel.graph.members import members_of
from threatmodel.model.system import Trigger

_WHOLE: frozenset[Hold] = frozenset(
    ("outside", "member", "client", "supplier", "principal", "account", "deploy", "workspace")
)
"""The holds that are of no single element."""


class Relations:
    """What starts, uses and passes on what, by element."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.functions = tuple(one.id for one in graph.elements.values() if one.kind == "function")
        self.secrets = tuple(one.id for one in graph.elements.values() if one.kind == "secret")
        self.started: dict[str, dict[str, None]] = {}
        self.writers: dict[str, dict[str, None]] = {}
        for function in self.functions:
            for trigger in self._list(function, "triggers"):
                if isinstance(trigger, Trigger) and trigger.source is not None:
                    self.started.setdefault(trigger.source.id, {})[function] = None
            for store in self.of(function, "writes"):
                self.writers.setdefault(store, {})[function] = None
        names = {resource: element for read in graph.evidence for element, resource in read.elements.items()}
        self.granted: dict[str, dict[str, None]] = {}
        for read in graph.evidence:
            for function, resource, _ in read.unused:
                if (held := names.get(resource, resource)) in graph.lists:
                    self.granted.setdefault(function, {})[held] = None
        self._named: Mapping[str, Callable[[str], Iterable[str]]] = {
            "self": lambda element: (element,),
            "started": lambda element: self.started.get(element, ()),
            "writers": lambda element: self.writers.get(element, ()),
            "granted": lambda element: (one for one in self.granted.get(element, ()) if one not in self.secrets),
            "granted-secrets": lambda element: (one for one in self.granted.get(element, ()) if one in self.secrets),
            "reads": lambda element: self._stores(element, "reads"),
            "writes": lambda element: self._stores(element, "writes"),
            "secrets": lambda element: self.of(element, "secrets"),
            "passed": lambda element: self.of(element, "passes_to"),
            "every-function": lambda _: self.functions,
            "every-secret": lambda _: self.secrets,
        }

    def _list(self, element: str, name: str) -> Iterator[object]:
        return (member.item for member in members_of(self.graph.lists.get(element, {}), name))

    def of(self, element: str, name: str) -> tuple[str, ...]:
        """The elements that a list of an element names, those outside the model left out."""
        items = (item for item in self._list(element, name) if isinstance(item, str))
        return tuple(item for item in items if item in self.graph.elements)

    def _stores(self, element: str, name: str) -> tuple[str, ...]:
        """The stores of a function; where none is known, the function stands for the data that it handles."""
        return self.of(element, name) or (element,)

    def passes_on(self, function: str) -> Iterator[tuple[str, str]]:
        """The functions that another one starts, each with the flow through which."""
        for other in self.of(function, "invokes"):
            yield other, f"{function}:{other}:invoke"
        for name, verb in (("sends", "send"), ("writes", "write")):
            for through in self.of(function, name):
                for other in self.started.get(through, ()):
                    yield other, f"{function}:{through}:{verb}"

    def positions(self, hold: Hold, name: str, element: str) -> Iterator[Position]:
        """Yield the positions of a hold that a lead names, seen from the element of a finding."""
        if hold in _WHOLE:
            yield Position(hold)
            return
        for one in self._named[name](element):
            yield Position(hold, one)
