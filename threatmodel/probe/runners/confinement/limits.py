"""How much of the machine a handler's processes may use: limits of a process, and control groups where possible."""

# ruff: noqa: PTH103, PTH110, PTH118, PTH123 - pathlib would take a tenth of the time that a scenario may take

from __future__ import annotations

import contextlib
import os
import resource
from collections.abc import Mapping

_FILE_SIZE = 64 * 1024 * 1024
PROCESSES = 256
_FILES = 1024
_CONTROL = "/sys/fs/cgroup"
_PROCESSES_IN = "cgroup.procs"


def of_process(*, memory: int, node: bool) -> None:
    """Sets the limits of this process and of each that it starts."""
    limits = {resource.RLIMIT_CORE: 0, resource.RLIMIT_FSIZE: _FILE_SIZE, resource.RLIMIT_NOFILE: _FILES}
    if not node:  # node reserves far more addresses than it uses: there the watch over its memory must do
        limits[resource.RLIMIT_AS] = memory * 2 + 256 * 1024 * 1024
    limits[resource.RLIMIT_NPROC] = _running() + PROCESSES
    for limit, most in limits.items():
        with contextlib.suppress(OSError, ValueError):
            hard = resource.getrlimit(limit)[1]
            lower = most if hard == resource.RLIM_INFINITY else min(most, hard)
            resource.setrlimit(limit, (lower, lower))


def _running() -> int:
    """Threads that this user runs already, which the limit of processes counts."""
    count = 0
    with contextlib.suppress(OSError):
        for entry in os.scandir("/proc"):
            with contextlib.suppress(OSError):
                if entry.name.isdecimal() and entry.stat().st_uid == os.getuid():
                    count += len(os.listdir(f"/proc/{entry.name}/task"))  # noqa: PTH208 - as above
    return count


def counts_for_user(user: int) -> bool:
    """Whether the limit of processes is kept for a user: it is for none that is root on this machine."""
    return user != 0


def groups(name: str, memory: int, root: str = _CONTROL) -> list[str]:
    """Control groups for one handler, made where this process may make them: their folders, none where it may not.

    A process enters one by its number in `cgroup.procs`, which the kernel puts into each: a folder that has none is no
    group, as where `root` is an ordinary one that only holds the trees of version 1.
    """
    found = []
    for folder, files in _places(memory, root).items():
        place = os.path.join(folder, name)
        if not os.path.exists(os.path.join(folder, _PROCESSES_IN)):
            continue
        try:
            os.makedirs(place)
            for file, value in files.items():
                with open(os.path.join(place, file), "w", encoding="ascii") as written:
                    written.write(str(value))
        except OSError:
            with contextlib.suppress(OSError):
                os.rmdir(place)  # noqa: PTH106 - as above
            continue
        found.append(place)
    return found


def _places(memory: int, root: str) -> Mapping[str, Mapping[str, int]]:
    """Where groups may be made, by this process's own: version 2, and version 1 with a tree for each kind."""
    whole = memory * 2 + 256 * 1024 * 1024
    found: dict[str, Mapping[str, int]] = {}
    with contextlib.suppress(OSError, ValueError), open("/proc/self/cgroup", encoding="utf-8") as lines:
        for line in lines:
            _, kinds, path = line.rstrip("\n").split(":", 2)
            if not kinds:
                found[f"{root}{path}"] = {"pids.max": PROCESSES, "memory.max": whole}
            elif kinds == "pids":
                found[f"{root}/pids{path}"] = {"pids.max": PROCESSES}
            elif kinds == "memory":
                found[f"{root}/memory{path}"] = {"memory.limit_in_bytes": whole}
    return found


def enter(groups: list[str], process: int) -> None:
    """Puts a process into the groups.  Raises OSError."""
    for place in groups:
        with open(os.path.join(place, _PROCESSES_IN), "w", encoding="ascii") as file:
            file.write(str(process))


def remove(groups: list[str]) -> None:
    """Removes groups in which nothing runs any more."""
    for place in groups:
        with contextlib.suppress(OSError):
            os.rmdir(place)  # noqa: PTH106 - as above
