"""The model of a repository, where a command names none."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from threatmodel.model.file import PLATFORM
from threatmodel.model.vocabulary import PLANES
from threatmodel.reading.files import Files, shown_path
from threatmodel.reading.home import DEFAULT_MODEL, PROGRAM, is_clone
from threatmodel.reading.problems import InputError, Place, listed, refusal
from threatmodel.reading.project import real_path, upwards
from threatmodel.reading.source import Map

ONE = "threatmodel.yaml"
"""The name of a repository's only model."""
SEVERAL = "models"
"""The folder of models, and of the platform files that they use."""


def found_model(files: Files, here: Path) -> Path | None:
    """Return the model of the repository that a folder is in: of the folder itself, or of the nearest one above it.

    In each folder it is threatmodel.yaml, else the one system in models/; a platform file is none.  Raises InputError
    where a folder holds several, but for a clone of the toolkit, which has its default model.  None where there is none
    up to the repository's root, or in the folder itself where it is in no repository.
    """
    for folder in upwards(here):
        systems = models_in(files, folder, here)
        if len(systems) > 1 and is_clone(folder):
            systems = [path for path in systems if path.name == DEFAULT_MODEL] or systems
        if len(systems) > 1:
            names = listed([shown_path(path) for path in systems])
            message, hint = f"there are several models: {names}", f"name one: -m {shown_path(systems[0])}"
            raise refusal("several-models", Place(shown_path(_seen(folder / SEVERAL, here)), 0), message, hint)
        if systems:
            return systems[0]
    return None


def models_in(files: Files, folder: Path, here: Path) -> list[Path]:
    """Return the models of a folder, as seen from the working directory: threatmodel.yaml alone, or those in models/.

    Raises InputError where a link to one leads out of the project.
    """
    only = _seen(folder / ONE, here)
    if files.has(only):
        return [_inside(only, files)]
    return _systems(files, sorted(_seen(path, here) for path in (folder / SEVERAL).glob("*.yaml")))


def no_model(here: Path) -> InputError:
    """What is said where there is no model: what was looked for."""
    folders = upwards(here)
    above = f" and those above it up to {shown_path(_seen(folders[-1], here))}/" if len(folders) > 1 else ""
    message = f"no model was found: looked for {ONE} and one system in {SEVERAL}/*.yaml in this folder{above}"
    return refusal(
        "no-model", Place("model", 0), message, f"name one with -m FILE, or write a first one with {PROGRAM} init"
    )


def _seen(path: Path, here: Path) -> Path:
    """Return a path from the working directory."""
    return Path(os.path.relpath(path, real_path(here)))


def _inside(path: Path, files: Files) -> Path:
    """A path that was found and not named by the user: it may be no link out of the project.  Raises InputError."""
    files.named(path.name, path.parent / "_", Place(shown_path(path), 0))  # as a file beside it would name it
    return path


def _systems(files: Files, paths: Sequence[Path]) -> list[Path]:
    """Those of the files that describe a system; what cannot be read is one, so that loading it says why."""
    roots = {_inside(path, files): _root(files, path) for path in paths if files.has(path)}
    used = {os.path.normpath(path.parent / name) for path, root in roots.items() for name in _used(root)}
    return [path for path, root in roots.items() if os.path.normpath(path) not in used and not _is_platform(root)]


def _root(files: Files, path: Path) -> Any:
    try:
        return files.document(path).root
    except InputError:
        return None


def _used(root: Any) -> list[str]:
    found = root.get("uses", []) if isinstance(root, Map) else []
    return [name for name in found if isinstance(name, str)] if isinstance(found, list) else []


def is_shared(files: Files, path: Path) -> bool:
    """Whether a file describes what systems share, and none of them."""
    return _is_platform(_root(files, path))


def _is_platform(root: Any) -> bool:
    """Whether a file describes what systems share, and none of them."""
    return isinstance(root, Map) and root.keys() <= PLATFORM.index.keys() and bool(root.keys() & {*PLANES, "controls"})
