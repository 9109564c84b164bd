"""What derived facts follow from: lists of elements, what is stated of them, and what is worked out once for all."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from functools import cached_property

from threatmodel.graph.before import Before
from threatmodel.graph.loops import Loops
from threatmodel.graph.members import Lists, Member, Members, any_in, members_of, none_in
from threatmodel.model.facts import Fact, Facts, Statement, known, stated
from threatmodel.model.system import REQUESTS, THROUGH, Node, System, Trigger
from threatmodel.model.vocabulary import CLASSIFICATIONS
from threatmodel.reading.problems import Place
from threatmodel.reading.values import dataclass, new_tuple

SLACK_CLASS = {"slash-command": "internal", "interactivity": "internal", "events": "confidential"}
"""The class of what Slack sends, by surface."""


_OPERATING = frozenset(("CloudFormation", "CodeDeploy", "CodePipeline", "Config"))
"""Services whose events say what was deployed or changed."""

PASSING_REQUESTS = frozenset(("CloudFront", "Elastic Load Balancing"))
"""Services that pass requests of the internet on as they are, if they are set up so."""
WITH_ROUTES = PASSING_REQUESTS | {"AppSync", "VPC Lattice"}
"""Services that callers call by an address: those, and those that are an API."""
_CLAIM = Statement(value=False, source="wiring", place=None)
"""That nothing outside these files makes a private API reachable."""
PASSING_ON = WITH_ROUTES | {"Alexa", "Cognito", "Connect", "IoT Core", "Lex", "SES"}
"""Services that hand functions what people or devices send them from outside."""


@dataclass(frozen=True)
class Given:
    """What facts are derived from: a system, the lists of its elements by id, and the facts stated of them.

    `today` decides which runtimes are supported (unknown without it); `by_services` is what external systems do by
    themselves, by id.  `signs`: a file mentions Slack.
    """

    system: System
    lists: Mapping[str, Lists]
    stated: Mapping[str, Facts]
    today: datetime.date | None
    by_services: Mapping[str, Lists]
    signs: bool

    @cached_property
    def functions(self) -> Mapping[str, Lists]:
        """The lists of the functions alone."""
        return {one: lists for one, lists in self.lists.items() if self.system.nodes[one].kind == "function"}

    @cached_property
    def derived(self) -> dict[tuple[str, str], Fact | None]:
        """What was derived already, by its name and element, of the facts from which others follow."""
        return {}

    @cached_property
    def loops(self) -> Loops:
        """Which functions start themselves."""
        return Loops(self.functions)

    @cached_property
    def before(self) -> Before:
        """What comes before each element."""
        return Before({**self.by_services, **self.lists}, self.functions)

    @cached_property
    def started(self) -> Mapping[tuple[str, str], Fact]:
        """For each api, queue and store that starts functions, by trigger and id, that it does."""
        found: dict[tuple[str, str], Fact] = {}
        for lists in self.functions.values():
            for trigger, fact in members_of(lists, "triggers"):
                if trigger.source is not None and trigger.caller != "unknown":
                    key = (trigger.by, trigger.source.id)
                    new = known(value=True, said=[fact.said])
                    found[key] = max(found.get(key, new), new, key=lambda fact: fact.size)
        return found

    @cached_property
    def starts_nothing(self) -> Fact | None:
        """That nothing starts functions: known where all that starts any is known, or where there is no function."""
        lists = [lists.get("triggers") for lists in self.functions.values()]
        nothing = Statement(value=False, source="model", place=Place(self.system.file, 0))
        return none_in(lists, nothing)

    @cached_property
    def asked_by_request(self) -> Mapping[str, Sequence[str]]:
        """By api, the functions that its requests start: who sends these is a person's statement."""
        found: dict[str, list[str]] = {}
        for function, lists in self.functions.items():
            triggers = [trigger for trigger, _ in members_of(lists, "triggers") if trigger.by in REQUESTS]
            for api in dict.fromkeys(one.source.id for one in triggers if one.source is not None):
                found.setdefault(api, []).append(function)
        return found

    def starts_any(self, by: str, element: str) -> Fact | None:
        """Whether any function has such a trigger from this element: false only when all triggers are known."""
        return self.started.get((by, element), self.starts_nothing)

    @cached_property
    def faces(self) -> Mapping[str, Fact | None]:
        """By element, whether requests from outside reach it: an api is there for nothing else, a service never."""
        service = stated(Statement(value=False, source="wiring", place=None))
        found = {name: self._faced(node) for name, node in self.system.nodes.items()}
        passing = {name: None for name, one in self.system.externals.items() if one.service in PASSING_ON}
        return {**dict.fromkeys(self.by_services, service), **passing, **found}

    def unless_passed_on(self, function: str, services: Collection[str], fact: Fact | None) -> Fact | None:
        """What a fact about requests is; unknown where it is false and a service may pass requests on to a function."""
        if fact is None or fact.value:
            return fact
        externals = self.system.externals
        sources = (one.source for one, _ in members_of(self.functions[function], "triggers") if one.by == "service")
        passing = any(one is not None and externals[one.id].service in services for one in sources)
        return None if passing else fact

    @cached_property
    def without_slack(self) -> bool:
        """Whether it is stated of each route that it is not Slack's, and of nothing else that Slack starts it.

        A file that mentions Slack leaves it open.
        """
        triggers = [lists.get("triggers") for lists in self.functions.values()]
        closed = bool(triggers) and all(members is not None and members.size for members in triggers)
        said = all("triggers" in self.system.nodes[function].relations for function in self.functions)
        items = [item for members in triggers if members is not None for item in members.items]
        slack = any(item.by == "slack" or item.caller == "unknown" for item in items)
        called = any("slack" in lists["calls"].items for lists in self.functions.values() if "calls" in lists)
        routed = any(item.by == "http" for item in items)
        return closed and said and routed and not slack and not called and not self.signs

    def runs_at_edge(self, function: str) -> Fact | None:
        """The fact that a function runs at the edge; None if it does not, or that is unknown."""
        found = self.stated[function].get("runs_at_edge")
        return found if found is not None and found.size and found.value else None

    def requested(self, function: str) -> Fact | None:
        """Whether requests of the internet reach a function by what starts it."""
        if at_edge := self.runs_at_edge(function):
            return known(value=True, said=[at_edge.said])
        triggers = members_of(self.functions[function], "triggers")
        by_api = [one for one in triggers if THROUGH[one.item.by] == "api" or self.apis_of(one.item)]
        public = [one for one in by_api if not self._is_private(one.item)]
        started = any_in(self.functions[function], "triggers", lambda one: one in public)
        if by_api and started is not None and not started.value:
            started = known(value=False, said=[started.said, _CLAIM])
        return self.unless_passed_on(function, PASSING_ON, started)

    def _is_private(self, trigger: Trigger) -> bool:
        """Whether it comes through APIs that only VPC endpoints reach."""
        apis = self.apis_of(trigger)
        return bool(apis) and all(map(self._is_private_api, apis))

    def _is_private_api(self, element: str) -> bool:
        private = self.stated[element].get("private_endpoint")
        return private is not None and private.size > 0 and bool(private.value)

    def apis_of(self, trigger: Trigger) -> Sequence[str]:
        """The APIs whose requests a trigger hands on: its own, or those that pass requests to the service it names."""
        if trigger.source is None:
            return ()
        own = THROUGH[trigger.by] == "api"
        return (trigger.source.id,) if own else self.apis_before.get(trigger.source.id, ())

    @cached_property
    def apis_before(self) -> Mapping[str, Sequence[str]]:
        """By external system, such as a state machine, the APIs that pass requests to it with no function between."""
        found: dict[str, list[str]] = {}
        for one, lists in self.lists.items():
            if self.system.nodes[one].kind == "api":
                for to, _ in members_of(lists, "passes_to"):
                    found.setdefault(to, []).append(one)
        return {to: apis for to, apis in found.items() if to in self.system.externals}

    def started_by(self, function: str, *by: str) -> Fact | None:
        """Whether something of these words starts a function."""
        return any_in(self.functions[function], "triggers", lambda member: member.item.by in by)

    def _faced(self, node: Node) -> Fact | None:
        """Whether requests from outside reach an element itself; a function by what starts it."""
        if node.kind != "function":
            return stated(Statement(node.kind == "api" and not self._is_private_api(node.id), "wiring", None))
        return self.requested(node.id)

    @cached_property
    def ways_from_outside(self) -> Mapping[str, Statement]:
        """What requests from outside may reach by way of others, each with the weakest link of the best way."""
        return self.before.best_ways({one: fact.said for one, fact in self.faces.items() if fact and fact.value})

    @cached_property
    def after_doubt(self) -> Collection[str]:
        """What is ahead of something of which it is unknown whether requests reach it."""
        return self.before.first_before(one for one, fact in self.faces.items() if fact is None)

    @cached_property
    def weakest_inside(self) -> Mapping[str, Statement]:
        """What is ahead of others, with the weakest statement of whether requests reach these."""
        said = {one: fact.said for one, fact in self.faces.items() if fact is not None}
        ranked = sorted(said, key=lambda one: said[one].size)
        return {element: said[first] for element, first in self.before.first_before(ranked).items()}

    @cached_property
    def unsaid(self) -> frozenset[str]:
        """The functions and apis with requests for which it is not stated whether Slack sends them."""
        found = set()
        for function, lists in self.functions.items():
            for member in members_of(lists, "triggers"):
                if is_unsaid(member):
                    found.update({function, member.item.source.id})
        return frozenset(found)

    def as_stated(self, fact: Fact | None, functions: Sequence[str]) -> Fact | None:
        """A fact that depends on whose requests start functions: a template shows a route, but not its callers."""
        if fact is None or not functions:
            return fact
        said = [fact.said]
        for function in functions:
            word = self.system.nodes[function].relations.get("triggers")
            if word is None:
                return None
            said.append(new_tuple(Statement, (word.items, "model", word.place, "", False, (), "", "")))
        return known(fact.value, said)

    def class_held(self, element: str) -> Fact | None:
        """The highest class of the data that an element holds."""
        holds = self.lists[element].get("holds")
        return None if holds is None else highest_of(holds, lambda item: [self._class_of(item)])

    def _class_of(self, member: Member) -> Fact:
        return known(self.system.data[member.item].classification, [member.fact.said])

    def class_started_by(self, member: Member) -> Fact | None:
        """The class of what starts a function: a queue's or a store's data, a request, the clock's event."""
        trigger: Trigger = member.item
        if trigger.by == "slack":
            return stated(Statement(SLACK_CLASS[trigger.detail], "wiring", None))
        if THROUGH[trigger.by] == "api" or trigger.by == "schedule" or self._operates(trigger):
            return stated(Statement("internal", "wiring", None))
        if trigger.source is None or THROUGH[trigger.by] not in {"store", "queue"}:
            return None
        return self.class_held(trigger.source.id)

    def _operates(self, trigger: Trigger) -> bool:
        """Whether what starts a function is a service whose events are about resources and not about people."""
        service = self.system.externals.get(trigger.source.id) if trigger.source is not None else None
        return trigger.by == "service" and service is not None and service.service in _OPERATING


