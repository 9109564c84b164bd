"""Where a command writes: files whole or not at all, and never over what it reads or somebody else's report."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

import pytest

from tests.support import HOME
from threatmodel.command.main import main

TODAY = ("--today", "2026-11-25")


def test_json_to_a_file(tmp_path: Path) -> None:
    target = tmp_path / "assessment.json"
    assert main(["--json", str(target), *TODAY]) == 0
    assert json.loads(target.read_text(encoding="utf-8"))["schema_version"] == "2.0"
    assert list(tmp_path.iterdir()) == [target]


@pytest.mark.parametrize("ending", ["svg", "png", "dot"])
def test_dfd_to_a_file(tmp_path: Path, ending: str) -> None:
    target = tmp_path / f"dfd.{ending}"
    assert main(["--dfd", "-o", str(target)]) == 0
    start = {"svg": b"<", "png": b"\x89PNG", "dot": b"digraph"}[ending]
    assert start in target.read_bytes()[:200]


def test_one_picture_a_function(tmp_path: Path) -> None:
    assert main(["--dfd", "-o", f"{tmp_path}/album/"]) == 0
    assert {path.name for path in (tmp_path / "album").iterdir()} == {
        "index.md",
        "overview.svg",
        "order-bot.svg",
        "order-worker.svg",
    }


SMALL = "name: Shop\nuses: [platform.yaml]\nfunctions:\n  order-bot: {}\n"


@pytest.fixture
def small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a model and its platform file, as working directory."""
    (tmp_path / "model.yaml").write_text(SMALL, encoding="utf-8")
    (tmp_path / "platform.yaml").write_text("name: Shared\naccount: {}\n", encoding="utf-8")
    (tmp_path / "link.yaml").symlink_to("model.yaml")
    (tmp_path / "own.md.j2").write_text("{{ model.name }}\n", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.slow
@pytest.mark.parametrize(
    ("arguments", "file"),
    [
        (["--report", "-o", "model.yaml"], "model.yaml"),
        (["--seq", "-o", "./platform.yaml"], "platform.yaml"),
        (["--json", "-o", "link.yaml"], "link.yaml"),
        (["--report", "own.md.j2", "-o", "own.md.j2"], "own.md.j2"),
        (["--list", "-o", str(HOME / "threatlib" / "article.yaml")], str(HOME / "threatlib" / "article.yaml")),
    ],
)
def test_what_a_run_reads_is_not_written(
    arguments: list[str], file: str, small: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = (small / file).read_bytes()
    assert main(["-m", "model.yaml", *arguments]) == 2
    assert re.match(rf"output (\./)?{file}: unwritable-file: this run reads it; .*\n1 problem", capsys.readouterr().err)
    assert (small / file).read_bytes() == before


@pytest.mark.usefixtures("small")
def test_a_model_names_no_pipe(capsys: pytest.CaptureFixture[str]) -> None:
    Path("platform.yaml").unlink()
    os.mkfifo("platform.yaml")
    assert main(["-m", "model.yaml", "--dfd"]) == 2
    said = capsys.readouterr().err
    assert said.startswith(
        "model.yaml:2:8: unreadable-file: 'platform.yaml': this is a pipe or a device; name a file\n"
    )


@pytest.mark.parametrize("output", ["other.json", "-"])
def test_two_outputs_are_a_usage_error(output: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(["--json", "a.json", "-o", output])
    assert stopped.value.code == 2
    assert "name two outputs" in capsys.readouterr().err


@pytest.mark.parametrize("asked", ["--report", "--seq", "--list", "--json", "--pytm", "check"])
@pytest.mark.parametrize("ending", ["png", "svg", "PDF"])
def test_text_is_no_picture(asked: str, ending: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    target = tmp_path / f"x.{ending}"
    assert main([asked, "-o", str(target)]) == 2
    assert f"unknown-format: '.{ending}' is a picture format, but this output is text" in capsys.readouterr().err
    assert not target.exists()


@pytest.mark.slow
def test_summary_writes_three_files_and_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["summary", "--out", str(tmp_path / "build"), *TODAY]) == 0
    text = capsys.readouterr().out
    assert text.startswith("SLACK COMMANDS ON AWS LAMBDA\n")
    assert len(text.splitlines()) < 60
    assert {path.name for path in (tmp_path / "build").iterdir()} == {"report.html", "report.md", "dfd.svg"}


@pytest.mark.slow
def test_the_output_of_summary_is_its_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["summary", "-o", str(tmp_path / "here"), *TODAY]) == 0
    assert {path.name for path in (tmp_path / "here").iterdir()} == {"report.html", "report.md", "dfd.svg"}
    assert str(tmp_path / "here" / "report.html") in capsys.readouterr().out


@pytest.mark.slow
def test_no_report_of_another_model_is_lost(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = str(tmp_path / "build")
    other = ["-m", str(HOME / "tests" / "models" / "bare.yaml")]
    assert main(["summary", "-o", out, *TODAY]) == 0
    before = (tmp_path / "build" / "report.html").read_bytes()
    capsys.readouterr()
    assert main([*other, "summary", "-o", out, *TODAY]) == 2
    said = capsys.readouterr().err
    assert "the file holds the report of another model, 'Slack commands on AWS Lambda'" in said
    assert "--force" in said
    assert (tmp_path / "build" / "report.html").read_bytes() == before
    assert main(["summary", "-o", out, *TODAY]) == 0
    assert main([*other, "summary", "-o", out, "--force", *TODAY]) == 0
    assert b"One function, nothing else stated" in (tmp_path / "build" / "report.html").read_bytes()
