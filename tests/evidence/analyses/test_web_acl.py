"""Rules of web ACLs that limit the rate before an api."""

from __future__ import annotations

import pytest

from tests.evidence.asking import UNKNOWN, answer, found, plan, template

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
      AccessLogSetting: {DestinationArn: !Sub "arn:aws:logs:${AWS::Region}:${AWS::AccountId}:log-group:api"}
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
