"""`tm check --reprobe`: a saved result is a file, which a pull request can forge; a new run shows it."""

from __future__ import annotations

import json
import re
import shutil
import sys
from pathlib import Path

import pytest

from tests.command.test_diff import git
from tests.refusals import write
from tests.support import HOME
from threatmodel.command.main import main
from threatmodel.probe.folder import folder_digest
from threatmodel.probe.runners.confinement.look import look
from threatmodel.probe.runners.confinement.measures import WEIGHTY
from threatmodel.probe.runners.launching import Program

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform == "win32", reason="handlers are run on Linux and macOS"),
]

MODEL = """\
name: Shop
functions:
  order-bot:
    triggers: [{slack: slash-command, path: /slack/orders, api: slack-api}]
apis:
  slack-api: {}
evidence:
  - {template: app/template.yaml}
  - {probe: app/bot.probe.json, function: order-bot, free: [ALLOWED_COMMANDS, ALLOWED_IDS]}
"""
RESULT = Path("app/bot.probe.json")
CHECK = ["-m", "model.yaml", "check", "--fail-on", "critical", "--allow-undetermined"]


@pytest.fixture
def clone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository whose first commit names a result that was just made."""
    measures = look(Program(file=HOME / "examples" / "slack-app" / "app.py"))
    if [one for one in measures if one.name in WEIGHTY and not one.holds]:
        pytest.skip("handlers cannot be isolated here")
    monkeypatch.chdir(tmp_path)
    shutil.copytree(HOME / "examples" / "slack-app", "app")
    Path("app/order-bot.probe.json").unlink()
    write("model.yaml", MODEL)
    assert main(["probe", "app/app.py", "--env-file", "app/probe.env", "--json", "-o", str(RESULT)]) == 0
    git("init", "-q")
    git("add", "-A")
    git("commit", "-qm", "first")
    return tmp_path


def said(capsys: pytest.CaptureFixture[str], *more: str) -> tuple[int, str]:
    capsys.readouterr()
    code = main([*CHECK, *more])
    return code, capsys.readouterr().err


@pytest.mark.usefixtures("clone")
def test_a_forged_result_is_found_and_only_known_handlers_are_run(capsys: pytest.CaptureFixture[str]) -> None:
    usual, _ = said(capsys)
    code, told = said(capsys, "--reprobe", "HEAD")
    assert (code, "app/bot.probe.json: the same result" in told) == (usual, True)

    source = Path("app/app.py").read_text(encoding="utf-8")
    broken = source.replace("if hmac.compare_digest(", "if signature or hmac.compare_digest(", 1)
    assert broken != source
    write("app/app.py", broken)
    digest = f'"folder_sha256": "{folder_digest(Path("app"))}"'
    write(str(RESULT), re.sub(r'"folder_sha256": "\w+"', digest, RESULT.read_text(encoding="utf-8")))
    code, told = said(capsys, "--reprobe", "HEAD")
    assert code == 1
    assert "verifies_signature is true in the saved result and false now" in told

    write("model.yaml", MODEL.replace("app/bot.probe.json", "app/new.probe.json"))
    shutil.copy(RESULT, "app/new.probe.json")
    write("app/app.py", "raise SystemExit('this is not run')\n")
    code, told = said(capsys, "--reprobe", "HEAD")
    assert code == 1
    assert "the model of 'HEAD' does not name this result" in told


@pytest.mark.usefixtures("clone")
def test_what_a_result_does_not_keep_is_not_repeated(capsys: pytest.CaptureFixture[str]) -> None:
    found = json.loads(RESULT.read_text(encoding="utf-8"))
    for options, message in {
        "env": "made with --env, which a result does not keep",
        "packages": "outside",
        "kind": "made with --kind ../../.., which is no value of that option",
        "table": "leaves the project",
    }.items():
        found["options"] = {options: [] if options == "env" else ["../../.."]}
        write(str(RESULT), json.dumps(found))
        code, told = said(capsys, "--reprobe", "HEAD")
        assert code == 1
        assert message in told


@pytest.mark.usefixtures("clone")
def test_a_model_without_saved_probes_is_reported(capsys: pytest.CaptureFixture[str]) -> None:
    write("model.yaml", MODEL.partition("  - {probe")[0])
    _, told = said(capsys, "--reprobe", "HEAD")
    assert "probed again: model.yaml names no saved probe" in told
    assert said(capsys, "--reprobe", "nowhere")[0] == 2


@pytest.mark.usefixtures("clone")
def test_no_file_asks_for_it() -> None:
    write("policy.yaml", "reprobe: HEAD\n")
    assert main([*CHECK, "--policy", "policy.yaml"]) == 2
    write("model.yaml", MODEL + "reprobe: HEAD\n")
    assert main(CHECK) == 2
