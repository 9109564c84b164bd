"""The table of AWS's schemas is that of the version that is installed, and its rows are what they should be."""

from __future__ import annotations

import json

import pytest

from scripts import resource_schemas
from threatmodel.evidence.resource_schemas import Permission, ResourcePolicy, exists, permissions, policies


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


def test_which_types_there_are() -> None:
    assert exists("AWS::Lambda::Function")
    assert exists("Alexa::ASK::Skill")
    assert not any(map(exists, ("AWS::Lambda::Functions", "Lambda", "")))
