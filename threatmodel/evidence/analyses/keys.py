"""Whether a customer managed key encrypts a resource: a key of this file, enabled, and not open to all principals.

A key of another file may belong to any account, and its owner may delete it or read along.  A key that is disabled,
or open to all, is a customer managed key by name only: the answer is neither yes nor no.  If a service requires
encryption in a separate property, a key alone does not count.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence

from threatmodel.evidence.analyses.failures import dead_letters_of
from threatmodel.evidence.analyses.guardrails import denies
from threatmodel.evidence.analyses.properties import flag, number, read, worded
from threatmodel.evidence.analyses.registry import analysis
from threatmodel.evidence.analyses.sharing import anybody, everybody
from threatmodel.evidence.answers import (
    Answer,
    Answered,
    Gathered,
    Outcome,
    Unanswered,
    all_of,
    doubt_of,
    doubted,
    every,
    judged,
    named,
    no,
    open_at,
    said,
    unknown,
    yes,
)
from threatmodel.evidence.policies.conditions import narrows
from threatmodel.evidence.policies.grants import Grant, allowing, statements
from threatmodel.reading.problems import Place
from threatmodel.stacks.resource_schemas import encryption_switch
from threatmodel.stacks.stack import Resource, Stack
from threatmodel.stacks.values import Node, Unknown

_KEYS = ("AWS::KMS::Key", "AWS::KMS::ReplicaKey")
_USES = ("kms:decrypt", "kms:creategrant", "kms:reencryptfrom", "kms:generatedatakey")
"""Actions that read what a key encrypts, or that let a principal give itself access."""
_OF_AWS = re.compile(r"(?:.*:)?alias/aws/")


@analysis("key", "rule", "cluster", "replica")
def own_key(parts: Sequence[Gathered], resource: Resource, stack: Stack) -> Outcome:
    """Return whether each named key is of this file, enabled, and not open to all; no if it is AWS's own.

    An instance of a cluster has the cluster's key, and what comes out of a snapshot or copies another store the key of
    that; a dead-letter queue is a separate queue, which needs a key as well.
    """
    for cluster in named(parts, "cluster"):
        return _of_cluster(cluster, stack)
    origins = _ORIGINS if resource.type.startswith("AWS::RDS::") else ()
    inherited = next((one for name in origins if (one := read(resource.properties, name)) is not None), None)
    if inherited is not None:
        return Unanswered("it uses the key of its source, which is unknown here", inherited.place)
    says = [say for part in named(parts, "key", "rule") for say in _key(part, stack, resource)]
    if says:
        why = "a replica uses a key that AWS owns or manages"
        replicas = named(parts, "replica")
        says += judged(replicas, resource, lambda one: _of(read(one.node, "KMSKeyArn"), stack, resource, one.node, why))
        says += _put_aside(resource, stack)
    outcome = every(says, "", "it is encrypted with a key that AWS owns or manages")
    switch = _switched_on(resource)
    on = isinstance(switch, Answered) and switch.value
    return outcome if switch is None or on else switch


def _of_cluster(part: Gathered, stack: Stack) -> Outcome:
    if isinstance(part.node, Unknown):
        return unknown(part.node)
    cluster = part.resource
    key = read(cluster.properties, "KmsKeyId")
    if key is None:
        return no(cluster.place, "its cluster has no customer managed key")
    return own_key([Gathered("key", key, cluster)], cluster, stack)


_ORIGINS = (
    *("DBSnapshotIdentifier", "SnapshotIdentifier", "SourceDBInstanceIdentifier", "SourceDBClusterIdentifier"),
    *("SourceDBInstanceAutomatedBackupsArn", "SourceDbiResourceId", "ReplicationSourceIdentifier"),
    "restore_to_point_in_time",
)
"""What a database comes from, which decides whether it is encrypted, and a copy's key
(docs.aws.amazon.com/AmazonRDS: "Overview.Encryption").
"""


def _put_aside(queue: Resource, stack: Stack) -> Iterator[Answer]:
    """Return whether the dead-letter queue of this file has a customer managed key."""
    target = dead_letters_of(queue, stack)
    if target is not None and target is not queue:
        why = "its dead-letter queue uses a key that AWS owns or manages"
        yield _of(read(target.properties, "KmsMasterKeyId"), stack, queue, target, why)


_ON = frozenset(("true", "kms"))


def _switched_on(resource: Resource) -> Answer | None:
    """Whether the separate property that enables encryption is on; None where a type has none."""
    path = encryption_switch(resource.type)
    if not path:
        return None
    node = read(resource.properties, *path.split("."))
    if isinstance(node, Unknown):
        return open_at(node)
    at = (node or resource.properties).place
    return yes(at) if (worded(node) or "").lower() in _ON else no(at, "its encryption is off")


def _key(part: Gathered, stack: Stack, element: Resource) -> Iterator[Answer]:
    node: Node | None = part.node
    if part.part == "rule":  # of a bucket: a key is used with KMS only
        default = read(node, "ServerSideEncryptionByDefault")
        kms = (worded(read(default, "SSEAlgorithm")) or "").startswith("aws:kms")
        node = read(default, "KMSMasterKeyID")
        if node is None or not kms:
            yield no(part.node.place)
            return
    if node is not None:
        yield doubted(_of(node, stack, element, node), doubt_of(part.resource, element))


def _of(node: Node | None, stack: Stack, element: Resource, of: Node | Resource, why: str = "") -> Answer:
    """What is said of one key that is named; `why` not, where none is."""
    if node is None:
        return Unanswered(why, of.place)
    stated = worded(node)
    if stated is not None and _OF_AWS.match(stated):
        return no(node.place)
    target = stack.target(node)
    if target is not None and target.type == "AWS::KMS::Alias":
        hidden = doubt_of(target, element)
        if hidden is not None:
            return unknown(hidden)
        target = stack.target(read(target.properties, "TargetKeyId"))
    if isinstance(node, Unknown):
        return open_at(node)
    if target is None or target.type not in _KEYS:
        return Unanswered("the key is not in this file, so its owner and its users are unknown", node.place)
    doubt = target.opaque or doubt_of(target, element)
    if doubt is not None:
        return unknown(doubt)
    on = flag(read(target.properties, "Enabled"), left_out=True)
    if not on:
        return Unanswered("the key is disabled, or may be", target.place)
    closed = _closed(target, stack)
    return said(closed or None, target.place, "any principal may use the key, or may be granted its use")


def _closed(key: Resource, stack: Stack) -> bool | None:
    """Return whether every use of a key needs a permission; without a policy it is the account's, which requires that.

    A statement for all principals of the account requires none, and neither does a key that AWS manages.
    """
    policy = read(key.properties, "KeyPolicy")
    verdicts = [_asks_for_a_right(grant) for grant in allowing(statements(policy))]
    granted = [_granted(one, key, stack) for one in stack.of_type("AWS::KMS::Grant")]
    return all_of([*verdicts, *granted])


_WHO = frozenset(("aws:principalarn", "aws:sourcearn", "aws:userid"))
"""Conditions that name single identities or sources, rather than all of an account."""


def _asks_for_a_right(grant: Grant) -> bool | None:
    """Return whether a statement of a key's policy allows only identities that it names."""
    if not any(grant.covers(action) is not False for action in _USES):
        return True
    anyone = grant.says(anybody(grant))
    if isinstance(anyone, Unanswered):
        return None
    if not grant.but_principals and not any(one.kind == "*" for one in grant.principals):
        return True
    who = [one.values for one in grant.conditions if one.key in _WHO and narrows(one)]
    named_there = any(values and not any(set(one.text) & set("*?") for one in values) for values in who)
    return True if named_there and not anyone.value else None


