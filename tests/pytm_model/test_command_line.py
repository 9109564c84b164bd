"""pytm's own command line works on the model."""

from __future__ import annotations

import json
import re
import runpy
import shutil
import subprocess
import sys
from contextlib import redirect_stderr, redirect_stdout
from io import StringIO
from pathlib import Path

import pytest
import pytm
import pytm.pytm

from tests.command.processes import interrupted
from tests.pytm_model.systems import FILES, MODEL
from tests.support import ARTICLE, HOME
from threatmodel.graph.elements import Graph
from threatmodel.library.entries import Library
from threatmodel.pytm_model.model import to_pytm
from threatmodel.render.draw import draw


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with a model and library of its own around the script."""
    home = tmp_path_factory.mktemp("project")
    (home / "threatmodel").symlink_to(HOME / "threatmodel")
    (home / "templates").symlink_to(HOME / "templates")
    (home / "models").mkdir()
    shutil.copy(HOME / "models" / "slack_lambda.py", home / "models")
    (home / "models" / "slack-lambda.yaml").write_text(MODEL, encoding="utf-8")
    for name, text in (("article.yaml", ARTICLE), *FILES):
        path = home / "threatlib" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return home


def run(project: Path, *arguments: str, code: int = 0) -> str:
    """What the script prints, run from another folder, in this process: a new one imports pytm for a second."""
    script = str(project / "models" / "slack_lambda.py")
    out, err = StringIO(), StringIO()
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(out), redirect_stderr(err):
        patch.chdir(project.parent)
        patch.setattr(sys, "argv", [script, *arguments])
        patch.setattr(sys, "path", list(sys.path))
        with pytest.raises(SystemExit) as ended:
            runpy.run_path(script, run_name="__main__")
    assert ended.value.code == code, err.getvalue()
    assert "Traceback" not in err.getvalue()
    return out.getvalue() if code == 0 else err.getvalue()


@pytest.mark.slow
def test_the_script_runs_by_itself(project: Path) -> None:
    command = [sys.executable, str(project / "models" / "slack_lambda.py"), "--list"]
    done = subprocess.run(command, cwd=project.parent, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, run(project, "--list"), "")


@pytest.mark.slow
@pytest.mark.parametrize("flags", [[], ["--colormap"], ["--levels", "0", "1"]], ids=str)
def test_dfd(project: Path, flags: list[str]) -> None:
    dot = run(project, "--dfd", *flags)
    assert b"bot" in draw(dot, "svg")
    assert ("Detection" in dot) is ("--levels" not in flags)


@pytest.mark.slow
def test_seq(project: Path) -> None:
    assert run(project, "--seq").startswith("@startuml\n")


@pytest.mark.slow
def test_list(project: Path) -> None:
    lines = run(project, "--list").splitlines()
    assert "forged - Something bad happens to forged" in lines
    assert len(lines) == 5


@pytest.mark.slow
def test_json(project: Path, tmp_path: Path) -> None:
    path = tmp_path / "out.json"
    assert run(project, "--json", str(path)) == ""
    data = json.loads(path.read_text(encoding="utf-8"))
    assert ("forged", "bot", "unproven") in {(f["threat_id"], f["target"], f["response"]) for f in data["findings"]}
    assert {"Lambda", "Server", "Datastore"} <= {each["__class__"] for each in data["elements"]}


@pytest.mark.slow
def test_json_to_a_folder_that_does_not_exist(project: Path, tmp_path: Path) -> None:
    assert "No such file" in run(project, "--json", str(tmp_path / "no" / "out.json"), code=2)


@pytest.mark.slow
def test_describe_lists_the_facts(project: Path) -> None:
    text = run(project, "--describe", "Lambda Datastore")
    assert re.search(r"^  reserved_concurrency +the concurrent executions", text, re.MULTILINE)
    assert "usesEnvironmentVariables" in text
    assert "store: " in text
    assert pytm.pytm._CLASS_REGISTRY["Lambda"] is pytm.Lambda  # noqa: SLF001 - what --describe looks up


@pytest.mark.slow
def test_exclude(project: Path, tmp_path: Path) -> None:
    path = tmp_path / "out.json"
    run(project, "--json", str(path), "--exclude", "forged,read")
    threats = {finding["threat_id"] for finding in json.loads(path.read_text(encoding="utf-8"))["findings"]}
    assert "anything" in threats
    assert not threats & {"forged", "read"}


@pytest.mark.slow
def test_report_leaves_out_what_is_excluded(project: Path) -> None:
    text = run(project, "--exclude", "forged", "--report", "md")
    assert "forged@bot" not in text
    assert re.search(r"excluded.*forged", text)
    assert "there is no threat 'nope'" in run(project, "--exclude", "nope", "--report", "md", code=2)


@pytest.mark.slow
def test_output_is_utf8_everywhere(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LC_ALL", "C")
    monkeypatch.setenv("PYTHONIOENCODING", "ascii")
    other = project.parent / "utf8"
    shutil.copytree(project, other, symlinks=True)
    (other / "models" / "slack-lambda.yaml").write_text(MODEL.replace("Orders", "Größe 📦"), encoding="utf-8")
    script = str(other / "models" / "slack_lambda.py")
    done = subprocess.run([sys.executable, script, "--report", "md"], capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (0, b"")
    assert "Größe" in done.stdout.decode()
    assert "forged" in done.stdout.decode()


@pytest.mark.slow
def test_json_does_not_replace_the_model(project: Path) -> None:
    model = project / "models" / "slack-lambda.yaml"
    assert "this run reads it" in run(project, "--json", str(model), code=2)
    assert model.read_text(encoding="utf-8") == MODEL


@pytest.mark.slow
def test_an_interrupt_ends_quietly(project: Path, tmp_path: Path) -> None:
    other = shutil.copytree(project, tmp_path / "waiting", symlinks=True)
    (other / "models" / "slack-lambda.yaml").unlink()
    pipe = other / "models" / "slack-lambda.yaml"
    assert interrupted(other / "models" / "slack_lambda.py", pipe, "--dfd") == (130, b"", b"")


def test_report_without_one_is_pytms_error(graph: Graph, library: Library) -> None:
    with pytest.raises(pytm.pytm.UIError) as raised:
        to_pytm(graph, library).report("x")
    assert "without a report" in str(raised.value.error)
    assert to_pytm(graph, library, report=str.upper).report("md") == "MD"


@pytest.mark.slow
def test_a_mistake_in_the_model_is_told_with_its_place(project: Path, tmp_path: Path) -> None:
    wrong = shutil.copytree(project, tmp_path / "wrong", symlinks=True)
    (wrong / "models" / "slack-lambda.yaml").write_text("name: x\nfunctons: {}\n", encoding="utf-8")
    message = run(wrong, "--dfd", code=2)
    assert "slack-lambda.yaml:2:1: unknown-key: 'functons'" in message
    assert "^^^" in message
