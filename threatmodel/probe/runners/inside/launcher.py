"""Starts one handler's process with limits, watches it, and leaves no process of it behind.

This process stays as the parent of whatever the handler starts (on Linux also of what detaches itself).  It ends with
one of the codes below once nothing of the handler runs any more.
"""

# ruff: noqa: PTH100, PTH118, PTH120, PTH123, PTH208 - pathlib would take a tenth of the time that a scenario may take

from __future__ import annotations

import contextlib
import json
import os
import signal
import sys
import time
from collections.abc import Mapping
from typing import Any

EXITED, DIED, MEMORY, STOPPED = 10, 11, 12, 13
"""How the handler's process ended: by itself, by a signal, over its memory, because the caller said so."""

_PAUSE = 0.05
_PATIENCE = 5.0
_FILE_SIZE = 64 * 1024 * 1024
_PROCESSES = 256
_SUBREAPER, _DEATH_SIGNAL, _NEW_USER, _NEW_NETWORK = 36, 1, 0x10000000, 0x40000000


def main() -> None:
    """Reads what to run from standard input, runs it, and exits with how it ended."""
    config = json.loads(sys.stdin.readline())
    caller = os.getppid()
    _part_from_network()
    _system_call("prctl", _SUBREAPER, 1, 0, 0, 0)
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGCHLD, signal.SIGTERM})
    child = os.fork()
    if child == 0:
        _become(config)
    ended = _watched(child, config["memory"], caller)
    _end_all(child)
    os._exit(ended)


def _system_call(name: str, *arguments: int) -> int:
    """The answer of a Linux call that Python does not offer; -1 elsewhere."""
    if sys.platform != "linux":
        return -1
    import ctypes

    answer: int = getattr(ctypes.CDLL(None), name)(*arguments)
    return answer


def _part_from_network() -> None:
    """Takes this process off the network where the system lets it; the stubs refuse connections in any case."""
    user, group = os.getuid(), os.getgid()
    if _system_call("unshare", _NEW_NETWORK) == 0 or _system_call("unshare", _NEW_USER | _NEW_NETWORK) != 0:
        return
    for name, line in (("uid_map", f"{user} {user} 1"), ("setgroups", "deny"), ("gid_map", f"{group} {group} 1")):
        with contextlib.suppress(OSError), open(f"/proc/self/{name}", "w", encoding="ascii") as file:
            file.write(line)


def _become(config: Mapping[str, Any]) -> None:
    """Turns this forked process into the handler's."""
    os.setsid()
    _system_call("prctl", _DEATH_SIGNAL, signal.SIGKILL, 0, 0, 0)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGCHLD, signal.SIGTERM})
    _limit(config)
    if config["node"]:
        reading, writing = os.pipe()
        os.write(writing, json.dumps(config).encode())
        os.close(writing)
        os.dup2(reading, 0)
        os.closerange(3, 64)
        memory = config["memory"] // (1024 * 1024)
        script = os.path.join(os.path.dirname(os.path.abspath(__file__)), "node_child.cjs")
        flags = [f"--max-old-space-size={memory}", "--no-warnings", *config["node_flags"]]
        node = config["node"]
        os.execve(node, [node, *flags, script], dict(os.environ))  # noqa: S606 - the program that the caller found
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
    os.close(null)
    _run_python(config)
    os._exit(0)


def _limit(config: Mapping[str, Any]) -> None:
    import resource

    limits = {resource.RLIMIT_CORE: 0, resource.RLIMIT_FSIZE: _FILE_SIZE}
    if not config["node"]:  # node reserves far more addresses than it uses: there the watch over its memory must do
        limits[resource.RLIMIT_AS] = config["memory"] * 2 + 256 * 1024 * 1024
    limits[resource.RLIMIT_NPROC] = _running() + _PROCESSES
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
                    count += len(os.listdir(f"/proc/{entry.name}/task"))
    return count


def _run_python(config: Mapping[str, Any]) -> None:
    from threatmodel.probe.runners.inside import python_child

    for name in [name for name in sys.modules if name.partition(".")[0] == "threatmodel"]:
        del sys.modules[name]  # the handler may have one of that name
    sys.path.remove(config["home"])
    sys.dont_write_bytecode = True
    python_child.run(config)


def _watched(child: int, memory: int, caller: int) -> int:
    """Waits for the end of the handler's process; ends it when told to, when the caller is gone, or at its limit."""
    while True:
        with contextlib.suppress(ChildProcessError):
            while (found := os.waitpid(-1, os.WNOHANG))[0]:
                if found[0] == child:
                    return DIED if os.WIFSIGNALED(found[1]) else EXITED
        told = signal.sigtimedwait({signal.SIGCHLD, signal.SIGTERM}, _PAUSE) if _CAN_WAIT else _slept()
        if (told is not None and told.si_signo == signal.SIGTERM) or os.getppid() != caller:
            return STOPPED
        if _resident(child) > memory:
            return MEMORY


_CAN_WAIT = hasattr(signal, "sigtimedwait")


def _slept() -> Any:
    """The same where signals cannot be waited for with a limit (macOS)."""
    time.sleep(_PAUSE)
    pending = signal.sigpending()
    return type("Told", (), {"si_signo": signal.SIGTERM}) if signal.SIGTERM in pending else None


def _resident(process: int) -> int:
    """Bytes of memory that a process holds; 0 where the system does not say."""
    try:
        with open(f"/proc/{process}/statm", encoding="ascii") as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, IndexError, ValueError):
        return 0


def _end_all(child: int) -> None:
    """Kills the handler's group, then every process that became a child of this one, until there is none."""
    until = time.monotonic() + _PATIENCE
    while time.monotonic() < until:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(child, signal.SIGKILL)
        for process in _children():
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(process, signal.SIGKILL)
        try:
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        except ChildProcessError:
            return
        time.sleep(0.002)


def _children() -> list[int]:
    """The children of this process, where the system tells."""
    mine, found = str(os.getpid()), []
    with contextlib.suppress(OSError):
        for name in os.listdir("/proc"):
            with contextlib.suppress(OSError):
                if name.isdecimal():
                    with open(f"/proc/{name}/stat", encoding="ascii", errors="replace") as file:
                        if file.read().rpartition(")")[2].split()[1] == mine:
                            found.append(int(name))
    return found
