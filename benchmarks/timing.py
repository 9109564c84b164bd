"""What both benchmarks need: work timed in turns, the machine in words, and a table written to a page."""

from __future__ import annotations

import gc
import os
import platform
import re
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import NamedTuple


class Timed(NamedTuple):
    """Something to time: the work, and whether the garbage collector is `on` meanwhile (as it usually is) or `off`."""

    work: Callable[[], object]
    collector: str


def medians(rounds: int, *timed: Timed) -> list[float]:
    """The median seconds of each work; the works take turns, so that a busy moment of the machine meets all."""
    seconds: list[list[float]] = [[] for _ in timed]
    for _ in range(rounds):
        for spent, (work, state) in zip(seconds, timed, strict=True):
            with _collector(state):
                start = time.perf_counter()
                made = work()
                spent.append(time.perf_counter() - start)
                del made
    return [statistics.median(spent) for spent in seconds]


@contextmanager
def _collector(state: str) -> Iterator[None]:
    """The garbage collector `on` or `off`, after it has cleared up; put back afterward."""
    before = gc.isenabled()
    gc.collect()
    {"on": gc.enable, "off": gc.disable}[state]()
    try:
        yield
    finally:
        (gc.enable if before else gc.disable)()


def machine() -> str:
    """What the times were measured on; only the ratios mean something elsewhere."""
    packages = ", ".join(f"{name} {version(name)}" for name in ("pytm", "PyYAML", "Jinja2"))
    return (
        f"Python {platform.python_version()}, {packages}; {_processor()}, {os.cpu_count()} cores, {platform.system()}."
    )


def _processor() -> str:
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    except OSError:
        return platform.processor() or platform.machine()
    found = re.search(r"^model name\s*:\s*(.+)$", text, re.MULTILINE)
    return found.group(1).strip() if found else platform.machine()


def written(page: str, name: str, body: str) -> str:
    """The page with `body` between its marks ``<!-- name -->`` and ``<!-- end of name -->``."""
    between = re.compile(rf"(<!-- {name} -->\n).*?(<!-- end of {name} -->)", re.DOTALL)
    return between.sub(lambda found: f"{found.group(1)}\n{body.strip()}\n\n{found.group(2)}", page)
