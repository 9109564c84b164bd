"""The rate that the least limited route or method of an api lets through."""

from __future__ import annotations

import pytest

from tests.evidence.asking import UNKNOWN, answer, found, plan, template
from threatmodel.evidence.answers import Answered

STAGE = """
  Api: {Type: AWS::ApiGateway::RestApi}
  Stage: {Type: AWS::ApiGateway::Stage, Properties: {RestApiId: !Ref Api, MethodSettings: [%s]}}
"""
ALL = "{ResourcePath: /*, HttpMethod: '*', ThrottlingRateLimit: 50}"
ONE = "{ResourcePath: /status, HttpMethod: GET%s}"


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ("", None),
        (ALL, 50),
        (ALL.replace("50", "50.5"), 51),
        (ALL.replace("50", "'50'"), 50),
        (ALL.replace("50", "-1"), None),
        (ALL.replace("50", "many"), UNKNOWN),
        (ALL.replace("50", "!ImportValue rate"), UNKNOWN),
        (ONE % ", ThrottlingRateLimit: 5", None),
        (f"{ALL}, {ONE % ', ThrottlingRateLimit: 5'}", 50),
        (f"{ALL}, {ONE % ', ThrottlingRateLimit: 9000'}", 9000),
        (f"{ONE % ', ThrottlingRateLimit: 9000'}, {ALL}", 9000),
        (f"{ALL}, {ONE % ', ThrottlingRateLimit: -1'}", None),
        (f"{ALL}, {ONE % ', ThrottlingRateLimit: !ImportValue rate'}", UNKNOWN),
        (f"{ALL}, {ONE % ', DataTraceEnabled: false'}", UNKNOWN),
        (f"{ALL}, {ONE % ', ThrottlingRateLimit: -1'}, !ImportValue more", None),
        (f"{ALL}, !ImportValue more", UNKNOWN),
        (ALL.replace("/*", "!ImportValue path"), UNKNOWN),
        (f"{ALL}, {ALL.replace('/*', '!ImportValue path').replace('50', '70')}", 70),
    ],
)
def test_the_rate_of_the_least_limited_method(settings: str, expected: object) -> None:
    assert answer(found(template(STAGE % settings), "api", "throttle_rate")) == expected
    own = f"OpenApiVersion: 2.0, StageName: prod, MethodSettings: [{settings}]"
    sam = f"  Api: {{Type: AWS::Serverless::Api, Properties: {{{own}}}}}"
    assert answer(found(template(sam), "api", "throttle_rate")) == expected


def test_a_filter_whose_value_a_parameter_gives_decides_nothing_for_sure() -> None:
    text = "Parameters: {Path: {Type: String, Default: /*}}\nResources:\n" + STAGE % ALL.replace("/*", "!Ref Path")
    assert answer(found(template(text), "api", "throttle_rate")) == UNKNOWN


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ("", None),
        ("DefaultRouteSettings: {ThrottlingRateLimit: 50}", 50),
        ("RouteSettings: {GET /a: {ThrottlingRateLimit: 5}}", None),
        ("DefaultRouteSettings: {ThrottlingRateLimit: 50}, RouteSettings: {GET /a: {ThrottlingRateLimit: 5}}", 50),
        ("DefaultRouteSettings: {ThrottlingRateLimit: 50}, RouteSettings: {GET /a: {ThrottlingRateLimit: 900}}", 900),
        (
            "DefaultRouteSettings: {ThrottlingRateLimit: 50}, RouteSettings: {GET /a: {DataTraceEnabled: false}}",
            UNKNOWN,
        ),
        ("DefaultRouteSettings: {ThrottlingRateLimit: 50}, RouteSettings: !ImportValue routes", UNKNOWN),
    ],
)
def test_the_rate_of_the_least_limited_route(settings: str, expected: object) -> None:
    text = "  Api: {Type: AWS::ApiGatewayV2::Api, Properties: {ProtocolType: HTTP}}\n"
    text += f"  Stage: {{Type: AWS::ApiGatewayV2::Stage, Properties: {{ApiId: !Ref Api, {settings}}}}}"
    assert answer(found(template(text), "api", "throttle_rate")) == expected
    sam = f"  Api: {{Type: AWS::Serverless::HttpApi, Properties: {{{settings}}}}}"
    assert answer(found(template(sam), "api", "throttle_rate")) == expected


