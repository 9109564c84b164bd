"""The lists of a model's functions as one file of infrastructure code shows them: triggers, uses, calls."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

from threatmodel.evidence.analyses.definitions import accepting_anyone
from threatmodel.evidence.answers import Unanswered
from threatmodel.evidence.matching import HeldFile, named_elsewhere
from threatmodel.evidence.outside import SUPPLIED, outside
from threatmodel.evidence.relations.acting import Passed
from threatmodel.evidence.relations.found import function_relations, may_be_slack
from threatmodel.evidence.relations.passing import passed_on
from threatmodel.evidence.relations.unused import Needed, unused, used
from threatmodel.evidence.relations.use import USED, FunctionRelations, Use, as_modelled, fits, is_listed, uses_of
from threatmodel.evidence.relations.ways import Start
from threatmodel.evidence.signs import (
    Sign,
    described_outputs,
    has_client_secret,
    installs,
    may_call,
    open_to_install,
    signs,
)
from threatmodel.graph.elements import LeftOpen
from threatmodel.model.facts import Statement, Statements
from threatmodel.model.system import BY_ID, REQUESTS, THROUGH, Reference, Trigger, meet
from threatmodel.reading.problems import Place, article, quoted
from threatmodel.reading.values import replace
from threatmodel.stacks.stack import Resource
from threatmodel.stacks.values import get

if TYPE_CHECKING:
    from threatmodel.beside.slack_manifest import Manifest, RequestUrl
    from threatmodel.evidence.slack_callers import Callers
    from threatmodel.probe.seen import SeenCall

_ANYONE = "a route of {} that authenticates no caller passes requests on to it"
_ELSEWHERE = "another file may add to what it passes on to"
_ITSELF = "it may invoke itself"
_DECIDES = "a Lambda authorizer decides who may call it, and what that rejects is in its code"
_ANOTHER_INSTALLS = "another function has the variables of the OAuth client, and this one has no secret"
"""The one note of what is a claim: a client's secret may be in code."""


