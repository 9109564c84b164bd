"""Code that a template has inline is looked at as any other source, and what it shows has the template's line."""

from __future__ import annotations

import json
import textwrap
from pathlib import Path

import pytest

from tests.beside.project import assessed, open_of, read_of, said_of
from threatmodel.command.main import main

Printed = pytest.CaptureFixture[str]
TOKEN = "xoxb-" + "123456789012-AbCdEfGhIjKlMnOpQrStUvWx"
LOGS = """\
def handler(event, context):
    print(event)
    return {"statusCode": 200}
"""
TEMPLATE = """\
Transform: AWS::Serverless-2016-10-31
Parameters: {{Level: {{Type: String, Default: INFO}}}}
Resources:
  Table: {{Type: AWS::DynamoDB::Table}}
  Bot:
    Type: {type}
    Properties:
      Handler: {handler}
      Runtime: {runtime}
{code}
  Url:
    Type: AWS::Lambda::Url
    Properties: {{TargetFunctionArn: !Ref Bot, AuthType: NONE}}
"""
AT = 10
"""The line of the property with the code."""


def model(
    folder: Path, capsys: Printed, code: str, handler: str = "index.handler", runtime: str = "python3.13"
) -> Path:
    """The model that `tm import` makes of a folder with this template."""
    (folder / ".git").mkdir()
    kind = "AWS::Serverless::Function" if "InlineCode" in code else "AWS::Lambda::Function"
    text = TEMPLATE.format(type=kind, handler=handler, runtime=runtime, code=textwrap.indent(code, " " * 6))
    (folder / "template.yaml").write_text(text, encoding="utf-8")
    assert main(["import", str(folder), "-o", str(folder / "model.yaml")]) == 0
    capsys.readouterr()
    return folder / "model.yaml"


def block(head: str, code: str, by: int = 2) -> str:
    return f"{head}\n{textwrap.indent(code, ' ' * by)}"


JOIN = ", ".join(json.dumps(line) for line in LOGS.splitlines())
LISTED = "".join(f"  - {json.dumps(line)}\n" for line in LOGS.splitlines())
FORMS = {
    "a block": (block("InlineCode: |", LOGS), 1, 2),
    "a block of CloudFormation": (block("Code:\n  ZipFile: |", LOGS, 4), 2, 3),
    "a block with lines before it": (block("InlineCode: |", f"\nimport os\n\n{LOGS}"), 4, 5),
    "with names of resources in it": (block("InlineCode: !Sub |", "T = '${Table} ${AWS::Region}'\n" + LOGS), 2, 3),
    "with names in the long form": (block("InlineCode:\n  Fn::Sub: |", LOGS, 4), 2, 3),
    "one line": (f"InlineCode: {json.dumps(LOGS)}", 0, 0),
    "lines that are joined": (f"InlineCode: !Join ['\\n', [{JOIN}]]".replace("'\\n'", '"\\n"'), 0, 0),
    "a line each that are joined": (f'InlineCode:\n  Fn::Join:\n  - "\\n"\n  -\n{textwrap.indent(LISTED, "  ")}', 4, 5),
}


@pytest.mark.parametrize("form", FORMS)
def test_what_inline_code_shows_has_the_line_of_the_template(
    form: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Printed
) -> None:
    code, handler, logs = FORMS[form]
    whole = assessed(model(tmp_path, capsys, code), monkeypatch, capsys)
    said = said_of(whole)
    assert said["verifies_signature"] == (False, "evidence", f"template.yaml:{AT + handler}")
    assert said["logs_redacted"] == (False, "evidence", f"template.yaml:{AT + logs}")
    assert read_of(whole)["elements"] == {"bot": "index.py:handler"}


def test_inline_code_of_node(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Printed) -> None:
    code = "exports.handler = async (event) => {\n  console.log(event);\n};\n"
    found = model(tmp_path, capsys, block("InlineCode: |", code), runtime="nodejs22.x")
    assert said_of(assessed(found, monkeypatch, capsys))["logs_redacted"][2] == f"template.yaml:{AT + 2}"


@pytest.mark.parametrize(
    ("code", "handler", "runtime", "why"),
    [
        (
            block("InlineCode: !Sub |", f"L = '${{Level}}'\n{LOGS}"),
            "index.handler",
            "python3.13",
            "a part of the inline code is given by a parameter, or known only when it is deployed",
        ),
        (
            "InlineCode: !ImportValue code",
            "index.handler",
            "python3.13",
            "the inline code is unknown: it is imported from another stack as 'code'",
        ),
        (
            block("InlineCode: |", LOGS),
            "app.handler",
            "python3.13",
            "'app.handler' is not in the inline code, which Lambda saves as index.py; name it index.<function>",
        ),
        (
            block("InlineCode: |", "def handler(event:, context:) = 1\n"),
            "index.handler",
            "ruby3.4",
            "inline code of 'ruby3.4' is not read; state what the handler does, or probe it",
        ),
    ],
)
def test_inline_code_that_is_not_read_is_open(
    code: str,
    handler: str,
    runtime: str,
    why: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: Printed,
) -> None:
    whole = assessed(model(tmp_path, capsys, code, handler, runtime), monkeypatch, capsys)
    assert "verifies_signature" not in said_of(whole)
    assert open_of(whole)["verifies_signature"][0] == why


