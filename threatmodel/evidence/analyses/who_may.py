"""Who may do what he should not: IAM's own list of an account, and what is assigned to people."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import cache

from threatmodel.evidence.analyses.denials import all_denied, everywhere, unanswered
from threatmodel.evidence.analyses.judgements import Judgement, some, unknown
from threatmodel.evidence.analyses.principals import Holder, holders
from threatmodel.evidence.analyses.registry import analysis
from threatmodel.evidence.answers import Answered, Gathered, Outcome
from threatmodel.evidence.policies.grants import Grant, aws_policy_name, grants, pattern
from threatmodel.evidence.policies.iam import actions_of
from threatmodel.stacks.stack import Resource, Stack
from threatmodel.stacks.values import Node, Unknown

_LEAVES_FUNCTIONS = re.compile(
    r"lambda:(Invoke|Connect|Send|Stop|Checkpoint|\w*(Layer|Microvm|NetworkConnector|CapacityProvider|Durable|Settings))\w*"
)
"""Writes that use functions, or change what is none."""


@cache
def _changes() -> tuple[str, ...]:
    """The actions that change a function: its code, configuration, policy, what starts it, and how often it runs."""
    writes = {name: one for name, one in actions_of("lambda").items() if one.level in {"write", "permissions"}}
    return tuple(name for name, one in writes.items() if not _LEAVES_FUNCTIONS.fullmatch(one.name))


@analysis("authorizations", "guardrail")
def only_pipeline_changes_functions(parts: Sequence[Gathered], resource: Resource, stack: Stack) -> Outcome:
    """Answer whether only deploy roles have an action that changes functions; a guardrail may deny it to all others."""
    own = [part for part in parts if part.part == "guardrail"]
    barred = all_denied(own, grants(own, resource, stack), _changes(), None) if own else None
    if isinstance(barred, Answered) and barred.value:
        return barred
    return _only(parts, _changes(), lambda holder: holder.deploys, "may change functions")


@analysis("authorizations", "policy")
def invokers_restricted(parts: Sequence[Gathered], resource: Resource, stack: Stack) -> Outcome:
    """Whether only triggers and deploy roles may invoke a function."""
    policies = [part for part in parts if part.part == "policy"]
    for grant in grants(policies, resource, stack):
        if grant.open is not None:
            return unanswered(grant.open)
        unread_parts = [one for one in grant.principals if one.kind != "Service"]
        if grant.effect == "Allow" and (unread_parts or grant.but_principals):
            return Answered(False, (grant.place,), "its policy allows principals other than services")  # noqa: FBT003 - the value
    names = (resource.name,) if resource.name else ()
    spared = lambda holder: holder.deploys or holder.starts  # noqa: E731 - said where it is used
    return _only(parts, ("lambda:invokefunction",), spared, "may invoke it", names)


def _only(
    parts: Sequence[Gathered],
    actions: Sequence[str],
    spared: Callable[[Holder], bool],
    what: str,
    names: Sequence[str] = (),
) -> Outcome:
    """Return whether only exempt principals have some actions."""
    for part in parts:
        if part.part != "authorizations":
            continue
        everybody = holders(part.node)
        if isinstance(everybody, Unknown):
            return unanswered(everybody)
        others = [one for one in everybody if not one.of_aws and not spared(one)]
        found = [one for one in others if any(one.may(action, names) for action in actions)]
        if found:
            note = f"{len(found)} users and roles besides the pipeline's {what}"
            return Answered(False, tuple(one.place for one in found[:12]), note)  # noqa: FBT003 - the value
        open_one = next((grant.open for one in others for grant in one.grants if grant.open is not None), None)
        return unanswered(open_one) if open_one else Answered(True, (part.node.place,))  # noqa: FBT003 - the value
    return None


_PASS = "iam:passrole"  # noqa: S105 - an action's name


@analysis("authorizations")
def passrole_restricted(parts: Sequence[Gathered], _resource: Resource, _stack: Stack) -> Outcome:
    """Whether each statement that allows iam:PassRole names roles and the service that they are passed to."""
    for part in parts:
        if part.part != "authorizations":
            continue
        everybody = holders(part.node)
        if isinstance(everybody, Unknown):
            return unanswered(everybody)
        passing = [
            grant
            for one in everybody
            if not one.of_aws
            for grant in one.grants
            if grant.effect == "Allow" and grant.covers(_PASS)
        ]
        wide = [grant for grant in passing if not _names_roles(grant)]
        if wide:
            found = tuple(dict.fromkeys(grant.place for grant in wide))[:12]
            return Answered(False, found, f"{len(wide)} statements allow iam:PassRole too broadly")  # noqa: FBT003 - the value
        return Answered(True, (part.node.place,))  # noqa: FBT003 - the value
    return None


def _names_roles(grant: Grant) -> bool:
    named = not grant.but_resources and bool(grant.resources)
    named = named and all(one.open is None and not re.search(r"[*?]", one.text) for one in grant.resources)
    to = [one for one in grant.conditions if one.key == "iam:passedtoservice" and one.operator.startswith("string")]
    services = [value for one in to if "not" not in one.operator for value in one.values]
    return named and bool(services) and all(not re.search(r"[*?]", one.text) for one in services)


_ADMINISTRATORS = ("AdministratorAccess", "IAMFullAccess")


@analysis("managed", "policy")
def standing_administrators(parts: Sequence[Gathered], resource: Resource, stack: Stack) -> Outcome:
    """Whether a permission set with AdministratorAccess or an equal policy is assigned."""
    found = [_administers_by_name(part.node) for part in parts if part.part == "managed"]
    policies = [part for part in parts if part.part == "policy"]
    found += [_administers(grant) for grant in grants(policies, resource, stack) if grant.effect != "Deny"]
    return some(found, parts) if found else None


def _administers_by_name(node: Node) -> Judgement:
    if isinstance(node, Unknown):
        return unknown(node)
    name = aws_policy_name(pattern(node))
    return Judgement(name in _ADMINISTRATORS, node.place, f"{name} is assigned" if name in _ADMINISTRATORS else "")


def _administers(grant: Grant) -> Judgement:
    if grant.open is not None:
        return unknown(grant.open)
    everything = any(one.text in {"*", "*:*", "iam:*"} for one in grant.actions) and not grant.but_actions
    return Judgement(everything and everywhere(grant), grant.place)
