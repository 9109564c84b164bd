"""Lock files, and whether they hold a hash of each package: text is searched, nothing is resolved or run."""

from __future__ import annotations

import json
import posixpath
import re
import tomllib
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from threatmodel.reading.problems import Place


class Locked(NamedTuple):
    """A file that locks packages; `missing` is the line of the first without a hash (None where all have one)."""

    ecosystem: str
    place: Place
    missing: Place | None = None


class Required(NamedTuple):
    """A file that asks for packages: the line where it does, and the ecosystem."""

    ecosystem: str
    place: Place


Finder = Callable[[str], int]
"""Return the line of the first package without a hash, 0 where each has one.  Raises ValueError for another file."""


def _within(load: Callable[[str], Any]) -> Callable[[str], Any]:
    """What loads a text, and raises ValueError also where it is nested too deep."""

    def loaded(text: str) -> Any:
        try:
            return load(text)
        except RecursionError:
            raise ValueError("nested too deep") from None

    return loaded


_json_entries, _toml_entries = _within(json.loads), _within(tomllib.loads)


def _line_of(text: str, what: str) -> int:
    at = text.find(what)
    return text.count("\n", 0, at) + 1 if at >= 0 else 1


def _npm(text: str) -> int:
    root = _json_entries(text)
    packages = root.get("packages", root.get("dependencies")) if isinstance(root, dict) else None
    if not isinstance(packages, dict):
        raise ValueError("no packages")  # noqa: TRY004 - one error for all that is no such file
    waiting = list(packages.items())
    for name, one in waiting:
        resolved = str(one.get("resolved", ""))
        if resolved.startswith("http") and not one.get("integrity"):
            return _line_of(text, json.dumps(name))
        if isinstance(inner := one.get("dependencies"), dict) and "packages" not in root:
            waiting += inner.items()
    return 0


def _pipfile(text: str) -> int:
    root = _json_entries(text)
    if not isinstance(root, dict) or "_meta" not in root:
        raise ValueError("no lock of pipenv")
    for section in ("default", "develop"):
        for name, one in root.get(section, {}).items():
            if isinstance(one, dict) and not one.get("hashes") and not {"path", "git", "file"} & one.keys():
                return _line_of(text, json.dumps(name))
    return 0


def _blocks(begin: str, asks: str, shows: str) -> Finder:
    """Return a finder in blocks that begin alike: each that matches `asks` needs what `shows` matches."""
    head, needed, hashed = (re.compile(one, re.MULTILINE) for one in (begin, asks, shows))

    def find(text: str) -> int:
        starts = [found.start() for found in head.finditer(text)]
        for at, end in zip(starts, [*starts[1:], len(text)], strict=True):
            block = text[at:end]
            if needed.search(block) and not hashed.search(block):
                return text.count("\n", 0, at) + 1
        return 0

    return find


_FINDERS: Mapping[str, tuple[str, Finder]] = {
    "package-lock.json": ("npm", _npm),
    "npm-shrinkwrap.json": ("npm", _npm),
    "yarn.lock": (
        "npm",
        _blocks(
            r'^(?:"?[^\s#"][^\n]*:)$',
            r"^ +resolved \"https?://(?![^\"]*codeload)|^ +resolution: \"[^\"]*@npm:",
            r"^ +(?:integrity |checksum: )",
        ),
    ),
    "pnpm-lock.yaml": (
        "npm",
        _blocks(r"^ +resolution:", r"resolution:", r"integrity:|type: (?:git|directory)|directory:"),
    ),
    "bun.lock": ("npm", _blocks(r'^    "[^\n]+": \[', r'\["[^"]+@\d', r"\"sha\d+-")),
    "poetry.lock": (
        "python",
        _blocks(r"^\[\[package\]\]$", r"^name = ", r'hash = "|^type = "(?:git|directory)"|sha256:'),
    ),
    "uv.lock": ("python", _blocks(r"^\[\[package\]\]$", r"^source = \{ (?:registry|url)", r'hash = "')),
    "pdm.lock": ("python", _blocks(r"^\[\[package\]\]$", r"^name = ", r'hash = "|^(?:git|path) = ')),
    "Pipfile.lock": ("python", _pipfile),
    "go.sum": ("go", _blocks(r"^\S+ v", r"^\S+ v", r" h1:")),
    "Cargo.lock": ("rust", _blocks(r"^\[\[package\]\]$", r"^source = \"registry", r"^checksum = ")),
    ".terraform.lock.hcl": ("terraform", _blocks(r"^provider ", r"^provider ", r"\"(?:h1|zh):")),
    "composer.lock": ("php", _blocks(r"^        \{$", r'"type": "zip"', r'"shasum": "[0-9a-f]+')),
}
"""Lock files by name: the ecosystem, and what finds a package without a hash."""

