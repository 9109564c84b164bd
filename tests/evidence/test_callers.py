"""Who calls a route: Slack is asked about only where there is a sign, and what the author answers counts."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from threatmodel.command.main import main

HEAD = "AWSTemplateFormatVersion: '2010-09-09'\nTransform: AWS::Serverless-2016-10-31\n"


def template(*, method: str = "post", path: str = "/work", variables: str = "", description: str = "") -> str:
    said = f"Description: {description}\n" if description else ""
    return f"""{HEAD}{said}Resources:
  Worker:
    Type: AWS::Serverless::Function
    Properties:
      Runtime: python3.13
      Handler: a.b
      InlineCode: x
      Environment: {{Variables: {{{variables}}}}}
      Events: {{Call: {{Type: Api, Properties: {{Path: "{path}", Method: {method}}}}}}}
"""


def imported(folder: Path, text: str, *, name: str = "shop") -> Path:
    folder = folder / name
    folder.mkdir()
    (folder / "template.yaml").write_text(text, encoding="utf-8")
    assert main(["import", str(folder / "template.yaml"), "-o", str(folder / "m.yaml")]) == 0
    return folder / "m.yaml"


def checked(model: Path, capsys: pytest.CaptureFixture[str]) -> str:
    capsys.readouterr()
    main(["check", str(model)])
    return " ".join(capsys.readouterr().out.split())


ASKED = "Which of these routes does Slack call?"
OPEN = "Missing authentication: unauthenticated callers can use the route"


@pytest.mark.parametrize(
    ("text", "name", "asked"),
    [
        (template(), "shop", False),
        (template(method="any"), "shop", False),
        (template(), "slack-shop", True),
        (template(description="Posts to Slack"), "shop", True),
        (template(variables="SLACK_SIGNING_SECRET: x"), "shop", True),
        (template(path="/slack/events"), "shop", True),
        (template(path="/callback"), "slack-shop", True),
        (template(method="any", path="/callback"), "slack-shop", False),
        (template(method="get"), "slack-shop", False),
        (template(method="get", variables="SLACK_SIGNING_SECRET_ARN: x"), "shop", False),
        (template(method="get", variables="SLACK_TOKEN: x"), "shop", True),
        (template(method="get", variables="SLACK_VERIFICATION_TOKEN: x"), "shop", True),
        (template(method="get", variables="SLACK_BOT_TOKEN: x"), "shop", False),
        (template(method="get", path="/oauth_redirect", variables="SLACK_TOKEN: x"), "shop", False),
        (template(method="delete"), "slack-shop", False),
    ],
)
def test_slack_is_asked_about_where_there_is_a_sign(
    text: str,
    name: str,
    asked: bool,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Without one a route that nothing authenticates is open, and a finding."""
    model = imported(tmp_path, text, name=name)
    assert ("caller: unknown" in model.read_text(encoding="utf-8")) == asked
    out = checked(model, capsys)
    assert (ASKED in out) == asked
    assert (OPEN in out) != asked


