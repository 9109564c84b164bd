"""What a file shows of an account's detection: that it is off, and that an analyzer watches.

Detectors, recorders and hubs are there once in each Region, so that one file shows where one is switched off or leaves
something out, and never that all are on.  A filter or rule that names its subject (a resource, a principal, a kind of
finding) hides that; one without such a criterion hides every finding.  Several trails of CloudTrail may record side by
side, so that one of them shows what is recorded, and none that nothing is.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from functools import partial

from threatmodel.evidence.analyses.properties import each, flag, number, read, stands, worded
from threatmodel.evidence.analyses.registry import analysis, rows
from threatmodel.evidence.answers import Gathered, Outcome, Unanswered, all_of, named, no, one_of, unknown, yes
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


# --- CloudTrail
_FUNCTIONS = "AWS::Lambda::Function"
"""CloudTrail's type of resource for invocations (docs.aws.amazon.com/awscloudtrail: "logging-data-events")."""
_EVERY_FUNCTION = frozenset(("arn:aws:lambda", "arn:<Partition>:lambda"))
"""What a basic selector says for the functions of all names and Regions that the trail is for."""


@analysis("trail")
def trail_records_invocations(parts: Sequence[Gathered], _resource: Resource, stack: Stack) -> Outcome:
    """Whether a trail that is on records the invocations of every function."""
    left: Unknown | None = None
    for part in named(parts, "trail"):
        records = _selects(part.node, _of_invocations)
        on = _is_on(part)
        doubt = part.hidden or part.resource.doubt
        if records and on is False and doubt is None:
            return no(part.resource.place, "the trail that records invocations is off")
        if all_of((records, on, _reaches_functions(part, stack))) and doubt is None:
            return yes(part.resource.place)
        if records is not False:
            why = "it is unknown whether it records the invocations of every function"
            left = left or doubt or Unknown(why, part.resource.place)
    return unknown(left) if left is not None else None


@analysis("trail")
def trail_falls_short(parts: Sequence[Gathered], _resource: Resource, stack: Stack) -> Outcome:
    """No where the trail that is for all Regions records less than it must, or its account can reach what it wrote."""
    trails = named(parts, "trail")
    short = [(part, stated) for part in trails if (stated := next(_shortfalls(part, stack), ""))]
    if short and len(short) == len([part for part in trails if _is_meant(part.node)]):
        part, stated = short[0]
        return no(part.resource.place, f"{part.resource.name}: {stated}")
    why = "it is unknown whether this account can change its log files"
    return Unanswered(why, trails[0].resource.place) if trails else None


def _is_meant(trail: Node) -> bool:
    """Whether a trail is the account's own for all Regions, and not one that serves a single purpose."""
    return flag(read(trail, "IsMultiRegionTrail")) is True or flag(read(trail, "IsOrganizationTrail")) is True


def _shortfalls(part: Gathered, stack: Stack) -> Iterator[str]:
    trail = part.node
    if part.hidden is not None or part.resource.doubt is not None or not _is_meant(trail):
        return
    if _is_on(part) is False:
        yield "it is off"
    if flag(read(trail, "EnableLogFileValidation"), left_out=False) is False:
        yield "its log file validation is off"
    if flag(read(trail, "IncludeGlobalServiceEvents"), left_out=True) is False:
        yield "it excludes IAM and other global services"
    if _selects(trail, _of_management) is False:
        yield "it excludes management events"
    bucket = stack.target(read(trail, "S3BucketName"))
    of_all = flag(read(trail, "IsOrganizationTrail"), left_out=False)
    if bucket is not None and of_all is False and not stands(read(bucket.properties, "ObjectLockConfiguration")):
        yield "this account can delete its log files"


def _is_on(part: Gathered) -> bool | None:
    return flag(read(part.node, "IsLogging"))


def _reaches_functions(part: Gathered, stack: Stack) -> bool | None:
    """Whether a trail is for the Region of the functions: for all, or for the one of a template that has functions."""
    if _is_meant(part.node):
        return True
    template = not part.resource.written
    beside = any("lambda" in known(one.type).services for one in stack.resources.values())
    return True if template and beside else None


# --- selectors


def _selects(trail: Node, selects: Callable[[Node, bool], bool]) -> bool | None:
    """Whether one of a trail's selectors does: a basic one, or an advanced one (the flag)."""
    basic, advanced = read(trail, "EventSelectors"), read(trail, "AdvancedEventSelectors")
    if basic is None and advanced is None:
        return selects is _of_management
    found: list[bool | None] = []
    for node, is_advanced in ((basic, False), (advanced, True)):
        found += [None if next(unknowns(one), None) is not None else selects(one, is_advanced) for one in each(node)]
    return one_of(found)


def _of_management(selector: Node, advanced: bool) -> bool:  # noqa: FBT001 - of which of two forms a selector is
    if advanced:
        return _fields(selector) == {"eventCategory": {"Management"}}
    every = worded(read(selector, "ReadWriteType")) in {None, "All"} and not each(
        read(selector, "ExcludeManagementEventSources")
    )
    return every and flag(read(selector, "IncludeManagementEvents"), left_out=True) is True


def _of_invocations(selector: Node, advanced: bool) -> bool:  # noqa: FBT001 - of which of two forms a selector is
    if advanced:
        fields = _fields(selector)
        asked = fields.keys() == {"eventCategory", "resources.type"} and fields["eventCategory"] == {"Data"}
        return asked and _FUNCTIONS in fields["resources.type"]
    of_it = [one for one in each(read(selector, "DataResources")) if _is_of_functions(one)]
    return bool(of_it) and worded(read(selector, "ReadWriteType")) in {None, "All"}


def _is_of_functions(resources: Node) -> bool:
    every = {worded(one) for one in each(read(resources, "Values"))} & _EVERY_FUNCTION
    return worded(read(resources, "Type")) == _FUNCTIONS and bool(every)


def _fields(selector: Node) -> dict[str, set[str]]:
    """What an advanced selector asks of each field; nothing of one where it asks for more than a list of values."""
    found: dict[str, set[str]] = {}
    for one in each(read(selector, "FieldSelectors")):
        field = worded(read(one, "Field")) or ""
        plain = isinstance(one, Table) and {name.lower() for name in one.entries if read(one, name)} <= {
            "field",
            "equals",
        }
        values = {worded(value) or "" for value in each(read(one, "Equals"))} if plain and field not in found else set()
        found[field] = values
    return found
