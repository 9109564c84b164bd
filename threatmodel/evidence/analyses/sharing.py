"""Principals that the policies of resources allow: all, and services that act for any source."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from threatmodel.evidence.analyses.judgements import Judgement, every, some, unknown, unless_open
from threatmodel.evidence.analyses.properties import doubt_of, flag, read, stands
from threatmodel.evidence.analyses.registry import analysis
from threatmodel.evidence.answers import Answered, Gathered, Outcome, Unanswered
from threatmodel.evidence.policies.arns import account_of, arn_parts, whole
from threatmodel.evidence.policies.conditions import NEGATIVE, limits, narrows, wide_arn
from threatmodel.evidence.policies.grants import (
    ConditionKey,
    Grant,
    Pattern,
    Principal,
    allowing,
    either,
    grants,
    pattern,
)
from threatmodel.reading.problems import Place
from threatmodel.stacks.stack import Resource, Stack
from threatmodel.stacks.values import Node, Scalar, Table, Unknown, get, text


def not_understood(node: Node) -> Unknown:
    """Why a node says nothing: what it says itself, or that it is of a kind that does not belong there."""
    return node if isinstance(node, Unknown) else Unknown("it cannot be read", node.place)


# --- any principal


@analysis("policy")
def public_statement(parts: Sequence[Gathered], resource: Resource, stack: Stack) -> Outcome:
    """Whether a statement allows any principal without a condition that narrows it."""
    return some(public_statements(parts, resource, stack), parts)


def public_statements(
    parts: Sequence[Gathered],
    resource: Resource,
    stack: Stack,
    about: Callable[[Grant], bool | None] = lambda _: True,
) -> Iterator[Judgement]:
    """Return what each statement and permission says of any principal; `about` says which statements count."""
    found = grants([part for part in parts if part.part == "policy"], resource, stack)
    guards = [grant for grant in found if _keeps_strangers_out(grant)]
    for grant in allowing(found):
        asked = about(grant)
        judgement = anybody(grant) if asked is not False else Judgement(truth=False, place=grant.place)
        if asked is not False and not judgement.truth and resource.type not in _INVOKED and any_source(grant):
            at = next(one.pattern.place for one in grant.principals if one.kind == "Service")
            judgement = unless_open(
                grant, Judgement(truth=True, place=at, note="its policy allows a service to act for any account")
            )
        if not (judgement.truth and any(_about_the_same(guard, grant) for guard in guards)):
            doubtful = judgement.truth and asked is None
            yield unknown(Unknown("an action of it is not known", grant.place)) if doubtful else judgement
    for part in parts:
        if part.part == "permission":
            yield _of_permission(part)


_INVOKED = frozenset({"AWS::Lambda::Function", "AWS::Serverless::Function"})
"""Types whose services that act for any account are another question's (`sources-pinned`)."""
_TELLS_LITTLE = frozenset({"s3:getbucketacl", "s3:getbucketlocation"})


def any_source(grant: Grant) -> bool:
    """Return whether a statement allows an AWS service for any customer: no condition restricts the source.

    What goes below ``AWSLogs/`` and an account's number is that account's by the path.
    """
    services = [one for one in grant.principals if one.kind == "Service" and one.pattern.open is None]
    stated = either([narrows(one) for one in grant.conditions])
    if not services or stated is not False or grant.but_principals:
        return False
    own = [re.search(r"/AWSLogs/([0-9]{12}|\$\{)", one.text) for one in grant.resources]
    little = not grant.but_actions and all(one.text in _TELLS_LITTLE for one in grant.actions)
    return not little and not (own and all(own))


def unless_doubted(part: Gathered, judgement: Judgement) -> Judgement:
    """Return a judgment on a resource; none if it is a yes and the resource may not exist."""
    return unknown(part.resource.doubt) if part.resource.doubt is not None and judgement.truth else judgement


