"""The kinds of what is beside a template, with what reads each: a row a kind."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from threatmodel.reading.files import Files, shown_path


class Opened(Protocol):
    """What was read of one entry; its digest is over all that its statements follow from."""

    @property
    def digest(self) -> str:
        """SHA-256 in hexadecimal, the same whenever the same was read."""


def _code(path: Path, files: Files) -> Opened:
    from threatmodel.beside.code.source import read_source

    return read_source(path, files)


class OpenedFile(NamedTuple):
    """What was read of a file, and the digest of its text."""

    value: Any
    digest: str


def _slack(path: Path, files: Files) -> Opened:
    from threatmodel.beside import slack_manifest as slack

    text = files.text(path, slack.LARGEST, "name the manifest")
    return OpenedFile(slack.manifest(text, shown_path(path)), _digest(text))


def _repository(path: Path, files: Files) -> Opened:
    from threatmodel.beside.repository.checkout import read_checkout

    return read_checkout(path, files)


def _host(path: Path, files: Files) -> Opened:
    from threatmodel.beside.repository import host

    text = files.text(path, host.LARGEST, "save fewer answers in one file")
    return OpenedFile(host.answers(text, shown_path(path)), _digest(text))


def _results(path: Path, files: Files) -> Opened:
    from threatmodel.beside.results.opening import read_result

    return read_result(path, files)


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()


READERS: Mapping[str, Callable[[Path, Files], Opened]] = {
    "code": _code,
    "slack": _slack,
    "repository": _repository,
    "host": _host,
    "results": _results,
}
"""What reads the file or folder of an entry, by its key in a model.  Each raises InputError where it cannot be used."""
