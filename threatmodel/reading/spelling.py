"""Names as ids spell them: Latin letters without marks."""

from __future__ import annotations

import unicodedata

_SMALL = {"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss", "æ": "ae", "œ": "oe", "ø": "o", "å": "aa", "ł": "l", "đ": "d"}
_SPELT_OUT = str.maketrans(_SMALL | {one.upper(): spelt.title() for one, spelt in _SMALL.items() if one != "ß"})


def latin(text: str) -> str:
    """A text with umlauts and ligatures spelled out, and other letters without their accents; the rest as it is."""
    if text.isascii():
        return text
    whole = unicodedata.normalize("NFC", text).translate(_SPELT_OUT)
    return "".join(one for one in unicodedata.normalize("NFD", whole) if not unicodedata.combining(one))