def anybody(grant: Grant) -> Judgement:
    """Return whether a statement allows any principal."""
    if grant.open is not None and not grant.actions:
        return unknown(grant.open)
    who, place = everybody(grant)
    narrowed = either([narrows(one) for one in grant.conditions])
    if who is False or narrowed:
        return Judgement(truth=False, place=grant.place)
    if who is None:
        open_one = next((one.pattern.open for one in grant.principals if one.pattern.open is not None), None)
        return unknown(open_one or Unknown("the statement names no principal", grant.place))
    if narrowed is None:
        return unknown(open_condition(grant))
    return unless_open(grant, Judgement(truth=True, place=place, note="a statement allows any principal"))


def open_condition(grant: Grant) -> Unknown:
    """What of a statement's conditions is unknown."""
    whole_one = next((one.open for one in grant.conditions if one.open is not None), None)
    values = (one.open for condition in grant.conditions for one in condition.values if one.open is not None)
    return whole_one or next(values, Unknown("the condition cannot be read", grant.place))


def everybody(grant: Grant) -> tuple[bool | None, Place]:
    """Return whether a statement is about every principal, and where."""
    if grant.but_principals:
        return True, grant.place
    for one in grant.principals:
        if one.kind == "*":
            return True, one.pattern.place
    if not grant.principals or any(_may_be_all(one) for one in grant.principals):
        return None, grant.place
    return False, grant.place


def _may_be_all(one: Principal) -> bool:
    return one.pattern.open is not None and not re.sub("\x00[^\x01]*\x01", "", one.pattern.text).strip("*")


def _keeps_strangers_out(grant: Grant) -> bool:
    """Return whether a statement denies all but some accounts, an organization, sources or networks."""
    return (
        grant.effect == "Deny"
        and grant.open is None
        and everybody(grant)[0] is True
        and not grant.but_principals
        and len(grant.conditions) == 1
        and narrows(grant.conditions[0], NEGATIVE) is True
    )


def _about_the_same(guard: Grant, grant: Grant) -> bool:
    """Whether a statement surely is about all that another one is about."""
    actions = not guard.but_actions and all(
        one.open is None and guard.covers(one.text) is True for one in grant.actions if not grant.but_actions
    )
    if grant.but_actions:
        actions = any(one.text == "*" for one in guard.actions) and not guard.but_actions
    texts = {one.text for one in guard.resources if one.open is None}
    return actions and not guard.but_resources and ("*" in texts or {one.text for one in grant.resources} <= texts)


class _Permission(NamedTuple):
    """A permission to invoke a function (AWS::Lambda::Permission)."""

    principal: Node | None
    source: Node | None
    account: Node | None
    organization: Node | None
    token: Node | None


def _permission(node: Node) -> _Permission:
    names = (
        ("Principal", "principal"),
        ("SourceArn", "source_arn"),
        ("SourceAccount", "source_account"),
        ("PrincipalOrgID", "principal_org_id"),
        ("EventSourceToken", "event_source_token"),
    )
    return _Permission(*(set_value(get(node, one)) or set_value(get(node, other)) for one, other in names))


def set_value(node: Node | None) -> Node | None:
    """A property, where it is set: a plan has null for what is not."""
    return None if isinstance(node, Scalar) and node.value in {None, ""} else node


def _of_permission(part: Gathered) -> Judgement:
    if not isinstance(part.node, Table):
        return unknown(part.node if isinstance(part.node, Unknown) else Unknown("it cannot be read", part.node.place))
    found = _permission(part.node)
    if found.principal is None:
        return Judgement(None, part.node.place, "the permission names no principal")
    who = pattern(found.principal)
    limiting = (
        (found.account, stands(found.account)),
        (found.organization, _names_one(found.organization)),
        (found.source, _names_owner(found.source)),
    )
    if any(limit for _, limit in limiting) or (who.text != "*" and not _may_be_all(Principal("", who))):
        return Judgement(truth=False, place=part.node.place)
    hidden = who.open or next((not_understood(node) for node, limit in limiting if node and limit is None), None)
    if hidden is not None:
        return unknown(hidden)
    return unless_doubted(
        part, Judgement(truth=True, place=who.place, note="a permission allows any principal to invoke it")
    )


