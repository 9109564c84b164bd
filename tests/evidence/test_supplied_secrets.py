"""A secret that a variable of a function holds is an element, kept in the environment or in the code."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support import HOME, TODAY
from threatmodel.api import load_model as load_graph
from threatmodel.assessment.assess import assess
from threatmodel.assessment.assessed import Assessment
from threatmodel.assessment.issues import issues
from threatmodel.authoring.importing.plan import imported
from threatmodel.command.main import main
from threatmodel.evidence.collect import collect
from threatmodel.evidence.sources import read_sources
from threatmodel.graph.building import Graph, build
from threatmodel.library.directions import directions
from threatmodel.library.load import load_library
from threatmodel.model.facts import EVIDENCE
from threatmodel.model.load import load_model
from threatmodel.reading.files import Files

LIBRARY = load_library(HOME / "threatlib")
SEEN = "xoxb-123456789012-AbCdEfGhIjKlMn"
TEMPLATE = """\
Parameters:
  SlackClientSecret: {{Type: String, NoEcho: true}}
  SlackBotToken: {{Type: String}}
  Stage: {{Type: String, Default: dev}}
  Stored: {{Type: "AWS::SSM::Parameter::Value<String>", Default: /app/db-password}}
Conditions:
  Dev: !Equals [!Ref Stage, dev]
Resources:
  Own: {{Type: AWS::SecretsManager::Secret}}
  Bot: {{Type: AWS::Lambda::Function, Properties: {{Environment: {{Variables: {{{variables}}}}}}}}}
  Other: {{Type: AWS::Lambda::Function, Properties: {{Environment: {{Variables: {{{others}}}}}}}}}
{more}
"""


def graph(folder: Path, variables: str, others: str = "", more: str = "") -> Graph:
    """The graph of the model that `import` makes of a template with these variables."""
    template = folder / "template.yaml"
    template.write_text(TEMPLATE.format(variables=variables, others=others, more=more), encoding="utf-8")
    model = folder / "model.yaml"
    model.write_text(imported(template, "template", model, Files()).text, encoding="utf-8")
    files = Files()
    system = load_model(files, model)
    evidence, read = collect(system, read_sources(system, files), directions(LIBRARY))
    assert not any(one.missing for one in read)
    return build(system, evidence, TODAY)


def secrets(found: Graph) -> dict[str, object]:
    """The secrets of a graph, each with where it is kept as evidence shows."""
    kept = {one.id: one.facts.get("kept_in") for one in found.elements.values() if one.kind == "secret"}
    return {name: fact.value if fact is not None and fact.size == EVIDENCE else None for name, fact in kept.items()}


def used(found: Graph, function: str = "bot") -> list[str]:
    return [str(item) for item, _ in found.lists[function]["secrets"].known]


@pytest.mark.parametrize(
    ("variable", "element", "kept_in"),
    [
        ("SLACK_CLIENT_SECRET: !Ref SlackClientSecret", "slack-client-secret", "environment"),
        ("SLACK_BOT_TOKEN: !Ref SlackBotToken", "slack-bot-token", "environment"),
        (f"TOKEN: {SEEN}", "token", "code"),
        ("DB_PASSWORD: !Ref Stored", "app-db-password", None),
        ("PASSWORD: '{{resolve:secretsmanager:prod/db:SecretString:password}}'", "prod-db", None),
        ("PASSWORD: '{{resolve:ssm-secure:/prod/token}}'", "prod-token", None),
    ],
)
def test_a_variable_that_holds_a_secret(tmp_path: Path, variable: str, element: str, kept_in: str | None) -> None:
    found = graph(tmp_path, variable)
    assert secrets(found)[element] == kept_in
    assert used(found) == [element]


@pytest.mark.parametrize("variable", ["STAGE: !Ref Stage", "ARN: !Ref Own", "TOKEN_NAME: !Ref SlackBotToken"])
def test_a_variable_that_holds_none(tmp_path: Path, variable: str) -> None:
    assert secrets(graph(tmp_path, variable)) == {"own": "secrets-manager"}


def test_one_parameter_is_one_secret_under_any_name(tmp_path: Path) -> None:
    found = graph(tmp_path, "TOKEN: !Ref SlackBotToken", "THE_SECRET: !Ref SlackBotToken")
    assert secrets(found) == {"own": "secrets-manager", "slack-bot-token": "environment"}
    assert used(found) == used(found, "other") == ["slack-bot-token"]


def test_a_condition_that_leaves_the_variable_out_keeps_the_alarm(tmp_path: Path) -> None:
    variables = f"TOKEN: !If [Dev, {SEEN}, none]"
    found = graph(tmp_path, variables)
    assert found.elements["bot"].facts["environment_holds_secret"].value is True
    assert "token" in secrets(found)


def test_an_unrelated_part_that_is_not_read_keeps_it(tmp_path: Path) -> None:
    more = "  Made: {Type: Custom::Thing, Properties: {ServiceToken: !GetAtt Other.Arn}}"
    found = graph(tmp_path, f"TOKEN: {SEEN}", more=more)
    assert secrets(found)["token"] == "code"


def test_the_values_are_in_no_output(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    graph(tmp_path, f"TOKEN: {SEEN}, VARIABLE_1: supersecret99")
    model = str(tmp_path / "model.yaml")
    for words in (["check"], ["--report", "full"], ["--json"], ["--dfd"], ["--pytm"]):
        main([*words, "-m", model])
    out = "".join(capsys.readouterr())
    assert "token" in out
    assert SEEN[5:] not in out
    assert "supersecret99" not in out


SERVICE = """\
service: standup
provider: {{name: aws, runtime: python3.13}}
functions:
  bot: {{handler: a.b, environment: {{{variable}: "${{file(./.env.yml):{key}}}"}}}}
