"""Handlers as people write them, over packages from their registries: each loads and is proven what it does."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support import HOME
from threatmodel.command.main import main
from threatmodel.probe.result import Result, read
from threatmodel.render.probe import exit_code

pytestmark = [
    pytest.mark.long,
    pytest.mark.skipif(sys.platform == "win32", reason="handlers are not run on Windows"),
]

HANDLERS = Path(__file__).with_name("integrations")
NODE, NPM = shutil.which("node"), shutil.which("npm")
PYTHON_PACKAGES = [
    "slack-bolt",
    "slack-sdk",
    "aws-lambda-powertools",
    "mangum",
    "fastapi",
    "serverless-wsgi",
    "flask",
    "python-dotenv",
]
NODE_PACKAGES = [
    "@slack/bolt@4",
    "aws-serverless-express@3",
    "@codegenie/serverless-express@4",
    "express@4",
    "typescript@5",
]
WEAK = {
    "bolt_python": {"no-exception", "replay", "resent", "secrets-in-logs"},
    "dotenv_bolt_python": {"no-exception", "replay", "resent"},
    "slack_sdk_python": {"no-exception", "replay", "resent"},
    "powertools_python": {"no-exception", "replay", "resent"},
    "parameters_python": {"replay", "resent"},
    "mangum_python": {"no-exception", "replay", "resent"},
    "serverless_wsgi_python": {"no-exception", "replay", "resent"},
    "bolt_node": {
        "no-exception",
        "replay",
        "resent",
        "secrets-in-logs",
        "timestamp-301-seconds-ahead",
        "timestamp-much-ahead",
    },
    "express_node": {"replay", "resent", "secrets-in-answers"},
    "codegenie_node": {"no-exception", "replay", "resent", "secrets-in-answers"},
    "typescript_node": {"replay", "resent"},
    "plain_node": set(),
}
"""The required probes that each may fail, all of them for what is true of it: docs/probe.md says why."""
PYTHON = [name for name in WEAK if name.endswith("_python")]
NODES = [name for name in WEAK if name.endswith("_node")]
MODEL = "name: Bot\nfunctions:\n  bot:\n    triggers: [{slack: slash-command, api: door}]\napis:\n  door: {}\n"


def installed(command: list[str], folder: Path) -> Path:
    """A folder with packages from their registry; the test is skipped where that cannot be asked."""
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=folder)
    if done.returncode:
        pytest.skip(f"no registry: {done.stderr.strip().splitlines()[-1:]}")
    return folder


@pytest.fixture(scope="module")
def python_packages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("python")
    return installed([sys.executable, "-m", "pip", "install", "-q", "--target", str(folder), *PYTHON_PACKAGES], folder)


@pytest.fixture(scope="module")
def node_packages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if not NODE or not NPM:
        pytest.skip("Node.js and npm are not there")
    folder = tmp_path_factory.mktemp("node")
    return installed([NPM, "install", "--no-audit", "--no-fund", "--prefix", str(folder), *NODE_PACKAGES], folder)


def compiled(source: Path, packages: Path) -> str:
    """What the compiler of TypeScript makes of a handler."""
    compiler = packages / "node_modules" / ".bin" / "tsc"
    kinds = ["--noCheck", "--target", "es2022", "--module", "commonjs"]
    subprocess.run([str(compiler), *kinds, "--outDir", "bot", str(source)], check=True)
    made = Path("bot", f"{source.stem}.js")
    return str(made.rename("bot/app.js"))


def proven(name: str, packages: Path, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Result:
    """The result that the three commands of docs/probe.md leave in the model."""
    monkeypatch.chdir(folder)
    (folder / ".git").mkdir()
    (folder / "bot").mkdir()
    source = next(HANDLERS.glob(f"{name}.*"))  # those in Python are no modules of ours: .py.txt
    target = f"bot/app{source.suffixes[0]}"
    if source.suffix == ".ts":
        target = compiled(source, packages)
    else:
        shutil.copy(source, target)
    Path("model.yaml").write_text(MODEL, encoding="utf-8")
    assert main(["probe", target, "--init"]) == 0
    given = ["--env-file", "bot/probe.env", "--packages", str(packages), "--unconfined"]
    assert main(["probe", target, *given, "-m", "model.yaml", "--function", "bot"]) in {0, 1}
    assert main(["-m", "model.yaml", "--json"]) == 0
    return read(Path("bot/bot.probe.json").read_text(encoding="utf-8"), "bot.probe.json")


def check(name: str, result: Result) -> None:
    outcomes = {row.probe: row.outcome for row in result.rows}
    assert outcomes["genuine"] == "passed"
    assert result.decided["verifies_signature"] is True
    assert result.decided["verification_fails_closed"] is True
    assert result.decided["timestamp_tolerance_seconds"] == (None if name == "bolt_node" else 300)
    assert {row.probe for row in result.rows if row.level == "required" and row.outcome == "failed"} <= WEAK[name]
    undecided = [row.probe for row in result.rows if row.level == "required" and row.outcome == "undecided"]
    assert undecided == []
    assert (exit_code(result) == 0) is (name == "plain_node")


@pytest.mark.parametrize("name", PYTHON)
def test_python(name: str, python_packages: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    check(name, proven(name, python_packages, tmp_path, monkeypatch))


@pytest.mark.parametrize("name", NODES)
def test_node(name: str, node_packages: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    check(name, proven(name, node_packages, tmp_path, monkeypatch))


def test_every_integration_has_its_section() -> None:
    page = (HOME / "docs" / "probe.md").read_text(encoding="utf-8")
    for name in WEAK:
        _, found, section = page.partition(f"`tests/probe/integrations/{name}")
        assert found
        assert "tm.py probe bot/app." in section.partition("\n### ")[0]
