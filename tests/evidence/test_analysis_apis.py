"""What code answers about an api, asked of templates and of plans."""

from __future__ import annotations

import pytest

from tests.evidence.asking import NOTHING, UNKNOWN, answer, found, plan, template

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


# --- CDN

CDN = """
  F: {{Type: AWS::Lambda::Function}}
  Url: {{Type: AWS::Lambda::Url, Properties: {{AuthType: {auth}, TargetFunctionArn: !Ref F}}}}
  Signer:
    Type: AWS::CloudFront::OriginAccessControl
    Properties:
      OriginAccessControlConfig: {{OriginAccessControlOriginType: lambda, SigningBehavior: {signs}}}
  Cdn:
    Type: AWS::CloudFront::Distribution
    Properties:
      DistributionConfig:
        DefaultCacheBehavior: {{TargetOriginId: url{code}}}
        Origins:
          - {{Id: url, DomainName: !Select [2, !Split ["/", !GetAtt Url.FunctionUrl]]{origin}}}
          - {{Id: other, DomainName: example.com, OriginCustomHeaders: [{{HeaderName: x, HeaderValue: planted}}]}}
"""
SIGNED = ", OriginAccessControlId: !GetAtt Signer.Id"
HEADER = ", OriginCustomHeaders: [{HeaderName: x-origin-secret, HeaderValue: planted}]"


@pytest.mark.parametrize(
    ("auth", "signs", "origin", "code", "expected"),
    [
        ("AWS_IAM", "always", SIGNED, "", True),
        ("AWS_IAM", "no-override", SIGNED, "", True),
        ("AWS_IAM", "never", SIGNED, "", UNKNOWN),
        ("NONE", "always", SIGNED, "", UNKNOWN),
        ("NONE", "always", "", "", False),
        ("NONE", "always", HEADER, "", UNKNOWN),
        ("NONE", "always", "", ", FunctionAssociations: [{EventType: viewer-request}]", UNKNOWN),
        ("AWS_IAM", "always", "", "", False),
    ],
)
def test_cdn_only_for_function_urls(auth: str, signs: str, origin: str, code: str, expected: object) -> None:
    text = CDN.format(auth=auth, signs=signs, origin=origin, code=code).replace(
        '!Select [2, !Split ["/", !GetAtt Url.FunctionUrl]]', "!GetAtt Url.FunctionUrl"
    )
    outcome = found(template(text), "api", "origin_authenticated")
    assert answer(outcome) == expected
    assert "planted" not in repr(outcome)


def test_no_cdn_says_nothing() -> None:
    text = "  F: {Type: AWS::Lambda::Function}\n"
    text += "  Url: {Type: AWS::Lambda::Url, Properties: {AuthType: NONE, TargetFunctionArn: !Ref F}}"
    assert answer(found(template(text), "api", "origin_authenticated")) == NOTHING


GUARDED = """
  Api: {{Type: AWS::ApiGateway::RestApi{policy}}}
  Stage: {{Type: AWS::ApiGateway::Stage, Properties: {{RestApiId: !Ref Api, StageName: prod}}}}
  Cdn:
    Type: AWS::CloudFront::Distribution
    Properties:
      DistributionConfig:
        Origins:
          - Id: api
            DomainName: !Sub ${{Api}}.execute-api.${{AWS::Region}}.amazonaws.com
            OriginCustomHeaders: [{{HeaderName: {sent}, HeaderValue: planted}}]
  Acl:
    Type: AWS::WAFv2::WebACL
    Properties:
      DefaultAction: {default}
      Rules:
        - Action: {{Allow: {{}}}}
          Statement: {statement}
  Association:
    Type: AWS::WAFv2::WebACLAssociation
    Properties:
      WebACLArn: !GetAtt Acl.Arn
      ResourceArn: {target}
"""
EXACT = (
    "{ByteMatchStatement: {FieldToMatch: {SingleHeader: {Name: X-Origin-Secret}}, PositionalConstraint: EXACTLY,"
    " SearchString: planted}}"
)
OWN = "x-origin-secret"
BY_API = "!Sub arn:aws:apigateway:${AWS::Region}::/restapis/${Api}/stages/prod"
REFERER = "{Effect: Allow, Principal: '*', Action: execute-api:Invoke, Condition: {'%s': {'%s': planted}}}"


