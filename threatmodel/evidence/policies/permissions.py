"""Effective permissions: what policies let a function do, by level and resource, and what of the stack they reach.

`statements` reads one document, `permissions` puts everything that is attached to a role together, and `reaches` says
for each store, queue, secret and function of the stack what may be done with it.  A Deny counts where it surely holds:
without conditions, and on resources that are known.  What is unknown is kept as such beside what is known.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import NamedTuple

from threatmodel.evidence.answers import Gathered
from threatmodel.evidence.policies.arns import Match, Targets, covers_every, resources_of
from threatmodel.evidence.policies.escalations import UNKNOWN_LEVEL, Escalation, escalations, unexplained
from threatmodel.evidence.policies.given import given_to
from threatmodel.evidence.policies.grants import Grant, Pattern, grants, statements
from threatmodel.evidence.policies.iam import IamAction, actions_of, expanded
from threatmodel.reading.problems import Place, quoted
from threatmodel.reading.values import dataclass, field
from threatmodel.stacks.stack import Resource, Stack
from threatmodel.stacks.values import Unknown

__all__ = [
    "Allowed",
    "Escalation",
    "Grant",
    "Permissions",
    "Reach",
    "Targets",
    "grants",
    "held",
    "permissions",
    "reached",
    "reaches",
    "statements",
]

SENDS = frozenset({"sqs:sendmessage", "sns:publish", "events:putevents", "kinesis:putrecord", "kinesis:putrecords"})
INVOKES = frozenset({
    "lambda:invokefunction", "lambda:invokeasync", "lambda:invokefunctionurl",
    "lambda:senddurableexecutioncallbacksuccess", "lambda:senddurableexecutioncallbackfailure",
})  # fmt: skip
"""What starts a function, or has one go on that waits to be called back."""
READS_SECRETS = frozenset(
    {
        "secretsmanager:getsecretvalue",
        "ssm:getparameter",
        "ssm:getparameters",
        "ssm:getparametersbypath",
        "ssm:getparameterhistory",
    }
)
_ABOUT_IT = ("describe", "list")
_PASSES = "iam:PassRole"
"""The one right of which it matters on what it is: any other counts as a step to more rights, whatever it is on."""
_READS_DATA_ALL_THE_SAME = frozenset({"s3:listbucket", "s3:listbucketversions"})
_ON_OBJECTS = frozenset({"s3:abortmultipartupload", "s3:listmultipartuploadparts", "s3:bypassgovernanceretention"})

# --- all that a role may do


class Allowed(NamedTuple):
    """Actions of one level that one statement allows: over which resources (as text), where, and from which AWS policy.

    `but` is true where the resources are all but these.
    """

    level: str
    actions: tuple[str, ...]
    resources: tuple[str, ...]
    place: Place
    source: str = ""
    but: bool = False
    conditional: bool = False


@dataclass(frozen=True, slots=True)
class Permissions:
    """What policies allow together.

    `every` are statements that cover every resource, `passes` the roles that may be passed (as text), `unexplained`
    rights on identity, code or deployment that no way in `escalations` explains, `unknown` what may add to the
    ways: not that a statement's resources are open, unless they are roles to pass.
    """

    allowed: tuple[Allowed, ...] = ()
    every: tuple[Allowed, ...] = ()
    passes: tuple[str, ...] = ()
    escalations: tuple[Escalation, ...] = ()
    unexplained: tuple[Unknown, ...] = ()
    unknown: tuple[Unknown, ...] = ()

    def by_level(self) -> Mapping[str, Mapping[str, tuple[str, ...]]]:
        """Actions by level, and then by resource as text."""
        found: dict[str, dict[str, dict[str, None]]] = {}
        for one in self.allowed:
            for resource in one.resources:
                found.setdefault(one.level, {}).setdefault(resource, {}).update(dict.fromkeys(one.actions))
        return {level: {name: tuple(actions) for name, actions in by.items()} for level, by in found.items()}


def permissions(policies: Sequence[Gathered], element: Resource, stack: Stack) -> Permissions:
    """What the policies allow that were gathered for a function (`role-policies`), and those of resources its role."""
    return effective(held(policies, element, stack))


def held(policies: Sequence[Gathered], element: Resource, stack: Stack) -> tuple[Grant, ...]:
    """Every statement that a function's role holds: attached to it, or in the policy of a resource that names it."""
    return (*grants(policies, element, stack), *given_to(element, stack))


