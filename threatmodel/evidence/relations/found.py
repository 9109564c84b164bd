"""Relations: what starts each function of a stack, what it uses, and the lines that prove it.

Whether a resource is there decides nothing about a function if neither names the other, at once or by way of others.
Stores, queues, secrets, APIs and services are named by many functions: they connect none of these with each other.
What may name any function (an unknown target, a right on every function, a part that is not read) concerns all of them,
and so does what it is connected with.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping

from threatmodel.evidence.analyses.properties import read
from threatmodel.evidence.answers import Unanswered
from threatmodel.evidence.mappings.stack_facts import StackFacts
from threatmodel.evidence.policies.given import given_rights
from threatmodel.evidence.relations.naming import Names, may_be_called_anything, open_in
from threatmodel.evidence.relations.starts import starts
from threatmodel.evidence.relations.use import RELATIONS, FunctionRelations
from threatmodel.evidence.relations.uses import Functions
from threatmodel.evidence.relations.ways import Start, Way, Ways
from threatmodel.evidence.resource_types import known
from threatmodel.evidence.unread_parts import Touch, acting, handed_to, own_names, touches
from threatmodel.reading.problems import Place, quoted
from threatmodel.reading.values import replace
from threatmodel.stacks.stack import Resource, Stack
from threatmodel.stacks.values import leaves, links

_OF_PEOPLE = re.compile(r"(?:^|[/_-])(?:install|oauth[^/]*|redirect|callback|authorize)\Z", re.IGNORECASE)
"""How paths end that people's browsers open when an app is installed."""


def function_relations(stack: Stack, facts: StackFacts) -> Mapping[str, FunctionRelations]:
    """The relations of each function of a stack, by the function's name there."""
    names = Names(stack, facts)
    if not names.functions:
        return {}
    ways = starts(names)
    using = Functions(names, {start.source for way in ways.found.values() for start in way.starts})
    callers = _Callers(names, using, ways)
    unread = _Unread(names, facts)
    near = concerning(names, using, ways)
    return {
        name: replace(
            _relations(function, ways.found[name], callers.of(function), using, unread),
            itself=callers.circle(function),
            depends_on=near[name],
        )
        for name, function in names.functions.items()
    }


class _Unread:
    """Return the unread parts of a stack, and the functions that each may start or give permissions."""

    def __init__(self, names: Names, facts: StackFacts) -> None:
        places = {one.place for one in names.stack.unread}
        found = touches(names.stack, facts, {name: name for name in names.functions})
        self._parts = [one for one in found if one.place in places]
        self._handed: dict[str, Touch] = {}
        for one in found:
            for name in one.handed if one.place not in places else ():
                self._handed.setdefault(names.meant(name), one)
        there = ((one.place, names.stack.resources.get(one.name)) for one in names.stack.unread)
        self._open = {  # nested stacks that are handed a text which the file does not tell: a name, perhaps
            place
            for place, resource in there
            if resource is not None and any(open_in(node) is not None for node in leaves(resource.properties))
        }

    def handed(self, function: Resource) -> Touch | None:
        """The first part that acts on what it is handed, and is handed a function: it may call that, too."""
        return self._handed.get(function.name)

    def reaching(self, function: Resource) -> Touch | None:
        """The first part that may reach a function: by a link, by its name as far as the file tells it, by a grant."""
        named = open_in(read(function.properties, known(function.type).own_name)) is not None
        return next(
            (
                one
                for one in self._parts
                if one.elements is None or function.name in one.elements or (named and one.place in self._open)
            ),
            None,
        )


def _relations(
    function: Resource, started: Way, called: Unanswered | None, using: Functions, unread: _Unread
) -> FunctionRelations:
    uses = using.of(function, (start.source for start in started.starts if start.source))
    unknown = dict(uses.unknown)
    triggers = started.unknown or called
    if triggers is not None:
        unknown["triggers"] = triggers
    parts = ((unread.reaching(function), ("triggers", *RELATIONS)), (unread.handed(function), ("triggers",)))
    for part, opened in parts:
        if part is not None:
            unknown |= {name: Unanswered(part.why, part.place) for name in opened if name not in unknown}
    return replace(uses, triggers=started.starts, unknown=unknown)


