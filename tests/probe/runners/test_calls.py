"""The filter of calls: what it denies, by numbers that this file has from the kernel's own headers."""

from __future__ import annotations

import errno
import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.probe.running import written
from tests.support import HOME
from threatmodel.probe.runners.confinement import calls
from threatmodel.probe.runners.confinement.look import look
from threatmodel.probe.runners.launching import Program

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the filter is Linux's")

DENIED = {
    *("ptrace", "process_vm_readv", "process_vm_writev", "kcmp", "pidfd_getfd", "process_madvise", "mount", "umount2"),
    *("pivot_root", "chroot", "open_tree", "move_mount", "fsopen", "mount_setattr", "unshare", "setns"),
    *("open_by_handle_at", "bpf", "perf_event_open", "userfaultfd", "io_uring_setup", "add_key", "request_key"),
    *("keyctl", "init_module", "finit_module", "delete_module", "kexec_load", "kexec_file_load", "reboot", "swapon"),
    *("swapoff", "settimeofday", "clock_settime", "clock_adjtime", "adjtimex", "sethostname", "setdomainname"),
    *("quotactl", "acct", "syslog", "personality"),
}
"""Calls by which a process reaches another one, the kernel, or the clock."""

FORBIDDEN, PROGRAMS, PROCESSES, CLONE, CLONE3, COLUMN = (
    vars(calls)[name] for name in ("_FORBIDDEN", "_PROGRAMS", "_PROCESSES", "_CLONE", "_CLONE3", "_COLUMN")
)
HEADERS = {
    "x86_64": Path("/usr/include/x86_64-linux-gnu/asm/unistd_64.h"),
    "aarch64": Path("/usr/include/asm-generic/unistd.h"),
}
THREAD, PROCESS = 0x00010F00 | 0x00040000, int(signal.SIGCHLD)
NAMESPACES = (0x00020000, 0x02000000, 0x04000000, 0x08000000, 0x10000000, 0x20000000, 0x40000000, 0x00000080)


@pytest.mark.parametrize("machine", HEADERS)
def test_its_numbers_are_the_kernels(machine: str) -> None:
    if not HEADERS[machine].exists():
        pytest.skip(f"the kernel's headers for {machine} are not installed")
    text = HEADERS[machine].read_text(encoding="utf-8")
    known = {
        name: int(number) for name, number in re.findall(r"^#define __NR(?:3264)?_(\w+)\s+(\d+)$", text, re.MULTILINE)
    }
    tables = {**FORBIDDEN, **PROGRAMS, **PROCESSES, "clone": CLONE, "clone3": CLONE3}
    column = list(HEADERS).index(machine)
    assert {name: pair[column] for name, pair in tables.items()} == {name: known.get(name, -1) for name in tables}
    assert set(FORBIDDEN) == DENIED


ASKS = """
import ctypes, json, os, sys
sys.path.insert(0, {home!r})
from threatmodel.probe.runners.confinement import calls, privileges
privileges.no_new()
calls.forbid(programs={programs}, processes={processes})
libc = ctypes.CDLL(None, use_errno=True)
found = []
for number, first in json.load(sys.stdin):
    ctypes.set_errno(0)
    answer = libc.syscall(ctypes.c_long(number), *[ctypes.c_long(one) for one in (first, -1, -1, -1, -1, -1)])
    if answer == 0 and number in {forks}:
        os._exit(0)
    found.append(0 if answer >= 0 else ctypes.get_errno())
import threading
thread = threading.Thread(target=lambda: found.append("thread"))
thread.start()
thread.join()
print(json.dumps(found))
"""


def asked(programs: bool, processes: bool, asks: list[tuple[int, int]]) -> list[object]:
    """The error of each call (0 for none) in a process that laid down the filter; 'thread' where it made a thread."""
    column = COLUMN[os.uname().machine]
    forks = [pair[column] for pair in (CLONE, *PROCESSES.values())]
    code = ASKS.format(home=str(HOME), programs=programs, processes=processes, forks=forks)
    done = subprocess.run(
        [sys.executable, "-c", code], input=json.dumps(asks), capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    found: list[object] = json.loads(done.stdout)
    return found


@pytest.fixture
def column() -> int:
    if os.uname().machine not in COLUMN:
        pytest.skip(f"no filter for {os.uname().machine}")
    return int(COLUMN[os.uname().machine])


@pytest.mark.parametrize(("programs", "processes"), [(True, False), (False, True)])
def test_it_denies_each_call_and_leaves_threads(column: int, programs: bool, processes: bool) -> None:
    wanted = [*(FORBIDDEN[name] for name in sorted(DENIED)), *(PROGRAMS.values() if programs else ())]
    numbers = [pair[column] for pair in wanted]
    assert asked(programs, processes, [(number, -1) for number in numbers]) == [errno.EPERM] * len(numbers) + ["thread"]


@pytest.mark.parametrize("processes", [True, False])
def test_it_makes_no_namespaces_and_no_processes_where_none_may_be(column: int, processes: bool) -> None:
    clone = CLONE[column]
    asks = [(clone, kind | one) for one in NAMESPACES for kind in (PROCESS, THREAD)]
    asks += [(clone, PROCESS)] if processes else []
    asks += [(pair[column], 0) for pair in PROCESSES.values() if pair[column] >= 0] if processes else []
    expected: list[object] = [*(errno.EPERM for _ in asks), errno.ENOSYS]
    asks.append((CLONE3[column], 0))
    assert asked(False, processes, asks) == [*expected, "thread"]


def test_a_process_or_program_may_be_started_where_it_is_allowed(column: int) -> None:
    forks = [pair[column] for pair in (CLONE, *PROCESSES.values()) if pair[column] >= 0]
    asks = [
        *((number, PROCESS) for number in forks if number != PROCESSES["vfork"][column]),
        (PROGRAMS["execve"][column], -1),
    ]
    assert asked(False, False, asks) == [*(0 for _ in asks[1:]), errno.EFAULT, "thread"]


def test_other_calls_are_left_alone(column: int) -> None:
    getpid = (39, 172)[column]
    assert asked(True, True, [(getpid, 0)]) == [0, "thread"]


@pytest.mark.skipif(os.uname().machine != "x86_64", reason="x32 is of x86_64")
def test_the_second_numbers_of_calls_are_denied() -> None:
    assert asked(False, False, [(0x40000000 + 39, 0), (0x40000000, -1)]) == [errno.EPERM, errno.EPERM, "thread"]


# --- what a machine allows is done


def allowed(*arguments: str) -> bool:
    """Whether util-linux may make these namespaces here, for this user."""
    try:
        return subprocess.run(["unshare", *arguments, "true"], capture_output=True, check=False).returncode == 0
    except FileNotFoundError:
        return False


def test_each_measure_that_this_machine_allows_holds(tmp_path: Path) -> None:
    holds = {one.name: one.holds for one in look(Program(file=written(tmp_path, "", "app.py").resolve(), node=""))}
    own = () if os.geteuid() == 0 else ("--user", "--map-root-user")
    if allowed(*own, "--pid", "--fork", "--mount", "--net"):
        assert holds["processes"]
        assert holds["files"]
        assert holds["network"]
    assert holds["user"] or os.geteuid() == 0
    if os.uname().machine in COLUMN and "Seccomp" in Path("/proc/self/status").read_text(encoding="utf-8"):
        assert holds["programs"]
