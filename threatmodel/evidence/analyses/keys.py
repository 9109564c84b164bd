"""Whether a key of one's own encrypts something: one of this file, switched on, that not everybody may use.

A key that stands elsewhere may be anybody's, and whoever owns it may take it away or read along.  A key that is
switched off, or that everybody may use, is a customer-managed key by name only: there nothing is answered, neither yes
nor no.  Where a service asks for encryption in a property of its own, a key beside that counts for nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from threatmodel.evidence.analyses.properties import Say, all_of, doubt_of, every, flag, open_at, read, worded
from threatmodel.evidence.analyses.registry import analysis
from threatmodel.evidence.analyses.sharing import anybody
from threatmodel.evidence.answers import Gathered, Outcome
from threatmodel.evidence.policies.grants import allowing, statements
from threatmodel.stacks.stack import Resource, Stack
from threatmodel.stacks.values import Node, Unknown

_SWITCHES: Mapping[str, tuple[str, frozenset[str]]] = {
    # a type: the property that switches encryption on, and the values with which a key of one's own is used
    "AWS::DynamoDB::Table": ("SSESpecification.SSEEnabled", frozenset(("true",))),
    "AWS::Serverless::SimpleTable": ("SSESpecification.SSEEnabled", frozenset(("true",))),
    "AWS::DynamoDB::GlobalTable": ("SSESpecification.SSEEnabled", frozenset(("true",))),
    "aws_dynamodb_table": ("server_side_encryption.enabled", frozenset(("true",))),
    "AWS::RDS::DBInstance": ("StorageEncrypted", frozenset(("true",))),
    "AWS::RDS::DBCluster": ("StorageEncrypted", frozenset(("true",))),
    "aws_db_instance": ("storage_encrypted", frozenset(("true",))),
    "aws_rds_cluster": ("storage_encrypted", frozenset(("true",))),
    "AWS::OpenSearchService::Domain": ("EncryptionAtRestOptions.Enabled", frozenset(("true",))),
    "AWS::Elasticsearch::Domain": ("EncryptionAtRestOptions.Enabled", frozenset(("true",))),
    "aws_elasticsearch_domain": ("encrypt_at_rest.enabled", frozenset(("true",))),
    "aws_opensearch_domain": ("encrypt_at_rest.enabled", frozenset(("true",))),
    "AWS::ElastiCache::ReplicationGroup": ("AtRestEncryptionEnabled", frozenset(("true",))),
    "aws_elasticache_replication_group": ("at_rest_encryption_enabled", frozenset(("true",))),
    "AWS::EFS::FileSystem": ("Encrypted", frozenset(("true",))),
    "aws_efs_file_system": ("encrypted", frozenset(("true",))),
    "aws_kinesis_stream": ("encryption_type", frozenset(("KMS",))),
    "AWS::Kinesis::Stream": ("StreamEncryption.EncryptionType", frozenset(("KMS",))),
}
_KEYS = ("AWS::KMS::Key", "AWS::KMS::ReplicaKey", "aws_kms_key", "aws_kms_external_key", "aws_kms_replica_key")
_ALIASES = ("AWS::KMS::Alias", "aws_kms_alias")
_POLICIES = ("aws_kms_key_policy",)
_OF_AWS = re.compile(r"(?:.*:)?alias/aws/")


@analysis("key", "rule")
def own_key(parts: Sequence[Gathered], resource: Resource, stack: Stack) -> Outcome:
    """Whether each key that is named is of this file, on, and not for everybody to use; no where it is AWS's own."""
    says = [say for part in parts for say in _key(part, stack, resource)]
    outcome = every(says, "", "a key of AWS's own encrypts it")
    switch = _switched_on(resource)
    if switch is not None:
        outcome = every((switch,), "", "its encryption is not switched on") if not switch.value else outcome
    return outcome


def _switched_on(resource: Resource) -> Say | None:
    if resource.type not in _SWITCHES:
        return None
    path, wanted = _SWITCHES[resource.type]
    node = read(resource.properties, *path.split("."))
    if isinstance(node, Unknown):
        return open_at(node)
    return Say((worded(node) or "").lower() in {one.lower() for one in wanted}, (node or resource.properties).place)


def _key(part: Gathered, stack: Stack, element: Resource) -> Iterator[Say]:
    node: Node | None = part.node
    if part.part == "rule":  # of a bucket: a key is used with KMS only
        default = read(node, "ServerSideEncryptionByDefault|apply_server_side_encryption_by_default")
        kms = (worded(read(default, "SSEAlgorithm|sse_algorithm")) or "").startswith("aws:kms")
        node = read(default, "KMSMasterKeyID|kms_master_key_id")
        if node is None or not kms:
            yield Say(value=False, place=part.node.place)
            return
    if node is not None:
        yield _of(node, stack, element)._replace(doubt=doubt_of(part.resource, element))


def _of(node: Node, stack: Stack, element: Resource) -> Say:
    """What is said of one key that is named."""
    told = worded(node)
    if told is not None and _OF_AWS.match(told):
        return Say(value=False, place=node.place)
    target = stack.target(node)
    if target is not None and target.type in _ALIASES:
        hidden = doubt_of(target, element)
        if hidden is not None:
            return open_at(hidden)
        target = stack.target(read(target.properties, "TargetKeyId"))
    if isinstance(node, Unknown):
        return open_at(node)
    if target is None or target.type not in _KEYS:
        return Say(None, node.place, "the key is not in this file: whose it is, and who may use it, is not told")
    doubt = target.opaque or doubt_of(target, element)
    if doubt is not None:
        return open_at(doubt)
    on = flag(read(target.properties, "Enabled|is_enabled"), left_out=True)
    if not on:
        return Say(None, target.place, "the key is switched off, or may be")
    closed = _closed(target, stack)
    return Say(True if closed else None, target.place, "everybody may use the key, or may be let do so")


def _closed(key: Resource, stack: Stack) -> bool | None:
    """Whether no statement of a key's policies lets everybody use it; without a policy it is the account's."""
    policies = [read(key.properties, "KeyPolicy|policy")]
    for one in stack.of_type(*_POLICIES):
        about = stack.target(read(one.properties, "key_id"))
        if about is None or about is key:
            policies.append(read(one.properties, "policy"))
    verdicts = [anybody(grant).truth for one in policies if one is not None for grant in allowing(statements(one))]
    return all_of([None if truth is None else not truth for truth in verdicts])
