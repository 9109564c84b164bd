"""`tm check --watch`: a check again for each change of what it read, until Ctrl-C."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.refusals import write
from tests.support import HOME
from threatmodel.command.main import main

TEMPLATE = (
    "Resources:\n  Bot:\n    Type: AWS::Lambda::Function\n    Properties:\n      Runtime: python3.13\n"
    "      Handler: a.b\n      Role: x\n      Code: {ZipFile: x}\n"
)
MODEL = "name: Shop\nevidence: [{template: template.yaml}]\nfunctions: {bot: {}}\n"


@pytest.fixture(autouse=True)
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / ".git").mkdir()
    monkeypatch.chdir(tmp_path)
    write("template.yaml", TEMPLATE)
    write("threatmodel.yaml", MODEL)


def edits(*steps: Callable[[], object]) -> Callable[[float], None]:
    """A pause in which the next edit is made, then Ctrl-C."""
    left: Iterator[Callable[[], object]] = iter(steps)

    def pause(_: float) -> None:
        step = next(left, None)
        if step is None:
            raise KeyboardInterrupt
        step()

    return pause


def watch(pause: Callable[[float], None], monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    monkeypatch.setattr("time.sleep", pause)  # the standard library's clock, and nothing of ours
    return main(["check", "--watch", *arguments])


def changed(capsys: pytest.CaptureFixture[str]) -> list[str]:
    return [line.removesuffix(" changed") for line in capsys.readouterr().err.splitlines() if line.endswith(" changed")]


def test_each_file_that_was_read_is_watched(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    pause = edits(
        lambda: None,  # nothing changes: no check
        lambda: write("template.yaml", TEMPLATE.replace("python3.13", "python3.9")),
        lambda: write("other.txt", "not read"),
        lambda: write("threatmodel.yaml", MODEL.replace("Shop", "Shop 2")),
        lambda: write(".threatmodel.toml", "fail-on = 'critical'\n"),
        lambda: write(".threatmodel.toml", "fail-on = 'low'\n"),
    )
    assert watch(pause, monkeypatch) == 1
    out, err = capsys.readouterr()
    assert out.count("Shop") >= 4
    assert "weaker-setting" in err
    names = [line.removesuffix(" changed") for line in err.splitlines() if line.endswith(" changed")]
    assert names == ["template.yaml", "threatmodel.yaml", ".threatmodel.toml", ".threatmodel.toml"]


def test_a_file_that_is_broken_or_gone_is_watched_until_it_is_back(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    pause = edits(
        lambda: write("threatmodel.yaml", "name: [\n"),
        lambda: write("threatmodel.yaml", MODEL),
        lambda: Path("template.yaml").unlink(),
        lambda: write("template.yaml", TEMPLATE),
    )
    assert watch(pause, monkeypatch) == 1
    assert changed(capsys) == ["threatmodel.yaml"] * 2 + ["template.yaml"] * 2


def test_a_first_check_that_finds_no_file_waits_for_it(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    Path("template.yaml").unlink()
    assert watch(edits(lambda: write("template.yaml", TEMPLATE)), monkeypatch) == 1
    assert changed(capsys) == ["template.yaml"]


def test_its_own_output_is_no_change(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    pause = edits(lambda: write("template.yaml", TEMPLATE + "# more\n"), lambda: None, lambda: None)
    assert watch(pause, monkeypatch, "--format", "sarif", "-o", "out.sarif") == 1
    assert changed(capsys) == ["template.yaml"]


@pytest.mark.parametrize("option", ["--write-baseline", "--update-baseline"])
def test_it_only_checks(option: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["check", "--watch", "--baseline", "known.json", option])
    assert "--watch only checks" in capsys.readouterr().err


@pytest.fixture
def ctrl_c() -> Iterator[None]:
    """A shell makes what it starts in the background ignore the signal, and children would inherit that."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("ctrl_c")
@pytest.mark.skipif(os.name == "nt", reason="Ctrl-C is a signal elsewhere")
def test_ctrl_c_ends_it_with_the_exit_code_of_the_last_check() -> None:
    command = [sys.executable, str(HOME / "tm.py"), "check", "--watch"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as running:
        assert running.stderr is not None
        while not running.stderr.readline().startswith("watching "):
            pass
        write("template.yaml", TEMPLATE.replace("python3.13", "python3.9"))
        while not running.stderr.readline().startswith("watching "):
            pass
        running.send_signal(signal.SIGINT)
        _, err = running.communicate()
    assert (running.returncode, "Traceback" in err) == (1, False)
