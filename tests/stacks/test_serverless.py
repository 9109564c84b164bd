"""Reading serverless.yml: functions with the framework's defaults, and what facts follow."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.stacks.dumping import dump, value
from tests.stacks.serverless_text import BOT, HEAD, at, function, service
from tests.support import HOME
from threatmodel.evidence.answers import Answered, Unanswered
from threatmodel.evidence.mappings.load import load_mappings
from threatmodel.evidence.mappings.stack_facts import StackFacts
from threatmodel.evidence.relations.found import function_relations
from threatmodel.stacks.serverless.reader import read

Golden = Callable[[str, str], None]
SAMPLES = HOME / "tests" / "evidence" / "samples"


def test_every_event_and_setting(golden: Golden) -> None:
    """The ids and properties are those that the framework's own template has for this file."""
    text = (SAMPLES / "serverless.yml").read_text(encoding="utf-8")
    golden("evidence/serverless.txt", dump(read(text, "serverless.yml")))


def test_only_a_comment_with_a_token_is_kept() -> None:
    token = "xoxb-123456789012-AbCdEfGhIj"
    text = f"service: shop  # the old one: {token}\nprovider: {{name: aws}}  # in Ireland\nfunctions: {{}}\n"
    beside = [value(one) for one in read(text, "serverless.yml").beside]
    assert sum(token in one for one in beside) == 1
    assert not any("Ireland" in one for one in beside)


# --- functions


def test_defaults() -> None:
    stack = function("")
    assert at(stack, BOT, "Timeout") == "6"
    assert at(stack, BOT, "MemorySize") == "1024"
    assert at(stack, BOT, "Runtime") == '"python3.13"'
    assert at(stack, BOT, "FunctionName") == '"shop-dev-bot" <- opt:stage'
    assert at(stack, BOT, "Role") == "-> IamRoleLambdaExecution Arn"
    assert at(stack, "BotLogGroup", "LogGroupName") == '"/aws/lambda/shop-dev-bot" <- opt:stage'
    assert list(stack.resources) == [
        BOT,
        "BotLogGroup",
        "IamRoleLambdaExecution",
        "ServerlessDeploymentBucket",
        "ServerlessDeploymentBucketPolicy",
    ]


def test_what_the_provider_says_for_all() -> None:
    head = """\
service: {name: shop}
provider:
  name: aws
  runtime: python3.12
  stage: prod
  timeout: 20
  memorySize: 256
  logRetentionInDays: 14
  kmsKeyArn: arn:aws:kms:eu-west-1:123456789012:key/1
  layers: [arn:aws:lambda:eu-west-1:123456789012:layer:a:1]
  environment: {A: 1, B: 2}
  vpc: {securityGroupIds: [sg-1], subnetIds: [subnet-1]}
  tracing: {lambda: true}
  deploymentBucket: packages
  runtimeManagement: {mode: manual, arn: "arn:aws:lambda:eu-west-1::runtime:x"}
  logs: {lambda: {logFormat: JSON}}
  architecture: arm64
"""
    own = "timeout: 5, environment: {B: 3}, reservedConcurrency: 0, runtimeManagement: onFunctionUpdate"
    stack = function(own, "", head)
    properties = stack.resources[BOT].properties
    assert {name: value(child) for name, child in properties.entries.items() if name in {"Timeout", "MemorySize"}} == {
        "Timeout": "5",
        "MemorySize": "256",
    }
    assert [at(stack, BOT, "Environment", "Variables", one) for one in "AB"] == ["1", "3"]
    assert at(stack, BOT, "ReservedConcurrentExecutions") == "0"
    assert at(stack, BOT, "RuntimeManagementConfig", "UpdateRuntimeOn") == '"FunctionUpdate"'
    assert at(stack, BOT, "LoggingConfig", "LogFormat") == '"JSON"'
    assert at(stack, BOT, "TracingConfig", "Mode") == '"Active"'
    assert at(stack, BOT, "Code", "S3Bucket") == '"packages"'
    assert at(stack, "BotLogGroup", "RetentionInDays") == "14"
    assert "ServerlessDeploymentBucket" not in stack.resources
    assert str(properties.entries["Timeout"].place) == "serverless.yml:19:32"
    assert str(properties.entries["MemorySize"].place) == "serverless.yml:7:15"


