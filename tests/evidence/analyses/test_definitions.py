"""What the least guarded route of an OpenAPI definition asks, and limits that add up."""

from __future__ import annotations

from textwrap import indent

import pytest

from tests.evidence.asking import NOTHING, UNKNOWN, answer, found, template
from threatmodel.stacks.serverless.reader import read

SCHEMES = """\
components:
  securitySchemes:
    sig: {type: apiKey, name: Authorization, in: header, x-amazon-apigateway-authtype: awsSigv4}
"""
SIGNED = "post: {security: [{sig: []}], x-amazon-apigateway-integration: {type: aws_proxy}}\n"
OPEN = "post: {x-amazon-apigateway-integration: {type: aws_proxy}}\n"
PREFLIGHT = "options: {x-amazon-apigateway-integration: {type: mock}}\n"
HANDED_ON = "options: {x-amazon-apigateway-integration: {type: aws_proxy}}\n"
BESIDE = """\
  Beside:
    Type: AWS::ApiGateway::Method
    Properties: {RestApiId: !Ref Api, ResourceId: r, HttpMethod: GET, AuthorizationType: %s}
"""


@pytest.mark.parametrize(
    ("operations", "beside", "expected"),
    [
        (SIGNED, "", "iam"),
        (SIGNED + PREFLIGHT, "", "iam"),
        (SIGNED + HANDED_ON, "", "none"),
        (SIGNED, "AWS_IAM", "iam"),
        (SIGNED, "NONE", "none"),
        (OPEN, "AWS_IAM", "none"),
        (OPEN, "", "none"),
        (SIGNED, "CUSTOM", UNKNOWN),
        (SIGNED, "!ImportValue kind", UNKNOWN),
        ("", "AWS_IAM", UNKNOWN),
    ],
)
def test_the_least_guarded_route_counts(operations: str, beside: str, expected: str) -> None:
    paths = "paths:\n  /a:\n" + indent(operations, "    ") if operations else "paths: {}\n"
    body = indent("openapi: 3.0.1\n" + SCHEMES + paths, "        ")
    text = f"  Api:\n    Type: AWS::ApiGateway::RestApi\n    Properties:\n      Body:\n{body}"
    text += BESIDE % beside if beside else ""
    assert answer(found(template(text), "api", "caller_authentication", "Api")) == expected


METHODS = """\
  Api: {Type: AWS::ApiGateway::RestApi, Properties: {%s}}
  One: {Type: AWS::ApiGateway::Method, Properties: {RestApiId: !Ref Api, HttpMethod: GET, AuthorizationType: AWS_IAM}}
  Other: {Type: AWS::ApiGateway::Method, Properties: {RestApiId: !Ref Api, %s}}
"""


@pytest.mark.parametrize(
    ("api", "other", "expected"),
    [
        ("", "HttpMethod: PUT, AuthorizationType: AWS_IAM", "iam"),
        ("", "HttpMethod: PUT, AuthorizationType: NONE", "none"),
        ("", "HttpMethod: PUT", "none"),
        ("", "HttpMethod: OPTIONS, AuthorizationType: NONE, Integration: {Type: MOCK}", "iam"),
        ("", "HttpMethod: OPTIONS, AuthorizationType: NONE, Integration: {Type: AWS_PROXY}", "none"),
        ("", "HttpMethod: PUT, AuthorizationType: !ImportValue a", UNKNOWN),
        ("BodyS3Location: {Bucket: b, Key: k}", "HttpMethod: PUT, AuthorizationType: AWS_IAM", UNKNOWN),
        ("BodyS3Location: {Bucket: b, Key: k}", "HttpMethod: PUT, AuthorizationType: NONE", "none"),
    ],
)
def test_one_open_method_or_a_definition_elsewhere_is_enough(api: str, other: str, expected: str) -> None:
    assert answer(found(template(METHODS % (api, other)), "api", "caller_authentication", "Api")) == expected


MAPPINGS = """\
  Work: {Type: AWS::SQS::Queue}
  One: {Type: AWS::Lambda::EventSourceMapping, Properties: {EventSourceArn: !GetAtt Work.Arn, FunctionName: a%s}}
  Two: {Type: AWS::Lambda::EventSourceMapping, Properties: {EventSourceArn: !GetAtt Work.Arn, FunctionName: b%s}}
"""
LIMIT = ", ScalingConfig: {MaximumConcurrency: %d}"


@pytest.mark.parametrize(
    ("one", "two", "expected"), [(LIMIT % 100, LIMIT % 100, 200), (LIMIT % 100, "", None), (LIMIT % 2, LIMIT % 3, 5)]
)
def test_consumers_of_one_queue_add_up(one: str, two: str, expected: int | None) -> None:
    assert answer(found(template(MAPPINGS % (one, two)), "queue", "consumer_concurrency", "Work")) == expected


PLUGIN = """\
service: bot
provider: {name: aws, runtime: python3.13}
plugins: [%s]
functions:
  events: {handler: a.b%s}
"""


@pytest.mark.parametrize(
    ("plugin", "more", "expected"),
    [
        ("serverless-offline", "", NOTHING),
        ("serverless-offline", ", environment: {A: '1'}", False),
        ("serverless-dotenv-plugin", "", UNKNOWN),
        ("serverless-dotenv-plugin", ", environment: {A: b}", UNKNOWN),
        ("serverless-dotenv-plugin", ", environment: {API_KEY: zK4mPq8vRw2xYt6uJb1nHc5d}", True),
    ],
)
def test_a_plugin_may_fill_the_environment(plugin: str, more: str, expected: object) -> None:
    stack = read(PLUGIN % (plugin, more), "serverless.yml")
    told = answer(found(stack, "function", "environment_holds_secret", "EventsLambdaFunction"))
    assert told == (False if expected == NOTHING else expected)


@pytest.mark.parametrize(
    ("tokens", "expected"),
    [
        ("{issuer: 'https://login.example.com/', audience: [invoices]}", "jwt"),
        ("{issuer: 'https://login.example.com/'}", UNKNOWN),
        ("{issuer: 'https://accounts.google.com', audience: [invoices]}", UNKNOWN),
    ],
)
def test_authorizers_in_sams_own_words(tokens: str, expected: object) -> None:
    """SAM takes issuer and audience in small letters."""
    text = f"""Transform: AWS::Serverless-2016-10-31
Resources:
  A:
    Type: AWS::Serverless::HttpApi
    Properties:
      Auth:
        DefaultAuthorizer: P
        Authorizers: {{P: {{IdentitySource: $request.header.Authorization, JwtConfiguration: {tokens}}}}}
  F:
    Type: AWS::Serverless::Function
    Properties:
      Runtime: python3.13
      Handler: a.b
      InlineCode: x
      Events: {{Get: {{Type: HttpApi, Properties: {{Path: /x, Method: get, ApiId: !Ref A}}}}}}
"""
    assert answer(found(template(text), "api", "caller_authentication")) == expected
