#!/usr/bin/env python3
"""Breaks a module in one place at a time, and prints the changes that no test notices.

    .venv/bin/python scripts/break_code.py MODULE TEST... [--minutes M] [--seconds S] [--list]

Broken code runs in a copy of the project only.  Tests are collected once; each change is made in a fork: in the
functions that the tests hold, and in the file, for the processes that tests start.  A fork runs the tests that reach
the broken line or start Python.  A change outside functions is tried in a new process.  Exit code: 1 if a change
went unnoticed.  Figures of a whole run are in docs/maintainers/mutation-tests.md.

This breaks the engine's own code; scripts/mutants.py weakens templates.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import sys
import tempfile
from pathlib import Path

import pytest

HOME = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(HOME))  # started as a script, it finds its own folder's packages

from scripts.breaking.changes import changes  # noqa: E402
from scripts.breaking.forks import Breaking  # noqa: E402

LEFT_OUT = shutil.ignore_patterns(".git", ".venv", "__pycache__", ".*_cache")


def main() -> int:
    """Break a module of a copy of the project, and say what went unnoticed."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("module", type=Path)
    parser.add_argument("tests", nargs="*")
    parser.add_argument("--minutes", type=float, default=60, metavar="M", help="stop after so long, with what was made")
    parser.add_argument("--seconds", type=int, default=30, metavar="S", help="processor time of the tests at most")
    parser.add_argument("--list", action="store_true", help="print the changes and make none")
    given = parser.parse_args()
    every = list(changes((HOME / given.module).read_text(encoding="utf-8")))
    if given.list:
        print("\n".join(f"{given.module}:{change.line}: {change.what}" for change in every))
        return 0
    random.Random(1).shuffle(every)  # noqa: S311 - what is made before the time is up is an even sample
    with tempfile.TemporaryDirectory(prefix="tm-break-", ignore_cleanup_errors=True) as folder:
        copy = Path(folder) / "project"
        shutil.copytree(HOME, copy, ignore=LEFT_OUT, symlinks=True)
        os.chdir(copy)
        sys.path[:] = [str(copy), *(path for path in sys.path if path and Path(path).resolve() != HOME)]
        for name in [name for name in sys.modules if name == "scripts" or name.startswith("scripts.")]:
            del sys.modules[name]  # tests import those of the copy
        common = ["-q", "-x", "-p", "no:cacheprovider", f"--basetemp={folder}/tests", "-m", "not slow and not long"]
        arguments = [*common, *given.tests]
        plugin = Breaking(copy / given.module, Path(folder) / "trace", every, given, arguments)
        here = os.getpid()
        code = pytest.main(arguments, [plugin])
        if os.getpid() != here:
            os._exit(int(code))  # a fork that ran the tests
        if code not in {pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED}:
            return 2
    noticed = plugin.made - len(plugin.survived)
    print(f"\n{given.module}: {len(every)} changes, {plugin.made} made, {noticed} noticed, {len(plugin.survived)} not")
    return 1 if plugin.survived else 0


if __name__ == "__main__":
    sys.exit(main())
