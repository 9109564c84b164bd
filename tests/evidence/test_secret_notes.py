"""What a file declares of secrets and should not: parameters that show one, and secrets that nothing uses."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.evidence.asking import template
from threatmodel.api import load_model
from threatmodel.command.main import main
from threatmodel.evidence.secret_notes import secret_notes
from threatmodel.reading.problems import Place, shown
from threatmodel.stacks.assumed import Assumed
from threatmodel.stacks.cloudformation import reader as cloudformation
from threatmodel.stacks.terraform import reader as terraform


def notes(text: str, used: frozenset[str] | None = frozenset()) -> list[tuple[str, str]]:
    return [(one.code, one.message.split("'")[1]) for one in secret_notes(template(text), used)]


@pytest.mark.parametrize(
    ("properties", "shown"),
    [
        ("FunctionUrlConfig: {AuthType: !Ref Auth}", False),
        ("FunctionUrlConfig: {AuthType: !Ref Auth}, Environment: {Variables: {TOKEN: !Ref Auth}}", True),
        ("FunctionUrlConfig: {AuthType: !Ref Auth}, Environment: {Variables: {URL: !Sub 'https://x/${Auth}'}}", True),
        ("Handler: a.b", True),
    ],
)
def test_a_parameter_for_a_setting_is_no_secret(properties: str, shown: bool) -> None:
    text = (
        "Transform: AWS::Serverless-2016-10-31\nParameters: {Auth: {Type: String}}\nResources:\n"
        f"  F: {{Type: AWS::Serverless::Function, Properties: {{{properties}}}}}"
    )
    assert notes(text) == ([("shown-secret", "Auth")] if shown else [])


@pytest.mark.parametrize(
    ("parameter", "shown"),
    [
        ("SlackToken: {Type: String}", True),
        ("DbPassword: {Type: String, Default: ''}", True),
        ("SlackToken: {Type: String, NoEcho: false}", True),
        ("SlackToken: {Type: String, NoEcho: true}", False),
        ("SlackTokenArn: {Type: String}", False),
        ("SlackToken: {Type: 'AWS::SSM::Parameter::Value<String>'}", False),
        ("MaxTokens: {Type: Number}", False),
        ("Stage: {Type: String}", False),
        (f"AssetParameters{'840a68ab22c10f76' * 4}S3VersionKeyC0FFEE12: {{Type: String}}", False),
        ("SlackSecretEA96F13F: {Type: String}", True),
    ],
)
def test_a_parameter_for_a_secret_has_to_hide_it(parameter: str, shown: bool) -> None:
    name = parameter.split(":", maxsplit=1)[0]
    topic = f"  T: {{Type: AWS::SNS::Topic, Properties: {{DisplayName: !Ref {name}}}}}"
    text = f"Parameters: {{{parameter}}}\nResources:\n{topic}"
    assert notes(text) == ([("shown-secret", name)] if shown else [])


TASK = "  T: {{Type: AWS::ECS::TaskDefinition, Properties: {{ContainerDefinitions: [{{Environment: [{{{}}}]}}]}}}}\n"
BUILD = "  T: {{Type: AWS::CodeBuild::Project, Properties: {{Environment: {{EnvironmentVariables: [{{{}}}]}}}}}}\n"


@pytest.mark.parametrize("resource", [TASK, BUILD])
@pytest.mark.parametrize(
    ("variable", "shown"),
    [
        ("Name: DB_PASSWORD, Value: hunter2", True),
        ("Name: TOKEN, Value: !Ref Token", True),
        ("Name: TOKEN, Value: '{{resolve:secretsmanager:token}}'", True),
        ("Name: TOKEN, Type: PLAINTEXT, Value: xoxb-123456789012-AbCdEfGhIj", True),
        ("Name: DB_PASSWORD, Type: SECRETS_MANAGER, Value: hunter2", False),
        ("Name: LEVEL, Value: info", False),
        ("Name: TOKEN, ValueFrom: !Ref Token", False),
    ],
)
def test_a_variable_of_a_container_or_a_build_that_shows_a_secret(resource: str, variable: str, shown: bool) -> None:
    head = "Parameters: {Token: {Type: String, NoEcho: true}}\nResources:\n"
    used = "  U: {Type: AWS::SNS::Topic, Properties: {DisplayName: !Ref Token}}\n"
    found = list(secret_notes(template(head + used + resource.format(variable)), None))
    assert [one.message.split("'")[1] for one in found] == (["T"] if shown else [])
    assert not any("hunter2" in one.message or "AbCdEf" in one.message for one in found)


HOOK = "hooks.slack.com/services/T00000000/B00000000"
TOKEN = "xoxb-123456789012-AbCdEfGhIj"
CONNECTION = (
    "  T: {{Type: AWS::Events::Connection, Properties: {{AuthParameters: {{ApiKeyAuthParameters: {{{}}}}}}}}}\n"
)
HEADER = "  T: {{Type: AWS::X::Y, Properties: {{Headers: [{{HeaderName: {}, HeaderValue: Tr0ub4dor-3-live-key}}]}}}}\n"
IN_FUNCTION = "  T: {{Type: AWS::Serverless::Function, Properties: {{Runtime: python3.13, Handler: a.b, {}}}}}\n"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (f"  T: {{Type: AWS::EC2::Instance, Properties: {{UserData: !Base64 'export T={TOKEN}'}}}}\n", True),
        (f"  T: {{Type: AWS::SSM::Parameter, Properties: {{Type: String, Value: {TOKEN}}}}}\n", True),
        (f"  T: {{Type: AWS::SNS::Topic, Metadata: {{Note: {TOKEN}}}}}\n", True),
        (f"  T: {{Type: AWS::SNS::Topic}}\nOutputs: {{Token: {{Value: {TOKEN}}}}}\n", True),
        (f"  T: {{Type: AWS::SNS::Topic}}\nMappings: {{Of: {{Test: {{Token: {TOKEN}}}}}}}\n", True),
        (IN_FUNCTION.format(f"InlineCode: 'TOKEN = \"{TOKEN}\"'"), True),
        (IN_FUNCTION.format(f"InlineCode: '', Tags: {{Token: {TOKEN}}}"), True),
        (IN_FUNCTION.format(f"InlineCode: '', Environment: {{Variables: {{TOKEN: {TOKEN}}}}}"), False),  # its own fact
        (f"  T: {{Type: AWS::SecretsManager::Secret, Properties: {{SecretString: {TOKEN}}}}}\n", False),
        ("  T: {Type: AWS::SNS::Topic, Properties: {DisplayName: xoxb-your-token-here}}\n", False),
        (f"  T: {{Type: AWS::SNS::Topic, Properties: {{DisplayName: 'https://{HOOK}/{'X' * 24}'}}}}\n", False),
        (f"  T: {{Type: AWS::SNS::Topic, Properties: {{DisplayName: 'https://{HOOK}/kR4c9ZsW2q'}}}}\n", True),
        (f"  T: {{Type: AWS::SNS::Topic}}  # the old one: {TOKEN}\n", True),
        ("  T: {Type: AWS::SNS::Topic}  # the old one: xoxb-your-token-here\n", False),
        (CONNECTION.format("ApiKeyName: x-key, ApiKeyValue: 'Tr0ub4dor&3-live-key'"), True),
        (CONNECTION.format("ApiKeyName: Tr0ub4dor-3-live-key, ApiKeyValue: '{{resolve:secretsmanager:key}}'"), False),
        ("  T: {Type: AWS::SNS::Topic, Properties: {Tags: [{Key: Tr0ub4dor-3-live-key, Value: x}]}}\n", False),
        (HEADER.format("X-Origin-Secret"), True),
        (HEADER.format("X-Origin-Name"), False),
        ("  T: {Type: AWS::SNS::Topic}\nParameters: {AdminPassword: {Type: String, Default: Winter2024!}}\n", True),
        ("  T: {Type: AWS::SNS::Topic}\nParameters: {AdminName: {Type: String, Default: Winter2024!}}\n", False),
    ],
)
def test_a_text_with_the_form_of_a_secret_is_noted_wherever_it_is(text: str, *, shown: bool) -> None:
    found = list(secret_notes(template(f"Resources:\n{text}"), None))
    assert [one.code for one in found if one.code != "shown-secret"] == (["visible-secret"] if shown else [])
    assert not any(TOKEN in repr(one) or "Tr0ub4dor" in repr(one) or "Winter" in repr(one) for one in found)


def test_a_secret_that_a_deployment_gives_is_noted_where_it_is() -> None:
    text = "Parameters: {Tok: {Type: String, NoEcho: true}}\nResources: {T: {Type: AWS::SNS::Topic}}\n"
    given = Assumed(values={"Tok": TOKEN}, stated={"Tok": Place("samconfig.toml", 4, 1)})
    found = {
        one.code: one.place.file for one in secret_notes(cloudformation.read(text, "template.yaml", given)[0], None)
    }
    assert found == {"visible-secret": "samconfig.toml", "unused-secret": "template.yaml"}


@pytest.mark.parametrize("part", ["variables", "outputs"])
def test_a_secret_among_the_variables_or_outputs_of_a_plan_is_noted(part: str) -> None:
    value = {"token": {"value": TOKEN}, "other": {"value": TOKEN, "sensitive": True}}
    planned = {"root_module": {}, **({"outputs": value} if part == "outputs" else {})}
    plan = {
        "format_version": "1.2",
        "timestamp": "2026-01-01T00:00:00Z",
        "planned_values": planned,
        "configuration": {"root_module": {}},
    }
    whole = json.dumps(plan | ({"variables": value} if part == "variables" else {}))
    found = list(secret_notes(terraform.read(whole, "plan.json"), None))
    assert [one.code for one in found] == ["visible-secret"]
    assert not any(TOKEN in repr(one) for one in found)


SECRET = "  S: {Type: AWS::SecretsManager::Secret}\n"


@pytest.mark.parametrize(
    ("more", "unused"),
    [
        ("", True),
        ("  P: {Type: AWS::SecretsManager::ResourcePolicy, Properties: {SecretId: !Ref S}}\n", True),
        ("  D: {Type: AWS::RDS::DBInstance, Properties: {MasterUserSecret: !Ref S}}\n", False),
        ("Outputs: {Arn: {Value: !Ref S}}\n", False),
    ],
)
def test_a_secret_that_nothing_uses(more: str, unused: bool) -> None:
    assert notes(SECRET + more) == ([("unused-secret", "S")] if unused else [])


def test_a_secret_that_a_function_uses_or_may_use_is_none() -> None:
    assert notes(SECRET, frozenset({"S"})) == []
    assert notes(SECRET, None) == []


def test_a_hidden_parameter_that_nothing_uses() -> None:
    text = "Parameters: {Key: {Type: String, NoEcho: true}}\nResources:\n  T: {Type: AWS::SNS::Topic}"
    assert notes(text) == [("unused-secret", "Key")]


def test_a_check_reports_them(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = (
        "Parameters: {SlackToken: {Type: String}}\nResources:\n"
        "  F: {Type: AWS::Lambda::Function, Properties: {Runtime: python3.13, Handler: a.b, Code: {ZipFile: x}, "
        "Role: !GetAtt R.Arn, Environment: {Variables: {SLACK_TOKEN: !Ref SlackToken}}}}\n"
        "  R: {Type: AWS::IAM::Role, Properties: {AssumeRolePolicyDocument: {Statement: []}}}\n" + SECRET
    )
    (tmp_path / "template.yaml").write_text(text, encoding="utf-8")
    main(["import", str(tmp_path / "template.yaml"), "-o", str(tmp_path / "m.yaml")])
    capsys.readouterr()
    main(["check", str(tmp_path / "m.yaml")])
    out = " ".join(capsys.readouterr().out.split())
    assert "the parameter 'SlackToken' is for a secret" in out
    assert "nothing in the file uses the secret 'S'" in out


BOTH = """\
Transform: AWS::Serverless-2016-10-31
Parameters:
  SlackToken: {Type: String}
Resources:
  Bot:
    Type: AWS::Serverless::Function
    Properties:
      Runtime: python3.13
      Description: posts as xoxb-17653672481-19874698323-pdFZKVeTuE8sk7oOcHrzqqgy
      Handler: app.handler
      CodeUri: src/
      Environment: {Variables: {SLACK_TOKEN: !Ref SlackToken}}
  Orphan: {Type: AWS::SecretsManager::Secret}
  Filter:
    Type: AWS::Logs::SubscriptionFilter
    Properties: {LogGroupName: a, DestinationArn: "arn:aws:logs:eu-west-1:999999999999:destination:d"}
"""


def test_both_are_notes_of_the_evidence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, golden: Callable[[str, str], None]
) -> None:
    (tmp_path / "template.yaml").write_text(BOTH, encoding="utf-8")
    model = "name: x\nevidence: [{template: template.yaml, functions: all}]\n"
    (tmp_path / "model.yaml").write_text(model, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    (read,) = load_model("model.yaml").evidence
    assert {note.code for note in read.notes} == {"shown-secret", "visible-secret", "unused-secret", "foreign-account"}
    golden("bad-input/secret-notes.txt", shown(read.notes, {}) + "\n")
