"""What an API asks of callers: its OpenAPI definition, the methods or routes that are declared beside it, its policy.

https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-resource-policies.html
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from threatmodel.evidence.analyses.properties import (
    document,
    each,
    read,
    worded,
)
from threatmodel.evidence.analyses.registry import analysis
from threatmodel.evidence.analyses.sharing import denies_the_rest, public_statement
from threatmodel.evidence.analyses.stages import served_otherwise
from threatmodel.evidence.answers import (
    Answer,
    Answered,
    Gathered,
    Outcome,
    Unanswered,
    all_of,
    doubt_of,
    judged,
    named,
    open_at,
    opposite,
    said,
    some,
    unknown,
    unless_unread,
    worst,
)
from threatmodel.evidence.policies.grants import Grant, grants
from threatmodel.evidence.policies.written import parsed
from threatmodel.reading.problems import quoted
from threatmodel.stacks.openapi import operations
from threatmodel.stacks.stack import Resource, Stack
from threatmodel.stacks.values import List, Node, Table, Unknown, entries, get, leaves, text, unknowns

_WORDS = {"NONE": "none", "AWS_IAM": "iam", "CUSTOM": "lambda-authorizer", "COGNITO_USER_POOLS": "jwt", "JWT": "jwt"}
_LEAVES = ("lambda-authorizer", "jwt", "iam")
"""What a route may ask, by how much it leaves to get wrong: one word stands for routes of which each asks its own."""
_NOT_SHOWN = "it is unknown how a route authenticates its callers"


@analysis(
    *("body", "elsewhere", "method", "route", "quick", "stage", "deployment", "override", "authorizer"),
    answers=("none", "iam", "lambda-authorizer", "jwt"),
)
def weakest_authentication(parts: Sequence[Gathered], resource: Resource, stack: Stack) -> Outcome:
    """What the least guarded route asks of its callers, of a definition and of all that is declared beside it.

    Where all ask who comes and not for the same, it is the word of the one that leaves most to get wrong.
    A WebSocket API asks once, when a connection is opened.  What a Lambda authorizer accepts is not seen.
    """
    asked = asked_by_methods(parts, resource)
    asked += [Unanswered("its definition is in another file", part.node.place) for part in named(parts, "elsewhere")]
    asked += _routes(parts, resource)
    quick = [part.node for part in named(parts, "quick")]  # the route that an API makes for its target: it asks nothing
    asked += [unknown(one) if isinstance(one, Unknown) else Answered("none", (one.place,)) for one in quick]
    asked += map(unknown, served_otherwise(parts, stack))
    outcome = worst(asked, ("none", *_LEAVES))
    if not isinstance(outcome, Answered):
        return outcome
    if outcome.value == "none":
        return outcome._replace(note="a route does not authenticate its callers")
    if outcome.value == "lambda-authorizer":
        return Unanswered("whether the authorizer rejects a caller is in its code", outcome.places[0], stands=outcome)
    by_token = any(isinstance(one, Answered) and one.value == "jwt" for one in asked)
    loose = next(_loose(parts), None) if by_token else None
    return unless_unread(outcome, stack, _LEAVES) if loose is None else unknown(loose)


def asked_by_methods(parts: Sequence[Gathered], resource: Resource) -> list[Answer]:
    """Return what each method of an API, in its definition or declared beside it, asks of its callers."""
    defined = [one for part in named(parts, "body") for one in _defined(part.node)]
    methods = [part for part in named(parts, "method") if _is_preflight(part.node) is not True]
    return defined + [_declared(part, resource) for part in methods]


_FOR_ANYBODY = re.compile(r"https://(?:token\.actions\.githubusercontent\.com|gitlab\.com|accounts\.google\.com)/?\Z")
"""Issuers that give anyone with an account there a token for any audience: a job's identity token
(docs.github.com: "openid-connect-reference"; docs.gitlab.com: "id_token_authentication"), or a service account's
(cloud.google.com: "get-id-token").
"""


def _loose(parts: Sequence[Gathered]) -> Iterator[Unknown]:
    """Return the JWT authorizers of an API that accept tokens issued to anyone."""
    declared = [read(part.node, "JwtConfiguration|jwtConfiguration") for part in named(parts, "authorizer")]
    for body in named(parts, "body"):
        schemes = read(document(body.node), "components", "securitySchemes")
        asking = (get(one, "x-amazon-apigateway-authorizer") for one in entries(schemes).values())
        declared += [read(one, "jwtConfiguration") for one in asking]
    for one in declared:
        yield from accepting_anyone(one)


def accepting_anyone(tokens: Node | None) -> Iterator[Unknown]:
    """Yield why a JWT authorizer, by its configuration, accepts tokens that are issued to anyone."""
    if not isinstance(tokens, Table | List):
        return
    if not each(read(tokens, "Audience|audience")):
        yield Unknown(
            "its authorizer checks no audience, so a token for another application may be accepted", tokens.place
        )
    issuer = read(tokens, "Issuer|issuer")
    if _FOR_ANYBODY.match(worded(issuer) or ""):
        yield Unknown("its issuer issues tokens for any audience to anyone", (issuer or tokens).place)


def _defined(body: Node) -> Iterator[Answer]:
    """Return what each operation of a definition requires; preflights answered by API Gateway require nothing."""
    found = list(operations(document(body) or body))
    if not found:
        yield Unanswered("no route of its definition can be read", body.place)
    hidden = next(unknowns(body), None)  # it may be what guards a route
    for one in found:
        if one.method == "OPTIONS" and _answers_itself(one.integration):
            continue
        word = "none" if one.auth is None else _WORDS.get(text(one.auth) or "", "")
        if hidden is not None and word in {"none", ""}:
            yield unknown(hidden)
        else:
            yield Answered(word, (one.place,)) if word else Unanswered(_NOT_SHOWN, one.place)


def _answers_itself(integration: Node | None) -> bool | None:
    """Return whether a route has no target."""
    kind = read(integration, "type|Type") if isinstance(integration, Table) else integration
    if kind is None:
        return True
    stated = worded(kind)
    return None if stated is None else stated.lower() == "mock"


def _is_preflight(method: Node) -> bool | None:
    """Whether a method is a browser's question that API Gateway answers itself."""
    verb = read(method, "HttpMethod")
    stated = worded(verb)
    asks = None if stated is None and verb is not None else stated == "OPTIONS"
    return all_of((asks, _answers_itself(read(method, "Integration"))))