def is_unsaid(member: Member) -> bool:
    """Whether it is not stated who calls a route."""
    return bool(member.item.caller == "unknown")


def highest(classes: Sequence[Fact | None]) -> Fact | None:
    """The highest class of data: known when every class is, or as soon as one is the highest there is."""
    known_ones = [fact for fact in classes if fact is not None and fact.size]
    top = [fact for fact in known_ones if fact.value == CLASSIFICATIONS[-1]]
    if top:
        return known(CLASSIFICATIONS[-1], [max(top, key=lambda fact: fact.size).said])
    if len(known_ones) < len(classes) or not known_ones:
        return None
    best = max(known_ones, key=lambda fact: CLASSIFICATIONS.index(fact.value))
    return known(best.value, [fact.said for fact in known_ones])


def highest_of(members: Members, classes_of: Callable[[Member], Iterable[Fact | None]]) -> Fact | None:
    """The highest class among a list's members; a list without any is public, an open one may hold the highest."""
    classes = [one for member in members.known for one in classes_of(member)]
    if members.closed is None:
        return highest([*classes, None])
    found = highest(classes) if classes else known("public", [members.said])
    return (
        found
        if found is None or found.value == CLASSIFICATIONS[-1]
        else known(found.value, [found.said, members.weakest])
    )
