"""Threats that AWS, or the tools that deploy to it, mitigate in nearly every system: threatlib/platform.yaml."""

from __future__ import annotations

from pathlib import Path

from threatmodel.reading.files import Files
from threatmodel.reading.problems import InputError
from threatmodel.reading.reader import Reader
from threatmodel.reading.shape import Items, Key, Text, record
from threatmodel.reading.values import dataclass

_LINE = Text(200, r"[^\n]+", "one line of text")

PLATFORM = record(
    "what the platform mitigates",
    Key(
        "mitigated",
        Items(
            record(
                "a threat",
                Key("title", _LINE, "the threat as a sentence", required=True),
                Key("does", _LINE, "what AWS or its tools do by default", required=True),
                Key("left", _LINE, "what is left to the owner of the system", required=True),
                Key("threats", Items(Text(60)), "threats of the library that model the exception", required=True),
                Key("reference", Text(300, r"https://[^\s<>\"'`]+", "an https address"), "the source", required=True),
            )
        ),
        "the threats",
        required=True,
    ),
)
"""threatlib/platform.yaml."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ByPlatform:
    """A threat that the platform mitigates; `threats` are those of the library that model the exception."""

    title: str
    does: str
    left: str
    threats: tuple[str, ...]
    reference: str


def load_platform(folder: Path, files: Files | None = None) -> tuple[ByPlatform, ...]:
    """Return what the platform mitigates, from platform.yaml in a library's folder.  Raises InputError."""
    reader = Reader((files or Files()).document(folder / "platform.yaml"))
    entries = reader.whole(PLATFORM)
    if reader.problems:
        raise InputError(reader.problems)
    return tuple(
        ByPlatform(
            title=row.value["title"].value,
            does=row.value["does"].value,
            left=row.value["left"].value,
            threats=tuple(one.value for one in row.value["threats"].value),
            reference=row.value["reference"].value,
        )
        for row in entries["mitigated"].value
    )
