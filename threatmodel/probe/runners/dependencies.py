"""Where a handler's packages lie, as far as the files beside it tell.  Nothing is ever installed."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator
from pathlib import Path

from threatmodel.reading.files import Files
from threatmodel.reading.problems import InputError
from threatmodel.reading.project import real_path, repository
from threatmodel.stacks import readers
from threatmodel.stacks.stack import Stack
from threatmodel.stacks.values import Scalar, get, text

_UP = 3
"""Folders that are looked at: the handler's own and what it is in, as far as a repository's edge."""
_TEMPLATES = ("template.yaml", "template.yml", "template.json")
_LISTS = ("requirements.txt", "pyproject.toml", "Pipfile", "package.json")
_LAYER_FOLDERS = {
    "AWS::Serverless::LayerVersion": "ContentUri",
    "AWS::Lambda::LayerVersion": "Content",
}
_LARGEST_LIST = 1024 * 1024


def found_packages(file: Path) -> tuple[Path, ...]:
    """Folders with a handler's packages: layers of the template, a virtual environment, what was vendored.

    `file` is absolute.  Packages in the handler's own folder, and node_modules there or above, are found in any case.
    What a link or a template leads to outside the repository is none, but in a virtual environment: the handler reads
    all of it.
    """
    python = file.suffix == ".py"
    places: list[Path] = []
    for folder in _folders(file):
        places += _layers(folder, python=python)
        if python and folder in {file.parent, file.parent.parent}:  # one further up is the repository's own
            places += [folder / "vendor", *sorted(folder.glob(".venv/lib/python3*/site-packages"))]
            places += sorted(folder.glob("venv/lib/python3*/site-packages"))
    real = dict.fromkeys(real_path(place) for place in places if place.is_dir())
    within = repository(file.parent) or _folders(file)[-1]
    return tuple(place for place in real if place.is_relative_to(within) or place.name == "site-packages")


def linked_packages(file: Path) -> tuple[Path, ...]:
    """The folders of the same repository that links among a Node.js handler's packages lead to (npm's workspaces)."""
    within = repository(file.parent)
    if within is None or file.suffix == ".py":
        return ()
    found: list[Path] = []
    for folder in (one / "node_modules" for one in file.parents if one.is_relative_to(within)):
        scopes = [folder, *folder.glob("@*")]
        links = [one for scope in scopes if scope.is_dir() for one in scope.iterdir() if one.is_symlink()]
        found += [real_path(one) for one in links]
    return tuple(one for one in dict.fromkeys(found) if one.is_dir() and one != within and one.is_relative_to(within))


def template_near(file: Path, files: Files) -> Stack | None:
    """The template that is beside a handler or above it; None where there is none that can be read."""
    for folder in _folders(file):
        for name in _TEMPLATES:
            if (folder / name).is_file():
                with contextlib.suppress(InputError):
                    return readers.read(readers.kind_of(folder / name, files), folder / name, files)
    return None


def mapped_near(file: Path) -> tuple[str, ...]:
    """The methods of the template near a handler that map a request to another event, which no probe sends."""
    stack = template_near(file, Files())
    methods = [one for one in stack.resources.items() if one[1].type == "AWS::ApiGateway::Method"] if stack else []
    return tuple(name for name, one in methods if get(one.properties, "Integration", "RequestTemplates") is not None)


def runtime_near(file: Path) -> str:
    """The runtime that the template near a handler gives its function, or all of them; '' where they differ."""
    stack = template_near(file, Files())
    functions = [one for one in stack.resources.values() if one.type in _FUNCTIONS] if stack else []
    found = {text(get(one.properties, "Runtime")) for one in functions}
    return (found.pop() or "") if len(found) == 1 else ""


_FUNCTIONS = frozenset({"AWS::Serverless::Function", "AWS::Lambda::Function"})


def listed_in(file: Path, package: str) -> Path | None:
    """The list of requirements, beside the handler or above it, that names a package."""
    word = re.compile(rf"(?<![\w-]){re.escape(package.partition('.')[0]).replace('_', '[-_]')}(?![\w-])", re.IGNORECASE)
    for folder in _folders(file):
        for path in (folder / name for name in _LISTS):
            with contextlib.suppress(OSError, UnicodeDecodeError):
                if path.stat().st_size <= _LARGEST_LIST and word.search(path.read_text(encoding="utf-8")):
                    return path
    return None


def lying_near(module: str, file: Path) -> Path | None:
    """A folder beside the handler's, or above it, that holds a Python module."""
    name = module.partition(".")[0]
    if file.suffix != ".py" or not name.isidentifier():
        return None
    for folder in _folders(file)[1:]:
        for place in (folder, *(inner for inner in sorted(folder.iterdir())[:200] if inner.is_dir())):
            for inner in (place, place / "python"):
                if (inner / f"{name}.py").is_file() or (inner / name / "__init__.py").is_file():
                    return inner
    return None


def _folders(file: Path) -> list[Path]:
    found: list[Path] = []
    for folder in list(file.absolute().parents)[:_UP]:
        found.append(folder)
        if (folder / ".git").exists():
            break
    return found


def _layers(folder: Path, *, python: bool) -> Iterator[Path]:
    """The folders that a template's layers are made of; their `python` or `nodejs` is on the path in Lambda."""
    inside = "python" if python else "nodejs/node_modules"
    for name in _TEMPLATES:
        if not (folder / name).is_file():
            continue
        with contextlib.suppress(InputError):
            files = Files()
            stack = readers.read(readers.kind_of(folder / name, files), folder / name, files)
            for resource in stack.resources.values():
                node = resource.properties.entries.get(_LAYER_FOLDERS.get(resource.type, ""))
                if isinstance(node, Scalar) and isinstance(node.value, str) and "://" not in node.value:
                    whole = folder / node.value
                    yield from (whole / inside, whole)
