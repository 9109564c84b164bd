"""What is beside the files that are imported: Slack's manifest, workflows and lock files, with what was looked at."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from threatmodel.authoring.importing.model import NamedFile, reference_to
from threatmodel.beside import slack_readme
from threatmodel.beside.filled_in import filled_in
from threatmodel.beside.folder import Folder, Reads, Unread, read_folder
from threatmodel.beside.repository.checkout import Checkout, checkout
from threatmodel.beside.repository.files import LOCKS, READS
from threatmodel.beside.slack_manifest import Manifest, is_manifest, manifest
from threatmodel.evidence.beside.kinds import visible_secrets
from threatmodel.reading.files import Files, shown_path
from threatmodel.reading.problems import InputError, listed
from threatmodel.reading.project import real_path, repository

_MAY_BE = re.compile(
    r"(?:.*/)?[^/]*(?:manifest|slack)[^/]*\.(?:json|ya?ml)(?:\.(?:tpl|tftpl|j2|tmpl))?\Z", re.IGNORECASE
)
_IN_FOLDER = re.compile(r"(?:.*/)?slack[^/]*/[^/]+\.(?:json|ya?ml)\Z", re.IGNORECASE)
_README = re.compile(r"(?:.*/)?README\.md\Z", re.IGNORECASE)
_COPIES = re.compile(r"(?:^|/)(?:tests?|__tests__|fixtures|examples?|docs)/", re.IGNORECASE)
"""Folders with manifests of other apps."""
_OF_CODE = frozenset(
    (
        "infra",
        "infrastructure",
        "iac",
        "deploy",
        "deployment",
        "aws",
        "cloudformation",
        "sam",
        "serverless",
        "terraform",
    )
) | {"cdk", "cdk.out", "template", "templates", "stack", "stacks", "backend"}
"""Names of folders that hold the infrastructure code of what is around them; others hold another system."""
_LARGEST = 1024 * 1024
"""Characters of a manifest; Slack takes far fewer."""
_MOST = 5
"""Parts that were not read, of which each is named."""


class Beside(NamedTuple):
    """What is beside the imported files: entries for the evidence, the manifests among them, and notes."""

    named: tuple[NamedFile, ...] = ()
    manifests: tuple[Manifest, ...] = ()
    notes: tuple[str, ...] = ()


def beside(paths: Sequence[Path], model: Path, files: Files) -> Beside:
    """Return what is in the repository of a folder, or in the folder where it is in none, as `model` may name it.

    Where files are named, and no folder, only they are imported.
    """
    if len(paths) != 1 or not files.has_folder(paths[0]):
        return Beside()
    root = repository(paths[0]) or paths[0]
    found = read_folder(root, files, _READS)
    notes: list[str] = []
    own = PurePosixPath(real_path(paths[0]).relative_to(real_path(root)).as_posix())
    manifests = []
    for name, one in _manifests(found, root, files, notes):
        if is_near(name, own):
            manifests.append((name, one))
        else:
            notes.append(
                f"{one.file}: not named, because it is not around {shown_path(paths[0])}: it may be another app's"
            )
    if not any(one.urls for _, one in manifests):
        there = {name for name, _ in manifests}
        manifests += [(name, one) for name, one in _pages(found, own) if is_near(name, own) and name not in there]
    named = [NamedFile("slack", reference_to(root / name, model)) for name, _ in manifests]
    seen = checkout(found.texts, lambda name: found.place(name).file)
    written = {name: text for name, text in found.texts.items() if PurePosixPath(name).name not in LOCKS}
    if seen.sightings or seen.workflows or any(visible_secrets(found, written)):
        named.append(NamedFile("repository", reference_to(root, model)))
    notes += [f"{one.place}: {one.message}" for _, one_app in manifests for one in one_app.notes][:_MOST]
    notes += not_read((*found.unread, *seen.unread))
    looked = _looked(shown_path(root), seen, [name for name, _ in manifests])
    return Beside(tuple(named), tuple(one for _, one in manifests), (looked, *notes))


def not_read(every: Sequence[Unread]) -> list[str]:
    """Return a line for each of the first parts that were not read, with the reason, and how many are left."""
    left = len(every) - _MOST
    lines = [f"{one.place}: not read: {one.why}" for one in every[:_MOST]]
    return [*lines, *([f"and {left} more that were not read"] if left > 0 else [])]


def is_near(name: str, folder: PurePosixPath) -> bool:
    """Return whether a file is of the system in a folder: in it, or where only folders of its code are between them."""
    holder = PurePosixPath(name).parent
    if holder.is_relative_to(folder):
        return True
    shared = next(one for one in (folder, *folder.parents) if holder.is_relative_to(one))
    return all(part.lower() in _OF_CODE for part in folder.relative_to(shared).parts)


def _is_wanted(name: str) -> bool:
    return READS.wanted(name) or _is_named_so(name)


def _is_named_so(name: str) -> bool:
    return any(one.match(name) for one in (_MAY_BE, _IN_FOLDER, _README)) and not _COPIES.search(name)


_READS = Reads(
    wanted=_is_wanted,
    what="the repository",
    smaller="remove it from the checkout, or state its facts",
    largest=READS.largest,
    without=READS.without,
)


def _manifests(folder: Folder, root: Path, files: Files, notes: list[str]) -> Iterator[tuple[str, Manifest]]:
    """The manifests of Slack's apps by path, each read; why one cannot be used is noted."""
    for name, text in folder.texts.items():
        if _is_named_so(name) and len(text) <= _LARGEST and is_manifest(text):
            try:
                yield name, manifest(text, folder.place(name).file, filled_in(root / name, text, files))
            except InputError as error:
                if PurePosixPath(name).suffix.lower() != ".md":  # a page may only show a part of one
                    notes += [f"{one.place}: not read: {one.message}" for one in error.problems[:1]]


def _pages(folder: Folder, own: PurePosixPath) -> Iterator[tuple[str, Manifest]]:
    """The READMEs of a folder, and of those around it, that say where addresses of a Slack app are put."""
    for name, text in folder.texts.items():
        around = own.is_relative_to(PurePosixPath(name).parent)
        if around and _README.match(name) and slack_readme.read(text, name):
            with suppress(InputError):
                yield name, manifest(text, folder.place(name).file)


def _looked(root: str, seen: Checkout, manifests: Sequence[str]) -> str:
    slack = f"Slack app in {listed(manifests)}" if manifests else "no manifest of a Slack app"
    return f"looked at {root}: {', '.join((slack, *seen.looked))}"
