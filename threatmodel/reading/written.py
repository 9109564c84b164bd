"""The digests of outputs that carry no mark, kept in the user's cache: what still is as it was written may be replaced.

A file's digest is under its path there, and not beside it: an output leaves one file behind, and no pull request can
bring a digest along.  A cache that is lost or switched off costs a rejection, which `--force` answers.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
from pathlib import Path

from threatmodel.reading.cache import DIGEST, keep, recalled


def remember(path: Path) -> None:
    """Keeps the digest of a file that was just written."""
    with contextlib.suppress(OSError):
        keep(_key(path), _digest(path))


def is_as_written(path: Path) -> bool:
    """Whether a file is, byte for byte, what was written there last.  Raises OSError."""
    said = recalled(_key(path))
    return said is not None and said == _digest(path)


def _key(path: Path) -> str:
    return DIGEST + hashlib.sha256(os.fsencode(os.path.realpath(path))).hexdigest()


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
