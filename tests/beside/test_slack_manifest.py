"""`slack:` under evidence: which routes a manifest names, what it states of the workspace, and what bad input gets."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.beside.places import Printed, assess, system, template
from threatmodel.command.main import main

HOST = "https://a1b2c3d4e5.execute-api.eu-west-1.amazonaws.com"


FORMS = {
    "manifest.yaml": """\
display_information: {name: Bot}
settings:
  event_subscriptions:
    request_url: https://<h>/slack/events
""",
    "manifest.json.tpl": """\
{"display_information": {"name": ${jsonencode(name)}},
%{ if events }
 "settings": {"event_subscriptions": {"request_url": "https://${host}/slack/events"}}
%{ endif }
}
""",
    "README.md": """\
# Bot
```sh
make
```
```yaml
display_information: {name: Bot}
settings:
  event_subscriptions:
    request_url: https://<h>/slack/events
```
""",
    "export.json": """\
{"ok": true, "manifest": {
 "display_information": {"name": "Bot"},
 "settings": {"event_subscriptions": {"request_url": "https://bot.acme.io/slack/events"}}}}
""",
}
"""One manifest in each form."""


def manifest(**urls: Any) -> str:
    """A manifest with a command at `command`, events at `events`, interactivity at `interactivity`, and settings."""
    settings: dict[str, Any] = dict(urls.get("settings", {}))
    features: dict[str, Any] = {}
    if "command" in urls:
        features["slash_commands"] = [{"command": "/order", "url": urls["command"], "description": "Order"}]
    if "events" in urls:
        settings["event_subscriptions"] = {"request_url": urls["events"], "bot_events": ["app_mention"]}
    if "interactivity" in urls:
        settings["interactivity"] = {"is_enabled": urls.get("enabled", True), "request_url": urls["interactivity"]}
    oauth = {"redirect_urls": urls["redirects"]} if "redirects" in urls else {}
    return json.dumps(
        {"display_information": {"name": "Bot"}, "features": features, "oauth_config": oauth, "settings": settings},
        indent=1,
    )


@pytest.mark.parametrize(
    ("routes", "address", "surface", "asked"),
    [
        # by path: the host, and a stage, are another one in each deployment
        (["POST /slack/events"], f"{HOST}/prod/slack/events", "events", False),
        (["POST /slack/events"], "https://<your-host>/slack/events", "events", False),
        (["POST /slack/events"], "https://bot.ngrok-free.app/slack/events", "events", False),
        (["POST /slack/events"], "${api_url}/slack/events", "events", False),
        (["POST /slack/events"], "https://bot.acme.io/slack/events?v=2", "events", False),
        (["POST /slack/{kind}"], f"{HOST}/slack/events", "events", False),
        (["ANY /{proxy+}"], "https://your endpoint/slack/events", "events", False),
        (["POST /"], f"{HOST}/prod", "events", False),
        (["POST /slack/events"], "https://fill.this.in", "events", False),
        (["POST /slack/events", "POST /{proxy+}"], "https://bot.acme.io/slack/events", "events", True),
        # a greedy route, where no other address is meant
        (["ANY /{proxy+}"], "https://<host>/slack/events", "events", False),
        (["ANY /{proxy+}"], "https://bot.acme.io/slack/events", "", True),
        # a placeholder without a path
        (["POST /slack/events"], "<function url>", "events", False),
        (["POST /slack/events", "GET /slack/install"], "<function url>", "events", False),
        (["POST /slack/events", "POST /slack/other"], "<function url>", "", True),
        (["POST /slack/events"], "https://hooks.other.io/", "", True),
        # no route, and routes that Slack cannot call
        (["POST /slack/events"], f"{HOST}/prod/slack/event", "", True),
        (["GET /slack/events", "POST /slack/x"], f"{HOST}/prod/slack/events", "", True),
    ],
)
def test_a_route_is_joined_by_its_path_and_then_not_asked(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: Printed,
    routes: list[str],
    address: str,
    surface: str,
    asked: bool,
) -> None:
    files = {"template.yaml": template(*routes), "slack-manifest.json": manifest(events=address)}
    found = assess(system(tmp_path, files, "{slack: slack-manifest.json}"), monkeypatch, capsys)
    assert (found.surfaces, bool(found.asked)) == ({surface} - {""}, asked)


def test_a_joined_route_shows_the_line_of_the_manifest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Printed
) -> None:
    text = manifest(command="https://<h>/slack/command", events="https://<h>/slack/events")
    files = {"template.yaml": template("POST /slack/command", "POST /slack/events"), "m.json": text}
    found = assess(system(tmp_path, files, "{slack: m.json}"), monkeypatch, capsys)
    lines = [number for number, line in enumerate(text.split("\n"), 1) if "<h>" in line]
    assert found.read("slack")["elements"] == {"bot": f"/order (line {lines[0]}), events (line {lines[1]})"}
    assert found.surfaces == {"slash-command", "events"}


def test_the_model_wins_where_it_states_another_caller(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Printed
) -> None:
    files = {"template.yaml": template("POST /hook"), "m.json": manifest(events="https://<h>/hook")}
    model = system(tmp_path, files, "{slack: m.json}")
    stated = "bot: {triggers: [{http: POST, api: api, path: /hook}]}"
    model.write_text(model.read_text(encoding="utf-8").replace("bot: {incomplete: [triggers]}", stated), "utf-8")
    assert assess(model, monkeypatch, capsys).surfaces == set()


@pytest.mark.parametrize("name", ["manifest.yaml", "manifest.json.tpl", "README.md", "export.json"])
def test_it_is_json_yaml_a_template_a_block_of_a_page_or_an_answer_of_slack(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Printed, name: str
) -> None:
    files = {"template.yaml": template("POST /slack/events", "POST /other"), name: FORMS[name]}
    found = assess(system(tmp_path, files, f"{{slack: {name}}}"), monkeypatch, capsys)
    assert found.surfaces == {"events"}


@pytest.mark.parametrize(
    ("expression", "surfaces"),
    [
        ('"${aws_apigatewayv2_api.bot.api_endpoint}/slack/events"', {"events"}),
        ('format("%s/slack/events", var.host)', {"events"}),
        ('var.own ? "https://bot.acme.io/slack/events" : "${var.api}/slack/events"', {"events"}),
        ('var.own ? "https://bot.acme.io/slack/other" : "${var.api}/slack/events"', set()),
        ("aws_apigatewayv2_api.bot.api_endpoint", set()),
    ],
)
def test_what_terraform_fills_in_has_the_path_that_it_writes_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Printed, expression: str, surfaces: set[str]
) -> None:
    given = f'{{\n    name = "Bot"\n    url = {expression}\n  }}'
    call = f'locals {{\n  m = templatefile("${{path.module}}/m.json.tpl", {given})\n}}\n'
    files = {
        "template.yaml": template("POST /slack/events", "POST /slack/other"),
        "infra/m.json.tpl": manifest(events="${url}"),
        "infra/main.tf": call,
    }
    assert assess(system(tmp_path, files, "{slack: infra/m.json.tpl}"), monkeypatch, capsys).surfaces == surfaces


BARE = (
    "display_information: {name: Bot}\nsettings:\n  socket_mode_enabled: false\n  interactivity: {is_enabled: false}\n"
)


@pytest.mark.parametrize(
    ("page", "routes", "surfaces"),
    [
        # one route that Slack can call, and a sentence about where its address goes
        ("In Slack, open Event Subscriptions. Put the invoke URL as the Request URL.", ["POST /hook"], {"events"}),
        ("1. Add a slash command in Slack\n2. Paste the link of the API", ["POST /h", "GET /h"], {"slash-command"}),
        ("Use the URL for Slack's slash commands and Interactivity.", ["POST /x"], {"slash-command", "interactivity"}),
        # a path, of several routes
        ("- Add a Slash Command in Slack\n  - Request URL: `https://{host}/slack/x`", ["POST /slack/x", "POST /y"],
         {"slash-command"}),
        # a manifest without addresses, and the sentence that has them
        (f"```yaml\n{BARE}```\nIn Slack, open Event Subscriptions, and put the URL.", ["POST /hook"], {"events"}),
        # all paths of one function are one route
        ("In Slack, open Event Subscriptions, and put the URL.", ["ANY /", "ANY /{proxy+}"], {"events"}),
        # several routes fit, and none is named
        ("In Slack, add a slash command. Paste the URL.", ["POST /a", "POST /b"], set()),
        # a path that no route has, another service, Socket Mode, no address, no Slack
        ("In Slack, add a slash command: `https://x.ngrok.io/other`.", ["POST /a"], set()),
        ("Slack is next. The Discord bot has slash commands, see its URL.", ["POST /a"], set()),
        ("Add a slash command in Slack. With Socket Mode no URL is needed.", ["POST /a"], set()),
        ("This Slack bot knows slash commands.", ["POST /a"], set()),
        ("Add a slash command. Paste the URL.", ["POST /a"], set()),
    ],
)  # fmt: skip
def test_a_readme_says_where_the_address_of_a_feature_is_put(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: Printed,
    page: str,
    routes: list[str],
    surfaces: set[str],
) -> None:
    (tmp_path / ".git").mkdir()
    (tmp_path / "template.yaml").write_text(template(*routes), encoding="utf-8")
    (tmp_path / "README.md").write_text(f"# Bot\n\n{page}\n", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    assert main(["import", ".", "-o", "model.yaml"]) == 0
    assert "the path" not in capsys.readouterr().err
    assert assess(tmp_path / "model.yaml", monkeypatch, capsys).surfaces == surfaces


def test_an_import_says_which_keys_of_a_manifest_are_not_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Printed
) -> None:
    (tmp_path / ".git").mkdir()
    (tmp_path / "template.yaml").write_text(template("POST /hook"), encoding="utf-8")
    text = '{"display_information": {"name": "x"}, "features": {},\n "features": {}, "setings": {}}\n'
    (tmp_path / "slack-manifest.json").write_text(text, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    assert main(["import", ".", "-o", "model.yaml"]) == 0
    said = capsys.readouterr().err
    assert "slack-manifest.json:2:2: 'features' is given twice; first on line 1\n" in said
    assert "slack-manifest.json:2:18: 'setings' is no key of a Slack manifest that is known; it is not read\n" in said


def test_what_no_route_serves_is_a_warning(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Printed) -> None:
    text = manifest(command="https://<h>/slack/refund", events="https://<h>/slack/events")
    files = {"template.yaml": template("POST /slack/events"), "m.json": text}
    model = system(tmp_path, files, "{slack: m.json}")
    assert [code for code, _ in assess(model, monkeypatch, capsys).notes("slack")] == ["unserved-url"]
    assert main(["check", "-v", "-m", model.name]) == 1
    warned = "warning: unserved-url: workspace: the command '/order' is sent to '/slack/refund', which is no route"
    assert warned in capsys.readouterr().out


def test_in_socket_mode_slack_calls_no_route(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Printed) -> None:
    text = manifest(events="https://<h>/slack/events", settings={"socket_mode_enabled": True})
    files = {"template.yaml": template("POST /slack/events"), "m.json": text}
    found = assess(system(tmp_path, files, "{slack: m.json}"), monkeypatch, capsys)
    assert found.surfaces == set()
    assert found.asked == ["bot"]
    assert [code for code, _ in found.notes("slack")] == ["socket-mode"]


def test_an_address_that_is_switched_off_is_not_called(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Printed
) -> None:
    text = manifest(interactivity="https://<h>/slack/events", enabled=False)
    files = {"template.yaml": template("POST /slack/events"), "m.json": text}
    assert assess(system(tmp_path, files, "{slack: m.json}"), monkeypatch, capsys).surfaces == set()


@pytest.mark.parametrize(
    ("exported", "rotation", "expected"),
    [
        (False, False, (False, "statement")),
        (False, True, (True, "statement")),
        (True, False, (False, "evidence")),
        (True, True, (True, "statement")),
    ],
)
def test_a_file_is_a_wish_and_an_answer_of_slack_shows_what_alarms(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: Printed,
    exported: bool,
    rotation: bool,
    expected: tuple[bool, str],
) -> None:
    text = manifest(events="https://<h>/e", settings={"token_rotation_enabled": rotation})
    text = f'{{"ok": true, "manifest": {text}}}' if exported else text
    files = {"template.yaml": template("POST /e"), "m.json": text}
    fact = assess(system(tmp_path, files, "{slack: m.json}"), monkeypatch, capsys).fact("workspace", "token_rotation")
    assert fact is not None
    assert (fact[0], fact[2]) == expected


@pytest.mark.parametrize(
    ("redirect", "expected"),
    [
        ("http://bot.acme.io/oauth", False),
        ("https://bot.ngrok.io/oauth", False),
        ("https://bot.acme.io/oauth", None),  # who controls the domain, no file shows
        ("https://<host>/oauth", None),
    ],
)
def test_a_redirect_url_can_only_be_shown_not_to_be_the_teams(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Printed, redirect: str, expected: bool | None
) -> None:
    files = {"template.yaml": template("POST /e"), "m.json": manifest(events="https://<h>/e", redirects=[redirect])}
    found = assess(system(tmp_path, files, "{slack: m.json}"), monkeypatch, capsys)
    fact = found.fact("workspace", "redirect_urls_own")
    assert (fact[0] if fact else None) == expected


@pytest.mark.parametrize(
    ("events", "expected"),
    [
        (["app_mention"], (False, "m.json:8", "statement")),
        (["app_mention", "tokens_revoked"], None),
        (["app_mention", "${more}"], None),
        ([], None),
    ],
)
def test_records_stay_where_slack_never_says_that_a_workspace_has_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Printed, events: list[str], expected: object
) -> None:
    subscribed = {"event_subscriptions": {"bot_events": events, "request_url": "https://<h>/e"}}
    files = {"template.yaml": template("POST /e"), "m.json": manifest(settings=subscribed)}
    model = system(tmp_path, files, "{slack: m.json}", stated="stores: {people: {kind: other}}\n")
    assert assess(model, monkeypatch, capsys).fact("people", "deleted_on_uninstall") == expected


@pytest.mark.parametrize(("ranges", "expected"), [(["203.0.113.0/24"], True), (["0.0.0.0/0"], False)])
def test_allowed_addresses_limit_the_tokens(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Printed, ranges: list[str], expected: bool
) -> None:
    text = manifest(events="https://<h>/e", settings={"allowed_ip_address_ranges": ranges})
    files = {"template.yaml": template("POST /e"), "m.json": text}
    fact = assess(system(tmp_path, files, "{slack: m.json}"), monkeypatch, capsys).fact(
        "workspace", "token_addresses_limited"
    )
    assert fact is not None
    assert (fact[0], fact[2]) == (expected, "statement")


def test_unknown_and_doubled_keys_are_said_and_not_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Printed
) -> None:
    text = (
        "display_information: {name: Bot}\nfeatures: {colour: red}\nsettings: {}\nsettings:\n"
        "  event_subscriptions: {request_url: 'https://<h>/e'}\n"
    )
    files = {"template.yaml": template("POST /e"), "m.yaml": text}
    found = assess(system(tmp_path, files, "{slack: m.yaml}"), monkeypatch, capsys)
    assert found.notes("slack") == [("duplicate-key", 4), ("unknown-key", 2)]
    assert found.surfaces == {"events"}


@pytest.mark.parametrize(
    ("name", "text", "code"),
    [
        ("m.json", '{"display_information": {"name": "Bot"}, "settings": {', "yaml-syntax"),
        ("m.json", '{"name": "an extension", "version": 3}', "not-a-manifest"),
        ("m.yaml", "a: &a [x, x]\nb: &b [*a, *a]\n" + "".join(
            f"{chr(99 + n)}: &{chr(99 + n)} [{', '.join([f'*{chr(98 + n)}'] * 9)}]\n" for n in range(9)
        ), "unsupported-yaml"),
        ("README.md", "# no block\n", "not-a-manifest"),
        ("m.yaml", "x" * 5_000_000, "file-too-large"),
    ],
)  # fmt: skip
def test_what_is_no_manifest_is_an_error_with_its_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Printed, name: str, text: str, code: str
) -> None:
    model = system(tmp_path, {"template.yaml": template("POST /e"), name: text}, f"{{slack: {name}}}")
    monkeypatch.chdir(tmp_path)
    assert main(["check", "-m", model.name]) == 2
    found = capsys.readouterr().err
    assert f"{name}:" in found
    assert f" {code}: " in found
