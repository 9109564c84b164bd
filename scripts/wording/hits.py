"""The values: a text with its place and kind, and a hit of a rule in it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

Kind: TypeAlias = Literal["title", "text", "comment"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Text:
    """A text as a person reads it, without markup: code is `CODE`, an address `URL`, what is filled in `X`.

    `first` and `last` are the lines of the file that it is written in. A line break inside `text` ends a sentence.
    """

    path: str
    first: int
    last: int
    kind: Kind
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Hit:
    """One place where a text breaks a rule."""

    path: str
    line: int
    rule: str
    found: str
    write: str

    def __str__(self) -> str:
        return f'{self.path}:{self.line}: {self.rule}: "{self.found}" -> write: {self.write}'


def hit(text: Text, source: Sequence[str], *, rule: str, found: str, write: str) -> Hit:
    """Return a hit at the first line of the text that holds what was found; source is the whole file's lines."""
    line = line_of(found, source[text.first - 1 : text.last])
    return Hit(path=text.path, line=text.first + line, rule=rule, found=" ".join(found.split()), write=write)


def line_of(found: str, lines: Sequence[str]) -> int:
    """Return the index of the first line with the longest start of the words, 0 where not even the first is there."""
    words = re.findall(r"[\w'-]+", found)[:6]
    for length in range(len(words), 0, -1):
        start = r"\W+".join(map(re.escape, words[:length]))
        pattern = re.compile(rf"(?<!\w){start}(?!\w)")
        for index, line in enumerate(lines):
            if pattern.search(line):
                return index
    return 0
