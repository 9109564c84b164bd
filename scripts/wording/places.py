"""Which files are checked, and what in them is code or cited (places.yaml)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path

import yaml

TABLE = Path(__file__).with_name("places.yaml")


@dataclass(frozen=True, slots=True, kw_only=True)
class Places:
    """The files that are checked, as paths from the repository's root."""

    checked: tuple[str, ...]

    def files(self, wanted: Iterable[str]) -> tuple[str, ...]:
        """Return the checked files in these files and folders, all where none is given."""
        inside = [path.rstrip("/").removeprefix("./") for path in wanted]
        return tuple(one for one in self.checked if not inside or any(within(one, path) for path in inside))


def within(path: str, scope: str) -> bool:
    """Return whether a path is that file, or below that folder."""
    return scope in {".", path} or path.startswith(f"{scope}/")


@cache
def table() -> Mapping[str, Sequence[str]]:
    """Return the lists of places.yaml by name."""
    lists: Mapping[str, Sequence[str]] = yaml.safe_load(TABLE.read_text(encoding="utf-8"))
    return lists


@cache
def code_keys() -> frozenset[str]:
    """Return the keys of YAML files whose values are code, with all that is below them."""
    return frozenset(table()["code_keys"])


@cache
def cited() -> tuple[str, ...]:
    """Return the texts of others that are cited as they are."""
    return tuple(table()["cited"])


def places(home: Path) -> Places:
    """Return the places of a repository."""
    found = {
        path.relative_to(home).as_posix()
        for pattern in table()["checked"]
        for path in home.glob(pattern)
        if path.is_file()
    }
    kept = [path for path in found if not any(fnmatchcase(path, pattern) for pattern in table()["left_out"])]
    return Places(checked=tuple(sorted(kept)))
