"""What a command means to write for an author, before anything is written."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from threatmodel.reading.values import dataclass, field


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be written: texts by path, each with what to say of it, and what to do then.

    `edits` are the texts before of those files that are edited; the others are new.
    """

    files: tuple[tuple[Path, str, str], ...]
    then: tuple[str, ...]
    edits: Mapping[Path, str] = field(default_factory=dict)
