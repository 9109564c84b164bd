"""What the evidence of a model says, from its files to statements, for tests of either."""

from __future__ import annotations

import datetime

from threatmodel.evidence.collect import collect
from threatmodel.evidence.sources import read_sources
from threatmodel.graph.elements import Read
from threatmodel.graph.resolved import Evidence
from threatmodel.library.directions import Directions
from threatmodel.model.system import System
from threatmodel.reading.files import Files
from threatmodel.stacks.work import Work


def collected(
    system: System,
    files: Files,
    ways: Directions | None = None,
    today: datetime.date | None = None,
    work: Work | None = None,
) -> tuple[Evidence, tuple[Read, ...]]:
    """Return what `collect` does, of the files as they are."""
    return collect(system, read_sources(system, files, work), ways, today, work)
