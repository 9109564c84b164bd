"""An output replaces an earlier output or an empty file, and nothing that a person wrote."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import threading
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.command.processes import shell
from tests.support import HOME
from threatmodel.command.main import main
from threatmodel.reading import marks

SMALL = "name: Shop\nfunctions:\n  order-bot: {}\n"
TODAY = ("--today", "2026-11-25")
MARKED = (
    (["--report"], "report.md"),
    (["--report", "full.md"], "full.md"),
    (["--report", "html"], "report.html"),
    (["--report", "brief"], "brief.html"),
    (["--report", "full"], "full.html"),
    (["--dfd"], "dfd.dot"),
    (["--dfd"], "dfd.svg"),
    (["--dfd"], "dfd.png"),
    (["--seq"], "seq.puml"),
    (["--seq", "mermaid"], "seq.mmd"),
    (["--json"], "all.json"),
    (["schema", "model"], "model.schema.json"),
    (["schema", "assessment"], "assessment.schema.json"),
    (["schema", "paths"], "paths.schema.json"),
    (["paths", "--json"], "paths.json"),
    (["reach", "order-bot", "--json"], "reach.json"),
    (["check", "--format", "json"], "check.json"),
    (["check", "--format", "sarif"], "check.sarif"),
    (["check", "--format", "junit"], "check.xml"),
    (["diff", "model.yaml", "model.yaml", "--format", "json"], "diff.json"),
    (["diff", "model.yaml", "model.yaml", "--format", "dot"], "diff.dot"),
    (["diff", "model.yaml", "model.yaml"], "diff.svg"),
)
UNMARKED = (
    (["--list"], "threats.txt"),
    (["--pytm"], "shop.py"),
    (["--describe", "function"], "facts.txt"),
    (["--report", "own.csv.j2"], "own.csv"),
    (["check"], "check.txt"),
    (["check", "--format", "gitlab"], "quality.json"),
    (["check", "--format", "github"], "github.txt"),
    (["check", "--format", "markdown"], "check.md"),
    (["due"], "due.txt"),
    (["paths"], "paths.txt"),
    (["export", "findings"], "findings.csv"),
    (["reach", "order-bot"], "reach.txt"),
    (["diff", "model.yaml", "model.yaml"], "diff.txt"),
)


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a model, as working directory."""
    monkeypatch.chdir(tmp_path)
    Path("model.yaml").write_text(SMALL, encoding="utf-8")
    Path("own.csv.j2").write_text("{{ model.name }}\n", encoding="utf-8")
    return tmp_path


def written(asked: Sequence[str], output: str, *more: str) -> int:
    """The exit code of a run that writes an output."""
    first = () if asked[0] in {"diff", "schema"} else ("-m", "model.yaml")
    behind = ("-o", output) if asked[0] in {"check", "diff", "due", "export", "paths", "reach"} else ()
    before = () if behind else ("-o", output)
    return main([*first, *before, *asked, *behind, *(TODAY if asked[0] != "schema" else ()), *more])


@pytest.mark.slow
@pytest.mark.parametrize(("asked", "output"), MARKED)
@pytest.mark.usefixtures("shop")
def test_an_output_with_a_mark_is_written_anew_on_any_machine(asked: list[str], output: str) -> None:
    assert written(asked, output) in {0, 1}
    path = Path(output)
    path.write_bytes(path.read_bytes().replace(b"order-bot", b"other-bot"))
    assert marks.is_marked(path)
    assert written(asked, output) in {0, 1}
    assert b"other-bot" not in path.read_bytes()


@pytest.mark.slow
@pytest.mark.parametrize(("asked", "output"), UNMARKED)
def test_an_output_without_a_mark_is_known_by_its_digest(
    asked: list[str], output: str, shop: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(shop / "settings"))
    monkeypatch.setenv("TM_CACHE", str(shop / "cache"))
    path = Path(output)
    assert written(asked, output) in {0, 1}
    assert written(asked, output) in {0, 1}
    path.write_bytes(path.read_bytes() + b"@edited\n")
    assert written(asked, output) == 2
    assert capsys.readouterr().err.startswith(f"{output}: not-replaced: ")
    assert path.read_bytes().endswith(b"@edited\n")
    monkeypatch.setenv("TM_CACHE", "off")
    if asked[0] != "--describe":
        assert written(asked, output, "--force") in {0, 1}
        assert b"@edited" not in path.read_bytes()


