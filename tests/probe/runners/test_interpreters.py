"""Which interpreter runs a handler, and what is said where it is not that of the template's runtime."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import pytest

from tests.probe.running import replies, written
from threatmodel.probe.outside import outside
from threatmodel.probe.protocol import Call, Scenario
from threatmodel.probe.runners.dependencies import mapped_near
from threatmodel.probe.runners.interpreters import THIS, node_note, python_of
from threatmodel.probe.runners.lambdas import LambdaRunner
from threatmodel.probe.runners.target import runner_for

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="handlers are not run on Windows")

HERE = sys.version_info.minor
OTHERS = [f"python3.{minor}" for minor in range(11, 20) if minor != HERE]


def program(folder: Path, runtime: str, says: str) -> Path:
    file = written(folder, f"#!/bin/sh\nprintf '{says}'\n", runtime)
    file.chmod(0o755)
    return file


def test_the_python_of_the_runtime_is_found_on_the_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = written(tmp_path, "", "real")
    program(tmp_path / "wrong", "python3.77", f"76\\n{real}\\n/lib")
    program(tmp_path / "gone", "python3.77", f"77\\n{tmp_path}/no\\n/lib")
    program(tmp_path / "right", "python3.77", f"77\\n{real}\\n/lib")
    monkeypatch.chdir(tmp_path / "right")
    folders = [tmp_path / name for name in ("none", "wrong", "gone")]
    monkeypatch.setenv("PATH", ":".join(map(str, [*folders, ".", ""])))
    message = (
        f"the template's runtime is python3.77, and it was run with python3.{HERE}; how it behaves with python3.77"
    )
    assert python_of("python3.77") == (sys.executable, f"{message} was not tried", "")
    monkeypatch.setenv("PATH", ":".join(map(str, [*folders, tmp_path / "right"])))
    found = python_of("python3.77")
    assert found == (str(real), f"it was run with {real}, since the template's runtime is python3.77", "/lib")
    assert python_of("python3.77", [Path("/x/lib/python3.77/site-packages")]) == found
    assert python_of("python3.77", [Path("/x/lib/python3.76/site-packages")]).program == sys.executable


@pytest.mark.parametrize("runtime", ["", "nodejs22.x", f"python3.{HERE}", "python3.1/../../x", "provided.al2023"])
def test_what_is_no_other_python_is_run_with_this_one(runtime: str) -> None:
    assert python_of(runtime) is THIS


def test_an_older_python_than_the_probe_can_use_is_named() -> None:
    assert "how it behaves with python3.9 was not tried" in python_of("python3.9").note


def test_another_node_is_named() -> None:
    assert node_note("nodejs22.x", 22) == node_note("", 20) == ""
    assert node_note("nodejs22.x", 20).startswith(
        "the template's runtime is nodejs22.x, and it was run with Node.js 20;"
    )


@pytest.mark.slow
def test_a_handler_is_run_with_the_python_of_its_template(tmp_path: Path) -> None:
    runtime = next((one for one in OTHERS if shutil.which(one) and python_of(one).program != sys.executable), None)
    if runtime is None:
        pytest.skip("needs another Python")
    answer = "{'statusCode': 200, 'body': str(sys.version_info[1])}"
    text = f"import sys, json, email\ndef handler(event, context): return {answer}\n"
    file = written(tmp_path, text)
    properties = f"{{Handler: app.handler, CodeUri: ., Runtime: {runtime}}}"
    written(
        tmp_path, f"Resources: {{F: {{Type: AWS::Serverless::Function, Properties: {properties}}}}}", "template.yaml"
    )
    assert [reply.body for reply in replies(file)] == [runtime.partition(".")[2]]
    runner = runner_for(str(file))
    assert isinstance(runner, LambdaRunner)
    assert runtime in runner.interpreter.note
    runner.run(Scenario(name="test", calls=(Call(event={}),), secret="s3cret"))
    assert outside(tmp_path, runner.files_read, runner.interpreter.library) == {}


def test_methods_with_a_mapping_template_are_named(tmp_path: Path) -> None:
    file = written(tmp_path, "def handler(event, context): ...\n")
    mapped = "{Integration: {Type: AWS, RequestTemplates: {application/json: '{}'}}}"
    passed = "{Integration: {Type: AWS_PROXY}}"
    kind = "{Type: AWS::ApiGateway::Method, Properties: %s}"
    written(tmp_path, f"Resources: {{Mapped: {kind % mapped}, Passed: {kind % passed}}}", "template.yaml")
    assert mapped_near(file) == ("Mapped",)
