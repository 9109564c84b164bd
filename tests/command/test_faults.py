"""Faults that no stage foresees: exit code 70 and one line, never 1, which means findings."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support import HOME

pytestmark = pytest.mark.slow

TABLE = "threatmodel/evidence/policies/iam-actions.json"
"""Content that the toolkit brings, and so trusts."""


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A clone to break."""
    for name in ("threatmodel", "models", "threatlib", "examples", "templates"):
        shutil.copytree(HOME / name, tmp_path / name)  # with its byte code, else each test compiles all of it
    shutil.copy(HOME / "tm.py", tmp_path)
    return tmp_path


@pytest.fixture
def broken(clone: Path) -> Path:
    """A clone in which a file of the toolkit's own content is cut off."""
    path = clone / TABLE
    path.write_bytes(path.read_bytes()[:1000])
    return clone


def run(folder: Path, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(folder / "tm.py"), *arguments]
    environment = {**os.environ, **variables}
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


def test_a_fault_of_the_program_is_one_line_and_exit_code_70(broken: Path) -> None:
    done = run(broken, "check")
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (70, "", 1)
    assert done.stderr.startswith("tm.py: internal error: JSONDecodeError at threatmodel/reading/tables.py:")
    assert "report this line and the command" in done.stderr


def test_the_traceback_is_there_for_who_asks(broken: Path) -> None:
    done = run(broken, "check", TM_DEBUG="1")
    assert done.returncode == 70
    assert "Traceback (most recent call last)" in done.stderr
    assert done.stderr.splitlines()[-1].startswith("tm.py: internal error: JSONDecodeError at ")


@pytest.mark.parametrize(
    ("module", "text", "told"),
    [
        ("command/table.py", "x = (", "SyntaxError at threatmodel/command/table.py:1"),
        ("command/main.py", "from threatmodel import nothing", "ImportError at threatmodel/command/main.py:1"),
        ("reading/output.py", "1 / 0", "ZeroDivisionError at threatmodel/reading/output.py:1"),
        ("reading/home.py", None, "ModuleNotFoundError at threatmodel/__main__.py:"),
        ("graph/derived.py", "1 / 0", "ZeroDivisionError at threatmodel/graph/derived.py:1"),
    ],
)
def test_a_module_that_cannot_be_imported_is_a_fault(clone: Path, module: str, text: str | None, told: str) -> None:
    path = clone / "threatmodel" / module
    if text is None:
        path.unlink()
    else:
        path.write_text(text, encoding="utf-8")
    done = run(clone, "check")
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (70, "", 1)
    assert f": internal error: {told}" in done.stderr
    assert "Traceback (most recent call last)" in run(clone, "check", TM_DEBUG="1").stderr


def test_a_clone_without_its_door_is_a_fault(clone: Path) -> None:
    (clone / "threatmodel" / "__main__.py").unlink()
    done = run(clone, "check")
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (70, "", 1)
    assert done.stderr.startswith("tm.py: the folder threatmodel/ is incomplete")


@pytest.mark.skipif(sys.platform == "win32", reason="limits of a process are the system's")
def test_memory_that_runs_out_is_no_finding(tmp_path: Path) -> None:
    model = tmp_path / "model.yaml"
    model.write_text("name: x\nfunctions:\n" + "".join(f"  f{n}: {{}}\n" for n in range(100_000)), encoding="utf-8")
    limited = (
        "import resource, sys, yaml, threatmodel.__main__, threatmodel.command.main, threatmodel.command.checking; "
        "used = int(open('/proc/self/statm').read().split()[0]) * resource.getpagesize(); "
        "resource.setrlimit(resource.RLIMIT_AS, (used + 60_000_000,) * 2); "
        "sys.exit(threatmodel.__main__.run())"
    )
    if not Path("/proc/self/statm").exists():
        pytest.skip("needs /proc to know how much memory is used")
    command = [sys.executable, "-c", limited, "-m", str(model), "check"]
    done = subprocess.run(command, cwd=HOME, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (70, "")
    assert done.stderr.startswith("tm.py: internal error: MemoryError at ")


LONG = "x" * 300


@pytest.mark.parametrize(
    "arguments",
    [
        f"-m {LONG} --dfd",
        f"-m docs/example.yaml --report -o {LONG}",
        f"-m docs/example.yaml --report {LONG}",
        f"--json {LONG}",
        f"summary --out {LONG}",
        f"import {LONG}",
        f"import examples/slack-app/template.yaml -o {LONG}",
        f"import examples/slack-app/template.yaml --update {LONG}",
        f"--library {LONG} --list",
        f"probe {LONG}.py:handler",
        f"new handler order-bot --to {LONG}",
    ],
)
def test_a_name_that_is_too_long_is_what_is_blamed(arguments: str) -> None:
    done = run(HOME, *arguments.split())
    assert (done.returncode, done.stdout) == (2, "")
    assert LONG[:200] in done.stderr.replace("output ", "")
    assert "standard output" not in done.stderr


def test_code_that_is_a_circle_of_links_is_no_folder(tmp_path: Path) -> None:
    shutil.copy(HOME / "examples" / "slack-app" / "order-bot.probe.json", tmp_path / "probe.json")
    (tmp_path / "circle").symlink_to("circle")
    text = "name: x\nevidence: [{probe: probe.json, function: bot, code: circle}]\nfunctions: {bot: {}}\n"
    (tmp_path / "model.yaml").write_text(text, encoding="utf-8")
    done = run(HOME, "-m", str(tmp_path / "model.yaml"), "check")
    assert done.returncode == 2
    assert "circle: missing-file: there is no such folder" in done.stderr


def test_an_address_may_hold_any_letter() -> None:
    done = run(HOME, "probe", "http://127.0.0.1:9/Bestellung/ä?ö=ü", SLACK_SIGNING_SECRET="s")
    assert done.returncode == 2
    assert "cannot-probe: the handler cannot be reached" in done.stderr


@pytest.mark.skipif(sys.platform == "win32", reason="a folder in use stays there")
@pytest.mark.parametrize("arguments", ["check", "--list", "new threat x"])
def test_a_working_directory_that_is_gone_is_told(tmp_path: Path, arguments: str) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    code = "import os, sys; os.rmdir(os.getcwd()); from threatmodel.__main__ import run; sys.exit(run())"
    command = [sys.executable, "-c", code, *arguments.split()]
    done = subprocess.run(
        command, cwd=gone, env={**os.environ, "PYTHONPATH": str(HOME)}, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(".: missing-file: the working directory no longer exists")
