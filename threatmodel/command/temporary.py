"""A temporary folder that is removed however the run ends, short of a kill that no program sees."""

from __future__ import annotations

import shutil
import signal
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

from threatmodel.reading.project import real_path

_ENDING = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name))
"""What ends a run from outside.  Windows has no SIGHUP, and ends a process on SIGTERM without asking it."""


@contextmanager
def temporary_folder(prefix: str) -> Iterator[Path]:
    """Make a folder that is the user's alone, and remove it at the end, also where a signal ends the run.

    The run then ends with 128 and the signal's number.  A signal that comes while the folder is made or removed waits.
    """
    came: list[int] = []
    waiting = True

    def end(number: int, _frame: FrameType | None) -> None:
        came.append(number)
        if not waiting and len(came) == 1:
            raise SystemExit(128 + number)

    ours = threading.current_thread() is threading.main_thread()  # no other may ask for signals
    before = {number: signal.signal(number, end) for number in _ENDING} if ours else {}
    try:
        folder = real_path(Path(tempfile.mkdtemp(prefix=prefix)))
        try:
            waiting = False
            if not came:
                yield folder
        finally:
            waiting = True
            shutil.rmtree(folder, ignore_errors=True)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    if came:
        raise SystemExit(128 + came[0])
