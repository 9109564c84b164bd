"""What an API leaves to whoever calls it, asked of templates and of plans."""

from __future__ import annotations

from typing import Any

import pytest

from tests.evidence.asking import NOTHING, UNKNOWN, answer, found, plan, template

REST = "  Api: {Type: AWS::ApiGateway::RestApi}\n"
HTTP = "  Api: {Type: AWS::ApiGatewayV2::Api, Properties: {ProtocolType: HTTP}}\n"


def authorizer(settings: str) -> str:
    return f"  Who: {{Type: AWS::ApiGateway::Authorizer, Properties: {{RestApiId: !Ref Api, Name: w, {settings}}}}}\n"


def pool(settings: str = "") -> str:
    return f"  Users: {{Type: AWS::Cognito::UserPool, Properties: {{{settings}}}}}\n"


COGNITO = authorizer("Type: COGNITO_USER_POOLS, ProviderARNs: [!GetAtt Users.Arn]")
CLOSED = "AdminCreateUserConfig: {AllowAdminCreateUserOnly: true}"


@pytest.mark.parametrize(
    ("stack", "expected"),
    [
        (COGNITO + pool(), True),
        (COGNITO + pool("AdminCreateUserConfig: {AllowAdminCreateUserOnly: false}"), True),
        (COGNITO + pool(CLOSED), False),
        (COGNITO + pool("AdminCreateUserConfig: {AllowAdminCreateUserOnly: !ImportValue closed}"), UNKNOWN),
        (COGNITO + pool("LambdaConfig: {PreSignUp: arn:aws:lambda:eu-west-1:123456789012:function:f}"), UNKNOWN),
        (authorizer("Type: COGNITO_USER_POOLS, ProviderARNs: [!ImportValue pool]"), UNKNOWN),
        (authorizer("Type: TOKEN, AuthorizerUri: arn"), False),
        ("", False),
        (COGNITO + pool(CLOSED) + COGNITO.replace("Who", "Other").replace("Users.Arn", "More.Arn"), UNKNOWN),
    ],
)
def test_cognito_lets_strangers_sign_up_unless_it_says_otherwise(stack: str, expected: Any) -> None:
    outcome = found(template(REST + stack), "api", "self_sign_up")
    assert answer(outcome) == expected


@pytest.mark.parametrize(
    ("issuer", "settings", "expected"),
    [
        ("!Sub 'https://cognito-idp.${AWS::Region}.amazonaws.com/${Users}'", "", True),
        ("!GetAtt Users.ProviderURL", "", True),
        ("!GetAtt Users.ProviderURL", CLOSED, False),
        ("https://login.example.com/", "", UNKNOWN),
    ],
)
def test_the_issuer_of_a_jwt_authorizer_leads_to_its_pool(issuer: str, settings: str, expected: Any) -> None:
    jwt = f"JwtConfiguration: {{Issuer: {issuer}, Audience: [a]}}"
    who = (
        f"  Who: {{Type: AWS::ApiGatewayV2::Authorizer, Properties: {{ApiId: !Ref Api, AuthorizerType: JWT, {jwt}}}}}\n"
    )
    assert answer(found(template(HTTP + who + pool(settings)), "api", "self_sign_up")) == expected


@pytest.mark.parametrize(
    ("settings", "expected"),
    [("{}", True), ("{admin_create_user_config: [{allow_admin_create_user_only: true}]}", False)],
)
def test_a_plan_says_who_may_sign_up(settings: str, expected: Any) -> None:
    stack = plan(
        "aws_api_gateway_rest_api.api: {}\n"
        f"aws_cognito_user_pool.users: {settings}\n"
        "aws_api_gateway_authorizer.who: {rest_api_id: '${aws_api_gateway_rest_api.api.id}', "
        "type: COGNITO_USER_POOLS, provider_arns: ['${aws_cognito_user_pool.users.arn}']}\n"
    )
    assert answer(found(stack, "api", "self_sign_up", "aws_api_gateway_rest_api.api")) == expected


