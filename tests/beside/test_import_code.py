"""`tm import FOLDER` names the source of the handlers that it finds beside the template."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.beside.places import assess
from threatmodel.command.main import main

Printed = pytest.CaptureFixture[str]
FUNCTION = """\
  {name}:
    Type: AWS::Serverless::Function
    Properties: {{CodeUri: {uri}, Handler: {handler}, Runtime: python3.13}}
"""
CODE = "def handler(event, context):\n    return 1\n"


def written(
    folder: Path,
    functions: dict[str, tuple[str, str]],
    files: list[str],
    monkeypatch: pytest.MonkeyPatch,
    printed: Printed,
) -> tuple[list[str], str]:
    """The entries for source in a model of a folder, and what the import said."""
    (folder / ".git").mkdir()
    for name in files:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(CODE, encoding="utf-8")
    rows = [FUNCTION.format(name=name, uri=uri, handler=handler) for name, (uri, handler) in functions.items()]
    text = "Transform: AWS::Serverless-2016-10-31\nResources:\n" + "".join(rows)
    (folder / "template.yaml").write_text(text, encoding="utf-8")
    monkeypatch.chdir(folder)
    assert main(["import", "."]) == 0
    out, err = printed.readouterr()
    return [line.strip() for line in out.splitlines() if "{code:" in line], err


def test_one_entry_is_around_the_folders_of_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Printed
) -> None:
    functions = {"One": ("functions/one/", "app.handler"), "Two": ("functions/two/", "app.handler")}
    files = ["functions/one/app.py", "functions/two/app.py"]
    assert written(tmp_path, functions, files, monkeypatch, capsys)[0] == ["- {code: functions}"]


def test_an_archive_is_of_the_only_file_that_can_be_its_handler(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Printed
) -> None:
    functions = {"One": ("build/one.zip", "main.handler")}
    files = ["lambdas/one/main.py", "tests/main.py"]
    assert written(tmp_path, functions, files, monkeypatch, capsys)[0] == ["- {code: lambdas/one, function: one}"]


@pytest.mark.parametrize("files", [["lambdas/one/main.py", "lambdas/two/main.py"], []])
def test_a_handler_that_is_not_found_is_named(
    files: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Printed
) -> None:
    found, said = written(tmp_path, {"One": ("build/one.zip", "main.handler")}, files, monkeypatch, capsys)
    assert found == []
    assert "no source was found of the handlers of one" in said


def test_a_template_that_is_named_alone_is_imported_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Printed
) -> None:
    written(tmp_path, {"One": ("src/", "app.handler")}, ["src/app.py"], monkeypatch, capsys)
    assert main(["import", "template.yaml"]) == 0
    assert "code:" not in capsys.readouterr().out


def test_the_folder_of_one_function_is_not_taken_for_that_of_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Printed
) -> None:
    """A folder that is not in the repository holds other code, whatever its handler is called."""
    functions = {"Front": ("front/", "app.handler"), "Back": ("main/", "app.handler")}
    found, said = written(tmp_path, functions, ["front/app.py"], monkeypatch, capsys)
    assert found == ["- {code: front}"]
    assert "no source was found of the handlers of back" in said


SOUND = """\
import hashlib, hmac, os, time
def handler(event, context):
    headers = {k.lower(): v for k, v in event["headers"].items()}
    stamp, body = headers.get("x-slack-request-timestamp", "0"), event.get("body") or ""
    if not stamp.isdigit() or abs(time.time() - int(stamp)) > 300:
        return {"statusCode": 401}
    key, text = os.environ["SLACK_SIGNING_SECRET"].encode(), f"v0:{stamp}:{body}".encode()
    digest = "v0=" + hmac.new(key, text, hashlib.sha256).hexdigest()
    if not hmac.compare_digest(digest, headers.get("x-slack-signature", "")):
        return {"statusCode": 401}
    return {"statusCode": 200, "body": ""}
"""


@pytest.mark.slow
def test_each_handler_that_can_be_loaded_is_probed_and_its_result_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Printed
) -> None:
    functions = {
        "Sound": ("src/", "app.handler"),
        "Broken": ("src/", "broken.handler"),
        "Built": ("src/", "up.handler"),
    }
    written(tmp_path, functions, ["src/up.ts"], monkeypatch, capsys)
    (tmp_path / "src" / "app.py").write_text(SOUND, encoding="utf-8")
    (tmp_path / "src" / "broken.py").write_text(
        "raise ValueError\ndef handler(event, context): ...\n", encoding="utf-8"
    )
    assert main(["import", ".", "-o", "model.yaml", "--probe"]) == 0
    said = capsys.readouterr().err
    assert "built was not probed: src/up.ts:handler has to be built first" in said
    assert "broken was not probed: " in said
    text = (tmp_path / "model.yaml").read_text(encoding="utf-8")
    assert "- {probe: src/sound.probe.json, function: sound}" in text
    assert text.count("probe:") == 1
    assert (tmp_path / "src" / "sound.probe.json").is_file()


def test_results_are_named_in_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Printed) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit):
        main(["import", ".", "--probe"])
    assert "write it with -o FILE" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("handler", "files", "why"),
    [
        ("bootstrap", ["app/main.go"], "app/main.go is Go, which is not read"),
        ("bot.Handler::handle", ["app/bot.rb", "app/lib/x.rb"], "app/bot.rb is Ruby, which is not read"),
    ],
)
def test_a_handler_in_a_language_that_is_not_read_says_why_it_is_asked(
    handler: str, files: list[str], why: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Printed
) -> None:
    assert written(tmp_path, {"One": ("app/", handler)}, files, monkeypatch, capsys)[0] == ["- {code: app}"]
    template = tmp_path / "template.yaml"
    called = "Events: {Command: {Type: HttpApi, Properties: {Path: /slack, Method: POST}}}, CodeUri"
    template.write_text(template.read_text(encoding="utf-8").replace("CodeUri", called), encoding="utf-8")
    assert main(["import", ".", "-o", "model.yaml"]) == 0
    capsys.readouterr()
    found = assess(tmp_path / "model.yaml", monkeypatch, capsys)
    assert found.left_open("verifies_signature") == [f"{why}; state what the handler does, or probe it"]


def test_an_update_names_the_source_that_a_model_does_not_name_yet(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Printed
) -> None:
    functions = {"One": ("one/", "app.handler"), "Two": ("two.zip", "main.handler")}
    written(tmp_path, functions, ["one/app.py", "lambdas/two/main.py"], monkeypatch, capsys)
    model = tmp_path / "model.yaml"
    model.write_text("name: x\nevidence:\n  - {template: template.yaml}\nfunctions:\n  one: {}\n", encoding="utf-8")
    for _ in range(2):
        assert main(["import", ".", "--update", "model.yaml"]) == 0
    entries = [line.strip() for line in model.read_text(encoding="utf-8").splitlines() if "{code:" in line]
    assert entries == ["- {code: one}", "- {code: lambdas/two, function: two}"]


def test_a_handler_that_is_compiled_has_the_source_that_it_is_made_of(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Printed
) -> None:
    functions = {"One": (".", "dist/bot.handler"), "Two": (".", "build/src/two.handler")}
    files = ["src/bot.ts", "src/two.ts"]
    entries, said = written(tmp_path, functions, files, monkeypatch, capsys)
    assert entries == ["- {code: .}"]
    assert "no source was found" not in said
