"""How long processes were ready to run and got no processor, as Linux counts it: a busy machine is no time-out."""

from __future__ import annotations

import contextlib
from pathlib import Path

_PROC = Path("/proc")


def of_this_thread() -> float:
    """Seconds for which this thread waited so far; 0 where the system does not say."""
    return _waited(_PROC / "thread-self" / "schedstat")


def of(process: int) -> float:
    """Seconds for which that thread of a process waited which waited longest; 0 where the system does not say."""
    with contextlib.suppress(OSError):
        return max(map(_waited, (_PROC / str(process) / "task").glob("*/schedstat")), default=0.0)
    return 0.0


def _waited(file: Path) -> float:
    """The second number of `schedstat`, nanoseconds on the queue of a processor (kernel: scheduler/sched-stats)."""
    try:
        return int(file.read_text(encoding="ascii").split()[1]) / 1e9
    except (OSError, IndexError, ValueError):
        return 0.0
