"""The ways in which functions of a stack are started, while resource by resource is looked at."""

from __future__ import annotations

from typing import NamedTuple

from threatmodel.evidence.analyses.properties import read
from threatmodel.evidence.answers import Unanswered, doubt_of
from threatmodel.evidence.relations.naming import Called, Names
from threatmodel.reading.problems import Place
from threatmodel.reading.tokens import redacted
from threatmodel.stacks.stack import Resource
from threatmodel.stacks.values import Node, Unknown

ANYONE = "*"
"""Any sender."""

_OUTSIDE = {
    "http": "an API",
    "authorizes": "an API",
    "queue": "a queue, topic, stream or bus",
    "store": "a store",
    "service": "a service",
}


class Start(NamedTuple):
    """One way in which a function is started.

    `by` is http, authorizes, queue, store, service or schedule; `detail` the HTTP method or the schedule's text (''
    where it is unknown); `source` the resource that it comes through, or a key of `outside` ('' for a schedule, and
    if that is unknown); `path` the route; `places` the lines that prove it.  `certain` is False where what
    shows it may not exist; `guarded` is a route that asks its callers for a signature of IAM's or a user's token,
    `decided` one about whose callers a Lambda authorizer decides, `reached` one that Slack's servers can connect to.
    """

    by: str
    detail: str
    source: str
    path: str
    places: tuple[Place, ...]
    certain: bool = True
    guarded: bool = False
    decided: bool = False
    reached: bool = True


class Way:
    """What is found about one function, as resource by resource is looked at; `unknown`: why more may start it."""

    def __init__(self) -> None:
        self._starts: dict[tuple[str, str, str, str], Start] = {}
        self.callers: dict[str, set[str]] = {}
        self.unknown: Unanswered | None = None

    def doubt(self, why: str, place: Place) -> None:
        """Notes why there may be more; the first reason is kept."""
        if self.unknown is None:
            self.unknown = Unanswered(why, place)

    def add(self, start: Start) -> None:
        """Add a way; the same way again adds its lines, is certain where one is, and guarded where both are."""
        start = start._replace(detail=redacted(start.detail), path=redacted(start.path))
        before = self._starts.get(start[:4], start)
        self._starts[start[:4]] = start._replace(
            places=tuple(dict.fromkeys((*before.places, *start.places))),
            certain=before.certain or start.certain,
            guarded=before.guarded and start.guarded,
            decided=before.decided and start.decided,
        )

    @property
    def starts(self) -> tuple[Start, ...]:
        """What starts the function, as far as is known."""
        return tuple(self._starts.values())


class Ways:
    """All functions of a stack, with what is known so far of what starts them.

    `found` is by the function's name; `routes` lead to an integration by its name; `hidden` are calls with an
    unknown target, by service, sender and whether defaults tell; `anyone` is what starts an unknown function.  While a
    resource is looked at (`at`), it is noted for which functions it says something: `said_by`; `loose` are those that
    may say something of any.
    """

    def __init__(self, names: Names) -> None:
        self.names = names
        self.stack = names.stack
        self.found = {name: Way() for name in names.functions}
        self.at = ""
        self.said_by: dict[str, set[str]] = {name: set() for name in names.functions}
        self.loose: set[str] = set()
        self.routes: dict[str, list[Resource]] = {}
        self.hidden: dict[tuple[str, str, bool], Unknown] = {}
        self.anyone: dict[bool, tuple[Unknown, str, Place]] = {}

    def start(self, called: Called, service: str, resource: Resource, start: Start, sender: str = "") -> None:
        """Note that functions are started; `service` and `sender` are the principals that a permission for it names.

        A value means one function.  Where it may be one of several, a request may reach each of them by some route.
        """
        self.hide(called, service, start.source or sender)
        one_of = len(called.functions) > 1
        if one_of and start.by == "http":
            start = start._replace(detail="", path="")
        for name in called.functions:
            way = self.way(name)
            doubt = doubt_of(resource, self.names.functions[name])
            way.add(start._replace(certain=doubt is None and (not one_of or start.by == "http")))
            if one_of:
                way.doubt(f"{_OUTSIDE.get(start.by, 'a schedule')} starts it or another function", start.places[0])
            way.callers.setdefault(service, set()).update({start.source, sender})
            if doubt is not None:
                way.doubt(doubt.why, doubt.place)
            if not start.source and start.by != "schedule":
                why = f"{_OUTSIDE[start.by]} that is not in this file starts it"
                way.doubt(why, start.places[0])
            if start.by == "schedule" and not start.detail:
                way.doubt("its schedule is unknown", start.places[0])

    def way(self, name: str) -> Way:
        """Return what is known so far of a function, for the resource that is looked at to add to it."""
        self.said_by[name].add(self.at)
        return self.found[name]

    def serve(self, called: Called, service: str, resource: Resource, source: str, place: Place) -> None:
        """Notes that a service of AWS starts functions: a resource of it, or the service by its key."""
        self.start(called, service, resource, Start("service", "", source, "", (place,)), resource.name)

    def hide(self, called: Called, service: str, sender: str) -> None:
        """Note that a call has an unknown target: it may be any function that allows the caller."""
        if called.open is not None:
            self.loose.add(self.at)
            for whose in (sender, ANYONE):
                self.hidden.setdefault((service, whose, bool(called.open.given)), called.open)

    def calls(self, called: Called, service: str, resource: Resource, why: str, place: Place | None = None) -> None:
        """Notes that functions are called in a way for which a model has no word."""
        for name in called.functions:
            self.way(name).callers.setdefault(service, set()).add(resource.name)
            self.way(name).doubt(why, place or resource.place)

    def anybody(self, found: Unknown | None, what: str, place: Place) -> None:
        """Notes that something starts a function of which it is not known which it is."""
        if found is not None:
            self.loose.add(self.at)
            self.anyone.setdefault(bool(found.given), (found, f"{what} may start it: {found.why}", place))


def named(resource: Resource, names: str) -> Node | None:
    """A property of which none is left out: where the resource may have others, it is unknown."""
    return read(resource.properties, names) or resource.opaque


def places_of(resource: Resource, node: Node | None) -> tuple[Place, ...]:
    """The line of a resource, and that of what in it names the other side, where an author wrote that elsewhere."""
    if node is None or resource.made_by or node.place[:2] == resource.place[:2]:
        return (resource.place,)
    return (resource.place, node.place)


def doubtful_of(one: Resource, other: Resource) -> Resource:
    """The one of two resources that may not exist, if any."""
    return one if other.doubt is None else other