@pytest.mark.slow
@pytest.mark.parametrize(("asked", "output"), [*MARKED, *UNMARKED, (["summary"], "build/report.md")])
def test_a_file_of_the_users_stays(
    asked: list[str], output: str, shop: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = shop / output
    path.parent.mkdir(exist_ok=True)
    path.write_text("# Notes\n\nWritten by threatmodel, says this page.\n\nMine.\n", encoding="utf-8")
    before = path.read_bytes()
    code = main(["-m", "model.yaml", "summary"]) if asked == ["summary"] else written(asked, output)
    assert (code, path.read_bytes()) == (2, before)
    assert re.match(rf"{output}: not-replaced: .*--force", capsys.readouterr().err)
    assert [one.name for one in path.parent.iterdir() if one.name.startswith(".")] == []
    assert asked != ["summary"] or list(path.parent.iterdir()) == [path]


@pytest.mark.usefixtures("shop")
def test_an_empty_file_is_written_to() -> None:
    Path("report.md").touch()
    assert main(["-m", "model.yaml", "--report", "-o", "report.md"]) == 0
    assert Path("report.md").stat().st_size


@pytest.mark.parametrize(
    ("arguments", "hint"),
    [
        (["--json", "model.yaml"], "to show a model as JSON: python tm.py -m model.yaml --json"),
        (["--json", "new.yml"], "to show a model as JSON: python tm.py -m new.yml --json"),
        (["--json", "notes"], "name it notes.json"),
        (["--json", "app.py"], "name it app.json"),
        (["--report", "-o", "app.py"], "name the output otherwise"),
        (["--dfd", "-o", "handler.mjs"], "'.mjs' is not a picture format"),
        (["--seq", "-o", "other.yaml"], "name the output otherwise"),
        (["check", "--format", "sarif", "-o", "main.tf"], "name the output otherwise"),
        (["check", "--baseline", "other.yaml", "--write-baseline"], "name the output otherwise"),
    ],
)
@pytest.mark.parametrize("force", [False, True])
def test_no_output_is_named_like_a_source(
    arguments: list[str], hint: str, *, force: bool, shop: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    files = {path: path.read_bytes() for path in shop.iterdir()}
    assert main(["-m", "model.yaml", *arguments, *(["--force"] if force else [])]) == 2
    assert hint in capsys.readouterr().err
    assert {path: path.read_bytes() for path in shop.iterdir()} == files


@pytest.mark.usefixtures("shop")
def test_what_the_run_reads_is_not_replaced_by_force_either(capsys: pytest.CaptureFixture[str]) -> None:
    Path("model").write_text(SMALL, encoding="utf-8")
    assert main(["-m", "model", "--report", "-o", "model", "--force"]) == 2
    assert "output model: unwritable-file: this run reads it" in capsys.readouterr().err
    assert Path("model").read_text(encoding="utf-8") == SMALL


@pytest.mark.usefixtures("shop")
def test_a_baseline_is_brought_up_to_date_and_nothing_else_is_replaced_by_one() -> None:
    kept = ("check", "model.yaml", "--baseline", "kept.json", *TODAY)
    assert main([*kept, "--write-baseline"]) == 0
    assert main([*kept, "--update-baseline"]) == 0
    Path("kept.json").write_text('{"name": "package"}\n', encoding="utf-8")
    assert main([*kept, "--write-baseline"]) == 2
    assert Path("kept.json").read_text(encoding="utf-8") == '{"name": "package"}\n'


# --- links


@pytest.fixture
def repository(shop: Path) -> Path:
    """A repository below a folder that is not its own, as working directory."""
    root = shop / "repository"
    root.mkdir()
    subprocess.run(["git", "init", "-q", str(root)], check=True)
    (root / "model.yaml").write_text(SMALL, encoding="utf-8")
    os.chdir(root)
    return root


LINKS = (
    ("report.md", "../../elsewhere"),
    ("report.md", "../../new"),
    ("report.md", "../.git/config"),
    ("report.md", "../hop"),
    (".", "../outside"),
)


@pytest.mark.parametrize(("name", "target"), LINKS)
def test_nothing_is_written_through_a_link_out_of_the_project(
    name: str, target: str, repository: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    outside = repository.parent
    (outside / "elsewhere").touch()
    (outside / "outside").mkdir()
    (repository / "hop").symlink_to("../elsewhere")
    if name == ".":
        (repository / "build").symlink_to(target)
    else:
        (repository / "build").mkdir()
        (repository / "build" / name).symlink_to(target)
    git = (repository / ".git" / "config").read_bytes()
    for arguments in (["summary"], ["summary", "--force"], ["--report", "-o", "build/report.md"]):
        assert main(["-m", "model.yaml", *arguments]) == 2
        assert re.search("outside-project: the link '.*' leads out of its project", capsys.readouterr().err)
    assert (outside / "elsewhere").stat().st_size == 0
    assert not (outside / "new").exists()
    assert not list((outside / "outside").iterdir())
    assert (repository / ".git" / "config").read_bytes() == git


def test_the_message_shows_where_a_link_and_its_target_differ(
    shop: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    root = shop / "a-long-name-of-a-folder" / "another-long-name-of-a-folder" / "repository"
    (root / ".git").mkdir(parents=True)
    (root.parent / "other.yaml").write_text(SMALL, encoding="utf-8")
    (root / "model.yaml").symlink_to("../other.yaml")
    monkeypatch.chdir(root)
    assert main(["-m", "model.yaml", "--list"]) == 2
    said = capsys.readouterr().err
    assert "the link '…/repository/model.yaml' leads out of its project, to '…/other.yaml'" in said


def test_a_link_that_stays_inside_and_one_that_lies_outside_are_followed(repository: Path) -> None:
    (repository / "real").mkdir()
    (repository / "build").symlink_to("real")
    (repository.parent / "mine").mkdir()
    (repository.parent / "link").symlink_to("mine")
    assert main(["-m", "model.yaml", "--report", "-o", "build/report.md"]) == 0
    assert main(["-m", "model.yaml", "--report", "-o", "../link/report.md"]) == 0
    assert (repository / "real" / "report.md").is_file()
    assert (repository.parent / "mine" / "report.md").is_file()


def test_no_model_is_read_through_a_link_out_of_the_project(
    repository: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (repository.parent / "secret").write_text("password: hunter2\n", encoding="utf-8")
    (repository / "shop.yaml").symlink_to("../secret")
    assert main(["-m", "shop.yaml", "--report"]) == 2
    said = capsys.readouterr().err
    assert said.startswith("shop.yaml: outside-project: the link ")
    assert "hunter2" not in said
    assert main(["-m", "../model.yaml", "--report"]) == 0


@pytest.mark.parametrize(
    ("target", "arguments"),
    [
        ("report.md", ["-m", "model.yaml", "--report", "link"]),
        ("threatlib", ["-m", "model.yaml", "--library", "link", "--list"]),
        ("stacks", ["import", "link"]),
    ],
)
def test_no_template_library_or_folder_is_read_through_a_link_out_of_the_project(
    target: str, arguments: list[str], repository: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "threatlib").mkdir()
    (tmp_path / "stacks").mkdir()
    (tmp_path / "report.md").write_text("{{ model.name }}\nSECRET\n", encoding="utf-8")
    (repository / "link").symlink_to(tmp_path / target)
    assert main(arguments) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("link: outside-project: ")


def test_a_policy_of_a_mounted_volume_is_read(repository: Path, capsys: pytest.CaptureFixture[str]) -> None:
    volume = repository.parent / "volume"
    (volume / "..2026_11_25").mkdir(parents=True)
    (volume / "..2026_11_25" / "policy.yaml").write_text("fail_on: low\n", encoding="utf-8")
    (volume / "..data").symlink_to("..2026_11_25")
    (volume / "policy.yaml").symlink_to("..data/policy.yaml")
    assert main(["check", "model.yaml", "--policy", str(volume / "policy.yaml")]) == 1
    assert capsys.readouterr().err == ""


# --- what git tracks


def commit(root: Path, *names: str) -> None:
    for arguments in (["add", *names], ["-c", "user.name=a", "-c", "user.email=a@b", "commit", "-qm", "a"]):
        subprocess.run(["git", "-C", str(root), *arguments], check=True)


def test_a_tracked_file_is_not_replaced_by_force_and_a_tracked_output_is_without(
    repository: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (repository / "notes.md").write_text("# Mine\n", encoding="utf-8")
    (repository / "other.md").write_text("# Mine\n", encoding="utf-8")
    assert main(["-m", "model.yaml", "--report", "-o", "report.md"]) == 0
    commit(repository, "notes.md", "report.md")
    for force in ([], ["--force"]):
        assert main(["-m", "model.yaml", "--report", "-o", "notes.md", *force]) == 2
        assert "and git tracks it; name another file, or remove this one first" in capsys.readouterr().err
    assert (repository / "notes.md").read_text(encoding="utf-8") == "# Mine\n"
    (repository / "report.md").write_text("edited\n" + (repository / "report.md").read_text(encoding="utf-8"))
    assert main(["-m", "model.yaml", "--report", "-o", "report.md"]) == 0
    assert (repository / "report.md").read_text(encoding="utf-8").startswith("# Threat model")
    assert main(["-m", "model.yaml", "--report", "-o", "other.md", "--force"]) == 0


def test_a_link_to_a_tracked_file_is_no_way_around(repository: Path) -> None:
    (repository / "notes.md").write_text("# Mine\n", encoding="utf-8")
    commit(repository, "notes.md")
    (repository / "link.md").symlink_to("notes.md")
    assert main(["-m", "model.yaml", "--report", "-o", "link.md", "--force"]) == 2
    assert (repository / "notes.md").read_text(encoding="utf-8") == "# Mine\n"


def test_where_git_cannot_be_asked_nothing_is_forced(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (repository / "notes.md").write_text("# Mine\n", encoding="utf-8")
    monkeypatch.setenv("PATH", "")
    assert main(["-m", "model.yaml", "--report", "-o", "notes.md", "--force"]) == 2


# --- the table


def test_the_page_has_every_mark() -> None:
    page = (HOME / "docs" / "outputs.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (?!form|---)(.*?) \| (?!none)", page, re.MULTILINE)
    assert sorted(rows) == sorted(marks.FORMS)


# --- pipes and circles


@pytest.mark.parametrize(
    "command",
    [
        "$TM -m model.yaml --report -o /dev/stdout | tail -1",
        "$TM -m model.yaml --report -o /dev/fd/1 | tail -1",
        "{ $TM -m model.yaml --report -o >(tail -1); } | cat",
        "echo mine > log; $TM -m model.yaml --report -o /dev/stdout >> log; head -1 log | grep -qx mine; tail -1 log",
        "mkfifo p; $TM -m model.yaml --report -o p & tail -1 p",
    ],
)
def test_streams_take_any_output(command: str, shop: Path) -> None:
    done = shell(f"timeout 60 bash -c {shlex.quote(command)}", shop)
    assert (done.returncode, done.stderr) == (0, "")
    assert re.fullmatch(r"Written by threatmodel .*\n", done.stdout), done.stdout


def test_a_new_model_and_a_diagram_without_an_ending_go_to_a_stream(shop: Path) -> None:
    template = (HOME / "examples" / "slack-app" / "template.yaml").read_text(encoding="utf-8")
    (shop / "stack.yaml").write_text(template, encoding="utf-8")
    done = shell("$TM import stack.yaml -o /dev/stdout", shop)
    assert (done.returncode, done.stderr) == (0, "")
    assert "  - {template: stack.yaml}\n" in done.stdout
    assert "wrote" not in done.stdout
    assert "digraph" in shell("$TM -m model.yaml --dfd -o /dev/stdout", shop).stdout


def through_a_pipe(path: str, text: str) -> threading.Thread:
    """A writer that opens a named pipe, as `<(command)` does."""
    os.mkfifo(path)
    writer = threading.Thread(target=lambda: Path(path).write_text(text, encoding="utf-8"), daemon=True)
    writer.start()
    return writer


def test_what_comes_through_a_pipe_is_imported_and_named_by_hand(
    shop: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    writer = through_a_pipe("pipe", (HOME / "examples" / "slack-app" / "template.yaml").read_text(encoding="utf-8"))
    assert main(["import", "pipe", "-o", "new.yaml"]) == 0
    writer.join()
    said = capsys.readouterr()
    assert "name the file under evidence" in said.err
    assert "#   - {template: FILE" in (shop / "new.yaml").read_text(encoding="utf-8")
    assert main(["-m", "new.yaml", "--seq"]) == 0


@pytest.mark.usefixtures("shop")
def test_a_model_comes_through_a_pipe(capsys: pytest.CaptureFixture[str]) -> None:
    writer = through_a_pipe("pipe", SMALL)
    assert main(["-m", "pipe", "--seq"]) == 0
    writer.join()
    assert "Shop" in capsys.readouterr().out


@pytest.mark.slow
@pytest.mark.usefixtures("shop")
@pytest.mark.parametrize("arguments", [["import", "pipe"], ["-m", "pipe", "--seq"], ["init", "--from", "pipe"]])
def test_nothing_waits_for_a_pipe_without_a_writer(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    os.mkfifo("pipe")
    assert main(arguments) == 2
    assert "pipe: unreadable-file: " in capsys.readouterr().err


@pytest.mark.usefixtures("shop")
@pytest.mark.parametrize(
    "arguments", [["import", "a.yaml"], ["init", "--from", "a.yaml"], ["-m", "round.yaml", "--dfd"]]
)
def test_a_circle_of_links_is_refused(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    Path("a.yaml").symlink_to("b.yaml")
    Path("b.yaml").symlink_to("a.yaml")
    Path("round.yaml").write_text(SMALL + "evidence: [{template: a.yaml}]\n", encoding="utf-8")
    assert main(arguments) == 2
    assert re.search("a.yaml: unreadable-file: |: missing-file: |outside-project", capsys.readouterr().err)
