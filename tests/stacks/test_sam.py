"""What SAM generates, as nodes: where it stands, what it rests on, and what is not known stays unknown."""

from __future__ import annotations

import json
import random
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from tests.support import HOME
from threatmodel.reading.problems import Place
from threatmodel.stacks import sam
from threatmodel.stacks.cloudformation import reader as cloudformation
from threatmodel.stacks.stack import Resource, Stack
from threatmodel.stacks.values import (
    Joined,
    Link,
    List,
    Node,
    NotPlain,
    Scalar,
    Table,
    Unknown,
    get,
    items,
    plain,
    shape_of,
)

TEMPLATES = sorted((HOME / "tests" / "stacks" / "sam").glob("*.yaml"))
FUNCTION = "Type: AWS::Serverless::Function"


def read(text: str) -> Stack:
    return sam.expanded(*cloudformation.read(textwrap.dedent(text), "template.yaml"))


def resources(text: str) -> Stack:
    """A stack with these resources."""
    return read("Transform: AWS::Serverless-2016-10-31\nResources:\n" + textwrap.indent(textwrap.dedent(text), "  "))


def at(resource: Resource, *names: str | int) -> Node | None:
    """The node at a path of keys and positions."""
    node: Node | None = resource.properties
    for name in names:
        node = items(node)[name] if isinstance(name, int) else get(node, name)
    return node


def told(resource: Resource, *names: str | int) -> Any:
    node = at(resource, *names)
    assert node is not None
    try:
        return plain(node)
    except NotPlain:
        return shape_of(node)


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


# --- who may come


AUTHORISED = """
    Api:
      Type: AWS::Serverless::{kind}
      Properties:
        StageName: live
        Auth: {auth}
    Hello:
      Type: AWS::Serverless::Function
      Properties:
        Events:
          Get:
            Type: {event}
            Properties: {{{id}: !Ref Api, Path: /a, Method: get, Auth: {own}}}
    Checker: {{Type: AWS::Serverless::Function}}
    """
REST = "{DefaultAuthorizer: %s, Authorizers: {Token: {FunctionArn: !GetAtt Checker.Arn}, Pool: {UserPoolArn: arn}}}"
HTTP = (
    "{DefaultAuthorizer: %s, EnableIamAuthorizer: true, Authorizers: {Token: {FunctionArn: !GetAtt Checker.Arn,"
    ' AuthorizerPayloadFormatVersion: "2.0"}, Jwt: {IdentitySource: a, JwtConfiguration: {issuer: i}}}}'
)


@pytest.mark.parametrize(
    ("kind", "auth", "own", "wanted"),
    [
        ("Api", "{}", "{}", "NONE"),
        ("Api", REST % "Token", "{}", "CUSTOM"),
        ("Api", REST % "Pool", "{}", "COGNITO_USER_POOLS"),
        ("Api", REST % "AWS_IAM", "{}", "AWS_IAM"),
        ("Api", REST % "Token", "{Authorizer: NONE}", "NONE"),
        ("Api", REST % "Token", "{Authorizer: AWS_IAM}", "AWS_IAM"),
        ("Api", REST % "Token", "{Authorizer: Pool}", "COGNITO_USER_POOLS"),
        ("Api", REST % "!Ref Which", "{}", None),
        ("Api", REST % "Nobody", "{}", None),
        ("HttpApi", "{}", "{}", "NONE"),
        ("HttpApi", HTTP % "Token", "{}", "CUSTOM"),
        ("HttpApi", HTTP % "Jwt", "{}", "JWT"),
        ("HttpApi", HTTP % "Jwt", "{Authorizer: NONE}", "NONE"),
        ("HttpApi", HTTP % "Jwt", "{Authorizer: AWS_IAM}", "AWS_IAM"),
    ],
)
def test_who_may_come_in(kind: str, auth: str, own: str, wanted: str | None) -> None:
    event, key = ("Api", "RestApiId") if kind == "Api" else ("HttpApi", "ApiId")
    text = "Parameters: {Which: {Type: String}}\nTransform: AWS::Serverless-2016-10-31\nResources:\n"
    filled = textwrap.indent(AUTHORISED.format(kind=kind, auth=auth, own=own, event=event, id=key), "  ")
    route = read(text + filled).resources["Api GET /a"]
    found = at(route, "AuthorizationType")
    assert isinstance(found, Unknown) if wanted is None else shape_of(found) == wanted


