"""Which of the routes that start a function Slack may call: it signs with a secret of its own, and sends requests."""

from __future__ import annotations

import pytest

from tests.evidence.relations.stacks_of import of_f, plain, resource, with_resources
from threatmodel.evidence.relations.found import may_be_slack

TOKENS = "DefaultAuthorizer: J, Authorizers: {J: {IdentitySource: x, JwtConfiguration: {issuer: i, audience: [a]}}}"
OWN = "DefaultAuthorizer: L, Authorizers: {L: {FunctionArn: !GetAtt F.Arn}}"


@pytest.mark.parametrize(
    ("event", "api", "auth", "own", "slack"),
    [
        ("HttpApi", "ApiId", TOKENS, "", False),
        ("HttpApi", "ApiId", "EnableIamAuthorizer: true", "", True),
        ("Api", "RestApiId", "DefaultAuthorizer: AWS_IAM", "", False),
        ("Api", "RestApiId", "DefaultAuthorizer: !Ref P", "", True),
        ("Api", "RestApiId", "ApiKeyRequired: true", "", True),
        ("Api", "RestApiId", OWN, "", True),
        ("Api", "RestApiId", "DefaultAuthorizer: AWS_IAM", ", Auth: {Authorizer: NONE}", True),
    ],
)
def test_slack_can_neither_sign_for_iam_nor_show_a_token(
    event: str, api: str, auth: str, own: str, slack: bool
) -> None:
    relations = of_f(
        f"Events: {{E: {{Type: {event}, Properties: {{Path: /o, Method: POST, {api}: !Ref A{own}}}}}}}",
        resource("A", f"AWS::Serverless::{event}", f"StageName: v1, Auth: {{{auth}}}"),
        Parameters="{P: {Type: String, Default: AWS_IAM}}",
    )
    assert [may_be_slack(one) for one in relations.triggers if one.by == "http"] == [slack]


@pytest.mark.parametrize(("kind", "slack"), [("NONE", True), ("AWS_IAM", False), ("!Ref P", True)])
def test_slack_and_function_urls(kind: str, slack: bool) -> None:
    parameters = "{P: {Type: String, Default: AWS_IAM}}"
    (start,) = of_f(f"FunctionUrlConfig: {{AuthType: {kind}}}", Parameters=parameters).triggers
    assert may_be_slack(start) is slack


@pytest.mark.parametrize(("kind", "slack"), [("HTTP", True), ("WEBSOCKET", False)])
def test_slack_sends_requests_and_opens_no_connection(kind: str, *, slack: bool) -> None:
    key = "POST /slack" if slack else "$default"
    relations = with_resources(
        "\n".join(
            (
                plain("F"),
                resource("H", "AWS::ApiGatewayV2::Api", f"Name: h, ProtocolType: {kind}"),
                resource("I", "AWS::ApiGatewayV2::Integration", "ApiId: !Ref H, IntegrationUri: !GetAtt F.Arn"),
                resource(
                    "T",
                    "AWS::ApiGatewayV2::Route",
                    f"ApiId: !Ref H, RouteKey: {key}, Target: !Sub 'integrations/${{I}}'",
                ),
            )
        )
    )["F"]
    assert [may_be_slack(start) for start in relations.triggers] == [slack]
