"""What a function uses, as values."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from threatmodel.evidence.answers import Unanswered
from threatmodel.evidence.relations.beyond import Beyond
from threatmodel.reading.problems import Place
from threatmodel.reading.values import dataclass


class Use(NamedTuple):
    """One resource that a function uses: the lines that prove it, and what tells it, in this order.

    A grant, an environment variable, an event, a destination (`perhaps destination` where it is not known which one it
    is), a connector.
    """

    resource: str
    places: tuple[Place, ...]
    how: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Uses:
    """What one function uses."""

    lists: Mapping[str, tuple[Use, ...]]
    unknown: Mapping[str, Unanswered]
    unused: tuple[Use, ...]
    ungranted: tuple[Use, ...]
    externals: tuple[str, ...]
    beyond: tuple[Beyond, ...]
    rights: frozenset[tuple[str, str]]