@pytest.mark.parametrize(
    ("security", "wanted"),
    [
        ("", "NONE"),
        ("security: [{sigv4: []}]", "AWS_IAM"),
        ("security: [{pool: []}]", "COGNITO_USER_POOLS"),
        ("security: [{key: []}]", "NONE"),
        ("security: [{unheard: []}]", None),
        ("x-amazon-apigateway-auth: {type: AWS_IAM}", "AWS_IAM"),
    ],
)
def test_a_definition_is_read(security: str, wanted: str | None) -> None:
    stack = resources(f"""
        Api:
          Type: AWS::Serverless::Api
          Properties:
            StageName: live
            DefinitionBody:
              swagger: "2.0"
              paths:
                /a:
                  post:
                    {security or "description: open"}
                    x-amazon-apigateway-integration:
                      type: aws_proxy
                      uri: !Sub "arn:aws:apigateway:r:lambda:path/2015-03-31/functions/${{Hello.Arn}}/invocations"
              securityDefinitions:
                sigv4: {{type: apiKey, name: a, in: header, x-amazon-apigateway-authtype: awsSigv4}}
                pool:
                  type: apiKey
                  name: a
                  in: header
                  x-amazon-apigateway-authorizer: {{type: cognito_user_pools}}
                key: {{type: apiKey, name: x-api-key, in: header}}
        Hello: {{{FUNCTION}}}
        """)
    method = stack.resources["Api POST /a"]
    found = at(method, "AuthorizationType")
    assert isinstance(found, Unknown) if wanted is None else shape_of(found) == wanted
    assert stack.target(at(method, "Integration", "Uri")) is stack.resources["Hello"]
    assert (at(method, "ApiKeyRequired") is not None) == ("key" in security)


@pytest.mark.parametrize(
    "definition",
    ["DefinitionUri: api.yaml", "DefinitionBody: {Fn::Transform: {Name: AWS::Include, Parameters: {Location: a}}}"],
)
def test_a_definition_elsewhere_makes_the_routes_unknown(definition: str) -> None:
    stack = resources(f"""
        Api:
          Type: AWS::Serverless::Api
          Properties:
            StageName: live
            {definition}
        """)
    method = next(stack.of_type("AWS::ApiGateway::Method"))
    assert isinstance(at(method, "AuthorizationType"), Unknown)
    assert isinstance(at(method, "Integration"), Unknown)
    assert isinstance(at(method, "HttpMethod"), Unknown)
    assert isinstance(at(method, "ResourceId"), Unknown)
    assert not list(stack.of_type("AWS::ApiGateway::Resource"))


# --- what is not known


URL = """
    Transform: AWS::Serverless-2016-10-31
    Parameters: {{Auth: {{Type: String{default}}}}}
    Resources:
      Hello:
        Type: AWS::Serverless::Function
        Properties:
          FunctionUrlConfig: {{AuthType: {auth}}}
    """


def test_a_url_without_authentication_is_open_to_all() -> None:
    stack = read(URL.format(default="", auth="NONE"))
    for name, action in (
        ("HelloUrlPublicPermissions", "lambda:InvokeFunctionUrl"),
        ("HelloURLInvokeAllowPublicAccess", "lambda:InvokeFunction"),
    ):
        permission = stack.resources[name]
        assert (told(permission, "Principal"), told(permission, "Action")) == ("*", action)
        assert permission.doubt is None
        assert permission.place.line == 8


def test_a_url_that_asks_for_a_signature_is_not() -> None:
    stack = read(URL.format(default="", auth="AWS_IAM"))
    assert told(stack.resources["HelloUrl"], "AuthType") == "AWS_IAM"
    assert not list(stack.of_type("AWS::Lambda::Permission"))


@pytest.mark.parametrize("default", ["", ", Default: NONE"])
def test_a_url_whose_authentication_is_a_parameter_gets_no_permission(default: str) -> None:
    stack = read(URL.format(default=default, auth="!Ref Auth"))
    assert "HelloUrl" in stack.resources
    assert not list(stack.of_type("AWS::Lambda::Permission"))


CHOICE = """
    Transform: AWS::Serverless-2016-10-31
    Parameters: {Stage: {Type: String}}
    Conditions: {Live: !Equals [!Ref Stage, live]}
    Resources:
      Hello:
        Type: AWS::Serverless::Function
        Properties:
    """


def choosing(text: str) -> Stack:
    return read(textwrap.dedent(CHOICE).rstrip() + "\n" + textwrap.indent(textwrap.dedent(text), "      "))


def test_a_role_that_depends_is_left_alone() -> None:
    stack = choosing("Role: !If [Live, a, b]")
    assert "HelloRole" not in stack.resources
    assert isinstance(at(stack.resources["Hello"], "Role"), Unknown)


