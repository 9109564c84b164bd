"""The calls that stop, narrow or blind what watches an account: a table that scripts/iam_detection.py writes."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import NamedTuple

from threatmodel.reading.tables import table


class Watched(NamedTuple):
    """Of one service, as IAM's actions in small letters: what blinds it, and changes without a judgment."""

    blinds: tuple[str, ...]
    unjudged: tuple[str, ...]


@cache
def watched() -> Mapping[str, Watched]:
    """The services that watch an account, by IAM's name of each."""
    raw = table(__file__, "detection.json")
    return {
        service: Watched(
            *(tuple(f"{service}:{name}".lower() for name in row[kind].split()) for kind in Watched._fields)
        )
        for service, row in raw.items()
        if isinstance(row, dict)
    }
