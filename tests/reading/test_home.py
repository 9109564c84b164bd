"""Which toolkit runs, and from where: a clone, or an installed package with its content inside."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support import HOME
from threatmodel import __version__

Golden = Callable[[str, str], None]
FOLDERS = ("threatlib", "templates", "models", "examples", "docs")


@pytest.fixture
def packages(tmp_path: Path) -> Path:
    """A folder with the package as a wheel lays it out."""
    folder = tmp_path / ".local" / "lib"
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(HOME / "threatmodel", folder / "threatmodel", ignore=ignored)
    for name in FOLDERS:
        shutil.copytree(HOME / name, folder / "threatmodel" / "content" / name, ignore=ignored)
    return folder


def tm(packages: Path, cwd: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(packages)}
    command = [sys.executable, "-P", "-m", "threatmodel", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd=cwd, env=environment)


def general(text: str, folder: Path) -> str:
    """A message without what differs from one machine and release to the next."""
    return text.replace(str(folder), "/home/me").replace(f"tm {__version__}", "tm 1.2.3")


def clone_of(version: str, folder: Path) -> Path:
    (folder / "threatlib").mkdir(parents=True)
    (folder / "threatmodel").mkdir()
    (folder / "tm.py").touch()
    (folder / "threatmodel" / "__init__.py").write_text(f'__version__ = "{version}"\n', encoding="utf-8")
    return folder


def test_version_says_where_it_comes_from(packages: Path, tmp_path: Path) -> None:
    clone = subprocess.run([sys.executable, HOME / "tm.py", "--version"], capture_output=True, text=True, check=False)
    assert clone.stdout == f"tm.py {__version__} (the clone {HOME})\n"
    assert tm(packages, tmp_path, "--version").stdout == f"tm {__version__} (installed in {packages})\n"


@pytest.mark.parametrize("name", FOLDERS)
def test_a_package_without_part_of_its_content(name: str, packages: Path, tmp_path: Path, golden: Golden) -> None:
    shutil.rmtree(packages / "threatmodel" / "content" / name)
    done = tm(packages, tmp_path, "--list")
    assert (done.returncode, done.stdout) == (2, "")
    golden("bad-input/content-missing.txt", general(done.stderr, tmp_path).replace(f"own {name} ", "own threatlib "))


def test_a_package_without_any_content(packages: Path, tmp_path: Path) -> None:
    shutil.rmtree(packages / "threatmodel" / "content")
    done = tm(packages, tmp_path, "--report")
    assert (done.returncode, done.stdout) == (2, "")
    assert all(name in done.stderr for name in ("content-missing", *FOLDERS))


def test_inside_a_clone_of_another_version(packages: Path, tmp_path: Path, golden: Golden) -> None:
    clone = clone_of("9.9.9", tmp_path / "clone")
    for cwd in (clone, clone / "threatlib"):
        done = tm(packages, cwd, "--list")
        assert (done.returncode, done.stdout) == (2, "")
        golden("bad-input/other-version.txt", general(done.stderr, tmp_path))
    assert tm(packages, clone, "--version").returncode == 0


@pytest.mark.slow
def test_inside_a_clone_of_the_same_version(packages: Path, tmp_path: Path) -> None:
    assert tm(packages, clone_of(__version__, tmp_path / "clone") / "threatlib", "--list").returncode == 0


@pytest.mark.slow
@pytest.mark.parametrize("unreadable", [b"\xff", b"", b"__version__ = other()\n"])
def test_what_is_no_clone_does_no_harm(unreadable: bytes, packages: Path, tmp_path: Path) -> None:
    clone = clone_of("9.9.9", tmp_path / "clone")
    (clone / "threatmodel" / "__init__.py").write_bytes(unreadable)
    assert tm(packages, clone, "--list").returncode == 0
