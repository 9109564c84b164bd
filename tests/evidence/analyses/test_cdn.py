"""Whether an api is reached by its CDN alone."""

from __future__ import annotations

import pytest

from tests.evidence.asking import NOTHING, UNKNOWN, answer, found, plan, template

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
HEADER = ", OriginCustomHeaders: [{HeaderName: x-origin-secret, HeaderValue: planted-for-this-test}]"


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
            OriginCustomHeaders: [{{HeaderName: {sent}, HeaderValue: planted-for-this-test}}]
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


def test_a_stage_without_the_web_acl_is_another_way() -> None:
    text = GUARDED.format(sent=OWN, policy="", default="{Block: {}}", statement=EXACT, target=BY_API)
    beta = "  Beta: {Type: AWS::ApiGateway::Stage, Properties: {RestApiId: !Ref Api, StageName: beta}}\n"
    assert answer(found(template(text + beta), "api", "origin_authenticated")) == UNKNOWN


def test_a_header_that_can_be_guessed_proves_nothing() -> None:
    text = GUARDED.format(sent=OWN, policy="", default="{Block: {}}", statement=EXACT, target=BY_API)
    guessed = text.replace("HeaderValue: planted-for-this-test", 'HeaderValue: "true"')
    assert guessed != text
    assert answer(found(template(guessed), "api", "origin_authenticated")) == UNKNOWN


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
    header = "[{name: x, value: planted-for-this-test}]"
    tied, loose = text, text.split("aws_wafv2_web_acl_association", maxsplit=1)[0]
    assert answer(found(plan(tied % header), "api", "origin_authenticated")) is True
    assert answer(found(plan(loose % header), "api", "origin_authenticated")) == UNKNOWN
    assert answer(found(plan(tied % "[]"), "api", "origin_authenticated")) == UNKNOWN
    assert answer(found(plan(loose % "[]"), "api", "origin_authenticated")) is False
