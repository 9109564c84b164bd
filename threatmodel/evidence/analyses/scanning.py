"""Whether files that outsiders upload are scanned, and readers wait for the result: GuardDuty's protection for S3.

https://docs.aws.amazon.com/guardduty/latest/ug/tag-based-access-s3-malware-protection.html
"""

from __future__ import annotations

from collections.abc import Sequence

from threatmodel.evidence.analyses.properties import each, read, stands, worded
from threatmodel.evidence.analyses.registry import analysis
from threatmodel.evidence.answers import Answer, Gathered, Outcome, Unanswered, every, judged, named, said, some
from threatmodel.evidence.policies.grants import Grant, grants
from threatmodel.stacks.stack import Resource, Stack

_TAG = "s3:existingobjecttag/guarddutymalwarescanstatus"
_CLEAN = "NO_THREATS_FOUND"
_NOT_SHOWN = "it is not shown that an object is read only after a clean result"


@analysis("plan", "policy")
def uploads_scanned(parts: Sequence[Gathered], resource: Resource, stack: Stack) -> Outcome:
    """Whether all objects are scanned and tagged, and the bucket denies to read those without a clean result.

    Another scanner may do it, so that it is never a no.
    """
    scanned = some(judged(named(parts, "plan"), resource, _scans))
    if scanned is None:
        return None
    waits = [
        one.says(said(_waits(one) or None, one.place, _NOT_SHOWN))
        for one in grants(named(parts, "policy"), resource, stack)
    ]
    read_after = some(waits) or Unanswered(_NOT_SHOWN, named(parts, "plan")[0].resource.place)
    return every((scanned, read_after))


def _scans(part: Gathered) -> Answer:
    """Whether a plan covers all objects of its bucket, and tags them."""
    prefixes = read(part.node, "ProtectedResource", "S3Bucket", "ObjectPrefixes")
    tags = worded(read(part.node, "Actions", "Tagging", "Status")) == "ENABLED"
    whole = stands(prefixes) is False or not each(prefixes)
    return said((tags and whole) or None, part.resource.place, "it scans some objects only, or does not tag them")


def _waits(grant: Grant) -> bool:
    """Whether a statement denies everyone to read an object that has no clean result."""
    everyone = not grant.but_principals and any(one.pattern.text == "*" for one in grant.principals)
    reads = grant.covers("s3:getobject") is True and grant.effect == "Deny" and grant.open is None
    objects = any(one.open is None and one.text.endswith("*") for one in grant.resources) and not grant.but_resources
    tagged = len(grant.conditions) == 1 and all(
        one.key == _TAG and one.operator == "stringnotequals" and [value.text for value in one.values] == [_CLEAN]
        for one in grant.conditions
    )
    return everyone and reads and objects and tagged
