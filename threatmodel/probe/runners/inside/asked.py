"""Which variables the handler's own code asks for and does not get, and whether anything reads the signing secret's."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from types import FrameType

_MOST = 50
_ASKING = frozenset({"os.py", "_collections_abc.py"})


class _Recorded(dict[bytes, bytes]):
    """What is behind `os.environ`: it reports each name that is not there, and whether the secret's was read."""

    def __init__(self, given: dict[bytes, bytes], tell: Callable[[bytes], None], secret: bytes) -> None:
        super().__init__(given)
        self._tell, self._secret, self.reads_secret = tell, secret, False

    def __getitem__(self, name: bytes) -> bytes:
        if name == self._secret:
            self.reads_secret = True
        return super().__getitem__(name)

    def __missing__(self, name: bytes) -> bytes:
        self._tell(name)
        raise KeyError(name)


def install(folder: str, secret: str) -> tuple[Callable[[], list[str]], Callable[[], bool]]:
    """Begins to record.

    Gives what tells the names for which code in the folder itself asked so far, and whether any code read `secret`.
    """
    names: dict[str, None] = {}
    own = _own(folder)

    def tell(name: bytes) -> None:
        if len(names) < _MOST and own(_asker()):
            names.setdefault(os.fsdecode(name)[:100])

    recorded = _Recorded(vars(os.environ)["_data"], tell, os.fsencode(secret))
    vars(os.environ)["_data"] = recorded
    return lambda: list(names), lambda: recorded.reads_secret


def _asker() -> str:
    """The file of the code that asks: the first on the way up that is no part of `os` itself."""
    frame: FrameType | None = sys._getframe(4)  # noqa: SLF001 - as `warnings` and `logging` do
    while frame is not None:
        name = frame.f_code.co_filename
        if os.path.basename(name) not in _ASKING and not name.startswith("<frozen"):  # noqa: PTH119 - nothing to load
            return name
        frame = frame.f_back
    return ""


def _own(folder: str) -> Callable[[str], bool]:
    """Whether a file is the author's: not of a package that was installed into the folder."""
    root = folder + os.sep
    installed = any(name.endswith(".dist-info") for name in os.listdir(folder))  # noqa: PTH208 - nothing to load

    def own(file: str) -> bool:
        parts = file.removeprefix(root).split("/")
        return file.startswith(root) and not (installed and len(parts) > 1) and "site-packages" not in parts

    return own
