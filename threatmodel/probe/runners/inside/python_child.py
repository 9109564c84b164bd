"""The child process of a Python handler: loads it as Lambda would, and answers one call after the other.

What the handler prints cannot pass for an answer: answers go over a separate connection, each behind a token.
This is no sandbox against a handler that wants to lie: it runs in this very process.
"""

# ruff: noqa: PTH118, PTH120, PTH122 - pathlib would take a tenth of the time that a scenario may take

from __future__ import annotations

import ast
import builtins
import importlib
import importlib.util
import json
import logging
import os
import re
import signal
import socket
import sys
import threading
import time
import traceback
from collections.abc import Callable, Mapping
from importlib.machinery import PathFinder, SourceFileLoader
from types import CodeType, FrameType, ModuleType
from typing import Any, NoReturn

from threatmodel.probe.branches import marking
from threatmodel.probe.runners.inside import asked, clock, network, watch
from threatmodel.probe.runners.inside.opened import Opened

_LARGEST_ANSWER = 6 * 1024 * 1024  # Lambda's own
_MOST_NOTES = 2_000
_POOL = "concurrent/futures/thread.py"
_QUIET = 4
"""Looks in which a pool's threads must be seen waiting."""

Handler = Callable[[Any, Any], Any]


class Line:
    """The connection to the caller."""

    def __init__(self, path: str, token: str) -> None:
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._socket.connect(path)
        self._token, self._lock, self._notes, self._rest = token, threading.Lock(), 0, b""
        self.news: Callable[[], Mapping[str, Any]] = dict
        self.hosts: list[str] = []
        self.say({"control": True})

    def say(self, message: Mapping[str, Any]) -> None:
        """Sends a message, with what is new; where the connection is gone, this process has no use any more."""
        line = f"{self._token} {json.dumps({**message, **self.news()})}\n".encode()
        try:
            with self._lock:
                self._socket.sendall(line)
        except (OSError, ValueError):
            os.kill(os.getpid(), signal.SIGKILL)

    def note(self, service: str, operation: str, detail: str) -> None:
        """Report something that the handler tried, and that was rejected."""
        self._notes += 1
        if service == "network":
            self.hosts.append(detail[:100])
        if self._notes <= _MOST_NOTES:
            self.say({"note": [service, operation, detail.encode(errors="replace").decode()[:200]]})

    def hear(self) -> Any:
        """The next call; ends this process where there is none."""
        while b"\n" not in self._rest:
            try:
                more = self._socket.recv(1 << 16)
            except OSError:
                more = b""
            if not more:
                os._exit(0)
            self._rest += more
        line, _, self._rest = self._rest.partition(b"\n")
        return json.loads(line)


class Context:
    """What Lambda hands over beside the event."""

    function_name = "probe"
    function_version = "$LATEST"
    invoked_function_arn = "arn:aws:lambda:eu-west-1:123456789012:function:probe"
    memory_limit_in_mb = "512"
    log_group_name = "/aws/lambda/probe"
    log_stream_name = "2020/01/01/[$LATEST]00000000000000000000000000000000"
    identity = None
    client_context = None
    tenant_id = None

    def __init__(self, number: int, seconds: float, alias: str) -> None:
        if alias:
            self.invoked_function_arn = f"{self.invoked_function_arn}:{alias}"
        # of this environment alone: it must not serve as the name of a request that was seen before
        self.aws_request_id = f"{os.urandom(4).hex()}-0000-4000-8000-{number:012d}"
        self._until = time.monotonic() + seconds

    def get_remaining_time_in_millis(self) -> int:
        """Milliseconds until the call is ended."""
        return max(0, int((self._until - time.monotonic()) * 1000))

    def log(self, message: object) -> None:
        """Prints a line."""
        sys.stdout.write(f"{message}\n")


class JsonLog(logging.Handler):
    """Log records as Lambda's JSON format prints them, with everything that was added to them."""

    _USUAL = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}

    def emit(self, record: logging.LogRecord) -> None:
        """Prints a record as one line."""
        try:
            shown = {"level": record.levelname, "logger": record.name, "message": record.getMessage()}
            shown |= {key: value for key, value in vars(record).items() if key not in self._USUAL}
            if record.exc_info:
                shown["stackTrace"] = "".join(traceback.format_exception(*record.exc_info))
            sys.stdout.write(json.dumps(shown, default=str) + "\n")
        except Exception:  # noqa: BLE001 - as logging does: a record that cannot be printed ends nothing
            self.handleError(record)


