"""What services of AWS do by themselves: tasks of state machines, data sources, deliveries, streams of tables."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.evidence.relations.stacks_of import MAPPINGS, QUEUE, resource, stack_of, with_resources
from threatmodel.evidence.mappings.stack_facts import StackFacts
from threatmodel.evidence.relations.passing import passed_on
from threatmodel.reading.files import Files
from threatmodel.stacks.readers import read
from threatmodel.stacks.stack import Stack

TABLE = resource("D", "AWS::DynamoDB::Table", "TableName: orders")
BUCKET = resource("S", "AWS::S3::Bucket")
TOPIC = resource("T", "AWS::SNS::Topic")
SECRET = resource("K", "AWS::SecretsManager::Secret")
FUNCTION = resource("F", "AWS::Serverless::Function", "Handler: a.b")
OTHER = resource("N", "AWS::StepFunctions::StateMachine", "RoleArn: r, DefinitionString: '{}'")
GRAPH = resource("G", "AWS::AppSync::GraphQLApi", "Name: g")
STREAM = resource("Z", "AWS::Kinesis::Stream")
ALL = (TABLE, BUCKET, TOPIC, QUEUE, SECRET, FUNCTION, OTHER)


def passed(stack: Stack) -> list[tuple[str, str, str]]:
    found = passed_on(stack, StackFacts(stack, MAPPINGS))
    return [(one.source, one.use, one.to) for one in found]


def of(*resources: str) -> list[tuple[str, str, str]]:
    lines = "".join(f"  {line}\n" for one in resources for line in one.strip().split("\n"))
    return passed(stack_of(f"Transform: AWS::Serverless-2016-10-31\nResources:\n{lines}"))


def machine(task: str, more: str = "") -> str:
    definition = f"{{StartAt: A, States: {{A: {{Type: Task, End: true, {task}}}}}}}"
    return resource("M", "AWS::Serverless::StateMachine", f"Definition: {definition}{more}")


@pytest.mark.parametrize(
    ("task", "does"),
    [
        ("Resource: 'arn:aws:states:::dynamodb:putItem', Parameters: {TableName: !Ref D}", ("writes", "D")),
        ("Resource: 'arn:aws:states:::dynamodb:getItem', Parameters: {TableName: orders}", ("reads", "D")),
        ("Resource: 'arn:aws:states:::aws-sdk:dynamodb:query', Arguments: {TableName: !Ref D}", ("reads", "D")),
        ("Resource: 'arn:aws:states:::aws-sdk:s3:getObject', Parameters: {Bucket: !Ref S}", ("reads", "S")),
        ("Resource: 'arn:aws:states:::sqs:sendMessage', Parameters: {QueueUrl: !Ref Q}", ("sends", "Q")),
        ("Resource: 'arn:aws:states:::sns:publish.waitForTaskToken', Parameters: {TopicArn: !Ref T}", ("sends", "T")),
        ("Resource: 'arn:aws:states:::events:putEvents', Parameters: {Entries: [{}]}", ("sends", "aws:events:default")),
        (
            "Resource: 'arn:aws:states:::aws-sdk:secretsmanager:getSecretValue', Parameters: {SecretId: !Ref K}",
            ("secrets", "K"),
        ),
        (
            "Resource: 'arn:aws:states:::states:startExecution.sync:2', Parameters: {StateMachineArn: !Ref N}",
            ("calls", "N"),
        ),
        ("Resource: 'arn:aws:states:::ecs:runTask.sync', Parameters: {Cluster: x}", ("calls", "aws:ecs:")),
        (
            "Resource: 'arn:aws:states:::http:invoke', Parameters: {ApiEndpoint: 'https://a.example.org/x'}",
            ("calls", "host:a.example.org"),
        ),
        (
            "Resource: 'arn:aws:states:::dynamodb:putItem', Parameters: {TableName.$: $.table}",
            ("calls", "aws:dynamodb:"),
        ),
        ("Resource: !Sub 'arn:${AWS::Partition}:states:::sns:publish', Parameters: {TopicArn: !Ref T}", ("sends", "T")),
        ("Resource: 'arn:aws:states:::lambda:invoke', Parameters: {FunctionName: !Ref F}", None),
        ("Resource: !GetAtt F.Arn", None),
        ("Resource: 'arn:aws:states:us-east-1:111122223333:activity:wait'", None),
    ],
)
def test_a_task_is_what_the_machine_does_by_itself(task: str, does: tuple[str, str] | None) -> None:
    assert of(machine(task), *ALL) == ([("M", *does)] if does else [])


def test_tasks_stand_in_branches_and_maps() -> None:
    inner = "StartAt: B, States: {B: {Type: Task, Resource: 'arn:aws:states:::%s', Parameters: {%s}}}"
    branch = inner % ("sqs:sendMessage", "QueueUrl: !Ref Q")
    each = inner % ("sns:publish", "TopicArn: !Ref T")
    reader = "ItemReader: {Resource: 'arn:aws:states:::s3:getObject', Parameters: {Bucket: !Ref S}}"
    states = f"A: {{Type: Parallel, Branches: [{{{branch}}}]}}, C: {{Type: Map, {reader}, ItemProcessor: {{{each}}}}}"
    found = of(resource("M", "AWS::Serverless::StateMachine", f"Definition: {{States: {{{states}}}}}"), *ALL)
    assert found == [("M", "sends", "Q"), ("M", "reads", "S"), ("M", "sends", "T")]


def test_a_definition_is_a_text_with_what_is_substituted() -> None:
    task = {"Type": "Task", "Resource": "arn:aws:states:::sqs:sendMessage", "Parameters": {"QueueUrl": "${Url}"}}
    text = json.dumps({"StartAt": "A", "States": {"A": task}})
    given = f"RoleArn: r, DefinitionString: '{text}', DefinitionSubstitutions: {{Url: !Ref Q}}"
    assert of(resource("M", "AWS::StepFunctions::StateMachine", given), QUEUE) == [("M", "sends", "Q")]


@pytest.mark.parametrize("name", ["flow.asl.yaml", "flow.asl.json"])
def test_a_definition_may_stand_in_a_file_of_the_project(tmp_path: Path, name: str) -> None:
    task = {"Type": "Task", "Resource": "arn:aws:states:::sqs:sendMessage", "Parameters": {"QueueUrl": "${Url}"}}
    (tmp_path / name).write_text(json.dumps({"States": {"A": task}}), encoding="utf-8")
    given = f"DefinitionUri: {name}, DefinitionSubstitutions: {{Url: !Ref Q}}"
    text = f"Transform: AWS::Serverless-2016-10-31\nResources:\n  {QUEUE}\n  "
    template = tmp_path / "t.yaml"
    template.write_text(f"{text}{resource('M', 'AWS::Serverless::StateMachine', given)}\n", encoding="utf-8")
    assert passed(read("template", template, Files())) == [("M", "sends", "Q")]


@pytest.mark.parametrize("where", ["gone.json", "s3://bucket/flow.json", "../../outside.json"])
def test_a_definition_that_cannot_be_read_may_start_any_function(tmp_path: Path, where: str) -> None:
    given = f"DefinitionUri: {where}"
    machine_, text = resource("M", "AWS::Serverless::StateMachine", given), "Transform: AWS::Serverless-2016-10-31\n"
    named = resource("F", "AWS::Serverless::Function", "FunctionName: f, Handler: a.b")
    template = tmp_path / "t.yaml"
    template.write_text(f"{text}Resources:\n  {machine_}\n  {named}\n", encoding="utf-8")
    stack = read("template", template, Files())
    assert "Definition" in stack.resources["M"].properties.entries
    assert passed(stack) == []


@pytest.mark.parametrize(
    "task",
    [
        "Resource: 'arn:aws:states:::lambda:invoke', Parameters: {FunctionName: worker}",
        "Resource: 'arn:aws:states:::lambda:invoke', Parameters: {FunctionName: !GetAtt F.Arn}",
        "Resource: !Sub 'arn:aws:lambda:${AWS::Region}:${AWS::AccountId}:function:worker:live'",
    ],
)
def test_a_task_starts_a_function_by_its_name_too(task: str) -> None:
    function = resource("F", "AWS::Serverless::Function", "FunctionName: worker, Handler: a.b")
    (start,) = with_resources(f"{machine(task)}\n{function}")["F"].triggers
    assert (start.by, start.source) == ("service", "M")


def test_a_data_source_does_with_a_table_what_its_role_allows() -> None:
    rights = "{Statement: [{Effect: Allow, Action: 'dynamodb:GetItem', Resource: !GetAtt D.Arn}]}"
    role = resource("R", "AWS::IAM::Role", f"Policies: [{{PolicyName: p, PolicyDocument: {rights}}}]")
    settings = "ApiId: !GetAtt G.ApiId, DynamoDBConfig: {TableName: !Ref D}"
    source = resource("X", "AWS::AppSync::DataSource", f"{settings}, ServiceRoleArn: !GetAtt R.Arn")
    assert of(GRAPH, TABLE, role, source) == [("G", "reads", "D")]
    assert of(GRAPH, TABLE, resource("X", "AWS::AppSync::DataSource", settings)) == [
        ("G", "reads", "D"),
        ("G", "writes", "D"),
    ]


def test_a_data_source_may_be_a_host() -> None:
    settings = "ApiId: !GetAtt G.ApiId, HttpConfig: {Endpoint: 'https://shop.example.org'}"
    found = of(GRAPH, resource("X", "AWS::AppSync::DataSource", settings))
    assert found == [("G", "calls", "host:shop.example.org")]


def test_a_delivery_stream_takes_from_a_stream_and_writes_a_bucket() -> None:
    taken = "KinesisStreamSourceConfiguration: {KinesisStreamARN: !GetAtt Z.Arn}"
    settings = f"{taken}, ExtendedS3DestinationConfiguration: {{BucketARN: !GetAtt S.Arn}}"
    found = of(STREAM, BUCKET, resource("Y", "AWS::KinesisFirehose::DeliveryStream", settings))
    assert found == [("Z", "passes_to", "Y"), ("Y", "writes", "S")]


def test_a_table_sends_its_changes_to_a_stream() -> None:
    table = resource("D", "AWS::DynamoDB::Table", "KinesisStreamSpecification: {StreamArn: !GetAtt Z.Arn}")
    assert of(table, STREAM) == [("D", "passes_to", "Z")]


def test_a_rule_hands_events_to_a_host() -> None:
    destination = resource("E", "AWS::Events::ApiDestination", "InvocationEndpoint: 'https://hook.example.org/in'")
    rule = resource("U", "AWS::Events::Rule", "EventPattern: {source: [a]}, Targets: [{Id: t, Arn: !GetAtt E.Arn}]")
    assert of(destination, rule) == [("aws:events:default", "passes_to", "host:hook.example.org")]
