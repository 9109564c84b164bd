"""What code answers about an api, asked of templates and of plans."""

from __future__ import annotations

import json

import pytest
import yaml

from tests.evidence.asking import UNKNOWN, answer, found, plan, template

# --- TLS


@pytest.mark.parametrize(
    ("own", "domain", "expected"),
    [
        ("", None, "tls-1.0"),
        ("SecurityPolicy: TLS_1_2", None, "tls-1.2"),
        ("SecurityPolicy: SecurityPolicy_TLS13_1_2_2021_06", None, "tls-1.2"),
        ("SecurityPolicy: SecurityPolicy_TLS13_1_3_2025_09", None, "tls-1.3"),
        ("SecurityPolicy: SecurityPolicy_TLS13_1_3_2025_09", "TLS_1_2", "tls-1.2"),
        ("SecurityPolicy: SecurityPolicy_TLS13_1_3_2025_09", "TLS_1_0", "tls-1.0"),
        ("SecurityPolicy: SecurityPolicy_TLS13_1_3_2025_09", "", UNKNOWN),
        ("SecurityPolicy: SecurityPolicy_TLS99", None, UNKNOWN),
        ("SecurityPolicy: TLS_1_2", "!ImportValue policy", UNKNOWN),
        ("SecurityPolicy: TLS_1_0", "!ImportValue policy", "tls-1.0"),
        # API Gateway negotiates by the api's own policy, where it is called by the domain too
        ("DisableExecuteApiEndpoint: true", "TLS_1_2", UNKNOWN),
        ("DisableExecuteApiEndpoint: true, SecurityPolicy: TLS_1_2", "TLS_1_2", "tls-1.2"),
        ("DisableExecuteApiEndpoint: true, SecurityPolicy: TLS_1_0", "TLS_1_2", "tls-1.0"),
        ("DisableExecuteApiEndpoint: true", None, UNKNOWN),
        ("DisableExecuteApiEndpoint: !ImportValue off", "TLS_1_2", UNKNOWN),
        ("DisableExecuteApiEndpoint: !ImportValue off", "TLS_1_0", "tls-1.0"),
        ("DisableExecuteApiEndpoint: !ImportValue off, SecurityPolicy: TLS_1_2", "TLS_1_2", "tls-1.2"),
        ("DisableExecuteApiEndpoint: false, Body: {x-amazon-apigateway-security-policy: TLS_1_2}", None, "tls-1.2"),
        ("DisableExecuteApiEndpoint: false, BodyS3Location: {Bucket: b, Key: k}", None, UNKNOWN),
        ("DisableExecuteApiEndpoint: false", "TLS_1_2", "tls-1.0"),
        ("EndpointConfiguration: {Types: [REGIONAL]}", None, "tls-1.0"),
        ("EndpointConfiguration: {Types: [PRIVATE]}", None, "tls-1.2"),
    ],
)
def test_oldest_tls(own: str, domain: str | None, expected: str) -> None:
    text = f"  Api: {{Type: AWS::ApiGateway::RestApi, Properties: {{{own}}}}}\n"
    if domain is not None:
        policy = f", SecurityPolicy: {domain}" if domain else ""
        text += f"""
  Domain: {{Type: AWS::ApiGateway::DomainName, Properties: {{DomainName: bot.example.com{policy}}}}}
  Map: {{Type: AWS::ApiGateway::BasePathMapping, Properties: {{RestApiId: !Ref Api, DomainName: !Ref Domain}}}}
"""
    assert answer(found(template(text), "api", "minimum_tls")) == expected


def test_oldest_tls_of_http_apis_and_plans() -> None:
    http = "  Api: {Type: AWS::ApiGatewayV2::Api, Properties: {DisableExecuteApiEndpoint: false}}"
    assert answer(found(template(http), "api", "minimum_tls")) == "tls-1.2"
    text = """
aws_api_gateway_rest_api.slack: {disable_execute_api_endpoint: %s, body: '%s'}
aws_api_gateway_domain_name.slack: {security_policy: TLS_1_2}
aws_api_gateway_base_path_mapping.slack:
  api_id: "${aws_api_gateway_rest_api.slack.id}"
  domain_name: "${aws_api_gateway_domain_name.slack.domain_name}"
"""
    newest = '{"x-amazon-apigateway-security-policy": "SecurityPolicy_TLS13_1_3_2025_09"}'
    assert answer(found(plan(text % ("false", "")), "api", "minimum_tls")) == "tls-1.0"
    assert answer(found(plan(text % ("true", "")), "api", "minimum_tls")) == UNKNOWN
    assert answer(found(plan(text % ("false", newest)), "api", "minimum_tls")) == "tls-1.2"


