"""Which calls of the kernel a handler may make: a filter (seccomp) that this process lays down for itself."""

from __future__ import annotations

import ctypes
import errno
import os
import struct

from threatmodel.probe.runners.confinement.kernel import KernelError, prctl

_SET_FILTER, _MODE = 22, 2
_ALLOW, _REFUSE, _KILL = 0x7FFF0000, 0x00050000, 0x80000000
_LOAD, _EQUAL, _BITS, _AT_LEAST, _RETURN = 0x20, 0x15, 0x45, 0x35, 0x06
_NUMBER_AT, _MACHINE_AT, _FIRST_ARGUMENT_AT = 0, 4, 16
_MACHINES = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
_OTHER_NUMBERS = 0x40000000
"""Numbers from here on are x32's: the same calls a second time."""
_COLUMN = {"x86_64": 0, "aarch64": 1}

# (x86_64, aarch64), from the kernel's tables; -1 where a machine has no such call
_FORBIDDEN = {
    "ptrace": (101, 117),
    "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271),
    "kcmp": (312, 272),
    "pidfd_getfd": (438, 438),
    "process_madvise": (440, 440),
    "mount": (165, 40),
    "umount2": (166, 39),
    "pivot_root": (155, 41),
    "chroot": (161, 51),
    "open_tree": (428, 428),
    "move_mount": (429, 429),
    "fsopen": (430, 430),
    "mount_setattr": (442, 442),
    "unshare": (272, 97),
    "setns": (308, 268),
    "open_by_handle_at": (304, 265),
    "bpf": (321, 280),
    "perf_event_open": (298, 241),
    "userfaultfd": (323, 282),
    "io_uring_setup": (425, 425),
    "add_key": (248, 217),
    "request_key": (249, 218),
    "keyctl": (250, 219),
    "init_module": (175, 105),
    "finit_module": (313, 273),
    "delete_module": (176, 106),
    "kexec_load": (246, 104),
    "kexec_file_load": (320, 294),
    "reboot": (169, 142),
    "swapon": (167, 224),
    "swapoff": (168, 225),
    "settimeofday": (164, 170),
    "clock_settime": (227, 112),
    "clock_adjtime": (305, 266),
    "adjtimex": (159, 171),
    "sethostname": (170, 161),
    "setdomainname": (171, 162),
    "quotactl": (179, 60),
    "acct": (163, 89),
    "syslog": (103, 116),
    "personality": (135, 92),
}
_PROGRAMS = {"execve": (59, 221), "execveat": (322, 281)}
_PROCESSES = {"fork": (57, -1), "vfork": (58, -1)}
_CLONE, _CLONE3 = (56, 220), (435, 435)
_THREAD = 0x00010000
_NEW_NAMESPACES = 0x7E020080
"""CLONE_NEW*: mounts, control groups, names, IPC, users, processes, network, and time."""


def forbid(*, programs: bool, processes: bool) -> None:
    """Deny calls from now on, for this process and all that it starts, with EPERM.

    `programs`: no program is started in place of this one; `processes`: only threads are made, no processes.  Raises
    KernelError where the machine or the kernel has no such filter.
    """
    machine = os.uname().machine
    if machine not in _MACHINES:
        raise KernelError(0, f"no filter of calls for {machine}")
    column = _COLUMN[machine]
    names = {**_FORBIDDEN, **(_PROGRAMS if programs else {}), **(_PROCESSES if processes else {})}
    code = [
        _step(_LOAD, _MACHINE_AT),
        _step(_EQUAL, _MACHINES[machine], 1, 0),
        _step(_RETURN, _KILL),
        _step(_LOAD, _NUMBER_AT),
    ]
    if machine == "x86_64":
        code += [_step(_AT_LEAST, _OTHER_NUMBERS, 0, 1), _step(_RETURN, _REFUSE | errno.EPERM)]
    for number in sorted(pair[column] for pair in names.values() if pair[column] >= 0):
        code += [_step(_EQUAL, number, 0, 1), _step(_RETURN, _REFUSE | errno.EPERM)]
    code += [_step(_EQUAL, _CLONE3[column], 0, 1), _step(_RETURN, _REFUSE | errno.ENOSYS)]  # its flags cannot be seen
    code += [
        _step(_EQUAL, _CLONE[column], 0, 5 if processes else 3),
        _step(_LOAD, _FIRST_ARGUMENT_AT),
        _step(_BITS, _NEW_NAMESPACES, 2 if processes else 0, 0 if processes else 1),
    ]
    if processes:
        code += [_step(_BITS, _THREAD, 0, 1), _step(_RETURN, _ALLOW)]
    code += [_step(_RETURN, _REFUSE | errno.EPERM), _step(_RETURN, _ALLOW)]
    _install(b"".join(code), len(code))


def _step(code: int, value: int, then: int = 0, otherwise: int = 0) -> bytes:
    """One instruction of a classic BPF program; jumps count instructions."""
    return struct.pack("HBBI", code, then, otherwise, value)


def _install(program: bytes, steps: int) -> None:
    kept = ctypes.create_string_buffer(program, len(program))
    whole = ctypes.create_string_buffer(struct.pack("HxxxxxxQ", steps, ctypes.addressof(kept)), 16)
    prctl(_SET_FILTER, _MODE, whole)
