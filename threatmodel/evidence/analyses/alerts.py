"""Alerts in an account, and whether they reach a subscriber: changes of functions and roles, and findings."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from threatmodel.evidence.analyses.alerting import WITHIN, goes_off, notifies, reaches
from threatmodel.evidence.analyses.detection import filter_hides
from threatmodel.evidence.analyses.event_patterns import (
    admits,
    admits_none,
    alternatives,
    asks_only,
    filter_admits,
    leaves_out,
)
from threatmodel.evidence.analyses.properties import (
    document,
    each,
    read,
    worded,
)
from threatmodel.evidence.analyses.registry import analysis
from threatmodel.evidence.answers import (
    Answer,
    Gathered,
    Outcome,
    Unanswered,
    all_of,
    covered,
    doubted,
    named,
    no,
    one_of,
    open_at,
    said,
)
from threatmodel.stacks.stack import Resource, Stack
from threatmodel.stacks.values import Node, Table, Unknown, get

# --- changes

_BY_CALL = "AWS API Call via CloudTrail"
_WRITES: Mapping[str, tuple[str, ...]] = {
    "lambda": ("UpdateFunctionCode20150331v2", "UpdateFunctionConfiguration20150331v2", "AddPermission20150331v2"),
    "iam": ("AttachRolePolicy", "PutRolePolicy", "UpdateAssumeRolePolicy"),
}
"""The calls that have to raise an alert, as CloudTrail writes their names: with the API's date where it has one."""
_ASKED = ("eventSource", "eventName", "userIdentity", "errorCode", "errorMessage", "readOnly", "managementEvent")


@analysis("rule", "filter", "alarm")
def alerts_on_changes(parts: Sequence[Gathered], _resource: Resource, stack: Stack) -> Outcome:
    """Return whether rules and filters with a subscriber cover the write calls that change a function or role."""
    covers = [
        (service, doubted(_rule_covers(part, service, calls), doubt))
        for part, doubt in active_rules(parts, stack)
        for service, calls in _WRITES.items()
    ]
    covers += [cover for part in named(parts, "filter") for cover in _filter_covers(part, parts, stack)]
    return covered(covers, tuple(_WRITES), "writes to only one of Lambda and IAM raise an alert")


def _rule_covers(part: Gathered, service: str, calls: Sequence[str]) -> Answer:
    pattern = document(read(part.node, "EventPattern"))
    place = part.resource.place
    if not isinstance(pattern, Table):
        return no(place) if pattern is None else open_at(pattern)
    outer = all_of((
        admits(get(pattern, "source"), f"aws.{service}"),
        admits(get(pattern, "detail-type"), _BY_CALL),
        _asks_no_more(pattern),
    ))  # fmt: skip
    if outer is False:
        return no(place)
    details = list(alternatives(get(pattern, "detail")))
    admitted = [one_of(_admits_call(one, service, call) for one in details) for call in calls]
    return said(all_of((outer, *admitted)), place, "it is unknown which calls match its pattern")


_HERE: Mapping[str, str] = {"account": "<AccountId>", "region": "<Region>"}
"""What every event of this account and Region has outside its details."""


def _asks_no_more(pattern: Table) -> bool | None:
    """Whether a pattern asks for nothing beside source, kind and details that an event of this account may lack."""
    others = [(name, node) for name, node in pattern.entries.items() if name not in {"source", "detail-type", "detail"}]
    own = all(name in _HERE and _HERE[name] in [worded(one) for one in each(node)] for name, node in others)
    return True if own else None


def _admits_call(detail: Node | None, service: str, call: str) -> bool | None:
    if not isinstance(detail, Table):
        return True if detail is None else None
    if not asks_only(detail, _ASKED) or not leaves_out(get(detail, "userIdentity")):
        return False if admits(get(detail, "eventName"), call) is False else None
    return all_of((
        admits(get(detail, "eventSource"), f"{service}.amazonaws.com"),
        admits(get(detail, "eventName"), call),
        admits(get(detail, "readOnly"), value=False),
        admits(get(detail, "managementEvent"), value=True),
        *(admits_none(get(detail, name)) for name in ("errorCode", "errorMessage")),
    ))  # fmt: skip


