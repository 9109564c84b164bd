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
from typing import Any, NoReturn

from threatmodel.probe.runners.confinement import limits, privileges
from threatmodel.probe.runners.confinement.confine import Confinement
from threatmodel.probe.runners.confinement.kernel import KernelError, prctl
from threatmodel.probe.runners.inside import python_child

EXITED, DIED, MEMORY, STOPPED = 10, 11, 12, 13
"""How the handler's process ended: by itself, by a signal, over its memory, because the caller ended it."""
CODES = frozenset({EXITED, DIED, MEMORY, STOPPED})
PATIENCE = 5.0
"""Seconds within which what is killed is gone."""

_PAUSE = 0.05
_SUBREAPER, _DEATH_SIGNAL = 36, 1


def adopt() -> None:
    """Makes this process the parent of what its children leave behind, where the system can."""
    _prctl(_SUBREAPER, 1)


def main(config: Mapping[str, Any]) -> NoReturn:
    """Runs the given program, and exits with how it ended."""
    caller = os.getppid()
    confinement = Confinement(config)
    confinement.begin()
    privileges.hide()
    adopt()
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGCHLD, signal.SIGTERM})
    entered, enter = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(enter)
        os.read(entered, 1)  # until it is in its control group
        os.close(entered)
        if confinement.parted:
            _be_first(confinement)
        confinement.close_root()
        _become(confinement)
    with contextlib.suppress(OSError):
        limits.enter(confinement.groups, child)
    os.close(enter)
    ended = _watched(child, config["memory"], caller, first=confinement.parted)
    _end_all(child)
    limits.remove(confinement.groups)
    os._exit(ended)


def _be_first(confinement: Confinement) -> NoReturn:
    """The first process of separate namespaces: all others end with it, and it with the handler's."""
    _prctl(_DEATH_SIGNAL, signal.SIGKILL)
    confinement.close_root()
    child = os.fork()
    if child == 0:
        _become(confinement)
    os._exit(_watched(child, confinement.config["memory"], os.getppid()))


def _prctl(option: int, value: int) -> None:
    with contextlib.suppress(KernelError):
        prctl(option, value)


def _become(confinement: Confinement) -> NoReturn:
    """Turns this forked process into the handler's."""
    config = confinement.config
    os.setsid()
    confinement.give_up_rights()
    _prctl(_DEATH_SIGNAL, signal.SIGKILL)  # a change of user forgets it
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGCHLD, signal.SIGTERM})
    if config["look"]:
        os.write(1, json.dumps(confinement.why).encode())
        os._exit(0)
    lacking = [name for name in config["required"] if confinement.why.get(name)]
    if lacking:  # it held when it was looked at: nothing is run without it
        os.write(2, f"not confined: {confinement.why}\n".encode())
        os._exit(1)
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


def _run_python(config: Mapping[str, Any]) -> None:
    for name in [name for name in sys.modules if name.partition(".")[0] == "threatmodel"]:
        del sys.modules[name]  # the handler may have one of that name
    sys.path.remove(config["home"])
    sys.dont_write_bytecode = True
    python_child.run(config)


def _watched(child: int, memory: int, caller: int, *, first: bool = False) -> int:
    """Waits for the end of the handler's process; ends it on request, when the caller is gone, or at its limit.

    `first`: the child is the first process of its world, and says itself how the handler's ended.
    """
    while True:
        with contextlib.suppress(ChildProcessError):
            while (found := os.waitpid(-1, os.WNOHANG))[0]:
                if found[0] == child:
                    if os.WIFSIGNALED(found[1]):
                        return DIED
                    return os.WEXITSTATUS(found[1]) if first else EXITED
        received = signal.sigtimedwait({signal.SIGCHLD, signal.SIGTERM}, _PAUSE) if _CAN_WAIT else _slept()
        if (received is not None and received.si_signo == signal.SIGTERM) or os.getppid() != caller:
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
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(child, signal.SIGKILL)
        try:
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        except ChildProcessError:
            return  # none is left, and nothing needs to be looked for among all the machine's processes
        for process in children():
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(process, signal.SIGKILL)
        time.sleep(0.002)


def children() -> list[int]:
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