def test_a_function_may_leave_the_network() -> None:
    head = HEAD.replace("}", ", vpc: {securityGroupIds: [a], subnetIds: [b]}}")
    assert "VpcConfig" in function("", "", head).resources[BOT].properties.entries
    assert "VpcConfig" not in function("vpc: false", "", head).resources[BOT].properties.entries
    assert "VpcConfig" not in function("vpc: {subnetIds: [a]}").resources[BOT].properties.entries


@pytest.mark.parametrize(
    ("role", "wanted"),
    [
        ("OwnRole", "-> OwnRole Arn"),
        ("!GetAtt OwnRole.Arn", "-> OwnRole Arn"),
        ("arn:aws:iam::123456789012:role/x", '"arn:aws:iam::123456789012:role/x"'),
        ("'${ssm:/role}'", "? it is read from the Parameter Store at deployment <- ssm:/role"),
    ],
)
def test_roles(role: str, wanted: str) -> None:
    more = "resources: {Resources: {OwnRole: {Type: 'AWS::IAM::Role'}}}\n"
    own = function(f"role: {role}", more)
    assert at(own, BOT, "Role") == wanted
    assert "IamRoleLambdaExecution" not in own.resources
    for head in (f"iam: {{role: {role}}}", f"role: {role}"):
        stack = function("", more, f"service: shop\nprovider:\n  name: aws\n  {head}\n")
        assert at(stack, BOT, "Role") == wanted
        assert "IamRoleLambdaExecution" not in stack.resources


def test_a_role_by_a_plugin_is_unknown() -> None:
    stack = function("iamRoleStatements: []", "plugins: [serverless-iam-roles-per-function]\n")
    assert at(stack, BOT, "Role") == "? a plugin makes its role"


ROLES = "plugins: [serverless-iam-roles-per-function]\n"
SCAN = "iamRoleStatements: [{Effect: Allow, Action: dynamodb:Scan, Resource: '*'}]"
BOT_ROLE = "BotIamRoleLambdaExecution"
SHARED = "{Effect: Allow, Action: sqs:SendMessage, Resource: '*'}"
SHARING = f"""\
service: shop
provider:
  name: aws
  iam: {{role: {{permissionsBoundary: arn:aws:iam::123456789012:policy/b, statements: [{SHARED}]}}}}
"""


def test_a_plugin_gives_a_function_with_statements_a_role_of_its_own() -> None:
    stack = function(SCAN, ROLES, SHARING)
    assert at(stack, BOT, "Role") == f"-> {BOT_ROLE} Arn"
    assert at(stack, BOT_ROLE, "PermissionsBoundary") == '"arn:aws:iam::123456789012:policy/b"'
    assert not stack.unread
    statements = dump(stack).split(f"\n{BOT_ROLE} ", 1)[1].split("\n\n")[0]
    assert "dynamodb:Scan" in statements
    assert "sqs:SendMessage" not in statements


@pytest.mark.parametrize(
    ("own", "more", "inherits"),
    [
        (", iamRoleStatementsInherit: true", "", True),
        ("", "custom: {serverless-iam-roles-per-function: {defaultInherit: true}}\n", True),
        (
            ", iamRoleStatementsInherit: false",
            "custom: {serverless-iam-roles-per-function: {defaultInherit: true}}\n",
            False,
        ),
    ],
)
def test_a_role_of_its_own_may_take_in_what_is_shared(own: str, more: str, inherits: bool) -> None:
    stack = function(f"{SCAN}{own}", ROLES + more, SHARING)
    statements = dump(stack).split(f"\n{BOT_ROLE} ", 1)[1].split("\n\n")[0]
    assert ("sqs:SendMessage" in statements) is inherits


WSGI = "plugins: [serverless-wsgi]\n"


@pytest.mark.parametrize(
    ("handler", "more", "served"),
    [
        ("wsgi_handler.handler", f"{WSGI}custom: {{wsgi: {{app: api.app}}}}\n", "api.app"),
        ("wsgi.handler", f"{WSGI}custom: {{wsgi: {{app: api.app}}}}\n", "api.app"),
        ("other.handler", f"{WSGI}custom: {{wsgi: {{app: api.app}}}}\n", "other.handler"),
        ("wsgi_handler.handler", WSGI, "wsgi_handler.handler"),
        ("wsgi_handler.handler", "custom: {wsgi: {app: api.app}}\n", "wsgi_handler.handler"),
    ],
)
def test_a_plugin_serves_the_application_of_a_web_framework(handler: str, more: str, served: str) -> None:
    stack = service(f"functions: {{bot: {{handler: {handler}}}}}\n{more}")
    assert at(stack, BOT, "Handler") == f'"{served}"'
    assert not stack.unread


