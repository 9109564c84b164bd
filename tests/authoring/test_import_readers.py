"""What import writes is YAML to every reader of it, and its hints may be taken at their word."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.collecting import collected
from tests.support import HOME
from threatmodel.authoring.importing.ids import element_ids
from threatmodel.authoring.importing.plan import imported
from threatmodel.command.main import main
from threatmodel.model.load import load_model
from threatmodel.reading.files import Files
from threatmodel.reading.problems import InputError
from threatmodel.reading.source import parse

MESSY = """\
Transform: AWS::Serverless-2016-10-31
Parameters: {Stage: {Type: String, Default: dev}}
Conditions: {Prod: !Equals [!Ref Stage, prod]}
Resources:
  Orders: {Type: AWS::DynamoDB::Table}
  Mail: {Type: AWS::SQS::Queue}
  Key: {Type: AWS::SecretsManager::Secret}
  Flow: {Type: AWS::StepFunctions::StateMachine, Properties: {DefinitionString: !Sub "${OrderFunction.Arn}"}}
  Elsewhere:
    Type: AWS::CloudFormation::Stack
    Properties:
      TemplateURL: "https://a.example/t.yaml"
      Parameters: {Orders: !GetAtt OrderFunction.Arn, Mail: !GetAtt MailFunction.Arn}
  OrderFunction:
    Type: AWS::Serverless::Function
    Properties:
      Handler: app.order
      Runtime: python3.13
      CodeUri: .
      Environment: {Variables: {TABLE: !Ref Orders, KEY: !Ref Key, HOST: "https://api.example.com/v1"}}
      Policies:
        - DynamoDBCrudPolicy: {TableName: !Ref Orders}
        - SQSSendMessagePolicy: {QueueName: !GetAtt Mail.QueueName}
        - AWSSecretsManagerGetSecretValuePolicy: {SecretArn: !Ref Key}
        - Statement: [{Effect: Allow, Action: ["bedrock:InvokeModel", "ses:SendEmail"], Resource: "*"}]
      Events:
        Command: {Type: Api, Properties: {Path: /slack/command, Method: post}}
        Action: {Type: Api, Properties: {Path: "/slack/actions/{id}", Method: any}}
        Nightly: {Type: Schedule, Properties: {Schedule: "cron(0 0 * * ? *)"}}
        Bus: {Type: EventBridgeRule, Properties: {Pattern: {source: [aws.ec2]}}}
  MailFunction:
    Type: AWS::Serverless::Function
    Condition: Prod
    Properties:
      Handler: app.mail
      Runtime: python3.13
      CodeUri: .
      Policies: [Statement: [{Effect: Allow, Action: "*", Resource: "*"}]]
      Events: {M: {Type: SQS, Properties: {Queue: !GetAtt Mail.Arn}}}
