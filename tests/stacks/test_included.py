"""`AWS::Include` of a file of the project: the definition of an API is read as if it were in the template."""

from __future__ import annotations

from pathlib import Path

import pytest

from threatmodel.reading.files import Files
from threatmodel.stacks.assumed import DEFAULTS
from threatmodel.stacks.cloudformation.including import MOST_INCLUDED
from threatmodel.stacks.nested import read
from threatmodel.stacks.stack import Stack
from threatmodel.stacks.values import Table, get, text

TEMPLATE = """\
Transform: AWS::Serverless-2016-10-31
Resources:
  Links: {{Type: AWS::DynamoDB::Table}}
  Role: {{Type: AWS::IAM::Role}}
  Site:
    Type: AWS::Serverless::Api
    Properties:
      StageName: prod
      DefinitionBody: {{'Fn::Transform': {{Name: {name}, Parameters: {{Location: {location}}}}}}}
"""
API = """\
openapi: 3.0.1
paths:
  /{linkId}:
    get:
      x-amazon-apigateway-integration:
        type: aws
        httpMethod: POST
        uri: {"Fn::Sub": "arn:aws:apigateway:${AWS::Region}:dynamodb:action/GetItem"}
        credentials: {"Fn::GetAtt": [Role, Arn]}
"""


def stack(folder: Path, location: str, name: str = "AWS::Include", api: str = API) -> Stack:
    (folder / "template.yaml").write_text(TEMPLATE.format(name=name, location=location), encoding="utf-8")
    (folder / "api.yaml").write_text(api, encoding="utf-8")
    return read(folder / "template.yaml", Files(), DEFAULTS)


def verbs(found: Stack) -> list[str | None]:
    return [text(get(one.properties, "HttpMethod")) for one in found.of_type("AWS::ApiGateway::Method")]


def test_a_file_that_is_included_is_read_in_its_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (method,) = stack(tmp_path, "./api.yaml").of_type("AWS::ApiGateway::Method")
    uri = get(method.properties, "Integration", "Uri")
    assert text(get(method.properties, "HttpMethod")) == "GET"
    assert uri is not None
    assert (Path(uri.place.file).name, uri.place.line) == ("api.yaml", 8)


@pytest.mark.parametrize(
    ("location", "name"),
    [
        ("s3://bucket/api.yaml", "AWS::Include"),
        ("missing.yaml", "AWS::Include"),
        ("../../../../etc/hosts", "AWS::Include"),
        ("!Ref Location", "AWS::Include"),
        ("./api.yaml", "Company::Macro"),
    ],
)
def test_what_is_elsewhere_leaves_the_definition_unknown(
    location: str, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    found = stack(tmp_path, location, name)
    assert "GET" not in verbs(found)
    assert "a macro makes it" in repr(found)


def test_a_file_that_includes_itself_ends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    again = "paths: {'Fn::Transform': {Name: 'AWS::Include', Parameters: {Location: ./api.yaml}}}\n"
    assert "GET" not in verbs(stack(tmp_path, "./api.yaml", api=again))


def test_only_so_many_files_are_included(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "api.yaml").write_text(API, encoding="utf-8")
    body = "{'Fn::Transform': {Name: 'AWS::Include', Parameters: {Location: api.yaml}}}"
    apis = (
        f"  A{at}: {{Type: AWS::ApiGateway::RestApi, Properties: {{Body: {body}}}}}" for at in range(MOST_INCLUDED + 5)
    )
    (tmp_path / "template.yaml").write_text("Resources:\n" + "\n".join(apis) + "\n", encoding="utf-8")
    found = [
        get(one.properties, "Body") for one in read(tmp_path / "template.yaml", Files(), DEFAULTS).resources.values()
    ]
    assert sum(isinstance(one, Table) for one in found) == MOST_INCLUDED
