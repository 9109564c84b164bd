#!/usr/bin/env python3
"""Breaks a module, or the modules of a folder, in one place at a time, and prints what no test notices.

    .venv/bin/python scripts/break_code.py MODULE TEST... [--rate R] [--seed N] [--minutes M] [--seconds S] [--list]

Broken code runs in a copy of the project only.  Tests are collected once; each change is made in a fork: in the
functions that the tests hold, and in the file, for the processes that tests start.  A fork runs the tests that reach
the broken line or start Python.  A change outside functions is tried in a new process.  Exit code: 1 if a change
went unnoticed.  Figures of a whole run are in docs/maintainers/mutation-tests.md.

This breaks the engine's own code; scripts/mutants.py weakens templates.
"""

from __future__ import annotations

import argparse
import math
import os
import random
import shutil
import signal
import sys
import tempfile
from pathlib import Path

import pytest

HOME = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(HOME))  # started as a script, it finds its own folder's packages

from scripts.breaking.changes import changes  # noqa: E402
from scripts.breaking.forks import Breaking, Broken  # noqa: E402

LEFT_OUT = shutil.ignore_patterns(".git", ".venv", "__pycache__", ".*_cache")


def main() -> int:
    """Break modules of a copy of the project, and print what went unnoticed."""
    given = _arguments()
    files = sorted((HOME / given.module).rglob("*.py")) if (HOME / given.module).is_dir() else [HOME / given.module]
    modules = [file.relative_to(HOME) for file in files]
    every = [Broken(one, change) for one in modules for change in changes((HOME / one).read_text(encoding="utf-8"))]
    if given.list:
        print("\n".join(f"{one.module}:{one.change.line}: {one.change.what}" for one in every))
        return 0
    random.Random(given.seed).shuffle(every)  # noqa: S311 - what is made before the time is up is an even sample
    chosen = every[: math.ceil(len(every) * given.rate)]
    for one in (
        signal.SIGINT,
        signal.SIGTERM,
    ):  # both end as Ctrl-C does, also where a shell ignores it: nothing is left
        signal.signal(one, signal.default_int_handler)
    with tempfile.TemporaryDirectory(prefix="tm-break-", ignore_cleanup_errors=True) as folder:
        copy = Path(folder) / "project"
        shutil.copytree(HOME, copy, ignore=LEFT_OUT, symlinks=True)
        os.chdir(copy)
        sys.path[:] = [str(copy), *(path for path in sys.path if path and Path(path).resolve() != HOME)]
        for name in [name for name in sys.modules if name == "scripts" or name.startswith("scripts.")]:
            del sys.modules[name]  # tests import those of the copy
        common = ["-q", "-x", "-p", "no:cacheprovider", f"--basetemp={folder}/tests", "-m", "not long"]
        chosen = [Broken(copy / one.module, one.change) for one in chosen]
        plugin = Breaking([copy / one for one in modules], chosen, Path(folder) / "trace", given, common)
        here = os.getpid()
        code = pytest.main([*common, *given.tests], [plugin])
        if os.getpid() != here:
            os._exit(int(code))  # a fork that ran the tests
        if code != pytest.ExitCode.OK:
            return 2
    for one in modules:
        counts = [sum(copy / one == broken.module for broken in some) for some in (plugin.made, plugin.survived)]
        whole = sum(one == broken.module for broken in every)
        print(f"\n{one}: {whole} changes, {counts[0]} made, {counts[0] - counts[1]} noticed, {counts[1]} not")
    return 1 if plugin.survived else 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("module", type=Path, metavar="MODULE", help="a module, or a folder of modules")
    parser.add_argument("tests", nargs="*", metavar="TEST", help="files of tests that reach it")
    parser.add_argument("--minutes", type=float, default=60, metavar="M", help="stop after so long, with what was made")
    parser.add_argument("--seconds", type=int, default=30, metavar="S", help="processor time for the tests of a change")
    parser.add_argument(
        "--rate", type=float, default=1, metavar="R", help="the part of the changes to make (default: 1)"
    )
    parser.add_argument("--seed", type=int, default=1, metavar="N", help="of the order of the changes (default: 1)")
    parser.add_argument("--list", action="store_true", help="print the changes and make none")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
