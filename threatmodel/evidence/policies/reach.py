"""What statements let a role do with the resources of a stack, resource by resource and use by use.

A Deny counts where it surely holds: without conditions, and on resources that are known.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import NamedTuple, TypeVar

from threatmodel.evidence.policies.arns import Match, Targets, resources_of
from threatmodel.evidence.policies.escalations import UNKNOWN_LEVEL
from threatmodel.evidence.policies.grants import Grant
from threatmodel.evidence.policies.iam import IamAction, by_service, expanded
from threatmodel.evidence.policies.permissions import actions_in
from threatmodel.evidence.policies.work import use_of
from threatmodel.reading.problems import Place, quoted
from threatmodel.reading.values import dataclass, field
from threatmodel.stacks.values import Unknown

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
        for service, actions in _by_service(grant).items():
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
