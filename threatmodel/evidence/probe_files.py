"""A saved result of the probe, read, and the code that it is about as it is now."""

from __future__ import annotations

from pathlib import Path

from threatmodel.model.facts import Statement
from threatmodel.model.system import EvidenceFile
from threatmodel.probe.folder import folder_digest
from threatmodel.probe.outside import MOST_READ, digest_of, too_many
from threatmodel.probe.result import Result, read
from threatmodel.reading.files import Files, shown_path
from threatmodel.reading.problems import InputError, Place, quoted
from threatmodel.reading.project import real_path
from threatmodel.reading.values import dataclass

COMPARES = "compares_in_constant_time"
"""The fact that the source tells, and no answer."""


@dataclass(frozen=True, kw_only=True)
class ProbeFile:
    """A result, where it is, and the folder of the handler's code.

    `stale` says why it is not known to be of the code that is there now, or ''; `compares` is what that code says of
    comparisons in constant time, which is always a statement.
    """

    result: Result
    place: Place
    folder: Path
    stale: str
    compares: Statement | None


def read_probe(source: EvidenceFile, model: Path, files: Files) -> ProbeFile:
    """Return the result that a model names.  Raises InputError where a file cannot be used."""
    path = files.named(source.path, model, source.place)
    place = Place(shown_path(path), 0)
    result = read(files.text(path), place.file, files.renamed)
    folder = files.named(source.code, model, source.place) if source.code else path.parent
    files.folders.add(real_path(folder))
    changed = files.changed_in(folder, besides=path)
    stale = _stale(result, folder, place, changed=changed) or _stale_outside(result, folder, place, files)
    compares = None if changed else _compares(result, folder)
    return ProbeFile(result=result, place=place, folder=folder, stale=stale, compares=compares)


def _stale(result: Result, folder: Path, place: Place, *, changed: bool) -> str:
    """Why the result is not known to be of the code that is there now, or ''."""
    if not result.folder_sha256:
        return "it was probed over HTTP, so it is unknown which code answered; it counts as a statement"
    if changed or folder_digest(folder, shown_path(folder)) != result.folder_sha256:
        again = f"tm.py probe {result.target} --json -o {place.file}"
        return f"{shown_path(folder)}/ has changed since it was probed; it counts as a statement (probe again: {again})"
    return ""


def _stale_outside(result: Result, folder: Path, place: Place, files: Files) -> str:
    """Why a file that the handler read elsewhere than in its folder is not known to be as it was, or ''."""
    if result.files is None:
        return "it does not say which files the handler read (probe again); it counts as a statement"
    if too_many(result.files):
        return f"the handler read more than {MOST_READ} files outside its folder; it counts as a statement"
    for name, digest in result.files.items():
        try:
            target = files.named(name, folder / "file", place)
        except InputError:
            return f"the handler read {quoted(name)}, which is outside the repository; it counts as a statement"
        if not name.endswith("/"):
            files.folders.add(target)
        if files.changed_in(target) or digest_of(target) != digest:
            return f"{shown_path(target)} has changed since the handler read it; it counts as a statement"
    return ""


def _compares(result: Result, folder: Path) -> Statement | None:
    """What the source says of constant time, at its line."""
    handler = result.handler_in(folder)
    if result.kind == "http" or not handler.is_file() or not real_path(handler).is_relative_to(real_path(folder)):
        return None
    from threatmodel.probe.source_check import (
        check_handler,
    )  # it follows a program, for which few results are fresh enough

    found = check_handler(Path(shown_path(handler)))
    if found.value is None or not found.places:
        return None
    return Statement(found.value, "source", found.places[0], found.note)
