"""Effective permissions: what the statements that a role holds allow together, and which ways to more rights they make.

A Deny counts where it surely holds: without conditions, on every resource.  What is unknown is kept as such beside what
is known.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import NamedTuple, TypeVar

from threatmodel.evidence.answers import Gathered
from threatmodel.evidence.policies.arns import Match, Targets, covers_every, resources_of
from threatmodel.evidence.policies.escalations import UNKNOWN_LEVEL, Escalation, escalations, unexplained
from threatmodel.evidence.policies.given import given_to
from threatmodel.evidence.policies.grants import Grant, grants
from threatmodel.evidence.policies.iam import IamAction, actions_of, by_service, expanded
from threatmodel.evidence.policies.role_policies import as_others
from threatmodel.evidence.policies.work import use_of
from threatmodel.reading.problems import Place, quoted
from threatmodel.reading.values import dataclass, field
from threatmodel.stacks.stack import Resource, Stack
from threatmodel.stacks.values import Unknown

_PASSES = "iam:PassRole"
"""The one right of which it matters on what it is: any other counts as a step to more rights, whatever it is on."""


class Allowed(NamedTuple):
    """Actions of one service that one statement allows, and where."""

    actions: tuple[str, ...]
    place: Place


class Permissions(NamedTuple):
    """What policies allow together.

    `every` are actions on every resource, `escalations` ways to more rights, `unexplained` rights on identity, code or
    deployment that none of these explains, `unknown` what may add to the ways: not that a statement's resources are
    open, unless they are roles to pass.
    """

    every: tuple[Allowed, ...]
    escalations: tuple[Escalation, ...]
    unexplained: tuple[Unknown, ...]
    unknown: tuple[Unknown, ...]


def held(policies: Sequence[Gathered], element: Resource, stack: Stack) -> tuple[Grant, ...]:
    """Every statement that a function's role holds: attached to it, or in the policy of a resource that names it."""
    return (*grants(policies, element, stack), *given_to(element, stack))


def rights(policies: Sequence[Gathered], element: Resource, stack: Stack) -> tuple[Grant, ...]:
    """What a function's role holds, and what the roles hold that it may assume."""
    own = held(policies, element, stack)
    return (*own, *as_others(element, own, stack))


def effective(found: Sequence[Grant]) -> Permissions:
    """What statements allow together."""
    denied = frozenset(action for grant in found if _denies_everywhere(grant) for action in _names(grant))
    allowed, every = [], []
    unknown = [grant.open for grant in found if grant.open is not None]
    for grant in found:
        if grant.effect != "Allow" or grant.open is not None:
            continue
        unknown += [part.open for part in grant.actions if part.open is not None]
        for actions in by_service(actions_in(grant, denied)).values():  # since patterns of resources are a service's
            one = Allowed(tuple(dict.fromkeys(action.name for action in actions)), grant.place)
            allowed.append(one)
            if _PASSES in one.actions:
                unknown += [part.open for part in grant.resources if part.open is not None]
            if covers_every(grant, one.actions[0].partition(":")[0].lower())[0]:
                every.append(one)
    ways = tuple(escalations({action.lower(): one.place for one in reversed(allowed) for action in one.actions}))
    explained = frozenset(action for one in ways for action in one.way.actions)
    return Permissions(tuple(every), ways, tuple(_unexplained(allowed, explained)), tuple(unknown))


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
            yield from _lowered(one.text)


@lru_cache(maxsize=4096)
def _lowered(text: str) -> tuple[str, ...]:
    return tuple(action.name.lower() for action in expanded(text)) or (text,)


def actions_in(grant: Grant, denied: frozenset[str] = frozenset()) -> Iterator[IamAction]:
    """The actions of a statement that are known, but for those (in small letters) that are denied."""
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


# --- resource by resource
_ON_OBJECTS = frozenset({"s3:abortmultipartupload", "s3:listmultipartuploadparts", "s3:bypassgovernanceretention"})


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

    def joined(self, other: Reach) -> Reach:
        """Return what this or another reach of the same resource allows."""
        return Reach(
            self.resource,
            _both(self.actions, other.actions),
            _both(self.places, other.places),
            self.named | other.named,
            (*self.unknown, *other.unknown),
        )


_T = TypeVar("_T")


def _both(one: Mapping[str, tuple[_T, ...]], other: Mapping[str, tuple[_T, ...]]) -> Mapping[str, tuple[_T, ...]]:
    return {use: tuple(dict.fromkeys((*one.get(use, ()), *other.get(use, ())))) for use in {**one, **other}}