def may_be_slack(start: Start) -> bool:
    """Whether Slack can send the requests of a route: it posts, and its legacy commands may use GET.

    Browsers take people through an OAuth, and Slack can neither sign for IAM nor show a user's token.
    """
    if start.guarded or not start.reached or start.by != "http" or is_of_people(start):
        return False
    return start.detail.upper() in {"POST", "GET", "ANY", "*", ""}


def is_of_people(start: Start) -> bool:
    """Whether the path of a route is one to which browsers take people through an OAuth, by GET."""
    return _OF_PEOPLE.search(start.path) is not None and start.detail.upper() != "POST"


class _Callers:
    """Return who may call each function with a separate permission: other functions, and roles for other uses."""

    def __init__(self, names: Names, using: Functions, ways: Ways) -> None:
        self.names = names
        self.using = using
        self._starters = {name: {start.source for start in way.starts} for name, way in ways.found.items()}
        self._named: dict[str, list[tuple[str, str, Place]]] = {}
        self._every: list[tuple[str, str, Place]] = []
        self._calls: dict[str, dict[str, Place]] = {}
        worn = set()
        for name, function in names.functions.items():
            role, role_name = using.role(function)
            worn.add(role_name)
            for invocation in role.invokes:
                perhaps = f": {invocation.why}" if invocation.why else ""
                if invocation.function:
                    if invocation.why:
                        why = f"the function {quoted(name)} may call it{perhaps}"
                        self._note(invocation.function, name, why, invocation.place)
                    else:
                        self._calls.setdefault(name, {}).setdefault(invocation.function, invocation.place)
                else:
                    why = f"the function {quoted(name)} may call every function{perhaps}"
                    self._every.append((name, why, invocation.place))
        self._others(worn)
        self._exported()

    def _exported(self) -> None:
        """Functions whose ARN other stacks may import: who calls them is not seen."""
        for node in self.names.stack.exported():
            for function in self.names.called(node).functions:
                why = "its name or ARN is exported, and it is unknown who imports it"
                self._note(function, "", why, node.place)

    def circle(self, function: Resource) -> Place | None:
        """Where a function is let call one that calls it in the end, itself for one; each is looked at once."""
        for first, place in self._calls.get(function.name, {}).items():
            seen, waiting = {first}, [first]
            while waiting:
                if (at := waiting.pop()) == function.name:
                    return place
                ahead = self._calls.get(at, {}).keys() - seen
                seen |= ahead
                waiting += ahead
        return None

    def _note(self, function: str, caller: str, why: str, place: Place) -> None:
        self._named.setdefault(function, []).append((caller, why, place))

    def _others(self, worn: set[str]) -> None:
        """Roles that no function has: those that schedules, rules, pipes and APIs call with are read from these."""
        wearers = self._wearers()
        for name in self.using.roles.held.all:
            users = wearers.get(name, [])
            if name in worn or (users and all(known(user.type).calls_by_role for user in users)):
                continue
            who = (
                f"{quoted(users[0].name)}, with the role {quoted(name)},"
                if users
                else f"any principal with the role {quoted(name)}"
            )
            for invocation in self.using.roles.of(name).invokes:
                if invocation.function:
                    starters = self._starters[invocation.function]
                    drawn = {
                        self.names.element(read(user.properties, of), "external system") if of else user.name
                        for user, of in ((user, known(user.type).part_of) for user in users)
                    }
                    if not users or not drawn <= starters:
                        self._note(invocation.function, name, f"{who} may call it", invocation.place)
                elif not users or any(user.type.endswith("StateMachine") for user in users):
                    self._every.append((name, f"{who} may call every function", invocation.place))

    def _wearers(self) -> Mapping[str, list[Resource]]:
        """The resources that name a role which is no function's, by its name."""
        found: dict[str, list[Resource]] = {}
        roles = self.using.roles.held.all
        for resource in self.names.stack.resources.values():
            if not resource.type.startswith("AWS::IAM::") and resource.name not in self.names.functions:
                for name in {link.resource for link in links(resource.properties)} & roles.keys():
                    found.setdefault(name, []).append(resource)
        return found

    def of(self, function: Resource) -> Unanswered | None:
        """Why there may be more that starts a function, for what others may call."""
        return next(self._reasons(function), None)

    def _reasons(self, function: Resource) -> Iterator[Unanswered]:
        for caller, why, place in self._named.get(function.name, ()):
            if caller != function.name:
                yield Unanswered(why, place)
        for caller, why, place in self._every:
            yield Unanswered(why if caller != function.name else "it may call every function, including itself", place)


