"""Principals that the policies of resources allow: all, and services that act for any source."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from functools import partial

from threatmodel.evidence.analyses.properties import flag, read
from threatmodel.evidence.analyses.registry import analysis, rows
from threatmodel.evidence.answers import (
    Answer,
    Answered,
    Gathered,
    Outcome,
    Unanswered,
    doubt_of,
    doubted,
    every,
    named,
    no,
    one_of,
    some,
    unknown,
    yes,
)
from threatmodel.evidence.policies.arns import account_of, arn_parts, whole
from threatmodel.evidence.policies.conditions import NEGATIVE, limits, narrows
from threatmodel.evidence.policies.grants import (
    MARK,
    PERMISSION,
    ConditionKey,
    Grant,
    Pattern,
    allowing,
    grants,
)
from threatmodel.reading.problems import Place
from threatmodel.stacks.stack import Resource, Stack
from threatmodel.stacks.values import Node, Scalar, Unknown, get, text


def not_understood(node: Node) -> Unknown:
    """Why a node says nothing: what it says itself, or that it is of a kind that does not belong there."""
    return node if isinstance(node, Unknown) else Unknown("it cannot be read", node.place)


# --- any principal


@analysis("policy")
def public_statement(parts: Sequence[Gathered], resource: Resource, stack: Stack) -> Outcome:
    """Whether a statement allows any principal without a condition that narrows it."""
    return some(public_statements(parts, resource, stack), parts=parts)


def public_statements(
    parts: Sequence[Gathered],
    resource: Resource,
    stack: Stack,
    about: Callable[[Grant], bool | None] = lambda _: True,
) -> Iterator[Answer]:
    """Return what each statement and permission says of any principal; `about` says which statements count."""
    found = grants(named(parts, "policy"), resource, stack)
    guards = [grant for grant in found if _keeps_strangers_out(grant)]
    for grant in allowing(found):
        asked = about(grant)
        answer = no(grant.place) if asked is False else _anyone(grant, resource)
        if not (isinstance(answer, Answered) and answer.value):
            yield grant.says(answer)
        elif grant.open is not None or not any(_about_the_same(guard, grant) for guard in guards):
            yield grant.says(answer if asked else Unanswered("an action of it is not known", grant.place))
    yield from (grant.says(anybody(grant)) for grant in grants(named(parts, "permission"), resource, stack))


def _anyone(grant: Grant, resource: Resource) -> Answer:
    """Whether a statement allows any principal, or a service for any account."""
    answer = anybody(grant)
    if resource.type in _INVOKED or not any_source(grant) or (isinstance(answer, Answered) and answer.value):
        return answer
    at = next(one.pattern.place for one in grant.principals if one.kind == "Service")
    return yes(at, "its policy allows a service to act for any account")


_INVOKED = frozenset({"AWS::Lambda::Function", "AWS::Serverless::Function", "AWS::Lambda::Url"})
"""Types whose services that act for any account are another question's (`sources-pinned`)."""
_TELLS_LITTLE = frozenset({"s3:getbucketacl", "s3:getbucketlocation"})


def any_source(grant: Grant) -> bool:
    """Return whether a statement allows an AWS service for any customer: no condition restricts the source.

    What goes below ``AWSLogs/`` and an account's number is that account's by the path.
    """
    services = [one for one in grant.principals if one.kind == "Service" and one.pattern.open is None]
    stated = one_of(narrows(one) for one in grant.conditions)
    if not services or stated is not False or grant.but_principals:
        return False
    own = [re.search(r"/AWSLogs/([0-9]{12}|\$\{)", one.text) for one in grant.resources]
    little = not grant.but_actions and all(one.text in _TELLS_LITTLE for one in grant.actions)
    return not little and not (own and all(own))


def anybody(grant: Grant) -> Answer:
    """Return whether a statement allows any principal, if it is there."""
    who, place = everybody(grant)
    narrowed = one_of(narrows(one) for one in grant.conditions)
    if who is False or narrowed:
        return no(grant.place)
    if who is None:
        open_one = next((one.pattern.open for one in grant.principals if one.pattern.open is not None), None)
        return unknown(open_one or Unknown("the statement names no principal", grant.place))
    if narrowed is None:
        return unknown(open_condition(grant))
    to = " to invoke it" if grant.source == PERMISSION else ""
    return yes(place, f"{grant.about} allows any principal{to}")


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
    opened = [MARK.sub("", one.pattern.text) for one in grant.principals if one.pattern.open is not None]
    if not grant.principals or not all(text.strip("*") for text in opened):
        return None, grant.place
    return False, grant.place


def denies_the_rest(parts: Sequence[Gathered], resource: Resource, stack: Stack) -> bool:
    """Return whether statements deny all but some callers what others allow, whatever else may admit a caller."""
    found = grants(named(parts, "policy"), resource, stack)
    guards = [grant for grant in found if _keeps_strangers_out(grant)]
    return all(any(_about_the_same(guard, grant) for guard in guards) for grant in allowing(found))


def _keeps_strangers_out(grant: Grant) -> bool:
    """Return whether a statement denies all but some accounts, an organization, sources or networks."""
    return (
        grant.effect == "Deny"
        and grant.open is None
        and everybody(grant)[0] is True
        and not grant.but_principals
        and bool(grant.conditions)
        and all(narrows(one, NEGATIVE) is True for one in grant.conditions)
    )


