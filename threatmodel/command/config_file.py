"""The configuration of a repository: `.threatmodel.toml`, or `[tool.threatmodel]` in pyproject.toml.

A pull request can change it, so it may say what is checked and make a check stricter, but not weaken one silently.
A threat is excluded only with an owner, an end and a reason, which outputs show, and no path leaves the project.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple

from threatmodel.command.settings import BANDS, DEFAULT_BAND, FORMS, OWN, SHARED, may_configure
from threatmodel.model.system import Exclusion
from threatmodel.reading.files import Files, shown_path
from threatmodel.reading.problems import InputError, Place, quoted, refusal
from threatmodel.reading.project import upwards
from threatmodel.reading.reader import Entry, Reader
from threatmodel.reading.shape import Date, Flag, Items, Key, Text, Word, record
from threatmodel.reading.source import Document, Map

_LARGEST = 1 << 20

_PATH = Text(400, expected="a path")
_WEAKER = "it would weaken the check, and a pull request can change this file; use the command line, or set {}"
EXCLUSION = record(
    "an exclusion",
    Key("threat", Text(100, expected="the id of a threat"), "the id of the threat", required=True),
    Key("reason", Text(2000), "why it is left out", required=True),
    Key("owner", Text(400, expected="an owner"), "who is responsible for that", required=True),
    Key("expires", Date(), "the last day on which it counts, at most a year ahead", required=True),
)
CONFIG = record(
    "a configuration",
    Key("models", Items(_PATH, 1), "the models to check: paths, or patterns such as models/*.yaml"),
    Key("library", Items(_PATH), "folders with your own threats and controls"),
    Key("policy", _PATH, "a file of rules for the check"),
    Key("baseline", _PATH, "a file of earlier results: only new and worse ones fail"),
    Key("fail-on", Word(BANDS, ordered=True), "the lowest band of risk that fails: low, medium or high"),
    Key("require-proof", Flag(), "judge the risk as proven, not as claimed"),
    Key("strict", Flag(), "fail on findings that only a statement in the model removes"),
    Key("ignore-acceptances", Flag(), "ignore accepted risks and exemptions"),
    Key(
        "formats",
        record("the formats", *(Key(form, _PATH, "the file to write") for form in FORMS)),
        "further outputs of a check: a file for each format",
    ),
    Key("exclude", Items(EXCLUSION), "threats that are not looked for"),
    refused={
        "allow-undetermined": _WEAKER.format("TM_ALLOW_UNDETERMINED"),
        "report-only": _WEAKER.format("TM_REPORT_ONLY"),
        "soft-fail": _WEAKER.format("TM_REPORT_ONLY"),
        "force": "only the command line can let an output replace a file",
        "fail_on": "did you mean 'fail-on'?",
    },
)
"""A configuration file."""


class Config(NamedTuple):
    """A configuration as read: its file, and the value of each key with its place.

    Paths are relative to the working directory; `models` are the files that the patterns match.
    """

    file: Path
    values: dict[str, tuple[Any, Place]]
    exclusions: tuple[Exclusion, ...]

    def shown(self) -> dict[str, str]:
        """Return each key with its value in words, and each exclusion."""
        stated = {name: shown_value(value) for name, (value, _) in self.values.items()}
        return stated | {f"exclude {one.threat}": f"{one.owner}, until {one.expires}" for one in self.exclusions}


def shown_value(value: Any) -> str:
    """Return the value of a setting in words."""
    match value:
        case None | ():
            return "-"
        case bool():
            return str(value).lower()
        case tuple() | list():
            return ", ".join(map(shown_value, value))
        case Path():
            return shown_path(value)
        case _:
            return str(value)


def found_config(files: Files, here: Path) -> Config | None:
    """Return the configuration of the folder, or of the nearest folder above it, up to the repository's root.

    Raises InputError with every problem, also where a folder has two.
    """
    for folder in upwards(here):
        found = [*_documents(files, folder, here)]
        if len(found) > 1:
            (path, _), (other, _) = found
            message, hint = f"{shown_path(other)} has a configuration too", "keep one of the two"
            raise refusal("several-configurations", Place(shown_path(path), 0), message, hint)
        if found:
            return _read(files, *found[0])
    return None


def _documents(files: Files, folder: Path, here: Path) -> Iterator[tuple[Path, Document]]:
    """Yield the files of a folder that hold a configuration, each as the document of its configuration."""
    own, shared = (Path(os.path.relpath(folder / name, here)) for name in (OWN, SHARED))
    if files.has(own):
        yield own, _parsed(files, own)
    if may_configure(files, shared):
        document = _parsed(files, shared)
        tool = document.root.get("tool")
        for key, table, _, mark in tool.placed() if isinstance(tool, Map) else ():
            if key == "threatmodel":
                yield shared, document._replace(root=table, mark=mark)


def _parsed(files: Files, path: Path) -> Document:
    from threatmodel.reading.toml import toml_document

    document = toml_document(files.text(path, _LARGEST, "shorten it"), shown_path(path))
    files.remembered_text(path)  # its lines may appear in messages, those of a file with another syntax may not
    return document


def _read(files: Files, path: Path, document: Document) -> Config:
    reader = Reader(document)
    entries = reader.whole(CONFIG)
    confined = _Paths(files, path, reader)
    values: dict[str, tuple[Any, Place]] = {}
    for name, entry in entries.items():
        if name != "exclude":
            values[name] = confined.value(name, entry), entry.key
    if values.get("fail-on", ("",))[0] == "critical":
        place, message = values["fail-on"][1], f"'critical' is weaker than the default, '{DEFAULT_BAND}'"
        reader.note("weaker-setting", place, message, "pass --fail-on critical on the command line, or set TM_FAIL_ON")
    exclusions = list(entries["exclude"].value) if "exclude" in entries else []
    if reader.problems:
        raise InputError(reader.problems)
    return Config(path, values, tuple(_exclusion(one.value) for one in exclusions))


def _exclusion(fields: dict[str, Entry]) -> Exclusion:
    threat = fields["threat"]
    return Exclusion(
        threat=threat.value,
        reason=fields["reason"].value,
        owner=fields["owner"].value,
        expires=fields["expires"].value,
        place=threat.place,
    )


class _Paths:
    """Turns what a configuration names into paths from the working directory, and notes what leaves the project."""

    def __init__(self, files: Files, config: Path, reader: Reader) -> None:
        self._files = files
        self._config = config
        self._reader = reader

    def value(self, name: str, entry: Entry) -> Any:
        """Return the value of a key with its paths."""
        match name:
            case "models":
                return tuple(
                    dict.fromkeys(path for one in entry.value for path in self._matching(one.value, one.place))
                )
            case "library":
                return tuple(path for one in entry.value for path in self._named(one.value, one.place))
            case "policy" | "baseline":
                return next(self._named(entry.value, entry.place), None)
            case "formats":
                return tuple(
                    (form, path) for form, one in entry.value.items() for path in self._output(one.value, one.place)
                )
            case _:
                return entry.value

    def _named(self, text: str, place: Place) -> Iterator[Path]:
        try:
            self._files.named(text, self._config, place)
        except InputError as error:
            self._reader.problems += error.problems
            return
        yield Path(os.path.normpath(self._config.parent / text))

    def _output(self, text: str, place: Place) -> Iterator[Path]:
        for path in self._named(text, place):
            if ".git" in path.parts or text.endswith("/"):
                message = f"{quoted(text)} is no place for an output"
                self._reader.note("outside-project", place, message, "name a file of the project")
            else:
                yield path

    def _matching(self, pattern: str, place: Place) -> Iterator[Path]:
        if not re.search(r"[*?[]", pattern):
            yield from self._named(pattern, place)
            return
        if ".." in PurePosixPath(pattern).parts or PurePosixPath(pattern).is_absolute():
            message = f"{quoted(pattern)} leaves the project"
            self._reader.note("outside-project", place, message, "write a path relative to this file")
            return
        found = sorted(path for path in self._config.parent.glob(pattern) if path.is_file())
        if not found:
            self._reader.note("missing-file", place, f"no file matches {quoted(pattern)}", "check the pattern")
        for path in found:
            yield from self._named(os.path.relpath(path, self._config.parent), place)
