"""Effective permissions: what the statements that a role holds allow together, and which ways to more rights they make.

A Deny counts where it surely holds: without conditions, on every resource.  What is unknown is kept as such beside what
is known.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import NamedTuple

from threatmodel.evidence.answers import Gathered
from threatmodel.evidence.policies.arns import covers_every
from threatmodel.evidence.policies.escalations import UNKNOWN_LEVEL, Escalation, escalations, unexplained
from threatmodel.evidence.policies.given import given_to
from threatmodel.evidence.policies.grants import Grant, grants
from threatmodel.evidence.policies.iam import IamAction, actions_of, by_service, expanded
from threatmodel.reading.problems import Place
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


def effective(found: Sequence[Grant]) -> Permissions:
    """What statements allow together."""
    denied = frozenset(action for grant in found if _denies_everywhere(grant) for action in _names(grant))
    allowed, every = [], []
    unknown = [grant.open for grant in found if grant.open is not None]
    for grant in found:
        if grant.effect != "Allow" or grant.open is not None:
            continue
        unknown += [part.open for part in grant.actions if part.open is not None]
        for one in _by_service(grant, denied):
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


def _by_service(grant: Grant, denied: frozenset[str]) -> Iterator[Allowed]:
    """What a statement allows, one service after the other, since patterns of resources are theirs."""
    for actions in by_service(actions_in(grant, denied)).values():
        yield Allowed(tuple(dict.fromkeys(one.name for one in actions)), grant.place)


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
