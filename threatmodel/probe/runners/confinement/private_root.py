"""A root folder that holds only what a handler needs, read-only, with a private /tmp and /proc."""

# ruff: noqa: PTH103, PTH110, PTH112, PTH114, PTH115, PTH120, PTH123, PTH211 - pathlib would take a tenth of the time that a scenario may take

from __future__ import annotations

import contextlib
import ctypes
import os
import struct
from collections.abc import Iterable

from threatmodel.probe.runners.confinement.kernel import KernelError, call, mount, system_call

_NEW_MOUNTS = 0x00020000
_NO_SETUID, _NO_DEVICES, _NO_PROGRAMS, _BIND, _RECURSIVE, _PRIVATE = 2, 4, 8, 0x1000, 0x4000, 1 << 18
_DETACH = 2
_SET_ATTRIBUTES, _HERE, _ALL_BELOW = 442, -100, 0x8000
_READ_ONLY, _PLAIN = 1, 2 | 4
_PIVOT = {"x86_64": 155, "aarch64": 41}
_TEMPORARY = "mode=1777,size=128m,nr_inodes=20k"
_SYSTEM = ("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/nix/store")
_SETTINGS = ("ssl", "pki", "ca-certificates", "ld.so.cache", "localtime", "nsswitch.conf", "mime.types", "alternatives")
_DEVICES = ("null", "zero", "full", "random", "urandom")
_STREAMS = {"fd": "/proc/self/fd", "stdin": "/proc/self/fd/0", "stdout": "/proc/self/fd/1", "stderr": "/proc/self/fd/2"}


def build(base: str, shown: Iterable[str], socket: str, home: str, owner: int) -> None:
    """Makes `base` the root of this process.  Raises KernelError where that cannot be.

    `shown` are the files and folders that are there as they are now, read-only; `socket` is the caller's, `home` the
    handler's folder for what it writes, and `owner` whose it is.
    """
    places = _outermost([*_SYSTEM, *(f"/etc/{name}" for name in _SETTINGS), *shown])
    if any(base.startswith(place.rstrip("/") + "/") for place in places):
        raise KernelError(0, "the handler's folder holds the machine's temporary one")
    call("unshare", _NEW_MOUNTS)
    mount("none", "/", None, _RECURSIVE | _PRIVATE)
    mount("probe", base, "tmpfs", _NO_SETUID | _NO_DEVICES, "mode=755,size=1m")
    for folder in {"/tmp", "/tmp" if home.startswith("/tmp/") else home}:  # noqa: S108 - where a handler may write
        os.makedirs(base + folder)
        mount("tmp", base + folder, "tmpfs", _NO_SETUID | _NO_DEVICES, _TEMPORARY)
    os.makedirs(base + home, exist_ok=True)
    os.chown(base + home, owner, -1)
    for place in places:
        _show(base, place)
    _bind(socket, base + socket)
    for name in _DEVICES:
        _bind(f"/dev/{name}", f"{base}/dev/{name}")
    for name, target in _STREAMS.items():
        os.symlink(target, f"{base}/dev/{name}")
    os.makedirs(f"{base}/proc")
    with contextlib.suppress(KernelError):  # where /proc is masked, as in many containers, it has none
        mount("proc", f"{base}/proc", "proc", _NO_SETUID | _NO_DEVICES | _NO_PROGRAMS)
        _only_read(f"{base}/proc")
    _become(base)


def _outermost(paths: Iterable[str]) -> list[str]:
    """The paths without those that are in another of them."""
    found: list[str] = []
    for path in sorted(set(paths)):
        if not any(path == other or path.startswith(other + "/") for other in found):
            found.append(path)
    return found


def _show(base: str, path: str) -> None:
    if os.path.islink(path):
        os.makedirs(os.path.dirname(base + path), exist_ok=True)
        os.symlink(os.readlink(path), base + path)
    elif os.path.exists(path):
        _bind(path, base + path)
        _only_read(base + path)


def _bind(path: str, target: str) -> None:
    if os.path.isdir(path):
        os.makedirs(target, exist_ok=True)
    else:
        os.makedirs(os.path.dirname(target), exist_ok=True)
        with open(target, "ab"):
            pass
    mount(path, target, None, _BIND | _RECURSIVE)


def _only_read(target: str, how: int = _ALL_BELOW) -> None:
    """mount_setattr(2), since Linux 5.12: adds to what holds already, so that nothing is lost on the way."""
    attributes = ctypes.create_string_buffer(struct.pack("4Q", _READ_ONLY | _PLAIN, 0, 0, 0), 32)
    system_call(_SET_ATTRIBUTES, _HERE, os.fsencode(target), how, attributes, 32)


def _become(base: str) -> None:
    os.chdir(base)
    number = _PIVOT.get(os.uname().machine)
    if number is None:
        raise KernelError(0, f"not known how on {os.uname().machine}")
    system_call(number, b".", b".")
    call("umount2", b".", _DETACH)
    os.chdir("/")
    _only_read("/", 0)
