"""Where the toolkit's own content is: at the top of a clone, or inside the installed package."""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Iterable, Iterator
from pathlib import Path

from threatmodel import __version__
from threatmodel.reading.problems import InputError, Place, Problem, listed, quoted

_PACKAGE = Path(__file__).resolve().parent.parent
PACKAGES = _PACKAGE.parent
"""The folder from which a child process can import the toolkit."""

_INSTALLED = _PACKAGE / "content"
_FOLDERS = ("threatlib", "templates", "models", "examples", "docs")

CLONE: Path | None = PACKAGES if not _INSTALLED.is_dir() and (PACKAGES / "threatlib").is_dir() else None
"""The clone that runs; None where the toolkit is installed."""

CONTENT = CLONE or _INSTALLED
"""The folder that holds `threatlib/`, `templates/`, `models/`, `examples/` and, of `docs/`, what the program reads."""

LIBRARY = CONTENT / "threatlib"
TEMPLATES = CONTENT / "templates"
MODELS = CONTENT / "models"
EXAMPLES = CONTENT / "examples"
PROBLEMS = CONTENT / "docs" / "errors.md"
"""The page that explains the code of each problem."""

DEFAULT_MODEL = "slack-lambda.yaml"
"""The one of the toolkit's own models that a clone of it shows where none is named."""

PROGRAM = "tm.py" if CLONE else "tm"
"""What the program is called in what it says."""


def _command(here: str) -> str:
    """What people type in a folder to start the program."""
    if CLONE is None:
        return "tm"
    try:
        return f"python {shlex.quote(Path(os.path.relpath(CLONE / 'tm.py', here)).as_posix())}"
    except ValueError:  # on another drive of Windows
        return f"python {shlex.quote(str(CLONE / 'tm.py'))}"


COMMAND = _command(os.path.realpath("."))
"""What people type to start it in the folder in which it runs."""

EXPLAIN = f"{COMMAND} explain"
"""What people type before the code of a problem to read what it means."""

ORIGIN = f"{__version__} ({f'the clone {CLONE}' if CLONE else f'installed in {PACKAGES}'})"
"""Which version runs, and from where."""


def check_home() -> None:
    """Raises InputError where an installed toolkit has lost its content, or runs in a clone of another version."""
    if CLONE is not None:
        return
    here = Path(os.path.realpath("."))  # Path.cwd raises in a folder that is gone
    problems = [*_lost(), *_other_clones((here, *here.parents))]
    if problems:
        raise InputError(problems)


def _lost() -> Iterator[Problem]:
    lost = [name for name in _FOLDERS if not (CONTENT / name).is_dir()]
    if lost:
        message = f"its own {listed(lost)} cannot be found: tm {__version__} is not completely installed"
        hint = "install it again: pip install --force-reinstall threatmodel"
        yield Problem(code="content-missing", place=Place(str(CONTENT), 0), message=message, hint=hint)


def _other_clones(folders: Iterable[Path]) -> Iterator[Problem]:
    for folder in folders:
        version = _version_of(folder)
        if version is not None and version != __version__:
            message = f"this is a clone of version {quoted(version)}, but the running command is tm {ORIGIN}"
            hint = "run the clone's own, python tm.py, or install the clone"
            yield Problem(code="other-version", place=Place(str(folder), 0), message=message, hint=hint)


def is_clone(folder: Path) -> bool:
    """Whether a folder is the top of a clone of the toolkit."""
    return _version_of(folder) is not None


def _version_of(folder: Path) -> str | None:
    """The version of the clone of the toolkit at a folder; None where there is none."""
    if not (folder / "tm.py").is_file() or not (folder / "threatlib").is_dir():
        return None
    try:
        text = (folder / "threatmodel" / "__init__.py").read_text(encoding="utf-8")
    except (OSError, ValueError):
        return None
    found = re.search(r'^__version__ = "([^"]*)"', text, re.MULTILINE)
    return found[1] if found else None
