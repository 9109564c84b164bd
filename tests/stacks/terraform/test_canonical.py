"""A plan's resources in CloudFormation's words: types, names, shapes, and parts in what they are parts of."""

from __future__ import annotations

from typing import Any

import pytest

from tests.evidence.asking import plan
from threatmodel.stacks.stack import ELSEWHERE, Resource
from threatmodel.stacks.values import Joined, Link, List, Node, Scalar, Table, Unknown, get


def plain(node: Node | None) -> Any:
    match node:
        case None:
            return None
        case Scalar(value=value):
            return value
        case Link(resource=name, attribute=attribute):
            return f"-> {name} {attribute}".rstrip()
        case Joined(parts=parts):
            return "".join(part if isinstance(part, str) else str(plain(part)) for part in parts)
        case Table(entries=entries):
            return {key: plain(child) for key, child in entries.items()}
        case List(items=children):
            return [plain(child) for child in children]
        case Unknown(why=why):
            return f"? {why}"


def only(text: str) -> Resource:
    (found,) = plan(text).resources.values()
    return found


@pytest.mark.parametrize(
    ("text", "kind", "properties"),
    [
        (
            "aws_lambda_function.f: {function_name: bot, dead_letter_config: [{target_arn: x}], layers: [a, b]}",
            "AWS::Lambda::Function",
            {"FunctionName": "bot", "DeadLetterConfig": {"TargetArn": "x"}, "Layers": ["a", "b"]},
        ),
        (
            "aws_lambda_function.f: {s3_bucket: b, s3_key: k, reserved_concurrent_executions: -1, runtime: null}",
            "AWS::Lambda::Function",
            {"Code": {"S3Bucket": "b", "S3Key": "k"}},
        ),
        (
            "aws_lambda_function.f: {environment: [{variables: {DB_NAME: x}}]}",
            "AWS::Lambda::Function",
            {"Environment": {"Variables": {"DB_NAME": "x"}}},
        ),
        (
            "aws_dynamodb_table.t: {server_side_encryption: [{enabled: true, kms_key_arn: k}], of_tomorrow: 1}",
            "AWS::DynamoDB::Table",
            {"SSESpecification": {"SSEEnabled": True, "KMSMasterKeyId": "k"}, "of_tomorrow": 1},
        ),
        (
            "aws_iam_role.r: {inline_policy: [{name: a, policy: p}, {name: b, policy: q}]}",
            "AWS::IAM::Role",
            {"Policies": [{"PolicyName": "a", "PolicyDocument": "p"}, {"PolicyName": "b", "PolicyDocument": "q"}]},
        ),
        (
            "aws_s3_bucket.b: {versioning: [{enabled: true}]}",
            "AWS::S3::Bucket",
            {"VersioningConfiguration": {"Status": "Enabled"}},
        ),
        ("aws_db_instance.d: {port: 5432}", "AWS::RDS::DBInstance", {"Port": 5432, "PubliclyAccessible": False}),
        (
            "awscc_dynamodb_table.t: {table_name: t, sse_specification: {kms_master_key_id: k, sse_enabled: true}}",
            "AWS::DynamoDB::Table",
            {"TableName": "t", "SSESpecification": {"KMSMasterKeyId": "k", "SSEEnabled": True}},
        ),
        (
            "awscc_sqs_queue_policy.p: {queues: [q], policy_document: d}",
            "AWS::SQS::QueuePolicy",
            {"Queues": ["q"], "PolicyDocument": "d"},
        ),
        (
            "aws_lambda_alias.a: {name: live, routing_config: [{additional_version_weights: {'1': 0.5}}]}",
            "AWS::Lambda::Alias",
            {
                "Name": "live",
                "RoutingConfig": {"AdditionalVersionWeights": [{"FunctionVersion": "1", "FunctionWeight": 0.5}]},
            },
        ),
        (
            "aws_cloudwatch_metric_alarm.a: {dimensions: {FunctionName: bot}}",
            "AWS::CloudWatch::Alarm",
            {"Dimensions": [{"Name": "FunctionName", "Value": "bot"}]},
        ),
        ("aws_of_tomorrow.x: {some_name: a}", "Unknown::aws_of_tomorrow", {"some_name": "a"}),
    ],
)
def test_a_resource_has_the_names_and_shapes_of_cloudformation(text: str, kind: str, properties: Any) -> None:
    found = only(text)
    assert (found.type, plain(found.properties)) == (kind, properties)
    assert found.written == ("" if found.type.startswith("aws_") else found.name.split(".")[0])