def _filter_covers(part: Gathered, parts: Sequence[Gathered], stack: Stack) -> Iterator[tuple[str, Answer]]:
    pattern = read(part.node, "FilterPattern")
    stated = worded(pattern)
    counted = [(worded(read(one, "MetricName")), worded(read(one, "MetricNamespace")))
               for one in each(read(part.node, "MetricTransformations"))]  # fmt: skip
    counting = (
        one
        for one in named(parts, "alarm")
        if (worded(read(one.node, "MetricName")), worded(read(one.node, "Namespace"))) in counted
    )
    acting = [one for one in counting if notifies(one.resource, stack) is not False]
    if not acting or not _can_be_counted(part, stack):
        return
    for service, calls in _WRITES.items():
        if stated is None:
            yield service, Unanswered(open_at(pattern or part.node).why, part.resource.place)
            continue
        value = all_of(filter_admits(stated, f"{service}.amazonaws.com", call) for call in calls)
        sure = [one.node for one in acting if one.resource.doubt is None and notifies(one.resource, stack)]
        certain = part.resource.doubt is None and any(goes_off(one, WITHIN, _FEW) for one in sure)
        doubt = part.resource.doubt or acting[0].resource.doubt
        why = "it is unknown which calls it counts" if certain or doubt is None else doubt.why
        yield service, said(value if certain or value is False else None, part.resource.place, why)


def _can_be_counted(part: Gathered, stack: Stack) -> bool:
    """Whether the class of a filter's log group has metric filters; the others count nothing."""
    group = stack.target(read(part.node, "LogGroupName"))
    kind = None if group is None else worded(read(group.properties, "LogGroupClass"))
    return kind in {None, "STANDARD"}


_FEW = 1
"""Changes that an alarm on them may let pass."""


# --- findings

_FINDINGS: Mapping[str, str] = {
    "aws.guardduty": "GuardDuty Finding",
    "aws.securityhub": "Security Hub Findings - Imported",
}
_SERIOUS = (8, 9.5)
"""Severities of GuardDuty's high and critical findings, which Security Hub labels."""
_LABELS = ("HIGH", "CRITICAL")
_HUB_ASKED = ("Severity", "Workflow", "WorkflowState", "RecordState")


@analysis("rule", "suppression")
def alerts_on_findings(parts: Sequence[Gathered], _resource: Resource, stack: Stack) -> Outcome:
    """Return whether a rule with a subscriber passes on serious findings, and no earlier filter hides them."""
    for part in named(parts, "suppression"):
        doubt = part.hidden or part.resource.doubt
        hides = filter_hides(part.node)
        if hides and doubt is None:
            return no(part.resource.place, "a filter archives findings before an alert is sent")
        if hides is not False:
            why = doubt.why if doubt is not None else "a filter may archive serious findings"
            return Unanswered(why, part.resource.place)
    covers = [("findings", doubted(_finds(part), doubt)) for part, doubt in active_rules(parts, stack)]
    return covered(covers, ("findings",), "")


def _finds(part: Gathered) -> Answer:
    pattern = document(read(part.node, "EventPattern"))
    if not isinstance(pattern, Table):
        return no(part.resource.place) if pattern is None else open_at(pattern)
    values = []
    for source, kind in _FINDINGS.items():
        named_it = get(pattern, "source") is not None or get(pattern, "detail-type") is not None
        asked = admits(get(pattern, "source"), source), admits(get(pattern, "detail-type"), kind)
        outer = all_of((*asked, named_it, _asks_no_more(pattern)))
        inner = one_of(_admits_finding(one, source) for one in alternatives(get(pattern, "detail")))
        values.append(all_of((outer, inner)))
    return said(one_of(values), part.resource.place, "it is unknown which findings match its pattern")


def _admits_finding(detail: Node | None, source: str) -> bool | None:
    """Whether serious findings of any type get through, high ones and critical ones."""
    if not isinstance(detail, Table):
        return True if detail is None else None
    if source == "aws.guardduty":
        asked = get(detail, "severity")
        return all_of(admits(asked, one) for one in _SERIOUS) if asks_only(detail, ("severity",)) else None
    found = get(detail, "findings")
    if not asks_only(detail, ("findings",)) or not isinstance(found, Table) or not asks_only(found, _HUB_ASKED):
        return None
    severity = get(found, "Severity")
    if isinstance(severity, Table) and not asks_only(severity, ("Label",)):
        return None
    labels = (admits(get(severity, "Label"), one) for one in _LABELS)
    return all_of((*labels, admits(get(found, "RecordState"), "ACTIVE")))


# --- rules of EventBridge

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