# --- routes and methods


@pytest.mark.parametrize("routes", [["POST /slack/order"], ["POST /slack/order", "$default"], ["!ImportValue route"]])
def test_a_route_of_an_http_api_checks_nothing(routes: list[str]) -> None:
    text = "  Api: {Type: AWS::ApiGatewayV2::Api, Properties: {ProtocolType: HTTP}}\n"
    for n, key in enumerate(routes):
        told = key if key.startswith("!") else f'"{key}"'
        text += f"  Route{n}: {{Type: AWS::ApiGatewayV2::Route, Properties: {{ApiId: !Ref Api, RouteKey: {told}}}}}\n"
    assert answer(found(template(text), "api", "request_validation")) is False


DOORS = """
Resources:
  Api: {{Type: AWS::ApiGateway::RestApi}}
  Resource: {{Type: AWS::ApiGateway::Resource, Properties: {{RestApiId: !Ref Api, PathPart: {path}}}}}
  Check: {{Type: AWS::ApiGateway::RequestValidator, Properties: {{RestApiId: !Ref Api, {checks}}}}}
  Order: {{Type: AWS::ApiGateway::Model, Properties: {{RestApiId: !Ref Api, Schema: {{required: [id]}}}}}}
  Any: {{Type: AWS::ApiGateway::Model, Properties: {{RestApiId: !Ref Api, Schema: {{}}}}}}
  Method: {{Type: AWS::ApiGateway::Method, Properties: {{RestApiId: !Ref Api, ResourceId: !Ref Resource, {method}}}}}
"""
PARAMETERS = "RequestParameters: {method.request.header.X-Slack-Signature: true}"
MODELS = "RequestModels: {application/json: !Ref Order}"
OURS = "RequestValidatorId: !Ref Check"


@pytest.mark.parametrize(
    ("path", "checks", "method", "expected"),
    [
        ("order", "ValidateRequestParameters: true", f"HttpMethod: POST, {OURS}, {PARAMETERS}", True),
        ("order", "ValidateRequestBody: true", f"HttpMethod: POST, {OURS}, {MODELS}", True),
        ("order", "ValidateRequestBody: true", f"HttpMethod: POST, {OURS}, {MODELS.replace('Order', 'Any')}", False),
        (
            "order",
            "ValidateRequestBody: true",
            f"HttpMethod: POST, {OURS}, {MODELS.replace('!Ref Order', 'Empty')}",
            False,
        ),
        (
            "order",
            "ValidateRequestBody: true",
            f"HttpMethod: POST, {OURS}, {MODELS.replace('!Ref Order', 'Order')}",
            UNKNOWN,
        ),
        ("order", "ValidateRequestParameters: true", f"HttpMethod: POST, {OURS}", False),
        ("order", "ValidateRequestBody: true", f"HttpMethod: POST, {OURS}, {PARAMETERS}", False),
        ("order", "ValidateRequestParameters: true", f"HttpMethod: POST, {PARAMETERS}", False),
        ("order", "ValidateRequestParameters: false", f"HttpMethod: POST, {OURS}, {PARAMETERS}", False),
        ("order", "ValidateRequestParameters: true", "HttpMethod: GET", UNKNOWN),
        ("order", "ValidateRequestParameters: true", f"HttpMethod: GET, {PARAMETERS}", False),
        ("order", "ValidateRequestParameters: true", f"HttpMethod: ANY, {OURS}, {PARAMETERS}", False),
        ('"{proxy+}"', "ValidateRequestParameters: true", f"HttpMethod: POST, {OURS}, {PARAMETERS}", False),
        ("order", "ValidateRequestParameters: true", "HttpMethod: OPTIONS, Integration: {Type: MOCK}", True),
        ("order", "ValidateRequestParameters: !ImportValue x", f"HttpMethod: POST, {OURS}, {PARAMETERS}", UNKNOWN),
        ("order", "ValidateRequestBody: true", "HttpMethod: POST, RequestValidatorId: abc123", UNKNOWN),
        ("!ImportValue x", "ValidateRequestBody: true", f"HttpMethod: POST, {OURS}, {MODELS}", UNKNOWN),
        ("order", "ValidateRequestBody: true", f"HttpMethod: !ImportValue x, {OURS}, {MODELS}", UNKNOWN),
    ],
)
def test_methods(path: str, checks: str, method: str, expected: object) -> None:
    stack = template(DOORS.format(path=path, checks=checks, method=method))
    assert answer(found(stack, "api", "request_validation")) == expected