def test_policies_that_depend_are_unknown_and_the_others_stay() -> None:
    stack = choosing("""
        Policies:
          - !If [Live, {Statement: [{Effect: Allow, Action: s3:GetObject, Resource: a}]}, !Ref AWS::NoValue]
          - SQSPollerPolicy: {QueueName: a}
        """)
    role = stack.resources["HelloRole"]
    documents = [get(one, "PolicyDocument") for one in items(at(role, "Policies"))]
    assert [isinstance(one, Unknown) for one in documents] == [True, False]


def test_a_policy_that_nobody_knows_is_unknown() -> None:
    stack = resources(f"""
        Hello:
          {FUNCTION}
          Properties: {{Policies: [{{NoSuchPolicy: {{}}}}, {{SQSPollerPolicy: {{}}}}]}}
        """)
    role = stack.resources["HelloRole"]
    unheard, incomplete = (get(one, "PolicyDocument") for one in items(at(role, "Policies")))
    assert isinstance(unheard, Unknown)
    assert isinstance(at(role, "Policies", 1, "PolicyDocument", "Statement", 0, "Resource"), Joined)
    assert incomplete is not None


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


# --- untrusted input


ODD: list[Node] = [
    Scalar(None, Place("f")),
    Scalar(1, Place("f")),
    Scalar(value=True, place=Place("f")),
    Scalar("x", Place("f")),
    List((), Place("f")),
    List((Scalar("a", Place("f")),), Place("f")),
    Table({}, Place("f"), {}),
    Table({"a": Scalar("b", Place("f"))}, Place("f"), {}),
    Unknown("why", Place("f")),
    Unknown("why", Place("f"), Scalar("NONE", Place("f"))),
    Unknown("why", Place("f"), List((Table({"Statement": Scalar("x", Place("f"))}, Place("f"), {}),), Place("f"))),
    Link("Nobody", "Arn", Place("f")),
    Joined(("a", Unknown("why", Place("f"))), Place("f")),
]


def paths(node: Node, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """The path of every node in a node."""
    yield path
    if isinstance(node, Table):
        for name, child in node.entries.items():
            yield from paths(child, (*path, name))
    elif isinstance(node, List):
        for index, child in enumerate(node.items):
            yield from paths(child, (*path, index))


def put(node: Node, path: tuple[str | int, ...], value: Node) -> Node:
    """The node with another value at a path."""
    if not path:
        return value
    first, rest = path[0], path[1:]
    if isinstance(node, Table):
        return node._replace(entries={**node.entries, str(first): put(node.entries[str(first)], rest, value)})
    assert isinstance(node, List)
    assert isinstance(first, int)
    children = list(node.items)
    children[first] = put(children[first], rest, value)
    return node._replace(items=tuple(children))


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.stem)
def test_nothing_of_the_wrong_kind_stops_it(path: Any) -> None:
    chance = random.Random(path.stem)
    stack, globals_ = cloudformation.read(path.read_text(encoding="utf-8"), "template.yaml")
    for resource in stack.resources.values():
        for place in [one for one in paths(resource.properties) if one]:
            properties = put(resource.properties, place, chance.choice(ODD))
            assert isinstance(properties, Table)
            changed = {**stack.resources, resource.name: replace(resource, properties=properties)}
            assert sam.expanded(replace(stack, resources=changed), globals_).resources.keys() >= changed.keys()


def test_thousands_of_events_take_no_time() -> None:
    lines = "".join(
        f"        E{index}: {{Type: HttpApi, Properties: {{Path: /{index}, Method: get}}}}\n"
        f"        S{index}: {{Type: S3, Properties: {{Bucket: !Ref Files, Events: a}}}}\n"
        for index in range(2000)
    )
    text = f"  Hello:\n    {FUNCTION}\n    Properties:\n      Events:\n{lines}  Files: {{Type: AWS::S3::Bucket}}\n"
    stack = read(f"Transform: AWS::Serverless-2016-10-31\nResources:\n{text}")
    assert len(stack.resources) > 8000


# --- the table


def test_the_table_is_what_its_script_writes() -> None:
    script = HOME / "scripts" / "sam_policies.py"
    run = subprocess.run([sys.executable, str(script), "--check"], capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout + run.stderr


def test_the_table_says_whose_it_is() -> None:
    table = json.loads((HOME / "threatmodel" / "stacks" / "sam" / "sam-policies.json").read_text(encoding="utf-8"))
    assert "Apache-2.0" in table["about"]
    assert len(table["templates"]) >= 81