PLANNED_ROUTE = "route_settings: [{route_key: GET /a, throttling_rate_limit: %s}]"


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ("", None),
        ("default_route_settings: [{throttling_rate_limit: 50}]", 50),
        ("default_route_settings: [{throttling_rate_limit: 0}]", None),
        (
            "default_route_settings: [{throttling_rate_limit: 50}], " + PLANNED_ROUTE % 900,
            900,
        ),
        (
            "default_route_settings: [{throttling_rate_limit: 50}], " + PLANNED_ROUTE % 0,
            UNKNOWN,
        ),
    ],
)
def test_the_rate_of_the_least_limited_route_of_a_plan(settings: str, expected: object) -> None:
    text = f"""
aws_apigatewayv2_api.a: {{protocol_type: HTTP}}
aws_apigatewayv2_stage.s: {{api_id: "${{aws_apigatewayv2_api.a.id}}", {settings}}}
"""
    assert answer(found(plan(text), "api", "throttle_rate")) == expected


@pytest.mark.parametrize(
    ("path", "rate", "expected"),
    [("*/*", 90, 90), ("status/GET", 90, 90), ("status/GET", 5, 50), ("status/GET", -1, None), ("?", 90, 90)],
)
def test_the_rate_of_the_least_limited_method_of_a_plan(path: str, rate: int, expected: object) -> None:
    text = f"""
aws_api_gateway_rest_api.a: {{name: a}}
aws_api_gateway_method_settings.all:
  rest_api_id: "${{aws_api_gateway_rest_api.a.id}}"
  stage_name: prod
  method_path: "*/*"
  settings: [{{throttling_rate_limit: 50}}]
aws_api_gateway_method_settings.one:
  rest_api_id: "${{aws_api_gateway_rest_api.a.id}}"
  stage_name: prod
  method_path: "{path}"
  settings: [{{throttling_rate_limit: {rate}}}]
"""
    assert answer(found(plan(text), "api", "throttle_rate")) == expected


PLAN = """
  Plan: {Type: AWS::ApiGateway::UsagePlan, Properties: {ApiStages: [{ApiId: !Ref Api, Stage: prod}], %s}}
"""
PLANNED = """
aws_api_gateway_rest_api.a: {name: a}
aws_api_gateway_usage_plan.p:
  name: p
  api_stages: [{api_id: "${aws_api_gateway_rest_api.a.id}", stage: prod}]
  throttle_settings: [{rate_limit: 5, burst_limit: 2}]
aws_api_gateway_stage.s: {rest_api_id: "${aws_api_gateway_rest_api.a.id}", stage_name: prod}
"""


def test_a_usage_plan_limits_keys_and_not_the_api() -> None:
    """The note says so, in both languages; the stage's own limit stays what counts."""
    throttle = "Throttle: {RateLimit: 5, BurstLimit: 2}"
    for stack, name in (
        (template(STAGE % "" + PLAN % throttle), "Plan"),
        (plan(PLANNED), "aws_api_gateway_usage_plan.p"),
    ):
        outcome = found(stack, "api", "throttle_rate")
        assert isinstance(outcome, Answered)
        assert outcome.value is None
        assert outcome.note == f"the usage plan {name} limits each API key to 5 requests a second, not the API"
    for settings, limits in (("", "Quota: {Limit: 9, Period: DAY}"), (ALL, throttle)):
        outcome = found(template(STAGE % settings + PLAN % limits), "api", "throttle_rate")
        assert isinstance(outcome, Answered)
        assert "usage plan" not in outcome.note


@pytest.mark.parametrize(("created", "named"), [("PER_API", True), ("SHARED", True), ("NONE", False)])
def test_a_usage_plan_of_sam_limits_keys_too(created: str, named: bool) -> None:
    usage = f"Auth: {{UsagePlan: {{CreateUsagePlan: {created}, Throttle: {{RateLimit: 5}}}}}}"
    sam = f"  Api: {{Type: AWS::Serverless::Api, Properties: {{StageName: prod, OpenApiVersion: 3.0.1, {usage}}}}}"
    outcome = found(template(sam), "api", "throttle_rate")
    assert isinstance(outcome, Answered)
    assert outcome.value is None
    assert ("the usage plan ApiUsagePlan limits each API key to 5 requests" in outcome.note) is named


def test_a_limit_that_misses_the_second_stage_of_sam_says_so() -> None:
    sam = f"  Api: {{Type: AWS::Serverless::Api, Properties: {{StageName: prod, MethodSettings: [{ALL}]}}}}"
    outcome = found(template(sam), "api", "throttle_rate")
    assert isinstance(outcome, Answered)
    assert outcome.value is None
    assert outcome.note == "SAM also deploys a stage named Stage, which has no limit (set OpenApiVersion)"
