"""Buckets: whether anyone gets in, whether they reject keys that a writer brings along, whether uploads are scanned.

Files are scanned, and readers wait for the result, by GuardDuty's protection for S3:
https://docs.aws.amazon.com/guardduty/latest/ug/tag-based-access-s3-malware-protection.html
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from functools import partial
from typing import NamedTuple

from threatmodel.evidence.analyses.properties import each, read, stands, worded
from threatmodel.evidence.analyses.registry import analysis, rows
from threatmodel.evidence.analyses.sharing import (
    any_source,
    everybody,
    not_understood,
    open_condition,
    public_statements,
    set_value,
)
from threatmodel.evidence.answers import (
    Answer,
    Answered,
    Gathered,
    Outcome,
    Unanswered,
    doubt_of,
    doubted,
    every,
    judged,
    named,
    no,
    one_of,
    places,
    said,
    some,
    unknown,
    yes,
)
from threatmodel.evidence.policies.conditions import NEGATIVE
from threatmodel.evidence.policies.grants import TOKEN, ConditionKey, Grant, Pattern, allowing, grants, pattern
from threatmodel.evidence.policies.iam import actions_of, expanded
from threatmodel.stacks.stack import Resource, Stack
from threatmodel.stacks.values import List, Node, Scalar, Table, get, items, text, unknowns

# --- buckets

_GROUPS = ("acs.amazonaws.com/groups/global/AllUsers", "acs.amazonaws.com/groups/global/AuthenticatedUsers")


class _Way(NamedTuple):
    """One way to use a bucket: the levels of its actions, and what of an access list allows it."""

    levels: frozenset[str]
    lists: frozenset[str]
    permissions: frozenset[str]


_READING = _Way(
    frozenset(("read", "list")),
    frozenset(("publicread", "publicreadwrite", "authenticatedread")),
    frozenset(("READ", "READ_ACP", "FULL_CONTROL")),
)
_WRITING = _Way(
    frozenset(("write", "tagging", "permissions")),
    frozenset(("publicreadwrite",)),
    frozenset(("WRITE", "WRITE_ACP", "FULL_CONTROL")),
)


def _open(way: _Way, parts: Sequence[Gathered], resource: Resource, stack: Stack) -> Outcome:
    """Whether a policy or access list lets anyone use a bucket so, and no public access block keeps them out."""
    policies = named(parts, "policy")
    by_service = _by_service(way, policies, resource, stack)
    if by_service is not None:
        return by_service
    lists, blocks = named(parts, "acl"), named(parts, "block", "account-block")
    by_policy = some(public_statements(policies, resource, stack, partial(_allows, way)), parts=policies)
    by_list = some((doubted(_of_acl(part.node, way), part.resource.doubt) for part in lists), parts=lists)
    answers = (
        _barred(by_policy if policies else None, blocks, _FOR_POLICIES),
        _barred(by_list if lists else None, blocks, _FOR_LISTS),
    )
    open_ways = [one for one in answers if isinstance(one, Answered) and one.value]
    if open_ways:
        return open_ways[0]
    for one in answers:
        if isinstance(one, Unanswered):
            return one
    doubtful = all(doubt_of(part.resource, resource) for part in policies)  # or there is none at all
    if None in answers and doubtful:
        return Unanswered("another file may have a policy of the bucket", places(parts)[0])
    return Answered(value=False, places=places(parts))


rows("policy", "acl", "block", "account-block")({
    "bucket-public": partial(_open, _READING),
    "bucket-writable": partial(_open, _WRITING),
})  # fmt: skip


def _allows(way: _Way, grant: Grant) -> bool | None:
    """Whether a statement is about an action of the way; None if it is about one that is not known."""
    known = actions_of("s3")
    found = one_of(grant.covers(name) for name, one in known.items() if one.level in way.levels)
    new = any(one.open is None and not expanded(one.text) for one in grant.actions)
    return None if new and not found else found


_SHOWS = "cloudfront.amazonaws.com"


def _by_service(way: _Way, policies: Sequence[Gathered], resource: Resource, stack: Stack) -> Outcome:
    """Return whether a policy allows an AWS service for any customer, or a CDN, which publishes the content.

    A public access block leaves such a statement alone, since a service is a fixed principal
    (docs.aws.amazon.com/AmazonS3: "access-control-block-public-access", "The meaning of public").
    """
    for grant in allowing(grants(policies, resource, stack)):
        services = [one for one in grant.principals if one.kind == "Service"]
        asked = _allows(way, grant) if services else False
        if asked is False:
            continue
        at = next((one.pattern.place for one in services), grant.place)
        if grant.open is None and asked and any_source(grant):
            return yes(at, "its policy allows a service to act for any account")
        if any(one.pattern.text == _SHOWS for one in services):
            return Unanswered("a CDN has access, and it is unknown who has access through the CDN", at)
    return None


class _Switches(NamedTuple):
    """What of a public access block closes a way in, and what only rejects a new one and leaves what is there."""

    closes: str
    refuses: str


_FOR_POLICIES = _Switches("RestrictPublicBuckets", "BlockPublicPolicy")
_FOR_LISTS = _Switches("IgnorePublicAcls", "BlockPublicAcls")


def _barred(outcome: Outcome, blocks: Sequence[Gathered], switches: _Switches) -> Outcome:
    """What one way in comes to behind the blocks: closed where a switch that closes it is on, whatever the way says."""
    settings = [set_value(get(part.node, switches.closes)) for part in blocks]
    closing = _closing(blocks, switches)
    if closing is not None:
        return no(closing.place, "a public access block denies public access")
    if not isinstance(outcome, Answered) or not outcome.value:
        return outcome
    refusing = next((one for part in blocks if _is_on(one := get(part.node, switches.refuses))), None)
    if refusing is not None:
        return Unanswered("new public access is rejected, but existing public access remains", refusing.place)
    doubt = next((part.resource.doubt for part in blocks if part.resource.doubt is not None), None)
    if doubt is not None:
        return unknown(doubt)
    open_one = next((one for one in settings if one is not None and not isinstance(one, Scalar)), None)
    return outcome if open_one is None else unknown(not_understood(open_one))


def _closing(blocks: Sequence[Gathered], switches: _Switches) -> Node | None:
    """A switch that surely closes a way in: of the account, or of the bucket where each of its blocks has it on.

    A bucket has one block: of two resources that write it, the last one that is applied counts.
    """
    for name in ("account-block", "block"):
        those = [part for part in blocks if part.part == name]
        sure = [set_value(get(part.node, switches.closes)) for part in those if part.resource.doubt is None]
        found = [node for node in sure if node is not None and _is_on(node)]
        if found and (name == "account-block" or len(found) == len(those)):
            return found[0]
    return None


def _is_on(node: Node | None) -> bool:
    return isinstance(node, Scalar) and str(node.value).lower() == "true"


def _of_acl(node: Node, way: _Way) -> Answer:
    stated = text(node)
    if stated is None and isinstance(node, Table):
        own = set_value(get(node, "acl"))
        granted = [one for one in _granted(node, way) if one.endswith(_GROUPS)]
        hidden = next(unknowns(node), None)
        if granted or (own is None and hidden is None):
            return yes(node.place, _LISTED) if granted else no(node.place)
        node, stated = (own, text(own)) if hidden is None and own is not None else (hidden or node, None)
    if stated is None:
        return unknown(not_understood(node))
    public = re.sub(r"[^a-z]", "", stated.lower()) in way.lists
    return yes(node.place, _LISTED) if public else no(node.place)


_LISTED = "its access control list grants public access"


def _granted(node: Node, way: _Way) -> Iterator[str]:
    """The texts of an access list, without those of entries that permit something else."""
    if isinstance(node, Table):
        permission = get(node, "permission") or get(node, "Permission")
        if permission is None or (text(permission) or "").upper() in way.permissions:
            for child in node.entries.values():
                yield from _granted(child, way)
    elif isinstance(node, List):
        for child in node.items:
            yield from _granted(child, way)
    elif isinstance(node, Scalar) and isinstance(node.value, str):
        yield node.value


# --- keys of the writer's

_ITS_KEY = "s3:x-amz-server-side-encryption-customer-algorithm"
_ENCRYPTION = "s3:x-amz-server-side-encryption"


@analysis("policy", "blocked-types")
def refuses_customer_keys(parts: Sequence[Gathered], resource: Resource, stack: Stack) -> Outcome:
    """Whether uploads with a key of the writer's are rejected."""
    blocked = [doubted(_blocked(part), part.resource.doubt) for part in named(parts, "blocked-types")]
    stated = grants(named(parts, "policy"), resource, stack)
    denied = [grant.says(_refuses(grant)) for grant in stated if grant.effect != "Allow"]
    outcome = some([*blocked, *denied], parts=parts)
    if isinstance(outcome, Answered) and not outcome.value and not blocked:
        why = "without a statement about encryption types, what the bucket rejects depends on its creation date"
        return Unanswered(why, outcome.places[0])
    return outcome