@pytest.mark.parametrize(
    ("sent", "policy", "default", "statement", "target", "expected"),
    [
        (OWN, "", "{Block: {}}", EXACT, BY_API, True),
        (OWN, "", "{Block: {}}", EXACT, "!GetAtt Stage.Arn", True),
        ("x-other", "", "{Block: {}}", EXACT, BY_API, UNKNOWN),
        (OWN, "", "{Allow: {}}", EXACT, BY_API, UNKNOWN),
        (OWN, "", "{Block: {}}", "{GeoMatchStatement: {CountryCodes: [IE]}}", BY_API, UNKNOWN),
        (OWN, "", "{Block: {}}", EXACT, "!ImportValue other", UNKNOWN),
        ("Referer", REFERER % ("StringEquals", "aws:Referer"), "{Allow: {}}", EXACT, BY_API, True),
        (OWN, REFERER % ("StringEquals", "aws:UserAgent"), "{Allow: {}}", EXACT, BY_API, UNKNOWN),
        ("Referer", REFERER % ("StringLike", "aws:Referer"), "{Allow: {}}", EXACT, BY_API, UNKNOWN),
        ("Referer", REFERER % ("ForAllValues:StringEquals", "aws:Referer"), "{Allow: {}}", EXACT, BY_API, UNKNOWN),
        (OWN, REFERER % ("IpAddress", "aws:SourceIp"), "{Allow: {}}", EXACT, BY_API, UNKNOWN),
    ],
)
def test_cdn_only_for_rest_apis(
    sent: str, policy: str, default: str, statement: str, target: str, expected: object
) -> None:
    own = f", Properties: {{Policy: {{Statement: [{policy}]}}}}" if policy else ""
    text = GUARDED.format(sent=sent, policy=own, default=default, statement=statement, target=target)
    outcome = found(template(text), "api", "origin_authenticated")
    assert answer(outcome) == expected
    assert "planted" not in repr(outcome)


def test_cdn_only_in_a_plan() -> None:
    text = """
aws_api_gateway_rest_api.slack: {}
aws_api_gateway_stage.prod: {rest_api_id: "${aws_api_gateway_rest_api.slack.id}"}
aws_cloudfront_distribution.edge:
  origin: [{domain_name: "${aws_api_gateway_rest_api.slack.id}.execute-api.amazonaws.com", custom_header: %s}]
  default_cache_behavior: [{target_origin_id: api, function_association: []}]
aws_wafv2_web_acl.origin:
  default_action: [{block: [{}], allow: []}]
  rule:
    - action: [{allow: [{}], block: []}]
      statement:
        - byte_match_statement:
            - {field_to_match: [{single_header: [{name: x}]}], positional_constraint: EXACTLY, search_string: planted}
aws_wafv2_web_acl_association.origin:
  web_acl_arn: "${aws_wafv2_web_acl.origin.arn}"
  resource_arn: "${aws_api_gateway_stage.prod.arn}"
"""
    header = "[{name: x, value: planted}]"
    tied, loose = text, text.split("aws_wafv2_web_acl_association", maxsplit=1)[0]
    assert answer(found(plan(tied % header), "api", "origin_authenticated")) is True
    assert answer(found(plan(loose % header), "api", "origin_authenticated")) == UNKNOWN
    assert answer(found(plan(tied % "[]"), "api", "origin_authenticated")) == UNKNOWN
    assert answer(found(plan(loose % "[]"), "api", "origin_authenticated")) is False


# --- web ACL

ACL = """
Parameters: {{Stage: {{Type: String, Default: prod}}}}
Conditions: {{Prod: !Equals [!Ref Stage, prod]}}
Resources:
  Api: {{Type: AWS::ApiGateway::RestApi}}
  Live: {{Type: AWS::ApiGateway::Stage, Properties: {{RestApiId: !Ref Api, StageName: live}}}}
  Acl: {{Type: AWS::WAFv2::WebACL, {condition}Properties: {{Scope: REGIONAL, Rules: {rules}}}}}
  Group: {{Type: AWS::WAFv2::RuleGroup, Properties: {{Rules: {group}}}}}
  Tie:
    Type: AWS::WAFv2::WebACLAssociation
    Properties: {{WebACLArn: !GetAtt Acl.Arn, ResourceArn: {to}}}
"""
TO = '!Sub "arn:aws:apigateway:${AWS::Region}::/restapis/${Api}/stages/%s"'
RATE = "{Priority: 1, Action: {%s: {}}, Statement: {RateBasedStatement: {Limit: 1000%s}}}"
BLOCK = RATE % ("Block", "")
MANAGED = "{Priority: 0, OverrideAction: {None: {}}, Statement: {ManagedRuleGroupStatement: {Name: x}}}"
GROUP = "{Priority: 0, OverrideAction: {%s: {}}, Statement: {RuleGroupReferenceStatement: {Arn: %s}}}"
LETS_IN = "{Priority: %s, Action: {Allow: {}}, Statement: {GeoMatchStatement: {CountryCodes: [IE]}}}"


def guarded(rules: str, group: str = "[]", condition: str = "", to: str = TO % "live", more: str = "") -> str:
    text = ACL.format(rules=rules, group=group, condition=condition, to=to) + more
    return text.replace("!Ref AWS::NoValue", '!Ref "AWS::NoValue"')


