"""Pipes are read to their end, and no further than asked."""

from __future__ import annotations

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
    thread = threading.Thread(target=pipe.write_bytes, args=(text,), daemon=True)
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


def test_an_empty_pipe_that_a_writer_closes_is_empty(pipe: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pipes, "_WRITER", 0.2)
    with pytest.raises(TimeoutError, match="nothing wrote to this pipe"):
        pipes.from_pipe(pipe, 10)