def _declared(part: Gathered, api: Resource) -> Answer:
    """What a method or route asks; whether one asks nothing that is there by a condition only, is not known."""
    asked = read(part.node, "AuthorizationType")
    if isinstance(part.node, Unknown) or part.resource.opaque is not None:
        return Unanswered(open_at(part.resource.opaque or part.node).why, part.resource.place)
    word = "none" if asked is None else _WORDS.get(worded(asked) or "", "")
    doubt = doubt_of(part.resource, api)
    if doubt is not None and word == "none":
        return unknown(doubt)
    if word == "none" and _is_preflight(part.node) is None:
        return Unanswered("it is unknown whether it is only a preflight response", part.resource.place)
    at = (asked or part.resource).place
    why = asked.why if isinstance(asked, Unknown) else _NOT_SHOWN
    return Answered(word, (at,)) if word else Unanswered(why, at)


def _routes(parts: Sequence[Gathered], resource: Resource) -> Sequence[Answer]:
    """What the routes ask: of a WebSocket API that of a new connection."""
    every: Sequence[Gathered] = named(parts, "route")
    protocol = read(resource.properties, "ProtocolType")
    if isinstance(protocol, Unknown) or resource.opaque is not None:
        return [open_at(protocol or resource.opaque or resource.properties)] if every else []
    if resource.type == "AWS::Serverless::WebSocketApi" or worded(protocol) == "WEBSOCKET":
        keys = [read(part.node, "RouteKey") for part in every]
        opens = [part for part, key in zip(every, keys, strict=True) if worded(key) == "$connect"]
        hidden_key = next((key for key in keys if isinstance(key, Unknown)), None)
        if not opens and hidden_key is not None:
            return [unknown(hidden_key)]
        every = opens or every
    return [_declared(part, resource) for part in every]