def effective(found: Sequence[Grant]) -> Permissions:
    """What statements allow together."""
    denied = frozenset(action for grant in found if _denies_everywhere(grant) for action in _names(grant))
    allowed, every = [], []
    unknown = [grant.open for grant in found if grant.open is not None]
    for grant in found:
        if grant.effect != "Allow" or grant.open is not None:
            continue
        unknown += [part.open for part in grant.actions if part.open is not None]
        for one in _levels(grant, denied):
            allowed.append(one)
            if _PASSES in one.actions:
                unknown += [part.open for part in grant.resources if part.open is not None]
            if covers_every(grant, one.actions[0].partition(":")[0].lower())[0]:
                every.append(one)
    passing = [one for one in allowed if _PASSES in one.actions]
    passes = dict.fromkeys(resource for one in passing for resource in one.resources)
    found_ways = tuple(escalations({action.lower(): one.place for one in reversed(allowed) for action in one.actions}))
    explained = frozenset(action for one in found_ways for action in one.way.actions)
    unclear = tuple(_unexplained(allowed, explained))
    return Permissions(tuple(allowed), tuple(every), tuple(passes), found_ways, unclear, tuple(unknown))


def _unexplained(allowed: Sequence[Allowed], explained: frozenset[str]) -> Iterator[Unknown]:
    for one in allowed:
        for name in one.actions:
            service = name.partition(":")[0]
            action = actions_of(service).get(name.lower()) or IamAction(name, UNKNOWN_LEVEL, limitable=False)
            if unexplained(action, explained):
                yield Unknown(f"it is unknown whether {name} allows privilege escalation", one.place)
                break


def _denies_everywhere(grant: Grant) -> bool:
    return (
        grant.effect == "Deny"
        and grant.open is None
        and not grant.conditions
        and not grant.but_resources
        and any(one.text == "*" for one in grant.resources)
    )


def _names(grant: Grant) -> Iterator[str]:
    """Return the actions that a statement certainly covers, in small letters: of the table, or as written."""
    if grant.but_actions:
        if any(one.open is not None for one in grant.actions):
            return
        spared = {action.name.lower() for one in grant.actions for action in expanded(one.text)}
        yield from (action.name.lower() for action in expanded("*") if action.name.lower() not in spared)
        return
    for one in grant.actions:
        if one.open is None:
            yield from (_spelt(one))


@lru_cache(maxsize=4096)
def _lowered(text: str) -> tuple[str, ...]:
    return tuple(action.name.lower() for action in expanded(text)) or (text,)


def _spelt(one: Pattern) -> tuple[str, ...]:
    return _lowered(one.text)


def _levels(grant: Grant, denied: frozenset[str]) -> Iterator[Allowed]:
    """What a statement allows, a level after the other; services apart, since patterns of resources are theirs."""
    levels: dict[tuple[str, str], dict[str, None]] = {}
    for name in _actions(grant, denied):
        levels.setdefault((name.level, name.name.partition(":")[0].lower()), {}).setdefault(name.name)
    resources = tuple(one.shown for one in grant.resources)
    for (level, _), names in levels.items():
        yield Allowed(
            level, tuple(names), resources, grant.place, grant.source, grant.but_resources, bool(grant.conditions)
        )


def _actions(grant: Grant, denied: frozenset[str]) -> Iterator[IamAction]:
    if grant.but_actions:
        kept = frozenset(_names(grant)) - denied
        yield from (action for action in expanded("*") if action.name.lower() in kept)
        return
    for one in grant.actions:
        if one.open is None:
            known = expanded(one.text)
            yield from (action for action in known if action.name.lower() not in denied)
            if not known and one.text not in denied:
                yield IamAction(one.shown, UNKNOWN_LEVEL, limitable=False)


# --- what of the stack is reached


