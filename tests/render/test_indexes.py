"""The library by what is hit and by the words of the trade."""

from __future__ import annotations

from tests.support import HOME
from threatmodel.library.load import load_library
from threatmodel.model.vocabulary import KINDS
from threatmodel.render.pages.library import Book
from threatmodel.render.pages.library_reference import by_element, by_term

BOOK = Book(load_library(HOME / "threatlib"), {}, pages=True)


def sections(text: str) -> dict[str, str]:
    parts = text.split("\n## ")[1:]
    return {name: body for name, _, body in (part.partition("\n") for part in parts)}


def test_every_threat_and_control_stands_under_its_elements() -> None:
    found = sections(by_element(BOOK))
    assert tuple(found) == KINDS
    for threat in BOOK.library.threats.values():
        assert {kind for kind, body in found.items() if f"[`{threat.id}`]" in body} == set(threat.targets)
    for control in BOOK.library.controls.values():
        assert f"[`{control.id}`]" in found[control.scope]


def test_every_word_of_the_trade_leads_to_what_it_means() -> None:
    rows = [line for line in by_term(BOOK).split("\n") if line.startswith("| ")][2:]
    library = BOOK.library
    words = {one.id: one.aliases for one in library.threats.values()}
    words |= {one.id: one.aliases for one in library.controls.values()}
    for name, aliases in words.items():
        assert sum(f"[`{name}`]" in row for row in rows) == len(set(aliases)), name