@pytest.mark.parametrize(
    ("rules", "group", "condition", "expected"),
    [
        (f"[{MANAGED}, {BLOCK}]", "[]", "", True),
        (f"[{RATE % ('Count', '')}]", "[]", "", False),
        (f"[{MANAGED}]", "[]", "", False),
        ("[]", "[]", "", False),
        (f"[{GROUP % ('None', '!GetAtt Group.Arn')}]", f"[{BLOCK}]", "", True),
        (f"[{GROUP % ('None', '!GetAtt Group.Arn')}]", f"[{RATE % ('Count', '')}]", "", False),
        (f"[{GROUP % ('Count', '!GetAtt Group.Arn')}]", f"[{BLOCK}]", "", UNKNOWN),
        (f"[{GROUP % ('None', '!ImportValue group')}]", "[]", "", UNKNOWN),
        (f"[{GROUP % ('None', '!ImportValue group')}, {BLOCK}]", "[]", "", UNKNOWN),
        (f"!If [Prod, [{BLOCK}], []]", "[]", "", UNKNOWN),
        (f"[!If [Prod, {BLOCK}, !Ref AWS::NoValue]]", "[]", "", UNKNOWN),
        (f"[{BLOCK}]", "[]", "Condition: Prod, ", UNKNOWN),
        # what limits nobody surely
        (f"[{RATE % ('Block', ', ScopeDownStatement: {GeoMatchStatement: {CountryCodes: [AQ]}}')}]", "[]", "", UNKNOWN),
        (f"[{RATE % ('Block', ', AggregateKeyType: FORWARDED_IP')}]", "[]", "", UNKNOWN),
        (f"[{RATE % ('Block', ', AggregateKeyType: CUSTOM_KEYS, CustomKeys: []')}]", "[]", "", UNKNOWN),
        (f"[{RATE % ('Block', ', AggregateKeyType: IP, EvaluationWindowSec: 60')}]", "[]", "", False),
        (f"[{RATE % ('Block', '000000')}]", "[]", "", False),
        (f"[{LETS_IN % 0}, {BLOCK}]", "[]", "", UNKNOWN),
        (f"[{LETS_IN % 2}, {BLOCK}]", "[]", "", True),
    ],
)
def test_rate_rule(rules: str, group: str, condition: str, expected: object) -> None:
    assert answer(found(template(guarded(rules, group, condition)), "api", "waf_rate_rule")) == expected


@pytest.mark.parametrize(
    ("to", "more", "expected"),
    [
        (TO % "${Live}", "", True),
        (TO % "other", "", False),
        ('!Sub "arn:aws:elasticloadbalancing:eu-west-1:1:loadbalancer/app/${Api}/1"', "", False),
        ("!ImportValue stage", "", UNKNOWN),
        (
            TO % "live",
            "  Next: {Type: AWS::ApiGateway::Stage, Properties: {RestApiId: !Ref Api, StageName: next}}\n",
            False,
        ),
        (TO % "live", "  Made: {Type: AWS::ApiGateway::Deployment, Properties: {RestApiId: !Ref Api}}\n", True),
        (
            TO % "live",
            "  Made: {Type: AWS::ApiGateway::Deployment, Properties: {RestApiId: !Ref Api, StageName: made}}\n",
            False,
        ),
    ],
)
def test_rate_rule_of_every_stage(to: str, more: str, expected: object) -> None:
    assert answer(found(template(guarded(f"[{BLOCK}]", to=to, more=more)), "api", "waf_rate_rule")) == expected


FRONTED = """
  Cdn:
    Type: AWS::CloudFront::Distribution
    Properties:
      DistributionConfig:
        WebACLId: !GetAtt Acl.Arn
        Origins: [{Id: api, DomainName: !Sub "${Api}.execute-api.${AWS::Region}.amazonaws.com"}]
"""


def test_a_rate_rule_at_a_cdn_that_is_walked_around() -> None:
    text = guarded(f"[{BLOCK}]").replace("REGIONAL", "CLOUDFRONT").split("  Tie:", maxsplit=1)[0]
    assert answer(found(template(text + FRONTED), "api", "waf_rate_rule")) is False


SAM = """
Resources:
  Api:
    Type: AWS::Serverless::Api
    Properties:
      StageName: live
      MethodSettings: [{ResourcePath: /*, HttpMethod: "*", ThrottlingRateLimit: 50}]
      AccessLogSetting: {DestinationArn: arn:aws:logs:eu-west-1:111122223333:log-group:api}
"""


