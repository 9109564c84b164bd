"""Options of requests, which mean nothing here."""

from __future__ import annotations

from typing import Any


class _Options:
    def __init__(self, *_: Any, **options: Any) -> None:
        vars(self).update(options)


class Retry(_Options):
    """Takes any option."""


class Timeout(_Options):
    """Takes any option."""