"""


@pytest.mark.parametrize(
    ("variable", "key", "held"),
    [
        ("SLACK_BOT_TOKEN", "SLACK_BOT_TOKEN", True),
        ("TOKEN", "dev.token", True),
        ("TABLE", "TABLE", False),
        ("SETTING", "setting", False),
    ],
)
def test_a_value_of_a_file_that_is_not_there_is_a_secret_by_both_names(
    tmp_path: Path, variable: str, key: str, held: bool
) -> None:
    service, model = tmp_path / "serverless.yml", tmp_path / "model.yaml"
    service.write_text(SERVICE.format(variable=variable, key=key), encoding="utf-8")
    text = imported(service, "serverless", model, Files()).text
    assert ("kept_in: environment" in text) == held
    model.write_text(text, encoding="utf-8")
    files = Files()
    system = load_model(files, model)
    evidence, _ = collect(system, read_sources(system, files), directions(LIBRARY))
    said = [one.value for one in evidence["bot"].get("environment_holds_secret", ())]
    assert said == ([True] if held else [])  # and never that there is none


PIPELINE = "pipeline: {{secret_scanning: {0}, history_scanned: {0}, branch_protected: {0}, required_reviews: 1}}\n"


def of_literal(folder: Path, scanned: str) -> Assessment:
    """The assessment of a template that spells a secret, by a pipeline that scans or not."""
    graph(folder, f"SLACK_BOT_TOKEN: {SEEN}")
    model = folder / "model.yaml"
    model.write_text(model.read_text(encoding="utf-8") + PIPELINE.format(scanned), encoding="utf-8")
    return assess(load_graph(model, today=TODAY), LIBRARY, TODAY)


def test_a_literal_is_one_issue(tmp_path: Path) -> None:
    """It exposes the configuration and the code, and one line of the template is the cause of both."""
    both = {"hard-coded-secret@slack-bot-token", "secret-exposed-in-configuration@bot"}
    found = [{one.id for one in issue.findings} & both for issue in issues(of_literal(tmp_path, "false"))]
    assert [one for one in found if one] == [both]


def test_a_literal_outweighs_a_scan_of_the_history(tmp_path: Path) -> None:
    """What the template shows disproves that no value is in the repository."""
    findings = of_literal(tmp_path, "true").findings
    assert [one.claimed.band for one in findings if one.id == "hard-coded-secret@slack-bot-token"] == ["critical"]


def test_a_model_that_lacks_the_secret_of_a_variable_says_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    template, model = tmp_path / "template.yaml", tmp_path / "model.yaml"
    variables = "SLACK_BOT_TOKEN: !Ref SlackBotToken, STAGE: !Ref Stage"
    template.write_text(TEMPLATE.format(variables=variables, others="", more=""), encoding="utf-8")
    text = "name: Shop\nevidence: [{template: template.yaml}]\nfunctions: {bot: {}, other: {}}\n"
    model.write_text(text, encoding="utf-8")
    main(["check", str(model)])
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[1] for line in lines if line.startswith("drift")] == ["SlackBotToken"]
    assert main(["import", str(template), "--update", str(model)]) == 0
    assert "added secret slack-bot-token (SlackBotToken)" in capsys.readouterr().out
    main(["check", str(model)])
    assert "drift" not in capsys.readouterr().out
