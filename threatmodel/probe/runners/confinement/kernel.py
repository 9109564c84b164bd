"""Calls of the Linux kernel that Python's standard library does not offer."""

from __future__ import annotations

import ctypes
import functools
import os
import sys

LINUX = sys.platform == "linux"


class KernelError(OSError):
    """A call that the kernel rejected; its text says which and why."""


@functools.cache
def _library() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


def call(name: str, *arguments: int | bytes | ctypes.Array[ctypes.c_char] | None) -> int:
    """What a function of the C library answers.  Raises KernelError where that is -1, or there is no such function."""
    if not LINUX:
        raise KernelError(0, f"{name} is a call of Linux")
    function = getattr(_library(), name)
    answer: int = function(*[ctypes.c_long(value) if isinstance(value, int) else value for value in arguments])
    if answer == -1:
        number = ctypes.get_errno()
        raise KernelError(number, f"{name}: {os.strerror(number)}")
    return answer


def system_call(number: int, *arguments: int | bytes | ctypes.Array[ctypes.c_char] | None) -> int:
    """The same by number, for calls that have no function: those from 424 on are the same on every machine."""
    return call("syscall", number, *arguments)


def prctl(option: int, *values: int | bytes | ctypes.Array[ctypes.c_char]) -> int:
    """Changes something of this process.  Raises KernelError."""
    return call("prctl", option, *values, *[0] * (4 - len(values)))


def mount(source: str, target: str, kind: str | None, flags: int, data: str = "") -> None:
    """Mounts one thing.  Raises KernelError."""
    call("mount", source.encode(), os.fsencode(target), kind.encode() if kind else None, flags, data.encode())
