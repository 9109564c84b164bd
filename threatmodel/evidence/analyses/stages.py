"""What holds of an api only where it holds of every stage: those declared, and those that a deployment makes.

A deployment with a StageName makes a stage of its own, with the settings of its StageDescription alone.  SAM's
deployment does so wherever the api sets no OpenApiVersion: beside the author's stage there is one named Stage.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from threatmodel.evidence.analyses.properties import (
    Say,
    all_of,
    doubt_of,
    each,
    every,
    flag,
    opaque_of,
    open_at,
    read,
    some,
    stands,
    unless_unread,
)
from threatmodel.evidence.analyses.registry import analysis
from threatmodel.evidence.answers import Gathered, Outcome
from threatmodel.stacks.stack import Resource, Stack
from threatmodel.stacks.values import Node, Table, Unknown


class Stage(NamedTuple):
    """One stage: its name, its settings, whether it is surely there (None: nobody can tell), and what hides it."""

    name: Node | None
    settings: Node | None
    part: Gathered
    there: bool | None
    hidden: Unknown | None


def stages(parts: Sequence[Gathered]) -> Iterator[Stage]:
    """Every stage among what was gathered."""
    for part in parts:
        hidden = opaque_of(part)
        name = None if hidden is not None else read(part.node, "StageName")
        if part.part == "stage":
            yield Stage(name, part.node, part, there=True, hidden=hidden)
        elif part.part == "deployment" and (hidden is not None or name is not None):
            there = None if hidden is not None else stands(name)
            yield Stage(name, read(part.node, "StageDescription"), part, there, hidden)


@analysis("stage", "deployment")
def stages_logged(parts: Sequence[Gathered], resource: Resource, stack: Stack) -> Outcome:
    """Whether every stage writes an access log."""
    says = [_logged(stage, resource) for stage in stages(parts)]
    return unless_unread(every(says, "", "a stage of it writes no access log"), stack, [True])


def _logged(stage: Stage, resource: Resource) -> Say:
    place = stage.part.resource.place
    if stage.hidden is not None:
        return open_at(stage.hidden)
    log = read(stage.settings, "AccessLogSetting|AccessLogSettings")
    target = read(log, "DestinationArn")
    empty = isinstance(log, Table) and "Format" in log.entries and read(log, "Format") is None
    value = all_of((stands(target), None if empty else True))
    return _if_there(stage, Say(value, place if target is None else target.place, "what it logs is not told"), resource)


def _if_there(stage: Stage, say: Say, resource: Resource) -> Say:
    """What a stage says, unless nobody can tell whether it is there."""
    if stage.there is None and stage.name is not None:
        return say if say.value else open_at(stage.name)
    return say._replace(doubt=doubt_of(stage.part.resource, resource))


@analysis("stage", "deployment")
def stages_traced(parts: Sequence[Gathered], resource: Resource, stack: Stack) -> Outcome:
    """Whether a stage writes whole requests and answers into its log."""
    says = [_traced(stage, resource) for stage in stages(parts)]
    return unless_unread(some(says), stack, [False])


def _traced(stage: Stage, resource: Resource) -> Say:
    place = stage.part.resource.place
    if stage.hidden is not None:
        return open_at(stage.hidden)
    settings = [stage.settings, *_settings(stage.settings)]
    unknown = next((one for one in settings if isinstance(one, Unknown)), None)
    found = [read(one, "DataTraceEnabled") for one in settings]
    on = next((one for one in found if flag(one, left_out=False) is not False), None)
    if on is not None:
        say = Say(flag(on), on.place, open_at(on).why, doubt_of(stage.part.resource, resource))
        return say if stage.there or not say.value else say._replace(value=None)
    return open_at(unknown) if unknown is not None else Say(value=False, place=place)


def _settings(settings: Node | None) -> Iterator[Node]:
    """The settings of single methods or routes, and of all."""
    yield from each(read(settings, "MethodSettings"))
    yield from each(read(settings, "DefaultRouteSettings"))
    routes = read(settings, "RouteSettings")
    yield from routes.entries.values() if isinstance(routes, Table) else each(routes)


def whole(values: Sequence[bool | None]) -> bool | None:
    """Whether all of some stages are covered; not where there is none."""
    return all_of(values) if values else False
