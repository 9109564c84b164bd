"""What SAM adds to a template stands where it comes from."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from tests.stacks.sam_text import FUNCTION, at, read, resources, told
from tests.support import HOME
from threatmodel.stacks import sam
from threatmodel.stacks.cloudformation import reader as cloudformation
from threatmodel.stacks.values import (
    Link,
    get,
    items,
    shape_of,
)

# --- what is added, and where it stands


def test_a_stack_without_sam_stays_as_it_is() -> None:
    stack, globals_ = cloudformation.read("Resources: {Q: {Type: AWS::SQS::Queue}}", "template.yaml")
    assert sam.expanded(stack, globals_) is stack


def test_a_role_is_added_and_the_function_refers_to_it() -> None:
    stack = resources(f"""
        Hello:
          {FUNCTION}
          Properties:
            Policies:
              - SQSPollerPolicy: {{QueueName: !GetAtt Work.QueueName}}
        Work: {{Type: AWS::SQS::Queue}}
        """)
    role = stack.resources["HelloRole"]
    assert role.type == "AWS::IAM::Role"
    assert role.made_by == "Hello"
    assert stack.target(at(stack.resources["Hello"], "Role")) is role
    assert told(role, "AssumeRolePolicyDocument", "Statement", 0, "Principal") == {"Service": ["lambda.amazonaws.com"]}
    assert told(role, "ManagedPolicyArns") == ["AWSLambdaBasicExecutionRole"]
    statement = at(role, "Policies", 0, "PolicyDocument", "Statement", 0)
    assert "sqs:ReceiveMessage" in [shape_of(one) for one in items(get(statement, "Action"))]
    assert (
        shape_of(get(statement, "Resource"))
        == "arn:${AWS::Partition}:sqs:${AWS::Region}:${AWS::AccountId}:${Work.QueueName}"
    )


def test_what_is_generated_stands_at_the_lines_that_cause_it() -> None:
    stack = resources(f"""
        Hello:
          {FUNCTION}
          Properties:
            DeadLetterQueue: {{Type: SQS, TargetArn: !GetAtt Dead.Arn}}
            Tracing: Active
            Policies:
              - S3ReadPolicy: {{BucketName: files}}
            Events:
              Get:
                Type: Api
                Properties: {{Path: /hello, Method: get}}
        Dead: {{Type: AWS::SQS::Queue}}
        """)
    role = stack.resources["HelloRole"]
    assert role.place.line == 4
    inline = {told(role, "Policies", index, "PolicyName"): at(role, "Policies", index) for index in range(2)}
    assert inline["DeadLetterQueuePolicy"].place.line == 7  # type: ignore[union-attr]
    assert inline["HelloRolePolicy0"].place.line == 10  # type: ignore[union-attr]
    assert at(role, "ManagedPolicyArns", 1).place.line == 8  # type: ignore[union-attr]
    for name in ("HelloGetPermissionProd", "ServerlessRestApi GET /hello", "ServerlessRestApi"):
        assert stack.resources[name].place.line == 12, name
        assert stack.resources[name].made_by == "Hello"


def test_a_conditional_function_makes_everything_conditional() -> None:
    stack = read(f"""
        Transform: AWS::Serverless-2016-10-31
        Parameters: {{Stage: {{Type: String}}}}
        Conditions: {{Live: !Equals [!Ref Stage, live]}}
        Resources:
          Hello:
            {FUNCTION}
            Condition: Live
            Properties:
              FunctionUrlConfig: {{AuthType: NONE}}
              Events: {{Get: {{Type: Api, Properties: {{Path: /hello, Method: get}}}}}}
        """)
    for resource in stack.resources.values():
        assert resource.doubt is not None, resource.name


def test_globals_are_merged_as_sam_does() -> None:
    stack = read("""
        Transform: AWS::Serverless-2016-10-31
        Globals:
          Function:
            Runtime: python3.13
            Layers: [a]
            Architectures: [x86_64]
            Environment: {Variables: {A: "1", B: "1"}}
        Resources:
          Own:
            Type: AWS::Serverless::Function
            Properties:
              Runtime: python3.14
              Layers: [b]
              Architectures: [arm64]
              Environment: {Variables: {B: "2"}}
          Without:
            Type: AWS::Serverless::Function
            IgnoreGlobals: [Layers]
          Free:
            Type: AWS::Serverless::Function
            IgnoreGlobals: "*"
        """)
    own = stack.resources["Own"]
    assert told(own, "Runtime") == "python3.14"
    assert told(own, "Layers") == ["a", "b"]
    assert told(own, "Architectures") == ["arm64"]
    assert told(own, "Environment", "Variables") == {"A": "1", "B": "2"}
    assert at(own, "Environment", "Variables", "A").place.line == 8  # type: ignore[union-attr]
    assert at(stack.resources["Without"], "Layers") is None
    assert told(stack.resources["Without"], "Runtime") == "python3.13"
    assert set(stack.resources["Free"].properties.entries) == {"Role"}


# --- references to what SAM generates


@pytest.mark.parametrize(
    ("reference", "resource", "attribute"),
    [
        ("!Ref HelloRole", "HelloRole", ""),
        ("!GetAtt HelloRole.Arn", "HelloRole", "Arn"),
        ("!Ref ServerlessRestApi", "ServerlessRestApi", ""),
        ("!Ref ServerlessRestApi.Stage", "ServerlessRestApiProdStage", ""),
        ("!Ref ServerlessRestApiProdStage", "ServerlessRestApiProdStage", ""),
        ("!Ref Hello.Alias", "HelloAliaslive", ""),
        ("!GetAtt Hello.DestinationQueue.Arn", "HelloEventInvokeConfigOnFailureQueue", "Arn"),
    ],
)
def test_references_lead_to_what_sam_generates(reference: str, resource: str, attribute: str) -> None:
    stack = resources(f"""
        Hello:
          {FUNCTION}
          Properties:
            AutoPublishAlias: live
            EventInvokeConfig: {{DestinationConfig: {{OnFailure: {{Type: SQS}}}}}}
            Events: {{Get: {{Type: Api, Properties: {{Path: /hello, Method: get}}}}}}
        Other:
          Type: AWS::SSM::Parameter
          Properties: {{Type: String, Value: {reference}}}
        """)
    link = at(stack.resources["Other"], "Value")
    assert isinstance(link, Link)
    assert (link.resource, link.attribute) == (resource, attribute)
    assert resource in stack.resources


def test_an_alias_is_called_by_its_arn() -> None:
    stack = resources(f"""
        Hello:
          {FUNCTION}
          Properties:
            AutoPublishAlias: live
            Events: {{Daily: {{Type: Schedule, Properties: {{Schedule: rate(1 day)}}}}}}
        """)
    assert told(stack.resources["HelloDailyPermission"], "FunctionName") == "${Hello.Arn}:live"
    assert told(stack.resources["HelloDaily"], "Targets", 0, "Arn") == "${Hello.Arn}:live"
    assert stack.target(at(stack.resources["HelloDailyPermission"], "FunctionName")) is stack.resources["Hello"]


# --- what else hangs on functions


def test_buckets_and_user_pools_gain_what_calls() -> None:
    stack = resources(f"""
        Hello:
          {FUNCTION}
          Properties:
            Events:
              Made:
                Type: S3
                Properties: {{Bucket: !Ref Files, Events: ["s3:ObjectCreated:*", "s3:ObjectRemoved:*"]}}
              Signing: {{Type: Cognito, Properties: {{UserPool: !Ref Users, Trigger: PreSignUp}}}}
        Files:
          Type: AWS::S3::Bucket
          Properties: {{NotificationConfiguration: {{EventBridgeConfiguration: {{}}}}}}
        Users: {{Type: AWS::Cognito::UserPool}}
        """)
    files, users = stack.resources["Files"], stack.resources["Users"]
    calls = at(files, "NotificationConfiguration", "LambdaConfigurations")
    assert [shape_of(get(one, "Event")) for one in items(calls)] == ["s3:ObjectCreated:*", "s3:ObjectRemoved:*"]
    assert at(files, "NotificationConfiguration", "EventBridgeConfiguration") is not None
    assert shape_of(at(users, "LambdaConfig", "PreSignUp")) == "${Hello.Arn}"
    assert told(stack.resources["HelloMadePermission"], "SourceAccount") == "${AWS::AccountId}"


def test_a_resource_policy_becomes_the_apis_policy() -> None:
    stack = resources("""
        Api:
          Type: AWS::Serverless::Api
          Properties:
            StageName: live
            Auth:
              ResourcePolicy:
                AwsAccountWhitelist: ["123456789012"]
                SourceVpcWhitelist: [vpc-1, vpce-2]
        """)
    statements = told(stack.resources["Api"], "Policy", "Statement")
    assert [one["Effect"] for one in statements] == ["Allow", "Allow", "Deny", "Deny"]
    assert statements[0]["Principal"] == {"AWS": ["123456789012"]}
    assert [one["Condition"]["StringNotEquals"] for one in statements[2:]] == [
        {"aws:SourceVpce": ["vpce-2"]},
        {"aws:SourceVpc": ["vpc-1"]},
    ]


def test_deployments_say_how_they_shift_traffic() -> None:
    stack = resources(f"""
        Hello:
          {FUNCTION}
          Properties:
            AutoPublishAlias: live
            DeploymentPreference: {{Type: Canary10Percent5Minutes, Alarms: [!Ref Errors]}}
        Errors: {{Type: AWS::CloudWatch::Alarm}}
        """)
    group = stack.resources["HelloDeploymentGroup"]
    assert told(group, "DeploymentConfigName") == "CodeDeployDefault.LambdaCanary10Percent5Minutes"
    assert stack.target(at(group, "AlarmConfiguration", "Alarms", 0, "Name")) is stack.resources["Errors"]
    assert stack.target(at(group, "ServiceRoleArn")) is stack.resources["CodeDeployServiceRole"]


# --- the table


def test_the_table_is_what_its_script_writes() -> None:
    script = HOME / "scripts" / "sam_policies.py"
    run = subprocess.run([sys.executable, str(script), "--check"], capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout + run.stderr


def test_the_table_says_whose_it_is() -> None:
    table = json.loads((HOME / "threatmodel" / "stacks" / "sam" / "sam-policies.json").read_text(encoding="utf-8"))
    assert "Apache-2.0" in table["about"]
    assert len(table["templates"]) >= 81
