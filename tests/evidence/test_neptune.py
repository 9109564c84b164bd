"""A cluster of Neptune is a store, in every language."""

from __future__ import annotations

import pytest

from tests.evidence.asking import answer, found, plan, template

CLUSTER = "BackupRetentionPeriod: 7, DeletionProtection: true, StorageEncrypted: true, KmsKeyId: !GetAtt Key.Arn"
STACKS = {
    "template": template(
        f"  D: {{Type: AWS::Neptune::DBCluster, Properties: {{{CLUSTER}}}}}\n  Key: {{Type: AWS::KMS::Key}}\n"
    ),
    "aws": plan(
        "aws_neptune_cluster.d: {backup_retention_period: 7, deletion_protection: true, storage_encrypted: true, "
        'kms_key_arn: "${aws_kms_key.k.arn}"}\naws_kms_key.k: {}\n'
    ),
    "awscc": plan(
        "awscc_neptune_db_cluster.d: {backup_retention_period: 7, deletion_protection: true, storage_encrypted: true, "
        'kms_key_id: "${aws_kms_key.k.arn}"}\naws_kms_key.k: {}\n'
    ),
}


@pytest.mark.parametrize("language", STACKS)
def test_a_cluster_is_a_store(language: str) -> None:
    stack = STACKS[language]
    facts = ("kind", "recovery", "deletion_protection", "customer_managed_key")
    assert {fact: answer(found(stack, "store", fact)) for fact in facts} == {
        "kind": "neptune",
        "recovery": True,
        "deletion_protection": True,
        "customer_managed_key": True,
    }


@pytest.mark.parametrize(
    ("instance", "said"),
    [(", PubliclyAccessible: true", True), (", PubliclyAccessible: false", False), ("", "nothing")],
)
def test_the_address_is_that_of_its_instances(instance: str, said: object) -> None:
    stack = template(
        "  D: {Type: AWS::Neptune::DBCluster, Properties: {VpcSecurityGroupIds: [!GetAtt G.GroupId]}}\n"
        f"  I: {{Type: AWS::Neptune::DBInstance, Properties: {{DBClusterIdentifier: !Ref D{instance}}}}}\n"
        "  G:\n    Type: AWS::EC2::SecurityGroup\n"
        "    Properties: {SecurityGroupIngress: [{IpProtocol: tcp, FromPort: 8182, ToPort: 8182, CidrIp: 0.0.0.0/0}]}\n"
    )
    facts = ("public_address", "open_to_public")
    assert {fact: answer(found(stack, "store", fact, "D")) for fact in facts} == dict.fromkeys(facts, said)
