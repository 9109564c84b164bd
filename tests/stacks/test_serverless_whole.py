"""What a serverless.yml adds besides functions, and what of it is not read."""

from __future__ import annotations

import pytest

from tests.stacks.dumping import dump
from tests.stacks.serverless_text import BOT, at, function, service
from threatmodel.evidence.mappings.load import load_mappings
from threatmodel.evidence.mappings.stack_facts import StackFacts
from threatmodel.evidence.relations.found import function_relations
from threatmodel.evidence.relations.passing import passed_on
from threatmodel.stacks.serverless.reader import read
from threatmodel.stacks.values import Unknown


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
    facts = StackFacts(stack, load_mappings())
    assert "triggers" in function_relations(stack, facts)[BOT].unknown


def test_unknown_keys_may_be_a_plugin_s() -> None:
    stack = function("warmup: true", "plugins: [serverless-plugin-warmup]\ncustomThing: 1\n")
    assert [one.name for one in stack.unread] == ["serverless-plugin-warmup"]


UNSTATED = "? it is read from the Parameter Store at deployment <- ssm:/a"
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
    assert at(stack, "BotEventSourceMappingSQS1", "Enabled") == UNSTATED
    assert at(stack, "BotEventSourceMappingSQS1", "EventSourceArn") == UNSTATED


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
    assert at(stack, name, "AuthorizationType") == UNSTATED


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
    assert at(function("iam: {role: {statements: []}}"), BOT, "Role") == "? its role is made from its statements"


def test_harmless_plugins_are_no_doubt() -> None:
    assert service("plugins: [serverless-offline, serverless-esbuild]\n").unread == ()


def test_a_provider_that_stands_elsewhere() -> None:
    stack = read("service: a\nprovider: ${file(provider.yml)}\nfunctions: {bot: {handler: a.b}}\n", "serverless.yml")
    assert [one.name for one in stack.unread] == ["provider"]
    assert stack.kind == "serverless"


MACHINES = """\
plugins: [serverless-step-functions]
functions: {bot: {handler: a.b}}
stepFunctions:
  stateMachines:
    nag:
      %s
      definition: {StartAt: A, States: {A: {Type: Task, Resource: !GetAtt BotLambdaFunction.Arn, End: true}}}
"""


@pytest.mark.parametrize(
    ("named", "name"),
    [
        ("tracingConfig: {enabled: true}", "NagStepFunctionsStateMachine"),
        ("name: nag-prod", "NagDashprod"),
        ("id: Nagging", "Nagging"),
    ],
)
def test_state_machines_of_a_plugin_have_the_ids_that_it_gives(named: str, name: str) -> None:
    stack = service(MACHINES % named)
    assert stack.resources[name].type == "AWS::StepFunctions::StateMachine"
    facts = StackFacts(stack, load_mappings())
    assert [one.source for one in function_relations(stack, facts)["BotLambdaFunction"].triggers] == [name]


PROXIED = """\
plugins: [serverless-apigateway-service-proxy]
functions: {bot: {handler: a.b}}
custom: {apiGatewayServiceProxies: [%s]}
resources:
  Resources:
    Jobs: {Type: AWS::SQS::Queue}
    News: {Type: AWS::SNS::Topic}
    Files: {Type: AWS::S3::Bucket}
"""


@pytest.mark.parametrize(
    ("proxy", "to"),
    [
        ("sqs: {path: /in, method: post, queueName: !GetAtt Jobs.QueueName}", "Jobs"),
        ("sns: {path: /in, method: post, topicName: !GetAtt News.TopicName}", "News"),
        ("s3: {path: '/in/{key}', method: put, action: PutObject, bucket: !Ref Files, key: {pathParam: key}}", "Files"),
        ("dynamodb: {path: /in, method: post, tableName: orders}", "aws:dynamodb:"),
    ],
)
def test_proxies_of_a_plugin_are_routes_that_hand_on(proxy: str, to: str) -> None:
    stack = service(PROXIED % f"{{{proxy}}}")
    facts = StackFacts(stack, load_mappings())
    assert [one[:2] for one in passed_on(stack, facts)] == [("ApiGatewayRestApi", to)]


@pytest.mark.parametrize("proxy", ["{sqs: '${ssm:/x}'}", "{carrierPigeon: {path: /a, method: get}}"])
def test_a_proxy_that_is_not_understood_leaves_all_open(proxy: str) -> None:
    (part,) = (one for one in service(PROXIED % proxy).unread if one.strength == "all")
    assert part.name.startswith("custom.apiGatewayServiceProxies")


def test_the_worker_of_a_queue_of_lift_is_a_function() -> None:
    text = "plugins: [serverless-lift]\nconstructs: {jobs: {type: queue, worker: {handler: a.b, timeout: 9}}}\n"
    stack = service(text)
    assert at(stack, "JobsWorkerLambdaFunction", "Timeout") == "9"
    assert [(one.name, one.strength) for one in stack.unread] == [("serverless-lift", "changes")]


@pytest.mark.parametrize(
    ("topics", "handed"),
    [("{alarm: {topic: a, notifications: [{protocol: email, endpoint: a@example.org}]}}", False),
     ("{alarm: {topic: a, notifications: [{protocol: lambda, endpoint: x}]}}", True),
     ("'${ssm:/topics}'", True)],
)  # fmt: skip
def test_alarms_of_a_plugin_may_start_functions_only_where_they_tell_some(topics: str, handed: bool) -> None:
    head = f"plugins: [serverless-plugin-aws-alerts]\ncustom: {{alerts: {{topics: {topics}}}}}\n"
    (part,) = service(f"{head}functions: {{bot: {{handler: a.b}}}}\n").unread
    assert (part.strength, bool(part.handed)) == ("adds", handed)


def test_a_plugin_of_the_projects_own_may_have_the_name_of_any_other() -> None:
    text = "plugins: {localPath: ./own, modules: [serverless-offline]}\nfunctions: {bot: {handler: a.b}}\n"
    assert [(one.name, one.strength) for one in service(text).unread] == [("plugins.localPath", "all")]


def test_what_a_plugin_adds_to_an_api_is_not_proven_to_be_guarded() -> None:
    stack = service(MACHINES % "id: Nagging" + "custom: {}\n")
    (part,) = stack.unread
    assert part.handed == frozenset(name for name, one in stack.resources.items() if "RestApi" in one.type)