def test_statements_without_the_plugin_are_unknown() -> None:
    assert at(function(SCAN), BOT, "Role") == "? a plugin makes its role"
    assert at(function(SCAN, "plugins: [another-plugin]\n"), BOT, "Role") == "? a plugin makes its role"


@pytest.mark.parametrize(
    ("event", "started"),
    [
        ("s3: {bucket: shop-pictures, existing: true}", ("store", "Pictures")),
        ("s3: {bucket: others, existing: true}", ("store", "aws:s3:others")),
        ("cognitoUserPool: {pool: people, trigger: PreSignUp, existing: true}", ("service", "aws:cognito-idp:")),
    ],
)
def test_what_exists_already_starts_a_function_and_not_cloudformation(event: str, started: tuple[str, str]) -> None:
    more = "resources: {Resources: {Pictures: {Type: 'AWS::S3::Bucket', Properties: {BucketName: shop-pictures}}}}\n"
    stack = function(f"events: [{{{event}}}]", more)
    facts = StackFacts(stack, load_mappings())
    (start,) = function_relations(stack, facts)[BOT].triggers
    assert (start.by, start.source) == started


@pytest.mark.parametrize(
    ("url", "kind", "open_to_all"),
    [
        ("true", '"NONE"', True),
        ("{cors: true}", '"NONE"', True),
        ("{authorizer: aws_iam}", '"AWS_IAM"', False),
        ("'${ssm:/url}'", "? it is read from the Parameter Store at deployment <- ssm:/url", None),
    ],
)
def test_urls(url: str, kind: str, open_to_all: bool | None) -> None:
    stack = function(f"url: {url}")
    assert at(stack, "BotLambdaFunctionUrl", "AuthType") == kind
    permission = "BotLambdaPermissionFnUrl"
    lets_in = at(stack, permission, "Principal") if permission in stack.resources else ""
    assert {'"*"': True, "": False}.get(lets_in) is open_to_all


def test_images() -> None:
    stack = service("functions: {bot: {image: {uri: '123.dkr.ecr.eu-west-1.amazonaws.com/bot@sha256:1'}}}\n")
    assert at(stack, BOT, "PackageType") == '"Image"'
    assert at(stack, BOT, "Runtime") == at(stack, BOT, "Handler") == ""


def test_a_function_under_a_condition() -> None:
    more = "resources: {Conditions: {Prod: !Equals [!Ref 'AWS::Region', x]}}\n"
    doubt = function("condition: Prod", more).resources[BOT].doubt
    assert doubt is not None
    assert "the condition 'Prod'" in doubt.why


# --- facts


def test_facts() -> None:
    stack = read((SAMPLES / "serverless.yml").read_text(encoding="utf-8"), "serverless.yml")
    found = StackFacts(stack, load_mappings())
    bot = found.of("function", stack.resources["SlackDashbotLambdaFunction"])
    told: dict[str, Any] = {name: one.value if isinstance(one, Answered) else one for name, one in bot.items()}
    wanted = {
        "timeout_seconds": 3,
        "reserved_concurrency": 5,
        "runtime": "python3.12",
        "failure_destination": True,
        "in_vpc": True,
        "role_shared": True,
        "log_retention_days": 90,
        "environment_holds_secret": told["environment_holds_secret"],
    }
    assert {name: told[name] for name in wanted} == wanted
    assert isinstance(told["role_permissions_boundary"], Unanswered)  # what it allows stands elsewhere
    rest = found.of("api", stack.resources["ApiGatewayRestApi"])
    assert [one.value for name in ("kind", "access_logs", "data_trace") if isinstance(one := rest[name], Answered)] == [
        "rest",
        True,
        True,
    ]
    http = found.of("api", stack.resources["HttpApi"])
    assert [one.value for name in ("kind", "access_logs") if isinstance(one := http[name], Answered)] == ["http", True]


def test_a_secret_from_the_environment_is_never_a_literal() -> None:
    for text, kind in (("${env:SLACK_TOKEN}", ""), ("${ssm:/slack/token}", "AWS::SSM::Parameter::Value<String>")):
        stack = function(f"environment: {{SLACK_TOKEN: '{text}'}}")
        found = StackFacts(stack, load_mappings()).of("function", stack.resources[BOT])
        told = found["environment_holds_secret"]
        assert isinstance(told, Unanswered) or told.value is True
        assert kind in [one.type for one in stack.parameters.values()]
