"""What a command means to write for an author, before anything is written."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be written: texts by path, each with what to say of it, and what to do then."""

    files: tuple[tuple[Path, str, str], ...]
    then: tuple[str, ...]
