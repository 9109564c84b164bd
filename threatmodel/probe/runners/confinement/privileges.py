"""The rights of the handler's process: a user of no account, no capabilities, and no way to get any back."""

from __future__ import annotations

import contextlib
import ctypes
import os
import secrets
import struct

from threatmodel.probe.runners.confinement.kernel import KernelError, call, prctl

_NOT_READ, _NO_NEW, _DROP_BOUND, _AMBIENT, _RAISE = 4, 38, 24, 47, 2
_KEEP_CAPABILITIES = 8
_READ_SEARCH = 2
"""CAP_DAC_READ_SEARCH: reads what only another user may read.  The call that makes it dangerous is forbidden."""
_VERSION = 0x20080522
_FIRST, _MANY = 1_879_048_192, 65_536
"""Numbers of users beyond those that accounts and containers get (systemd: users-groups-ids)."""


def hide(*, hidden: bool = True) -> None:
    """Keeps the memory and the environment of this process from others of the same user (PR_SET_DUMPABLE)."""
    with contextlib.suppress(KernelError):
        prctl(_NOT_READ, 0 if hidden else 1)


def unused_user() -> int:
    """The number of a user that no other process has, so that what is counted for a user is counted for one handler."""
    return _FIRST + secrets.randbelow(_MANY)


def become(user: int, *, reads: bool) -> None:
    """Turns root into that user for good.  Raises KernelError.  `reads`: it still reads what only others may read."""
    kept = 1 << _READ_SEARCH if reads else 0
    with contextlib.suppress(OSError):
        os.setgroups([])
    os.setresgid(user, user, user)
    _bound(kept)  # as long as it is root: a user without capabilities may not
    if reads:
        prctl(_KEEP_CAPABILITIES, 1)
    os.setresuid(user, user, user)
    _hold(kept)
    if reads:
        prctl(_AMBIENT, _RAISE, _READ_SEARCH)


def without_capabilities() -> None:
    """Takes every capability from this process and what it starts.  Raises KernelError."""
    _bound(0)
    _hold(0)


def _bound(kept: int) -> None:
    """Limits what this process and what it starts may ever get."""
    for number in range(64):
        if not kept >> number & 1:
            with contextlib.suppress(KernelError):  # there is none of that number, or this process has no right to
                prctl(_DROP_BOUND, number)


def _hold(kept: int) -> None:
    """Gives up the capabilities that this process has, but those in `kept`, a bit for each of the first 32."""
    header = ctypes.create_string_buffer(struct.pack("Ii", _VERSION, 0), 8)
    data = ctypes.create_string_buffer(struct.pack("6I", kept, kept, kept, 0, 0, 0), 24)
    call("capset", header, data)


def no_new() -> None:
    """No program that is started gives rights that this process has not.  Raises KernelError."""
    prctl(_NO_NEW, 1)