def run(config: Mapping[str, Any]) -> None:
    """Loads the handler and answers calls until there are no more."""
    line = Line(config["socket"], config["token"])
    clock.install()
    clock.show(config["at"])
    aws = network.install(config["socket"], config["hosts"], line.note)
    sys.modules["_probe"] = _module("_probe", call=aws)
    sys.path[:] = [config["folder"], *config["packages"], *sys.path, config["stubs"]]
    sys.argv = ["bootstrap"]
    logging.root.addHandler(JsonLog())
    logging.root.setLevel(logging.INFO)
    os.chdir(config["folder"])
    opened = Opened(config["temporary"], config["bytecode"])
    watch.install(config["socket"], config["temporary"], line.note, opened)
    missing, reads_secret = asked.install(config["folder"], config["secret_variable"])
    line.news = lambda: {**opened.news(), "reads_secret": reads_secret()}
    sys.pycache_prefix = config["bytecode"] or None
    record = _marking(config["marks"])
    _optimize(os.environ.get("PYTHONOPTIMIZE", ""))
    handler = _loaded(config, line, missing)
    line.say({"ready": True, "missing": missing(), **record.news()})
    number = 0
    while True:
        call = line.hear()
        if "settle" in call:
            _settle(call["settle"])
            line.say({"settled": True, **record.news()})
            continue
        number += 1
        clock.show(call["at"])
        answer = _answered(handler, call["event"], Context(number, config["seconds"], call["alias"]))
        line.say({**answer, "left": _goes_on(), "missing": missing(), **record.news()})


def _marking(path: str) -> marking.Record:
    """Has the handler's own code record which ways it takes, from now on."""
    record = marking.Record()
    vars(builtins).update(record.members())
    real = SourceFileLoader.source_to_code
    places: dict[str, list[tuple[int, int, str, int]]] = {}

    def source_to_code(self: SourceFileLoader, data: Any, path_: Any, *, _optimize: int = -1) -> CodeType:
        if not places and path:
            with open(path, encoding="utf-8") as file:  # noqa: PTH123 - as above
                places.update(json.load(file))
        own = places.get(os.path.realpath(os.fsdecode(path_)))
        if own is None:
            return real(self, data, path_, _optimize=_optimize)  # as importlib does
        tree = ast.parse(data, path_)
        marking.mark(tree, {(line, column, kind): number for line, column, kind, number in own})
        return compile(tree, path_, "exec", dont_inherit=True, optimize=_optimize)

    SourceFileLoader.source_to_code = source_to_code  # type: ignore[method-assign,assignment]
    return record


def _optimize(level: str) -> None:
    """Compiles what is loaded from now on as an interpreter does that this variable was set for."""
    if not level:
        return
    number = min(int(level), 2) if level.isdigit() else 1

    def get_code(self: SourceFileLoader, name: str) -> CodeType:
        path = self.get_filename(name)
        return self.source_to_code(self.get_data(path), path, _optimize=number)

    SourceFileLoader.get_code = get_code  # type: ignore[method-assign,assignment] # byte code that is kept was made for no level


def _goes_on() -> bool:
    """Whether a thread or a process that the handler started is still there."""
    return threading.active_count() > 1 or _has_processes()


def _has_processes() -> bool:
    try:
        return os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None
    except OSError:  # no process was started
        return False


def _settle(seconds: float) -> None:
    """Waits until nothing is at work any more, but not longer than the limit.

    The threads of a pool that wait for work are at none; one that was just given some is seen at it a moment later.
    """
    until = time.monotonic() + seconds
    quiet = 0
    while _goes_on() and quiet < _QUIET and time.monotonic() < until:
        time.sleep(0.005)
        quiet = quiet + 1 if _only_waits() else 0
    _flush()


def _only_waits() -> bool:
    """Whether all that goes on are threads of a pool that wait for work."""
    steps = {number: step for number, step in sys._current_frames().items() if number != threading.get_ident()}  # noqa: SLF001 - as debuggers do
    started = {thread.ident for thread in threading.enumerate() if thread is not threading.main_thread()}
    waiting = {number for number, step in steps.items() if _waits_for_work(step)}
    return started <= waiting and not _has_processes()


def _waits_for_work(step: FrameType) -> bool:
    code = step.f_code
    return code.co_name == "_worker" and code.co_filename.endswith(_POOL)


def _module(name: str, **members: Any) -> ModuleType:
    module = ModuleType(name)
    vars(module).update(members)
    return module


def _loaded(config: Mapping[str, Any], line: Line, missing: Callable[[], list[str]]) -> Handler:
    """The handler.  Where there is none this process tells why, and ends."""
    path = os.path.join(config["folder"], config["file"])
    name = os.path.splitext(config["file"])[0].replace("/", ".")
    try:
        _check_hidden(config["folder"])
        module = _imported(name, path)
    except SystemExit:
        _flush()
        os._exit(0)
    except BaseException as error:  # noqa: BLE001 - whatever the user's module raises is told to the caller
        _give_up(line, {**_failure(error, path), "missing": missing()})
    names = [config["name"]] if config["name"] else ["handler", "lambda_handler"]
    found = [name for name in names if callable(vars(module).get(name))]
    if len(found) != 1:
        there = sorted(name for name, value in vars(module).items() if callable(value) and _own(value, module))
        _give_up(line, {"kind": "attribute", "found": found, "there": there[:20]})
    handler: Handler = vars(module)[found[0]]
    return handler


class OtherModuleError(Exception):
    """Python loads another module under the handler's name; its place is the argument."""


