"""`tm.py probe` as people use it, and its saved result as a model's evidence."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.probe.test_http_runner import listening
from tests.refusals import refused, write
from tests.support import HOME
from threatmodel.command.main import main

pytestmark = pytest.mark.slow

Golden = Callable[[str, str], None]
GOOD = HOME / "tests" / "probe" / "handlers" / "good.py"
ENV = HOME / "examples" / "slack-app" / "probe.env"
RESULT = "app/bot.probe.json"
MODEL = """\
name: Shop
evidence:
  - {probe: app/bot.probe.json, function: bot}
apis: {front: {kind: rest}}
functions:
  bot:
    triggers: [{slack: slash-command, api: front}]
    verifies_signature: %s
    verification_fails_closed: true
"""


ANYBODY = """\
import boto3

def handler(event, context):
    boto3.client("sqs").send_message(QueueUrl="https://sqs.eu-west-1.amazonaws.com/1/work", MessageBody="x")
    return {"statusCode": 200, "body": ""}
"""


def project_in(folder: Path, patch: pytest.MonkeyPatch) -> Path:
    """A folder with a handler, as the working directory."""
    patch.chdir(folder)
    (folder / "app").mkdir()
    shutil.copy(GOOD, folder / "app" / "app.py")
    shutil.copy(ENV, folder / "probe.env")
    return folder


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    return project_in(tmp_path, monkeypatch)


def probe(*more: str) -> int:
    return main(["probe", "app/app.py", "--env-file", "probe.env", "--unconfined", *more])


@pytest.fixture(scope="module")
def result_of_good(tmp_path_factory: pytest.TempPathFactory) -> str:
    """What a run on the good handler saves: run once, since another run says the same but for its time."""
    with pytest.MonkeyPatch.context() as patch:
        project_in(tmp_path_factory.mktemp("probed"), patch)
        assert probe("--json", "-o", RESULT) == 0
        return Path(RESULT).read_text(encoding="utf-8")


@pytest.fixture
def saved(project: Path, result_of_good: str) -> Path:
    """A project whose handler was probed."""
    (project / RESULT).write_text(result_of_good, encoding="utf-8")
    return project


@pytest.mark.usefixtures("saved")
def test_a_result_proves_the_controls_of_its_function(capsys: pytest.CaptureFixture[str]) -> None:
    write("model.yaml", MODEL % "true")
    assert main(["-m", "model.yaml", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    states = {(one["id"], state["element"]): state for one in found["controls"] for state in one["states"]}
    signing = states["slack-request-signing", "bot"]
    assert signing["state"] == "proven"
    (said,) = (one for one in signing["evidence"] if one["fact"] == "verifies_signature")
    assert (said["origin"], said["file"]) == ("probe", RESULT)
    assert said["note"].startswith("31 of 31 probes")
    (constant,) = (one for one in states["constant-time-comparison", "bot"]["evidence"])
    assert (constant["origin"], constant["file"]) == ("source", "app/app.py")
    assert states["constant-time-comparison", "bot"]["state"] == "claimed"  # what was read is word
    assert {one["kind"] for one in found["evidence"]} == {"probe"}


def test_the_example_s_saved_result_is_what_a_probe_says_today(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody can save a better one by hand: all but the day, and what the machine offers to confine it, comes again."""
    monkeypatch.chdir(HOME)
    kept = HOME / "examples" / "slack-app" / "order-bot.probe.json"
    handler = "examples/slack-app/app.py"
    again = tmp_path / "again.json"
    assert main(["probe", handler, "--env-file", str(ENV), "--unconfined", "--json", "-o", str(again)]) == 0
    old, new = (json.loads(path.read_text(encoding="utf-8")) for path in (kept, again))
    for one in (old, new):
        del one["when"], one["isolation"]
    assert new == old


@pytest.mark.usefixtures("saved")
def test_changed_code_makes_a_result_stale(capsys: pytest.CaptureFixture[str]) -> None:
    write("model.yaml", MODEL % "true")
    capsys.readouterr()
    main(["-m", "model.yaml", "check", "-v", "--fail-on", "critical"])
    assert ": stale: " not in capsys.readouterr().out
    with Path("app/app.py").open("a") as file:
        file.write("\n# one line more\n")
    assert main(["-m", "model.yaml", "check", "-v", "--fail-on", "critical", "--allow-undetermined"]) == 1
    assert f"stale: {RESULT}: app/ has changed since it was probed; it counts as a statement" in capsys.readouterr().out
    main(["-m", "model.yaml", "--json"])
    found = json.loads(capsys.readouterr().out)
    states = {(one["id"], s["element"]): s["state"] for one in found["controls"] for s in one["states"]}
    assert states["slack-request-signing", "bot"] == "claimed"
    assert found["evidence"][0]["stale"]
    main(["-m", "model.yaml", "--report"])
    assert "**Stale:** app/ has changed" in capsys.readouterr().out


