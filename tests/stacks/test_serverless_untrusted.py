"""Files that are no serverless.yml, or any tree at all, end in a stack or in a problem."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from hypothesis import example, given
from hypothesis import strategies as st

from tests.stacks.dumping import dump
from tests.stacks.serverless_text import BOT, HEAD, at, service
from tests.support import working_at_most
from threatmodel.reading.problems import InputError
from threatmodel.stacks.serverless.reader import read
from threatmodel.stacks.values import Table


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", "this file is empty"),
        ("[a]", "this is a list"),
        ("a", "this is a single value"),
        ("service: a", "this has only 'service'"),
        ("service: a\nprovider: {name: google}", "this is a serverless.yml for 'google'; expected one for AWS"),
        ("service: a\nprovider: [aws]", "the provider is no mapping"),
        ("service: a\nprovider:", "the provider is no mapping"),
        ("service: a\nprovider: azure", "this is a serverless.yml for 'azure'; expected one for AWS"),
        ("services: {a: {path: b}}", "this is a serverless-compose.yml or a Compose file"),
        ("Resources: {}", "this is a CloudFormation template"),
    ],
)
def test_no_serverless_file(text: str, found: str) -> None:
    with pytest.raises(InputError) as caught:
        read(text, "serverless.yml")
    assert [problem.code for problem in caught.value.problems] == ["not-a-template"]
    assert caught.value.problems[0].message.startswith(found)


def test_a_provider_in_one_word() -> None:
    assert BOT in read("service: a\nprovider: aws\nfunctions: {bot: {handler: a.b}}\n", "serverless.yml").resources


def test_keys_given_twice_are_told() -> None:
    stack = service("functions:\n  bot: {handler: a.b}\n  bot: {handler: c.d}\n")
    assert [problem.code for problem in stack.problems] == ["duplicate-key"]
    assert at(stack, BOT, "Handler") == '"c.d"'


TEXT = st.sampled_from([
    "a", "get /a/{b}", "*", "$connect", "", "${self:custom.a}", "${self:}", "${opt:x}", "${file(x):y, 'z'}", "${", "}",
    "arn:aws:sqs:eu-west-1:1:a", "aws_iam", "${self:functions}", "a-b_c", "/", ":", "${ssm:/a}",
]) | st.text(max_size=6)  # fmt: skip
KEY = st.sampled_from([
    "arn", "path", "method", "authorizer", "name", "type", "rate", "bucket", "topicName", "queue", "topic", "route",
    "role", "statements", "vpc", "environment", "Ref", "Fn::GetAtt", "Fn::Join", "Fn::Sub", "onFailure", "pool",
    "httpApi", "restApi", "authorizers", "enabled", "existing", "a", "Resources", "Properties", "Type", "rules",
    "deadLetterTargetRef", "conditions", "priority", "listenerArn", "accessConfigurations", "schemas", "request",
    "redrivePolicy",
])  # fmt: skip
TREE = st.recursive(
    st.none() | st.booleans() | st.integers() | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEY, inner, max_size=3),
    max_leaves=12,
)
EVENT = st.sampled_from([
    "activemq", "alb", "alexaSkill", "alexaSmartHome", "cloudFront", "cloudwatchEvent", "cloudwatchLog", "iot", "kafka",
    "cognitoUserPool", "eventBridge", "http", "httpApi", "iotFleetProvisioning", "msk", "rabbitmq", "s3", "schedule",
    "sns", "sqs", "stream", "websocket",
])  # fmt: skip
SETTING = st.sampled_from([
    "handler", "timeout", "role", "environment", "vpc", "url", "destinations", "onError", "kmsKeyArn", "layers",
    "image", "tracing", "provisionedConcurrency", "reservedConcurrency", "fileSystemConfig", "runtimeManagement",
    "logs", "name",
    "disableLogs", "condition", "maximumRetryAttempts", "iamRoleStatements",
])  # fmt: skip
SECTION = st.sampled_from([
    "iam", "role", "apiGateway", "httpApi", "logs", "vpc", "environment", "stage", "tracing", "deploymentBucket", "s3",
    "iamRoleStatements", "kmsKeyArn", "layers", "endpointType",
])  # fmt: skip
FUNCTION = st.dictionaries(SETTING, TREE, max_size=4).flatmap(
    lambda own: st.lists(st.dictionaries(EVENT, TREE, max_size=2) | TEXT, max_size=3).map(
        lambda events: {**own, "events": events}
    )
)
SERVICE = st.fixed_dictionaries(
    {
        "service": TEXT | TREE,
        "provider": st.dictionaries(SECTION, TREE, max_size=3).map(lambda own: {"name": "aws", **own}) | TREE,
        "functions": st.dictionaries(TEXT, FUNCTION | TREE, max_size=2) | TREE,
    },
    optional={"custom": TREE, "resources": TREE, "layers": TREE, "plugins": TREE, "params": TREE},
)


@pytest.mark.slow
@given(SERVICE | TREE)
@example({"service": "a", "provider": "aws", "functions": {"a": {"events": [{"http": "a"}]}}})
def test_any_tree_ends_in_a_stack_or_a_problem(tree: Any) -> None:
    try:
        stack = read(yaml.safe_dump(tree), "serverless.yml")
    except InputError as error:
        assert error.problems[0].code in {"not-a-template", "too-many-problems", "unsupported-yaml", "yaml-syntax"}  # noqa: PT017 - either way is right
    else:
        assert all(name == one.name for name, one in stack.resources.items())
        assert all(isinstance(one.properties, Table) for one in stack.resources.values())
        dump(stack)


def test_five_hundred_functions_are_read_in_seconds() -> None:
    events = "[{{http: get /{0}}}, {{sqs: 'arn:aws:sqs:eu-west-1:1:q{0}'}}]"
    one = f"  f{{0}}: {{{{handler: a.b, environment: {{{{T: '${{{{self:custom.t}}}}'}}}}, events: {events}}}}}"
    text = f"{HEAD}custom: {{t: orders}}\nfunctions:\n" + "\n".join(one.format(number) for number in range(500)) + "\n"
    with working_at_most(seconds=4):
        stack = read(text, "serverless.yml")
    assert len(stack.resources) > 3000
