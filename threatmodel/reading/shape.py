"""Shapes of data: what a file may hold, described once.

A shape is a value.  `reading.reader` reads YAML strictly by one, and `reading.schema` turns it into JSON Schema for
editors.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from threatmodel.reading.problems import listed
from threatmodel.reading.values import dataclass

LONGEST_ID = 100
"""Characters of the longest id that an author may choose."""

ID = re.compile(r"[a-z][a-z0-9]*(?:-[a-z0-9]+)*\Z")
OPEN_WORD = "[A-Za-z0-9._-]{1,60}"
"""What an unlisted word looks like."""

Former = tuple[tuple[str, str], ...]
"""Former names, each with the current one: a tuple of pairs, so that shapes can be hashed."""


@dataclass(frozen=True, slots=True)
class Text:
    """Any text of at most `longest` characters; `pattern` narrows it, `expected` says how in words.

    `truth`: an unquoted ``true`` is taken as the text 'true' (conditions).  `formerly`: texts that have a new name.
    """

    longest: int = 2000
    pattern: str = ""
    expected: str = "text"
    truth: bool = False
    formerly: Former = ()


@dataclass(frozen=True, slots=True)
class Flag:
    """true or false."""


@dataclass(frozen=True, slots=True)
class Number:
    """A whole number between two bounds."""

    low: int = 0
    high: int = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Word:
    """One word of a list.

    `ordered`: the list runs from least to most.  `open`: other words are allowed too, of which editors take those that
    match `likely`.  `formerly`: former words.
    """

    words: tuple[str, ...]
    ordered: bool = False
    open: bool = False
    formerly: Former = ()
    likely: str = OPEN_WORD

    def takes(self, word: str) -> bool:
        """Whether it is one of the words, or could be an unlisted one."""
        return word in self.words or (self.open and re.fullmatch(OPEN_WORD, word) is not None)


@dataclass(frozen=True, slots=True)
class Date:
    """A day, written 2027-03-31."""


@dataclass(frozen=True, slots=True)
class Items:
    """A list of at least `least` values of one shape."""

    of: Shape
    least: int = 0


@dataclass(frozen=True, slots=True)
class Key:
    """One key of a record: its shape, what it means, whether it must be there and whether `null` may stand for it.

    `formerly` lists its former names.
    """

    name: str
    shape: Shape
    meaning: str = ""
    required: bool = False
    nullable: bool = False
    formerly: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Record:
    """A mapping with known keys.

    `noun` names it in messages: 'a function'.  `refused` says of names that an author may expect to be keys why they
    are none.  `former` maps former names of keys to the current ones.
    """

    noun: str
    keys: tuple[Key, ...]
    index: Mapping[str, Key]
    refused: Mapping[str, str]
    former: Mapping[str, str]

    def __hash__(self) -> int:
        return hash((self.noun, self.keys))


def record(noun: str, *keys: Key, refused: Mapping[str, str] | None = None) -> Record:
    """A record of these keys."""
    former = {old: key.name for key in keys for old in key.formerly}
    return Record(noun, keys, {key.name: key for key in keys}, refused or {}, former)


@dataclass(frozen=True, slots=True)
class NamedItems:
    """A mapping from ids of the author's choice to values of one shape.

    `noun` says what an entry is ('a function'); `pattern` is what an id must match, `longest` how long it may be.
    `formerly` has former names: of a whole id, of the element behind its ``@``, or of the ends of a flow.
    """

    of: Shape
    noun: str
    pattern: re.Pattern[str] = ID
    expected: str = "lower-case letters, digits and single hyphens"
    longest: int = LONGEST_ID
    formerly: Former = ()


@dataclass(frozen=True, slots=True)
class Either:
    """A plain word or a list, or a mapping: `word` is tried for scalars and lists, `whole` for mappings."""

    word: Shape
    whole: Shape


@dataclass(frozen=True, slots=True)
class Raw:
    """Anything; the caller checks it."""


Shape = Text | Flag | Number | Word | Date | Items | Record | NamedItems | Either | Raw


def current_id(name: str, former: Former) -> str:
    """Return an id with current names: of the element behind its ``@``, or of the whole, and of the ends of a flow."""
    before, at, element = name.rpartition("@")
    names = dict(former)
    return before + at + ":".join(names.get(part, part) for part in element.split(":"))


# --- in words, for messages


def expected(shape: Shape) -> str:
    """What a shape takes, in words."""
    match shape:
        case Flag():
            return "true or false"
        case Number():
            return f"a whole number from {shape.low} to {shape.high}"
        case Word():
            return f"one of {listed(shape.words, 20)}"
        case Date():
            return "a date such as 2027-03-31"
        case Items():
            return "a list"
        case Record() | NamedItems():
            return "a mapping"
        case Either():
            return f"{expected(shape.word)}, or a mapping"
        case Text():
            return shape.expected
        case Raw():
            return "a value"


def to_write(shape: Shape) -> str:
    """What to write where nothing is written."""
    match shape:
        case Items():
            return "[] for none"
        case NamedItems():
            return "{} for none"
        case Record():
            return "{} where nothing is known of it"
        case _:
            return expected(shape)
