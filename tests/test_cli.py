"""The command line, as a person uses it."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path

import jsonschema
import pytest

from tests.support import HOME
from threatmodel.cli import main
from threatmodel.model.vocabulary import KINDS

TODAY = ("--today", "2026-11-25")
Golden = Callable[[str, str], None]


def tm(*arguments: str, folder: Path = HOME, text: bool = True) -> subprocess.CompletedProcess[str]:
    """tm.py as a process of its own."""
    command = [sys.executable, str(HOME / "tm.py"), *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=text, check=False)


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("report.md", ["--report"]),
        ("dfd.dot", ["--dfd"]),
        ("dfd-deployment.dot", ["--dfd", "--view", "deployment"]),
        ("dfd-identity.dot", ["--dfd", "--view", "identity"]),
        ("dfd-focus.dot", ["--dfd", "--focus", "order-bot"]),
        ("dfd-colormap.dot", ["--dfd", "--colormap"]),
        ("sequence.puml", ["--seq"]),
        ("sequence.mmd", ["--seq", "mermaid"]),
        ("list.txt", ["--list"]),
        ("assessment.json", ["--json"]),
        ("describe-function.txt", ["--describe", "function"]),
        ("check.txt", ["check"]),
        ("pytm.py.txt", ["--pytm"]),
        ("help.txt", ["--help"]),
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
    monkeypatch.setenv("COLUMNS", "100")
    if "--help" in arguments:
        with pytest.raises(SystemExit):
            main(arguments)
    else:
        main([*arguments, *TODAY])
    golden(f"cli/{name}", capsysbinary.readouterr().out.decode())


def test_the_default_model_is_found_from_any_folder(tmp_path: Path) -> None:
    assert tm("--dfd", folder=tmp_path).stdout == tm("--dfd").stdout


def test_json_keeps_its_contract(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--json", *TODAY]) == 0
    schema = json.loads((HOME / "threatmodel/render/assessment.schema.json").read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.validate(json.loads(capsys.readouterr().out), schema, format_checker=jsonschema.FormatChecker())


def test_json_to_a_file(tmp_path: Path) -> None:
    target = tmp_path / "assessment.json"
    assert main(["--json", str(target), *TODAY]) == 0
    assert json.loads(target.read_text(encoding="utf-8"))["schema_version"] == "1.0"
    assert list(tmp_path.iterdir()) == [target]


@pytest.mark.parametrize("ending", ["svg", "png", "dot"])
def test_dfd_to_a_file(tmp_path: Path, ending: str) -> None:
    target = tmp_path / f"dfd.{ending}"
    assert main(["--dfd", "-o", str(target)]) == 0
    start = {"svg": b"<", "png": b"\x89PNG", "dot": b"digraph"}[ending]
    assert start in target.read_bytes()[:200]


def test_one_picture_a_function(tmp_path: Path) -> None:
    assert main(["--dfd", "-o", f"{tmp_path}/album/"]) == 0
    assert {path.name for path in (tmp_path / "album").iterdir()} == {
        "overview.svg",
        "order-bot.svg",
        "order-worker.svg",
    }


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_is_described(kind: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--describe", kind.upper()]) == 0
    assert capsys.readouterr().out.startswith(f"{kind}: facts")


def test_an_excluded_threat_is_named_in_the_report(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--report", "--exclude", "api-flood", *TODAY]) == 0
    assert "api-flood" in capsys.readouterr().out


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


def test_a_pipe_that_closes_early_is_no_error() -> None:
    command = f"'{sys.executable}' tm.py --json | head -c 10"
    result = subprocess.run(["bash", "-c", command], cwd=HOME, capture_output=True, text=True, check=False)
    assert result.stderr == ""


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
def test_a_full_disk_is_a_clear_error() -> None:
    result = subprocess.run(
        ["bash", "-c", f"'{sys.executable}' tm.py --list > /dev/full"],
        cwd=HOME,
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 2
    assert "cannot be written" in result.stderr
    assert "Traceback" not in result.stderr


def test_summary_writes_three_files_and_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["summary", "--out", str(tmp_path / "build"), *TODAY]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 14
    assert {path.name for path in (tmp_path / "build").iterdir()} == {"report.html", "report.md", "dfd.svg"}


def test_five_lines_add_a_function(tmp_path: Path) -> None:
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
    path.write_text(model.replace("\naccepted_risks:", five + "\naccepted_risks:"), encoding="utf-8")
    before = json.loads(tm("--json", *TODAY).stdout)
    after = json.loads(tm("--json", "-m", str(path), *TODAY).stdout)
    new = {flow["id"] for flow in after["flows"]} - {flow["id"] for flow in before["flows"]}
    assert {"slack-api:refund-bot:invoke", "refund-bot:orders:write", "refund-bot:slack-signing-secret:read"} <= new
    found = {finding["id"] for finding in after["findings"]} - {finding["id"] for finding in before["findings"]}
    assert "slack-request-forgery@refund-bot" in found
    assert any("refund-bot" in question["elements"] for question in after["questions"])


HOSTILE = (
    '"><script>alert(1)</script> & \\ | `x` **b** [l](javascript:alert(1))'
    "\n# h <!-- \u202e\u05d0 \U0001f600 ]] %% ; end"
)


def test_hostile_names_break_nothing(tmp_path: Path) -> None:
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
    html = tm("-m", str(model), "--report", "html").stdout
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
        result = tm("-m", str(model), *arguments)
        assert result.returncode in {0, 1}, result.stderr
        assert result.stderr == ""
        escaped_otherwise = arguments in (["--json"], ["--pytm"])  # by quotes
        assert escaped_otherwise or not re.search(r"(?<!\\)<script>", result.stdout)
    svg = (tmp_path / "x.svg").read_text(encoding="utf-8")
    assert "<script>" not in svg


def test_the_script_header_asks_for_what_the_project_needs() -> None:
    project = tomllib.loads((HOME / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    lines = (HOME / "tm.py").read_text(encoding="utf-8").split("# ///")[1].splitlines()
    header = tomllib.loads("\n".join(line.removeprefix("# ") for line in lines[1:]))
    assert header["requires-python"] == project["requires-python"]
    assert sorted(header["dependencies"]) == sorted(need.replace(" ", "") for need in project["dependencies"])
