"""A template that the CDK wrote: names with hashes, a path for each resource, custom resources of its own."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.collecting import collected
from tests.support import HOME
from threatmodel.api import load_model as load_graph
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


ALL = "name: Shop\nevidence: [{template: Receipts.template.json, functions: all}]\n"
OLD_ID = "bucket-notificationsc0ffee00c0ffee00c0ffee00c0ffee00-dd"


def test_helper_functions_of_the_cdk_are_marked(capsys: pytest.CaptureFixture[str]) -> None:
    name = f"BucketNotificationsHandler{UUID}"
    text = json.dumps(TEMPLATE).replace(f"BucketNotifications{UUID}", name)
    Path("Receipts.template.json").write_text(text, encoding="utf-8")
    assert main(["import", "Receipts.template.json"]) == 0
    written = capsys.readouterr().out
    line = "    description: A helper function of the CDK, which sets the notifications of buckets"
    assert line in written.split("\n  bucket-notifications:")[1]
    assert "helper" not in written.split("  reader:")[1].split("\n  bucket-notifications:")[0]
    Path("m.yaml").write_text(ALL, encoding="utf-8")
    graph = load_graph("m.yaml")
    assert graph.system.nodes["bucket-notifications-handler"].description == line.partition(": ")[2]


def test_decisions_about_a_function_follow_its_name() -> None:
    """`functions: all` once made its id of the logical id, whose hash the path does not have."""
    Path("Receipts.template.json").write_text(json.dumps(TEMPLATE), encoding="utf-8")
    accepted = "{risk: 9, reason: r, owner: o, expires: 2026-12-01}"
    decided = f"accepted_risks:\n  over-privileged-role@{OLD_ID}: {accepted}\n"
    Path("m.yaml").write_text(ALL + decided, encoding="utf-8")
    for _ in range(2):  # the second time what evidence says comes from the cache
        graph = load_graph("m.yaml")
        assert "bucket-notifications" in graph.system.nodes
        assert [one.element for one in graph.system.acceptances] == ["bucket-notifications"]
    flow = f"accepted_risks:\n  flow-readable@{OLD_ID}:orders:reads: {accepted}\n"
    Path("m.yaml").write_text(ALL + flow, encoding="utf-8")
    assert [one.element for one in load_graph("m.yaml").system.acceptances] == ["bucket-notifications:orders:reads"]
    both = f"  over-privileged-role@bucket-notifications: {accepted}\n"
    Path("m.yaml").write_text(ALL + decided + both, encoding="utf-8")
    assert [one.element for one in load_graph("m.yaml").system.acceptances] == [OLD_ID, "bucket-notifications"]