class _Noted(NamedTuple):
    """What statements say of one resource: uses with their actions, place and whether they name it; what is open."""

    rows: list[tuple[str, Mapping[str, None], Place, bool]]
    unknown: dict[tuple[str, Place], Unknown]

    def finished(self, name: str, everything: Sequence[Unknown]) -> Reach:
        """The whole, as a value; `everything` are statements of which nothing is known."""
        actions: dict[str, dict[str, None]] = {}
        places: dict[str, dict[Place, None]] = {}
        for use, found, place, _ in self.rows:
            actions.setdefault(use, {}).update(found)
            places.setdefault(use, {})[place] = None
        return Reach(
            name,
            {use: tuple(found) for use, found in actions.items()},
            {use: tuple(found) for use, found in places.items()},
            frozenset(use for use, _, _, named in self.rows if named),
            (*self.unknown.values(), *everything),
        )


def reached(found: Sequence[Grant], targets: Targets) -> Mapping[str, Reach]:
    """Return what statements allow on the stack's resources, by their name; without those that are not reached."""
    denied = _denials(found, targets)
    noted: dict[str, _Noted] = {}
    for grant in found:
        if grant.effect == "Deny":
            continue
        for service, actions in _by_service_of(grant).items():
            done: dict[tuple[str, frozenset[str]], _Doing] = {}
            for match in resources_of(grant, targets, service):
                key = match.below, denied.get(match.resource, frozenset())
                if key not in done:
                    done[key] = _doing(actions, *key)
                _note(noted.setdefault(match.resource, _Noted([], {})), grant, match, done[key])
    everything = [grant.open for grant in found if grant.open is not None and not grant.actions]
    for name in targets.resources if everything else ():
        noted.setdefault(name, _Noted([], {}))
    finished = {name: one.finished(name, everything) for name, one in noted.items()}
    return {name: reach for name, reach in finished.items() if reach.actions or reach.unknown}


def _note(noted: _Noted, grant: Grant, match: Match, doing: _Doing) -> None:
    hidden = [_why_open(grant, match, unclear=True)] if doing.unclear else []
    if doing.by_use and (grant.open is not None or not match.sure):
        hidden.append(_why_open(grant, match, unclear=False))
    elif doing.by_use:
        noted.rows.extend((use, actions, grant.place, match.named) for use, actions in doing.by_use.items())
    for one in hidden:
        noted.unknown.setdefault((one.why, one.place), one)


def _denials(found: Sequence[Grant], targets: Targets) -> Mapping[str, frozenset[str]]:
    """The actions that are surely denied on each resource."""
    denied: dict[str, frozenset[str]] = {}
    for grant in found:
        if grant.effect == "Deny" and grant.open is None and not grant.conditions:
            for service, actions in _by_service_of(grant).items():
                for match in resources_of(grant, targets, service):
                    if match.sure and (match.below in {"", "*"} or (service == "s3" and match.below == "/*")):
                        names = {one.name.lower() for one in actions if one.level != UNKNOWN_LEVEL}
                        on_it = frozenset(one.name.lower() for one in actions if _on(one, match.below)) & names
                        denied[match.resource] = denied.get(match.resource, frozenset()) | on_it
    return denied


def _by_service_of(grant: Grant) -> Mapping[str, Sequence[IamAction]]:
    """Return the actions of a statement by service; an unknown one is under every service that it may belong to."""
    if grant.but_actions:
        return by_service(tuple(actions_in(grant)))
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
    return by_service(known) if known else {text.partition(":")[0]: (IamAction(text, UNKNOWN_LEVEL, limitable=True),)}


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


def _why_open(grant: Grant, match: Match, *, unclear: bool) -> Unknown:
    """What of a statement leaves it open whether it allows something on a resource."""
    parts = grant.actions if unclear else grant.resources
    found = (None if unclear else grant.open) or next((one.open for one in parts if one.open is not None), None)
    why = (
        "the statement has an unknown action" if unclear else f"a statement's resource may be {quoted(match.resource)}"
    )
    return found or Unknown(why, grant.place)


def _on(action: IamAction, below: str) -> bool:
    """Whether an action of S3 is about what a pattern adds to the bucket: its objects, or the bucket itself."""
    name = action.name.lower()
    if not name.startswith("s3:") or below.startswith("*"):
        return True
    on_objects = name in _ON_OBJECTS or ("object" in name and not name.endswith("objectlockconfiguration"))
    return on_objects == below.startswith("/")
