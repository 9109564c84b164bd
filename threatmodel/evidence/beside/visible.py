"""Texts of a folder that have the form of a secret: who can read the repository, or the package, can read them."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping

from threatmodel.beside.folder import Folder
from threatmodel.evidence.analyses.secret_texts import spells_secret, writes_secret
from threatmodel.graph.elements import VISIBLE_SECRET
from threatmodel.reading.problems import Place, Problem

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