def test_a_definition_may_hold_more_routes() -> None:
    text = DOORS.format(path="order", checks="ValidateRequestBody: true", method=f"HttpMethod: POST, {OURS}, {MODELS}")
    for body, expected in (
        ("BodyS3Location: {Bucket: a, Key: b}", UNKNOWN),
        ("Body: !ImportValue more", UNKNOWN),
        ("Body: {paths: {}}", True),
        ("Body: {paths: {/more: {post: {}}}}", False),
    ):
        whole = text.replace(
            "Type: AWS::ApiGateway::RestApi", f"Type: AWS::ApiGateway::RestApi, Properties: {{{body}}}"
        )
        assert answer(found(template(whole), "api", "request_validation")) == expected


ORDER = "{type: object, required: [id]}"
JSON = "requestBody: {content: {application/json: {schema: {$ref: '#/components/schemas/Order'}}}}"
SIGNED = "parameters: [{in: header, name: X-Slack-Signature, required: true}]"
NAMED = "x-amazon-apigateway-request-validator: all"


@pytest.mark.parametrize(
    ("route", "whole", "checks", "expected"),
    [
        (f"post: {{{JSON}}}", NAMED, "validateRequestBody: true", True),
        (f"post: {{{JSON}, {NAMED}}}", "info: {}", "validateRequestBody: true", True),
        (f"post: {{{JSON}}}", "info: {}", "validateRequestBody: true", False),
        (f"post: {{{JSON}}}", NAMED, "validateRequestBody: false", False),
        (f"post: {{{JSON}}}", NAMED, "validateRequestParameters: true", False),
        (f"post: {{{JSON.replace('Order', 'Any')}}}", NAMED, "validateRequestBody: true", False),
        (f"post: {{{JSON.replace('Order', 'Missing')}}}", NAMED, "validateRequestBody: true", UNKNOWN),
        (f"post: {{{SIGNED}}}", NAMED, "validateRequestParameters: true", True),
        (f"post: {{}}, {SIGNED}", NAMED, "validateRequestParameters: true", True),
        (f"post: {{{SIGNED.replace('true', 'false')}}}", NAMED, "validateRequestParameters: true", False),
        (f"post: {{{SIGNED.replace('header', 'path')}}}", NAMED, "validateRequestParameters: true", False),
        (f"post: {{{SIGNED}}}", NAMED.replace("all", "none"), "validateRequestParameters: true", UNKNOWN),
        (f"post: {{{SIGNED}}}, delete: {{}}", NAMED, "validateRequestParameters: true", False),
        ("post: {parameters: [{in: body, schema: {required: [id]}}]}", NAMED, "validateRequestBody: true", True),
        (f"x-amazon-apigateway-any-method: {{{SIGNED}}}", NAMED, "validateRequestParameters: true", False),
    ],
)
def test_validators_of_a_definition(route: str, whole: str, checks: str, expected: object) -> None:
    """In an API's Body, in SAM's DefinitionBody and in a plan."""
    body = f"""{{openapi: 3.0.1, {whole}, x-amazon-apigateway-request-validators: {{all: {{{checks}}}}},
      components: {{schemas: {{Order: {ORDER}, Any: {{}}}}}}, paths: {{/order: {{{route}}}}}}}"""
    written = f"  Api: {{Type: AWS::ApiGateway::RestApi, Properties: {{Body: {body}}}}}"
    sam = f"  Api: {{Type: AWS::Serverless::Api, Properties: {{StageName: a, DefinitionBody: {body}}}}}"
    planned = f"aws_api_gateway_rest_api.slack: {{body: {json.dumps(json.dumps(yaml.safe_load(body)))}}}"
    for stack in (template(written), template(sam), plan(planned)):
        assert answer(found(stack, "api", "request_validation")) == expected


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        ("{Path: /order, Method: post}", False),
        ("{Path: /order, Method: get}", UNKNOWN),
        ('{Path: "/{proxy+}", Method: get}', False),
        ("{Path: /order, Method: any}", False),
        ("{Path: /order, Method: post, RequestModel: {Model: Order, ValidateBody: true, Required: true}}", True),
    ],
)
def test_methods_of_sam(event: str, expected: object) -> None:
    stack = template(f"""
Transform: AWS::Serverless-2016-10-31
Resources:
  Api:
    Type: AWS::Serverless::Api
    Properties: {{StageName: prod, OpenApiVersion: "2.0", Models: {{Order: {{required: [id]}}}}}}
  F:
    Type: AWS::Serverless::Function
    Properties:
      Events:
        Order: {{Type: Api, Properties: {event[:-1]}, RestApiId: !Ref Api}}}}
""")
    assert answer(found(stack, "api", "request_validation", "Api")) == expected