def test_a_handler_of_another_name_is_looked_for_in_the_repository(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Printed
) -> None:
    """Code that the template has inline is replaced later where it has no module of the handler's name."""
    (tmp_path / "lambda").mkdir()
    (tmp_path / "lambda/app.py").write_text(LOGS, encoding="utf-8")
    found = model(tmp_path, capsys, block("InlineCode: |", "def handler(event, context): ...\n"), handler="app.handler")
    assert said_of(assessed(found, monkeypatch, capsys))["logs_redacted"][2] == "lambda/app.py:2"


def test_a_secret_in_inline_code_is_a_finding_and_is_shown_nowhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Printed
) -> None:
    found = model(tmp_path, capsys, block("InlineCode: |", f'import os\nTOKEN = "{TOKEN}"\n{LOGS}'))
    whole = assessed(found, monkeypatch, capsys)
    lines = [note["location"]["line"] for note in read_of(whole)["notes"] if note["code"] == "visible-secret"]
    assert lines == [AT + 2]
    monkeypatch.chdir(tmp_path)
    shown = json.dumps(whole) + found.read_text(encoding="utf-8")
    asked = (
        ["check", "-v"],
        ["ask", "--json"],
        ["--report", "full"],
        ["--report", "html"],
        ["check", "--format", "sarif"],
    )
    for one in asked:
        main(["-m", found.name, *one])
        shown += "".join(capsys.readouterr())
    assert TOKEN.rpartition("-")[2] not in shown


def test_inline_code_is_not_probed_and_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Printed
) -> None:
    model(tmp_path, capsys, block("InlineCode: |", LOGS)).unlink()
    monkeypatch.chdir(tmp_path)
    assert main(["import", ".", "-o", "model.yaml", "--probe"]) == 0
    why = "note: bot was not probed: its code is inline; save it as a file, and probe that\n"
    assert why in capsys.readouterr().err


def test_a_folder_is_told_that_the_code_is_inline(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Printed
) -> None:
    found = model(tmp_path, capsys, block("InlineCode: |", LOGS))
    text = found.read_text(encoding="utf-8")
    found.write_text(text.replace("{code: template.yaml}", "{code: .}"), encoding="utf-8")
    why = "the template contains the code inline; name the template under code, too"
    assert open_of(assessed(found, monkeypatch, capsys))["verifies_signature"] == (why, "template.yaml:5")


def plan(source: dict[str, object]) -> str:
    """A plan of a function whose archive is made as this says."""
    names = {"mode": "managed", "type": "aws_lambda_function", "name": "bot"}
    values = {"function_name": "bot", "handler": "app.handler", "runtime": "python3.13", "filename": "./bot.zip"}
    archive = {"mode": "data", "type": "archive_file", "name": "bot", "address": "data.archive_file.bot"}
    bot = {**names, "address": "aws_lambda_function.bot"}
    url = {**names, "type": "aws_lambda_function_url", "address": "aws_lambda_function_url.bot"}
    public = {"function_name": "bot", "authorization_type": "NONE"}
    change = {"actions": ["create"], "before": None, "after": values, "after_unknown": {}}
    looked_up = {**archive, "values": {"type": "zip", "output_path": "./bot.zip", **source}}
    return json.dumps(
        {
            "format_version": "1.2",
            "planned_values": {"root_module": {"resources": [{**bot, "values": values}, {**url, "values": public}]}},
            "resource_changes": [{**bot, "change": change}],
            "prior_state": {"values": {"root_module": {"resources": [looked_up]}}},
        }
    )


ARCHIVES: dict[str, tuple[dict[str, object], str]] = {
    "a text": ({"source_content": LOGS, "source_content_filename": "app.py"}, "app.py:2"),
    "several texts": (
        {
            "source": [
                {"filename": "app.py", "content": "from lib import handler\n"},
                {"filename": "lib.py", "content": f"import os\n{LOGS}"},
            ]
        },
        "lib.py:3",
    ),
    "a folder": ({"source_dir": "src", "source_content": LOGS, "source_content_filename": "app.py"}, ""),
}


@pytest.mark.parametrize("archive", ARCHIVES)
def test_texts_that_a_plan_puts_into_an_archive_are_looked_at(
    archive: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Printed
) -> None:
    source, at = ARCHIVES[archive]
    (tmp_path / ".git").mkdir()
    (tmp_path / "plan.json").write_text(plan(source), encoding="utf-8")
    assert main(["import", str(tmp_path), "-o", str(tmp_path / "model.yaml")]) == 0
    capsys.readouterr()
    monkeypatch.chdir(tmp_path)
    main(["-m", "model.yaml", "--report"])
    out = " ".join(capsys.readouterr().out.split())
    assert ("logs_redacted: false" in out) == bool(at)
    assert (f"plan.json: data.archive_file.bot: {at}" in out) == bool(at)
