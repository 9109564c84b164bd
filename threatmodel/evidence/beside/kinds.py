"""What is beside a template, held against the model: the module of the same name makes statements of each kind."""

from __future__ import annotations

import datetime
import importlib
import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from threatmodel.beside.folder import Folder
from threatmodel.evidence.analyses.secret_texts import spells_secret, writes_secret
from threatmodel.evidence.deployed import Deployed
from threatmodel.evidence.file_statements import FileStatements
from threatmodel.graph.elements import VISIBLE_SECRET, Read
from threatmodel.library.directions import Directions
from threatmodel.model.facts import ONLY_CLAIMED, Origin, Statement, Statements
from threatmodel.model.system import EvidenceFile, System
from threatmodel.reading.problems import Place, Problem


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


# --- texts that have the form of a secret
_LONGEST = 1024 * 1024
"""Characters of a text that are looked through."""


def visible_secrets(
    folder: Folder,
    texts: Mapping[str, str],
    known: Collection[str] = (),
    spells: Callable[[str], bool] = spells_secret,
) -> Iterator[Problem]:
    """Yield a note for each of some texts of a folder that holds a secret, at its first line.

    `known` are files that are evidence by themselves, in which secrets are found elsewhere; `spells` decides of a line.
    The secret is not shown.
    """
    for name, text in texts.items():
        if folder.place(name).file in known:
            continue
        lines = [at for at, line in enumerate(text[:_LONGEST].split("\n"), 1) if spells(line)]
        if lines:
            more = f", and {len(lines) - 1} more" if len(lines) > 1 else ""
            yield Problem(
                code=VISIBLE_SECRET,
                place=folder.place(name, lines[0]),
                message=f"this line{more} of the file has the form of a secret, which everyone who gets the file sees",
                hint="revoke it, and keep the new one in Secrets Manager",
            )


def of_code(folder: Folder, seen: Collection[Place]) -> Iterator[Problem]:
    """Yield a note for each source of a folder with a secret, but for tests and what was `seen` in a handler."""
    noted = {place.file for place in seen}
    texts = {name: text for name, text in folder.texts.items() if not _OF_TESTS.search(name)}
    yield from visible_secrets(folder, texts, noted, writes_secret)


_OF_TESTS = re.compile(
    r"(?:^|/)(?:tests?|__tests__|__mocks__|spec|fixtures|examples?)/|(?:^|/)test_|[._](?:test|spec)\."
)
"""Files whose tokens are made up."""
