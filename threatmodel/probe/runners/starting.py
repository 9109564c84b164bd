"""Launchers, made by copying a process that has read all they need: how one is stopped, and how it ended."""

from __future__ import annotations

import atexit
import contextlib
import functools
import json
import os
import select
import socket
import subprocess
import threading
from collections.abc import Mapping
from typing import Any

from threatmodel.reading.home import PACKAGES

_START = (  # a module, not a script: those are compiled again each time
    "import sys; sys.path.insert(0, sys.argv[1]); from threatmodel.probe.runners.inside import starter; starter.main()"
)
_OPTIONS = ("-I", "-S", "-X", "utf8", "-c", _START, str(PACKAGES))
_ENVIRONMENT = {"LANG": "en_US.UTF-8", "TZ": ":UTC", "PATH": os.defpath}
_PATIENCE = 10.0
_STOP = b"s"  # starter.STOP, which is on the other side
_LOST = -9


class Started:
    """A launcher: `output` is the file of what it and the handler print, for the caller to read and to close."""

    def __init__(self, line: socket.socket, output: int) -> None:
        self._line, self.output = line, output
        self._code: int | None = None

    def poll(self) -> int | None:
        """How it ended; None where it has not."""
        return self.wait(0)

    def wait(self, seconds: float = _PATIENCE) -> int | None:
        """The same, waited for; one whose starter is lost ended by a signal."""
        if self._code is None and select.select([self._line], [], [], seconds)[0]:
            code = b""
            with contextlib.suppress(OSError):
                while not code.endswith(b"\n") and (more := self._line.recv(16)):
                    code += more
            self._code = int(code) if code else _LOST
            self._line.close()
        return self._code

    def stop(self) -> None:
        """Has it end what the handler started, and itself."""
        with contextlib.suppress(OSError):
            self._line.send(_STOP)

    def kill(self) -> None:
        """Has it ended without a word."""
        with contextlib.suppress(OSError):
            self._line.shutdown(socket.SHUT_WR)


class _Starter:
    """The process that is copied, and the line to it."""

    def __init__(self, python: str) -> None:
        self._line, other = socket.socketpair()
        self._lock = threading.Lock()
        with other:
            self._process = subprocess.Popen(  # noqa: S603 - an interpreter that the caller found, this package's file
                (python, *_OPTIONS),
                stdin=other.fileno(),
                stdout=subprocess.DEVNULL,
                env=_ENVIRONMENT,
                start_new_session=True,
                cwd="/",
            )
        atexit.register(self.end)

    def start(self, config: Mapping[str, Any]) -> Started:
        """Raises OSError where the process is gone."""
        own, other = socket.socketpair()
        reading, output = os.pipe()
        code, telling = os.pipe()
        try:
            with other, self._lock:
                socket.send_fds(self._line, [b"+"], [other.fileno(), output, code])
        except OSError:
            own.close()
            os.close(reading)
            raise
        finally:
            os.close(output)
            os.close(code)
            with contextlib.suppress(BrokenPipeError), os.fdopen(telling, "wb") as file:
                file.write(json.dumps(config).encode())
        return Started(own, reading)

    def end(self) -> None:
        """Ends it and all that it made."""
        self._line.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(_PATIENCE)


@functools.cache
def _starter(python: str, _process: int, _number: int, _generation: int) -> _Starter:
    return _Starter(python)


_lock = threading.Lock()
_generations: dict[int, int] = {}


def started(config: Mapping[str, Any], number: int = 0) -> Started:
    """A new launcher.

    Two with different numbers are copies of different processes, as environments of Lambda are: what an interpreter
    draws when it starts (the seed of `hash`) is another one in each.
    """
    for _ in range(2):
        with _lock:
            starter = _starter(config["python"], os.getpid(), number, _generations.get(number, 0))
        try:
            return starter.start(config)
        except OSError:
            with _lock:  # it is gone: the next one is new
                _generations[number] = _generations.get(number, 0) + 1
    raise RuntimeError("no process can be started")
