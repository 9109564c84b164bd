"""What a run imports: start-up is a feature, and a module that nothing needs is time that every run takes."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.support import HOME

SLOW = {"bz2", "calendar", "dataclasses", "difflib", "inspect", "jinja2", "pydantic", "pytm", "shutil", "yaml"}
"""Modules that take long to import."""


@pytest.mark.parametrize(
    ("arguments", "used"),
    [(["check"], {"yaml"}), (["--dfd"], {"yaml", "inspect", "shutil", "bz2"}), (["--version"], {"yaml"})],
)
def test_nothing_slow_is_imported_for_nothing(arguments: list[str], used: set[str]) -> None:
    code = (
        "import sys; before = set(sys.modules); from threatmodel.__main__ import run\n"
        f"try: run({arguments!r})\n"
        "except SystemExit: pass\n"
        "print(*sorted(set(sys.modules) - before), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=HOME, capture_output=True, text=True, check=True)
    assert SLOW & set(done.stderr.split()) <= used


def test_a_process_ends_at_once_after_its_exit_functions_and_with_all_its_output() -> None:
    code = (
        "import atexit, sys; sys.argv[1:] = ['--dfd']; atexit.register(print, '// ended')\n"
        "class Kept:\n"
        "    def __del__(self): print('freed')\n"
        "from threatmodel.__main__ import start; kept = Kept(); start()"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=HOME, capture_output=True, text=True, check=True)
    assert done.stdout.rstrip().endswith("}\n// ended")
    assert done.stdout.startswith("// Written by threatmodel")
