"""What a shell is told when somebody presses Tab."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support import HOME
from threatmodel.command.main import main

WITHOUT = "import runpy, sys; sys.modules['argcomplete'] = None; sys.argv = ['tm.py', *sys.argv[1:]]; "
RUN = f"sys.path.insert(0, {str(HOME)!r}); runpy.run_path({str(HOME / 'tm.py')!r}, run_name='__main__')"


def told(line: str, folder: Path, program: str = RUN) -> tuple[int, list[str]]:
    """The exit code, and what could stand next in a line."""
    answer = folder / "answer"
    asked = {
        "_ARGCOMPLETE": "1",
        "_ARGCOMPLETE_STDOUT_FILENAME": str(answer),
        "_ARGCOMPLETE_IFS": "\n",
        "_ARGCOMPLETE_SUPPRESS_SPACE": "1",
        "COMP_LINE": line,
        "COMP_POINT": str(len(line.encode())),
        "COMP_TYPE": "9",
    }
    command = [sys.executable, "-c", f"import runpy, sys; {program}"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=HOME, env={**os.environ, **asked})
    assert (done.stdout, done.stderr) == ("", "")
    return done.returncode, answer.read_text(encoding="utf-8").split("\n") if answer.exists() else []


@pytest.mark.slow
@pytest.mark.parametrize(
    ("line", "some"),
    [
        ("tm che", ["check"]),
        ("tm --dfd --foc", ["--focus"]),
        ("tm explain slack-request-", ["slack-request-forgery", "slack-request-signing"]),
        ("tm check --exclude slack-request-f", ["slack-request-forgery"]),
        ("tm --exclude denial-of-wallet,slack-request-f", ["denial-of-wallet,slack-request-forgery"]),
        ("tm --dfd --focus order-b", ["order-bot"]),
        ("tm -m docs/example.yaml --dfd --focus b", ["booker"]),
        ("tm --describe qu", ["queue"]),
        ("tm new handler order", ["order-bot"]),
        ("tm new control x --threat slack-request-f", ["slack-request-forgery"]),
        ("tm completion z", ["zsh"]),
    ],
)
def test_what_could_stand_next(line: str, some: list[str], tmp_path: Path) -> None:
    code, words = told(line, tmp_path)
    assert code == 0
    assert set(some) <= set(words)
    assert all(word.startswith(line.rpartition(" ")[2]) for word in words)


@pytest.mark.slow
@pytest.mark.parametrize(
    "line",
    [
        "tm --library {} explain thing-",
        "tm explain --library {} thing-",
        "tm --library={} check --exclude thing-",
        "tm new control x --library {} --threat thing-",
        "tm --library {} explain --library {} thing-",
    ],
)
def test_ids_of_a_library_on_top_are_completed(line: str, tmp_path: Path) -> None:
    text = (HOME / "threatlib/threats/denial-of-service/api-flood.yaml").read_text(encoding="utf-8")
    own = tmp_path / "own" / "threats" / "denial-of-service"
    own.mkdir(parents=True)
    (own / "thing-of-ours.yaml").write_text(text.replace("id: api-flood", "id: thing-of-ours"), encoding="utf-8")
    assert told(line.replace("{}", str(tmp_path / "own")), tmp_path) == (0, ["thing-of-ours"])


@pytest.mark.parametrize("line", ["tm -m nowhere.yaml --dfd --focus or", "tm nonsense x"])
def test_what_cannot_be_read_completes_nothing(line: str, tmp_path: Path) -> None:
    assert told(line, tmp_path) == (0, [""])


def test_without_the_package_nothing_runs(tmp_path: Path) -> None:
    assert told("tm check", tmp_path, WITHOUT + RUN) == (1, [])


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish", "powershell"])
def test_a_shell_is_told_how(shell: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["completion", shell]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    assert "_ARGCOMPLETE" in out


def test_the_package_is_asked_for(golden: Callable[[str, str], None]) -> None:
    command = [sys.executable, "-c", WITHOUT + RUN, "completion", "bash"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    golden("bad-input/missing-package.txt", done.stderr)