def _names_one(organization: Node | None) -> bool | None:
    """Whether a permission names one organization; None where that is not known."""
    if organization is None:
        return False
    found = pattern(organization)
    return None if found.open is not None else not set(found.text) & set("*?")


def _names_owner(source: Node | None) -> bool | None:
    """Whether a permission names a source of one owner; None where that is not known, or may be left out."""
    if source is None:
        return False
    wide = wide_arn(pattern(source))
    return None if wide is None else not wide


# --- directly, or through a function's URL


@analysis("policy", "permission", "url")
def anyone_invokes(parts: Sequence[Gathered], resource: Resource, stack: Stack) -> Outcome:
    """Whether a statement lets any principal invoke a function, other than through a URL that asks for nothing.

    Such a URL needs these statements, and is a separate api: they are no alarm, and no proof.  Without the URL they
    stand for one of another file.
    """
    letting = [part for part in parts if part.part != "url"]
    public = [part for part in parts if part.part == "url" and text(get(part.node, "AuthType")) == "NONE"]
    if not letting:
        return None
    if all(doubt_of(part.resource, resource) for part in public):  # or there is none
        return public_statement(letting, resource, stack)
    direct = [part for part in letting if part.part != "permission" or not _is_of_the_url(part.node)]
    found = some(
        public_statements(direct, resource, stack, lambda one: not any(map(_asks_for_it, one.conditions))), letting
    )
    every = public_statement(letting, resource, stack)
    if isinstance(found, Answered) and isinstance(every, Answered) and every.value and not found.value:
        return Unanswered("the policy lets any principal in, but only through the public function URL", every.places[0])
    return found


def _is_of_the_url(permission: Node) -> bool:
    """Whether a permission surely is for calls through a URL without authentication alone."""
    kind, via = read(permission, "FunctionUrlAuthType"), read(permission, "InvokedViaFunctionUrl")
    return text(kind) == "NONE" or flag(via) is True


def _asks_for_it(condition: ConditionKey) -> bool:
    """Whether a condition surely limits a statement to such calls; `IfExists` also holds for others."""
    values = [one.text.lower() for one in condition.values if one.open is None]
    if condition.open is not None or len(values) != len(condition.values):
        return False
    if condition.key == "lambda:invokedviafunctionurl":
        return condition.operator == "bool" and values == ["true"]
    return condition.key == "lambda:functionurlauthtype" and limits(condition) and values == ["none"]


# --- services


@analysis("policy", "permission")
def sources_pinned(parts: Sequence[Gathered], resource: Resource, stack: Stack) -> Outcome:
    """Whether each statement for a service names a source ARN, and a source account where the ARN has none."""
    return every(_of_services(parts, resource, stack), parts)


@analysis("policy", "permission")
def sources_owned(parts: Sequence[Gathered], resource: Resource, stack: Stack) -> Outcome:
    """Whether each statement for a service names the source's account, or a source ARN that is pinned."""
    return every(_of_services(parts, resource, stack, owned=True), parts)


def _of_services(
    parts: Sequence[Gathered], resource: Resource, stack: Stack, *, owned: bool = False
) -> Iterator[Judgement]:
    policies = [part for part in parts if part.part == "policy"]
    for grant in allowing(grants(policies, resource, stack)):
        for one in _service_pinned(grant, stack, owned=owned):
            yield unless_open(grant, one, decides=False)
    for part in parts:
        if part.part == "permission":
            yield from _permission_pinned(part, stack, owned=owned)


def _service_pinned(grant: Grant, stack: Stack, *, owned: bool) -> Iterator[Judgement]:
    if grant.open is not None and not grant.actions:
        yield unknown(grant.open)
        return
    sources = [one for one in grant.conditions if one.key == "aws:sourcearn" and limits(one)]
    services = [one for one in grant.principals if one.kind == "Service" or (one.kind == "*" and sources)]
    if not services:
        return
    at = services[0].pattern.place
    accounts = [one for one in grant.conditions if one.key == "aws:sourceaccount" and limits(one)]
    tokens = [one for one in grant.conditions if one.key == "lambda:eventsourcetoken" and limits(one)]
    if tokens or (owned and any(all(_named(one) for one in condition.values) for condition in accounts)):
        yield Judgement(truth=True, place=at)
    elif not sources and any(not one.key for one in grant.conditions):
        yield unknown(open_condition(grant))
    elif not sources:
        yield Judgement(truth=False, place=at, note="the service may act for any source account")
    else:
        for one in sources[0].values:
            yield _pins(one, stack, has_account=bool(accounts), at=at)