_OF_WORK = re.compile(
    r"(?:^|[/_.-])(?:dev|develop|test|tests|testing|doc|docs|lint|example|examples|sample|samples)(?=[/_.-]|$)",
    re.IGNORECASE,
)


def locked(name: str, text: str, file: str) -> Locked:
    """Return what a lock file locks.  Raises ValueError where it cannot be read."""
    ecosystem, find = _FINDERS[name]
    line = find(text)
    return Locked(ecosystem, Place(file), Place(file, line) if line else None)


def required(name: str, text: str, file: str) -> Required | None:
    """Return what a file asks for; None where it needs no package.  Raises ValueError where it cannot be read."""
    ecosystem, find = _ASKS[name]
    line = find(text)
    return Required(ecosystem, Place(file, line)) if line else None


def _asking(load: Callable[[str], Any], written: Mapping[str, str]) -> Finder:
    """Return a finder of the first of some keys that has a value; each with how a file writes it."""

    def find(text: str) -> int:
        root = load(text)
        keys = (key for key in written if isinstance(root, dict) and root.get(key))
        return next((_line_of(text, written[key]) for key in keys), 0)

    return find


def _pyproject(text: str) -> int:
    root = _toml_entries(text)
    tool, project = root.get("tool", {}), root.get("project", {})
    poetry = tool.get("poetry", {}) if isinstance(tool, dict) else {}
    own = poetry.get("dependencies", {}) if isinstance(poetry, dict) else {}
    if isinstance(own, dict) and set(own) - {"python"}:
        return _line_of(text, "[tool.poetry.dependencies]")
    return _line_of(text, "dependencies") if isinstance(project, dict) and project.get("dependencies") else 0


def _go_mod(text: str) -> int:
    found = re.search(r"^require\b", text, re.MULTILINE)
    return text.count("\n", 0, found.start()) + 1 if found else 0


_OF_NPM = ("dependencies", "optionalDependencies", "devDependencies")
_ASKS: Mapping[str, tuple[str, Finder]] = {
    "package.json": ("npm", _asking(_json_entries, {key: f'"{key}"' for key in _OF_NPM})),
    "pyproject.toml": ("python", _pyproject),
    "Pipfile": ("python", _asking(_toml_entries, {"packages": "[packages]"})),
    "go.mod": ("go", _go_mod),
    "Cargo.toml": ("rust", _asking(_toml_entries, {"dependencies": "[dependencies]"})),
    "composer.json": ("php", _asking(_json_entries, {"require": '"require"'})),
}
"""Files that ask for packages by name: the ecosystem, and what finds where they do."""


def is_of_work(file: str) -> bool:
    """Return whether a file is, by its name, for tests, documents or examples, and not for what is deployed."""
    return _OF_WORK.search(file) is not None


def requirements(text: str, file: str) -> tuple[Locked | None, tuple[Place, ...]]:
    """Return what pip's requirements lock (None where there are none), and lines that add another index."""
    first, asked = 0, False
    indexes = []
    number = 1
    for line in re.sub(r"\\\n", "\0", text).split("\n"):
        bare = re.sub(r"(?:^|\s)#.*", "", line.replace("\0", " ")).strip()
        if bare.startswith("--extra-index-url"):
            indexes.append(Place(file, number))
        elif bare and not bare.startswith("-") and not bare.startswith((".", "/")):
            asked = True
            first = first or (0 if "--hash=" in bare else number)
        number += 1 + line.count("\0")
    found = Locked("python", Place(file), Place(file, first) if first else None) if asked else None
    return found, tuple(indexes)


def unlocked(asked: Sequence[Required], locks: Sequence[Locked]) -> Iterator[Required]:
    """Yield what asks for packages and has no lock file in its folder or one above."""
    for one in asked:
        folder = posixpath.dirname(one.place.file)
        if not any(lock.ecosystem == one.ecosystem and _is_above(lock, folder) for lock in locks):
            yield one


def _is_above(lock: Locked, folder: str) -> bool:
    above = posixpath.dirname(lock.place.file)
    return above in {"", "."} or folder == above or folder.startswith(f"{above}/")
