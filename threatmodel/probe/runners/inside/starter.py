"""One process that has read all that launchers need, and is copied for each: a copy takes a twentieth of a new start.

It runs nothing of a handler's.  Its commands come over its standard input, a socket: for each launcher three files,
a separate line (commands in, in the end how it ended out), what it prints to, and its settings.
"""

from __future__ import annotations

import contextlib
import gc
import json
import os
import select
import signal
import socket
import time
from typing import NoReturn

from threatmodel.probe.runners.confinement import privileges
from threatmodel.probe.runners.inside import launcher

STOP, KILL = b"s", b"k"
"""What a launcher's line may say: end what you watch; be ended yourself, as it also is where the line is closed."""
_FILES = 3
_MOST_FILES = 4096


def main() -> None:
    """Makes launchers until no more are asked for, and ends those that are left."""
    privileges.hide()
    launcher.adopt()
    starter = _Starter(socket.socket(fileno=0))
    gc.collect()
    gc.freeze()  # what is here already is never looked through again, and so stays shared
    while starter.goes_on():
        pass
    os._exit(0)


class _Starter:
    """The launchers that run, by the number of their process, each with its line."""

    def __init__(self, asked: socket.socket) -> None:
        self._asked = asked
        self._lines: dict[int, int] = {}
        self._woken, waking = os.pipe()
        for end in (self._woken, waking):
            os.set_blocking(end, False)
        signal.set_wakeup_fd(waking, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)

    def goes_on(self) -> bool:
        """Waits for one thing and does what it asks; False in the end."""
        ready = select.poll()
        for file in (self._asked.fileno(), self._woken, *self._lines.values()):
            ready.register(file, select.POLLIN)
        found = {file for file, _ in ready.poll()}
        if self._woken in found:
            with contextlib.suppress(BlockingIOError):
                os.read(self._woken, 1 << 12)
            self._bury()
        for process, line in list(self._lines.items()):
            if line in found:
                self._obey(process, line)
        return self._asked.fileno() not in found or self._start()

    def _start(self) -> bool:
        asked, files, _, _ = socket.recv_fds(self._asked, 1, _FILES)
        if not asked:
            self._end_all()
            return False
        line, output, status = files
        process = os.fork()
        if process == 0:
            _become_launcher(output, status)
        os.close(output)
        os.close(status)
        self._lines[process] = line
        return True

    def _obey(self, process: int, line: int) -> None:
        try:
            said = os.read(line, 1)
        except OSError:
            said = b""
        if said == STOP:
            os.kill(process, signal.SIGTERM)
            os.kill(process, signal.SIGCONT)  # a handler may have stopped it
        else:
            os.kill(process, signal.SIGKILL)

    def _bury(self) -> None:
        """Tells how the launchers ended that did; what they left behind came to this process, and is ended."""
        with contextlib.suppress(ChildProcessError):
            while (found := os.waitpid(-1, os.WNOHANG))[0]:
                process, code = found[0], os.waitstatus_to_exitcode(found[1])
                line = self._lines.pop(process, None)
                if line is None:
                    continue
                if code not in launcher.CODES:
                    self._end_strays()
                with contextlib.suppress(OSError):
                    os.write(line, b"%d\n" % code)
                os.close(line)

    def _end_strays(self) -> None:
        """Ends every child that is no launcher, and theirs, until there is none."""
        until = time.monotonic() + launcher.PATIENCE
        while time.monotonic() < until:
            strays = [process for process in launcher.children() if process not in self._lines]
            if not strays:
                return
            for process in strays:
                with contextlib.suppress(ProcessLookupError, PermissionError):
                    os.kill(process, signal.SIGKILL)
                with contextlib.suppress(ChildProcessError):
                    os.waitpid(process, 0)

    def _end_all(self) -> None:
        for process in self._lines:
            os.kill(process, signal.SIGTERM)
        until = time.monotonic() + launcher.PATIENCE
        while self._lines and time.monotonic() < until:
            self._bury()
            time.sleep(0.002)
        for process in self._lines:
            os.kill(process, signal.SIGKILL)
        self._lines.clear()
        self._end_strays()


def _become_launcher(output: int, status: int) -> NoReturn:
    """Turns this copy into a launcher, as if it had been started by itself."""
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    privileges.hide(hidden=False)  # until it is confined: a hidden process may not set its identity in new namespaces
    os.setsid()
    with open(status, encoding="utf-8", closefd=False) as file:
        config = json.load(file)
    null = os.open(os.devnull, os.O_RDONLY)
    for file_number, place in ((null, 0), (output, 1), (output, 2)):
        os.dup2(file_number, place)
    os.closerange(3, _MOST_FILES)
    os.environ.clear()
    os.environ.update(config["environment"])
    time.tzset()
    os.chdir(config["folder"])
    launcher.main(config)


if __name__ == "__main__":
    main()
