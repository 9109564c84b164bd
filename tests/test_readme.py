"""The README does what it says: its commands are run, its output is compared, its five lines are added.

What the probe says of the two handlers is compared in tests/probe/test_side_by_side.py, where both are run.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support import HOME

pytestmark = pytest.mark.slow

README = HOME / "README.md"
BLOCK = re.compile(r"```(console|yaml)\n(.*?)```\n", re.DOTALL)


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A copy of what a reader has after cloning, as far as the commands need it."""
    for name in ("models", "threatlib", "threatmodel", "templates", "examples"):
        shutil.copytree(HOME / name, tmp_path / name)
    shutil.copy(HOME / "tm.py", tmp_path / "tm.py")
    return tmp_path


def commands(block: str) -> Iterator[str]:
    for line in block.splitlines():
        if line.startswith("$ "):
            yield line.removeprefix("$ ")


def run(command: str, folder: Path) -> str:
    """A command's output, as of the day on which the README was last written."""
    command = re.sub(r"^python3 dev.py report", "python tm.py summary", command)
    command = re.sub(r"^python (\S+)", rf"'{sys.executable}' \1 --today 2026-11-25", command)
    result = subprocess.run(
        ["bash", "-c", command],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "COLUMNS": "100"},
    )
    assert result.stderr == ""
    return result.stdout


def test_readme(clone: Path, request: pytest.FixtureRequest) -> None:
    text = README.read_text(encoding="utf-8")
    written = text
    for kind, block in BLOCK.findall(text):
        if kind == "yaml" and block.startswith("  refund-bot:"):
            model = clone / "models" / "slack-lambda.yaml"
            lines = model.read_text(encoding="utf-8")
            assert block.count("\n") == 5
            model.write_text(lines.replace("functions:\n", f"functions:\n{block}", 1), encoding="utf-8")
        elif kind == "console" and " probe " not in block:
            printed = "".join(f"$ {command}\n{run(command, clone)}" for command in commands(block))
            written = written.replace(block, printed)
    if request.config.getoption("--update-golden"):
        README.write_text(written, encoding="utf-8")
    assert README.read_text(encoding="utf-8") == written