def _about_the_same(guard: Grant, grant: Grant) -> bool:
    """Whether a statement surely is about all that another one is about."""
    actions = not guard.but_actions and all(
        one.open is None and guard.covers(one.text) is True for one in grant.actions if not grant.but_actions
    )
    if grant.but_actions:
        actions = any(one.text == "*" for one in guard.actions) and not guard.but_actions
    texts = {_whole_api(one.text) for one in guard.resources if one.open is None}
    meant = {_whole_api(one.text) for one in grant.resources}
    return actions and not guard.but_resources and ("*" in texts or meant <= texts)


def _whole_api(text: str) -> str:
    """The resource of a statement in one spelling: stage, method and path of an API are three stars or one."""
    return re.sub(r"(execute-api:.*?)(?:/\*)+\Z", r"\1/*", text)


def set_value(node: Node | None) -> Node | None:
    """A property, where it is set: a plan has null for what is not."""
    return None if isinstance(node, Scalar) and node.value in {None, ""} else node


# --- directly, or through a function's URL


@analysis("policy", "permission", "url")
def anyone_invokes(parts: Sequence[Gathered], resource: Resource, stack: Stack) -> Outcome:
    """Whether a statement lets any principal invoke a function, other than through a URL that asks for nothing.

    Such a URL needs these statements, and is a separate api: they are no alarm, and no proof.  Without the URL they
    stand for one of another file.
    """
    letting = named(parts, "policy", "permission")
    public = [part for part in named(parts, "url") if text(get(part.node, "AuthType")) == "NONE"]
    if not letting:
        return None
    if all(doubt_of(part.resource, resource) for part in public):  # or there is none
        return public_statement(letting, resource, stack)
    direct = [part for part in letting if part.part != "permission" or not _is_of_the_url(part.node)]
    asked = public_statements(direct, resource, stack, lambda one: not any(map(_asks_for_it, one.conditions)))
    found = some(asked, parts=letting)
    whole_one = public_statement(letting, resource, stack)
    if isinstance(found, Answered) and isinstance(whole_one, Answered) and whole_one.value and not found.value:
        why = "the policy lets any principal in, but only through the public function URL"
        return Unanswered(why, whole_one.places[0])
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


def _sources_named(parts: Sequence[Gathered], resource: Resource, stack: Stack, *, owned: bool = False) -> Outcome:
    """Whether each statement for a service names a source ARN, and a source account where the ARN has none.

    `owned`: naming the source's account is enough.
    """
    return every(_of_services(parts, resource, stack, owned=owned))


rows("policy", "permission")({
    "sources-pinned": _sources_named,
    "sources-owned": partial(_sources_named, owned=True),
})  # fmt: skip


def _of_services(parts: Sequence[Gathered], resource: Resource, stack: Stack, *, owned: bool) -> Iterator[Answer]:
    for grant in allowing(grants(named(parts, "policy", "permission"), resource, stack)):
        by_source = any(one.key == "aws:sourcearn" and limits(one) for one in grant.conditions)
        kinds = {"Service", "", "*"} if by_source else {"Service", ""}  # without a source, anyone may call
        services = [one for one in grant.principals if one.kind in kinds]
        if grant.open is not None and not grant.actions:
            yield unknown(grant.open)
        elif services:
            yield from map(grant.says, _service_pinned(grant, services[0].pattern, stack, owned=owned))


def _service_pinned(grant: Grant, who: Pattern, stack: Stack, *, owned: bool) -> Sequence[Answer]:
    """Whether a statement for a service is for known sources; not known where a condition may be left out for that."""
    if who.open is not None:
        return (unknown(who.open),)
    surely = [one for one in grant.conditions if one.open is None or one.open.given]
    sure, perhaps = (_pinned(ones, who, stack, owned=owned) for ones in (surely, grant.conditions))
    return sure if every(sure) == every(perhaps) else (unknown(open_condition(grant)),)


def _pinned(conditions: Sequence[ConditionKey], who: Pattern, stack: Stack, *, owned: bool) -> Sequence[Answer]:
    sources, accounts, tokens = (
        [one for one in conditions if one.key == key and limits(one)]
        for key in ("aws:sourcearn", "aws:sourceaccount", "lambda:eventsourcetoken")
    )
    known = (all(one.open is None and not set(one.text) & set("*?") for one in each.values) for each in accounts)
    if tokens or (owned and any(known)):
        return (yes(who.place),)
    hidden = next((one for one in conditions if not one.key), None)
    if sources:
        return [_pins(one, stack, has_account=bool(accounts)) for one in sources[0].values]
    if hidden is not None:
        return (unknown(hidden.open or Unknown("the condition cannot be read", hidden.place)),)
    may = "every source of the account" if accounts else "any source account"
    return (no(who.place, f"the service may act for {may}"),)


def _pins(source: Pattern, stack: Stack, *, has_account: bool) -> Answer:
    """Return whether a source ARN names a source with a known account, in the ARN or separately."""
    if source.links:
        targets = [stack.resources[link.resource] for link in source.links if link.resource in stack.resources]
        bucket = next((one for one in targets if one.type == "AWS::S3::Bucket"), None)
        if has_account or bucket is None:
            return yes(source.place)
        return doubted(no(source.place, _NO_ACCOUNT), bucket.doubt)
    if source.open is not None and len(arn_parts(source.text)) < 6:  # noqa: PLR2004 - an ARN's parts
        return unknown(source.open)
    parts = arn_parts(source.text)
    every_one = whole(source, parts[2] if len(parts) > 2 else "")  # noqa: PLR2004 - the service in an ARN
    if every_one:
        return no(source.place, "any source is allowed")
    account = account_of(source)
    if not has_account and not account.strip("*?"):
        return no(source.place, _NO_ACCOUNT)
    if every_one is None and source.open is not None:
        return unknown(source.open)
    return yes(source.place)


_NO_ACCOUNT = "the source ARN has no account, and no source account is named"
