"""What is beside a template, held against the model: the module of the same name makes statements of each kind."""

from __future__ import annotations

import datetime
import importlib
from collections.abc import Mapping, Sequence
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


def state(found: Found) -> tuple[Statements, Read]:
    """Return what an entry states, and what was read of it; only modules of kinds that a model names are imported."""
    said: tuple[Statements, Read] = importlib.import_module(f"{__package__}.{found.source.kind}").state(found)
    return said


def by_direction(kind: str, name: str, said: Statement, ways: Directions | None, shown: Origin) -> list[Statement]:
    """Return a statement as it counts: what alarms as evidence of the origin `shown`, what reassures as a claim.

    A value that does both has both: it alarms as evidence, and reassures as a claim.
    """
    if ways is None or not ways.reassured(kind, name, said.value):
        return [said._replace(source=shown)]
    if not ways.alarms(kind, name, said.value):
        return [said]
    return [said._replace(source=shown, doubt=ONLY_CLAIMED), said]
