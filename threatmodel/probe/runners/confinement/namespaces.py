"""Separate namespaces for the handler's processes: process numbers, network, mounts, and a user without rights."""

from __future__ import annotations

import os
from pathlib import Path

from threatmodel.probe.runners.confinement.kernel import KernelError, call

_USER, _PROCESSES, _NETWORK, _IPC, _NAMES = 0x10000000, 0x20000000, 0x40000000, 0x08000000, 0x04000000
_INSIDE = 993
"""The number that the caller's user has inside, where it is no root."""


def enter() -> tuple[dict[str, str], bool]:
    """Leaves the caller's namespaces; children of this process are in new ones.

    Gives why each measure does not hold ('' where it does), and whether this process may mount there.  Root needs no
    namespace of users: it gives its rights up later.
    """
    user, group = os.getuid(), os.getgid()
    whole = _PROCESSES | _NETWORK | _IPC | _NAMES
    try:
        call("unshare", whole if user == 0 else whole | _USER)
    except KernelError as error:
        return _less(user, group, error.strerror or "refused")
    if user:
        _map(user, group)
    return {"processes": "", "network": ""}, True


def _less(user: int, group: int, why: str) -> tuple[dict[str, str], bool]:
    """A part of it, where all together is rejected: root without rights over the machine may still make a user's."""
    for flags, processes in ((_USER | _PROCESSES | _NETWORK, ""), (_USER | _NETWORK, why)):
        try:
            call("unshare", flags)
        except KernelError:
            continue
        _map(user, group)
        return {"processes": processes, "network": ""}, not processes
    return {"processes": why, "network": why}, False


def _map(user: int, group: int) -> None:
    for name, line in (
        ("setgroups", "deny"),
        ("uid_map", f"{_INSIDE} {user} 1"),
        ("gid_map", f"{_INSIDE} {group} 1"),
    ):
        Path("/proc/self", name).write_text(line, encoding="ascii")
