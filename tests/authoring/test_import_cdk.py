"""A template that the CDK wrote: names with hashes, a path for each resource, custom resources of its own."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.collecting import collected
from tests.support import HOME
from threatmodel.command.main import main
from threatmodel.library.directions import directions
from threatmodel.library.load import load_library
from threatmodel.model.load import load_model
from threatmodel.reading.files import Files

UUID = "c0ffee00c0ffee00c0ffee00c0ffee00"


def resource(path: str, kind: str, properties: Mapping[str, object]) -> dict[str, object]:
    return {"Type": kind, "Properties": properties, "Metadata": {"aws:cdk:path": f"Receipts/{path}"}}


def arn(name: str) -> dict[str, list[str]]:
    return {"Fn::GetAtt": [name, "Arn"]}


def role(*actions: str) -> dict[str, object]:
    statement = {"Effect": "Allow", "Action": list(actions), "Resource": "*"}
    trust = {
        "Statement": [{"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}]
    }
    policies = [{"PolicyName": "own", "PolicyDocument": {"Statement": [statement]}}] if actions else []
    return {"AssumeRolePolicyDocument": trust, "Policies": policies}


def function(its_role: str, **more: object) -> dict[str, object]:
    code = {"S3Bucket": "assets", "S3Key": "one.zip"}
    return {"Runtime": "python3.13", "Handler": "a.b", "Code": code, "Role": arn(its_role), **more}


TEMPLATE = {
    "Resources": {
        "Inbox1A2B3C4D": resource("Inbox/Resource", "AWS::S3::Bucket", {}),
        "InboxNotifications5E6F": resource(
            "Inbox/Notifications/Resource",
            "Custom::S3BucketNotifications",
            {
                "ServiceToken": arn(f"BucketNotifications{UUID}DD"),
                "BucketName": {"Ref": "Inbox1A2B3C4D"},
                "NotificationConfiguration": {
                    "LambdaFunctionConfigurations": [
                        {"Events": ["s3:ObjectCreated:*"], "LambdaFunctionArn": arn("Reader99AABBCC")}
                    ]
                },
                "Managed": True,
            },
        ),
        "ReaderRole11": resource("Reader/ServiceRole/Resource", "AWS::IAM::Role", role()),
        "Reader99AABBCC": resource(
            "Reader/Resource", "AWS::Lambda::Function", function("ReaderRole11", ReservedConcurrentExecutions=5)
        ),
        "InboxAllow22": resource(
            "Inbox/AllowReader",
            "AWS::Lambda::Permission",
            {
                "Action": "lambda:InvokeFunction",
                "FunctionName": arn("Reader99AABBCC"),
                "Principal": "s3.amazonaws.com",
                "SourceAccount": {"Ref": "AWS::AccountId"},
                "SourceArn": arn("Inbox1A2B3C4D"),
            },
        ),
        f"BucketNotifications{UUID}Role33": resource(
            f"BucketNotifications{UUID}/Role", "AWS::IAM::Role", role("s3:PutBucketNotification")
        ),
        f"BucketNotifications{UUID}DD": resource(
            f"BucketNotifications{UUID}/Resource",
            "AWS::Lambda::Function",
            function(f"BucketNotifications{UUID}Role33"),
        ),
    }
}


@pytest.fixture(autouse=True)
def _in_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def imported() -> str:
    Path("Receipts.template.json").write_text(json.dumps(TEMPLATE, indent=1), encoding="utf-8")
    assert main(["import", "Receipts.template.json", "-o", "m.yaml"]) == 0
    return Path("m.yaml").read_text(encoding="utf-8")


def test_elements_are_called_what_people_called_them() -> None:
    imported()
    system = load_model(Files(), Path("m.yaml"))
    assert system.name == "Receipts"
    assert {"inbox", "reader", "bucket-notifications"} <= set(system.nodes)


def test_a_bucket_starts_what_the_cdk_has_it_tell() -> None:
    text = imported()
    assert "  reader:" in text
    assert "triggers: [{store: inbox}]" in text.split("  reader:")[1]


def test_the_cdk_s_own_function_may_not_change_the_functions_that_its_buckets_tell() -> None:
    imported()
    files = Files()
    ways = directions(load_library(HOME / "threatlib"))
    evidence, _ = collected(load_model(files, Path("m.yaml")), files, ways)
    assert evidence["reader"]["reserved_concurrency"][0].value == 5


def test_a_path_that_says_another_s_name_is_nobody_s() -> None:
    """Metadata is a text that anybody may write: a second resource of the name makes it ambiguous."""
    imported()
    decoy = resource("Reader/Resource", "AWS::Lambda::Function", function("ReaderRole11", Timeout=1))
    text = {"Resources": {**TEMPLATE["Resources"], "Decoy": decoy}}
    Path("Receipts.template.json").write_text(json.dumps(text, indent=1), encoding="utf-8")
    assert main(["-m", "m.yaml", "check"]) == 2
