"""The public lists that threats and controls cite: ids and titles, and whether a cited id is in its list."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from threatmodel.library.format import CONTROL, THREAT
from threatmodel.reading.files import Files
from threatmodel.reading.problems import InputError, Problem, quoted, suggestion
from threatmodel.reading.reader import Fields, Reader
from threatmodel.reading.shape import Items, Key, NamedItems, Raw, Record, Text, record
from threatmodel.reading.values import dataclass

_LINE = Text(300, r"[^\n]+", "one line of text")

STANDARD = record(
    "a public list",
    Key("name", _LINE, "the list's name", required=True),
    Key("edition", _LINE, "the edition; quote one that looks like a number", required=True),
    Key("source", Text(300, r"https://[^\s<>\"'`]+", "an https address"), "the list's official page", required=True),
    Key(
        "items",
        NamedItems(Raw(), "an item", re.compile(r"[A-Z][A-Za-z0-9 ._()-]*\Z|v\d[\d. ]*\Z"), "an id of the list", 64),
        "the title of each id",
        required=True,
    ),
    Key("held", Items(Text(64), least=1), "the ids that coverage is held to, where these are not all"),
)
"""A file threatlib/standards/<list>.yaml."""


def _maps(shape: Record) -> tuple[str, ...]:
    within = shape.index["maps"].shape
    return tuple(within.index) if isinstance(within, Record) else ()


KEYS = (*_maps(THREAT), *_maps(CONTROL))
"""The keys that `maps` may have, each with its list: owasp_2021 is read from owasp-2021.yaml."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Standard:
    """One public list.  `items` are titles by id, all of them '' where the list has none to show."""

    key: str
    name: str
    edition: str
    source: str
    items: Mapping[str, str]
    held: tuple[str, ...]


def load_standards(folder: Path, files: Files | None = None) -> Mapping[str, Standard]:
    """The lists in a library's folder, by the key of `maps` that they belong to: standards/<key with hyphens>.yaml.

    A key without a file has no list.  Raises InputError with every problem of every file.
    """
    files = files or Files()
    problems: list[Problem] = []
    found = {}
    for key in KEYS:
        path = folder / "standards" / f"{key.replace('_', '-')}.yaml"
        if not files.has(path):
            continue
        try:
            reader = Reader(files.document(path))
        except InputError as error:
            problems += error.problems
            continue
        standard = _standard(reader, key)
        problems += reader.problems
        if standard is not None:
            found[key] = standard
    if problems:
        raise InputError(problems)
    return found


@dataclass(frozen=True, slots=True)
class OutOfScope:
    """Items of a list that no threat covers, and why."""

    ids: tuple[str, ...]
    reason: str


Exclusions = Mapping[str, Sequence[OutOfScope]]
"""What is out of scope, by the key of the list."""

COVERED = (
    "attack",
    "cwe",
    "owasp_api_2023",
    "owasp_llm_2025",
    "owasp_agentic_2026",
    "sas",
    "aws_threats",
    "security_hub",
    "slack_security",
)
"""The lists of which every item is covered by a threat or control, or out of scope.

Of ATT&CK and CWE these are the `held` items (cloud techniques, the Top 25), and of Security Hub the controls of the
services that a system here uses.
"""

COVERAGE = record(
    "the coverage",
    Key(
        "out_of_scope",
        record(
            "what is out of scope",
            *(
                Key(
                    key,
                    Items(
                        record(
                            "items out of scope",
                            Key("ids", Items(Text(64), least=1), "ids of the list", required=True),
                            Key("reason", Text(400), "why no threat covers them", required=True),
                        )
                    ),
                    "groups of items with one reason",
                )
                for key in COVERED
            ),
        ),
        "what of the lists no threat covers",
        required=True,
    ),
)
"""threatlib/standards/coverage.yaml."""


def load_coverage(folder: Path, files: Files | None = None) -> Exclusions:
    """What of the public lists is out of scope, from standards/coverage.yaml.  Raises InputError."""
    reader = Reader((files or Files()).document(folder / "standards" / "coverage.yaml"))
    entries = reader.whole(COVERAGE)
    if reader.problems:
        raise InputError(reader.problems)
    return {
        key: tuple(
            OutOfScope(tuple(cited.value for cited in group.value["ids"].value), group.value["reason"].value.strip())
            for group in entry.value
        )
        for key, entry in entries["out_of_scope"].value.items()
    }


def unlisted(maps: Mapping[str, Sequence[str]], standards: Mapping[str, Standard]) -> Iterator[tuple[str, str]]:
    """The ids of `maps` that are not in their list, each with its key; all of a key's ids where it has no list."""
    for key, ids in maps.items():
        items = standards[key].items if key in standards else {}
        yield from ((key, cited) for cited in ids if cited not in items)


def _standard(reader: Reader, key: str) -> Standard | None:
    entries = reader.whole(STANDARD)
    if reader.problems:
        return None
    items = _items(reader, entries["items"].value)
    held = entries["held"].value if "held" in entries else ()
    for cited in held:
        if cited.value not in items:
            message = f"{quoted(cited.value)} is not an item of this list"
            reader.note("unknown-reference", cited.place, message, suggestion(cited.value, items))
    return Standard(
        key=key,
        name=entries["name"].value,
        edition=entries["edition"].value,
        source=entries["source"].value,
        items=items,
        held=tuple(cited.value for cited in held),
    )


def _items(reader: Reader, entries: Fields) -> dict[str, str]:
    """Titles by id; a title may be '' only where every one is."""
    titled = any(entry.value != "" for entry in entries.values())
    items = {}
    for name, entry in entries.items():
        if titled:
            mark = reader.document.mark_of(entry.place)
            items[name] = reader.read(_LINE, entry.value, mark, f"the title of {quoted(name)}")
        else:
            items[name] = ""
    return items
