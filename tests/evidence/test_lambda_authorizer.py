"""That a Lambda authorizer is there does not show whom it lets through."""

from __future__ import annotations

from pathlib import Path

from tests.collecting import collected
from tests.support import HOME, TODAY, system_of
from threatmodel.assessment.states import States
from threatmodel.graph.building import build
from threatmodel.library.directions import directions
from threatmodel.library.load import load_library
from threatmodel.reading.files import Files

TEMPLATE = """\
Transform: AWS::Serverless-2016-10-31
Resources:
  Api:
    Type: AWS::Serverless::Api
    Properties:
      StageName: prod
      Auth: {DefaultAuthorizer: Own, Authorizers: {Own: {FunctionArn: !GetAtt Check.Arn}}}
  Check:
    Type: AWS::Serverless::Function
    Properties:
      Runtime: python3.13
      Handler: index.handler
      InlineCode: |
        def handler(event, context):
            statement = {"Effect": "Allow", "Action": "execute-api:Invoke", "Resource": "*"}
            return {"principalId": "anyone", "policyDocument": {"Version": "2012-10-17", "Statement": [statement]}}
  Admin:
    Type: AWS::Serverless::Function
    Properties:
      Runtime: python3.13
      Handler: index.handler
      InlineCode: "def handler(event, context): return {'statusCode': 200}"
      Events: {Post: {Type: Api, Properties: {RestApiId: !Ref Api, Path: /admin, Method: post}}}
"""
MODEL = """\
name: x
apis: {api: {%s}}
functions: {admin: {triggers: [{http: POST, api: api, path: /admin}]}, check: {}}
evidence: [{template: template.yaml}]
"""


def test_only_a_statement_says_that_it_authenticates(tmp_path: Path) -> None:
    (tmp_path / "template.yaml").write_text(TEMPLATE, encoding="utf-8")
    library = load_library(HOME / "threatlib")
    found = {}
    for stated in ("", "caller_authentication: lambda-authorizer"):
        system = system_of(tmp_path, MODEL % stated)
        evidence, read = collected(system, Files(), directions(library))
        states = States(build(system, evidence, TODAY, read), library, TODAY)
        found[stated] = states.at(library.controls["gateway-authentication"], "api").state
    assert list(found.values()) == ["unknown", "claimed"]
