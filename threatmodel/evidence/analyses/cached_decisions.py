"""Whether API Gateway caches what Lambda authorizers decide: their time to live in seconds."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from threatmodel.evidence.analyses.properties import number, read, worded
from threatmodel.evidence.analyses.registry import analysis
from threatmodel.evidence.answers import (
    Answer,
    Gathered,
    Outcome,
    Unanswered,
    doubt_of,
    doubted,
    every,
    named,
    open_at,
    unknown,
    unless_unread,
    yes,
)
from threatmodel.evidence.policies.written import parsed
from threatmodel.reading.problems import Place
from threatmodel.stacks.openapi import authorizers
from threatmodel.stacks.stack import Resource, Stack
from threatmodel.stacks.values import Node

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
