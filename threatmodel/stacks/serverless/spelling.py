"""How variables are spelled in a serverless.yml: where they begin and end, their alternatives, values written out."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from threatmodel.reading.problems import Place
from threatmodel.stacks.values import Scalar

_NUMBER = re.compile(r"-?\d{1,15}(?:\.\d{1,9})?\Z")
_WORDS: Mapping[str, bool | None] = {"true": True, "false": False, "null": None}


def variables_in(text: str) -> Iterator[tuple[int, int]]:
    """Where the outermost variables of a text begin and end; one that is never closed is none."""
    start = depth = at = 0
    while at < len(text):
        if text.startswith("${", at):
            if depth == 0:
                start = at
            depth += 1
            at += 2
            continue
        if depth and text[at] == "}":
            depth -= 1
            if depth == 0:
                yield start, at + 1
        at += 1


def alternatives_of(content: str) -> Iterator[str]:
    """What commas part, outside quotes, brackets and other variables."""
    depth = last = 0
    quote = ""
    for at, character in enumerate(content):
        if quote:
            quote = "" if character == quote else quote
        elif character in "'\"":
            quote = character
        elif character in "({":
            depth += 1
        elif character in ")}":
            depth -= 1
        elif character == "," and depth == 0:
            yield content[last:at]
            last = at + 1
    yield content[last:]


def literal(text: str, place: Place) -> Scalar | None:
    """The value that is written out: in quotes, a number, a yes or no; None where it is none."""
    if len(text) > 1 and text[0] == text[-1] and text[0] in "'\"":
        return Scalar(text[1:-1], place)
    if text in _WORDS:
        return Scalar(_WORDS[text], place)
    if _NUMBER.match(text):
        return Scalar(float(text) if "." in text else int(text), place)
    return Scalar("", place) if not text else None
