"""`tm import FOLDER` looks at what is beside the template: Slack's manifest, workflows and lock files."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.beside.places import Printed, assess, template
from threatmodel import Files, load_model
from threatmodel.command.main import main

MANIFEST = """\
display_information: {name: Bot}
features:
  slash_commands:
    - {command: /order, url: "https://<host>/slack/command", description: Order}
settings:
  event_subscriptions: {request_url: "https://<host>/slack/events"}
"""
WORKFLOW = """\
on: push
jobs:
  deploy:
    steps:
      - run: sam deploy
        env: {AWS_ACCESS_KEY_ID: "${{ secrets.KEY }}"}
"""
ROUTES = ("POST /slack/command", "POST /slack/events")


def repository(folder: Path, files: Mapping[str, str]) -> None:
    (folder / ".git").mkdir()
    for name, text in {"template.yaml": template(*ROUTES), **files}.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")


def imported(folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: Printed, path: str = ".") -> tuple[str, str]:
    """The model that `tm import` writes beside a folder's files, and what it says."""
    monkeypatch.chdir(folder)
    assert main(["import", path, "-o", "model.yaml"]) == 0
    return (folder / "model.yaml").read_text(encoding="utf-8"), capsys.readouterr().err


def test_it_names_what_it_finds_and_says_what_it_looked_at(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Printed
) -> None:
    files = {"app-manifest.yaml": MANIFEST, ".github/workflows/ci.yml": WORKFLOW, ".github/CODEOWNERS": "* @acme\n"}
    repository(tmp_path, files)
    text, said = imported(tmp_path, monkeypatch, capsys)
    assert "  - {slack: app-manifest.yaml}\n  - {repository: .}\n" in text
    assert said == (
        "looked at .: Slack app in app-manifest.yaml, 1 file of GitHub Actions, "
        "deploys at .github/workflows/ci.yml:5, .github/CODEOWNERS, no Dependabot or Renovate\n"
        "Slack calls /slack/command of bot for slash-command (app-manifest.yaml:4), "
        "/slack/events of bot for events (app-manifest.yaml:6)\n"
        ".: no source was found of the handlers of bot\n"
    )
    command = "{slack: slash-command, api: serverless-http-api, path: /slack/command}  # by app-manifest.yaml:4"
    assert command in text
    assert "caller: unknown" not in text
    found = assess(tmp_path / "model.yaml", monkeypatch, capsys)
    assert found.asked == []
    assert found.surfaces == {"slash-command", "events"}
    assert found.fact("pipeline", "auth") == ("static-keys", "ci.yml:6", "evidence, in doubt")


def test_a_template_in_a_folder_has_the_manifest_of_its_repository(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Printed
) -> None:
    repository(tmp_path, {"slack/app.json": '{"display_information": {"name": "Bot"}, "settings": {}}'})
    (tmp_path / "infra").mkdir()
    (tmp_path / "template.yaml").rename(tmp_path / "infra" / "template.yaml")
    text, _ = imported(tmp_path, monkeypatch, capsys, "infra")
    assert "  - {template: infra/template.yaml}\n  - {slack: slack/app.json}\n" in text


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("manifest.json", '{"manifest_version": 3, "name": "an extension"}'),  # of a browser's extension
        ("tests/slack-manifest.yaml", MANIFEST),
        ("slack_manifest.py", "display_information = settings = 1\n"),
        ("node_modules/bot/manifest.yaml", MANIFEST),
    ],
)
def test_what_is_no_manifest_of_this_app_is_not_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Printed, name: str, text: str
) -> None:
    repository(tmp_path, {name: text})
    text, said = imported(tmp_path, monkeypatch, capsys)
    assert "slack: " not in text.partition("apis:")[0]
    assert "no manifest of a Slack app" in said


def test_a_manifest_that_cannot_be_read_is_not_named_and_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Printed
) -> None:
    repository(tmp_path, {"manifest.yaml": MANIFEST + "  interactivity: [\n", ".github/workflows/a.yml": "jobs: ["})
    text, said = imported(tmp_path, monkeypatch, capsys)
    assert "slack: manifest" not in text
    assert "manifest.yaml:8:1: not read: " in said
    assert ".github/workflows/a.yml:2:1: not read: " in said


def test_a_get_beside_the_named_route_is_not_slacks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Printed
) -> None:
    repository(tmp_path, {"manifest.yaml": MANIFEST})
    routes = template("POST /slack/events", "GET /slack/events", "POST /slack/command")
    (tmp_path / "template.yaml").write_text(routes, encoding="utf-8")
    text, _ = imported(tmp_path, monkeypatch, capsys)
    assert text.count("slack: events") == 1
    assert "{http: GET, api: serverless-http-api, path: /slack/events}" in text
    graph = load_model(Path("model.yaml"), Files())
    requests = {(one.by, one.detail) for one in graph.lists["bot"]["triggers"].said.value}
    assert requests == {("slack", "events"), ("slack", "slash-command"), ("http", "GET")}


@pytest.mark.parametrize(
    ("folder", "other", "named"),
    [
        ("infra/aws", "slack-manifest.yaml", True),
        ("bot/infra", "bot/manifest.yaml", True),
        ("bot", "bot/slack/app.yaml", True),
        ("services/orders", "slack-manifest.yaml", False),
        ("services/orders", "services/bot/manifest.yaml", False),
        ("infra", "README.md", True),
        ("services/orders", "README.md", False),
        ("services/orders", "services/orders/README.md", True),
        (".", "services/bot/README.md", False),
    ],
)
def test_a_manifest_of_another_system_is_not_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Printed, folder: str, other: str, named: bool
) -> None:
    page = "# Bot\n\nIn Slack, open Event Subscriptions. Put the URL as the Request URL.\n"
    repository(tmp_path, {other: page if other.endswith("README.md") else MANIFEST})
    (tmp_path / folder).mkdir(parents=True, exist_ok=True)
    (tmp_path / "template.yaml").rename(tmp_path / folder / "template.yaml")
    text, said = imported(tmp_path, monkeypatch, capsys, folder)
    assert (f"{{slack: {other}}}" in text) == named
    assert ("not named, because it is not around" in said) == (not named and not other.endswith("README.md"))


def test_named_files_alone_are_imported_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Printed) -> None:
    repository(tmp_path, {"manifest.yaml": MANIFEST})
    text, said = imported(tmp_path, monkeypatch, capsys, "template.yaml")
    assert ("slack: manifest" in text, said) == (False, "")


def test_an_update_names_what_a_model_does_not_name_yet(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Printed
) -> None:
    repository(tmp_path, {})
    imported(tmp_path, monkeypatch, capsys)
    (tmp_path / "manifest.yaml").write_text(MANIFEST, encoding="utf-8")
    for _ in range(2):
        assert main(["import", ".", "--update", "model.yaml"]) == 0
    text = (tmp_path / "model.yaml").read_text(encoding="utf-8")
    assert text.count("{slack: manifest.yaml}") == 1