class Lists:
    """What the functions of a file are started by and use, and what its elements hand on, as the model's lists.

    Stating them fills `left_open` (why a list is open) and `unread_parts` (what the model lacks, and its place).
    """

    def __init__(self, held: HeldFile) -> None:
        self.held = held
        self.system, self.stack, self.matched = held.system, held.stack, held.matched
        self.element_of = held.element_of
        self.seen: Mapping[str, frozenset[SeenCall]] = {}
        self.opened: Mapping[str, frozenset[str] | None] = {}
        self.manifests: Sequence[Manifest] = ()
        self.served: Mapping[str, Sequence[RequestUrl]] = {}
        self.left_open: list[LeftOpen] = []
        self.unread_parts: dict[str, list[Place]] = {}

    def state(self, statements: Statements) -> None:
        """Adds the members that are certain, and whether there may be more."""
        for name in self.relations:
            if name in self.element_of:
                self.state_function(self.element_of[name], statements)
        self.state_passing(statements)

    @property
    def supplied_secrets(self) -> Mapping[str, Statement]:
        """The secrets that variables of functions hold and no resource is, each with where it is kept."""
        return self.stack.once("supplied secrets", lambda: dict(self._supplied_secrets()))

    def _supplied_secrets(self) -> Iterator[tuple[str, Statement]]:
        for function in self.relations.values():
            for use in function.lists["secrets"]:
                beyond = outside(use.resource)
                if beyond is not None and beyond.service in SUPPLIED and (element := self.element(use.resource)):
                    for name in function.depends_on:
                        self.stack.resources.get(name)  # so that it is recorded
                    yield element, Statement(beyond.word, "template", use.places[0])

    @property
    def relations(self) -> Mapping[str, FunctionRelations]:
        """How each function of the file is wired, with the resources that it depends on as if they were there."""
        facts = self.held.facts
        return self.stack.once(
            "relations", lambda: function_relations(whole := self.stack.regardless(), facts.on(whole))
        )

    @cached_property
    def signs(self) -> Sequence[Sign]:
        """What speaks of Slack: in the file, in the model's name, and that an app has a manifest."""
        apps = [("the manifest of an app", Place(one.file)) for one in self.manifests]
        return (*signs(self.stack, self.relations, (self.system.name,)), *apps)

    @cached_property
    def callers(self) -> Callers | None:
        """What manifests and code say of who calls the routes of the file; None where they say nothing."""
        served = {name: self.served[one] for name, one in self.element_of.items() if self.served.get(one)}
        outputs = tuple(described_outputs(self.stack))
        if not (self.manifests or served or outputs):
            return None
        from threatmodel.evidence.slack_callers import callers, urls_of_outputs

        return callers(self.manifests, self.relations, served, urls_of_outputs(self.stack, outputs))

    @property
    def passed(self) -> Sequence[Passed]:
        """What elements of the file hand on with no function between."""
        return self.stack.once("passed", lambda: passed_on(self.stack, self.held.facts))

    @property
    def elements(self) -> Mapping[str, str]:
        """The element of each resource, and of what the file only names: services of AWS, what other stacks hold."""
        passed = (name for one in self.passed for name in (one.source, one.to))
        said = (*(name for one in self.relations.values() for name in _named(one)), *passed)
        return {**{name: found for name in dict.fromkeys(said) if (found := self.element(name))}, **self.element_of}

    def element(self, name: str) -> str:
        """The element of a resource, or of what the file only names; '' where it is none."""
        return self.stack.once(("element", name), lambda: self._element(name))

    def _element(self, name: str) -> str:
        if not name or name in self.element_of:
            return self.element_of.get(name, "")
        if name in self.stack.resources and "external system" not in self.held.kinds[name]:
            return ""
        return named_elsewhere(self.system, self.held.environment.source, self.stack, self.matched, (name,)).get(
            name, ""
        )

    def _kind(self, resource: str) -> str:
        """The kind of the element that a resource is; '' where it is none."""
        element = self.element(resource)
        if not element:
            return ""
        node = self.system.nodes.get(element)
        return node.kind if node is not None else "external system"

    def state_function(self, element: str, statements: Statements) -> None:
        """Adds what starts a function, and what it uses."""
        if (resource := self.matched.resources.get(element, "")) not in self.relations:
            return
        for name in self.relations[resource].depends_on:
            self.stack.resources.get(name)  # so that it is recorded
        relations = as_modelled(self.relations[resource], self._kind)
        for name in USED:
            uses = relations.lists[name]
            fitting = (use.resource for use in uses if fits(name, self._kind(use.resource)))
            known = tuple(dict.fromkeys(map(self.element, fitting)))
            for use in uses:
                if not self.element(use.resource) and "destination" not in use.how:  # what fails goes there
                    self.unread_parts.setdefault(use.resource, []).extend(use.places)
            doubt = relations.unknown.get(name) or self._unmatched(name, uses, "it uses")
            if name == "calls":
                doubt = (
                    Unanswered("no file shows which other systems it calls", self.held.place(element))
                    if known
                    else None
                )
            if name == "calls" and not known:
                continue
            if doubt is not None or name in self.system.nodes[element].relations or known:
                self._state_list(element, name, known, uses, doubt, statements)
        self._state_facts(element, resource, relations, statements)
        doubt = relations.unknown.get("triggers") or self._unmatched("triggers", relations.triggers, "it is started by")
        triggers = tuple(self._triggers(element, relations))
        self._state_list(element, "triggers", triggers, relations.triggers, doubt, statements)

    def _state_facts(self, element: str, name: str, relations: FunctionRelations, statements: Statements) -> None:
        """State the facts of a function that follow from its triggers and uses."""
        function, calls = self.stack.resources[name], self.seen.get(element)
        seen = None if calls is None else used(calls, function, self.stack)
        role = self.stack.target(function.properties.entries.get("Role"))
        needed = Needed(
            seen, by_sam=role is not None and role.made_by == function.name, opened=self.opened.get(element)
        )
        elements = {one: element_of for one in _named(relations) if (element_of := self.element(one))}
        said = unused(self.system.nodes[element], relations, elements, needed, self.held.place(element))
        if isinstance(said, Unanswered):
            self.left_open.append(LeftOpen(element, "role_reaches_unused", said.why, said.place, ()))
        elif said is not None:
            statements.setdefault(element, {}).setdefault("role_reaches_unused", []).append(said)
        for fact, value, place, note in self._wired(function, relations):
            statement = Statement(value, "template", place, note, stale=note == _ANOTHER_INSTALLS)
            statements.setdefault(element, {}).setdefault(fact, []).append(statement)

    @cached_property
    def _installing(self) -> Collection[str]:
        """The functions of the file that exchange what the redirect of an OAuth installation brings."""
        every = ((name, one.triggers, self.stack.resources[name]) for name, one in self.relations.items())
        return {name for name, starts, function in every if any(installs(start, function) for start in starts)}

    def _wired(self, function: Resource, relations: FunctionRelations) -> Iterator[tuple[str, bool, Place, str]]:
        """What follows from the triggers of a function: the fact, its value, the line, a note."""
        if relations.itself is not None:
            yield "starts_itself", True, relations.itself, _ITSELF
        starts, whole = relations.triggers, "triggers" not in relations.unknown
        installing = [(start, variables) for start in starts if (variables := installs(start, function))]
        for start, variables in installing[-1:]:
            note = f"a GET reaches it, and its variables are those of an OAuth client: {variables}"
            yield "handles_installation", True, start.places[0], note
        sealed = relations.lists["secrets"] or "secrets" in relations.unknown or has_client_secret(function)
        if self._installing and not installing and not sealed:
            yield "handles_installation", False, function.place, _ANOTHER_INSTALLS
        only_installs = open_to_install(starts, function)
        if starts and (whole or not only_installs):
            yield "open_for_installation", only_installs, starts[0].places[0], ""
        routes = [start for start in starts if start.by == "http"]
        services = {start.source for start in starts if start.by == "service"}
        handed_on = bool(services) and any(
            one.to in services and self._kind(one.source) in {"api", ""} for one in self.passed
        )
        if routes and whole and not handed_on and all(map(self._authenticates, routes)):
            yield "routes_authenticated", True, routes[0].places[0], ""
        decided = [start for start in routes if start.decided]
        if decided and whole and not handed_on and all(one.decided or self._authenticates(one) for one in routes):
            yield "code_decides_callers", True, decided[0].places[0], _DECIDES

    def _authenticates(self, start: Start) -> bool:
        """Whether a route asks its callers who they are.

        A token that anyone gets shows nothing, and a definition may have other authorizers.
        """
        api = self.stack.resources.get(start.source)
        if not start.guarded or (api is not None and get(api.properties, "Body") is not None):
            return False
        tokens = (
            get(one.properties, "JwtConfiguration") for one in self.stack.of_type("AWS::ApiGatewayV2::Authorizer")
        )
        return not any(why for one in tokens for why in accepting_anyone(one))

    def state_passing(self, statements: Statements) -> None:
        """State what elements pass on by themselves; such a rule in another file may add to it."""
        found: dict[tuple[str, str], dict[str, Place]] = {}
        for one in self.passed:
            element, to_element = self.element(one.source), self.element(one.to)
            if not to_element:
                self.unread_parts.setdefault(one.to, []).append(one.place)
            elif element and (one.use == "passes_to") == (element in self.system.nodes):
                found.setdefault((element, one.use), {}).setdefault(to_element, one.place)
            if element and one.by_anyone and to_element in self.system.nodes:
                said = Statement(value=False, source="template", place=one.place, note=_ANYONE.format(quoted(element)))
                if self.system.nodes[to_element].kind == "queue":
                    statements.setdefault(to_element, {}).setdefault("senders_restricted", []).append(said)
        for (element, use), to in found.items():
            said = Statement(tuple(to), "template", next(iter(to.values())), open=_ELSEWHERE)
            statements.setdefault(element, {}).setdefault(use, []).append(said)

    def _state_list(  # noqa: PLR0913, PLR0917 - a list: of what, its name, its members, their signs, why it is open
        self,
        element: str,
        name: str,
        members: tuple[Any, ...],
        signs: Sequence[Use | Start],
        doubt: Unanswered | None,
        statements: Statements,
    ) -> None:
        """States the members that are certain, and whether there may be more."""
        if doubt is not None:
            self.left_open.append(LeftOpen(element, name, doubt.why, doubt.place, ()))
        if doubt is None or members:
            place = signs[0].places[0] if signs else self.held.place(element)
            said = Statement(members, "template", place, open=doubt.why if doubt is not None else "")
            statements.setdefault(element, {}).setdefault(name, []).append(said)

    def _unmatched(self, name: str, found: Sequence[Use | Start], how: str) -> Unanswered | None:
        """Why a list is not whole: something in it that the model lacks, or has as what the list does not take."""
        for one in found:
            resource = one.resource if isinstance(one, Use) else one.source
            if not resource or (isinstance(one, Use) and "destination" in one.how):
                continue
            kind = self._kind(resource)
            if not kind:
                return Unanswered(f"{how} {quoted(resource)}, which the model lacks", one.places[0])
            if not (one.by if isinstance(one, Start) else is_listed(name, kind)):
                return Unanswered(f"{how} {quoted(resource)}, which the model has as {article(kind)}", one.places[0])
        return None

    def _triggers(self, element: str, relations: FunctionRelations) -> Iterator[Trigger]:
        """The triggers as the model's: a request that Slack can send is Slack's where the model states it."""
        function = self.held.stack.resources[self.matched.resources[element]]
        requests = (one for one in self.system.nodes[element].triggers or () if one.by in REQUESTS)
        stated = [one for one in requests if one.source]
        for start in relations.triggers:
            if start.source and not self.element(start.source):
                self.unread_parts.setdefault(start.source, []).extend(start.places)
                continue
            if not start.by or not start.certain or (not start.source and THROUGH[start.by]):
                continue  # no trigger is such, it may not exist, or it comes through what is none of this file
            api = self.element(start.source)
            own = [one for one in stated if start.by == "http" and is_of(one, api, start)]
            others = any(one.by == "http" and not one.caller for one in own)
            is_others = others and start.detail.upper() == "GET"  # as stated: Slack posts
            slack = [one for one in own if one.by == "slack"] if may_be_slack(start) and not is_others else []
            if slack:
                yield from (replace(trigger, place=start.places[0]) for trigger in slack)
                continue
            called = self.callers.of(function.name, start) if self.callers is not None and not others else ()
            if called:
                named = _trigger(start, api, "")
                yield from (replace(named, by="slack", detail=one.surface) for one in called)
                continue
            asked = any(one.caller for one in own) or may_call(start, function, signed=bool(self.signs))
            yield _trigger(start, api, "unknown" if may_be_slack(start) and asked and not others else "")