"""
HINT = re.compile(r"( *)# (?=[a-z' ]+: \S)")


def model(text: str = MESSY) -> str:
    """The text of the model that import writes of a template."""
    files = Files(texts={Path("template.yaml"): text})
    return imported(Path("template.yaml"), "", None, files).text


def test_every_hint_stands_where_its_line_is_yaml() -> None:
    text = model()
    lines = text.splitlines()
    hints = [at for at, line in enumerate(lines) if HINT.match(line) and not line.startswith("# yaml-language")]
    assert len(hints) >= 9
    for at in hints:
        more = [HINT.sub(r"\1", line) if at == number else line for number, line in enumerate(lines)]
        if lines[at].startswith("#   "):
            continue
        changed = "\n".join(more) + "\n"
        parse(changed, "model.yaml")  # no InputError: it is YAML, with no key twice
        codes = _codes(Files(texts={Path("model.yaml"): changed, Path("template.yaml"): MESSY}))
        assert codes.isdisjoint({"unsupported-yaml", "duplicate-key"}), lines[at]


def _codes(files: Files) -> set[str]:
    """The codes of what is wrong with a model, none where it loads."""
    try:
        load_model(files, Path("model.yaml"))
    except InputError as error:
        return {one.code for one in error.problems}
    return set()


def test_a_reason_stands_once_in_a_file() -> None:
    text = model()
    assert text.count("another template at") == 1
    assert text.startswith("# yaml-language-server: $schema=model.schema.json\n")


def plan(*functions: str) -> str:
    """A plan of functions at these addresses."""
    resources = [
        {
            "address": address,
            "mode": "managed",
            "type": "aws_lambda_function",
            "name": "this",
            "values": {"function_name": f"f{number}"},
        }
        for number, address in enumerate(functions)
    ]
    modules = [
        {"address": one["address"].rpartition(".aws_")[0], "resources": [one]}  # type: ignore[attr-defined] # a text
        for one in resources
    ]
    return json.dumps(
        {
            "format_version": "1.2",
            "timestamp": "2026-01-01T00:00:00Z",
            "terraform_version": "1.9.0",
            "planned_values": {"root_module": {"child_modules": modules}},
            "configuration": {},
        }
    )


def test_functions_that_modules_call_alike_have_their_modules_names() -> None:
    text = plan("module.orders.aws_lambda_function.this", "module.mail.aws_lambda_function.this")
    files = Files(texts={Path("plan.json"): text})
    found = imported(Path("plan.json"), "plan", None, files)
    assert [one.id for one in found.added if one.kind == "function"] == ["orders", "mail"]
    assert "orders: module.orders.aws_lambda_function.this" in found.text


@pytest.mark.long
def test_other_readers_of_yaml_read_the_same(tmp_path: Path) -> None:
    """js-yaml and the npm package yaml, which editors and pipelines have."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        pytest.skip("Node.js and npm are not there")
    done = subprocess.run(
        [npm, "install", "--ignore-scripts", "--no-audit", "--no-fund", "js-yaml@4.1.0", "yaml@2.6.1"],
        cwd=tmp_path,
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr.decode()
    script = (
        "const t = require('fs').readFileSync(0, 'utf8');"
        "process.stdout.write(JSON.stringify([require('js-yaml').load(t), require('yaml').parse(t)]));"
    )
    for text in (model(), (HOME / "tests/golden/cli/import.yaml").read_text(encoding="utf-8")):
        read = subprocess.run(
            [node, "-e", script], input=text.encode(), cwd=tmp_path, capture_output=True, check=True
        ).stdout
        one, other = json.loads(read)
        assert one == other
        assert one.keys() == parse(text, "model.yaml").root.keys()
        assert list(one["functions"]) == list(parse(text, "model.yaml").root["functions"])


def test_a_model_without_its_schema_beside_it_says_how_editors_get_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("template.yaml").write_text(MESSY, encoding="utf-8")
    assert main(["import", "template.yaml", "-o", "model.yaml"]) == 0
    assert "schema model > model.schema.json" in capsys.readouterr().out
    Path("model.schema.json").write_text("{}", encoding="utf-8")
    assert main(["import", "template.yaml", "-o", "other.yaml"]) == 0
    assert "editors" not in capsys.readouterr().out


TAKEN = """\
Transform: AWS::Serverless-2016-10-31
Resources:
  Worker: {Type: AWS::Serverless::Function, Properties: {Runtime: python3.13, Handler: app.a, FunctionName: jobs}}
  Other: {Type: AWS::Serverless::Function, Properties: {Runtime: python3.13, Handler: app.b, FunctionName: worker}}
  Token: {Type: AWS::SecretsManager::Secret, Properties: {Name: slack/signing}}
  Spare: {Type: AWS::SecretsManager::Secret, Properties: {Name: prod/token}}
"""


def test_where_one_resource_has_the_name_that_another_gives_itself_the_model_says_which_is_meant() -> None:
    found = model(TAKEN)
    assert "resources: {worker: Worker, token: Token}}" in found


READER = """\
Resources:
  Reader:
    Type: AWS::Lambda::Function
    Properties: {Role: !GetAtt Role.Arn}
  Role:
    Type: AWS::IAM::Role
    Properties:
      Policies:
        - PolicyDocument:
            Statement: {Effect: Allow, Action: %s, Resource: "*"}
"""


def test_where_two_services_may_be_one_element_the_model_says_which_is_meant() -> None:
    """API Gateway is spoken to as two services, and the id of each would do for the other."""
    template = READER % '["apigateway:GET", "execute-api:Invoke"]'
    found = imported(Path("t.yaml"), "template", Path("model.yaml"), Files(texts={"t.yaml": template})).text
    assert "resources: {execute-api: 'aws:execute-api:'}}" in found
    files = Files(texts={"t.yaml": template, "model.yaml": found})
    statements, _ = collected(load_model(files, Path("model.yaml")), files)
    (calls,) = statements["reader"]["calls"]
    assert set(calls.value) == {"api-gateway", "execute-api"}


def test_what_is_managed_and_what_is_worked_with_of_a_cluster_are_one_service() -> None:
    template = READER % '["kafka:DescribeCluster", "kafka-cluster:Connect"]'
    found = imported(Path("t.yaml"), "template", Path("model.yaml"), Files(texts={"t.yaml": template})).text
    assert "calls: [msk]" in found


@pytest.mark.parametrize(
    ("exported", "element"),
    [
        ("Platform:ExportsOutputFnGetAttMailQueue77E1B09CArn", "mail-queue"),
        ("Platform:ExportsOutputRefMailQueue77E1B09C", "mail-queue"),
        ("shared-mail", "shared-mail"),
    ],
)
def test_what_the_cdk_exports_is_called_as_its_construct(exported: str, element: str) -> None:
    template = f"""\
Resources:
  Reader: {{Type: AWS::Lambda::Function, Properties: {{Role: !GetAtt Role.Arn}}}}
  Role:
    Type: AWS::IAM::Role
    Properties:
      Policies:
        - PolicyDocument:
            Statement: {{Effect: Allow, Action: sqs:SendMessage, Resource: !ImportValue '{exported}'}}
"""
    found = imported(Path("t.yaml"), "template", Path("model.yaml"), Files(texts={"t.yaml": template})).text
    assert f"sends: [{element}]" in found


def test_buckets_for_packages_hold_nobodys_data() -> None:
    text = "service: shop\nprovider: {name: aws}\nfunctions: {bot: {handler: a.b}}\n"
    found = imported(Path("s.yml"), "serverless", Path("model.yaml"), Files(texts={"s.yml": text})).text
    assert "holds: []" in found
    assert "# holds" not in found


def test_modules_of_a_loop_are_called_after_their_keys() -> None:
    names = [f'module.report["{key}"].aws_lambda_function.this[0]' for key in ("morning", "evening")]
    kinds = dict.fromkeys((*names, "module.scans.aws_lambda_function.this[0]"), "function")
    found = element_ids({**kinds, "aws_sqs_queue.scans": "queue"}, {"aws_sqs_queue.scans": "scans"}, {})
    assert list(found.values()) == ["report-morning", "report-evening", "scans-function"]
