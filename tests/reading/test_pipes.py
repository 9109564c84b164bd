"""Pipes are read to their end, and no further than asked."""

from __future__ import annotations

import contextlib
import os
import sys
import threading
from pathlib import Path

import pytest

from threatmodel.reading import pipes

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no named pipes in folders")


@pytest.fixture
def pipe(tmp_path: Path) -> Path:
    os.mkfifo(tmp_path / "pipe")
    return tmp_path / "pipe"


def writing(pipe: Path, text: bytes) -> threading.Thread:
    """A thread that writes until the pipe is closed."""

    def write() -> None:
        with contextlib.suppress(BrokenPipeError):
            pipe.write_bytes(text)

    thread = threading.Thread(target=write, daemon=True)
    thread.start()
    return thread


def test_all_that_is_written_is_read(pipe: Path) -> None:
    text = b"name: x\n" * 50_000
    thread = writing(pipe, text)
    assert pipes.from_pipe(pipe, 1 << 20) == text
    thread.join()


def test_no_more_is_read_than_asked(pipe: Path) -> None:
    thread = writing(pipe, b"0123456789")
    assert pipes.from_pipe(pipe, 4) == b"0123"
    thread.join()


def test_no_more_is_read_than_asked_in_several_pieces(pipe: Path) -> None:
    thread = writing(pipe, b"0123456789" * 30_000)
    assert len(pipes.from_pipe(pipe, 100_000)) == 100_000
    thread.join()


def test_a_writer_that_begins_late_is_waited_for(pipe: Path) -> None:
    def late() -> None:
        with pipe.open("wb", buffering=0) as file:
            opened.wait()
            file.write(b"late")

    opened = threading.Event()
    threading.Thread(target=late, daemon=True).start()
    threading.Timer(0.3, opened.set).start()
    assert pipes.from_pipe(pipe, 100) == b"late"


def test_a_writer_that_writes_nothing_is_not_waited_for_forever(pipe: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pipes, "_SILENCE", 0.2)
    done = threading.Event()

    def silent() -> None:
        with pipe.open("wb", buffering=0):
            done.wait()

    thread = threading.Thread(target=silent, daemon=True)
    thread.start()
    with pytest.raises(TimeoutError, match="wrote nothing for"):
        pipes.from_pipe(pipe, 100)
    done.set()
    thread.join()


def test_a_pipe_that_nothing_opens_is_not_waited_for_forever(pipe: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pipes, "_WRITER", 0.2)
    with pytest.raises(TimeoutError, match="nothing wrote to this pipe"):
        pipes.from_pipe(pipe, 10)
