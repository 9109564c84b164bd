"""The tests, collected once and run for each change of a module in a fork of their process."""

from __future__ import annotations

import argparse
import contextlib
import gc
import json
import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Generator, Iterator
from pathlib import Path
from types import CodeType, FrameType, FunctionType
from typing import NamedTuple

import pytest

from scripts.breaking.changes import Change, unbroken


def codes(code: CodeType) -> Iterator[CodeType]:
    """The code of a module and of all functions in it, each before what it contains."""
    yield code
    for inner in code.co_consts:
        if isinstance(inner, CodeType):
            yield from codes(inner)


class Reach(NamedTuple):
    """What a test needs in seconds, which lines of the module it runs, and whether it starts a Python, which may."""

    took: float
    lines: list[int]
    starts_python: bool


class Breaking:
    """A pytest plugin that runs the collected tests once for each change, each time in a fork."""

    def __init__(
        self, module: Path, trace: Path, chosen: list[Change], given: argparse.Namespace, arguments: list[str]
    ) -> None:
        self.module, self.chosen, self.given, self.arguments = module, chosen, given, arguments
        self.original = unbroken(module.read_text(encoding="utf-8"))  # lines as in the changed texts
        self.stamp = int(time.time()) - 1_000_000
        self.write(self.original)
        self.survived: list[Change] = []
        self.made = 0
        self.trace = trace
        self.noted: list[tuple[str, float, list[int], bool]] = []
        self.reached: dict[str, Reach] = {}
        self.starts_python = False
        sys.addaudithook(self.heard)

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool | None:
        """Answer None in a fork, which then runs the tests, and True in the process that forks."""
        if session.testsfailed:
            raise session.Interrupted("the tests cannot be collected")
        gc.unfreeze()  # what tests share is frozen, and functions are among it
        started = time.monotonic()
        for change in [None, *self.chosen]:
            if time.monotonic() - started > 60 * self.given.minutes:
                break
            self.write(self.original if change is None else change.text)
            if change is None or change.in_function:
                child = os.fork()
                if child == 0:
                    self.enter(change)
                    if change is not None:
                        session.config.pluginmanager.unregister(name="terminalreporter")
                        session.items[:] = self.reaching(session.items, change.written)
                    return None
                passed = self.wait(child)
            else:
                passed = self.passes_alone()
            if change is None:
                if not passed:
                    raise session.Interrupted("the tests fail without any change")
                started = time.monotonic()  # the time is for changes
                self.reached = {name: Reach(*rest) for name, *rest in json.loads(self.trace.read_text())}
                continue
            self.made += 1
            if passed:
                self.survived.append(change)
                print(f"\nSURVIVED {self.module.name}:{change.line}: {change.what}", flush=True)
        self.write(self.original)
        return True

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Generator[None, object, object]:
        """Note which lines of the module a test runs, while nothing is changed."""
        if self.reached:
            return (yield)
        lines: set[int] = set()
        name = str(self.module)

        def noted(frame: FrameType, event: str, _: object) -> object:
            if event == "call" and frame.f_code.co_filename != name:
                return None
            lines.add(frame.f_lineno)
            return noted

        self.starts_python = False
        started = time.monotonic()
        sys.settrace(noted)  # type: ignore[arg-type]  # the type of a trace function refers to itself
        try:
            return (yield)
        finally:
            sys.settrace(None)
            self.noted.append((item.nodeid, time.monotonic() - started, sorted(lines), self.starts_python))
            self.trace.write_text(json.dumps(self.noted), encoding="utf-8")

    def heard(self, event: str, given: tuple[object, ...]) -> None:
        """Note that a Python is started."""
        if event in {"subprocess.Popen", "os.exec", "os.posix_spawn"} and "python" in repr(given[:2]):
            self.starts_python = True

    def reaching(self, items: list[pytest.Item], line: int) -> list[pytest.Item]:
        """Return the tests that run a line, and those that start Python, the quick ones first."""
        able = [
            item for item in items if line in self.reached[item.nodeid].lines or self.reached[item.nodeid].starts_python
        ]
        return sorted(able, key=lambda item: self.reached[item.nodeid].took)

    def write(self, text: str) -> None:
        """Write the module with a new time: compiled code of a text of the same length and second would be used."""
        self.module.write_text(text, encoding="utf-8")
        self.stamp += 2
        os.utime(self.module, (self.stamp, self.stamp))

    def enter(self, change: Change | None) -> None:
        """Make the change in all functions of the module, in a fork that prints nothing and ends in time."""
        os.setpgid(0, 0)
        quiet = os.open(os.devnull, os.O_WRONLY)
        os.dup2(quiet, 1)
        os.dup2(quiet, 2)
        if change is None:
            return
        resource.setrlimit(resource.RLIMIT_CPU, (self.given.seconds, self.given.seconds))
        broken = codes(compile(change.text, str(self.module), "exec"))
        new = {(code.co_qualname, code.co_firstlineno): code for code in broken}
        for function in [found for found in gc.get_objects() if isinstance(found, FunctionType)]:
            code = function.__code__
            instead = new.get((code.co_qualname, code.co_firstlineno))
            if code.co_filename == str(self.module) and instead and instead.co_freevars == code.co_freevars:
                function.__code__ = instead

    def wait(self, child: int) -> bool:
        """Return whether the tests of a fork passed within the time; end what it leaves behind."""
        limit = time.monotonic() + 4 * self.given.seconds * (1 if self.reached else 4)  # noting lines takes its time
        while time.monotonic() < limit:
            done, status = os.waitpid(child, os.WNOHANG)
            if done:
                self.end(child)
                return status == 0
            time.sleep(0.02)
        self.end(child)
        os.waitpid(child, 0)
        return False

    def end(self, child: int) -> None:
        """End the processes that a fork started."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child, signal.SIGKILL)

    def passes_alone(self) -> bool:
        """Return whether the tests pass in a new process."""
        command = [sys.executable, "-m", "pytest", *self.arguments]
        child = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
        passed = self.wait(child.pid)
        child.returncode = 0  # it has been waited for
        return passed
