"""The tests, collected once and run for each change of a module in a fork of their process."""

from __future__ import annotations

import argparse
import contextlib
import gc
import itertools
import json
import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Generator, Iterable, Iterator
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


def processor_time() -> float:
    """The seconds of the processor that this process and the children it has waited for have used."""
    return sum(os.times()[:4])


class Broken(NamedTuple):
    """A change of a module of the copy that is broken."""

    module: Path
    change: Change


class Reach(NamedTuple):
    """What a test needs in seconds of the processor, which lines it runs, and whether it starts a Python, which may."""

    took: float
    lines: frozenset[tuple[str, int]]
    starts_python: bool


class Breaking:
    """A pytest plugin that runs the collected tests once for each change, each time in a fork."""

    def __init__(
        self,
        modules: Iterable[Path],
        chosen: list[Broken],
        trace: Path,
        given: argparse.Namespace,
        arguments: list[str],
    ) -> None:
        self.chosen, self.given, self.arguments = chosen, given, arguments
        self.stamp = int(time.time()) - 1_000_000
        self.originals = {str(one): unbroken(one.read_text(encoding="utf-8")) for one in modules}  # lines as in changes
        for name, text in self.originals.items():
            self.write(name, text)
        self.survived: list[Broken] = []
        self.made: list[Broken] = []
        self.trace = trace
        self.noted: list[tuple[str, float, list[tuple[str, int]], bool]] = []
        self.reached: dict[str, Reach] = {}
        self.starts_python = False
        sys.addaudithook(self.heard)

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool | None:
        """Answer None in a fork, which then runs the tests, and True in the process that forks."""
        if session.testsfailed or not session.items:
            raise session.Interrupted("the tests cannot be collected, or there are none")
        gc.unfreeze()  # what tests share is frozen, and functions are among it
        passed = self.passes_in_a_fork(None)
        if passed is None:
            return None
        if not passed:
            raise session.Interrupted("the tests fail without any change")
        for name, took, lines, starts_python in json.loads(self.trace.read_text()):
            self.reached[name] = Reach(took, frozenset((module, line) for module, line in lines), starts_python)
        until = time.monotonic() + 60 * self.given.minutes
        for broken in self.chosen:
            if time.monotonic() > until:
                break
            able, left = self.reaching(session.items, broken)
            module = str(broken.module)
            self.write(module, broken.change.text)
            passed = self.passes_in_a_fork(broken) if broken.change.in_function else self.passes_alone(able)
            if passed is None:
                session.config.pluginmanager.unregister(name="terminalreporter")
                session.items[:] = able
                return None
            self.write(module, self.originals[module])
            self.made.append(broken)
            if passed:
                self.survived.append(broken)
                note = f" ({left} slower tests were not run)" if left else ""
                print(f"\nSURVIVED {broken.module.name}:{broken.change.line}: {broken.change.what}{note}", flush=True)
        return True

    def passes_in_a_fork(self, broken: Broken | None) -> bool | None:
        """Return whether the tests pass in a fork with a change; None in the fork itself."""
        child = os.fork()
        if child == 0:
            self.enter(broken)
            return None
        return self.wait(child)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Generator[None, object, object]:
        """Note which lines of the modules a test runs, while nothing is changed."""
        if self.reached:
            return (yield)
        lines: set[tuple[str, int]] = set()

        def noted(frame: FrameType, event: str, _: object) -> object:
            name = frame.f_code.co_filename
            if event == "call" and name not in self.originals:
                return None
            lines.add((name, frame.f_lineno))
            return noted

        self.starts_python = False
        started = processor_time()
        sys.settrace(noted)  # type: ignore[arg-type]  # the type of a trace function refers to itself
        try:
            return (yield)
        finally:
            sys.settrace(None)
            self.noted.append((item.nodeid, processor_time() - started, sorted(lines), self.starts_python))
            self.trace.write_text(json.dumps(self.noted), encoding="utf-8")

    def heard(self, event: str, given: tuple[object, ...]) -> None:
        """Note that a Python is started."""
        if event in {"subprocess.Popen", "os.exec", "os.posix_spawn"} and "python" in repr(given[:2]):
            self.starts_python = True

    def reaching(self, items: list[pytest.Item], broken: Broken) -> tuple[list[pytest.Item], int]:
        """Return the tests for a change, the quick ones first, and how many more there are than the time allows.

        These are the tests that run the line, and those that start Python, which may.  What is outside functions all
        tests run.
        """
        known, place = self.reached, (str(broken.module), broken.change.written)
        runs = {name for name, reach in known.items() if not broken.change.in_function or place in reach.lines}
        able = [item for item in items if item.nodeid in runs or known[item.nodeid].starts_python]
        able.sort(key=lambda item: known[item.nodeid].took)
        ends = list(itertools.accumulate(known[item.nodeid].took for item in able))
        fit = max(1, sum(end < self.given.seconds for end in ends))
        return able[:fit], len(able[fit:])

    def write(self, module: str, text: str) -> None:
        """Write a module with a new time: compiled code of a text of the same length and second would be used."""
        Path(module).write_text(text, encoding="utf-8")
        self.stamp += 2
        os.utime(module, (self.stamp, self.stamp))

    def enter(self, broken: Broken | None) -> None:
        """Make the change in all functions of the module, in a fork that prints nothing and ends in time."""
        os.setpgid(0, 0)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        quiet = os.open(os.devnull, os.O_WRONLY)
        os.dup2(quiet, 1)
        os.dup2(quiet, 2)
        if broken is None:
            return
        most = 2 * self.given.seconds  # a change may make tests slower, or never end
        resource.setrlimit(resource.RLIMIT_CPU, (most, most))
        name = str(broken.module)
        new = {
            (code.co_qualname, code.co_firstlineno): code for code in codes(compile(broken.change.text, name, "exec"))
        }
        for function in [found for found in gc.get_objects() if isinstance(found, FunctionType)]:
            code = function.__code__
            instead = new.get((code.co_qualname, code.co_firstlineno))
            if code.co_filename == name and instead and instead.co_freevars == code.co_freevars:
                function.__code__ = instead

    def wait(self, child: int) -> bool:
        """Return whether the tests of a fork passed within the time; end what it leaves behind."""
        limit = time.monotonic() + 8 * self.given.seconds * (1 if self.reached else 40)  # all tests, and noting lines
        done = status = 0
        try:
            while not done and time.monotonic() < limit:
                done, status = os.waitpid(child, os.WNOHANG)
                time.sleep(0 if done else 0.02)
        finally:  # a signal may end the wait
            self.end(child)
            if not done:
                os.waitpid(child, 0)
        return bool(done) and status == 0

    def end(self, child: int) -> None:
        """End the processes that a fork started."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child, signal.SIGKILL)

    def passes_alone(self, tests: list[pytest.Item]) -> bool:
        """Return whether tests pass in a new process; none at all pass."""
        if not tests:  # pytest would run every test
            return True
        command = [sys.executable, "-m", "pytest", *self.arguments, *(test.nodeid for test in tests)]
        child = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
        passed = self.wait(child.pid)
        child.returncode = 0  # it has been waited for
        return passed
