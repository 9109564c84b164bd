"""Commands: a module each, named in one table, and imported only where it was asked for."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.support import HOME
from threatmodel.command.table import COMMANDS, OPTIONS, command, module_of, option, parser

SHARED = {
    "given_answers",
    "__init__",
    "answering",
    "arguments",
    "baselines",
    "checking",
    "config_file",
    "drawing",
    "fault",
    "main",
    "request",
    "reprobing",
    "revisions",
    "temporary",
    "watching",
    "settings",
    "table",
}
"""Modules of the folder that are no command."""


def test_every_module_is_in_the_table() -> None:
    modules = {path.stem for path in (HOME / "threatmodel" / "command").glob("*.py")} - SHARED
    assert modules == {module_of(name).rpartition(".")[2] for name in (*COMMANDS, *OPTIONS)}
    assert all(command(name).run.__doc__ for name in COMMANDS)
    assert all(option(name).run.__doc__ for name in OPTIONS)


def imported(*arguments: str) -> set[str]:
    """The modules that a run of tm.py imports."""
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "tm.py", *arguments],
        cwd=HOME,
        capture_output=True,
        text=True,
        check=True,
    )
    return {line.rpartition("|")[2].strip() for line in done.stderr.splitlines() if line.startswith("import time:")}


@pytest.fixture
def bare(tmp_path: Path) -> str:
    """A model without evidence."""
    path = tmp_path / "model.yaml"
    path.write_text("name: Shop\nfunctions: {order-bot: {}}\n", encoding="utf-8")
    return str(path)


def test_a_picture_needs_no_other_command_and_no_library(bare: str) -> None:
    found = imported("-m", bare, "--dfd")
    ours = {name for name in found if name.startswith("threatmodel.")}
    for package in ("library", "assessment", "evidence", "stacks", "probe", "authoring", "pytm_model"):
        assert not {name for name in ours if name.startswith(f"threatmodel.{package}")}
    assert not {module_of(name) for name in COMMANDS} & found
    assert not {"jinja2", "pytm", "pydantic", "asyncio", "tempfile", "importlib.metadata"} & found


def test_a_command_s_options_are_declared_where_it_is_asked_for() -> None:
    assert parser(["check"]).parse_args(["check", "--fail-on", "low"]).fail_on == "low"
    assert not any(name.startswith("threatmodel.authoring") for name in imported("schema", "model"))
