"""The command line as a process: where what it prints goes, what ends it, what it needs to start."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.command.processes import interrupted, shell, tm
from tests.support import HOME


@pytest.mark.slow
def test_the_default_model_is_that_of_the_clone_and_of_no_other_folder(tmp_path: Path) -> None:
    assert tm("--dfd", folder=HOME / "docs").stdout == tm("--dfd").stdout
    elsewhere = tm("check", folder=tmp_path)
    assert (elsewhere.returncode, elsewhere.stdout) == (2, "")
    assert "no-model: no model was found" in elsewhere.stderr


@pytest.mark.slow
def test_a_pipe_that_closes_early_is_no_error() -> None:
    command = f"'{sys.executable}' tm.py --json | head -c 10"
    result = subprocess.run(["bash", "-c", command], cwd=HOME, capture_output=True, text=True, check=False)
    assert result.stderr == ""


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
def test_a_full_disk_is_a_clear_error() -> None:
    result = subprocess.run(
        ["bash", "-c", f"'{sys.executable}' tm.py --list > /dev/full"],
        cwd=HOME,
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 2
    assert "cannot be written" in result.stderr
    assert "Traceback" not in result.stderr


FULL = ["2>/dev/full"] if Path("/dev/full").exists() else []
"""A standard error that takes nothing, where the system has one."""


@pytest.mark.parametrize("asked", ["--list", "--help", "--version"])
def test_a_closed_standard_output_is_a_clear_error(asked: str) -> None:
    done = shell(f"$TM {asked} >&-")
    assert done.returncode == 2
    assert done.stderr == "standard output: unwritable-file: cannot be written: Bad file descriptor\n"


def test_a_closed_standard_output_is_not_needed_for_a_file(tmp_path: Path) -> None:
    done = shell(f"$TM --list -o {tmp_path}/list.txt >&-")
    assert (done.returncode, done.stderr) == (0, "")
    assert (tmp_path / "list.txt").stat().st_size > 1000


@pytest.mark.parametrize("closing", ["2>&-", ">&- 2>&-", "<&- >&- 2>&-", *FULL])
@pytest.mark.parametrize("arguments", ["-m nowhere.yaml --report", "--reprot"])
def test_a_closed_standard_error_changes_no_exit_code(arguments: str, closing: str) -> None:
    done = shell(f"$TM {arguments} {closing}")
    assert (done.returncode, done.stdout, done.stderr) == (2, "", "")


@pytest.mark.slow
@pytest.mark.parametrize("package", ["jinja2", "yaml"])
def test_a_missing_package_is_named(package: str) -> None:
    hidden = (
        f"import runpy, sys; sys.modules[{package!r}] = None; sys.argv = ['tm.py', *sys.argv[1:]]; "
        f"sys.path.insert(0, {str(HOME)!r}); runpy.run_path({str(HOME / 'tm.py')!r}, run_name='__main__')"
    )
    asked = {"jinja2": "--report", "yaml": "--list"}[package]
    done = subprocess.run([sys.executable, "-c", hidden, asked], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr.startswith(f"tm.py: the package '{package}' is missing.\n  fix: ")
    assert "Traceback" not in done.stderr


def test_an_interrupt_ends_quietly(tmp_path: Path) -> None:
    assert interrupted(HOME / "tm.py", tmp_path / "pipe", "--report", "-m", str(tmp_path / "pipe")) == (130, b"", b"")


def test_a_model_may_come_through_a_pipe(tmp_path: Path) -> None:
    (tmp_path / "model.yaml").write_text("name: Shop\nuses: [platform.yaml]\nfunctions: {bot: {}}\n", encoding="utf-8")
    (tmp_path / "platform.yaml").write_text("name: Shared\naccount: {}\n", encoding="utf-8")
    done = shell("$TM -m <(cat model.yaml) --dfd", tmp_path)
    assert "missing-file" in done.stderr  # it was read: only its platform file is elsewhere
    done = shell("$TM -m <(grep -v uses model.yaml) --dfd", tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
