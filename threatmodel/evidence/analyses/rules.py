"""Rules of EventBridge that are enabled, and whose target notifies a subscriber."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from threatmodel.evidence.analyses.alerting import reaches
from threatmodel.evidence.analyses.properties import each, read, worded
from threatmodel.evidence.answers import Gathered, named
from threatmodel.stacks.stack import Resource, Stack
from threatmodel.stacks.values import Node, Unknown

_BUS = frozenset(("default", ""))


def active_rules(parts: Sequence[Gathered], stack: Stack) -> Iterator[tuple[Gathered, Unknown | None]]:
    """Return the enabled rules of the default bus that have a target, each with what that depends on."""
    for part in named(parts, "rule"):
        hidden = part.hidden or part.resource.doubt
        if isinstance(part.node, Unknown):
            yield part, part.node
            continue
        bus = read(part.node, "EventBusName")
        if bus is not None and worded(bus) is not None and (worded(bus) or "").rsplit("/", 1)[-1] not in _BUS:
            continue
        state = worded(read(part.node, "State")) or ""
        if state.startswith("DISABLED"):
            continue
        unknown = [one for one in (bus, read(part.node, "State")) if isinstance(one, Unknown)]
        target = _target(part, stack)
        if target is not None:
            yield part, hidden or next(iter(unknown), None) or (target if isinstance(target, Unknown) else None)


def _target(rule: Gathered, stack: Stack) -> Node | None:
    """A target of a rule, Unknown where it is not certain that there is one."""
    own = each(read(rule.node, "Targets"))
    known: list[Node] = [one for one in own if not isinstance(one, Unknown)]
    stated = [(node, _handed_on(node, rule.resource, stack)) for node in known]
    first = next((node for node, reached in stated if reached), None)
    if first is None and any(reached is None for _, reached in stated):
        return Unknown("it is unknown whether its target notifies anyone", rule.resource.place)
    return first or next((one for one in own if isinstance(one, Unknown)), None)


def _handed_on(target: Node, rule: Resource, stack: Stack) -> bool | None:
    """Whether a target hears of an event: a text that is the same for every event says nothing of this one."""
    transformer, path = read(target, "InputTransformer"), read(target, "InputPath")
    one_for_all = (
        read(target, "Input") is not None
        or (transformer is not None and read(transformer, "InputPathsMap") is None)
        or (path is not None and re.match(r"\$(?:\.detail|\Z)", worded(path) or "") is None)
    )
    heard = reaches(read(target, "Arn") or target, "events.amazonaws.com", stack, rule)
    return None if heard and one_for_all else heard