def test_places_keep_the_words_of_the_plan() -> None:
    node = get(only("aws_lambda_function.f: {kms_key_arn: k}").properties, "KmsKeyArn")
    assert node is not None
    assert node.place.part == "aws_lambda_function.f"
    assert only("aws_lambda_function.f: {kms_key_arn: k}").type_in_file == "aws_lambda_function"


BUCKET = "aws_s3_bucket.b: {bucket: mine}\n"
MINE = "aws_s3_bucket_versioning.v: {bucket: mine, versioning_configuration: [{status: A}]}\n"
UNKNOWN = 'aws_s3_bucket_versioning.v: {bucket: "?", versioning_configuration: [{status: A}]}\n'


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        ('aws_s3_bucket_versioning.v: {bucket: "${aws_s3_bucket.b.id}", versioning_configuration: [{status: A}]}', "A"),
        (MINE, "A"),
        ("aws_s3_bucket_versioning.v: {bucket: other, versioning_configuration: [{status: A}]}", None),
        (UNKNOWN, "? it is known after apply"),
        (
            UNKNOWN + "aws_s3_bucket_versioning.w: {bucket: mine, versioning_configuration: [{status: B}]}",
            "B",
        ),
        (
            MINE + "aws_s3_bucket_versioning.w: {bucket: mine, versioning_configuration: [{status: B}]}",
            "? two resources of the file set it",
        ),
    ],
)
def test_a_part_is_a_property_of_what_it_belongs_to(parts: str, expected: Any) -> None:
    bucket = plan(BUCKET + parts).resources["aws_s3_bucket.b"]
    assert plain(get(bucket.properties, "VersioningConfiguration", "Status")) == expected


def test_a_part_may_be_one_of_many_with_a_name_of_the_provider() -> None:
    stack = plan("""
aws_dynamodb_table.t: {name: t}
aws_dynamodb_table_replica.r: {global_table_arn: "${aws_dynamodb_table.t.arn}", kms_key_arn: k}
""")
    assert plain(get(stack.resources["aws_dynamodb_table.t"].properties, "replica")) == [
        {"global_table_arn": "-> aws_dynamodb_table.t arn", "KMSKeyArn": "k"}
    ]


def test_what_is_said_of_something_outside_the_file_stays() -> None:
    stack = plan(f"{BUCKET}aws_kms_key_policy.p: {{key_id: other, policy: x}}")
    found = stack.resources["aws_kms_key_policy.p"]
    assert (found.type, plain(found.properties)) == (f"AWS::KMS::Key{ELSEWHERE}", {"key_id": "other", "KeyPolicy": "x"})


def test_attachments_add_up_and_what_refers_to_a_part_refers_to_its_owner() -> None:
    stack = plan("""
aws_iam_role.r: {name: r}
aws_iam_role_policy_attachment.a: {role: r, policy_arn: one}
aws_iam_policy_attachment.b: {roles: ["${aws_iam_role.r.name}"], policy_arn: two}
aws_lambda_function.f: {role: "${aws_iam_role_policy_attachment.a.role}"}
""")
    assert plain(get(stack.resources["aws_iam_role.r"].properties, "ManagedPolicyArns")) == ["one", "two"]
    assert plain(get(stack.resources["aws_lambda_function.f"].properties, "Role")) == "-> aws_iam_role.r role"
    assert set(stack.parts) == {"aws_iam_role_policy_attachment.a", "aws_iam_policy_attachment.b"}


def test_a_policy_within_a_queue_is_one_of_its_own() -> None:
    stack = plan("aws_sqs_queue.q: {policy: p}")
    found = stack.resources["aws_sqs_queue.q (policy)"]
    assert (found.type, found.made_by) == ("AWS::SQS::QueuePolicy", "aws_sqs_queue.q")
    assert plain(found.properties) == {"PolicyDocument": "p", "Queues": ["-> aws_sqs_queue.q"]}


@pytest.mark.parametrize(("kind", "made"), [("NONE", True), ("AWS_IAM", False)])
def test_the_provider_lets_everyone_in_to_a_url_without_authorization(kind: str, made: bool) -> None:
    stack = plan(f"aws_lambda_function_url.u: {{function_name: f, authorization_type: {kind}}}")
    assert ("aws_lambda_function_url.u (permission)" in stack.resources) is made


@pytest.mark.parametrize(
    ("qualifier", "expected"),
    [("live", "-> aws_lambda_function.f arn:live"), ("${aws_lambda_alias.a.name}", "-> aws_lambda_alias.a name")],
)
def test_a_permission_names_an_alias_with_the_function(qualifier: str, expected: str) -> None:
    text = f'{{function_name: "${{aws_lambda_function.f.arn}}", qualifier: "{qualifier}"}}'
    found = only(f"aws_lambda_permission.p: {text}")
    assert plain(get(found.properties, "FunctionName")) == expected
