"""What a Python handler may not do on the machine that probes it: start programs, write where Lambda does not allow it.

Each try is reported and rejected: a hostile request may try to run a command, and this is the user's machine.
"""

# ruff: noqa: PTH119 - pathlib would take a tenth of the time that a scenario may take

from __future__ import annotations

import errno
import os
import shlex
import sys
from collections.abc import Callable
from typing import Any

from threatmodel.probe.runners.inside.opened import Opened

_STARTS = {"subprocess.Popen": 0, "os.system": 0, "os.exec": 0, "os.posix_spawn": 0, "os.spawn": 1, "pty.spawn": 0}
_CHANGES = {  # what each is called in an effect, and how many of its first arguments are paths
    "os.remove": ("remove", 1),
    "os.rename": ("rename", 2),
    "os.rmdir": ("rmdir", 1),
    "os.mkdir": ("mkdir", 1),
    "os.truncate": ("truncate", 1),
    "os.chmod": ("chmod", 1),
    "os.chown": ("chown", 1),
    "os.link": ("link", 2),
    "os.symlink": ("symlink", 2),
    "shutil.rmtree": ("rmtree", 1),
}
_READS = {"os.listdir": 0, "os.scandir": 0, "import": 1, "ctypes.dlopen": 0}
"""What reads a file or folder otherwise than by opening it: which argument has its path, None where that is none."""
_SENDS = {"socket.connect", "socket.sendto", "socket.sendmsg"}
_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND


def install(path: str, temporary: str, note: Callable[[str, str, str], None], opened: Opened) -> None:
    """Adds the hook, for as long as this process lives; `path` is the one socket that may be connected to."""
    refuse_write = _writing(temporary, note)

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        if event == "open":
            if isinstance(arguments[2], int) and arguments[2] & _WRITING:
                refuse_write("write", arguments[0])
                opened.written(arguments[0])
            else:
                opened.read(arguments[0])
        elif event in _READS:
            if event != "import" or arguments[1] is not None:
                opened.read(arguments[_READS[event]])
        elif event in _CHANGES:
            for place in arguments[: _CHANGES[event][1]]:
                refuse_write(_CHANGES[event][0], place)
        elif event in _STARTS:
            note("process", "spawn", _program(arguments[_STARTS[event]]))
            raise PermissionError(errno.EPERM, "the probe starts no programs")
        elif event in _SENDS and arguments[1] not in (None, path):
            note("network", "CONNECT", str(arguments[1])[:200])
            raise ConnectionRefusedError(errno.ECONNREFUSED, os.strerror(errno.ECONNREFUSED))

    sys.addaudithook(hook)
    _stop_quiet_starts(note)


def _stop_quiet_starts(note: Callable[[str, str, str], None]) -> None:
    """Block what starts programs without an audit event: the way that multiprocessing does it."""
    import _posixsubprocess

    def refuse(arguments: Any, *_: Any) -> int:
        note("process", "spawn", _program(list(arguments)))
        raise PermissionError(errno.EPERM, "the probe starts no programs")

    setattr(_posixsubprocess, "fork_exec", refuse)  # noqa: B010 - mypy knows the real one


def _writing(temporary: str, note: Callable[[str, str, str], None]) -> Callable[[str, Any], None]:
    """What rejects a change of a file, unless Lambda would let a handler make it."""
    roots = tuple(os.path.realpath(root) + os.sep for root in ("/tmp", temporary))  # noqa: S108 - the one such folder
    free = {os.devnull, "/dev/stdout", "/dev/stderr", "/dev/tty"}

    def refuse(operation: str, place: Any) -> None:
        if isinstance(place, int):
            return
        name = os.fsdecode(place)
        if name in free or (os.path.realpath(name) + os.sep).startswith(roots):
            return
        note("file", operation, name)
        raise OSError(errno.EROFS, os.strerror(errno.EROFS), name)

    return refuse


def _program(command: Any) -> str:
    """The name of a program, without its arguments, which could hold anything."""
    if isinstance(command, (list, tuple)):
        command = command[0] if command else ""
    text = os.fsdecode(command) if isinstance(command, (str, bytes, os.PathLike)) else ""
    try:
        words = shlex.split(text)
    except ValueError:
        words = text.split()
    return os.path.basename(words[0]) if words else ""
