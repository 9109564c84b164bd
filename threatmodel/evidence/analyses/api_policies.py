"""Whether the resource policy of a REST API admits only some callers.

https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-resource-policies.html
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from threatmodel.evidence.analyses.definitions import asked_by_methods
from threatmodel.evidence.analyses.properties import read, worded
from threatmodel.evidence.analyses.registry import analysis
from threatmodel.evidence.analyses.sharing import denies_the_rest, public_statement
from threatmodel.evidence.answers import (
    Answer,
    Answered,
    Gathered,
    Outcome,
    Unanswered,
    judged,
    named,
    open_at,
    opposite,
    said,
    some,
    unless_unread,
)
from threatmodel.evidence.policies.grants import Grant, grants
from threatmodel.evidence.policies.written import parsed
from threatmodel.reading.problems import quoted
from threatmodel.stacks.stack import Resource, Stack
from threatmodel.stacks.values import Unknown, leaves, text

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
