"""The kinds of what is beside a template, with what reads each: a row a kind."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol

from threatmodel.reading.files import Files, shown_path


class Opened(Protocol):
    """What was read of one entry; its digest is over all that its statements follow from."""

    @property
    def digest(self) -> str:
        """SHA-256 in hexadecimal, the same whenever the same was read."""


def _code(path: Path, files: Files) -> Opened:
    from threatmodel.beside.code.inline import read_template
    from threatmodel.beside.code.source import ENDINGS, read_source

    if files.has(path) and path.suffix not in ENDINGS:
        return read_template(path, files)
    return read_source(path, files)


class OpenedFile:
    """What was read of a file: `value` is parsed when it is asked for, and may raise InputError.

    `more` is what it follows from besides the text.
    """

    def __init__(self, text: str, parsed: Callable[[str], Any], more: str = "") -> None:
        self._text, self._parsed = text, parsed
        self.digest = hashlib.sha256((text + more).encode("utf-8", "surrogateescape")).hexdigest()

    @cached_property
    def value(self) -> Any:
        """What the text says."""
        return self._parsed(self._text)


def parsed(opened: Opened) -> Opened:
    """Return an entry whose text was parsed.  Raises InputError where it cannot be."""
    if isinstance(opened, OpenedFile):
        opened.value  # noqa: B018 - for its errors
    return opened


_LARGEST = 4 * 1024 * 1024
"""Bytes of a file that is read."""


def _slack(path: Path, files: Files) -> Opened:
    text = files.text(path, _LARGEST, "name the manifest")
    filled: Mapping[str, str] = {}
    if "${" in text:
        from threatmodel.beside.filled_in import filled_in  # few manifests are templates

        filled = filled_in(path, text, files)

    def manifest(text: str) -> Any:
        from threatmodel.beside.slack_manifest import manifest

        return manifest(text, shown_path(path), filled)

    return OpenedFile(text, manifest, repr(sorted(filled.items())))


def _repository(path: Path, files: Files) -> Opened:
    from threatmodel.beside.repository.files import read_checkout

    return read_checkout(path, files)


def _host(path: Path, files: Files) -> Opened:
    def answers(text: str) -> Any:
        from threatmodel.beside.repository.host import answers

        return answers(text, shown_path(path))

    return OpenedFile(files.text(path, _LARGEST, "save fewer answers in one file"), answers)


def _results(path: Path, files: Files) -> Opened:
    from threatmodel.beside.results.opening import read_result

    return read_result(path, files)


READERS: Mapping[str, Callable[[Path, Files], Opened]] = {
    "code": _code,
    "slack": _slack,
    "repository": _repository,
    "host": _host,
    "results": _results,
}
"""What reads the file or folder of an entry, by its key in a model.  Each raises InputError where it cannot be used."""