def test_the_name_of_the_repository_is_a_sign(tmp_path: Path) -> None:
    (tmp_path / "slack-app" / ".git").mkdir(parents=True)
    model = imported(tmp_path / "slack-app", template(), name="infrastructure")
    assert "caller: unknown" in model.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("route", "answer"),
    [
        ("/work", "slack: events, api: serverless-rest-api, path: /work"),
        ("/work", "slack: events, api: serverless-rest-api"),
        ("/{proxy+}", "slack: events, api: serverless-rest-api, path: /slack/events"),
        ("/hooks/{name}", "slack: events, api: serverless-rest-api, path: /hooks/slack"),
    ],
)
def test_an_answer_counts_without_a_sign(
    route: str, answer: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model = imported(tmp_path, template(path=route))
    written = model.read_text(encoding="utf-8")
    line = next(one for one in written.splitlines() if "{http: POST" in one)
    model.write_text(written.replace(line, f"    triggers: [{{{answer}}}]"), encoding="utf-8")
    out = checked(model, capsys)
    assert ASKED not in out
    assert OPEN not in out
    assert "drift" not in out


def test_an_answer_for_another_route_is_reported(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    model = imported(tmp_path, template(path="/slack/events"))
    written = model.read_text(encoding="utf-8")
    line = next(one for one in written.splitlines() if "{http: POST" in one)
    answer = "    triggers: [{slack: events, api: serverless-rest-api, path: /}]"
    model.write_text(written.replace(line, answer), encoding="utf-8")
    out = checked(model, capsys)
    assert "events through serverless-rest-api at /]" in out
    assert "POST through serverless-rest-api at /slack/events" in out


def test_an_unknown_caller_stays_a_question(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """An author who wrote that it is not known is asked, whatever the files show."""
    model = imported(tmp_path, template())
    written = model.read_text(encoding="utf-8").replace("path: /work}", "path: /work, caller: unknown}")
    model.write_text(written, encoding="utf-8")
    assert ASKED in checked(model, capsys)


def test_slack_is_asked_about_beside_another_method_of_the_same_path(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """What browsers GET says nothing of who POSTs to the same path, as where an app is installed and called."""
    both = template(path="/slack").replace(
        'Events: {Call: {Type: Api, Properties: {Path: "/slack", Method: post}}}',
        "Events: {Call: {Type: Api, Properties: {Path: /slack, Method: post}}, "
        "Install: {Type: Api, Properties: {Path: /slack, Method: get}}}",
    )
    model = imported(tmp_path, both)
    written = model.read_text(encoding="utf-8")
    assert "{http: GET, api: serverless-rest-api, path: /slack}" in written
    assert ASKED in checked(model, capsys)
    model.write_text(written.replace(", caller: unknown", ""), encoding="utf-8")
    assert ASKED not in checked(model, capsys)


CLIENT = "SLACK_CLIENT_ID: x, SLACK_CLIENT_SECRET: y, SLACK_REDIRECT_URI: 'https://app.example.net/done'"


@pytest.mark.parametrize(
    ("text", "installs"),
    [
        (template(method="get", variables=CLIENT), True),
        (template(method="any", variables="CLIENTID: x, APP_CLIENT_SECRET_ARN: y, CALLBACK_URL: z"), True),
        (template(method="post", variables=CLIENT), False),
        (template(method="get", variables="CLIENT_ID: x, CLIENT_SECRET: y"), False),
        (template(method="get", path="/slack/install", variables="CLIENT_ID: x, CLIENT_SECRET: y"), True),
        (template(method="get", path="/slack/install", variables="CLIENT_ID: x"), False),
        (template(method="get", variables="CLIENT_ID: x, REDIRECT_URI: y"), False),
    ],
)
def test_a_get_with_the_variables_of_an_oauth_client_is_an_installation(
    text: str, installs: bool, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model = imported(tmp_path, text)
    capsys.readouterr()
    main(["--json", "-m", str(model)])
    (worker,) = (one for one in json.loads(capsys.readouterr().out)["elements"] if one["id"] == "worker")
    said = {fact["fact"]: fact["value"] for fact in worker["facts"] if fact["known"]}
    assert said.get("handles_installation", False) is installs
    assert "app.example.net" not in model.read_text(encoding="utf-8")  # browsers are sent there, and it calls nothing


@pytest.mark.parametrize(
    ("variables", "policy", "claimed"),
    [
        ("TABLE: orders", "", True),
        ("SHARED_CLIENT_SECRET: y", "", False),
        ("A: b", "AWSSecretsManagerGetSecretValuePolicy: {SecretArn: !Ref Key}", False),
        ("A: !Ref B", "SNSPublishMessagePolicy: {TopicName: !GetAtt B.TopicName}", True),
    ],
)
def test_beside_an_installation_the_others_are_not_asked_about_it(
    variables: str, policy: str, claimed: bool, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """It is a claim, which the report names: a secret may be in the code."""
    other = template(method="get", path="/status", variables=variables).partition("Resources:\n")[2]
    text = template(method="get", variables=CLIENT) + other.replace("Worker:", "Status:").replace(
        "Handler: a.b", f"Handler: a.b\n      Policies: [{{{policy}}}]" if policy else "Handler: a.b"
    )
    text += "  Key: {Type: AWS::SecretsManager::Secret}\n  B: {Type: AWS::SNS::Topic}\n"
    model = imported(tmp_path, text)
    capsys.readouterr()
    main(["--json", "-m", str(model)])
    result = json.loads(capsys.readouterr().out)
    (status,) = (one for one in result["elements"] if one["id"] == "status")
    (fact,) = (one for one in status["facts"] if one["fact"] == "handles_installation") if claimed else ({},)
    assert (fact.get("value"), fact.get("relies_on")) == ((False, "statement") if claimed else (None, None))
    assert any(one["what"] == "status.handles_installation: false" for one in result["reliances"]) is claimed
    open_ = [one["id"] for one in result["findings"] if one["threat"] == "oauth-installation-csrf"]
    assert ("oauth-installation-csrf@status" in open_) is not claimed


@pytest.mark.parametrize(
    ("path", "method", "variables", "band"),
    [
        ("/slack/oauth_redirect", "get", CLIENT, "medium"),
        ("/slack/oauth_redirect", "get", "A: b", "high"),
        ("/admin", "get", CLIENT, "high"),
        ("/oauth", "post", CLIENT, "high"),
    ],
)
def test_a_route_that_an_installation_needs_is_open_by_design(
    path: str, method: str, variables: str, band: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model = imported(tmp_path, template(method=method, path=path, variables=variables))
    model.write_text(model.read_text(encoding="utf-8").replace(", caller: unknown", ""), encoding="utf-8")
    capsys.readouterr()
    main(["--json", "-m", str(model)])
    found = json.loads(capsys.readouterr().out)["findings"]
    (route,) = (one for one in found if one["id"] == "unauthenticated-route@worker")
    assert route["claimed"]["band"] == band


def test_a_question_about_variables_names_them(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    said = checked(imported(tmp_path, template(variables="ADMIN_PIN: '482913', LEVEL: info")), capsys)
    assert "variables that may hold a secret: ADMIN_PIN: a literal: its name indicates a secret" in said
    assert "482913" not in said