def _blocked(part: Gathered) -> Answer:
    node = get(part.node, "EncryptionType") if isinstance(part.node, Table) else part.node
    found = [pattern(one) for one in items(node)]
    if any(one.text == "SSE-C" for one in found):
        return yes(part.node.place)
    open_one = next((one.open for one in found if one.open is not None), None)
    return unknown(open_one) if open_one is not None else no(part.node.place)


def _refuses(grant: Grant) -> Answer:
    """Return whether a statement denies all uploads with a key that the writer supplies."""
    about = grant.covers("s3:putobject")
    open_one = next((one.open for one in (*grant.actions, *grant.resources) if one.open is not None), None)
    conditions = [_customer_key(one) for one in grant.conditions]
    holds: list[bool | None] = [about, everybody(grant)[0], *conditions]
    objects = [_every_object(one) and not grant.but_resources for one in grant.resources if one.open is None]
    holds.append(any(objects) or (None if any(one.open for one in grant.resources) else False))
    if not conditions or False in holds:
        return no(grant.place)
    if None in holds:
        return unknown(open_one or open_condition(grant))
    return yes(grant.place)


def _every_object(one: Pattern) -> bool:
    """Whether a resource of a bucket's policy is every object of it, not those below a prefix alone."""
    bucket, slash, key = TOKEN.sub("x", one.text).rpartition(":")[2].partition("/")
    return key == "*" if slash else bucket.endswith("*")


