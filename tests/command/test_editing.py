"""Several processes that edit one model or baseline: what each reported as written is in it."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support import HOME


@pytest.mark.slow
def test_of_answers_at_the_same_time_none_is_lost(tmp_path: Path) -> None:
    model = tmp_path / "model.yaml"
    names = [f"bot-{at}" for at in range(6)]
    bots = "".join(f"  {name}: {{}}\n" for name in names)
    model.write_text(f"name: Shop\nfunctions:\n{bots}", encoding="utf-8")
    answers = [f"{name}.uses_layers=n" for name in names]
    running = [
        subprocess.Popen(
            [sys.executable, str(HOME / "tm.py"), "-m", "model.yaml", "ask", "--set", answer],
            cwd=tmp_path,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        for answer in answers
    ]
    said = [(one.communicate()[0], one.returncode) for one in running]
    assert [code for _, code in said] == [0] * len(answers), said
    text = model.read_text(encoding="utf-8")
    for name in names:
        assert re.search(rf"{name}:\s+uses_layers: false", text), text
    assert [path.name for path in tmp_path.iterdir()] == ["model.yaml"]


MODELS = [f"m{at}.yaml" for at in range(4)]
TODAY = ("--today", "2026-11-25")


def start(*arguments: str, folder: Path) -> subprocess.Popen[str]:
    """`tm check` with a baseline, started in a folder."""
    command = [sys.executable, str(HOME / "tm.py"), "check", *arguments, "--baseline", "b.json", *TODAY]
    return subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


@pytest.fixture
def systems(tmp_path: Path) -> Path:
    """A folder with small models."""
    for at, name in enumerate(MODELS):
        (tmp_path / name).write_text(f"name: Shop {at}\nfunctions: {{bot: {{}}}}\n", encoding="utf-8")
    return tmp_path


def in_baseline(folder: Path) -> set[str]:
    return set(json.loads((folder / "b.json").read_text(encoding="utf-8"))["models"])


@pytest.mark.slow
def test_of_updates_of_a_baseline_at_the_same_time_none_is_lost(systems: Path) -> None:
    assert start(MODELS[0], "--write-baseline", folder=systems).communicate()
    running = [start(name, "--update-baseline", folder=systems) for name in MODELS]
    said = [(one.communicate(), one.returncode) for one in running]
    assert {code for _, code in said} == {0}, said
    assert in_baseline(systems) == set(MODELS)
    assert {path.name for path in systems.iterdir()} == {*MODELS, "b.json"}


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="locks are kept beside the file there")
def test_an_update_waits_for_another_one_and_keeps_what_that_has_written(systems: Path) -> None:
    import fcntl

    for option, names in (("--write-baseline", MODELS[:1]), ("--update-baseline", MODELS[1:2])):
        assert start(*names, option, folder=systems).communicate()
    both = (systems / "b.json").read_bytes()
    (systems / "b.json").unlink()
    assert start(MODELS[2], "--write-baseline", folder=systems).communicate()
    with (systems / "b.json").open("r+b") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        running = start(MODELS[2], "--update-baseline", folder=systems)
        assert running.stdout is not None
        assert running.stdout.readline(), "it has read the baseline, and the results are there"
        file.truncate()
        file.write(both)
    assert (running.communicate()[1], running.returncode) == ("b.json: baseline of 1 model\n", 0)
    assert in_baseline(systems) == set(MODELS[:3])


@pytest.mark.slow
def test_of_new_baselines_at_the_same_time_each_is_written_or_refused(systems: Path) -> None:
    running = [start(name, "--write-baseline", folder=systems) for name in MODELS]
    said = [(one.communicate()[1], one.returncode) for one in running]
    written = {name for name, (_, code) in zip(MODELS, said, strict=True) if code == 0}
    assert in_baseline(systems) == written
    assert len(written) == 1
    assert all("b.json: already-exists: " in text for text, code in said if code), said


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="a file that is open stays there")
def test_an_update_of_a_baseline_that_is_gone_by_then_is_refused(systems: Path) -> None:
    import fcntl

    assert start(MODELS[0], "--write-baseline", folder=systems).communicate()
    with (systems / "b.json").open("rb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        running = start(MODELS[0], "--update-baseline", folder=systems)
        assert running.stdout is not None
        assert running.stdout.readline()
        (systems / "b.json").unlink()
    assert running.communicate()[1].startswith("b.json: file-changed: ")
    assert running.returncode == 2
