"""Who may come in through what SAM makes, and what of it is not known."""

from __future__ import annotations

import textwrap

import pytest

from tests.stacks.sam_text import FUNCTION, at, read, resources, told
from threatmodel.stacks.stack import Stack
from threatmodel.stacks.values import (
    Joined,
    Scalar,
    Unknown,
    get,
    items,
    shape_of,
)

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


@pytest.mark.parametrize(
    "url",
    [
        "{AuthType: !If [Live, AWS_IAM, NONE]}",
        "!If [Live, {AuthType: NONE}, !Ref AWS::NoValue]",
        "!If [Live, {AuthType: AWS_IAM}, {AuthType: NONE}]",
    ],
)
def test_a_url_that_a_condition_may_open_has_permissions_in_doubt(url: str) -> None:
    permissions = list(choosing(f"FunctionUrlConfig: {url}").of_type("AWS::Lambda::Permission"))
    assert [one.doubt is not None for one in permissions] == [True, True]


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


@pytest.mark.parametrize("kind", ["Api", "HttpApi"])
def test_how_long_a_decision_is_kept_is_read_of_both_kinds_of_api(kind: str) -> None:
    stack = resources(f"""
        Api:
          Type: AWS::Serverless::{kind}
          Properties:
            StageName: live
            Auth: {{Authorizers: {{Token: {{FunctionArn: !GetAtt Checker.Arn, Identity: {{ReauthorizeEvery: 30}}}}}}}}
        Checker: {{{FUNCTION}}}
        """)
    seconds = at(stack.resources["Api Token"], "AuthorizerResultTtlInSeconds")
    assert isinstance(seconds, Scalar)
    assert seconds.value == 30
