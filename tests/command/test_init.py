"""`tm init`: the first files of a repository's threat model, which load, and of which nothing is written over."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import jsonschema
import pytest
import yaml

from tests.refusals import refused, write
from tests.support import HOME
from threatmodel.command.main import main
from threatmodel.model.load import load_model
from threatmodel.reading.files import Files

Golden = Callable[[str, str], None]
WRITTEN = {
    "models/shop.yaml",
    "models/platform.yaml",
    "models/model.schema.json",
    "threatlib/library.yaml",
    ".github/workflows/threat-model.yml",
}


@pytest.fixture(autouse=True)
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository with a template, as working directory."""
    (tmp_path / "shop" / ".git").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "shop")
    shutil.copy(HOME / "examples" / "slack-app" / "template.yaml", "template.yaml")
    return tmp_path / "shop"


def files() -> set[str]:
    return {path.as_posix() for path in Path().rglob("*") if path.is_file()} - {"template.yaml"}


@pytest.mark.slow
@pytest.mark.parametrize("source", [[], ["--from", "template.yaml"]])
def test_what_it_writes_works_at_once(source: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["init", *source]) == 0
    said = capsys.readouterr().out
    assert files() == WRITTEN
    assert all(f"wrote {name}\n" in said for name in WRITTEN)
    assert "next: " in said
    assert main(["--report", "html", "-o", "report.html"]) == 0
    assert main(["--dfd"]) == 0
    assert "\ndigraph" in capsys.readouterr().out
    assert main(["check"]) == 1
    assert main(["check", "--fail-on", "critical", "--allow-undetermined"]) == 0
    capsys.readouterr()
    assert main(["--json"]) == 0
    assert json.loads(capsys.readouterr().out)["library"]["layers"] == ["threatlib"]


def test_a_folder_s_name_is_spelt_in_letters_of_ids(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "Übung für Größe" / ".git").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "Übung für Größe")
    assert main(["init"]) == 0
    assert Path("models/uebung-fuer-groesse.yaml").exists()
    assert main(["--dfd"]) == 0


@pytest.mark.slow
def test_the_texts(golden: Golden) -> None:
    assert main(["init", "--from", "template.yaml"]) == 0
    for name in WRITTEN - {"models/model.schema.json"}:
        golden(f"scaffold/init/{Path(name).name}", Path(name).read_text(encoding="utf-8"))
    Path("models/shop.yaml").rename("models/imported")
    for name in WRITTEN - {"models/shop.yaml"}:
        Path(name).unlink()
    assert main(["init"]) == 0
    golden("scaffold/init/bare.yaml", Path("models/shop.yaml").read_text(encoding="utf-8"))


@pytest.mark.slow
def test_editors_find_the_schema_offline() -> None:
    assert main(["init", "--from", "template.yaml"]) == 0
    for name in ("shop", "platform"):
        text = Path(f"models/{name}.yaml").read_text(encoding="utf-8")
        first, _, _ = text.partition("\n")
        schema = Path("models", first.removeprefix("# yaml-language-server: $schema="))
        jsonschema.validate(yaml.safe_load(text), json.loads(schema.read_text(encoding="utf-8")))


def test_it_writes_over_nothing_and_then_writes_nothing(capsys: pytest.CaptureFixture[str], golden: Golden) -> None:
    write("models/platform.yaml", "mine\n")
    write("threatlib", "a file\n")
    Path(".github").symlink_to("nowhere")
    before = files()
    golden("bad-input/init-conflicts.txt", refused(["init"], capsys))
    assert files() == before
    assert Path("models/platform.yaml").read_text(encoding="utf-8") == "mine\n"


def test_a_template_that_cannot_be_used_writes_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    write("template.yaml", "Resources: {}\n")
    assert "empty-model" in refused(["init", "--from", "template.yaml"], capsys)
    write("../outside.yaml", "Resources: {}\n")
    assert "outside-project" in refused(["init", "--from", "../outside.yaml"], capsys)
    assert files() == set()


def test_a_folder_of_a_repository_is_checked_from_its_root(monkeypatch: pytest.MonkeyPatch) -> None:
    Path("services/my bot").mkdir(parents=True)
    monkeypatch.chdir("services/my bot")
    assert main(["init"]) == 0
    workflow = yaml.safe_load(Path("../../.github/workflows/threat-model-my-bot.yml").read_text(encoding="utf-8"))
    assert workflow["jobs"]["check"]["defaults"] == {"run": {"working-directory": "services/my bot"}}
    assert load_model(Files(), Path("models/my-bot.yaml")).libraries == (Path.cwd() / "threatlib",)


@pytest.mark.slow
def test_new_files_go_into_the_repository_and_are_not_live(capsys: pytest.CaptureFixture[str], golden: Golden) -> None:
    assert main(["init"]) == 0
    assert main(["new", "function", "refund-bot"]) == 0
    assert "refund-bot" in Path("models/shop.yaml").read_text(encoding="utf-8")
    assert main(["new", "threat", "own"]) == 0
    capsys.readouterr()
    golden("bad-input/unwritten-text.txt", refused(["check"], capsys))
    path = Path("threatlib/threats/exploited-vulnerability/own.yaml")
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("TODO write", "Somebody reads").replace("/TODO", "/read"), encoding="utf-8")
    assert main(["--list"]) == 0
    assert "own " in capsys.readouterr().out
    assert main(["new", "control", "answer", "--threat", "own"]) == 0
    capsys.readouterr()
    said = refused(["--list"], capsys)
    assert said.count(": unwritten-text: ") == 6
    assert "threats/exploited-vulnerability/own.yaml" in said
    assert "controls/beyond-the-article/answer.yaml" in said


def test_the_clone_stays_as_it_is() -> None:
    done = subprocess.run([sys.executable, "tm.py", "init"], cwd=HOME, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert "init is for your own repository" in done.stderr
    assert not (HOME / "threatlib" / "library.yaml").exists()


@pytest.mark.parametrize("command", ["init", "schema", "completion", "docs"])
def test_commands_that_read_no_model_do_not_ask_for_one(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main([command, "x.yaml"])
    assert "x.yaml" in (said := capsys.readouterr().err)
    assert "-m x.yaml" not in said