def method(uri: str, more: str) -> str:
    integration = f"Integration: {{Type: AWS, IntegrationHttpMethod: GET, Uri: {uri}, {more}}}"
    route = "RestApiId: !Ref Api, ResourceId: !GetAtt Api.RootResourceId, HttpMethod: GET, AuthorizationType: NONE"
    return f"  Get: {{Type: AWS::ApiGateway::Method, Properties: {{{route}, {integration}}}}}\n"


S3 = "arn:aws:apigateway:eu-west-1:s3:path/"
ITEM = "arn:aws:apigateway:eu-west-1:dynamodb:action/"
KEY = "RequestParameters: {integration.request.path.key: method.request.querystring.key}"


@pytest.mark.parametrize(
    ("uri", "more", "expected"),
    [
        (f"'{S3}files/{{key}}'", KEY, True),
        (
            f"'{S3}{{bucket}}/a.txt'",
            "RequestParameters: {integration.request.path.bucket: method.request.path.b}",
            True,
        ),
        (f"'{S3}files/index.html'", KEY, False),
        (f"'{S3}files/{{key}}'", "RequestParameters: {integration.request.path.key: \"'index.html'\"}", False),
        (
            f"'{S3}files/{{key}}'",
            "RequestParameters: {integration.request.path.key: context.authorizer.claims.sub}",
            UNKNOWN,
        ),
        (f"'{S3}files/{{key}}'", "Credentials: arn", UNKNOWN),
        ("!ImportValue uri", KEY, UNKNOWN),
        (f"'{ITEM}GetItem'", """RequestTemplates: {application/json: "{'Key': '$input.params(1)'}"}""", True),
        (f"'{ITEM}Scan'", """RequestTemplates: {application/json: "{'TableName': 't'}"}""", False),
        (
            f"'{ITEM}GetItem'",
            """RequestTemplates: {application/json: "$input.path('$.k') $context.authorizer.sub"}""",
            UNKNOWN,
        ),
        (f"'{ITEM}GetItem'", "RequestTemplates: {application/json: !ImportValue t}", UNKNOWN),
        ("'arn:aws:apigateway:eu-west-1:sqs:path/123456789012/jobs'", "RequestTemplates: {a/b: $input.body}", False),
        ("'arn:aws:apigateway:eu-west-1:lambda:path/2015-03-31/functions/x/invocations'", KEY, False),
    ],
)
def test_what_a_request_names_without_a_function_between(uri: str, more: str, expected: Any) -> None:
    assert answer(found(template(REST + method(uri, more)), "api", "callers_name_objects")) == expected


ROLE = """  Role:
    Type: AWS::IAM::Role
    Properties: {Policies: [{PolicyName: p, PolicyDocument: {Statement: [{Effect: Allow, %s}]}}]}
"""


@pytest.mark.parametrize(
    ("credentials", "allows", "expected"),
    [
        ("!GetAtt Role.Arn", "Action: 's3:GetObject', Resource: 'arn:aws:s3:::files/*'", False),
        ("!GetAtt Role.Arn", "Action: 's3:GetObject', Resource: 'arn:aws:s3:::*'", True),
        ("!GetAtt Role.Arn", "Action: 's3:*', Resource: 'arn:aws:s3:::files/*'", True),
        ("!GetAtt Role.Arn", "Action: 's3:GetObject', Resource: !ImportValue files", UNKNOWN),
        ("'arn:aws:iam::*:user/*'", "Action: 's3:*', Resource: '*'", False),
        ("!ImportValue role", "Action: 's3:*', Resource: '*'", UNKNOWN),
    ],
)
def test_what_the_role_of_an_integration_allows_the_api_may_do(credentials: str, allows: str, expected: Any) -> None:
    text = REST + method(f"'{S3}files/{{key}}'", f"{KEY}, Credentials: {credentials}") + ROLE % allows
    assert answer(found(template(text), "api", "integration_role_broad")) == expected
    of_http = "CredentialsArn: " + credentials
    text = HTTP + f"  I: {{Type: AWS::ApiGatewayV2::Integration, Properties: {{ApiId: !Ref Api, {of_http}}}}}\n"
    assert answer(found(template(text + ROLE % allows), "api", "integration_role_broad")) == expected