@dataclass(frozen=True, slots=True)
class Reach:
    """What may be done with one resource of the stack.

    `actions` are by use: read and write (its content), send, invoke, value (of a secret), manage (the rest: settings,
    tags, policies).  `places` are the lines of the statements, by use.  `named` are the uses for which a statement
    names it, rather than a wildcard covering it.  `unknown` says what may add to this.
    """

    resource: str
    actions: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    places: Mapping[str, tuple[Place, ...]] = field(default_factory=dict)
    named: frozenset[str] = frozenset()
    unknown: tuple[Unknown, ...] = ()

    def may(self, use: str) -> bool:
        """Whether it is surely open to a use."""
        return use in self.actions


def reaches(
    policies: Sequence[Gathered], element: Resource, stack: Stack, targets: Targets | None = None
) -> Mapping[str, Reach]:
    """What the policies that were gathered for a function let it do with the stack's resources, by their name.

    `targets` is `Targets(stack)`, made once where many functions are asked about.
    """
    return reached(grants(policies, element, stack), targets or Targets(stack))


class _Gathering:
    """What is found about one resource, as statement by statement is looked at."""

    def __init__(self) -> None:
        self.actions: dict[str, dict[str, None]] = {}
        self.places: dict[str, dict[Place, None]] = {}
        self.named: set[str] = set()
        self.unknown: dict[tuple[str, Place], Unknown] = {}

    def add(self, by_use: Mapping[str, Mapping[str, None]], place: Place, *, named: bool) -> None:
        """Adds the actions of one statement."""
        for use, actions in by_use.items():
            self.actions.setdefault(use, {}).update(actions)
            self.places.setdefault(use, {})[place] = None
        if named:
            self.named.update(by_use)

    def doubt(self, unknown: Unknown) -> None:
        """Adds something that may add to it."""
        self.unknown.setdefault((unknown.why, unknown.place), unknown)

    def finished(self, name: str) -> Reach:
        """The whole, as a value."""
        return Reach(
            name,
            {use: tuple(found) for use, found in self.actions.items()},
            {use: tuple(found) for use, found in self.places.items()},
            frozenset(self.named),
            tuple(self.unknown.values()),
        )


def reached(found: Sequence[Grant], targets: Targets) -> Mapping[str, Reach]:
    """Return what statements allow on the stack's resources, by their name; without those that are not reached."""
    denied = _denials(found, targets)
    gathering: dict[str, _Gathering] = {}
    for grant in found:
        if grant.effect == "Deny":
            continue
        for service, actions in _by_service(grant).items():
            done: dict[tuple[str, frozenset[str]], _Doing] = {}
            for match in resources_of(grant, targets, service):
                key = match.below, denied.get(match.resource, frozenset())
                if key not in done:
                    done[key] = _doing(actions, *key)
                _reach(gathering.setdefault(match.resource, _Gathering()), grant, match, done[key])
    everything = [grant.open for grant in found if grant.open is not None and not grant.actions]
    finished = {name: held.finished(name) for name, held in gathering.items()}
    if everything:
        for name in targets.resources:
            before = finished.get(name, Reach(name))
            finished[name] = Reach(name, before.actions, before.places, before.named, (*before.unknown, *everything))
    return {name: reach for name, reach in finished.items() if reach.actions or reach.unknown}


def _denials(found: Sequence[Grant], targets: Targets) -> Mapping[str, frozenset[str]]:
    """The actions that are surely denied on each resource."""
    denied: dict[str, frozenset[str]] = {}
    for grant in found:
        if grant.effect == "Deny" and grant.open is None and not grant.conditions:
            for service, actions in _by_service(grant).items():
                for match in resources_of(grant, targets, service):
                    if match.sure and (match.below in {"", "*"} or (service == "s3" and match.below == "/*")):
                        names = {one.name.lower() for one in actions if one.level != UNKNOWN_LEVEL}
                        on_it = frozenset(one.name.lower() for one in actions if _on(one, match.below)) & names
                        denied[match.resource] = denied.get(match.resource, frozenset()) | on_it
    return denied


