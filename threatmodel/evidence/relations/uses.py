"""What each function of a stack uses: what its role grants it, what its environment names, where its results go.

A grant that names a resource is a use.  One that covers a resource by a wildcard is one only if another source states
so too (an environment variable, a destination).  A list is complete where every statement of the role was understood
and is about resources of this file alone.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

from threatmodel.evidence.analyses.properties import read
from threatmodel.evidence.answers import Unanswered, doubt_of
from threatmodel.evidence.outside import source, whole
from threatmodel.evidence.policies.permissions import Reach
from threatmodel.evidence.relations.beyond import beyond
from threatmodel.evidence.relations.calls import Calls
from threatmodel.evidence.relations.environment import Environment, is_setting
from threatmodel.evidence.relations.naming import Names, open_in
from threatmodel.evidence.relations.rights import Roles
from threatmodel.evidence.relations.use import BOTH_WAYS, POLLS, RELATIONS, RELATIONS_OF, FunctionRelations, Role, Use
from threatmodel.evidence.resource_types import known
from threatmodel.reading.problems import Place, quoted
from threatmodel.stacks.resource_schemas import is_in_a_network
from threatmodel.stacks.stack import Resource
from threatmodel.stacks.values import Node, Unknown, links

_LISTS = (
    ("reads", "read", "store"),
    ("writes", "write", "store"),
    ("sends", "send", "queue"),
    ("secrets", "value", "secret"),
    ("invokes", "invoke", "function"),
)
"""Each relation with the use of a reach and the kind of element that it is about."""
_DELIVERS = {"queue": "send", "store": "write", "function": "invoke"}
"""What handing over results or failures is, by what they are handed to."""


class Functions:
    """What each function of a stack uses; `started_by` is all that starts any of them."""

    def __init__(self, names: Names, started_by: Collection[str] = ()) -> None:
        self.names = names
        self.stack = names.stack
        self.started_by = started_by
        self.roles = Roles(names)
        self._destinations: dict[str, list[tuple[Node, Place]]] = {}
        self._access: dict[str, set[str]] = {}
        for resource in self.stack.resources.values():
            if known(resource.type).hands_over:
                self._hands_over(resource)
            elif known(resource.type).rotates:
                secret = self.names.element(read(resource.properties, "SecretId"), "secret")
                for function in self.names.called(read(resource.properties, known(resource.type).rotates)).functions:
                    self._access.setdefault(function, set()).add(secret)

    def _hands_over(self, resource: Resource) -> None:
        """Where results or failures go of a mapping or of asynchronous calls, and what else a mapping names."""
        for function in self.names.called(read(resource.properties, "FunctionName")).functions:
            found = self._destinations.setdefault(function, [])
            access = links(read(resource.properties, "SourceAccessConfigurations"))
            self._access.setdefault(function, set()).update(self.names.meant(link.resource) for link in access)
            for outcome in ("OnSuccess", "OnFailure"):
                node = read(resource.properties, "DestinationConfig", outcome, "Destination") or resource.opaque
                doubt = doubt_of(resource, self.stack.resources[function])
                if node is not None:
                    found.append((doubt or node, resource.place))

    def role(self, function: Resource) -> tuple[Role, str]:
        """What a function's role may do, and its name; '' where it is not in this file."""
        node = read(function.properties, "Role")
        name = "" if isinstance(node, Unknown) else self.roles.held.named(node)
        if name:
            role = self.roles.of(name)
            doubt = doubt_of(self.roles.held.all[name], function)
            if not self.stack.work.characters(role.takes):
                doubt = Unknown(self.stack.work.why, function.place)
            if doubt is not None:
                stated = Unanswered(doubt.why, doubt.place)  # with the role, all that it grants may not exist
                role = Role(open=dict.fromkeys(RELATIONS, stated), hidden=frozenset(RELATIONS), invokes=role.invokes)
            return role, name
        hidden = open_in(node) if node is not None else function.opaque
        why = hidden.why if hidden is not None else "its role is not in this file"
        at = hidden or node
        stated = Unanswered(why, at.place if at is not None else function.place)
        return Role(open=dict.fromkeys(RELATIONS, stated), hidden=frozenset(RELATIONS)), ""

    def of(self, function: Resource, sources: Iterable[str]) -> FunctionRelations:
        """What a function uses; `sources` are the elements that start it."""
        return _Using(self, function, frozenset((*sources, *self._access.get(function.name, ())))).finished()

    def destinations(self, function: Resource) -> Iterator[tuple[Node, Place]]:
        """Where results and failures of a function go."""
        node = read(function.properties, "DeadLetterConfig", "TargetArn") or read(
            function.properties, "DeadLetterQueue", "TargetArn"
        )
        if node is not None:
            yield node, node.place
        yield from self._destinations.get(function.name, ())