def test_the_second_stage_that_sam_makes() -> None:
    known = SAM + '      OpenApiVersion: "3.0.1"\n'
    assert answer(found(template(known), "api", "throttle_rate")) == 50
    assert answer(found(template(known), "api", "access_logs")) is True
    assert answer(found(template(SAM), "api", "throttle_rate")) is None
    assert answer(found(template(SAM), "api", "access_logs")) is False


def test_rate_rule_of_a_plan() -> None:
    text = """
aws_api_gateway_rest_api.slack: {}
aws_api_gateway_stage.prod: {rest_api_id: "${aws_api_gateway_rest_api.slack.id}"}
%saws_wafv2_web_acl.rate:
  scope: REGIONAL
  rule: [{priority: 1, action: [{block: %s, count: %s}], statement: [{rate_based_statement: [{limit: 1000}]}]}]
aws_wafv2_web_acl_association.slack:
  web_acl_arn: "${aws_wafv2_web_acl.rate.arn}"
  resource_arn: "${aws_api_gateway_stage.prod.arn}"
"""
    other = 'aws_api_gateway_stage.other: {rest_api_id: "${aws_api_gateway_rest_api.slack.id}"}\n'
    assert answer(found(plan(text % ("", "[{}]", "[]")), "api", "waf_rate_rule")) is True
    assert answer(found(plan(text % ("", "[]", "[{}]")), "api", "waf_rate_rule")) is False
    assert answer(found(plan(text % (other, "[{}]", "[]")), "api", "waf_rate_rule")) is False


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
    text = text.replace(
        "Type: AWS::ApiGateway::RestApi", "Type: AWS::ApiGateway::RestApi, Properties: {Body: {paths: {}}}"
    )
    assert answer(found(template(text), "api", "request_validation")) == UNKNOWN


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
def test_any_true(settings: str, expected: object) -> None:
    text = f"""
  Api: {{Type: AWS::ApiGatewayV2::Api, Properties: {{ProtocolType: WEBSOCKET}}}}
  Stage: {{Type: AWS::ApiGatewayV2::Stage, Properties: {{ApiId: !Ref Api, DefaultRouteSettings: {settings}}}}}
"""
    assert answer(found(template(text), "api", "data_trace")) == expected


# --- rates

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


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ("", None),
        ("default_route_settings: [{throttling_rate_limit: 50}]", 50),
        ("default_route_settings: [{throttling_rate_limit: 0}]", None),
        ("default_route_settings: [{throttling_rate_limit: 50}], route_settings: [{throttling_rate_limit: 900}]", 900),
        (
            "default_route_settings: [{throttling_rate_limit: 50}], route_settings: [{throttling_rate_limit: 0}]",
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
  method_path: "*/*"
  settings: [{{throttling_rate_limit: 50}}]
aws_api_gateway_method_settings.one:
  rest_api_id: "${{aws_api_gateway_rest_api.a.id}}"
  method_path: "{path}"
  settings: [{{throttling_rate_limit: {rate}}}]
"""
    assert answer(found(plan(text), "api", "throttle_rate")) == expected


# --- who may connect

SOCKET = """
  Api: {Type: AWS::ApiGatewayV2::Api, Properties: {ProtocolType: %s}}
  One: {Type: AWS::ApiGatewayV2::Route, Properties: {ApiId: !Ref Api, RouteKey: %s, AuthorizationType: %s}}
  Two: {Type: AWS::ApiGatewayV2::Route, Properties: {ApiId: !Ref Api, RouteKey: GET /b, AuthorizationType: NONE}}
"""


@pytest.mark.parametrize(
    ("protocol", "key", "asks", "expected"),
    [
        ("WEBSOCKET", "$connect", "CUSTOM", "lambda-authorizer"),
        ("WEBSOCKET", "$connect", "AWS_IAM", "iam"),
        ("WEBSOCKET", "$connect", "NONE", "none"),
        ("WEBSOCKET", "$default", "NONE", "none"),
        ("WEBSOCKET", "!ImportValue key", "CUSTOM", UNKNOWN),
        ("HTTP", "GET /a", "NONE", "none"),
        ("HTTP", "GET /a", "JWT", UNKNOWN),
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
            OriginCustomHeaders: [{HeaderName: Referer, HeaderValue: planted}]
"""
    checks = ", Condition: {StringEquals: {aws:Referer: planted}}"
    assert answer(found(template(text % checks), "api", "origin_authenticated")) is True
    assert answer(found(template(text % ""), "api", "origin_authenticated")) == UNKNOWN


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
        ("StageName: prod, StageDescription: {AccessLogSetting: {DestinationArn: x}}", "access_logs", True),
        ("StageName: prod", "access_logs", False),
    ],
)  # fmt: skip
def test_a_deployment_may_describe_its_stage(properties: str, fact: str, expected: object) -> None:
    assert answer(found(template(DEPLOYED % properties), "api", fact)) == expected
