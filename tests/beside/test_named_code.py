"""`code:` under evidence: which functions it is of, what is read of it, and what is not, with the reason."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.beside.project import assessed, project, read_of
from threatmodel.beside import folder as reading
from threatmodel.command.main import main

HANDLER = {"app.py": "def handler(event, context):\n    return {'statusCode': 200}\n"}
Printed = pytest.CaptureFixture[str]


def why_unread(model: Path, monkeypatch: pytest.MonkeyPatch, capsys: Printed) -> dict[str, str]:
    return {one["name"]: one["why"] for one in read_of(assessed(model, monkeypatch, capsys))["unread"]}


def test_it_is_the_source_of_each_function_that_is_deployed_from_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Printed
) -> None:
    found = read_of(assessed(project(tmp_path, HANDLER), monkeypatch, capsys))
    assert (found["file"], found["elements"], found["unread"]) == ("src/", {"bot": "app.py:handler"}, [])


def test_a_folder_around_the_deployed_one_holds_it_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Printed
) -> None:
    found = read_of(assessed(project(tmp_path, HANDLER, entry="{code: .}"), monkeypatch, capsys))
    assert found["elements"] == {"bot": "src/app.py:handler"}


def test_another_folder_is_of_no_function_and_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Printed
) -> None:
    model = project(tmp_path, HANDLER, entry="{code: lib}")
    (tmp_path / "lib").mkdir()
    assert why_unread(model, monkeypatch, capsys) == {
        "lib/": "no file of the evidence deploys a function from this folder; name the function with function: ID"
    }


def test_a_function_that_is_named_has_its_source_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Printed
) -> None:
    model = project(tmp_path, HANDLER, entry="{code: lib, function: bot}")
    (tmp_path / "lib").mkdir()
    (tmp_path / "lib" / "app.py").write_text(HANDLER["app.py"], encoding="utf-8")
    assert read_of(assessed(model, monkeypatch, capsys))["elements"] == {"bot": "app.py:handler"}


def test_an_image_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Printed) -> None:
    properties = "PackageType: Image\nImageUri: 1.dkr.ecr.eu-west-1.amazonaws.com/a:1\n"
    model = project(tmp_path, HANDLER, properties=properties)
    assert why_unread(model, monkeypatch, capsys) == {"bot": "a container image is deployed, and no folder is packaged"}


def test_a_handler_without_source_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Printed) -> None:
    model = project(tmp_path, {"other.py": "x = 1\n"})
    assert "is not in src/ as source" in why_unread(model, monkeypatch, capsys)["bot"]


def test_links_out_bundles_and_binaries_are_not_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Printed
) -> None:
    model = project(tmp_path, {**HANDLER, "bundle.js": "x();" * 300_000})
    (tmp_path / "src" / "away.py").symlink_to("/etc/passwd")
    (tmp_path / "src" / "binary.py").write_bytes(b"\xff\xfe\0\0")
    why = why_unread(model, monkeypatch, capsys)
    assert why["src/away.py"] == "this link leaves the project; copy what it leads to"
    assert "before it is bundled" in why["bundle.js"]
    assert why.keys() == {"src/away.py", "bundle.js", "binary.py"}


def test_of_very_many_files_the_rest_is_not_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Printed
) -> None:
    model = project(tmp_path, {**HANDLER, **{f"vendor/m{n}.py": "x = 1\n" for n in range(30)}})
    monkeypatch.setattr(reading, "MOST_FILES", 20)
    assert "more than 20 files" in why_unread(model, monkeypatch, capsys)["src/"]


@pytest.mark.parametrize(
    ("entry", "code"),
    [
        ("{code: ../away}", "outside-project"),
        ("{code: nowhere}", "missing-file"),
        ("{code: src, function: nobody}", "unknown-reference"),
        ("{code: src, days: 3}", "unknown-key"),
        ("{code: src, template: template.yaml}", "missing-key"),
        ("{code: link}", "outside-project"),
    ],
)
def test_an_entry_that_cannot_be_used_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Printed, entry: str, code: str
) -> None:
    model = project(tmp_path, HANDLER, entry=entry)
    (tmp_path / "link").symlink_to("/etc")
    monkeypatch.chdir(tmp_path)
    assert main(["check", model.name]) == 2
    assert f" {code}: " in capsys.readouterr().err


def test_a_run_that_remembers_notices_a_change_of_the_source(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Printed
) -> None:
    model = project(tmp_path, HANDLER)
    for name, folder in {"TM_CACHE": "cache", "XDG_CONFIG_HOME": "config"}.items():
        monkeypatch.setenv(name, str(tmp_path / folder))
    first = read_of(assessed(model, monkeypatch, capsys))
    assert read_of(assessed(model, monkeypatch, capsys)) == first
    (tmp_path / "src" / "app.py").write_text("def other(): pass\n", encoding="utf-8")
    assert read_of(assessed(model, monkeypatch, capsys))["sha256"] != first["sha256"]
