"""Reading serverless.yml: variables, the framework's defaults, the resources that it makes, and files that are none."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import yaml
from hypothesis import example, given
from hypothesis import strategies as st

from tests.stacks.dumping import dump, value
from tests.stacks.serverless_text import BOT, HEAD, at, function, service
from tests.support import HOME, working_at_most
from threatmodel.evidence.answers import Answered, Unanswered
from threatmodel.evidence.mappings.load import load_mappings
from threatmodel.evidence.mappings.stack_facts import StackFacts
from threatmodel.evidence.relations.found import function_relations
from threatmodel.reading.problems import InputError
from threatmodel.stacks.serverless.reader import read
from threatmodel.stacks.values import Table, Unknown

Golden = Callable[[str, str], None]
SAMPLES = HOME / "tests" / "evidence" / "samples"


def test_every_event_and_setting(golden: Golden) -> None:
    """The ids and properties are those that the framework's own template has for this file."""
    text = (SAMPLES / "serverless.yml").read_text(encoding="utf-8")
    golden("evidence/serverless.txt", dump(read(text, "serverless.yml")))


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
    facts = StackFacts(stack, load_mappings("cloudformation"), {})
    (start,) = function_relations(stack, facts)[BOT].triggers
    assert (start.by, start.source) == started


@pytest.mark.parametrize(
    ("url", "kind", "open_to_all"),
    [
        ("true", '"NONE"', True),
        ("{cors: true}", '"NONE"', True),
        ("{authorizer: aws_iam}", '"AWS_IAM"', False),
        ("'${ssm:/url}'", "? it is read from the Parameter Store at deployment <- ssm:/url", False),
    ],
)
def test_urls(url: str, kind: str, open_to_all: bool) -> None:
    stack = function(f"url: {url}")
    assert at(stack, "BotLambdaFunctionUrl", "AuthType") == kind
    assert ("BotLambdaPermissionFnUrl" in stack.resources) is open_to_all


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
    found = StackFacts(stack, load_mappings("cloudformation"))
    bot = found.of("function", stack.resources["SlackDashbotLambdaFunction"])
    told: dict[str, Any] = {name: one.value if isinstance(one, Answered) else one for name, one in bot.items()}
    wanted = {
        "timeout_seconds": 3,
        "reserved_concurrency": 5,
        "runtime": "python3.12",
        "failure_destination": True,
        "in_vpc": True,
        "role_shared": True,
        "log_retention_days": 30,
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
        found = StackFacts(stack, load_mappings("cloudformation")).of("function", stack.resources[BOT])
        told = found["environment_holds_secret"]
        assert isinstance(told, Unanswered) or told.value is True
        assert kind in [one.type for one in stack.parameters.values()]


# --- what the file adds, and what is not read


def test_resources_of_the_file_change_what_is_made() -> None:
    more = """\
resources:
  - Resources: {BotLambdaFunction: {Properties: {Timeout: 40}}}
  - Resources: {Orders: {Type: AWS::DynamoDB::Table}}
    Parameters: {Table: {Type: String}}
  - extensions: {BotLambdaFunction: {Properties: {MemorySize: 99}, DeletionPolicy: Retain}}
"""
    stack = function("", more)
    assert (at(stack, BOT, "Timeout"), at(stack, BOT, "MemorySize")) == ("40", "99")
    assert {"Orders"} <= stack.resources.keys()
    assert "Table" in stack.parameters
    assert stack.unread == ()


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("plugins: [serverless-domain-manager]", "serverless-domain-manager"),
        ("plugins: {modules: [serverless-domain-manager]}", "serverless-domain-manager"),
        ("plugins: ['${file(a.yml)}']", "plugins"),
        ("functions: '${file(functions.yml)}'", "functions"),
        ("functions: ['${file(functions.yml)}', {a: {handler: a.b}}]", "functions"),
        ("functions: {bot: '${file(bot.yml)}'}", "functions.bot"),
        ("functions: {bot: [a]}", "functions.bot"),
        ("functions: {bot: {handler: a.b, events: '${file(events.yml)}'}}", "functions.bot.events"),
        ("functions: {bot: {handler: a.b, events: [{carrierPigeon: x}]}}", "functions.bot.events.0"),
        ("functions: {bot: {handler: a.b, events: [{http: {method: get}}]}}", "functions.bot.events.http"),
        ("functions: {bot: {handler: a.b, events: [{http: '${ssm:/x}'}]}}", "functions.bot.events.0"),
        ("functions: {bot: {handler: a.b, events: [{cloudFront: {eventType: x}}]}}", "CloudFrontDistribution"),
        ("resources: '${file(resources.yml)}'", "resources"),
        ("resources: ['${file(resources.yml)}']", "resources"),
        ("resources: {Resources: '${file(resources.yml)}'}", "resources.Resources"),
        ("resources: {Resources: {A: '${file(a.yml)}'}}", "resources.Resources.A"),
        ("resources: {extensions: {Gone: {Properties: {}}}}", "resources.extensions.Gone"),
        # what is mistyped
        ("functions: 5", "functions"),
        ("functions: bot", "functions"),
        ("functions: [[bot]]", "functions"),
        ("functons: {bot: {handler: a.b}}", "functons"),
        ("functions: {bot: {handler: a.b, evnets: [{sqs: a}]}}", "functions.bot.evnets"),
        ("functions: {bot: {handler: a.b, events: 5}}", "functions.bot.events.0"),
        ("functions: {bot: {handler: a.b, events: [5]}}", "functions.bot.events.0"),
        ("functions: {bot: {handler: a.b, events: [null]}}", "functions.bot.events.0"),
        ("functions: {bot: {handler: a.b, events: [[sqs]]}}", "functions.bot.events.0"),
        ("functions: {bot: {handler: a.b, events: [{sqs: null}]}}", "functions.bot.events.0"),
        ("functions: {bot: {handler: a.b, events: [{sqs: [a]}]}}", "functions.bot.events.0"),
        ("functions: {bot: {handler: a.b, events: ['x-${ssm:/a}']}}", "functions.bot.events.0"),
        ("functions: {bot: {handler: a.b, events: [{s3: '${ssm:/a}'}]}}", "functions.bot.events.0"),
        ("functions: {bot: {handler: a.b, events: [{stream: '${ssm:/a}'}]}}", "functions.bot.events.0"),
        ("functions: {bot: {handler: a.b, disableLogs: '${ssm:/a}'}}", "functions.bot.disableLogs"),
        ("layers: 5", "layers"),
        ("plugins: 5", "plugins"),
        ("plugins: {a: b}", "plugins"),
        ("resources: 5", "resources"),
        ("resources: [a]", "resources"),
        ("resources: {Resources: [a]}", "resources.Resources"),
        ("resources: {Resorces: {A: {Type: 'AWS::SQS::Queue'}}}", "resources.Resorces"),
        ("resources: {'Fn::Transform': {Name: x}}", "resources.Fn::Transform"),
        ("resources: {extensions: 5}", "resources.extensions"),
        (
            "functions: {b: {handler: a.b}}\nresources: {extensions: {BLambdaFunction: 5}}",
            "resources.extensions.BLambdaFunction",
        ),
    ],
)
def test_not_read(text: str, name: str) -> None:
    assert [one.name for one in service(f"{text}\n").unread] == [name]


