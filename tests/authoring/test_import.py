"""`tm.py import`: a model of what a file deploys, and an existing model brought up to it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support import HOME
from threatmodel.authoring.importing.plan import imported
from threatmodel.command.main import main
from threatmodel.reading.files import Files

Golden = Callable[[str, str], None]

SHOP = """\
Transform: AWS::Serverless-2016-10-31
Resources:
  ShopApi:
    Type: AWS::Serverless::HttpApi
  OrderFunction:
    Type: AWS::Serverless::Function
    Properties:
      Handler: app.order
      Runtime: python3.13
      CodeUri: .
      Environment: {Variables: {TABLE: !Ref OrdersTable, KEY: !Ref ApiKey}}
      Policies:
        - DynamoDBWritePolicy: {TableName: !Ref OrdersTable}
        - SQSSendMessagePolicy: {QueueName: !GetAtt MailQueue.QueueName}
        - AWSSecretsManagerGetSecretValuePolicy: {SecretArn: !Ref ApiKey}
      Events:
        Order: {Type: HttpApi, Properties: {ApiId: !Ref ShopApi, Path: /orders, Method: post}}
        Nightly: {Type: Schedule, Properties: {Schedule: rate(1 day)}}
  MailFunction:
    Type: AWS::Serverless::Function
    Properties:
      Handler: app.mail
      Runtime: python3.13
      CodeUri: .
      Policies: [{Statement: [{Effect: Allow, Action: "dynamodb:*", Resource: "*"}]}]
      Events:
        Mail: {Type: SQS, Properties: {Queue: !GetAtt MailQueue.Arn}}
  OrdersTable:
    Type: AWS::Serverless::SimpleTable
  MailQueue:
    Type: AWS::SQS::Queue
  ApiKey:
    Type: AWS::SecretsManager::Secret
"""


@pytest.fixture(autouse=True)
def _in_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "shop").mkdir()
    monkeypatch.chdir(tmp_path / "shop")
    Path("template.yaml").write_text(SHOP, encoding="utf-8")


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    code = main(arguments)
    out, err = capsys.readouterr()
    return code, out, err


def test_a_model_that_a_person_would_have_written(capsys: pytest.CaptureFixture[str], golden: Golden) -> None:
    code, out, err = run(capsys, "import", "template.yaml")
    assert (code, err) == (0, "")
    golden("cli/import.yaml", out)


@pytest.mark.slow
def test_the_model_is_assessed_against_its_own_file_without_drift(capsys: pytest.CaptureFixture[str]) -> None:
    Path("models").mkdir()
    assert run(capsys, "import", "template.yaml", "-o", "models/shop.yaml")[0] == 0
    assert "template: ../template.yaml" in Path("models/shop.yaml").read_text(encoding="utf-8")
    _, out, err = run(capsys, "-m", "models/shop.yaml", "check", "-v", "--fail-on", "critical", "--allow-undetermined")
    assert err == ""
    assert ": drift: " not in out
    report = run(capsys, "-m", "models/shop.yaml", "--report", "full.md")[1]
    assert "**proven**" in report
    assert "template.yaml:" in report


def test_a_model_is_never_overwritten(capsys: pytest.CaptureFixture[str]) -> None:
    Path("shop.yaml").write_text("name: mine\nfunctions: {f: {}}\n", encoding="utf-8")
    code, _, err = run(capsys, "import", "template.yaml", "-o", "shop.yaml")
    assert code == 2
    assert "already-exists: this file exists already; add what is missing to it with --update shop.yaml" in err
    assert Path("shop.yaml").read_text(encoding="utf-8").startswith("name: mine")


OWN = """\
# Our shop.
name: Shop
evidence:
  - {template: template.yaml}     # what we deploy

apis: {shop-api: {}}
stores:
  orders:   # every order
    recovery: true
queues:
  mail: {}

functions:
  order:
    # people order here
    triggers: [{http: POST, api: shop-api, path: /orders}]
    writes: [orders]
  gone-long-ago: {}
