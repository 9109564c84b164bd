"""What the OpenAPI definition of an API asks of callers, with the methods or routes that are declared beside it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from threatmodel.evidence.analyses.properties import document, named, read
from threatmodel.evidence.analyses.registry import analysis
from threatmodel.evidence.answers import Answered, Gathered, Outcome, Unanswered
from threatmodel.reading.problems import Place
from threatmodel.stacks.sam.openapi import operations
from threatmodel.stacks.stack import Resource, Stack
from threatmodel.stacks.values import Node, Unknown, text, unknowns

_WORDS = {"NONE": "none", "AWS_IAM": "iam", "CUSTOM": "lambda-authorizer", "COGNITO_USER_POOLS": "jwt", "JWT": "jwt"}
_BESIDE = ("AWS::ApiGateway::Method", "AWS::ApiGatewayV2::Route")
"""What declares routes beside a definition."""


@analysis("body", answers=("none", "iam", "lambda-authorizer", "jwt"))
def weakest_authentication(parts: Sequence[Gathered], resource: Resource, stack: Stack) -> Outcome:
    """What the least guarded route asks of its callers, of the definition and of what is declared beside it."""
    asked = [one for part in named(parts, "body") for one in _defined(part.node)]
    asked += list(_beside(resource, stack))
    for word, place in asked:
        if word == "none":
            return Answered("none", (place,), "a route asks nothing of its callers")
    if not asked:
        return None
    first, place = asked[0]
    other = next((at for word, at in asked if word != first), None)
    if not first or other is not None:
        return Unanswered("its routes ask for different things, or one cannot be read", other or place)
    return Answered(first, (place,), "")


def _defined(body: Node) -> Iterator[tuple[str, Place]]:
    """What each operation of a definition asks for ('' where that cannot be read); preflights ask nobody."""
    found = list(operations(document(body) or body))
    if not found:
        yield "", body.place
    hidden = next(unknowns(body), None)  # it may be what guards a route
    for one in found:
        if one.method != "OPTIONS":
            word = "none" if one.auth is None else _WORDS.get(text(one.auth) or "", "")
            yield (word, one.place) if hidden is None or word != "none" else ("", hidden.place)


def _beside(resource: Resource, stack: Stack) -> Iterator[tuple[str, Place]]:
    """What each method or route that is declared beside the definition asks for."""
    for one in stack.of_type(*_BESIDE):
        api = read(one.properties, "RestApiId|ApiId")
        if isinstance(api, Unknown):
            yield "", api.place
        elif stack.target(api) is resource:
            asked = read(one.properties, "AuthorizationType")
            yield ("none" if asked is None else _WORDS.get(text(asked) or "", "")), one.place
