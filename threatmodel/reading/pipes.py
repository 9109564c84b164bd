"""Reading from pipes, as a shell's ``<(command)`` makes them, without waiting forever for a writer that never comes."""

from __future__ import annotations

import os
import select
import time
from pathlib import Path

_WRITER = 5
"""Seconds for which a pipe may be without a writer."""
_SILENCE = 300
"""Seconds for which a writer may write nothing: what it runs may take a while."""
_PIECE = 1 << 16


def from_pipe(path: Path, most: int) -> bytes:
    """Return what a pipe gives until its writers end, at most `most` bytes.

    Raises TimeoutError where nothing opens it for writing, or what does writes nothing; other kinds of OSError.
    """
    handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    try:
        found = bytearray()
        opened, until = False, time.monotonic() + _WRITER
        while len(found) < most:
            try:
                piece = os.read(handle, min(_PIECE, most - len(found)))
            except BlockingIOError:  # a writer is there, and writes nothing yet
                opened = True
                if not select.select([handle], [], [], _SILENCE)[0]:
                    raise TimeoutError(0, f"what writes to this pipe wrote nothing for {_SILENCE} seconds") from None
                continue
            if not piece and (opened or time.monotonic() > until):
                break
            opened = opened or bool(piece)
            found += piece
            if not piece:
                time.sleep(0.01)
        if not opened:
            raise TimeoutError(0, f"nothing wrote to this pipe for {_WRITER} seconds")
        return bytes(found)
    finally:
        os.close(handle)