def _customer_key(condition: ConditionKey) -> bool | None:
    """Whether a condition of a denial holds for every upload with a key of the writer's."""
    if not condition.key or condition.open is not None or any(one.open is not None for one in condition.values):
        return None
    values = {one.text.lower() for one in condition.values}
    match condition.operator, condition.key:
        case "null", name if name == _ITS_KEY:
            return values == {"false"}
        case "stringequals" | "stringlike", name if name == _ITS_KEY:
            return "aes256" in values or "*" in values
        case "null", name if name == _ENCRYPTION:
            return values == {"true"}
        case "stringnotequals" | "stringnotlike" | "stringnotequalsifexists", name if name == _ENCRYPTION:
            return condition.operator != "stringnotequalsifexists"
        case _:
            return False


# --- uploads
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
    scanners = {role.name for part in named(parts, "plan") if (role := stack.target(read(part.node, "Role")))}
    waits = [
        one.says(said(_waits(one, scanners) or None, one.place, _NOT_SHOWN))
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


def _waits(grant: Grant, scanners: Collection[str]) -> bool:
    """Whether a statement denies everyone but the scanner's role to read an object that has no clean result."""
    everyone = not grant.but_principals and any(one.pattern.text == "*" for one in grant.principals)
    reads = grant.covers("s3:getobject") is True and grant.effect == "Deny" and grant.open is None
    objects = any(one.open is None and one.text.endswith("*") for one in grant.resources) and not grant.but_resources
    others = [one for one in grant.conditions if not _is_clean(one)]
    tagged = len(others) < len(grant.conditions)
    return everyone and reads and objects and tagged and all(_spares_only(one, scanners) for one in others)


def _is_clean(one: ConditionKey) -> bool:
    return one.key == _TAG and one.operator == "stringnotequals" and [value.text for value in one.values] == [_CLEAN]


def _spares_only(one: ConditionKey, roles: Collection[str]) -> bool:
    """Whether a condition of a denial exempts these roles of the file and no other principal."""
    known = [value.links[0].resource if len(value.links) == 1 and value.open is None else "" for value in one.values]
    return one.key == "aws:principalarn" and one.operator in NEGATIVE and bool(known) and set(known) <= set(roles)