"""


def test_an_update_adds_what_is_new_and_keeps_every_line(capsys: pytest.CaptureFixture[str], golden: Golden) -> None:
    Path("shop.yaml").write_text(OWN, encoding="utf-8")
    Path("template.yaml").write_text(
        SHOP.replace("  ApiKey:\n    Type: AWS::SecretsManager::Secret\n", "")
        .replace(", KEY: !Ref ApiKey", "")
        .replace("        - AWSSecretsManagerGetSecretValuePolicy: {SecretArn: !Ref ApiKey}\n", ""),
        encoding="utf-8",
    )
    code, out, err = run(capsys, "import", "template.yaml", "--update", "shop.yaml")
    assert (code, err) == (0, "")
    assert out.splitlines() == [
        "shop.yaml: added function mail-function (MailFunction)",
        "shop.yaml:18:3: gone-long-ago: template.yaml no longer has this function",
    ]
    text = Path("shop.yaml").read_text(encoding="utf-8")
    for line in OWN.splitlines():
        assert line in text.splitlines()
    golden("cli/import-update.yaml", text)
    code, out, _ = run(capsys, "import", "template.yaml", "--update", "shop.yaml")
    assert (code, out.splitlines()[1:]) == (0, [])


def test_a_section_in_braces_cannot_be_added_to(capsys: pytest.CaptureFixture[str]) -> None:
    Path("shop.yaml").write_text("name: x\nfunctions: {f: {}}\n", encoding="utf-8")
    code, _, err = run(capsys, "import", "template.yaml", "--update", "shop.yaml")
    assert code == 2
    assert "cannot-add" in err
    assert Path("shop.yaml").read_text(encoding="utf-8") == "name: x\nfunctions: {f: {}}\n"


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("Resources: {Q: {Type: AWS::SQS::Queue}}\n", "empty-model"),
        ("just text\n", "not-a-template"),
        ("Resources: [\n", "yaml-syntax"),
        ("", "not-a-template"),
    ],
)
def test_what_is_no_template_is_refused(capsys: pytest.CaptureFixture[str], text: str, code: str) -> None:
    Path("template.yaml").write_text(text, encoding="utf-8")
    found, out, err = run(capsys, "import", "template.yaml")
    assert (found, out) == (2, "")
    assert f": {code}: " in err


def test_an_api_that_calls_services_itself_needs_no_function(capsys: pytest.CaptureFixture[str]) -> None:
    Path("template.yaml").write_text(
        "Resources:\n"
        "  Links: {Type: AWS::DynamoDB::Table, Properties: {KeySchema: []}}\n"
        "  Role: {Type: AWS::IAM::Role}\n"
        "  Api: {Type: AWS::ApiGateway::RestApi}\n"
        "  Get:\n"
        "    Type: AWS::ApiGateway::Method\n"
        "    Properties:\n"
        "      {RestApiId: !Ref Api, ResourceId: !GetAtt Api.RootResourceId, HttpMethod: GET,\n"
        "      Integration: {Type: AWS, Credentials: !GetAtt Role.Arn,\n"
        "      Uri: !Sub 'arn:aws:apigateway:${AWS::Region}:dynamodb:action/GetItem'}}\n",
        encoding="utf-8",
    )
    code, out, _ = run(capsys, "import", "template.yaml")
    assert code == 0
    assert "apis:\n  api:" in out
    assert "  links:" in out


def test_the_default_models_example_imports(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(HOME)
    code, out, err = run(capsys, "import", "examples/slack-app/template.yaml")
    assert (code, err) == (0, "")
    assert "order-bot:" in out
    line = "{slack: slash-command, api: slack-api, path: /slack/order}]  # by examples/slack-app/template.yaml:530"
    assert line in out


ASKING = """
Transform: AWS::Serverless-2016-10-31
Parameters: {Most: {Type: Number, Default: 900}}
Resources:
  Bot: {Type: AWS::Serverless::Function, Properties: {Handler: a.b, Runtime: python3.13, Timeout: !Ref Most}}
"""


@pytest.mark.parametrize(
    ("samconfig", "evidence", "told"),
    [
        ("[default.deploy.parameters]\nparameter_overrides = 'Most=5'\n", ", parameters: samconfig.toml", ""),
        ("[default.deploy.parameters]\nparameter_overrides = 'Other=5'\n", "", ""),
        ("[prod.deploy.parameters]\nparameter_overrides = 'Most=5'\n", "", "there is no environment 'default'"),
        ("no = toml = at all", "", "this is no TOML"),
    ],
)
def test_what_a_deployment_gives_is_named_where_it_lies_beside(
    tmp_path: Path, samconfig: str, evidence: str, told: str
) -> None:
    (tmp_path / "template.yaml").write_text(ASKING, encoding="utf-8")
    (tmp_path / "samconfig.toml").write_text(samconfig, encoding="utf-8")
    found = imported(tmp_path / "template.yaml", "", tmp_path / "model.yaml", Files())
    assert f"  - {{template: template.yaml{evidence}}}" in found.text
    assert any(told in note for note in found.notes) if told else not found.notes


# --- several templates


INNER = """\
Transform: AWS::Serverless-2016-10-31
Parameters: {Table: {Type: String}}
Resources:
  OrderFunction:
    Type: AWS::Serverless::Function
    Properties:
      Handler: app.order
      Runtime: python3.13
      CodeUri: .
      Environment: {Variables: {TABLE: !Ref Table}}
      Policies: [DynamoDBWritePolicy: {TableName: !Ref Table}]
