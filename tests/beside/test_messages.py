"""What a user reads of files beside a template that cannot be used, and of what they show beside facts."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from threatmodel.command.main import main

Golden = Callable[[str, str], None]
TEMPLATE = """\
Transform: AWS::Serverless-2016-10-31
Resources:
  Bot:
    Type: AWS::Serverless::Function
    Properties:
      Handler: app.handler
      Runtime: python3.13
      CodeUri: src
      Events: {Command: {Type: HttpApi, Properties: {Path: /slack/orders, Method: POST}}}
"""
MANIFEST = """\
{
  "display_information": {"name": "Shop"},
  "features": {"slash_commands": [
    {"command": "/refund", "url": "https://shop.example.com/slack/refund", "description": "Refund"}
  ]},
  "settings": {%s}
}
"""
BANDIT = json.dumps({
    "errors": [],
    "generated_at": "2026-11-20T10:00:00Z",
    "metrics": {"_totals": {"loc": 3}, "src/app.py": {"loc": 3}},
    "results": [
        {
            "filename": "src/app.py",
            "issue_confidence": "HIGH",
            "issue_severity": "LOW",
            "issue_text": "Consider possible security implications associated with the subprocess module.",
            "line_number": 1,
            "test_id": "B404",
        }
    ],
})  # fmt: skip
ACCOUNT = "arn:aws:cloudformation:eu-central-1:123456789012:stack"
STACKS = json.dumps(
    {
        "Stacks": [
            {
                "StackName": name,
                "StackId": f"{ACCOUNT}/{name}/1",
                "StackStatus": "CREATE_COMPLETE",
                "CreationTime": "2026-11-01T00:00:00Z",
                "Parameters": [],
            }
            for name in ("shop", "legacy")
        ]
    },
    indent=1,
)

UNUSABLE = {
    "not-a-manifest": ("slack", "manifest.json", '{"name": "shop"}\n'),
    "not-a-result": ("results", "results.json", '{"results"'),
    "not-a-state": ("state", "terraform.tfstate", '{"version"'),
    "not-an-answer": ("host", "host.txt", "HTTP/2.0 200 OK\nDate: Fri, 20 Nov 2026 10:00:00 GMT\n\n"),
}
NOTED = {
    "socket-mode": ("{slack: manifest.json}", "manifest.json", MANIFEST % '"socket_mode_enabled": true'),
    "unserved-url": ("{slack: manifest.json}", "manifest.json", MANIFEST % '"socket_mode_enabled": false'),
    "not-mapped": ("{results: bandit.json}", "bandit.json", BANDIT),
    "undescribed-stack": ("{template: template.yaml, parameters: stacks.json, stage: shop}", "stacks.json", STACKS),
}
DAY = ["--today", "2026-11-25"]


def model(folder: Path, entry: str, name: str, text: str) -> None:
    entries = [entry] if "template" in entry else ["{template: template.yaml}", entry]
    listed = "".join(f"  - {one}\n" for one in entries)
    (folder / "template.yaml").write_text(TEMPLATE, encoding="utf-8")
    (folder / name).write_text(text, encoding="utf-8")
    (folder / "threatmodel.yaml").write_text(f"name: Shop\nfunctions: {{bot: {{}}}}\nevidence:\n{listed}", "utf-8")


@pytest.mark.parametrize("code", UNUSABLE)
def test_a_file_that_cannot_be_used(
    code: str, tmp_path: Path, golden: Golden, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    key, name, text = UNUSABLE[code]
    model(tmp_path, f"{{{key}: {name}}}", name, text)
    monkeypatch.chdir(tmp_path)
    assert main(["check", *DAY]) == 2
    golden(f"bad-input/{code}.txt", capsys.readouterr().err)


@pytest.mark.parametrize("code", NOTED)
def test_what_a_file_shows_beside_facts(
    code: str, tmp_path: Path, golden: Golden, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    model(tmp_path, *NOTED[code])
    monkeypatch.chdir(tmp_path)
    assert main(["--json", *DAY]) == 0
    read = json.loads(capsys.readouterr().out)["evidence"]
    notes = [
        f"{note['location']['file']}:{note['location']['line']}: {note['code']}: {note['message']}\n"
        for one in read
        for note in one["notes"]
        if note["code"] == code
    ]
    golden(f"bad-input/{code}.txt", "".join(notes))
    assert re.match(r"\S+:\d+: ", "".join(notes))


def test_a_report_on_paper_without_a_browser(
    tmp_path: Path, golden: Golden, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    model(tmp_path, "{template: template.yaml}", "unused.txt", "")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("TM_BROWSER", raising=False)
    assert main(["--report", "pdf", "-o", "report.pdf", *DAY]) == 2
    golden("bad-input/cannot-print.txt", capsys.readouterr().err)
