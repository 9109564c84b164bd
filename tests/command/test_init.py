"""`tm init`: the first files of a repository's threat model, which load, and of which nothing is written over."""

from __future__ import annotations

import json
import re
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
    "threats.baseline.json",
    ".threatmodel.toml",
}
PIN = ["--source", "threatmodel==0.2.0"]
WORKFLOW = ".github/workflows/threat-model.yml"
SHA = "0123456789abcdef0123456789abcdef01234567"


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
@pytest.mark.parametrize("source", [["--empty"], [], ["--from", "template.yaml"]])
def test_what_it_writes_works_at_once(source: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["init", *source]) == 0
    said = capsys.readouterr().out
    assert files() == WRITTEN
    assert all(f"wrote {name}\n" in said for name in WRITTEN)
    assert "next: " in said
    assert "no workflow was written: name what it installs, " in said
    assert main(["check"]) == 0
    assert main(["--report", "html", "-o", "report.html"]) == 0
    assert main(["--dfd"]) == 0
    assert "\ndigraph" in capsys.readouterr().out
    Path(".threatmodel.toml").unlink()
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
def test_a_widened_role_is_red_with_its_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["init"]) == 0
    text = Path("template.yaml").read_text(encoding="utf-8")
    assert "dynamodb:PutItem" in text
    widened = text.replace("dynamodb:PutItem", '"dynamodb:*"', 1)
    line = widened[: widened.index('"dynamodb:*"')].count("\n") + 1
    write("template.yaml", widened)
    capsys.readouterr()
    assert main(["check"]) == 1
    said = capsys.readouterr().out
    assert f"template.yaml:{line}  role_wildcard_action: true" in said
    assert "do: Give the function its own least-privilege role" in said


@pytest.mark.slow
def test_the_texts(golden: Golden) -> None:
    assert main(["init", *PIN]) == 0
    written = {*WRITTEN, WORKFLOW} - {"models/model.schema.json", "threats.baseline.json"}
    for name in written:
        golden(f"scaffold/init/{Path(name).name}", Path(name).read_text(encoding="utf-8"))
    Path("models/shop.yaml").rename("models/imported")
    for name in {*WRITTEN, WORKFLOW} - {"models/shop.yaml"}:
        Path(name).unlink()
    assert main(["init", "--empty"]) == 0
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
    write("models/platform.yaml", "name: mine\naccount: {}\n")
    write("threatlib", "a file\n")
    Path(".github").symlink_to("nowhere")
    before = files()
    golden("bad-input/init-conflicts.txt", refused(["init"], capsys))
    assert files() == before
    assert Path("models/platform.yaml").read_text(encoding="utf-8") == "name: mine\naccount: {}\n"


def test_a_template_that_cannot_be_used_writes_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    write("template.yaml", "Resources: {}\n")
    assert "empty-model" in refused(["init", "--from", "template.yaml"], capsys)
    assert "empty-model" in refused(["init"], capsys)
    write("../outside.yaml", "Resources: {}\n")
    assert "outside-project" in refused(["init", "--from", "../outside.yaml"], capsys)
    assert files() == set()


def test_a_folder_of_a_repository_is_checked_from_its_root(monkeypatch: pytest.MonkeyPatch) -> None:
    Path("services/my bot").mkdir(parents=True)
    write("models/root.yaml", "name: root\nfunctions: {bot: {}}\n")
    monkeypatch.chdir("services/my bot")
    assert main(["init", *PIN]) == 0
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


# --- what it finds


def test_a_template_in_the_only_folder_that_has_one_is_found() -> None:
    Path("infra").mkdir()
    Path("template.yaml").rename("infra/template.yaml")
    for copy in ("node_modules/x/template.yaml", ".aws-sam/template.yaml"):
        write(copy, "Resources: {}\n")
    assert main(["init"]) == 0
    assert "{template: ../infra/template.yaml}" in Path("models/shop.yaml").read_text(encoding="utf-8")


def test_several_templates_are_named_and_none_is_chosen(capsys: pytest.CaptureFixture[str], golden: Golden) -> None:
    for name in ("a.yaml", "b.yaml"):
        shutil.copy("template.yaml", name)
    golden("bad-input/several-templates.txt", refused(["init"], capsys))
    for name in ("a", "b"):
        Path(name).mkdir()
        Path(f"{name}.yaml").rename(f"{name}/template.yaml")
    Path("template.yaml").unlink()
    assert "2 folders with templates: a, b; " in refused(["init"], capsys)
    assert not Path("models").exists()


@pytest.mark.parametrize(("file", "said"), [("main.tf", "terraform plan"), ("cdk.json", "cdk synth")])
def test_code_that_has_to_be_turned_into_a_file_first(file: str, said: str, capsys: pytest.CaptureFixture[str]) -> None:
    Path("template.yaml").unlink()
    write(file, "{}\n")
    assert said in refused(["init"], capsys)
    assert not Path("models").exists()


