"""What holds of an api only where it holds of every stage: those declared, and those that a deployment makes.

A deployment with a StageName creates its own stage, with the settings of its StageDescription alone.  SAM's
deployment does so wherever the api sets no OpenApiVersion: beside the author's stage there is one named Stage.

An access log counts where a group or delivery stream of the file gets it, or one of the same account and Region, and
where each line has something of the request (docs.aws.amazon.com/apigateway: "set-up-logging": "$context variables").
What an account number or a parameter names may belong to another account.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from threatmodel.evidence.analyses.properties import (
    each,
    flag,
    number,
    read,
    stands,
    worded,
)
from threatmodel.evidence.analyses.registry import analysis
from threatmodel.evidence.answers import (
    Answer,
    Answered,
    Gathered,
    Outcome,
    Unanswered,
    all_of,
    doubt_of,
    doubted,
    every,
    named,
    no,
    open_at,
    said,
    some,
    unknown,
    unless_unread,
    worst,
)
from threatmodel.reading.problems import Place
from threatmodel.reading.shape import Number
from threatmodel.stacks.stack import Resource, Stack
from threatmodel.stacks.values import Link, List, Node, Scalar, Table, Unknown, by_defaults, links, text


class Stage(NamedTuple):
    """One stage: its name, its settings, whether it certainly exists (None: unknown), and what hides it."""

    name: Node | None
    settings: Node | None
    part: Gathered
    there: bool | None
    hidden: Unknown | None


_OVERRIDES = "it overrides settings that the API creates itself"


def stages(parts: Sequence[Gathered]) -> Iterator[Stage]:
    """Every stage among what was gathered."""
    for part in parts:
        hidden = part.hidden
        name = None if hidden is not None else read(part.node, "StageName")
        if part.part == "override":
            yield Stage(None, None, part, there=True, hidden=hidden or Unknown(_OVERRIDES, part.resource.place))
        elif part.part == "stage":
            yield Stage(name, part.node, part, there=True, hidden=hidden)
        elif part.part == "deployment" and (hidden is not None or name is not None):
            there = None if hidden is not None else stands(name)
            yield Stage(name, read(part.node, "StageDescription"), part, there, hidden)


_PART = r"(?:[^:{}]|\{[^{}]*\})*"
"""A part of an ARN, which may be a pseudo parameter: `${AWS::Region}`."""
_AT_STAGE = re.compile(
    rf"arn:{_PART}:apigateway:{_PART}::/restapis/\$\{{(?P<api>[^{{}}]+)\}}/stages/(?P<stage>.+)\Z", re.DOTALL
)


def at_stage(stage: Stage, node: Node | None, resource: Resource) -> bool | None:
    """Whether the ARN of an association is a stage's."""
    if node is None:
        return False
    own = stage.part.resource
    linked = {link.resource for link in links(node)}
    stated = worded(node)
    if stated is None:
        return None
    its_arn = isinstance(node, Link) and node.attribute.lower() == "arn" and linked == {own.name}
    if its_arn and stage.part.part == "stage":
        return True
    found = _AT_STAGE.match(re.sub(r"<(\w+)>", r"\1", stated))
    if found is None:
        return False  # an api that is named by its id is none that this file makes
    if found["api"].partition(".")[0] != resource.name:
        return None if found["api"].partition(".")[0] not in linked else False
    name = worded(stage.name)
    meant = {f"${{{own.name}}}"} if stage.part.part == "stage" else set()
    if found["stage"] in meant | {name}:
        return True
    return None if name is None or ("${" in found["stage"] and "${" in name) else False


@analysis("stage", "deployment", "override")
def stages_logged(parts: Sequence[Gathered], resource: Resource, stack: Stack) -> Outcome:
    """Whether every stage writes an access log."""
    says = [_logged(stage, resource, stack) for stage in stages(parts)]
    return unless_unread(
        every(says, "", "one of its stages has no access log, or keeps it for less than 90 days"), stack, [True]
    )


def _logged(stage: Stage, resource: Resource, stack: Stack) -> Answer:
    place = stage.part.resource.place
    if stage.hidden is not None:
        return unknown(stage.hidden)
    log = read(stage.settings, "AccessLogSetting|AccessLogSettings")
    target = read(log, "DestinationArn")
    if target is None and isinstance(log, Unknown):
        return _if_there(stage, open_at(log), resource)
    kept = False if target is None else _kept(target, resource, stack)
    why = "it is unknown which account and Region keep the log" if kept is None else "it is unknown what it logs"
    at = place if target is None else target.place
    return _if_there(stage, said(all_of((kept, _says_something(log))), at, why), resource)


_KEEPERS = (*("AWS::Logs::LogGroup", "AWS::KinesisFirehose::DeliveryStream"),)
_OF_THIS_ACCOUNT = re.compile(r"arn:[^:]*:(?:logs|firehose):<Region>:<AccountId>:")


_LEAST_DAYS = 90
"""Days for which a log is kept at least (CIS Controls v8, safeguard 8.10)."""


def _kept(target: Node, api: Resource, stack: Stack) -> bool | None:
    """Return whether the log's destination is here, or in the same account and Region, and keeps it long enough."""
    keeper = stack.target(target)
    if keeper is not None:
        sure = keeper.type in _KEEPERS and doubt_of(keeper, api) is None
        return _long_enough(read(keeper.properties, "RetentionInDays")) if sure else None
    return True if _OF_THIS_ACCOUNT.match(worded(target) or "") else None


