"""What a file shows of CloudTrail: what its trails record, whether they are on, and who can reach what they write.

Several trails may record side by side, so that one of them shows what is recorded, and none that nothing is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from threatmodel.evidence.analyses.properties import each, flag, read, stands, worded
from threatmodel.evidence.analyses.registry import analysis
from threatmodel.evidence.answers import Gathered, Outcome, Unanswered, all_of, named, no, one_of, unknown, yes
from threatmodel.evidence.resource_types import known
from threatmodel.stacks.stack import Resource, Stack
from threatmodel.stacks.values import Node, Table, Unknown, unknowns

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
