"""`tm check --watch`: the check again whenever a file changes that the last one read."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from threatmodel.command.request import Invocation
from threatmodel.command.settings import OWN, SHARED
from threatmodel.reading.files import Files, shown_path
from threatmodel.reading.home import CONTENT, EXPLAIN
from threatmodel.reading.output import complain, flush
from threatmodel.reading.problems import InputError, render_problems

INTERVAL = 0.5
"""Seconds after which the files are compared again with what was checked."""

Signature = tuple[int, int, int]
"""What differs where a file was written: its time, its size and its number."""


def watched(request: Invocation, check: Callable[[Invocation], int]) -> int:
    """Check, and check again on each change until Ctrl-C; return the exit code of the last check."""
    code, known = 0, dict[Path, Signature | None]()
    try:
        while True:
            before = signatures(known)
            code, read = _once(request, check)
            known = {**signatures({*read, *known}), **before}  # what changed while it was checked is a change
            complain(f"watching {len(known)} files; Ctrl-C ends\n")
            complain(f"\n{shown_path(_changed(known))} changed\n")
    except KeyboardInterrupt:
        complain("\n")
        return code


def _once(request: Invocation, check: Callable[[Invocation], int]) -> tuple[int, set[Path]]:
    """Check once, with the settings of now; return the exit code, and what was read or looked for."""
    files, now = Files(CONTENT), None
    try:
        now = request.again(files)
        code = check(now)
    except InputError as error:
        complain(render_problems(error, files.read, EXPLAIN))
        code = 2
    flush()
    gc.collect()  # collection is off while a command runs
    here = Path.cwd()
    inputs = now.inputs if now is not None else ()
    return code, {*files.paths, *files.absent, here / OWN, here / SHARED, *(here / path for path in inputs)}


def signatures(paths: Iterable[Path]) -> dict[Path, Signature | None]:
    """Return the signature of each file or folder; None for one that is not there."""
    return {path: _signature(path) for path in paths}


def _signature(path: Path) -> Signature | None:
    try:
        found = path.stat()
    except (OSError, ValueError):
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino


def _changed(seen: Mapping[Path, Signature | None]) -> Path:
    """Wait until a file differs from its signature, and return it."""
    while True:
        for path, signature in seen.items():
            if _signature(path) != signature:
                return path
        time.sleep(INTERVAL)
