"""The library by element and by industry term (docs/library/elements.md, terms.md)."""

from __future__ import annotations

from collections.abc import Iterator

from threatmodel.assessment.risk import Cell
from threatmodel.model.vocabulary import KINDS, Kind
from threatmodel.render.pages.library import Book, prose
from threatmodel.render.text import markdown

_ELEMENTS = """\
# By element

The threats to each kind of element, the most severe first, and the controls of that kind. `python tm.py explain
threat@element` shows why a threat applies in a model.
"""
_TERMS = """\
# By industry term

The threats and controls behind the terms that reviewers, scanners and standards use. `python tm.py explain IDOR`
accepts the same terms.
"""


def by_element(book: Book) -> str:
    """Every kind of element with the threats to it and the controls of its scope."""
    return "\n".join([_ELEMENTS, *(line for kind in KINDS for line in _of_kind(kind, book))])


def _of_kind(kind: Kind, book: Book) -> Iterator[str]:
    threats = [threat for threat in book.library.threats.values() if kind in threat.targets]
    controls = [control for control in book.library.controls.values() if control.scope == kind]
    yield from (f"## {kind}", "")
    for threat in sorted(threats, key=lambda one: (-one.likelihood * one.impact, one.id)):
        cell = Cell(threat.likelihood, threat.impact)
        yield f"- {book.named(threat.id)} {prose(threat.title)}: {cell.score} {cell.band}"
    if not threats:
        yield "No threat targets it directly."
    yield from ("", "Controls:", "")
    for control in controls:
        yield f"- {book.named(control.id)} {prose(control.title)}"
    if not controls:
        yield "No control applies to it directly."
    yield ""


def by_term(book: Book) -> str:
    """Every alias with what it stands for, in the order of the alphabet."""
    found: dict[str, list[str]] = {}
    for threat in book.library.threats.values():
        for alias in threat.aliases:
            found.setdefault(alias, []).append(threat.id)
    for control in book.library.controls.values():
        for alias in control.aliases:
            found.setdefault(alias, []).append(control.id)
    words = sorted(found, key=lambda word: (word.casefold(), word))
    rows = (f"| {markdown(word)} | {', '.join(book.named(name) for name in found[word])} |" for word in words)
    return "\n".join([_TERMS, "| term | entries |", "| --- | --- |", *rows])