def test_methods_of_a_plan() -> None:
    text = """
aws_api_gateway_rest_api.slack: {}
aws_api_gateway_resource.order: {path_part: %s}
aws_api_gateway_request_validator.headers:
  rest_api_id: "${aws_api_gateway_rest_api.slack.id}"
  validate_request_parameters: true
  validate_request_body: false
aws_api_gateway_method.order:
  rest_api_id: "${aws_api_gateway_rest_api.slack.id}"
  resource_id: "${aws_api_gateway_resource.order.id}"
  http_method: POST
  request_validator_id: "${aws_api_gateway_request_validator.headers.id}"
  request_parameters: {method.request.header.X-Slack-Signature: %s}
"""
    assert answer(found(plan(text % ("order", "true")), "api", "request_validation")) is True
    assert answer(found(plan(text % ("order", "false")), "api", "request_validation")) is False
    assert answer(found(plan(text % ('"{proxy+}"', "true")), "api", "request_validation")) is False


# --- switches


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ("{DataTraceEnabled: true}", True),
        ('{DataTraceEnabled: "true"}', True),
        ("{DataTraceEnabled: false}", False),
        ("{DataTraceEnabled: !ImportValue x}", UNKNOWN),
        ("{ThrottlingRateLimit: 5}", False),
    ],
)
def test_data_trace(settings: str, expected: object) -> None:
    text = f"""
  Api: {{Type: AWS::ApiGatewayV2::Api, Properties: {{ProtocolType: WEBSOCKET}}}}
  Stage: {{Type: AWS::ApiGatewayV2::Stage, Properties: {{ApiId: !Ref Api, DefaultRouteSettings: {settings}}}}}
"""
    assert answer(found(template(text), "api", "data_trace")) == expected


# --- who may connect

SOCKET = """
  Api: {Type: AWS::ApiGatewayV2::Api, Properties: {ProtocolType: %s}}
  One: {Type: AWS::ApiGatewayV2::Route, Properties: {ApiId: !Ref Api, RouteKey: %s, AuthorizationType: %s}}
  Two: {Type: AWS::ApiGatewayV2::Route, Properties: {ApiId: !Ref Api, RouteKey: GET /b, AuthorizationType: NONE}}
"""


@pytest.mark.parametrize(
    ("protocol", "key", "asks", "expected"),
    [
        ("WEBSOCKET", "$connect", "CUSTOM", UNKNOWN),
        ("WEBSOCKET", "$connect", "AWS_IAM", "iam"),
        ("WEBSOCKET", "$connect", "NONE", "none"),
        ("WEBSOCKET", "$default", "NONE", "none"),
        ("WEBSOCKET", "!ImportValue key", "CUSTOM", UNKNOWN),
        ("HTTP", "GET /a", "NONE", "none"),
        ("HTTP", "GET /a", "JWT", "none"),
    ],
)
def test_a_websocket_api_asks_only_who_connects(protocol: str, key: str, asks: str, expected: str) -> None:
    assert answer(found(template(SOCKET % (protocol, key, asks)), "api", "caller_authentication")) == expected
    known = "?" if key.startswith("!") else key
    text = f"""
aws_apigatewayv2_api.a: {{protocol_type: {protocol}}}
aws_apigatewayv2_route.one:
  {{api_id: "${{aws_apigatewayv2_api.a.id}}", route_key: "{known}", authorization_type: {asks}}}
aws_apigatewayv2_route.two:
  {{api_id: "${{aws_apigatewayv2_api.a.id}}", route_key: GET /b, authorization_type: NONE}}
"""
    assert answer(found(plan(text), "api", "caller_authentication")) == expected


def test_the_policy_of_sams_api_is_looked_at_for_its_cdn() -> None:
    text = """
  Api:
    Type: AWS::Serverless::Api
    Properties:
      StageName: prod
      Auth:
        ResourcePolicy:
          CustomStatements:
            - {Effect: Allow, Principal: '*', Action: execute-api:Invoke, Resource: '*'%s}
  Cdn:
    Type: AWS::CloudFront::Distribution
    Properties:
      DistributionConfig:
        Origins:
          - Id: api
            DomainName: !Sub ${Api}.execute-api.${AWS::Region}.amazonaws.com
            OriginCustomHeaders: [{HeaderName: Referer, HeaderValue: planted-for-this-test}]
"""
    checks = ", Condition: {StringEquals: {aws:Referer: planted}}"
    assert answer(found(template(text % checks), "api", "origin_authenticated")) is True
    assert answer(found(template(text % ""), "api", "origin_authenticated")) == UNKNOWN


