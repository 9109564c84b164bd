"""What a file shows of an account's detection: that it is off, and that an analyzer watches.

Detectors, recorders and hubs are there once in each Region, so that one file shows where one is switched off or leaves
something out, and never that all are on.  A filter or rule that names its subject (a resource, a principal, a kind of
finding) hides that; one without such a criterion hides every finding.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import partial

from threatmodel.evidence.analyses.properties import each, flag, number, read, worded
from threatmodel.evidence.analyses.registry import analysis, rows
from threatmodel.evidence.answers import Gathered, Outcome, Unanswered, named, no, yes
from threatmodel.evidence.resource_types import known
from threatmodel.stacks.stack import Resource, Stack
from threatmodel.stacks.values import List, Node, Table, Unknown, unknowns

_LAMBDA, _S3, _AI = "LAMBDA_NETWORK_LOGS", "S3_DATA_EVENTS", "AI_PROTECTION"
"""The features of GuardDuty that are its Lambda, S3 and AI Protection (docs.aws.amazon.com/guardduty)."""
_RECORDED = ("AWS::Lambda::Function", "AWS::ApiGateway::Stage", "AWS::ApiGatewayV2::Api", "AWS::IAM::Role")
"""Types of AWS Config that stand for functions, gateways and roles."""


@analysis("hub", "automation")
def checks_suppressed(parts: Sequence[Gathered], resource: Resource, stack: Stack) -> Outcome:
    """No where a rule of Security Hub suppresses failed checks whatever they are of."""
    hides_all = "a rule suppresses failed checks of every kind"
    denied = _denied(
        named(parts, "automation"), resource, stack, lambda rule: automation_hides(rule) is True, hides_all
    )
    return denied or _denied(named(parts, "hub"), resource, stack, lambda _: False, "")


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


def _denied(
    parts: Sequence[Gathered], _resource: Resource, _stack: Stack, denies: Callable[[Node], bool], note: str
) -> Outcome:
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


_OFF = {
    "detector-off": (_is_off, "GuardDuty's detector is switched off"),
    "lambda-protection-off": (_without(_LAMBDA), "GuardDuty's Lambda Protection is switched off"),
    "s3-protection-off": (_without(_S3), "GuardDuty's S3 Protection is switched off"),
    "ai-protection-off": (_without(_AI), "GuardDuty's AI Protection is switched off"),
}
rows("detector")({name: partial(_denied, denies=denies, note=note) for name, (denies, note) in _OFF.items()})
rows("recorder")({
    "recorder-leaves-out": partial(
        _denied, denies=_leaves_out, note="AWS Config's recorder excludes required resource types"
    )
})  # fmt: skip


# --- what hides findings
_ABOUT_ALL = frozenset(("severity", "region", "accountid", "service.archived", "updatedat", "resource.resourcetype"))
"""What a filter of GuardDuty may ask for and still take in findings of any type, in small letters."""
_SERIOUS = 8
"""The severity from which GuardDuty calls a finding high or critical at the latest."""


def filter_hides(rule: Node) -> bool | None:
    """Whether a filter of GuardDuty archives serious findings whatever they are of; None where that is not known.

    Archived findings are sent to no target (docs.aws.amazon.com/guardduty: "findings_suppression-rule").
    """
    action = worded(read(rule, "Action"))
    if action == "NOOP" or (action is None and read(rule, "Action") is None):
        return False
    asked = read(rule, "FindingCriteria")
    if action != "ARCHIVE" or isinstance(asked, Unknown):
        return None
    criteria = dict(_criteria(asked))
    if any(next(unknowns(one), None) is not None for one in criteria.values()):
        return None
    narrow = criteria.keys() - _ABOUT_ALL
    if narrow:
        return None if narrow <= {"type"} else False
    return _takes_serious(criteria.get("severity"))


def _criteria(asked: Node | None) -> list[tuple[str, Node]]:
    """What a filter asks for, by field."""
    mapping = read(asked, "Criterion")
    if isinstance(mapping, Table):
        return [(name.lower(), node) for name, node in mapping.entries.items()]
    return [] if mapping is None else [("", mapping)]


def _takes_serious(severity: Node | None) -> bool | None:
    """Whether what a filter asks of the severity takes in serious findings."""
    if severity is None:
        return True
    most = (
        number(read(severity, "LessThan|Lt")),
        number(read(severity, "LessThanOrEqual|Lte")),
    )
    listed = [number(one) for one in each(read(severity, "Equals|Eq"))]
    if listed:
        return None if None in listed else any(one is not None and one >= _SERIOUS for one in listed)
    if (most[0] is not None and most[0] <= _SERIOUS) or (most[1] is not None and most[1] < _SERIOUS):
        return False
    return True if most == (None, None) else None


_OF_ALL = frozenset((
    *("awsaccountid", "awsaccountname", "companyname", "compliancestatus", "confidence", "createdat", "criticality"),
    *("firstobservedat", "lastobservedat", "productarn", "productname", "recordstate", "severitylabel", "type"),
    *("updatedat", "verificationstate", "workflowstatus"),
))  # fmt: skip
"""What an automation rule may ask for and still take in every failed check."""
_HARMLESS = frozenset(("LOW", "INFORMATIONAL"))


def automation_hides(rule: Node) -> bool | None:
    """Whether an automation rule of Security Hub suppresses failed checks whatever they are of."""
    actions = each(read(rule, "Actions"))
    words = [worded(read(one, "FindingFieldsUpdate", "Workflow", "Status")) for one in actions]
    if worded(read(rule, "RuleStatus")) == "DISABLED" or not {"SUPPRESSED", "RESOLVED"} & {one or "" for one in words}:
        return False
    criteria = read(rule, "Criteria")
    entries = criteria.items[0] if isinstance(criteria, List) and len(criteria.items) == 1 else criteria
    if (entries is not None and not isinstance(entries, Table)) or next(unknowns(entries), None) is not None:
        return None
    asked = {
        name.replace("_", "").lower(): node for name, node in (entries.entries if entries else {}).items() if each(node)
    }
    if asked.keys() - _OF_ALL:
        return False
    labels = {worded(read(one, "Value")) for one in each(asked.get("severitylabel"))}
    return not labels or not labels <= _HARMLESS


def archives(rule: Node) -> bool | None:
    """Return whether an archive rule of Access Analyzer hides public access; None if it may."""
    asked = {worded(read(one, "Property")) or "": one for one in each(read(rule, "Filter"))}
    if not asked or next(unknowns(rule), None) is not None:
        return None
    public = [flag(value) for value in each(read(asked.get("isPublic"), "Eq"))]
    if public and not any(one is not False for one in public):
        return None  # what others may reach that are named nowhere
    named = [read(one, how) for name, one in asked.items() if _NAMES.match(name) for how in ("Eq", "Contains")]
    who = [worded(value) for values in named for value in each(values)]
    if not who:
        return True
    return False if not public and not any(one is None or "*" in one for one in who) else None


_NAMES = re.compile(r"(principal|condition)\.|(resource|id)\Z")
"""Criteria of an archive rule that name a principal or a resource."""
