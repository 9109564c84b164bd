"""Names as ids spell them."""

from __future__ import annotations

import pytest

from threatmodel.reading.spelling import latin


@pytest.mark.parametrize(
    ("text", "spelt"),
    [
        ("shop", "shop"),
        ("Übung Größe", "Uebung Groesse"),
        ("U\u0308bung", "Uebung"),  # as macOS writes it
        ("café Łódź smørrebrød", "cafe Lodz smorrebrod"),
        ("日本", "日本"),
    ],
)
def test_marks_are_spelt_out_or_dropped(text: str, spelt: str) -> None:
    assert latin(text) == spelt
