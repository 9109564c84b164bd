"""Options of a client, which mean nothing here."""

from __future__ import annotations

from typing import Any


class Config:
    """Takes any option."""

    def __init__(self, *_: Any, **options: Any) -> None:
        vars(self).update(options)

    def merge(self, other: Config) -> Config:
        """Both configurations in one."""
        return Config(**{**vars(self), **vars(other)})
