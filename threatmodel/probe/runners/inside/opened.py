"""Which files a Python handler reads, and which folders it lists: modules that it imports are among them."""

# ruff: noqa: PTH100, PTH109 - pathlib would take a tenth of the time that a scenario may take

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

_MOST = 20_000


class Opened:
    """The paths, each reported once; what the handler wrote itself is not among them."""

    def __init__(self, temporary: str, bytecode: str) -> None:
        self._seen: set[str] = set()
        self._new: list[str] = []
        self._not = (temporary + os.sep, f"{bytecode or temporary}{os.sep}", "/proc/", "/dev/")

    def read(self, place: Any) -> None:
        """Records a file or folder."""
        name = _path(place)
        if name and name not in self._seen and not name.startswith(self._not) and len(self._seen) <= _MOST:
            self._seen.add(name)
            self._new.append(name)

    def written(self, place: Any) -> None:
        """Records a file that is the handler's own from now on."""
        self._seen.add(_path(place))

    def news(self) -> Mapping[str, Any]:
        """What was read since this was last asked."""
        new, self._new = self._new, []
        return {"read": new} if new else {}


def _path(place: Any) -> str:
    if place is None:
        return os.getcwd()
    if not isinstance(place, (str, bytes, os.PathLike)):
        return ""
    return os.path.abspath(os.fsdecode(place))