@pytest.mark.parametrize(
    ("settings", "events", "name"),
    [
        ("iam: {role: {statments: []}}", "", "provider.iam.role.statments"),
        ("iam: {roles: {}}", "", "provider.iam.roles"),
        ("enviroment: {A: b}", "", "provider.enviroment"),
        ("apiGateway: '${file(a.yml)}'", "http: get /a", "provider.apiGateway"),
        ("apiGateway: '${file(a.yml)}'", "websocket: a", "provider.apiGateway"),
        ("httpApi: '${file(a.yml)}'", "httpApi: get /a", "provider.httpApi"),
        ("deploymentBucket: {skipPolicySetup: '${ssm:/a}'}", "", "provider.deploymentBucket.skipPolicySetup"),
    ],
)
def test_not_read_of_the_provider(settings: str, events: str, name: str) -> None:
    head = f"service: shop\nprovider: {{name: aws, {settings}}}\n"
    stack = function(f"events: [{{{events}}}]" if events else "", "", head)
    assert [one.name for one in stack.unread] == [name]
    assert BOT in stack.resources


def test_a_part_that_is_not_read_leaves_no_fact_absent() -> None:
    stack = function("events: '${file(events.yml)}'")
    facts = StackFacts(stack, load_mappings("cloudformation"))
    assert "triggers" in function_relations(stack, facts)[BOT].unknown


