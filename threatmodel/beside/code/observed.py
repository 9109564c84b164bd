"""What an analysis observes in the source of a handler; what it means for a model is decided elsewhere."""

from __future__ import annotations

from typing import Any, NamedTuple

from threatmodel.beside.code.flows import ANY, Flows, Labels
from threatmodel.beside.code.functions import Function, followed
from threatmodel.beside.code.modules import Opening
from threatmodel.beside.code.program import Program
from threatmodel.beside.code.syntax import Node
from threatmodel.reading.problems import Place

CERTAIN, CLAIMED, SIGN = "certain", "claimed", "sign"
"""How well it is known: it can be seen; the code states it; it is only a sign, which decides nothing."""
GRANTS = "grants"
"""The observation what a variable of the environment grants; its value is the variable's name, and that."""
OPENS = "opens"
"""The observation which services of AWS the rights of a handler can be used for; its value has them."""
SERVES = "serves"
"""The observation that a feature of Slack calls a handler; its value is the feature."""


class Observed(NamedTuple):
    """One thing that was observed: `what` by its name, how well it is known, where, and in words.

    Where there is no such place (something is nowhere in the code), the place is the handler's file.
    """

    what: str
    how: str
    place: Place
    note: str
    value: Any = None


class Reading(NamedTuple):
    """A handler's program, where its requests go, and why there may be code that was not read."""

    program: Program
    flows: Flows
    openings: tuple[Opening, ...]

    @property
    def start(self) -> Place:
        """The place of the handler: of the only function that its application has for a route, if there is one."""
        handler, routes = self.program.handler, self.program.routes
        if len(routes) == 1:
            return self.program.place(*routes[0])
        if handler is not None:
            return self.program.place(handler, handler.node)
        first = next(iter(self.program.modules.found.values()))
        return self.program.modules.folder.place(first.path, 1, 1)

    @property
    def whole(self) -> bool:
        """Whether all code was read that may do something: no module and no package is unknown."""
        return not self.openings and not self.program.modules.unknown

    def depends(self, node: Node, function: Function, parts: Labels = ANY) -> bool:
        """Return whether an expression depends on some parts of a request, by the variables that it names too."""
        every = followed(node, lambda name: function.assigned.get(name, ()))
        return any(self.flows.of(one, function) & parts for one in every)

    def at(self, what: str, how: str, where: tuple[Function, Node], note: str, value: Any = None) -> Observed:
        """Return what is observed at a node."""
        return Observed(what, how, self.program.place(*where), note, value)

    def nowhere(self, what: str, how: str, note: str, value: Any = None) -> Observed:
        """Return that something is nowhere in the code."""
        return Observed(what, how, self.start, note, value)
