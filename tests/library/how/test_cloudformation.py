"""CloudFormation and SAM in the library is what cfn-lint and AWS's schemas know."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import chain, product, repeat
from typing import Any

import pytest

from tests.library.how.snippets import (
    CLOUDFORMATION,
    CODE,
    CONSOLE,
    TERRAFORM,
    TRANSFORM,
    completed,
    content_problems,
    cut_short,
    is_reference,
    kind,
    lint,
    nodes,
    part_problems,
    read,
    whole,
)


def cloudformation_problems(snippet: str) -> list[str]:
    """What is wrong with a snippet of CloudFormation or SAM."""
    try:
        template, added = completed(whole(snippet))
    except ValueError as error:
        return [str(error)]
    found = read(template, added)
    errors = [
        f"{'.'.join(path)}: {message}"
        for path, message in found
        if not added.intersection(path[1:2]) and not cut_short(path, message)
    ]
    return [*errors, *sam_problems(template), *content_problems(template)]


def sam_problems(template: Mapping[str, Any]) -> Iterator[str]:
    """What is wrong with the parts of SAM resources that cfn-lint passes unread."""
    for resource in template["Resources"].values():
        for whole_type, properties in generated(resource):
            yield from part_problems(whole_type, properties)
        if kind(resource) in {"AWS::Serverless::Function", "AWS::Serverless::StateMachine"}:
            for name, event in resource.get("Properties", {}).get("Events", {}).items():
                yield from event_problems(kind(resource), name, event)


FUNCTION_PROPERTIES = {"FileSystemConfigs", "RecursiveLoop", "RuntimeManagementConfig", "SnapStart"}
SOURCE_PROPERTIES = {
    "BatchSize",
    "FilterCriteria",
    "FunctionResponseTypes",
    "MaximumBatchingWindowInSeconds",
    "MaximumRecordAgeInSeconds",
    "MaximumRetryAttempts",
    "ParallelizationFactor",
    "ProvisionedPollerConfig",
    "ScalingConfig",
    "StartingPosition",
    "TumblingWindowInSeconds",
}


def generated(resource: Any) -> Iterator[tuple[str, dict[str, Any]]]:
    """The resources that SAM makes from parts of another, each with the properties that are copied as they stand."""
    properties = resource.get("Properties", {}) if isinstance(resource, dict) else {}
    match kind(resource):
        case "AWS::Serverless::Function":
            yield "AWS::Lambda::Function", {name: properties[name] for name in FUNCTION_PROPERTIES & properties.keys()}
            if isinstance(properties.get("FunctionUrlConfig"), dict):
                yield "AWS::Lambda::Url", properties["FunctionUrlConfig"]
            events = properties.get("Events", {})
            sources = [event.get("Properties") for event in events.values() if isinstance(event, dict)]
            for source in sources:
                if isinstance(source, dict):
                    yield (
                        "AWS::Lambda::EventSourceMapping",
                        {name: source[name] for name in SOURCE_PROPERTIES & source.keys()},
                    )
        case "AWS::Serverless::HttpApi" | "AWS::Serverless::WebSocketApi":
            copied = {"AccessLogSettings", "DefaultRouteSettings", "RouteSettings"} & properties.keys()
            yield "AWS::ApiGatewayV2::Stage", {name: properties[name] for name in copied}
        case "AWS::Serverless::StateMachine":
            copied = {"Logging", "Tracing"} & properties.keys()
            yield "AWS::StepFunctions::StateMachine", {f"{name}Configuration": properties[name] for name in copied}


def event_problems(function: str, name: str, event: Any) -> Iterator[str]:
    """What is wrong with an event of SAM: cfn-lint passes every event in which there is a reference.

    So each reference gives way to text, an ARN or a name, and one choice must be right.
    """
    count = min(5, sum(map(is_reference, nodes(event))))
    found: list[str] = []
    for choice in product(["arn:aws:sqs:eu-west-1:123456789012:elsewhere", "elsewhere"], repeat=count):
        single = {
            "Type": function,
            "Properties": {"Events": {name: literal(event, chain(choice, repeat("elsewhere")))}},
        }
        matches = lint({"Transform": TRANSFORM, "Resources": {"F": single}})
        found = [message for path, message in matches if path[:4] == ("Resources", "F", "Properties", "Events")]
        if not found:
            return
    yield f"event {name}: {'; '.join(found)}"


def literal(value: Any, texts: Iterator[str]) -> Any:
    """A value with texts in the place of its references."""
    match value:
        case dict() if is_reference(value):
            return next(texts)
        case dict():
            return {key: literal(inner, texts) for key, inner in value.items()}
        case list():
            return [literal(inner, texts) for inner in value]
        case _:
            return value


def test_library_has_snippets_of_every_kind() -> None:
    assert all([CLOUDFORMATION, TERRAFORM, CODE, CONSOLE])


@pytest.mark.slow
@pytest.mark.parametrize("name", CLOUDFORMATION)
def test_cloudformation(name: str) -> None:
    assert cloudformation_problems(CLOUDFORMATION[name]) == []


WRONG_CLOUDFORMATION = {
    "misspelt property": (
        "F:\n  Type: AWS::Serverless::Function\n  Properties:\n    Timeot: 5\n",
        "Resources.F.Properties.Timeot: E3002",
    ),
    "misspelt property of a property": (
        "B:\n  Type: AWS::S3::Bucket\n  Properties:\n    VersioningConfiguration: {State: Enabled}\n",
        "Resources.B.Properties.VersioningConfiguration.State: E3002",
    ),
    "required further in": (
        "B:\n  Type: AWS::S3::Bucket\n  Properties:\n    VersioningConfiguration: {}\n",
        "Resources.B.Properties.VersioningConfiguration: E3003 'Status' is a required",
    ),
    "wrong type": (
        "F:\n  Type: AWS::Lambda::Function\n  Properties:\n    Timeout: five\n",
        "Resources.F.Properties.Timeout: E3012",
    ),
    "wrong value": (
        "U:\n  Type: AWS::Lambda::Url\n  Properties: {TargetFunctionArn: a, AuthType: IAM}\n",
        "Resources.U.Properties.AuthType: E3030",
    ),
    "unknown resource type": ("F:\n  Type: AWS::Lambda::Functions\n", "Resources.F.Type: E3006"),
    "no resource type": ("F:\n  Properties: {Timeout: 5}\n", "Resources.F: E3001"),
    "no resources": ("just text\n", "no mapping of resources"),
    "misspelt attribute of a resource": (
        (
            "D:\n  Type: AWS::Lambda::Url\n  Properties: {TargetFunctionArn: !GetAtt F.ARN, AuthType: AWS_IAM}\n"
            "F:\n  Type: AWS::Lambda::Function\n"
        ),
        "Resources.D.Properties.TargetFunctionArn.Fn::GetAtt.1: E1010",
    ),
    "misspelt attribute of what another snippet defines": (
        "P:\n  Type: AWS::SQS::QueuePolicy\n  Properties: {Queues: [!GetAtt OrdersQueue.ARN]}\n",
        "Resources.P.Properties.Queues.0.Fn::GetAtt.1: E1010",
    ),
    "misspelt global": ("Globals:\n  Function: {Timeot: 5}\n", "Globals.Function.Timeot: E3724"),
    "misspelt stage of a pipeline": (
        "- Name: A\n  Actions:\n    - Name: B\n      ActionTypeID: {}\n",
        "Resources.Pipeline.Properties.Stages.1.Actions.0.ActionTypeID: E3002",
    ),
    "duplicate key": ("F:\n  Type: AWS::SNS::Topic\nF:\n  Type: AWS::SNS::Topic\n", "line 2: Duplicate found 'F'"),
    "no YAML": ("F: [\n", "line "),
    "resource beside sections": ("Globals: {}\nF:\n  Type: AWS::SNS::Topic\n", "sections of a template beside"),
    "misspelt statement of SAM": (
        (
            "F:\n  Type: AWS::Serverless::Function\n  Properties:\n    Policies:\n"
            "      - Statement: [{Efect: Allow, Action: 's3:GetObject', Resource: '*'}]\n"
        ),
        "policy: Statement.0.Efect: E3510",
    ),
    "misspelt policy template of SAM": (
        "F:\n  Type: AWS::Serverless::Function\n  Properties:\n    Policies: [{SQSSendMessagePolicy: {Queue: a}}]\n",
        "SAM policy template SQSSendMessagePolicy: ['QueueName'], not ['Queue']",
    ),
    "misspelt event of SAM": (
        (
            "F:\n  Type: AWS::Serverless::Function\n  Properties:\n    Events:\n"
            "      Orders: {Type: SQS, Properties: {Queue: !GetAtt Orders.Arn, BatchSise: 1}}\n"
        ),
        "event Orders: E3017 {'Properties': {'BatchSise'",
    ),
    "misspelt type of an event of SAM": (
        (
            "F:\n  Type: AWS::Serverless::Function\n  Properties:\n    Events:\n"
            "      Orders: {Type: Sqs, Properties: {Queue: !GetAtt Orders.Arn}}\n"
        ),
        "event Orders: E3017",
    ),
    "misspelt route settings of SAM": (
        "A:\n  Type: AWS::Serverless::HttpApi\n  Properties:\n    DefaultRouteSettings: {ThrottlingRate: 1}\n",
        "as AWS::ApiGatewayV2::Stage: DefaultRouteSettings.ThrottlingRate: E3002",
    ),
    "wrong value of SAM": (
        "F:\n  Type: AWS::Serverless::Function\n  Properties:\n    FunctionUrlConfig: {AuthType: IAM}\n",
        "as AWS::Lambda::Url: AuthType: E3030",
    ),
    "misspelt part of SAM": (
        "F:\n  Type: AWS::Serverless::Function\n  Properties:\n    RuntimeManagementConfig: {UpdateOn: Auto}\n",
        "as AWS::Lambda::Function: RuntimeManagementConfig.UpdateOn: E3002",
    ),
    "misspelt event pattern": (
        "R:\n  Type: AWS::Events::Rule\n  Properties:\n    EventPattern: {detailtype: [a]}\n",
        "event pattern: no event has detailtype",
    ),
    "event pattern without a list": (
        "R:\n  Type: AWS::Events::Rule\n  Properties:\n    EventPattern: {detail: {severity: 7}}\n",
        "event pattern: severity must be a list: 7",
    ),
    "misspelt operator of an event pattern": (
        "R:\n  Type: AWS::Events::Rule\n  Properties:\n    EventPattern: {detail: {name: [{prefixed: a}]}}\n",
        "event pattern: name has no operator prefixed",
    ),
    "misspelt property of an event source": (
        (
            "F:\n  Type: AWS::Serverless::Function\n  Properties:\n    Events:\n"
            "      Orders: {Type: SQS, Properties: {Queue: !GetAtt Orders.Arn, ScalingConfig: {Maximum: 2}}}\n"
        ),
        "as AWS::Lambda::EventSourceMapping: ScalingConfig.Maximum: E3002",
    ),
    "misspelt principal": (
        (
            "R:\n  Type: AWS::IAM::Role\n  Properties:\n    AssumeRolePolicyDocument:\n"
            "      Statement: [{Effect: Allow, Action: sts:AssumeRole, Principal: {Services: lambda.amazonaws.com}}]\n"
        ),
        "policy: no policy has principal Services",
    ),
    "misspelt state": (
        (
            "M:\n  Type: AWS::Serverless::StateMachine\n  Properties:\n    Definition:\n"
            "      StartAt: A\n      States: {A: {Type: Pas, End: true}}\n"
        ),
        "as AWS::StepFunctions::StateMachine: Definition.States.A.Type: E3601",
    ),
    "misspelt policy": (
        (
            "P:\n  Type: AWS::Organizations::Policy\n  Properties:\n    Content:\n"
            "      Version: '2012-10-17'\n      Statements: []\n"
        ),
        "policy: no policy has Statements",
    ),
    "misspelt action": (
        (
            "P:\n  Type: AWS::Organizations::Policy\n  Properties:\n    Content:\n"
            "      Statement: {Effect: Deny, Action: 'lambda:InvokeFunctions', Resource: '*'}\n"
        ),
        "policy: Statement.0.Action: W3037 'invokefunctions'",
    ),
}


@pytest.mark.parametrize("name", WRONG_CLOUDFORMATION)
def test_wrong_cloudformation_is_found(name: str) -> None:
    snippet, message = WRONG_CLOUDFORMATION[name]
    assert [problem for problem in cloudformation_problems(snippet) if problem.startswith(message)]


def test_cloudformation_may_refer_to_what_stands_elsewhere_and_leave_out_the_rest() -> None:
    snippet = """\
F:
  Type: AWS::Lambda::Function
  DependsOn: Elsewhere
  Properties:
    Role: !GetAtt SomeRole.Arn
    Layers: !Ref SomeLayers
    KmsKeyArn: !Sub arn:aws:kms:${AWS::Region}:${AWS::AccountId}:key/${SomeKey}
    VpcConfig: {SubnetIds: !Ref SomeSubnets, SecurityGroupIds: [!GetAtt SomeGroup.GroupId]}
"""
    assert cloudformation_problems(snippet) == []