# --- which resources may matter to a function
_PASSIVE = (
    *("AWS::CertificateManager::", "AWS::CloudWatch::", "AWS::EC2::", "AWS::KMS::", "AWS::Logs::LogGroup"),
    *("AWS::Route53::", "AWS::WAFv2::"),
)
"""How types begin that functions share, and that neither start a function nor give it rights."""
_POLLS = ("mapping", "pipe")
"""Readers of what takes from a queue."""


def concerning(names: Names, using: Functions, ways: Ways) -> Mapping[str, frozenset[str]]:
    """The resources that may or may not be there and may matter to each function, by the function's name."""
    optional = {name: one for name, one in names.stack.resources.items() if one.doubt is not None}
    if not optional:
        return dict.fromkeys(names.functions, frozenset())
    near = _Near(names, _edges(names, using, ways))
    everywhere = near.to(_loose(names, using, ways))
    everywhere |= {name for name, one in optional.items() if may_be_called_anything(one)}
    return {name: frozenset((near.to((name,)) | everywhere) & optional.keys()) for name in names.functions}


def _edges(names: Names, using: Functions, ways: Ways) -> Iterator[tuple[str, str]]:
    """Each two resources of which one names the other, or was found to be about it."""
    called = own_names(names.stack)
    for one in names.stack.resources.values():
        linked = (link.resource for link in links(one.properties))
        yield from ((one.name, other) for other in {one.made_by, *linked, *handed_to(one.properties, called)})
    for name, found in ways.found.items():
        yield from ((name, other) for other in (*ways.said_by[name], *(start.source for start in found.starts)))
    for name in using.roles.held.all:
        role = using.roles.of(name)
        attached = [part.resource.name for part in using.roles.held.of.get(name, ())]
        attached += [owner for _, owner in given_rights(names.stack).by_role.get(name, ())]
        yield from ((name, other) for other in (*attached, *role.reach, *(one.function for one in role.invokes)))


def _loose(names: Names, using: Functions, ways: Ways) -> Iterator[str]:
    """The resources that may concern any function."""
    yield from ways.loose
    yield from given_rights(names.stack).wide
    yield from (name for _, name in using.roles.open)
    yield from (one.name for one in names.stack.unread)
    yield from (one.name for one in names.stack.resources.values() if one.opaque is not None or acting(one))
    every = (name for name in using.roles.held.all for one in using.roles.of(name).invokes if not one.function)
    yield from every


class _Near:
    """The resources of a stack, each with those that it is connected with."""

    def __init__(self, names: Names, edges: Iterable[tuple[str, str]]) -> None:
        self._names = names
        self._beside: dict[str, set[str]] = {}
        for one, other in edges:
            if not other:
                continue
            self._beside.setdefault(one, set()).add(other)
            self._beside.setdefault(other, set()).add(one)

    def to(self, start: Iterable[str]) -> set[str]:
        """The resources that are connected with some, these included."""
        waiting = list(start)
        seen = set(waiting)
        while waiting:
            ahead = set(self._ahead(waiting.pop())) - seen
            seen |= ahead
            waiting += ahead
        return seen

    def _ahead(self, name: str) -> Iterable[str]:
        beside = self._beside.get(name, set())
        resource = self._names.stack.resources.get(name)
        if resource is None or not self._is_shared(resource):
            return beside
        rows = ((one, self._names.stack.resources.get(one)) for one in beside)
        return [one for one, other in rows if other is not None and known(other.type).read_as in _POLLS]

    def _is_shared(self, resource: Resource) -> bool:
        kinds = self._names.kinds.get(resource.name, ())
        return (bool(kinds) and "function" not in kinds) or resource.type.startswith(_PASSIVE)
