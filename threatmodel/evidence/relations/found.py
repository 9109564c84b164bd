"""Relations: what starts each function of a stack, what it uses, and the lines that prove it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from threatmodel.evidence.analyses.properties import read
from threatmodel.evidence.answers import Unanswered
from threatmodel.evidence.mappings.stack_facts import StackFacts
from threatmodel.evidence.relations.concerning import concerning
from threatmodel.evidence.relations.naming import Names, open_in
from threatmodel.evidence.relations.role import RELATIONS
from threatmodel.evidence.relations.starts import starts
from threatmodel.evidence.relations.use import FunctionRelations
from threatmodel.evidence.relations.uses import Functions
from threatmodel.evidence.relations.ways import Start, Way, Ways
from threatmodel.evidence.resource_types import known
from threatmodel.evidence.unread_parts import Touch, touches
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
        self._open = {one.place for one in names.stack.unread if _is_handed_open(names.stack, one.name)}

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


def _is_handed_open(stack: Stack, name: str) -> bool:
    """Whether a nested stack is handed a text that the file does not tell: a function's name may be one."""
    resource = stack.resources.get(name)
    return resource is not None and any(open_in(node) is not None for node in leaves(resource.properties))


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
    """Whether the path of a route is one to which browsers take people through an OAuth."""
    return _OF_PEOPLE.search(start.path) is not None


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
        for name in self.using.roles.all:
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
                    if not users or not {self._drawn(user) for user in users} <= starters:
                        self._note(invocation.function, name, f"{who} may call it", invocation.place)
                elif not users or any(user.type.endswith("StateMachine") for user in users):
                    self._every.append((name, f"{who} may call every function", invocation.place))

    def _drawn(self, user: Resource) -> str:
        """The name of what a resource is drawn as."""
        part_of = known(user.type).part_of
        return self.names.element(read(user.properties, part_of), "external system") if part_of else user.name

    def _wearers(self) -> Mapping[str, list[Resource]]:
        """The resources that name a role which is no function's, by its name."""
        found: dict[str, list[Resource]] = {}
        roles = self.using.roles.all
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
