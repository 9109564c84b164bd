"""What the files of a library hold, kept from run to run: each is read every time, and worked out once.

The key is a digest over the toolkit's own files, Python's version, and the name and text of every file, so that nothing
is found that is not of these very texts.  A library with a problem is never kept.
"""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from threatmodel.library.condition import Condition, ConditionError, compile_condition
from threatmodel.library.entries import Control, ControlLink, Move, Need, Threat, Weaker
from threatmodel.reading import cache, plain
from threatmodel.reading.files import Files
from threatmodel.reading.problems import InputError, Place

_CLASSES = {
    **plain.table(Threat, Control, ControlLink, Move, Need, Weaker, Place),
    "Condition": plain.Kept(Condition, lambda one: (one.text, one.kind), lambda parts: compile_condition(*parts)),
}


class Parts(NamedTuple):
    """The threats and controls of a folder."""

    threats: Sequence[Threat]
    controls: Sequence[Control]


def key_of(files: Files, inside: Mapping[str, Path]) -> str:
    """The key of the files of a library, by their names in its folder; '' where one cannot be read."""
    whole = hashlib.sha256(f"library\0{cache.toolkit_digest()}\0{sys.version}".encode())
    for name, path in inside.items():
        try:
            text = files.remembered_text(path).encode("utf-8", "surrogateescape")
        except InputError:
            return ""  # its reader reports why
        for part in (name.encode(errors="surrogateescape"), files.shown(path).encode(), text):
            whole.update(len(part).to_bytes(8, "big") + part)
    return whole.hexdigest()


def recalled(key: str) -> Parts | None:
    """The parts kept under a key, if there are any."""
    text = cache.recalled(key) if key else None
    if text is None:
        return None
    try:
        threats, controls = plain.from_text(text, _CLASSES)
    except (ValueError, TypeError, LookupError, RecursionError, ConditionError):
        return None
    return Parts(threats, controls)


def keep(key: str, parts: Parts) -> None:
    """Keeps the parts under a key."""
    if key:
        cache.keep(key, plain.as_text((list(parts.threats), list(parts.controls)), _CLASSES))
