"""The public interface: what docs/api.md shows runs, and the names are those that it promises."""

from __future__ import annotations

import ast
import datetime
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import threatmodel
from tests.support import HOME, TODAY
from threatmodel import Files, assess, load_library, load_model, render_dfd, render_json, render_sequence
from threatmodel.command.main import main
from threatmodel.reading.problems import escaped
from threatmodel.render.contract.assessment import contract

BLOCKS = re.findall(r"```python\n(.*?)```", (HOME / "docs" / "api.md").read_text(encoding="utf-8"), re.DOTALL)


@pytest.mark.slow
def test_the_page_runs(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(HOME)
    before = {path: path.stat().st_mtime_ns for path in HOME.glob("examples/slack-app/*")}
    names: dict[str, Any] = {}
    exec("\n".join(BLOCKS), names)  # noqa: S102 - the page's own code
    said = capsys.readouterr().out
    assert "  incident-runbook organization attested" in said
    assert "\n    verifies_signature True probe " in said
    assert "900 examples/slack-app/template.yaml:132:" in said
    assert "models/slack-lambda.yaml:2:1 unknown-key 'functoins' is not a key of a model" in said
    assert "above accepted level: low undetermined: " in said
    assert re.search(r"^slack-request-forgery@order-bot \w+ -> \w+$", said, re.MULTILINE)
    assert names["comment"].startswith("**Threat model**: ")
    assert "order-bot.reserved_concurrency" in [one.name for one in names["found"].parts["facts"]]
    assert names["report"].startswith("<!doctype html>")
    assert json.loads(names["contract"])["model"]["file"] == "models/slack-lambda.yaml"
    assert {path: path.stat().st_mtime_ns for path in HOME.glob("examples/slack-app/*")} == before


@pytest.mark.slow
def test_an_assessment_says_what_the_command_line_says(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.chdir(HOME)
    day = ("--today", TODAY.isoformat())
    model = load_model("models/slack-lambda.yaml", today=TODAY)
    assessment = assess(model, load_library(model), today=TODAY)

    main(["check", "--fail-on", "medium", "--format", "json", *day])
    (shown,) = json.loads(capsys.readouterr().out)["models"]
    results = assessment.check(threatmodel.Rules(fail_on="medium"))
    assert [one.name for one in results if one.fails] == [one["name"] for one in shown["results"] if one["fails"]]

    baseline = str(tmp_path / "known.json")
    assert main(["check", "--fail-on", "medium", "--baseline", baseline, "--write-baseline", *day]) == 0
    known = threatmodel.load_baseline(baseline, assessment)
    assert not [one for one in assessment.check(threatmodel.Rules(fail_on="medium"), known) if one.fails]

    main(["due", "--within", "90d", *day])
    said = capsys.readouterr().out
    assert all(one.name in said for one in assessment.due(90))

    main(["check", "--without", "slack-request-signing@order-bot", *day])
    said = capsys.readouterr().out
    lost = assessment.what_if(missing=["slack-request-signing@order-bot"])
    assert f"{sum(one.fails for one in lost.check())}" in said.splitlines()[-1]
    with pytest.raises(threatmodel.InputError):
        assessment.what_if(in_place=["no-such-control@order-bot"])


def test_every_public_name_is_there_for_a_person_and_for_a_type_checker() -> None:
    assert set(threatmodel.__all__) == {*threatmodel._HOME, "__version__"}  # noqa: SLF001 - held to what is shown
    for name in threatmodel.__all__:
        assert getattr(threatmodel, name) is not None
    tree = ast.parse(Path(threatmodel.__file__).read_text(encoding="utf-8"))
    imports = [node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and node.module]
    typed = {alias.name: node.module for node in imports for alias in node.names if node.module != "__future__"}
    ours = {name: module for name, module in typed.items() if str(module).startswith("threatmodel.")}
    assert ours == {name: f"threatmodel.{home}" for name, home in threatmodel._HOME.items()}  # noqa: SLF001 - the same
    assert (HOME / "threatmodel" / "py.typed").exists()
    with pytest.raises(AttributeError, match="nothing"):
        threatmodel.nothing  # noqa: B018 - raises


def test_importing_it_imports_little() -> None:
    code = "import sys, threatmodel; print(*(m for m in sys.modules if m.startswith(('threatmodel', 'yaml'))))"
    done = subprocess.run([sys.executable, "-c", code], cwd=HOME, capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["threatmodel"]


@pytest.mark.slow
def test_json_in_pieces_is_the_whole(tmp_path: Path) -> None:
    for model in (HOME / "models" / "slack-lambda.yaml", HOME / "docs" / "example.yaml"):
        found = load_model(model, today=TODAY)
        assessment = assess(found, load_library(found), today=TODAY)
        whole = escaped(json.dumps(contract(assessment), indent=1, ensure_ascii=False)) + "\n"
        assert "".join(render_json(assessment)) == whole
    assert list(tmp_path.iterdir()) == []


def test_a_model_that_is_only_a_text() -> None:
    text = "name: Shop\nlibrary: [own]\nevidence: [{template: t.yaml}]\nfunctions: {order-bot: {}}\n"
    template = (
        "Resources:\n  OrderBot:\n    Type: AWS::Lambda::Function\n"
        "    Properties: {Runtime: python3.13, Handler: a.b, Role: x, Code: {ZipFile: x}, Timeout: 7}\n"
    )
    files = Files(texts={"m.yaml": text, "t.yaml": template, "own/library.yaml": "name: Ours\n"})
    model = load_model("m.yaml", files, today=datetime.date(2026, 11, 25))
    assert model.elements["order-bot"].facts["timeout_seconds"].value == 7
    assert load_library(model, files=files).layers == ("own",)
    assert render_dfd(model).startswith("// Written by threatmodel\ndigraph")
    assert render_sequence(model, "mermaid").startswith("sequenceDiagram")
