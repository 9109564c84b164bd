"""The clock that a Python handler sees: it shows the time that it is set to, and goes on from there."""

from __future__ import annotations

import datetime
import time
from collections.abc import Callable
from datetime import date as _RealDate  # noqa: N812 - the class, whatever its module names so later
from datetime import datetime as _RealDatetime  # noqa: N812 - the same
from typing import Any

_real_time, _real_ns, _real_clock = time.time, time.time_ns, time.clock_gettime
_real_monotonic, _real_monotonic_ns = time.monotonic, time.monotonic_ns
_offset_ns = 0
_passed_ns = 0
_shown = False


def show(at: float | None) -> None:
    """Sets the clock to seconds since 1970; None is the real time.

    From the second time on, what it is set forward by has passed for the monotonic clock too: caches count by that.
    """
    global _offset_ns, _passed_ns, _shown  # noqa: PLW0603 - a process has one clock
    before, _offset_ns = _offset_ns, 0 if at is None else round(at * 1e9) - _real_ns()
    if _shown:
        _passed_ns += max(0, _offset_ns - before)
    _shown = True


def _ns() -> int:
    return _real_ns() + _offset_ns


def _now() -> float:
    return _ns() / 1e9 if _offset_ns else _real_time()


def install() -> None:
    """Puts the clock in place of time's and datetime's, before anything of the user's is imported."""
    time.time, time.time_ns = _now, _ns
    for name in ("gmtime", "localtime", "ctime"):
        setattr(time, name, _of_seconds(getattr(time, name)))
    setattr(time, "strftime", _of_moment(time.strftime, 1))  # noqa: B010 - mypy knows the real one
    setattr(time, "asctime", _of_moment(time.asctime, 0))  # noqa: B010 - the same
    realtime, monotonic = time.CLOCK_REALTIME, time.CLOCK_MONOTONIC
    time.monotonic = lambda: _real_monotonic() + _passed_ns / 1e9
    time.monotonic_ns = lambda: _real_monotonic_ns() + _passed_ns
    shown = {realtime: _now, monotonic: time.monotonic}
    time.clock_gettime = lambda which: shown[which]() if which in shown else _real_clock(which)
    _install_dates()


def _of_seconds(real: Callable[[float], Any]) -> Callable[..., Any]:
    def shown(seconds: float | None = None) -> Any:
        return real(_now() if seconds is None else seconds)

    return shown


def _of_moment(real: Callable[..., str], before: int) -> Callable[..., str]:
    """A function whose last argument, after `before` others, is a moment; left out, it is now."""

    def shown(*values: Any) -> str:
        return real(*values) if len(values) > before else real(*values, time.localtime())

    return shown


def _install_dates() -> None:
    class DateMeta(type):
        """Treats every date as its kind, wherever it was made."""

        def __instancecheck__(cls, other: object) -> bool:
            return isinstance(other, _RealDatetime if cls is datetime.datetime else _RealDate)

        def __subclasscheck__(cls, other: type) -> bool:
            return issubclass(other, _RealDatetime if cls is datetime.datetime else _RealDate)

    class Date(_RealDate, metaclass=DateMeta):
        @classmethod
        def today(cls) -> Any:
            return cls.fromtimestamp(_now())

    class Datetime(_RealDatetime, metaclass=DateMeta):
        @classmethod
        def now(cls, tz: datetime.tzinfo | None = None) -> Any:
            return cls.fromtimestamp(_now(), tz)

        @classmethod
        def today(cls) -> Any:
            return cls.fromtimestamp(_now())

        @classmethod
        def utcnow(cls) -> Any:
            return cls.fromtimestamp(_now(), datetime.UTC).replace(tzinfo=None)

    for made, real in ((Date, _RealDate), (Datetime, _RealDatetime)):
        made.__name__ = made.__qualname__ = real.__name__
        made.__module__ = "datetime"
        made.__doc__ = real.__doc__
        setattr(datetime, real.__name__, made)