# --- resource policies of REST APIs
_ELSEWHERE = "its definition is in another file, and may contain a resource policy"
_ADMITTED = "its Lambda authorizer may admit callers that its policy does not deny"
_PRIVATE = "it is private, and a policy that no file here contains decides who may call it"


@analysis("endpoint", "policy", "body", "elsewhere", "method")
def callers_restricted(parts: Sequence[Gathered], resource: Resource, stack: Stack) -> Outcome:
    """Whether no statement of its policy admits callers from anywhere; an API without a policy admits all.

    What a Lambda authorizer allows needs no statement: only a denial binds its callers.
    """
    policies = tuple(_policies(parts))
    if not policies:
        return _without(parts)
    found = public_statement(policies, resource, stack)
    if isinstance(found, Answered):
        found = found._replace(value=opposite(found.value))
        every = grants(policies, resource, stack)
        unread = next(filter(_is_open, every), None)
        if not found.value and unread is not None and any(one.effect != "Allow" for one in every):
            return Unanswered("it is unknown which callers its policy denies", unread.place, stands=found)
        by_code = (
            one for one in asked_by_methods(parts, resource) if isinstance(one, Answered) and one.value == _BY_CODE
        )
        admits = next(by_code, None)
        if found.value and admits is not None and not denies_the_rest(policies, resource, stack):
            return Unanswered(_ADMITTED, admits.places[0])
    return unless_unread(found, stack, [True])


_BY_CODE = "lambda-authorizer"


def _is_open(grant: Grant) -> bool:
    """Whether something about a statement is unknown."""
    values = [value for one in grant.conditions for value in one.values]
    named = [*grant.actions, *grant.resources, *(one.pattern for one in grant.principals), *values]
    unread = [grant.open, *(one.open for one in named), *(one.open for one in grant.conditions)]
    return any(one is not None for one in unread)


def _policies(parts: Sequence[Gathered]) -> Iterator[Gathered]:
    """The policy of an API, in its properties and in its definition."""
    yield from named(parts, "policy")
    for part in named(parts, "body"):
        body = parsed(part.node)
        node = body if isinstance(body, Unknown) else read(body, "x-amazon-apigateway-policy")
        if node is not None:
            yield Gathered("policy", node, part.resource)


@analysis("endpoint")
def private_endpoint(parts: Sequence[Gathered], resource: Resource, stack: Stack) -> Outcome:
    """Whether only VPC endpoints reach it; what is public in these files may pass requests on to such an endpoint."""
    found = some(judged(named(parts, "endpoint"), resource, _private))
    if isinstance(found, Answered) and found.value:
        for one in stack.of_type(*_PUBLIC):
            if worded(read(one.properties, "Scheme")) != "internal":
                return Unanswered(f"{quoted(one.name)} may pass requests of the internet on to it", one.place)
    return unless_unread(found, stack, [True])


_PUBLIC = ("AWS::ElasticLoadBalancingV2::LoadBalancer", "AWS::CloudFront::VpcOrigin")


def _private(part: Gathered) -> Answer:
    kinds = tuple(leaves(read(part.node, "Types|Type") or part.node))
    hidden = next((one for one in kinds if text(one) is None), None)
    private = any(text(one) == "PRIVATE" for one in kinds)
    return open_at(hidden) if hidden is not None else said(private, part.node.place)


def _without(parts: Sequence[Gathered]) -> Outcome:
    if elsewhere := named(parts, "elsewhere"):
        return Unanswered(_ELSEWHERE, elsewhere[0].node.place)
    for part in named(parts, "endpoint"):
        if any(isinstance(one, Unknown) or text(one) == "PRIVATE" for one in leaves(part.node)):
            return Unanswered(_PRIVATE, part.node.place)
    return None
