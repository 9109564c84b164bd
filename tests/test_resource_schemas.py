"""The table of AWS's schemas is that of the version that is installed, and its rows are what they should be."""

from __future__ import annotations

import json

import pytest

from scripts import resource_schemas
from scripts.terraform_resources import own_name
from threatmodel.evidence.resource_types import RESOURCE_TYPES
from threatmodel.stacks.resource_schemas import (
    Permission,
    ResourcePolicy,
    encryption_switch,
    exists,
    is_in_a_network,
    permissions,
    policies,
)


def test_the_table_is_that_of_the_installed_version() -> None:
    written = json.loads(resource_schemas.TABLE.read_text(encoding="utf-8"))
    found = json.loads(resource_schemas.text(resource_schemas.table()))
    assert written == found, "run scripts/resource_schemas.py"


@pytest.mark.parametrize(
    ("name", "row"),
    [
        ("AWS::SQS::QueuePolicy", ResourcePolicy(("PolicyDocument",), ("Queues",))),
        ("AWS::KMS::Key", ResourcePolicy(("KeyPolicy",), ())),
        ("AWS::Events::EventBusPolicy", ResourcePolicy(("Statement",), ("EventBusName",))),
        ("AWS::IAM::Role", ResourcePolicy(("AssumeRolePolicyDocument",), ())),
        ("AWS::SNS::Subscription", None),
        ("AWS::IAM::Policy", None),
        ("AWS::EC2::VPCEndpoint", None),
    ],
)
def test_which_properties_hold_policies_of_resources(name: str, row: ResourcePolicy | None) -> None:
    assert policies().get(name) == row


def test_which_types_are_single_statements() -> None:
    assert permissions()["AWS::Lambda::Permission"] == Permission("Principal", "Action", ("FunctionName",))


def test_no_type_has_another_own_name_than_its_schema_shows() -> None:
    named = {name: row.own_name for name, row in RESOURCE_TYPES.items() if name.startswith("AWS::") and row.own_name}
    given = {name: own_name(name, schema) for name, schema in resource_schemas.schemas() if name in named}
    assert {name: found for name, found in named.items() if given.get(name) not in {found, ""}} == {}


@pytest.mark.parametrize(
    ("name", "switch", "networked"),
    [
        ("AWS::RDS::DBCluster", "StorageEncrypted", True),
        ("AWS::DynamoDB::Table", "SSESpecification.SSEEnabled", False),
        ("AWS::DocDB::DBCluster", "StorageEncrypted", True),
        ("AWS::OpenSearchService::Domain", "EncryptionAtRestOptions.Enabled", True),
        ("AWS::EFS::FileSystem", "Encrypted", True),
        ("AWS::Kinesis::Stream", "StreamEncryption.EncryptionType", False),
        ("AWS::ElastiCache::ServerlessCache", "", True),
        ("AWS::S3::Bucket", "", False),
    ],
)
def test_what_encrypts_a_type_and_whether_it_is_in_a_network(name: str, switch: str, networked: bool) -> None:
    assert (encryption_switch(name), is_in_a_network(name)) == (switch, networked)


def test_which_types_there_are() -> None:
    assert exists("AWS::Lambda::Function")
    assert exists("Alexa::ASK::Skill")
    assert not any(map(exists, ("AWS::Lambda::Functions", "Lambda", "")))