"""
OUTER = """\
Transform: AWS::Serverless-2016-10-31
Resources:
  Orders: {Type: AWS::DynamoDB::Table}
  Site: {Type: AWS::Serverless::Application, Properties: {Location: site/app.yaml, Parameters: {Table: !Ref Orders}}}
  Admin: {Type: AWS::Serverless::Application, Properties: {Location: site/app.yaml, Parameters: {Table: !Ref Orders}}}
"""


def test_nested_applications_are_one_model_with_the_resource_of_each_name(
    capsys: pytest.CaptureFixture[str], golden: Golden
) -> None:
    Path("site").mkdir()
    Path("site/app.yaml").write_text(INNER, encoding="utf-8")
    Path("template.yaml").write_text(OUTER, encoding="utf-8")
    code, out, err = run(capsys, "import", "template.yaml", "-o", "shop.yaml")
    assert code == 0
    assert err.splitlines() == [
        "template.yaml:4:3: Site is read from site/app.yaml",
        "template.yaml:5:3: Admin is read from site/app.yaml",
    ]
    golden("cli/import-nested.yaml", Path("shop.yaml").read_text(encoding="utf-8"))
    _, out, err = run(capsys, "-m", "shop.yaml", "check", "-v", "--fail-on", "critical", "--allow-undetermined")
    assert err == ""
    assert ": drift: " not in out


def test_a_template_that_only_nests_what_lies_elsewhere_says_what_to_import(capsys: pytest.CaptureFixture[str]) -> None:
    application = "{ApplicationId: 'arn:aws:serverlessrepo:eu-west-1:1:applications/site', SemanticVersion: 1.0.0}"
    Path("template.yaml").write_text(
        "Resources:\n"
        f"  Site: {{Type: AWS::Serverless::Application, Properties: {{Location: {application}}}}}\n"
        "  Mail: {Type: AWS::CloudFormation::Stack, Properties: {TemplateURL: 'https://a.s3.amazonaws.com/m.yaml?X=1'}}\n",
        encoding="utf-8",
    )
    code, _, err = run(capsys, "import", "template.yaml")
    assert code == 2
    assert "there is no Lambda function in this file" in err
    assert "'Site' may have some" in err
    assert "applications/site" in err
    assert "'https://a.s3.amazonaws.com/m.yaml'" in err


def test_a_compose_file_says_what_to_import(capsys: pytest.CaptureFixture[str]) -> None:
    text = "services:\n  orders: {path: services/orders}\n  mail: {path: mail, config: sls.yml}\n"
    Path("serverless-compose.yml").write_text(text, encoding="utf-8")
    code, _, err = run(capsys, "import", "serverless-compose.yml")
    assert code == 2
    assert "name them one by one: 'services/orders/serverless.yml', 'mail/sls.yml'" in err


@pytest.mark.slow
def test_what_becomes_no_element_is_named_by_type_and_count(capsys: pytest.CaptureFixture[str]) -> None:
    more = """\
  Rule1: {Type: AWS::IoT::TopicRule, Properties: {TopicRulePayload: {Sql: x, Actions: []}}}
  Rule2: {Type: AWS::IoT::TopicRule, Properties: {TopicRulePayload: {Sql: x, Actions: []}}}
  Search: {Type: AWS::OpenSearchServerless::Collection, Properties: {Name: x}}
  Address: {Type: AWS::EC2::EIP}
  Robot: {Type: AWS::IAM::User}
"""
    Path("template.yaml").write_text(SHOP + more, encoding="utf-8")
    code, out, err = run(capsys, "import", "template.yaml", "-o", "shop.yaml")
    assert code == 0
    told = "2 IoT topic rules, 1 OpenSearch Serverless collection, 1 EC2 EIP, 1 IAM user"
    assert err.splitlines() == [f"template.yaml: not modeled: {told}"]
    for form in ("md", "full.md", "html", "full"):
        out = run(capsys, "-m", "shop.yaml", "--report", form)[1]
        assert told in out, form
    out = run(capsys, "-m", "shop.yaml", "--json")[1]
    (read,) = json.loads(out)["evidence"]
    assert read["not_modeled"][0] == {"type": "AWS::IoT::TopicRule", "count": 2}
