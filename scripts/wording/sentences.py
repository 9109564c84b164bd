"""A text as sentences, and a sentence as words."""

from __future__ import annotations

import re

# A dot that ends no sentence: in an abbreviation, or between the letters of one
ABBREVIATION = re.compile(r"\b(e\.g|i\.e|etc|vs|cf|approx|incl|no|al|inc|u\.s)\.(?=\W)", re.IGNORECASE)
END = re.compile(r"""(?<=[.!?])["')\]]*\s+(?=["'(\[]?[A-Z0-9])|\n+""")
STATED = re.compile(r"\S*[^\W_]\S*")


def sentences(text: str) -> list[str]:
    """Return the sentences of a text; a line break ends one too."""
    marked = ABBREVIATION.sub(lambda match: match.group().replace(".", "\0"), text)
    marked = marked.replace("...", "\u2026")
    parts = (part.replace("\0", ".").replace("\u2026", "...") for part in END.split(marked))
    return [part.strip() for part in parts if part.strip()]


def words(sentence: str) -> list[str]:
    """Return the words of a sentence: the parts between spaces that have a letter or digit."""
    return STATED.findall(sentence)