def _long_enough(days: Node | None) -> bool | None:
    """Return whether a log group keeps its events long enough: without a number (Terraform: zero), indefinitely."""
    stated = number(days)
    return True if days is None or stated == 0 else None if stated is None else stated >= _LEAST_DAYS


def _says_something(log: Node | None) -> bool | None:
    """Whether a line of a log has something of the request in it."""
    if not isinstance(log, Table | List) or (isinstance(log, Table) and "Format" not in log.entries):
        return True
    stated = worded(read(log, "Format"))
    return None if stated is None else "$context." in stated


def _if_there(stage: Stage, answer: Answer, resource: Resource) -> Answer:
    """Return what a stage states, unless it is unknown whether it exists."""
    if stage.there is None and stage.name is not None:
        return answer if isinstance(answer, Answered) and answer.value else open_at(stage.name)
    return doubted(answer, doubt_of(stage.part.resource, resource))


@analysis("stage", "deployment", "override")
def stages_traced(parts: Sequence[Gathered], resource: Resource, stack: Stack) -> Outcome:
    """Whether a stage writes whole requests and answers into its log."""
    says = [_traced(stage, resource) for stage in stages(parts)]
    return unless_unread(some(says), stack, [False])


def _traced(stage: Stage, resource: Resource) -> Answer:
    place = stage.part.resource.place
    if stage.hidden is not None:
        return unknown(stage.hidden)
    settings = [stage.settings, *_settings(stage.settings)]
    hidden = next((one for one in settings if isinstance(one, Unknown)), None)
    found = [read(one, "DataTraceEnabled") for one in settings]
    on = next((one for one in found if flag(one, left_out=False) is not False), None)
    if on is not None:
        return doubted(
            said(flag(on) if stage.there else None, on.place, open_at(on).why), doubt_of(stage.part.resource, resource)
        )
    return unknown(hidden) if hidden is not None else no(place)


def _settings(settings: Node | None) -> Iterator[Node]:
    """The settings of single methods or routes, and of all."""
    yield from each(read(settings, "MethodSettings"))
    yield from each(read(settings, "DefaultRouteSettings"))
    routes = read(settings, "RouteSettings")
    yield from routes.entries.values() if isinstance(routes, Table) else each(routes)


def served_otherwise(parts: Sequence[Gathered], stack: Stack) -> Iterator[Unknown]:
    """Why an API may serve other routes than those of the file.

    A stage, or its canary, may serve a deployment in another file, and overrides change what the API creates.
    """
    for part in parts:
        if part.part == "override":
            yield Unknown(_OVERRIDES, part.resource.place)
        elif part.part == "stage" and not isinstance(part.node, Unknown):
            canary = read(part.node, "CanarySetting")
            for one in (read(part.node, "DeploymentId"), read(canary, "DeploymentId")):
                target = stack.target(one)
                if one is not None and (target is None or target.type not in _DEPLOYMENTS):
                    why = one.why if isinstance(one, Unknown) else "it is unknown which routes this deployment has"
                    yield Unknown(why, one.place)


_DEPLOYMENTS = ("AWS::ApiGateway::Deployment", "AWS::ApiGatewayV2::Deployment")


# --- how many requests a second are admitted
_MOST = 1_000_000
"""Requests a second; a greater number is no limit that AWS would take."""
_OWN_SETTINGS = "a method or route has separate settings, and it is unknown whether the stage's limit applies to it"
_V2 = frozenset((
    *("AWS::ApiGatewayV2::Api", "AWS::Serverless::HttpApi", "AWS::Serverless::WebSocketApi"),
))  # fmt: skip


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
    settings = [] if isinstance(part.node, Unknown) else list(_limits_set(part, resource))
    second = part.part == "deployment" and resource.type == "AWS::Serverless::Api"
    rates = list(_rates(settings, part.resource.place, _SECOND if second else ""))
    if doubt is not None:
        yield from (one if isinstance(one, Unanswered) else unknown(doubt) for one in rates)
    elif hidden is not None:
        yield unknown(hidden)
        yield from (one for one in rates if isinstance(one, Unanswered) or one.value is not None)
    else:
        yield from rates


def _limits_set(part: Gathered, resource: Resource) -> Iterator[tuple[bool | None, Node]]:
    """What a stage sets for every method or route (True, None where that is not known), and for single ones."""
    node = part.node
    if resource.type in _V2:
        default = read(node, "DefaultRouteSettings")
        if default is not None:
            yield True, default
        routes = read(node, "RouteSettings")
        for one in routes.entries.values() if isinstance(routes, Table) else each(routes):
            yield False, one
    else:
        if part.part == "deployment":
            node = read(node, "StageDescription") or node
            yield True, node
        for one in each(read(node, "MethodSettings")):
            both = _told(read(one, "ResourcePath"), "/*"), _told(read(one, "HttpMethod"), "*")
            yield all_of(both), one


def _told(node: Node | None, wanted: str) -> bool | None:
    stated = None if getattr(node, "given", ()) else worded(node)
    return stated == wanted if stated is not None or node is None else None


def _rates(settings: Sequence[tuple[bool | None, Node]], stage: Place, unlimited: str) -> Iterator[Answer]:
    limits = [(whole, node, read(node, "ThrottlingRateLimit")) for whole, node in settings]
    limited = [whole for whole, _, limit in limits if limit is not None]
    yield from (_rate(limit) for _, _, limit in limits if limit is not None)
    if not any(limited):
        why = "it is unknown whether the limit applies to every method"
        yield Unanswered(why, stage) if None in limited else Answered(None, (stage,), unlimited)
    yield from (Unanswered(_OWN_SETTINGS, node.place) for whole, node, limit in limits if limit is None and not whole)


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