@pytest.mark.usefixtures("project")
def test_a_handler_that_is_wrong_contradicts_the_model(capsys: pytest.CaptureFixture[str]) -> None:
    write("app/app.py", ANYBODY)
    assert probe("--json", "-o", RESULT) == 1
    said = capsys.readouterr().out
    assert "contradicted: " in said
    assert "slack-request-signing" in said
    write("model.yaml", MODEL % "true")
    assert main(["-m", "model.yaml", "check", "-v"]) == 1
    out = capsys.readouterr().out
    assert "contradicted: slack-request-signing@bot" in out
    assert "drift: bot.verifies_signature: true here, but false by app/bot.probe.json" in out


def test_a_model_runs_no_handler(saved: Path) -> None:
    """A report names results only: code beside them is read, never run."""
    write("app/app.py", "import pathlib\npathlib.Path('ran').touch()\ndef handler(event, context): ...\n")
    write("model.yaml", MODEL % "true")
    assert main(["-m", "model.yaml", "--report", "-o", "report.md"]) == 0
    assert not list(saved.rglob("ran"))


@pytest.mark.usefixtures("project")
def test_a_table_goes_where_it_is_asked_for(capsys: pytest.CaptureFixture[str]) -> None:
    assert probe("-o", "table.txt") == 0
    assert capsys.readouterr().out == ""
    assert "required probes: 56 of 56 passed" in Path("table.txt").read_text(encoding="utf-8")


