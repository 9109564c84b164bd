"""The kinds of what is beside a template, with what makes statements of each: a row a kind."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from threatmodel.evidence.deployed import Deployed
from threatmodel.evidence.file_statements import FileStatements
from threatmodel.graph.elements import Read
from threatmodel.library.directions import Directions
from threatmodel.model.facts import ONLY_CLAIMED, Origin, Statement, Statements
from threatmodel.model.system import EvidenceFile, System


class Found(NamedTuple):
    """An entry of the evidence, what was read of it, and the model and files that it is held against.

    `held` are the files of each environment, `deployed` what they make of each function, and `ways` the directions of
    the library; `today` decides what is too old.  `looked` is what was seen of the handlers before, if they were looked
    at already.
    """

    source: EvidenceFile
    opened: Any
    system: System
    held: Sequence[FileStatements]
    deployed: Mapping[str, Sequence[Deployed]]
    ways: Directions | None
    today: datetime.date | None
    looked: Any = None


def _code(found: Found) -> tuple[Statements, Read]:
    from threatmodel.evidence.beside.code import state

    return state(found)


def _slack(found: Found) -> tuple[Statements, Read]:
    from threatmodel.evidence.beside.slack import state

    return state(found)


def _repository(found: Found) -> tuple[Statements, Read]:
    from threatmodel.evidence.beside.repository import state

    return state(found)


def _host(found: Found) -> tuple[Statements, Read]:
    from threatmodel.evidence.beside.host import state

    return state(found)


def _results(found: Found) -> tuple[Statements, Read]:
    from threatmodel.evidence.beside.results import state

    return state(found)


KINDS: Mapping[str, Callable[[Found], tuple[Statements, Read]]] = {
    "code": _code,
    "slack": _slack,
    "repository": _repository,
    "host": _host,
    "results": _results,
}
"""What makes statements of an entry, by its key in a model; what a kind needs is imported where a model names one."""


def by_direction(kind: str, name: str, said: Statement, ways: Directions | None, shown: Origin) -> list[Statement]:
    """Return a statement as it counts: what alarms as evidence of the origin `shown`, what reassures as a claim.

    A value that does both has both: it alarms as evidence, and reassures as a claim.
    """
    if ways is None or not ways.reassured(kind, name, said.value):
        return [said._replace(source=shown)]
    if not ways.alarms(kind, name, said.value):
        return [said]
    return [said._replace(source=shown, doubt=ONLY_CLAIMED), said]
