"""How many requests a second an API allows: by its stages, and by the separate limits of methods and routes."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from threatmodel.evidence.analyses.properties import each, read, worded
from threatmodel.evidence.analyses.registry import analysis
from threatmodel.evidence.analyses.stages import Stage, stages
from threatmodel.evidence.answers import (
    Answer,
    Answered,
    Gathered,
    Outcome,
    Unanswered,
    doubt_of,
    named,
    open_at,
    unknown,
    unless_unread,
    worst,
)
from threatmodel.reading.problems import Place
from threatmodel.reading.shape import Number
from threatmodel.stacks.stack import Resource, Stack
from threatmodel.stacks.values import Node, Scalar, Table, Unknown, by_defaults, text

_MOST = 1_000_000
"""Requests a second; a greater number is no limit that AWS would take."""
_OWN_SETTINGS = "a method or route has separate settings, and it is unknown whether the stage's limit applies to it"
_V2 = frozenset((
    *("AWS::ApiGatewayV2::Api", "AWS::Serverless::HttpApi", "AWS::Serverless::WebSocketApi"),
))  # fmt: skip


class _Setting(NamedTuple):
    """What is set for every method (`whole`, None where that is not known) or for one: the node with its limit."""

    whole: bool | None
    limit: Node | None
    place: Place


_SECOND = "SAM also deploys a stage named Stage, which has no limit (set OpenApiVersion)"


@analysis("stage", "deployment", "override", "plan", answers=Number)
def greatest_rate(parts: Sequence[Gathered], resource: Resource, stack: Stack) -> Outcome:
    """The rate of the least limited method or route; null, the account's limit, is the greatest.

    A usage plan limits each API key, of any number: a note names it, and it is no limit of the API.
    """
    rates = [rate for stage in stages(parts) for rate in _of_stage(stage, resource)]
    limits = {one.value for one in rates if isinstance(one, Answered)} - {None}
    outcome = worst(rates, (None, *sorted(limits, reverse=True)))
    if isinstance(outcome, Answered) and outcome.value is None:
        return outcome._replace(note="; ".join(filter(None, (outcome.note, *_per_key(parts)))))
    return unless_unread(outcome, stack, tuple(limits))


def _per_key(parts: Sequence[Gathered]) -> Iterator[str]:
    """What usage plans limit."""
    for part in named(parts, "plan"):
        rate = read(part.node, "Throttle", "RateLimit")
        if part.hidden is None and rate is not None and text(read(part.node, "CreateUsagePlan")) != "NONE":
            number = f"{rate.value} requests a second" if isinstance(rate, Scalar) and not rate.given else "some rate"
            by_sam = "UsagePlan" if part.resource.type == "AWS::Serverless::Api" else ""  # as SAM calls its own
            yield f"the usage plan {part.resource.name}{by_sam} limits each API key to {number}, not the API"


def _of_stage(stage: Stage, resource: Resource) -> Iterator[Answer]:
    part, hidden = stage.part, stage.hidden
    if part.part == "override" and hidden is not None:
        yield unknown(hidden)
        return
    doubt = doubt_of(part.resource, resource)
    settings = [] if isinstance(part.node, Unknown) else list(_settings(part, resource))
    second = part.part == "deployment" and resource.type == "AWS::Serverless::Api"
    rates = list(_rates(settings, part.resource.place, _SECOND if second else ""))
    if doubt is not None:
        yield from (one if isinstance(one, Unanswered) else unknown(doubt) for one in rates)
    elif hidden is not None:
        yield unknown(hidden)
        yield from (one for one in rates if isinstance(one, Unanswered) or one.value is not None)
    else:
        yield from rates


def _settings(part: Gathered, resource: Resource) -> Iterator[_Setting]:
    """What a stage sets for all methods or routes, and for single ones."""
    node = part.node
    if resource.type in _V2:
        default = read(node, "DefaultRouteSettings")
        if default is not None:
            yield _setting(default, whole=True)
        routes = read(node, "RouteSettings")
        for one in routes.entries.values() if isinstance(routes, Table) else each(routes):
            yield _setting(one, whole=False)
    else:
        if part.part == "deployment":
            node = read(node, "StageDescription") or node
            yield _setting(node, whole=True)
        for one in each(read(node, "MethodSettings")):
            both = _told(read(one, "ResourcePath"), "/*"), _told(read(one, "HttpMethod"), "*")
            yield _setting(one, whole=False if False in both else None if None in both else True)


def _setting(node: Node, *, whole: bool | None) -> _Setting:
    return _Setting(whole, read(node, "ThrottlingRateLimit"), node.place)


def _told(node: Node | None, wanted: str) -> bool | None:
    stated = None if getattr(node, "given", ()) else worded(node)
    return stated == wanted if stated is not None or node is None else None


def _rates(settings: Sequence[_Setting], stage: Place, unlimited: str) -> Iterator[Answer]:
    limited = [one for one in settings if one.limit is not None]
    yield from (_rate(one.limit) for one in limited if one.limit is not None)
    if not any(one.whole for one in limited):
        maybe = next((one for one in limited if one.whole is None), None)
        why = "it is unknown whether the limit applies to every method"
        yield Answered(None, (stage,), unlimited) if maybe is None else Unanswered(why, stage)
    for one in settings:
        if one.limit is None and not one.whole:
            yield Unanswered(_OWN_SETTINGS, one.place)


def _rate(node: Node) -> Answer:
    """Return the limit; -1 is none, and a part of a request counts as one."""
    raw = node.value if isinstance(node, Scalar) and not isinstance(node.value, bool) else None
    try:
        number = math.ceil(float(raw)) if raw is not None else None
    except (ValueError, OverflowError):
        number = None
    if number is None or not -1 <= number <= _MOST:
        return open_at(node)
    return Answered(None if number == -1 else number, (node.place,), by_defaults(node))