def test_json_is_printed(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("SLACK_SIGNING_SECRET", "s3cret")
    with listening() as address:
        assert main(["probe", f"{address}/slack", "--json"]) == 1  # it answers whatever it is sent
    assert json.loads(capsys.readouterr().out)["kind"] == "http"


@pytest.mark.usefixtures("project")
def test_a_secret_of_yours_is_not_needed(capsys: pytest.CaptureFixture[str]) -> None:
    said = refused(["probe", "http://127.0.0.1:9/slack"], capsys)
    assert "--secret-env: cannot-probe: the variable SLACK_SIGNING_SECRET is empty or missing" in said


@pytest.mark.parametrize(
    ("name", "arguments", "files"),
    [
        ("cannot-probe", ["app.py"], {"app.py": "import os\ndef handler(:\n"}),
        ("wrong-target", ["app.rb"], {"app.rb": ""}),
        ("no-such-handler", ["app.py:main"], {"app.py": "def handler(event, context): ...\n"}),
        ("missing-handler", ["gone.py"], {}),
        ("remote", ["https://example.org/slack?token=hush"], {}),
        ("among-the-code", ["app.py", "--json", "-o", "result.json"], {"app.py": "def handler(e, c): ...\n"}),
        ("typescript", ["app.ts:handler"], {"app.ts": ""}),
        ("no-address", ["http://me:hush@127.0.0.1/slack"], {}),
        ("no-packages", ["app.py", "--packages", "gone"], {"app.py": "def handler(e, c): ...\n"}),
        ("no-folder", ["app.py", "--folder", "gone"], {"app.py": "def handler(e, c): ...\n"}),
        ("provided", ["app.py", "--provide", "requests"], {"app.py": "def handler(e, c): ...\n"}),
        ("secret-env", ["app.py", "--secret-env", "MY SECRET"], {"app.py": "def handler(e, c): ...\n"}),
        ("first-line", ["app.py"], {"app.py": "raise ValueError('hush')\n"}),
        ("bad-variable", ["app.py", "--env", "hush"], {"app.py": "def handler(e, c): ...\n"}),
    ],
)
def test_what_cannot_be_probed(
    name: str,
    arguments: list[str],
    files: dict[str, str],
    golden: Golden,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    for path, text in files.items():
        write(path, text)
    said = refused(["probe", *arguments], capsys)
    assert "hush" not in said
    golden(f"probe/refused/{name}.txt", said)


@pytest.mark.usefixtures("project")
@pytest.mark.parametrize(
    ("name", "entry"),
    [
        ("no-function", "{probe: a.json}"),
        ("unknown-function", "{probe: a.json, function: bott}"),
        ("key-of-a-template", "{probe: a.json, function: bot, resources: {bot: Bot}}"),
        ("key-of-a-probe", "{template: a.yaml, function: bot}"),
        ("two-files", "{template: a.yaml, probe: a.json}"),
        ("no-result", "{probe: a.json, function: bot}"),
        ("outside", "{probe: ../a.json, function: bot}"),
        ("code-outside", "{probe: b.json, function: bot, code: ../..}"),
    ],
)
def test_what_is_no_evidence(
    name: str,
    entry: str,
    golden: Golden,
    capsys: pytest.CaptureFixture[str],
) -> None:
    shutil.copy(HOME / "tests" / "golden" / "probe" / "good.probe.json", "b.json")
    write("a.json", '{"format": 1, "targett": "app.py"}')
    write("model.yaml", f"name: Shop\nevidence:\n  - {entry}\nfunctions:\n  bot: {{}}\n")
    golden(f"probe/evidence/{name}.txt", refused(["-m", "model.yaml", "--report"], capsys))


BY_NAME = """\
import os
import boto3

class Setting:
    def __init__(self, name): self.name = name
    def __get__(self, owner, kind): return os.environ[self.name%s]

class Bot:
    queue = Setting("WORK_QUEUE")
    def __call__(self, event, context):
        boto3.client("sqs").send_message(QueueUrl=self.queue, MessageBody="x")
        return {"statusCode": 200}

handler = Bot()
"""


def test_variables_whose_names_stand_elsewhere_in_the_source_are_written(project: Path) -> None:
    (project / "bot").mkdir()
    (project / "bot" / "app.py").write_text(BY_NAME % "")
    assert main(["probe", "bot/app.py", "--init"]) == 0
    assert "\nWORK_QUEUE=" in (project / "bot" / "probe.env").read_text()


def test_an_exception_for_want_of_a_variable_denies_nothing_and_names_it(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (project / "bot").mkdir()
    (project / "bot" / "app.py").write_text(BY_NAME % " + '_URL'")
    assert main(["probe", "bot/app.py", "--unconfined", "--json", "-o", "bot/bot.probe.json"]) == 2
    result = json.loads((project / "bot" / "bot.probe.json").read_text())
    assert all(one["decided"] is False for one in result["facts"] if one["fact"] == "errors_generic")
    assert "it read variables that are not set: WORK_QUEUE_URL" in " ".join(capsys.readouterr().out.split())


REFUSED = {
    "a key that Slack never sends": ("return {'statusCode': 403}", "Slack never sends a custom key"),
    "another form of event": ("return event['token']", "an event that the probe lacks"),
    "a secret in a table": (
        "return __import__('boto3').resource('dynamodb').Table('t').get_item(Key={'id': 'x'})['Item']",
        "it asks a table, which is empty in a probe",
    ),
}


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[pytest.mark.long] if at else []) for at, name in enumerate(REFUSED)]
)
def test_what_keeps_a_genuine_request_out_is_said_and_denies_nothing_else(
    name: str, project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """One of them in the ordinary tests: each is a whole run, and what is denied goes by the same rule."""
    line, advice = REFUSED[name]
    (project / "bot").mkdir()
    (project / "bot" / "app.py").write_text(f"def handler(event, context):\n    {line}\n")
    assert main(["probe", "bot/app.py", "--unconfined", "--json", "-o", "bot/bot.probe.json"]) == 2
    assert advice in " ".join(capsys.readouterr().out.split())
    result = json.loads((project / "bot" / "bot.probe.json").read_text())
    assert not any(one["decided"] for one in result["facts"] if one["fact"] in {"errors_generic", "verifies_signature"})


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("raise type(SECRET, (Exception,), {})", "<BOT_KEY>"),
        ("exec(compile('1/0', SECRET, 'exec'))", "ZeroDivisionError"),
        ("globals()[SECRET] = lambda event, context: None", "<BOT_KEY>"),
        ("os.environ[SECRET]", "<BOT_KEY>"),
        ("__import__(SECRET)", "<BOT_KEY>"),
        ("open(SECRET)", "<BOT_KEY>"),
    ],
)
def test_no_name_of_a_handlers_own_brings_out_a_secret(
    line: str, shown: str, project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    secret = "s3cretvalueofthebot"
    (project / "app" / "app.py").write_text(f"import os\nSECRET = os.environ['BOT_KEY']\n{line}\n", encoding="utf-8")
    assert probe("--env", f"BOT_KEY={secret}") == 2
    told = capsys.readouterr()
    assert "cannot-probe" in told.err
    assert shown in told.err, "the handler had the variable, and the line ran"
    assert secret not in told.out + told.err