def test_unknown_keys_may_be_a_plugin_s() -> None:
    stack = function("warmup: true", "plugins: [serverless-plugin-warmup]\ncustomThing: 1\n")
    assert [one.name for one in stack.unread] == ["serverless-plugin-warmup"]


UNTOLD = "? it is read from the Parameter Store at deployment <- ssm:/a"
SWITCHED = "? it is read from the Parameter Store at deployment"


def test_unknown_switches_stay_unknown() -> None:
    """Neither is what they switch left out, nor is it there."""
    logs = "{executionLogging: '${ssm:/a}', accessLogging: '${ssm:/a}'}"
    bucket = "{versioning: '${ssm:/a}', blockPublicAccess: '${ssm:/a}'}"
    settings = f"logs: {{restApi: {logs}, websocket: {logs}}}, deploymentBucket: {bucket}"
    head = f"service: shop\nprovider: {{name: aws, {settings}}}\n"
    stack = function("events: [{http: get /a}, {websocket: a}, {sqs: '${ssm:/a}'}]", "", head)
    assert at(stack, "ApiGatewayStage", "AccessLogSetting") == SWITCHED
    assert "LoggingLevel: ?" in dump(stack)
    assert at(stack, "WebsocketsDeploymentStage", "AccessLogSettings") == SWITCHED
    assert at(stack, "WebsocketsDeploymentStage", "DefaultRouteSettings", "LoggingLevel") == SWITCHED
    assert at(stack, "ServerlessDeploymentBucket", "VersioningConfiguration") == SWITCHED
    assert at(stack, "ServerlessDeploymentBucket", "PublicAccessBlockConfiguration") == SWITCHED
    assert at(stack, "BotEventSourceMappingSQS1", "Enabled") == UNTOLD
    assert at(stack, "BotEventSourceMappingSQS1", "EventSourceArn") == UNTOLD


@pytest.mark.parametrize("switch", ["${ssm:/a}", "${opt:a}", "${opt:a}${opt:b}", "${env:A}"])
@pytest.mark.parametrize("kind", ["restApi", "httpApi", "websocket"])
def test_a_log_that_a_variable_switches_on_is_perhaps_none(kind: str, switch: str) -> None:
    """That a variable is given does not mean that it says yes."""
    head = f"service: shop\nprovider: {{name: aws, logs: {{{kind}: '{switch}'}}}}\n"
    stack = function("events: [{http: get /a}, {httpApi: GET /a}, {websocket: a}]", "", head)
    stage, setting = {
        "restApi": ("ApiGatewayStage", "AccessLogSetting"),
        "httpApi": ("HttpApiStage", "AccessLogSettings"),
        "websocket": ("WebsocketsDeploymentStage", "AccessLogSettings"),
    }[kind]
    node = stack.resources[stage].properties.entries[setting]
    assert isinstance(node, Unknown)
    assert not node.given


@pytest.mark.parametrize("event", ["http", "httpApi"])
def test_an_authorizer_of_an_unknown_kind_is_unknown(event: str) -> None:
    stack = function(f"events: [{{{event}: {{path: /a, method: get, authorizer: {{type: '${{ssm:/a}}', id: x}}}}}}]")
    name = "ApiGatewayMethodAGet" if event == "http" else "HttpApiRouteGetA"
    assert at(stack, name, "AuthorizationType") == UNTOLD


def test_destinations_are_all_granted() -> None:
    """Statements for two functions are two, although both stand as a reference."""
    stack = service("""\
functions:
  a: {handler: a.a, destinations: {onSuccess: b}}
  b: {handler: a.b, destinations: {onSuccess: c}}
  c: {handler: a.c}
""")
    told = dump(stack)
    assert told.count('- "lambda:InvokeFunction"') == 2
    assert "- -> BLambdaFunction Arn" in told
    assert "- -> CLambdaFunction Arn" in told


def test_statements_of_a_function_s_own_make_another_role() -> None:
    assert at(function("iam: {role: {statements: []}}"), BOT, "Role") == "? its role is made of its own statements"


def test_harmless_plugins_are_no_doubt() -> None:
    assert service("plugins: [serverless-offline, serverless-esbuild]\n").unread == ()


def test_a_provider_that_stands_elsewhere() -> None:
    stack = read("service: a\nprovider: ${file(provider.yml)}\nfunctions: {bot: {handler: a.b}}\n", "serverless.yml")
    assert [one.name for one in stack.unread] == ["provider"]
    assert stack.kind == "serverless"


# --- files that are none


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", "this file holds nothing"),
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
