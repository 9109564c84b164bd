"""Landlock: what this process may write, execute and connect to, by rules that it lays down for itself."""

# ruff: noqa: PTH110, PTH112 - pathlib would take a tenth of the time that a scenario may take

from __future__ import annotations

import ctypes
import os
import struct
from collections.abc import Iterable

from threatmodel.probe.runners.confinement.kernel import KernelError, system_call

_CREATE, _ADD, _RESTRICT = 444, 445, 446
_VERSION, _BENEATH = 1, 1
_WRITE_FILE, _EXECUTE = 1 << 1, 1 << 0
_WRITES = (1 << 1) | sum(1 << bit for bit in range(4, 13))
_REFER, _TRUNCATE, _DEVICE = 1 << 13, 1 << 14, 1 << 15
_TCP, _SCOPED = 3, 3
_FOLDERS_ONLY = sum(1 << bit for bit in range(4, 14))


def version() -> int:
    """Which version of Landlock the kernel has.  Raises KernelError where it has none."""
    return system_call(_CREATE, None, 0, _VERSION)


def restrict(writable: Iterable[str]) -> int:
    """From now on this process writes nowhere else, opens no TCP, and reaches no process but those that it starts.

    Gives the version; the second holds from the fourth on, signals from the sixth.  Raises KernelError.
    """
    found = version()
    writes = _WRITES | (_REFER if found >= 2 else 0) | (_TRUNCATE if found >= 3 else 0) | (_DEVICE if found >= 5 else 0)  # noqa: PLR2004 - versions, as the kernel's documentation lists them
    attributes = struct.pack("3Q", writes, _TCP if found >= 4 else 0, _SCOPED if found >= 6 else 0)  # noqa: PLR2004 - the same
    size = 8 if found < 4 else 16 if found < 6 else 24  # noqa: PLR2004 - the same
    rules = system_call(_CREATE, ctypes.create_string_buffer(attributes, 24), size, 0)
    try:
        for path in writable:
            if os.path.exists(path):
                _allow(rules, path, writes)
        system_call(_RESTRICT, rules, 0)
    finally:
        os.close(rules)
    return found


def _allow(rules: int, path: str, writes: int) -> None:
    place = os.open(path, os.O_PATH | os.O_CLOEXEC)
    try:
        rights = writes if os.path.isdir(path) else writes & ~_FOLDERS_ONLY
        rule = ctypes.create_string_buffer(struct.pack("<Qi", rights, place), 12)
        system_call(_ADD, rules, _BENEATH, rule, 0)
    finally:
        os.close(place)


__all__ = ["KernelError", "restrict", "version"]
