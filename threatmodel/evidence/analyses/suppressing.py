"""What hides findings: GuardDuty's filters, automation rules of Security Hub, archive rules of Access Analyzer.

One that names its subject (a resource, a principal, a kind of finding) hides that; one without such a
criterion hides every finding.
"""

from __future__ import annotations

import re

from threatmodel.evidence.analyses.properties import each, flag, number, read, worded
from threatmodel.stacks.values import List, Node, Table, Unknown, unknowns

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
