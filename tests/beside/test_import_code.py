"""`tm import FOLDER` names the source of the handlers that it finds beside the template."""

from __future__ import annotations

from pathlib import Path

import pytest

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