def _pins(source: Pattern, stack: Stack, *, has_account: bool, at: Place) -> Judgement:
    """Return whether a source ARN names a source with a known account, in the ARN or separately."""
    if source.links:
        targets = [stack.resources[link.resource] for link in source.links if link.resource in stack.resources]
        bucket = any(one.type == "AWS::S3::Bucket" for one in targets)
        stated = has_account or not bucket
        return Judgement(stated, at, "" if stated else "the source ARN has no account, and no source account is named")
    if source.open is not None and len(arn_parts(source.text)) < 6:  # noqa: PLR2004 - an ARN's parts
        return unknown(source.open)
    parts = arn_parts(source.text)
    every_one = whole(source, parts[2] if len(parts) > 2 else "")  # noqa: PLR2004 - the service in an ARN
    if every_one:
        return Judgement(truth=False, place=at, note="any source is allowed")
    account = account_of(source)
    if not has_account and not account.strip("*?"):
        return Judgement(truth=False, place=at, note="the source ARN has no account, and no source account is named")
    if every_one is None and source.open is not None:
        return unknown(source.open)
    return Judgement(truth=True, place=at)


def _named(account: Pattern) -> bool:
    """Return whether an account is known, and not a pattern of accounts."""
    return account.open is None and not set(account.text) & set("*?")


def _permission_pinned(part: Gathered, stack: Stack, *, owned: bool) -> Iterator[Judgement]:
    if not isinstance(part.node, Table):
        yield unknown(not_understood(part.node))
        return
    found = _permission(part.node)
    who = pattern(found.principal) if found.principal is not None else None
    by_source = who is not None and who.text == "*" and found.source is not None  # without one, anyone may call
    if who is not None and who.open is None and not by_source and not is_service(who.text):
        return
    if who is None or who.open is not None:
        yield unknown(who.open if who is not None and who.open else Unknown("it names no principal", part.node.place))
    else:
        yield _bound_to_source(part, found, who, stack, owned=owned)


def _bound_to_source(part: Gathered, found: _Permission, who: Pattern, stack: Stack, *, owned: bool) -> Judgement:
    """Whether a permission for a service is for one source; a no counts where nothing unknown may make it a yes."""
    bound = [(found.token, stands(found.token))]
    bound += [(found.account, _names_account(found.account))] if owned else []
    if any(one for _, one in bound):
        return Judgement(truth=True, place=who.place)
    tried = [Judgement(truth=False, place=who.place, note="the service may act for any source account")]
    if found.source is not None:
        own, there = pattern(found.source), stands(found.account)
        accounts = (True, False) if there is None else (there,)  # a condition may leave it out
        tried = [_pins(own, stack, has_account=one, at=found.source.place) for one in accounts]
    if tried[0].truth != tried[-1].truth:
        return unknown(not_understood(found.account or part.node))
    hidden = next((not_understood(node) for node, one in bound if node and one is None), part.resource.doubt)
    return unknown(hidden) if hidden is not None and tried[0].truth is False else tried[0]


def _names_account(account: Node | None) -> bool | None:
    """Whether a permission names the source's account; None where that is not known."""
    if account is None:
        return False
    found = pattern(account)
    return None if found.open is not None else _named(found)


def is_service(principal: str) -> bool:
    """Whether a principal is a service's name."""
    return (
        re.fullmatch(r"[\w.${}:-]+\.(amazonaws|amazon)\.com(\.cn)?|[\w.-]+\.\$\{AWS::URLSuffix\}", principal)
        is not None
    )
