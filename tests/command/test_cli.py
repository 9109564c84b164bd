"""The command line, as a person uses it."""

from __future__ import annotations

import json
import re
import shutil
import tomllib
from collections.abc import Callable
from pathlib import Path

import jsonschema
import pytest

from tests.support import HOME
from threatmodel.command.arguments import READS_NO_MODEL
from threatmodel.command.main import main
from threatmodel.command.table import parser
from threatmodel.model.vocabulary import KINDS

TODAY = ("--today", "2026-11-30")  # after the day of the saved probe
Golden = Callable[[str, str], None]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("report.md", ["--report"]),
        ("dfd.dot", ["--dfd"]),
        ("dfd-deployment.dot", ["--dfd", "--view", "deployment"]),
        ("dfd-identity.dot", ["--dfd", "--view", "identity"]),
        ("dfd-focus.dot", ["--dfd", "--focus", "order-bot"]),
        ("dfd-colormap.dot", ["--dfd", "--colormap"]),
        ("dfd.mmd", ["--dfd", "mermaid"]),
        ("sequence.puml", ["--seq"]),
        ("sequence.mmd", ["--seq", "mermaid"]),
        ("list.txt", ["--list"]),
        ("assessment.json", ["--json"]),
        ("describe-function.txt", ["--describe", "function"]),
        ("check.txt", ["check"]),
        ("check-lines.txt", ["check", "-v", "--fail-on", "medium"]),
        ("pytm.py.txt", ["--pytm"]),
    ],
)
def test_output(
    name: str,
    arguments: list[str],
    golden: Golden,
    capsysbinary: pytest.CaptureFixture[bytes],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(HOME)
    main([*arguments, *TODAY])
    golden(f"cli/{name}", capsysbinary.readouterr().out.decode())


@pytest.mark.parametrize("name", sorted(READS_NO_MODEL))
def test_a_model_for_a_command_that_reads_none_is_an_error(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    rest = {"migrate": "x.yaml", "schema": "model", "completion": "bash", "import": "template.yaml"}.get(name)
    with pytest.raises(SystemExit) as stopped:
        main(["-m", "x.yaml", name, *([rest] if rest else [])])
    assert (stopped.value.code, f"{name} reads no model; leave -m out" in capsys.readouterr().err) == (2, True)


def test_help_names_every_option_and_command(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(["--help"])
    said = capsys.readouterr().out
    actions = parser()._actions  # noqa: SLF001 - argparse lists them nowhere else
    commands = [name for action in actions if action.dest == "command" for name in action.choices or ()]
    options = [option for action in actions for option in action.option_strings]
    assert stopped.value.code == 0
    assert {"check", "summary", "--report", "-m", "-o"} <= {*commands, *options}
    for name in (*commands, *options):
        assert re.search(rf"(^|[\s,\[]){re.escape(name)}\b", said, re.MULTILINE), name


@pytest.mark.slow
def test_json_keeps_its_contract(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--json", *TODAY]) == 0
    schema = json.loads((HOME / "threatmodel/render/assessment.schema.json").read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.validate(json.loads(capsys.readouterr().out), schema, format_checker=jsonschema.FormatChecker())


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_is_described(kind: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--describe", kind.upper()]) == 0
    assert capsys.readouterr().out.startswith(f"{kind}: facts")


@pytest.mark.slow
def test_an_excluded_threat_is_named_in_the_report(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--report", "--exclude", "api-flood", *TODAY]) == 0
    assert "api-flood" in capsys.readouterr().out


@pytest.mark.slow
@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["check"], 0),
        (["check", "--fail-on", "medium"], 1),
        (["check", "--fail-on", "medium", "--allow-undetermined"], 1),
        (["check", "--fail-on", "critical", "--allow-undetermined"], 0),
        (["--report"], 0),
        (["-m", "nowhere.yaml", "check"], 2),
        (["check", "-m", "nowhere.yaml"], 2),
    ],
)
def test_exit_code(arguments: list[str], code: int, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*arguments, *TODAY]) == code
    capsys.readouterr()


@pytest.mark.parametrize("option", ["--report", "--json", "--describe", "--focus", "-o", "-m"])
def test_an_empty_value_is_a_usage_error(option: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        main([option, ""])
    assert stopped.value.code == 2
    assert "the value is empty; give one" in capsys.readouterr().err


def test_json_escapes_what_cannot_be_seen(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    name = "a\u202eb\u200bc\x85d\U000e0041é"
    text = 'name: "a\\u202eb\\u200bc\\x85d\\U000e0041é"\nfunctions: {bot: {}}\n'
    (tmp_path / "model.yaml").write_text(text, encoding="utf-8")
    assert main(["-m", str(tmp_path / "model.yaml"), "--json"]) == 0
    said = capsys.readouterr().out
    assert r'"a\u202eb\u200bc\u0085d\udb40\udc41é"' in said
    assert json.loads(said)["model"]["name"] == name


@pytest.mark.slow
def test_list_leaves_excluded_threats_out(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--list"]) == 0
    every = [line.split()[0] for line in capsys.readouterr().out.splitlines()]
    assert main(["--list", "--exclude", f"{every[0]}, {every[2]}"]) == 0
    left = [line.split()[0] for line in capsys.readouterr().out.splitlines()]
    assert left == [every[1], *every[3:]]
    assert main(["--list", "--exclude", ",".join(every)]) == 0
    assert capsys.readouterr().out == ""


def test_list_knows_what_can_be_excluded(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--exclude", "nope", "--list"]) == 2
    assert "--exclude: unknown-threat: there is no threat 'nope'" in capsys.readouterr().err


@pytest.mark.slow
def test_five_lines_add_a_function(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    model = (HOME / "models" / "slack-lambda.yaml").read_text(encoding="utf-8")
    five = (
        "  refund-bot:\n"
        "    triggers: [{slack: slash-command, path: /slack/refund}]\n"
        "    reads: [orders]\n"
        "    writes: [orders]\n"
        "    secrets: [slack-signing-secret]\n"
    )
    (tmp_path / "platform.yaml").write_text(
        (HOME / "models" / "platform.yaml").read_text(encoding="utf-8"), encoding="utf-8"
    )
    path = tmp_path / "model.yaml"
    shutil.copytree(HOME / "examples", tmp_path / "examples")
    model = model.replace("../examples", "examples")
    path.write_text(model.replace("\naccepted_risks:", five + "\naccepted_risks:"), encoding="utf-8")
    assert main(["--json", *TODAY]) == 0
    before = json.loads(capsys.readouterr().out)
    assert main(["--json", "-m", str(path), *TODAY]) == 0
    after = json.loads(capsys.readouterr().out)
    new = {flow["id"] for flow in after["flows"]} - {flow["id"] for flow in before["flows"]}
    assert {"slack-api:refund-bot:invoke", "refund-bot:orders:write", "refund-bot:slack-signing-secret:read"} <= new
    found = {finding["id"] for finding in after["findings"]} - {finding["id"] for finding in before["findings"]}
    assert "slack-request-forgery@refund-bot" in found
    assert any("refund-bot" in question["elements"] for question in after["questions"])


HOSTILE = (
    '"><script>alert(1)</script> & \\ | `x` **b** [l](javascript:alert(1))'
    "\n# h <!-- \u202e\u05d0 \U0001f600 ]] %% ; end"
)


@pytest.mark.slow
def test_hostile_names_break_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    name = json.dumps(HOSTILE, ensure_ascii=False)
    text = f"""
name: {name}
owner: {name}
description: {name}
apis: {{api: {{kind: http, name: {name}}}}}
stores: {{orders: {{name: {name}, holds: [order]}}}}
data: {{order: {{name: {name}, classification: confidential}}}}
externals: {{billing: {{name: {name}}}}}
functions:
  bot: {{name: {name}, description: {name}, triggers: [{{slack: events}}], reads: [orders], calls: [billing]}}
account: {{name: {name}}}
"""
    model = tmp_path / "model.yaml"
    model.write_text(text, encoding="utf-8")
    main(["-m", str(model), "--report", "html"])
    html = capsys.readouterr().out
    assert "<script>alert" not in html
    assert "\u202e" not in html
    for arguments in (
        ["--dfd", "-o", str(tmp_path / "x.svg")],
        ["--seq"],
        ["--seq", "mermaid"],
        ["--report"],
        ["--json"],
        ["check"],
        ["--pytm"],
    ):
        code = main(["-m", str(model), *arguments])
        said = capsys.readouterr()
        assert (code in {0, 1}, said.err) == (True, "")
        escaped_otherwise = arguments in (["--json"], ["--pytm"], ["check"])  # by quotes; plain text
        assert escaped_otherwise or not re.search(r"(?<!\\)<script>", said.out)
    svg = (tmp_path / "x.svg").read_text(encoding="utf-8")
    assert "<script>" not in svg


def test_the_script_header_asks_for_what_the_project_needs() -> None:
    project = tomllib.loads((HOME / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    lines = (HOME / "tm.py").read_text(encoding="utf-8").split("# ///")[1].splitlines()
    header = tomllib.loads("\n".join(line.removeprefix("# ") for line in lines[1:]))
    assert header["requires-python"] == project["requires-python"]
    assert sorted(header["dependencies"]) == sorted(need.replace(" ", "") for need in project["dependencies"])
