"""The kinds of what is beside a template, with what reads each: a row a kind."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Protocol

from threatmodel.reading.files import Files


class Opened(Protocol):
    """What was read of one entry; its digest is over all that its statements follow from."""

    @property
    def digest(self) -> str:
        """SHA-256 in hexadecimal, the same whenever the same was read."""


def _code(path: Path, files: Files) -> Opened:
    from threatmodel.beside.code.source import read_source

    return read_source(path, files)


READERS: Mapping[str, Callable[[Path, Files], Opened]] = {"code": _code}
"""What reads the file or folder of an entry, by its key in a model.  Each raises InputError where it cannot be used."""