ALL = "{ResourcePath: /*, HttpMethod: '*', ThrottlingRateLimit: 50}"
TWO_STAGES = """
aws_api_gateway_rest_api.a: {name: a}
aws_api_gateway_stage.one: {rest_api_id: "${aws_api_gateway_rest_api.a.id}", stage_name: one}
aws_api_gateway_stage.two: {rest_api_id: "${aws_api_gateway_rest_api.a.id}", stage_name: two}
aws_api_gateway_method_settings.x:
  rest_api_id: "${aws_api_gateway_rest_api.a.id}"
  stage_name: %s
  method_path: "*/*"
  settings: [{throttling_rate_limit: 50}]
"""
SECOND = """
aws_api_gateway_method_settings.y:
  rest_api_id: "${aws_api_gateway_rest_api.a.id}"
  stage_name: %s
  method_path: "%s"
  settings: [{throttling_rate_limit: 90}]
"""


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (TWO_STAGES % "one", None),
        (TWO_STAGES % '"${aws_api_gateway_stage.one.stage_name}"', None),
        (TWO_STAGES % "'?'", UNKNOWN),
        (TWO_STAGES % "one" + SECOND % ("two", "*/*"), 90),
        (TWO_STAGES % "one" + SECOND % ("two", "status/GET"), None),
    ],
)
def test_each_stage_of_a_plan_needs_a_limit_of_its_own(text: str, expected: object) -> None:
    assert answer(found(plan(text), "api", "throttle_rate")) == expected


DEPLOYED = """
  A: {Type: AWS::ApiGateway::RestApi, Properties: {Name: a}}
  D:
    Type: AWS::ApiGateway::Deployment
    Properties: {RestApiId: !Ref A, %s}
"""


@pytest.mark.parametrize(
    ("properties", "fact", "expected"),
    [
        ("StageName: prod, StageDescription: {ThrottlingRateLimit: 5}", "throttle_rate", 5),
        ("StageName: prod, StageDescription: {MethodSettings: [" + ALL + "]}", "throttle_rate", 50),
        ("StageName: prod, StageDescription: {ThrottlingRateLimit: 5, MethodSettings: [" + ALL + "]}",
         "throttle_rate", 50),
        ("StageName: prod, StageDescription: !ImportValue x", "throttle_rate", UNKNOWN),
        ("StageName: prod", "throttle_rate", None),
        ("StageDescription: {ThrottlingRateLimit: 5}", "throttle_rate", None),
        ("StageName: prod, StageDescription: {DataTraceEnabled: true}", "data_trace", True),
        ("StageName: prod, StageDescription: {AccessLogSetting: {DestinationArn: x}}", "access_logs", UNKNOWN),
        ("StageName: prod", "access_logs", False),
    ],
)  # fmt: skip
def test_a_deployment_may_describe_its_stage(properties: str, fact: str, expected: object) -> None:
    assert answer(found(template(DEPLOYED % properties), "api", fact)) == expected


METHODS = """
  Api: {Type: AWS::ApiGateway::RestApi}
  A: {Type: AWS::ApiGateway::Method, Properties: {RestApiId: !Ref Api, HttpMethod: GET, AuthorizationType: %s}}
  B: {Type: AWS::ApiGateway::Method, Properties: {RestApiId: !Ref Api, HttpMethod: POST, AuthorizationType: %s}}
"""


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ("AWS_IAM", "COGNITO_USER_POOLS", "jwt"),
        ("CUSTOM", "COGNITO_USER_POOLS", UNKNOWN),
        ("CUSTOM", "AWS_IAM", UNKNOWN),
        ("AWS_IAM", "NONE", "none"),
        ("AWS_IAM", "!ImportValue x", UNKNOWN),
        ("AWS_IAM", "SOMETHING", UNKNOWN),
    ],
)
def test_routes_that_ask_for_different_things_are_called_after_the_one_that_leaves_most(
    one: str, other: str, expected: str
) -> None:
    for pair in ((one, other), (other, one)):
        assert answer(found(template(METHODS % pair), "api", "caller_authentication")) == expected
