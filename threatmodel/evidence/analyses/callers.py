"""What an API leaves to its callers: an account, the object that a service returns, a cached decision.

https://docs.aws.amazon.com/cognito/latest/developerguide/user-pool-settings-admin-create-user-policy.html and
https://docs.aws.amazon.com/apigateway/latest/developerguide/integrating-api-with-aws-services-s3.html
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence

from threatmodel.evidence.analyses.properties import (
    flag,
    number,
    read,
    worded,
)
from threatmodel.evidence.analyses.registry import analysis
from threatmodel.evidence.answers import (
    Answer,
    Answered,
    Gathered,
    Outcome,
    Unanswered,
    doubt_of,
    doubted,
    every,
    judged,
    named,
    no,
    one_of,
    open_at,
    opposite,
    said,
    some,
    unknown,
    unless_unread,
    yes,
)
from threatmodel.evidence.policies.grants import MARK, pattern
from threatmodel.evidence.policies.written import parsed
from threatmodel.reading.problems import Place
from threatmodel.stacks.openapi import authorizers, operations
from threatmodel.stacks.stack import Resource, Stack, follows
from threatmodel.stacks.values import Node, Unknown, entries, leaves

# --- who may make an account

_ELSEWHERE = "its definition is in another file"
_LETS_SIGN_UP = "anyone can sign up unless the pool allows only administrators to create users"


@analysis("authorizer", "body", "elsewhere")
def self_sign_up(parts: Sequence[Gathered], resource: Resource, stack: Stack) -> Outcome:
    """Return whether a pool whose tokens the API accepts allows self-registration, which is Cognito's default.

    A function before the sign-up may reject it, so that this is then not known.
    """
    says: list[Answer] = []
    for part in named(parts, "authorizer"):
        found = [unknown(part.hidden)] if part.hidden else _signs_up(part.node, part.resource.place, stack)
        says += [doubted(one, doubt_of(part.resource, resource)) for one in found]
    for part in named(parts, "body"):
        for one in authorizers(parsed(part.node)):
            says += _signs_up(one.settings, one.place, stack)
    says += [Unanswered(_ELSEWHERE, part.node.place) for part in named(parts, "elsewhere")]
    return unless_unread(some(says, _LETS_SIGN_UP), stack, [False])


def _signs_up(settings: Node, place: Place, stack: Stack) -> Sequence[Answer]:
    """What the pools of one authorizer say; nothing of an authorizer that asks a function."""
    kind = worded(read(settings, "Type|AuthorizerType")) or ""
    issuers = [
        read(settings, "ProviderARNs|providerARNs"),
        read(settings, "JwtConfiguration|jwtConfiguration", "Issuer|issuer"),
    ]
    stated = [node for node in issuers if node is not None]
    if not stated:
        asks = kind.lower() in {"token", "request"}
        return () if asks else (Unanswered("it is unknown whose tokens it accepts", place),)
    pools = [pool for node in stated for pool in follows(node, stack) if pool.type == "AWS::Cognito::UserPool"]
    if not pools:
        why = "the issuer of its tokens is not in this file, so it is unknown who may sign up"
        return (Unanswered(why, stated[0].place),)
    return [doubted(_open(pool), pool.doubt) for pool in pools]


def _open(pool: Resource) -> Answer:
    if pool.opaque is not None:
        return open_at(pool.opaque)
    only = read(pool.properties, "AdminCreateUserConfig", "AllowAdminCreateUserOnly")
    closed = flag(only, left_out=False)
    place = (only or pool).place
    before = read(pool.properties, "LambdaConfig", "PreSignUp")
    if closed is False and before is not None:
        return Unanswered("a function decides who may sign up", before.place)
    return said(opposite(closed), place, open_at(only or pool.properties).why)


# --- what a caller names

_HOLE = re.compile(r"(?<!\$)\{(\w+)\+?\}")
_ONE_ITEM = frozenset(("getitem", "query", "updateitem", "deleteitem"))
_OF_CALLER = re.compile(r"\$input\b|method\.request\.|\$request\.")
_WHOSE = re.compile(r"\$context\.authorizer\b|context\.authorizer\.")
_TARGETS = ("QueueUrl", "StreamName", "StateMachineArn", "EventBusName", "Source")


@analysis("method", "integration", "body", "elsewhere")
def callers_name_objects(parts: Sequence[Gathered], resource: Resource, stack: Stack) -> Outcome:
    """Whether an integration with a service goes to the bucket, object, queue or item that a request names.

    Where the authorizer's answer is part of what it asks for, callers may be held to what is theirs: not known.
    """
    says = of_integrations(parts, resource, _named)
    return unless_unread(some(says, "the request names the object that the service reads or writes"), stack, [False])


def of_integrations(
    parts: Sequence[Gathered], resource: Resource, judge: Callable[[Node, Place], Answer]
) -> Iterator[Answer]:
    """What the settings of each integration of an API say."""
    yield from judged(
        named(parts, "method", "integration"),
        resource,
        lambda part: judge(read(part.node, "Integration") or part.node, part.resource.place),
    )
    for part in named(parts, "body"):
        routes = operations(parsed(part.node))
        yield from (judge(one.integration, one.place) for one in routes if one.integration is not None)
    yield from (Unanswered(_ELSEWHERE, part.node.place) for part in named(parts, "elsewhere"))


@analysis("method")
def objects_bound_to_caller(parts: Sequence[Gathered], resource: Resource, stack: Stack) -> Outcome:
    """That callers are not held to what is theirs; that they are, no file shows.

    It cannot be restricted if a method has no authentication, or only requires a token: a user pool knows no objects,
    and a function that gets the token sees no more of the request than its path.
    """
    for part in named(parts, "method"):
        settings = read(part.node, "Integration")
        if part.hidden is None and doubt_of(part.resource, resource) is None and settings is not None:
            chosen = [node for node in leaves(settings) if _chosen(node)]
            held = any(_WHOSE.search(pattern(node).text) for node in leaves(settings) if not isinstance(node, Unknown))
            names_it = _named(settings, part.resource.place)
            by_caller = isinstance(names_it, Answered) and names_it.value
            if by_caller and not held and _sees_no_object(part.node, chosen, stack):
                return no(part.resource.place, "the request names it, and nothing checks its owner before the service")
    return None


def _sees_no_object(method: Node, chosen: Sequence[Node], stack: Stack) -> bool:
    """Whether what a method asks of its callers cannot look at the values that the request chooses."""
    asked = read(method, "AuthorizationType")
    word = "NONE" if asked is None else worded(asked)
    if word != "CUSTOM":
        return word in {"NONE", "COGNITO_USER_POOLS", "JWT"}
    who = stack.target(read(method, "AuthorizerId"))
    by_token = who is not None and worded(read(who.properties, "Type")) == "TOKEN"
    return by_token and not any("request.path." in pattern(node).text for node in chosen)


def _named(settings: Node, place: Place) -> Answer:
    """Whether one integration goes where its caller says."""
    if isinstance(settings, Unknown):
        return open_at(settings)
    address = read(settings, "Uri|uri|IntegrationUri")
    parameters = read(settings, "RequestParameters|requestParameters")
    subtype = read(settings, "IntegrationSubtype|integrationSubtype")
    if isinstance(subtype, Unknown):
        return open_at(subtype)
    if subtype is not None:
        return said(one_of(_chosen(read(parameters, name)) for name in _TARGETS), place)
    if isinstance(address, Unknown):
        return open_at(address)
    stated = MARK.sub("", pattern(address).text) if address is not None else ""
    if address is None or ":lambda:path/" in stated or stated.startswith(("http:", "https:")):
        return no(place)
    if isinstance(parameters, Unknown):
        return open_at(parameters)
    holes = _HOLE.findall(stated.partition(":path/")[2])
    filling = [entries(parameters).get(f"integration.request.path.{hole}") for hole in holes]
    paths = [None if node is None else _chosen(node) for node in filling]  # unknown where no mapping can be read
    return said(one_of([*paths, _item(settings, stated)]), place, "it is unknown what its path contains")


def _item(settings: Node, address: str) -> bool | None:
    """Whether the text that is sent to a database asks for what its caller names."""
    action = address.partition("dynamodb:action/")[2].lower()
    if action not in _ONE_ITEM:
        return False
    return one_of([_chosen(node) for node in leaves(read(settings, "RequestTemplates|requestTemplates"))])


def _chosen(node: Node | None) -> bool | None:
    """Whether a value is taken from the request, and not held to who asks."""
    if node is None:
        return False
    said = pattern(node)
    stated = MARK.sub("", said.text)
    if _WHOSE.search(stated):
        return None
    return True if _OF_CALLER.search(stated) else None if said.open else False


# --- what is cached of an authorizer's decisions
_ASKS = frozenset({"token", "request"})
"""Types of authorizers that ask a function."""


@analysis("authorizer", "body", "elsewhere")
def decisions_not_cached(parts: Sequence[Gathered], resource: Resource, stack: Stack) -> Outcome:
    """Whether each Lambda authorizer caches nothing; what a cached decision depends on is in code, and unknown."""
    says: list[Answer] = []
    for part in named(parts, "authorizer"):
        found = [unknown(part.hidden)] if part.hidden else _caches(part.node, part.resource.place)
        says += [doubted(one, doubt_of(part.resource, resource)) for one in found]
    for part in named(parts, "body"):
        says += [say for one in authorizers(parsed(part.node)) for say in _caches(one.settings, one.place)]
    elsewhere = "the definition is in another file, so its authorizers are unknown"
    says += [Unanswered(elsewhere, part.node.place) for part in named(parts, "elsewhere")]
    return unless_unread(every(says), stack, [True])


def _caches(settings: Node, place: Place) -> Iterator[Answer]:
    kind = read(settings, "Type|AuthorizerType|type")
    if (worded(kind) or "").lower() not in _ASKS:
        if kind is not None and worded(kind) is None:
            yield open_at(kind)
        return
    node = read(settings, "AuthorizerResultTtlInSeconds|authorizerResultTtlInSeconds")
    seconds = number(node)
    if node is not None and seconds is None:
        yield open_at(node)
    elif seconds == 0:
        yield yes((node or settings).place)
    else:
        kept = "AWS's default time" if seconds is None else f"{seconds} seconds"
        why = f"its authorizer's results are cached for {kept}; what they depend on is in the authorizer's code"
        yield Unanswered(why, node.place if node is not None else place)
