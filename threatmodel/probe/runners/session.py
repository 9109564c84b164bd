"""One child process and what is said to it: calls out, answers and effects in, limits kept, nothing left behind."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import secrets
import shutil
import signal
import socket
import struct
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from threatmodel.probe.protocol import Limits
from threatmodel.probe.runners import waiting, web
from threatmodel.probe.runners.aws import World
from threatmodel.probe.runners.dynamodb import AwsError, SilentError
from threatmodel.probe.runners.launching import SOCKET, Program, config
from threatmodel.probe.runners.loading import paths, variable_names
from threatmodel.probe.runners.starting import started

_ENDED = {10: "exit", 11: "crash", 12: "memory"}  # launcher.EXITED and its neighbors
_LAUNCHER_CODES = frozenset({10, 11, 12, 13})
_SWEEPS = 50
_LOOK_EVERY = 0.1
_OUTPUT_OF_A_CALL = 4096  # bytes beside those that a process may print at any time
_LONGEST_LINE = 16 * 1024 * 1024
_MOST_CONNECTIONS = 64
_PATIENCE = 8.0
_BUSY = 5  # how many times its seconds a handler is waited for where it is kept waiting for a processor
_TURNS = 30  # of the loop, in which what has already arrived is taken in: a connection needs about six

Message = Mapping[str, Any] | str
"""What the child says, or in one word how it ended."""


class Session:
    """A child process, from its start to the end of all that it started; use it with `async with`."""

    def __init__(  # noqa: PLR0913, PLR0917 - what one process is made of
        self,
        program: Program,
        world: World,
        limits: Limits,
        environment: Mapping[str, str],
        at: float | None,
        number: int = 0,
    ) -> None:
        """`number` is which environment of its scenario it is: no two of them are copies of the same process."""
        self._program, self._world, self._limits, self._at = program, world, limits, at
        self._environment, self._number = environment, number
        world.fill(program.tables)
        self._token = secrets.token_hex(16)
        self._messages: asyncio.Queue[Message] = asyncio.Queue()
        self._logs, self._reported = bytearray(), 0
        self._over, self._gone, self._heard = False, asyncio.Event(), asyncio.Event()
        self.missing: set[str] = set()
        self._ways: list[int] = []
        self.reads_secret = False
        self.read: set[str] = set()
        self._control: asyncio.StreamWriter | None = None
        self._connections: dict[asyncio.Task[None], asyncio.StreamWriter] = {}
        self._parting: asyncio.Task[None] | None = None
        self._own = 0.0
        self._handler, self._waited, self._looked, self._room = 0, 0.0, -_LOOK_EVERY, limits.output

    async def __aenter__(self) -> Self:
        self._folder = Path(tempfile.mkdtemp(prefix="probe-"))
        try:
            await self._start()
        except BaseException:
            shutil.rmtree(self._folder, ignore_errors=True)
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.end()
        self._server.close()
        for writer in self._connections.values():  # its task ends by that
            writer.transport.abort()
        await asyncio.gather(*self._connections, *filter(None, [self._parting]), return_exceptions=True)
        shutil.rmtree(self._folder, ignore_errors=True)

    async def _start(self) -> None:
        for name in ("home", "root"):
            (self._folder / name).mkdir()
        path = self._folder / SOCKET
        self._server = await asyncio.start_unix_server(self._connected, path, limit=_LONGEST_LINE)
        path.chmod(0o666)  # the folder around it is closed
        self.launcher = started(self._config(), self._number)
        self._output = self.launcher.output
        os.set_blocking(self._output, False)
        asyncio.get_running_loop().add_reader(self._output, self._read_logs)

    def _config(self) -> dict[str, Any]:
        home = str(self._folder / "home")
        environment = {**self._environment, "HOME": home, "TMPDIR": home}
        more = {"token": self._token, "hosts": web.HOSTS, "seconds": self._limits.seconds, "at": self._at}
        return config(self._program, self._folder, self._limits, environment) | more

    def say(self, message: Mapping[str, Any]) -> None:
        """Sends a call to the child."""
        self._room += _OUTPUT_OF_A_CALL
        if self._control is not None:
            event = {"event": self._program.added.to(message["event"])} if "event" in message else {}
            self._control.write(json.dumps({**message, **event}).encode() + b"\n")

    async def hear(self) -> Message:
        """What the child says next, or how it ended: timeout, exit, crash, output or memory."""
        message = await self._next()
        self._read_logs()
        if self._over:
            message = "output"
        if message == "gone":
            message = self._how_it_went()
        if isinstance(message, str):
            await self.end()
        return message

    async def _next(self) -> Message:
        """The next message; "timeout" where none comes in the time that the handler has."""
        clock = asyncio.get_running_loop().time
        starting = 0 if self._control else _PATIENCE  # until it connects, what runs is ours
        until, at_most = (
            self.time() + self._limits.seconds + starting,
            clock() + self._limits.seconds * (1 + _BUSY) + starting,
        )
        while (left := min(until - self.time(), at_most - clock())) > 0:
            with contextlib.suppress(TimeoutError):
                return await asyncio.wait_for(self._messages.get(), left)
        for _ in range(_TURNS):  # it may have come while this process was kept waiting itself
            await asyncio.sleep(0)
        return self._messages.get_nowait() if self._messages.qsize() else "timeout"

    def _taken(self, message: Mapping[str, Any]) -> int:
        """The ways that a message tells, as a mask; what is rubbish in it is left out."""
        if "taken" not in message:
            same = message.get("as")
            return self._ways[same] if isinstance(same, int) and 0 <= same < len(self._ways) else 0
        mask = 0
        for way in message["taken"] if isinstance(message["taken"], list) else ():
            if isinstance(way, int) and 0 <= way < self._program.ways:
                mask |= 1 << way
        self._ways.append(mask)
        return mask

    def time(self) -> float:
        """A clock of what counts for the handler: it stops while that, or this thread, waits for a processor."""
        now = asyncio.get_running_loop().time()
        if now - self._looked >= _LOOK_EVERY:  # to ask takes longer than most calls
            own = max(self._own, waiting.of(self._handler))  # what has ended has no number any more
            self._own, self._looked, self._waited = own, now, own + waiting.of_this_thread()
        return now - self._waited

    def _how_it_went(self) -> str:
        word = _ENDED.get(self.launcher.wait() or 0, "crash")
        return "memory" if word == "crash" and b"heap out of memory" in self._logs else word

    def logs(self) -> str:
        """What was printed since this was last asked."""
        self._read_logs()
        new, self._reported = self._logs[self._reported :], len(self._logs)
        return new.decode(errors="replace")

    async def end(self) -> None:
        """Ends the child and all that it started."""
        if self.launcher.poll() is None:
            self.launcher.stop()
        until = asyncio.get_running_loop().time() + _PATIENCE
        while not self._gone.is_set() and asyncio.get_running_loop().time() < until:
            if self.launcher.poll() not in {None, *_LAUNCHER_CODES}:
                break
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._gone.wait(), _LOOK_EVERY)
        if self.launcher.poll() is None and not self._gone.is_set():
            self.launcher.kill()
        if not self._gone.is_set():
            self._finish_logs()
        if self.launcher.wait() not in _LAUNCHER_CODES:
            self._sweep()

    def _sweep(self) -> None:
        """Kills what a handler left behind that killed the launcher: all that was started with our temporary folder."""
        mark, found = os.fsencode(f"TMPDIR={self._folder}/home\0"), True
        for _ in range(_SWEEPS):
            if not found:
                return
            found = False
            for process in Path("/proc").glob("[0-9]*"):
                with contextlib.suppress(OSError):
                    if mark in (process / "environ").read_bytes():
                        os.kill(int(process.name), signal.SIGKILL)
                        found = True

    def _read_logs(self) -> None:
        while not self._gone.is_set():
            try:
                data = os.read(self._output, 1 << 16)
            except BlockingIOError:
                return
            if not data:
                self._finish_logs()
                return
            room = self._room - len(self._logs)
            self._logs += data[: max(0, room)]
            if len(data) > room and not self._over:
                self._over = True
                self._messages.put_nowait("output")
            if self._over:
                return

    def _finish_logs(self) -> None:
        asyncio.get_running_loop().remove_reader(self._output)
        os.close(self._output)
        self._gone.set()
        self._parting = asyncio.get_running_loop().create_task(self._part())

    async def _part(self) -> None:
        """Says that the process is gone, once all is heard that it said: that may wait in its connection still."""
        for _ in range(_TURNS):
            if self._control is not None:
                break
            await asyncio.sleep(0)
        else:
            self._heard.set()
        with contextlib.suppress(TimeoutError):  # something that the handler started may hold the connection
            await asyncio.wait_for(self._heard.wait(), _PATIENCE)
        self._messages.put_nowait("gone")

    # --- what connects

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        if task is None or len(self._connections) >= _MOST_CONNECTIONS:
            writer.close()
            return
        self._connections[task] = writer
        try:
            await self._serve(reader, writer)
        except (ConnectionError, ValueError, RecursionError, asyncio.LimitOverrunError):
            pass  # what the child sends is rubbish, or it is gone: its process tells how that ended
        finally:
            del self._connections[task]
            writer.close()
            if writer is self._control:
                self._heard.set()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        first = await reader.readline()
        if first.startswith(self._token.encode() + b" ") and self._control is None:
            self._control, self._handler = writer, _process_behind(writer)
            await self._listen(reader)
            return
        preface = json.loads(first or b"{}")
        if not isinstance(preface, dict):
            return
        if isinstance(preface.get("params"), dict):
            await asyncio.sleep(self._world.delay(str(preface.get("service"))))
            writer.write(json.dumps(self._called(preface)).encode() + b"\n")
            await writer.drain()
        elif isinstance(preface.get("host"), str):
            await self._browse(reader, writer, preface["host"])

    def _called(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        try:
            return {"answer": self._world.call(str(asked.get("service")), str(asked.get("operation")), asked["params"])}
        except SilentError:
            return {"silent": True}
        except AwsError as error:
            return {"error": {"Code": error.code, "Message": error.message}, "more": error.more}

    async def _browse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, host: str) -> None:
        try:
            while (request := await web.read_request(reader, host)) is not None:
                status, kind, body = web.answer(self._world, request)
                closing = request.headers.get("connection", "").lower() == "close"
                head = f"HTTP/1.1 {status} Probe\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n"
                head += "Connection: close\r\n\r\n" if closing else "\r\n"
                writer.write(head.encode() + (b"" if request.method == "HEAD" else body))
                await writer.drain()
                if closing:
                    return
        except SilentError:  # the connection ends without an answer
            return
        except web.UnreadableError:
            self._world.note("network", "CONNECT", f"{host} (not understood)", refused=True)

    async def _listen(self, reader: asyncio.StreamReader) -> None:
        mark = self._token.encode() + b" "
        while line := await reader.readline():
            if not line.startswith(mark):
                self._messages.put_nowait("crash")
                return
            message = json.loads(line[len(mark) :])
            self.read.update(paths(message.get("read")))
            if "note" in message:
                service, operation, detail = message["note"]
                self._world.note(service, operation, detail, refused=True)
            else:
                self.missing.update(variable_names(message.get("missing", ())))
                self.reads_secret |= message.get("reads_secret") is True
                self._messages.put_nowait({**message, "ways": self._taken(message)})


def _process_behind(writer: asyncio.StreamWriter) -> int:
    """The process at the other end of a connection, where the system tells (Linux); 0 elsewhere."""
    if sys.platform != "linux":
        return 0
    credentials = writer.get_extra_info("socket").getsockopt(
        socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i")
    )
    process: int = struct.unpack("3i", credentials)[0]
    return process