def test_a_folder_with_a_model_gets_no_second_one(capsys: pytest.CaptureFixture[str], golden: Golden) -> None:
    write("threatmodel.yaml", "name: shop\nfunctions: {bot: {}}\n")
    before = files()
    golden("bad-input/init-with-a-model.txt", refused(["init"], capsys))
    assert files() == before
    assert main(["init", *PIN]) == 0
    assert files() == {*before, WORKFLOW}
    assert "--write-baseline" in capsys.readouterr().out


def test_a_path_of_windows_is_recognized(capsys: pytest.CaptureFixture[str]) -> None:
    write("infra/template.yaml", "Resources: {}\n")
    assert "write the path with forward slashes: infra/template.yaml" in refused(
        ["init", "--from", r"infra\template.yaml"], capsys
    )
    assert "check the path" in refused(["init", "--from", r"infra\other.yaml"], capsys)


def test_a_configuration_that_is_there_is_kept(capsys: pytest.CaptureFixture[str]) -> None:
    write("pyproject.toml", '[tool.threatmodel]\nfail-on = "medium"\n')
    assert main(["init", *PIN]) == 0
    assert not Path(".threatmodel.toml").exists()
    assert "next: python tm.py check --baseline threats.baseline.json" in re.sub(
        r"\S*tm\.py", "tm.py", capsys.readouterr().out
    )
    assert "- run: tm check --baseline threats.baseline.json " in Path(WORKFLOW).read_text(encoding="utf-8")


DEPLOYS = """\
on: {push: {branches: [main]}}
permissions: {contents: read}
jobs:
  deploy:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v4
      - run: sam build && sam deploy --no-confirm-changeset
"""


@pytest.mark.slow
@pytest.mark.parametrize("at_once", [True, False])
def test_the_workflow_of_a_repository_that_has_some_leaves_the_check_green(
    at_once: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    """What is read of a checkout changes with each file of it, and no model has chosen another one."""
    write(".github/workflows/deploy.yml", DEPLOYS)
    assert main(["init", *(PIN if at_once else [])]) == 0
    assert "{repository: ..}" in Path("models/shop.yaml").read_text(encoding="utf-8")
    if not at_once:
        assert main(["check"]) == 0
        assert main(["init", *PIN]) == 0
    assert Path(WORKFLOW).exists()
    assert main(["check"]) == 0, capsys.readouterr().out
    write(".github/CODEOWNERS", "* @team\n")
    assert main(["check"]) == 0, capsys.readouterr().out


# --- what the workflow installs


@pytest.mark.parametrize(
    ("source", "installed"),
    [
        ("threatmodel==0.2.0", "threatmodel==0.2.0"),
        (f"https://github.com/o/r@{SHA}", f"git+https://github.com/o/r@{SHA}"),
        (f"git+https://git.example.com:8443/a/b/c.git@{SHA}", f"git+https://git.example.com:8443/a/b/c.git@{SHA}"),
        (f"git+ssh://git@github.com/o/r@{SHA}", f"git+ssh://git@github.com/o/r@{SHA}"),
    ],
)
def test_the_workflow_installs_what_source_names(source: str, installed: str) -> None:
    assert main(["init", "--empty", "--source", source]) == 0
    workflow = yaml.safe_load(Path(WORKFLOW).read_text(encoding="utf-8"))
    steps = workflow["jobs"]["check"]["steps"]
    assert [step["env"]["TM_SOURCE"] for step in steps if "env" in step] == [installed]


@pytest.mark.parametrize(
    "source",
    [
        *("threatmodel", "threatmodel>=0.2", "threatmodel==0.*", "threatmodel==0.2.0; rm -rf /", "-e ."),
        *("https://github.com/o/r", "https://github.com/o/r@main", "git+https://github.com/o/r@v1.2.3"),
        *(f"https://github.com/o/r@{SHA[:12]}", f"git+file:///o/r@{SHA}", f"https://github.com/o/r@{SHA}\n- run: x"),
        *("./dist/threatmodel.whl", "C:\\dist\\threatmodel.whl", "${{ secrets.X }}==1"),
    ],
)
def test_a_source_that_can_change_is_refused(source: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert "unpinned-source" in refused(["init", "--empty", "--source", source], capsys)
    assert files() == set()


def test_a_source_without_a_commit_says_how_to_find_it(capsys: pytest.CaptureFixture[str], golden: Golden) -> None:
    golden("bad-input/unpinned-source.txt", refused(["init", "--source", "https://github.com/o/r@main"], capsys))


def test_credentials_in_a_source_are_not_repeated(capsys: pytest.CaptureFixture[str]) -> None:
    assert "hunter2" not in refused(["init", "--source", f"https://me:hunter2@github.com/o/r@{SHA}"], capsys)


def test_a_workflow_belongs_to_a_repository(capsys: pytest.CaptureFixture[str]) -> None:
    Path(".git").rmdir()
    assert "this folder is in no Git repository; run 'git init' first" in refused(["init", *PIN], capsys)
    assert files() == set()
    assert main(["init"]) == 0


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