def _imported(name: str, path: str) -> ModuleType:
    """The module, as Lambda's runtime imports it: by its name, which another file or module may have too."""
    loaded = sys.modules.get(name)
    spec = loaded.__spec__ if loaded is not None else importlib.util.find_spec(name)
    origin = (spec.origin or "") if spec is not None else ""
    if os.path.realpath(origin) != os.path.realpath(path):
        raise OtherModuleError(origin)
    return importlib.import_module(name)


_SURELY_NOT_LOADED = frozenset({"resource", "secrets", "shlex"})
"""Modules that are loaded here, and that Lambda's runtime interface client does not load (github.com/aws/
aws-lambda-python-runtime-interface-client): a file of that name is the handler's."""


def _check_hidden(folder: str) -> None:
    """Raises OtherModuleError where a file hides a module of Python's that is loaded here, and may not be on Lambda."""
    for name, module in list(sys.modules.items()):
        origin = getattr(getattr(module, "__spec__", None), "origin", None)
        if "." in name or not isinstance(origin, str) or origin in {"built-in", "frozen"}:
            continue
        found = PathFinder.find_spec(name, [folder])
        if found is None or found.origin is None or found.origin == origin:
            continue
        if name not in _SURELY_NOT_LOADED:
            raise OtherModuleError(found.origin)
        del sys.modules[name]


def _own(value: Any, module: ModuleType) -> bool:
    return getattr(value, "__module__", None) == module.__name__ and not isinstance(value, type)


def _give_up(line: Line, failure: Mapping[str, Any]) -> NoReturn:
    _flush()
    line.say({"unable": {**failure, "hosts": line.hosts[:5]}})
    os._exit(0)


def _failure(error: BaseException, path: str) -> dict[str, Any]:
    """What went wrong in the user's module: the type and the place, never the text, which could quote a secret."""
    kind, lacking = _lack(error)
    sys.stderr.write("".join(traceback.format_exception(error)))
    if isinstance(error, SyntaxError) and error.filename:
        place = (error.filename, error.lineno or 1)
    else:
        folder = os.path.dirname(path) + os.sep
        steps = [(step.filename, step.lineno or 1) for step in traceback.extract_tb(error.__traceback__)]
        place = next((step for step in reversed(steps) if step[0].startswith(folder)), (path, 1))
    found = {"kind": kind, "lacking": lacking, "error": type(error).__name__, "file": place[0], "line": place[1]}
    return {**found, "runs": f"python3.{sys.version_info.minor}"}


_NOT_IN = re.compile(r"cannot import name '(\w+)' from '([\w.]+)'")


def _lack(error: BaseException) -> tuple[str, str]:
    """What kind of failure it is, and the name of what is lacking: a module, variable or file, '' where it is none."""
    if isinstance(error, OtherModuleError):
        return "other", str(error.args[0])
    if isinstance(error, ModuleNotFoundError):
        return "module", str(error.name or "")
    if isinstance(error, ImportError):
        found = _NOT_IN.match(str(error))
        return "import", f"{found[2]}.{found[1]}" if found else ""
    if isinstance(error, (AttributeError, NameError)) and error.name:
        of = getattr(getattr(error, "obj", None), "__name__", "")
        return "name", f"{of}.{error.name}" if of else error.name
    if isinstance(error, FileNotFoundError) and isinstance(error.filename, (str, bytes)):
        return "file", os.fsdecode(error.filename)
    if isinstance(error, KeyError) and isinstance(error.args[0], str):
        own = _raised_by(error) is not type(os.environ).__getitem__.__code__
        return "key" if own else "variable", error.args[0]
    return "syntax" if isinstance(error, SyntaxError) else "raised", ""


def _raised_by(error: BaseException) -> CodeType | None:
    """The code that raised it."""
    last, step = None, error.__traceback__
    while step is not None:
        last, step = step.tb_frame.f_code, step.tb_next
    return last


def _answered(handler: Handler, event: Any, context: Context) -> dict[str, Any]:
    try:
        result = handler(event, context)
    except SystemExit:
        _flush()
        os._exit(1)
    except BaseException as error:  # noqa: BLE001 - Lambda answers for whatever a handler raises
        try:
            sys.stderr.write(f"[ERROR] {''.join(traceback.format_exception(error))}")
        except Exception:  # noqa: BLE001 - its text raises in turn, or the stream is closed
            return {"error": type(error).__name__}
        return {"error": type(error).__name__}
    else:
        return _marshalled(result)
    finally:
        _flush()


def _marshalled(result: Any) -> dict[str, Any]:
    try:
        text = json.dumps(result, default=_number, ensure_ascii=False)
        if len(text.encode()) > _LARGEST_ANSWER:
            return {"error": "Function.ResponseSizeTooLarge"}
    except Exception:  # noqa: BLE001 - objects of the user's own may raise anything
        return {"error": "Runtime.MarshalError"}
    return {"answer": text}


def _number(value: Any) -> float:
    """A Decimal as Lambda answers it."""
    if type(value).__name__ == "Decimal":
        return float(value)
    raise TypeError


def _flush() -> None:
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except Exception:  # noqa: BLE001, S112 - closed, replaced or full: what the handler did to it
            continue