def _granted(grant: Resource, key: Resource, stack: Stack) -> bool | None:
    """Whether a grant on a key is none, or is for an identity of this file."""
    if stack.target(read(grant.properties, "KeyId")) not in (key, None):
        return True
    return True if stack.target(read(grant.properties, "GranteePrincipal")) is not None else None


# --- who may disable or delete the key

_ENDS = ("kms:disablekey", "kms:schedulekeydeletion", "kms:revokegrant", "kms:putkeypolicy")
"""Actions that end the use of a key, or that let a principal allow itself to.  A table is read through a grant."""
_BUT_SERVICES = [("kms:grantisforawsresource", "boolifexists", all, "false")]


@analysis("key", "rule", "cluster", "replica")
def key_deletion_denied(parts: Sequence[Gathered], resource: Resource, stack: Stack) -> Outcome:
    """Whether the policy of each named key denies its end to all but named principals.

    A service control policy may deny it too, so that it is never a no.
    """
    return _of_keys(_keeps, parts, resource, stack)


@analysis("key", "rule", "cluster", "replica")
def key_rotated(parts: Sequence[Gathered], resource: Resource, stack: Stack) -> Outcome:
    """Whether each named key is rotated every year, which it is only if that is enabled."""
    return _of_keys(_rotated, parts, resource, stack)


def _of_keys(
    judge: Callable[[Resource | None, Place], Answer], parts: Sequence[Gathered], resource: Resource, stack: Stack
) -> Outcome:
    """What is said of each key that a resource names itself."""
    return every(
        doubted(judge(_named_key(part, stack), part.node.place), doubt_of(part.resource, resource))
        for part in named(parts, "key", "rule")
    )


def _named_key(part: Gathered, stack: Stack) -> Resource | None:
    default = read(part.node, "ServerSideEncryptionByDefault")
    node = read(default, "KMSMasterKeyID") if part.part == "rule" else part.node
    target = stack.target(node)
    if target is not None and target.type == "AWS::KMS::Alias":
        target = stack.target(read(target.properties, "TargetKeyId"))
    return target


def _keeps(key: Resource | None, place: Place) -> Answer:
    if key is None or key.type not in _KEYS or key.opaque is not None or key.doubt is not None:
        return Unanswered("the policy of its key is not in this file", place)
    found = [
        one for one in statements(read(key.properties, "KeyPolicy")) if everybody(one)[0] and not one.but_principals
    ]
    if all(any(denies(one, action, _BUT_SERVICES) for one in found) for action in _ENDS):
        return yes(key.place)
    return Unanswered("the key's own policy lets administrators disable or delete it", key.place)


_A_YEAR = 365


def _rotated(key: Resource | None, place: Place) -> Answer:
    if key is None or key.type != "AWS::KMS::Key" or key.opaque is not None or key.doubt is not None:
        return Unanswered("the key is not in this file, or may have other settings", place)
    on, days = read(key.properties, "EnableKeyRotation"), read(key.properties, "RotationPeriodInDays")
    rotates = flag(on, left_out=False)
    if rotates and days is not None:
        period = number(days)
        rotates = None if period is None else period <= _A_YEAR
    return said(rotates, (days or on or key).place, "it is unknown whether the key is rotated")
