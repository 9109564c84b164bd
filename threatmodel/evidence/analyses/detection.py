"""What a file shows of an account's detection: that it is off, and that an analyzer watches.

Detectors, recorders and hubs are there once in each Region, so that one file shows where one is switched off or leaves
something out, and never that all are on.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from threatmodel.evidence.analyses.properties import each, flag, read, worded
from threatmodel.evidence.analyses.registry import analysis
from threatmodel.evidence.analyses.suppressing import archives, automation_hides
from threatmodel.evidence.answers import Gathered, Outcome, Unanswered, named, no, yes
from threatmodel.evidence.resource_types import known
from threatmodel.stacks.stack import Resource, Stack
from threatmodel.stacks.values import Node, Unknown, unknowns

_LAMBDA, _S3, _AI = "LAMBDA_NETWORK_LOGS", "S3_DATA_EVENTS", "AI_PROTECTION"
"""The features of GuardDuty that are its Lambda, S3 and AI Protection (docs.aws.amazon.com/guardduty)."""
_RECORDED = ("AWS::Lambda::Function", "AWS::ApiGateway::Stage", "AWS::ApiGatewayV2::Api", "AWS::IAM::Role")
"""Types of AWS Config that stand for functions, gateways and roles."""


@analysis("detector")
def detector_off(parts: Sequence[Gathered], _resource: Resource, _stack: Stack) -> Outcome:
    """No where a detector is switched off."""
    return _denied(named(parts, "detector"), _is_off, "GuardDuty's detector is switched off")


@analysis("detector")
def lambda_protection_off(parts: Sequence[Gathered], _resource: Resource, _stack: Stack) -> Outcome:
    """No where a detector, or its Lambda Protection, is switched off."""
    return _denied(named(parts, "detector"), _without(_LAMBDA), "GuardDuty's Lambda Protection is switched off")


@analysis("detector")
def s3_protection_off(parts: Sequence[Gathered], _resource: Resource, _stack: Stack) -> Outcome:
    """No where a detector, or its S3 Protection, is switched off."""
    return _denied(named(parts, "detector"), _without(_S3), "GuardDuty's S3 Protection is switched off")


@analysis("detector")
def ai_protection_off(parts: Sequence[Gathered], _resource: Resource, _stack: Stack) -> Outcome:
    """No where a detector, or its AI Protection, is switched off."""
    return _denied(named(parts, "detector"), _without(_AI), "GuardDuty's AI Protection is switched off")


@analysis("recorder")
def recorder_leaves_out(parts: Sequence[Gathered], _resource: Resource, _stack: Stack) -> Outcome:
    """No where a recorder leaves out functions, gateways or roles."""
    return _denied(named(parts, "recorder"), _leaves_out, "AWS Config's recorder excludes required resource types")


@analysis("hub", "automation")
def checks_suppressed(parts: Sequence[Gathered], _resource: Resource, _stack: Stack) -> Outcome:
    """No where a rule of Security Hub suppresses failed checks whatever they are of."""
    hides_all = "a rule suppresses failed checks of every kind"
    denied = _denied(named(parts, "automation"), lambda rule: automation_hides(rule) is True, hides_all)
    return denied or _denied(named(parts, "hub"), lambda _: False, "")


_EXTERNAL = ("ACCOUNT", "ORGANIZATION")
"""Kinds of analyzers that look for access from outside; the others look for access that is not used, or inside."""


@analysis("analyzer")
def analyzer_watches(parts: Sequence[Gathered], _resource: Resource, stack: Stack) -> Outcome:
    """Whether an analyzer watches for access from outside in the Region of the functions, and hides nothing of it."""
    found = [part for part in named(parts, "analyzer") if _looks_outside(part.node) is not False]
    if not found:
        return None
    rules = [rule for part in found for rule in each(read(part.node, "ArchiveRules"))]
    hidden = [archives(one) for one in rules]
    place = found[0].resource.place
    if True in hidden:
        return no(place, "an archive rule hides findings about external access")
    doubt = next((one for part in found for one in (part.hidden or part.resource.doubt,) if one is not None), None)
    beside = any("lambda" in known(one.type).services for one in stack.resources.values())
    template = not found[0].resource.written
    if doubt is not None or None in hidden or not any(_looks_outside(part.node) for part in found):
        return Unanswered(doubt.why if doubt else "it is unknown what it analyzes and which findings are hidden", place)
    if not (beside and template):
        return Unanswered("it is unknown whether it is in the Region of the functions", place)
    return yes(place)


def _looks_outside(analyzer: Node) -> bool | None:
    kind = read(analyzer, "Type")
    return worded(kind) in _EXTERNAL if worded(kind) is not None else True if kind is None else None


def _denied(parts: Sequence[Gathered], denies: Callable[[Node], bool], note: str) -> Outcome:
    """No where one surely denies it; else unknown, where there is any."""
    for part in parts:
        sure = part.resource.doubt is None and part.hidden is None and not isinstance(part.node, Unknown)
        if sure and denies(part.node):
            return no(part.resource.place, note)
    return Unanswered("the file shows only one Region", parts[0].resource.place) if parts else None


def _is_off(detector: Node) -> bool:
    return flag(read(detector, "Enable"), left_out=True) is False


def _without(feature: str) -> Callable[[Node], bool]:
    """Whether a detector, or this feature of it, is switched off."""

    def switched_off(detector: Node) -> bool:
        features = [one for one in each(read(detector, "Features")) if worded(read(one, "Name")) == feature]
        return _is_off(detector) or any(worded(read(one, "Status")) == "DISABLED" for one in features)

    return switched_off


def _leaves_out(recorder: Node) -> bool:
    if flag(read(recorder, "is_enabled"), left_out=True) is False:  # of Terraform alone
        return True
    group = read(recorder, "RecordingGroup")
    strategy = read(group, "RecordingStrategy")
    if group is None or any(True for _ in unknowns(group)):
        return False
    left_out = read(group, "ExclusionByResourceTypes")
    excluded = [worded(kind) for one in each(left_out) for kind in each(read(one, "ResourceTypes"))]
    if excluded:
        return any(kind in excluded for kind in _RECORDED)
    listed = [worded(kind) for kind in each(read(group, "ResourceTypes"))]
    inclusive = flag(read(group, "AllSupported"), left_out=False) is not True
    by_list = inclusive and worded(read(strategy, "UseOnly")) in {None, "INCLUSION_BY_RESOURCE_TYPES"} and bool(listed)
    return by_list and not all(kind in listed for kind in ("AWS::Lambda::Function", "AWS::IAM::Role"))