def _by_service(grant: Grant) -> Mapping[str, Sequence[IamAction]]:
    """Return the actions of a statement by service; an unknown one is under every service that it may belong to."""
    if grant.but_actions:
        return _grouped(tuple(_actions(grant, frozenset())))
    found: dict[str, list[IamAction]] = {}
    for one in grant.actions:
        if one.open is not None:
            service = one.text.partition(":")[0]
            for name in _SERVICES if "\x00" in service else (service,):
                found.setdefault(name, []).append(IamAction("", UNKNOWN_LEVEL, limitable=True))
        for service, actions in _of_pattern(one.text).items() if one.open is None else ():
            found.setdefault(service, []).extend(actions)
    return found


_SERVICES = (
    *("dynamodb", "s3", "sqs", "sns", "events", "kinesis", "secretsmanager", "ssm", "rds", "rds-data", "es"),
    *("elasticfilesystem", "elasticache", "lambda"),
)


@lru_cache(maxsize=4096)
def _of_pattern(text: str) -> Mapping[str, Sequence[IamAction]]:
    known = expanded(text)
    return _grouped(known) if known else {text.partition(":")[0]: (IamAction(text, UNKNOWN_LEVEL, limitable=True),)}


def _grouped(actions: Iterable[IamAction]) -> Mapping[str, Sequence[IamAction]]:
    found: dict[str, list[IamAction]] = {}
    for action in actions:
        found.setdefault(action.name.partition(":")[0].lower(), []).append(action)
    return found


class _Doing(NamedTuple):
    """What a statement does with a resource: its actions by use, and whether one of them is not known."""

    by_use: Mapping[str, Mapping[str, None]]
    unclear: bool


def _doing(actions: Sequence[IamAction], below: str, denied: frozenset[str]) -> _Doing:
    by_use: dict[str, dict[str, None]] = {}
    unclear = False
    for action in actions:
        if action.name.lower() not in denied and _on(action, below):
            if action.level == UNKNOWN_LEVEL:
                unclear = True
            else:
                by_use.setdefault(use_of(action), {})[action.name] = None
    return _Doing(by_use, unclear)


def _reach(held: _Gathering, grant: Grant, match: Match, doing: _Doing) -> None:
    if doing.unclear:
        unknown = next((one.open for one in grant.actions if one.open), None)
        held.doubt(unknown or Unknown("the statement has an unknown action", grant.place))
    if doing.by_use and (grant.open is not None or not match.sure):
        unknown = grant.open or next((one.open for one in grant.resources if one.open is not None), None)
        held.doubt(unknown or Unknown(f"a statement's resource may be {quoted(match.resource)}", grant.place))
    elif doing.by_use:
        held.add(doing.by_use, grant.place, named=match.named)


@lru_cache(maxsize=8192)
def use_of(action: IamAction) -> str:
    """What an action does with a resource: read, write, send, invoke, value or manage."""
    name = action.name.lower()
    for use, names in (("send", SENDS), ("invoke", INVOKES), ("value", READS_SECRETS)):
        if name in names:
            return use
    if name in _READS_DATA_ALL_THE_SAME:
        return "read"
    verb = name.partition(":")[2]
    if action.level in {"read", "list"}:
        return "manage" if verb.startswith(_ABOUT_IT) or _is_setting(name, verb) else "read"
    return "write" if action.level == "write" and not _is_setting(name, verb) else "manage"


_SETTINGS = ("policy", "attributes", "configuration", "tagging", "tags", "acl", "encryption", "versioning", "logging")


def _is_setting(name: str, verb: str) -> bool:
    """Whether an action is about how a resource is set up, rather than what it holds."""
    if name.startswith("s3:"):
        return "object" not in verb and verb not in {"deletebucket", "listbucket"}
    return verb.endswith(_SETTINGS) or name.startswith("sns:")


def _on(action: IamAction, below: str) -> bool:
    """Whether an action of S3 is about what a pattern adds to the bucket: its objects, or the bucket itself."""
    name = action.name.lower()
    if not name.startswith("s3:") or below.startswith("*"):
        return True
    on_objects = name in _ON_OBJECTS or ("object" in name and not name.endswith("objectlockconfiguration"))
    return on_objects == below.startswith("/")