class _Using:
    """One function, while what it uses is put together."""

    def __init__(self, functions: Functions, function: Resource, sources: frozenset[str]) -> None:
        self.names = functions.names
        self.function = function
        self.sources = sources
        self.started_by = functions.started_by
        self.role, _ = functions.role(function)
        self.environment = Environment(function, functions.names)
        self.unknown = dict(self.role.open)
        if self.environment.unread is not None:
            self.unknown.setdefault("secrets", self.environment.unread)
        self.handed: dict[str, Place] = {}
        self.hands_over_somewhere = False
        for node, place in functions.destinations(function):
            name = self.names.element(node, "queue", "store", "function")
            beyond = None if name else self.names.elsewhere(source(node))
            if name or beyond is not None:
                self.handed[name or (beyond.key if beyond is not None else "")] = place
            if not name and (beyond is None or not beyond.sure):
                self.hands_over_somewhere |= isinstance(node, Unknown)
                self._note("sends", "the destination of its failed events is not in this file", place)

    def _note(self, relation: str, why: str, place: Place) -> None:
        self.unknown.setdefault(relation, Unanswered(why, place))

    # --- lists

    def _signs(self, name: str, use: str) -> Iterator[tuple[str, Place | None]]:
        """What besides a grant tells that an element is used; what starts a function is read by it, and no more."""
        if (place := self.environment.place(name)) is not None:
            yield "environment", place
        if name in self.sources and use in {"read", "value"}:
            yield "event", None
        if name in self.handed:
            yield "destination", self.handed[name]
        elif self.hands_over_somewhere and use in _DELIVERS.values():
            yield "perhaps destination", None
        if name in self.role.connected:
            yield "connector", None

    def _use(self, name: str, use: str, granted: Sequence[Place]) -> Use:
        signs = list(self._signs(name, use))
        how = (("grant",) if granted else ()) + tuple(sign for sign, _ in signs)
        places = dict.fromkeys((*granted, *(place for _, place in signs if place is not None)))
        return Use(name, tuple(places), how)

    def _granted(self, name: str, use: str) -> tuple[Place, ...]:
        """The statements by which an element is open to a use; wildcards count only where it is named elsewhere."""
        reach = self.role.reach.get(name)
        signed = name in self.environment.named or name in self.handed
        found: list[Place] = []
        if reach is not None and (use in reach.named or signed):
            found += reach.places.get(use, ())
        if reach is not None and use == "read" and set(map(str.lower, reach.actions.get("write", ()))) & BOTH_WAYS:
            found += reach.places["write"]
        if use == "read" and reach is not None and self._only_polls(name, reach):
            found = []
        kind = _service_of(self.names, name)
        for service in kind if signed else ():
            if (service, use) in self.role.covers:
                found.append(self.role.covers[service, use])
        return tuple(dict.fromkeys(found))

    def _only_polls(self, name: str, reach: Reach) -> bool:
        """Whether all that is read of a stream is what Lambda reads to start the function."""
        actions = {action.lower() for action in reach.actions.get("read", ())}
        polled = name in self.sources or self.names.stack.resources[name].type != "AWS::Kinesis::Stream"
        return polled and bool(actions) and actions <= POLLS

    def _list(self, use: str, kind: str) -> Iterator[Use]:
        candidates = dict.fromkeys((*self.role.reach, *self.environment.named, *self.handed))
        for name in candidates:
            kinds = self.names.kind_of(name)
            if kind not in kinds or (use == "write" and "queue" in kinds):
                continue
            places = self._granted(name, use)
            delivered = name in self.handed and use == _DELIVERS.get(kind)
            if places or delivered:
                yield self._use(name, use, places)
        for (name, done), place in self.role.outside.items():
            kinds = self.names.kind_of(name)
            if done == use and (kind in kinds or (use == "invoke" and "external system" in kinds)):
                yield self._use(name, use, (place,))
        yield from self._referred(use, kind)
        if use == "value":
            for name in self.environment.fetched:
                if "secret" in self.names.kind_of(name) and name not in self.role.reach:
                    yield self._use(name, use, ())

    def _referred(self, use: str, kind: str) -> Iterator[Use]:
        """What is certain though no action is known: a secret is read, and a queue is sent to whose address it has.

        A queue that starts the function may be one that it is only started by, and a store is read or written.
        """
        for name, place in self.role.about.items():
            sure = use == "value" or (use == "send" and name in self.environment.named and name not in self.sources)
            if sure and not self._granted(name, use) and kind in self.names.kinds.get(name, ()):
                yield self._use(name, use, (place,))

    def finished(self) -> FunctionRelations:
        """Everything about the function."""
        lists = {relation: tuple(self._list(use, kind)) for relation, use, kind in _LISTS}
        there = self.names.stack.resources
        granted = [use for use in lists["secrets"] if "grant" in use.how and use.resource in there]
        settings = [use for use in granted if is_setting(there[use.resource], self.names.stack)]
        lists["secrets"] = tuple(use for use in lists["secrets"] if use not in settings)
        calls = Calls(self.names, self.role, self.sources, self.environment.named).each()
        asked = dict.fromkeys(place for use in settings for place in use.places)
        store = (Use(whole("ssm"), tuple(asked), ("grant",)),) if asked else ()  # settings that are no secrets
        lists["calls"] = (*(self._use(name, "call", tuple(at)) for name, at in calls.items()), *store)
        for name, place in self.environment.named.items():
            kinds = self.names.kinds[name]
            networked = "store" in kinds and is_in_a_network(self.names.stack.resources[name].type)
            if networked and not any(use.resource == name for use in (*lists["reads"], *lists["writes"])):
                for relation in ("reads", "writes"):
                    why = f"it receives the address of {quoted(name)}, which can be used without a grant"
                    self._note(relation, why, place)
        self._note_received()
        used = {use.resource for found in lists.values() for use in found}
        used |= {
            *(use.resource for use in settings),
            *self.environment.named,
            *self.environment.fetched,
            *self.sources,
            *self.handed,
        }
        networked = self.function.opaque is not None or read(self.function.properties, "VpcConfig") is not None
        return FunctionRelations(
            lists=lists,
            externals=tuple(self.environment.hosts),
            unknown=self.unknown,
            unused=tuple(self._unused()),
            ungranted=tuple(self._ungranted(lists)),
            beyond=tuple(beyond(self.role.grants, self.names.targets, frozenset(used), networked=networked)),
            rights=frozenset(
                (name.lower(), on)
                for on, reach in self.role.reach.items()
                for use in ("read", "write", "send", "value")
                for name in reach.actions.get(use, ())
            ),
        )

    def _note_received(self) -> None:
        """Notes the queues that start nothing and from which it may receive: no list of a model holds these."""
        for name, reach in self.role.reach.items():
            receives = any("sqs:receivemessage" in map(str.lower, actions) for actions in reach.actions.values())
            if receives and name not in self.started_by:
                why = f"its role may receive from the queue {quoted(name)}, which triggers no function"
                self._note("reads", why, next(iter(reach.places.values()))[0])

    # --- grants and uses that have no counterpart

    def _unused(self) -> Iterator[Use]:
        """Grants that name an element which nothing else names."""
        if self.environment.blind:
            return
        for name, reach in self.role.reach.items():
            named = [use for use in ("read", "write", "send", "value") if use in reach.named]
            kinds = set(self.names.kinds.get(name, ()))
            signed = any(True for use in named for _ in self._signs(name, use))
            if named and kinds & RELATIONS_OF.keys() and not signed:
                places = dict.fromkeys(place for use in named for place in reach.places[use])
                yield Use(name, tuple(places), ("grant",))

    def _ungranted(self, lists: Mapping[str, Sequence[Use]]) -> Iterator[Use]:
        """Elements that the environment or a destination names, and that no statement opens, as far as is known."""
        used = {use.resource for found in lists.values() for use in found if "grant" in use.how}
        for name, place in {**self.environment.named, **self.handed}.items():
            if name not in self.names.kinds:
                continue
            resource, kinds = self.names.stack.resources[name], self.names.kinds[name]
            relevant = [kind for kind in RELATIONS_OF if kind in kinds]
            networked = "store" in kinds and is_in_a_network(resource.type)
            if not relevant or name in used or networked or self._may_be_granted(name, relevant):
                continue
            yield Use(name, (place,), tuple(sign for sign, _ in self._signs(name, "")))

    def _may_be_granted(self, name: str, kinds: Sequence[str]) -> bool:
        """Whether a statement that is not understood, or one about something else than the content, may open it."""
        covered = any((service, "manage") in self.role.covers for service in _service_of(self.names, name))
        if covered or name in self.role.reach:
            return True
        return any(relation in self.role.hidden for kind in kinds for relation in RELATIONS_OF[kind])


def _service_of(names: Names, name: str) -> tuple[str, ...]:
    held = names.targets.resources.get(name)
    return held[1].services if held is not None else ()