def is_of(stated: Trigger, api: str, start: Start) -> bool:
    """Whether a stated request comes through a route of an api: without a path it may be any of them.

    A route accepts what fits its parameters; a function URL, the default route and a proxy accept every path below.
    What is stated of one method says nothing of another one with the same path.
    """
    if stated.source is None or stated.source.id != api:
        return False
    if stated.by == "http" and not meet(stated.detail, start.detail):
        return False
    if not stated.path or stated.path == start.path or not start.path:
        return True
    return _accepts(start.path.split("/"), stated.path.split("/"))


def _accepts(route: Sequence[str], path: Sequence[str]) -> bool:
    """Whether a route accepts a path, both in parts: a part with a parameter is any, a greedy one all that follow."""
    for at, part in enumerate(route):
        if part == "$default" or part.endswith("+}"):
            return True
        if at == len(path) or not ("{" in part or part == path[at]):
            return False
    return len(route) == len(path)


def _trigger(start: Start, source: str, caller: str) -> Trigger:
    place = start.places[0]
    reference = Reference(source, place) if source else None
    detail = source if start.by in BY_ID else start.detail
    return Trigger(by=start.by, detail=detail, source=reference, path=start.path, place=place, caller=caller)


def _named(relations: FunctionRelations) -> Iterator[str]:
    """What starts a function, and what it uses."""
    yield from (start.source for start in relations.triggers)
    yield from (use.resource for _, use in uses_of(relations))