def test_a_plan_shows_the_role_of_an_integration() -> None:
    wide = '{"Statement": [{"Effect": "Allow", "Action": "dynamodb:*", "Resource": "*"}]}'
    stack = plan(
        "aws_api_gateway_rest_api.api: {}\n"
        "aws_iam_role.r: {name: r}\n"
        f"aws_iam_role_policy.r: {{role: '${{aws_iam_role.r.name}}', policy: '{wide}'}}\n"
        "aws_api_gateway_integration.get: {rest_api_id: '${aws_api_gateway_rest_api.api.id}', "
        "credentials: '${aws_iam_role.r.arn}', http_method: GET, resource_id: x}\n"
        "aws_api_gateway_method.get: {rest_api_id: '${aws_api_gateway_rest_api.api.id}', "
        "http_method: GET, resource_id: x}\n"
    )
    assert answer(found(stack, "api", "integration_role_broad", "aws_api_gateway_rest_api.api")) is True


PATH = "RequestParameters: {integration.request.path.key: method.request.path.key}"


@pytest.mark.parametrize(
    ("asked", "more", "expected"),
    [
        ("NONE", KEY, False),
        ("COGNITO_USER_POOLS", KEY, False),
        ("AWS_IAM", KEY, NOTHING),
        ("CUSTOM, AuthorizerId: !Ref Who", KEY, False),
        ("CUSTOM, AuthorizerId: !Ref Who", PATH, NOTHING),
        ("CUSTOM, AuthorizerId: !ImportValue who", KEY, NOTHING),
        ("NONE", "RequestParameters: {integration.request.path.key: context.authorizer.claims.sub}", NOTHING),
    ],
)
def test_nobody_is_held_to_what_is_theirs_where_nothing_sees_the_object(asked: str, more: str, expected: Any) -> None:
    stack = REST + authorizer("Type: TOKEN, AuthorizerUri: arn") + method(f"'{S3}files/{{key}}'", more)
    stack = stack.replace("AuthorizationType: NONE", f"AuthorizationType: {asked}")
    assert answer(found(template(stack), "api", "objects_bound_to_caller")) == expected


@pytest.mark.parametrize(("named", "expected"), [("$request.body.queue", True), ("https://sqs.example.com/q", False)])
def test_an_http_apis_own_integration_names_its_queue(named: str, expected: Any) -> None:
    parameters = (
        f"IntegrationSubtype: SQS-SendMessage, RequestParameters: {{QueueUrl: '{named}', MessageBody: $request.body}}"
    )
    way = f"  Way: {{Type: AWS::ApiGatewayV2::Integration, Properties: {{ApiId: !Ref Api, {parameters}}}}}\n"
    assert answer(found(template(HTTP + way), "api", "callers_name_objects")) == expected


def test_a_definition_of_sams_is_read_with_what_its_integrations_map() -> None:
    text = """  Api:
    Type: AWS::Serverless::Api
    Properties:
      StageName: v1
      DefinitionBody:
        paths:
          /file:
            get:
              x-amazon-apigateway-integration:
                type: aws
                httpMethod: GET
                uri: arn:aws:apigateway:eu-west-1:s3:path/{key}
                requestParameters: {integration.request.path.key: method.request.querystring.key}
"""
    assert answer(found(template(text), "api", "callers_name_objects")) is True


def test_a_plan_says_what_a_request_names() -> None:
    stack = plan(
        "aws_api_gateway_rest_api.api: {}\n"
        "aws_api_gateway_integration.get: {rest_api_id: '${aws_api_gateway_rest_api.api.id}', type: AWS, "
        f"uri: '{S3}files/{{key}}', request_parameters: {{integration.request.path.key: method.request.path.key}}}}\n"
    )
    assert answer(found(stack, "api", "callers_name_objects", "aws_api_gateway_rest_api.api")) is True
    assert answer(found(plan("aws_apigatewayv2_api.api: {}\n"), "api", "callers_name_objects")) in {False, NOTHING}
