"""Shapes of data: what a file may hold, described once, read strictly and written out as JSON Schema.

A shape is a value.  `Reader.read` checks raw YAML against one and gives back plain values, each with its place;
everything that does not fit becomes a `Problem`.  `schema` turns the same shape into one for editors.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

from threatmodel.reading.former import Renamed
from threatmodel.reading.problems import Place, Problem, listed, note, quoted, suggestion
from threatmodel.reading.source import BLANK, Document, Map, Seq
from threatmodel.reading.spelling import latin
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

    `ordered`: the list runs from least to most.  `open`: other words are allowed too.  `formerly`: former words.
    """

    words: tuple[str, ...]
    ordered: bool = False
    open: bool = False
    formerly: Former = ()

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


class Value(NamedTuple):
    """A value read, and its place."""

    value: Any
    place: Place


class Entry(NamedTuple):
    """A key of a record or table as read: its place and its value."""

    key: Place
    value: Any
    place: Place


class Fields(dict[str, Entry]):
    """The entries of a record or table.  `unread` names the keys whose values did not fit: their problems are noted."""

    __slots__ = ("unread",)

    def __init__(self) -> None:
        self.unread: set[str] = set()

    def given(self, name: str) -> bool:
        """Whether the key is there, whatever its value."""
        return name in self or name in self.unread

    def several(self, name: str) -> tuple[Any, ...]:
        """The values of a list without their places; none where it is left out."""
        return tuple(item.value for item in self[name].value) if name in self else ()


INVALID: Any = object()
"""What `Reader.read` gives for a value that does not fit; its problem has been noted."""


class Reader:
    """Reads one document against shapes, noting every problem; former names are read as the current ones.

    `renamed` lists the former names that were found.
    """

    def __init__(self, document: Document) -> None:
        self.document = document
        self.place = document.place
        self.problems: list[Problem] = []
        self.renamed: list[Renamed] = []

    def note(self, code: str, place: Place, message: str, hint: str = "") -> None:
        """Adds a problem."""
        note(self.problems, Problem(code=code, place=place, message=message, hint=hint))

    def current(self, name: str, former: Former | Mapping[str, str], place: Place) -> str:
        """Return the current name for `name`, and note where it is a former one."""
        new = dict(former).get(name)
        if new is None:
            return name
        self.renamed.append(Renamed(place, name, new))
        return new

    def both(self, old: str, new: str, place: Place, first: Place) -> None:
        """Note that a mapping has both the former and the current name of something."""
        message = f"{quoted(old)} is the former name of {quoted(new)}, which is stated at {first.short} too"
        self.note("duplicate-key", place, message, "keep one of the two")

    def inside(self, place: Place, text: str, column: int, name: str) -> Place:
        """Return the place of `name`, which is at `column` of the text that begins at `place`.

        Text that the file folds over lines is searched for the same occurrence of the name.
        """
        token = re.compile(rf"(?<![\w-]){re.escape(name)}(?![\w-])")
        nth = len(token.findall(text[:column]))
        lines = self.document.text.split("\n")
        for at, line in enumerate(lines[place.line - 1 :], place.line):
            start = place.column - 1 if at == place.line else 0
            for found in token.finditer(line, start):
                if nth == 0:
                    return Place(place.file, at, found.start() + 1)
                nth -= 1
        return place

    def whole(self, shape: Record) -> Fields:
        """The entries of the whole document; empty where it is no such record."""
        root = self.document.root
        if root is BLANK:
            first = next((key.name for key in shape.keys if key.required), shape.keys[0].name)
            message = f"this file is empty; expected {shape.noun}"
            self.note("empty-file", Place(self.document.file), message, f"begin with '{first}:'")
            return Fields()
        entries: Fields = self.read(shape, root, self.document.mark, shape.noun)
        return Fields() if entries is INVALID else entries

    def read(self, shape: Shape, raw: Any, mark: int, noun: str) -> Any:
        """The value of `raw` as `shape` has it, or INVALID.

        Scalars stay as they are; dates become `datetime.date`, lists tuples of `Value`, records and tables `Fields`.
        """
        if raw is BLANK:
            place = self.place(mark)
            self.note("empty-value", place, f"{noun} has no value", f"write {_something(shape)}, or remove the line")
            return INVALID
        return _READERS[shape.__class__](self, shape, raw, mark, noun)

    def wrong(self, shape: Shape, raw: Any, mark: int, noun: str, hint: str = "") -> Any:
        """Notes that a value is not of its shape."""
        message = f"{noun} is {quoted(raw)}; expected {_expected(shape)}"
        hint = hint or ("leave the line out where you do not know" if raw is None else "")
        self.note("wrong-type", self.place(mark), message, hint)
        return INVALID


def _read_flag(reader: Reader, shape: Flag, raw: Any, mark: int, noun: str) -> Any:
    if raw is True or raw is False:
        return raw
    meant = {"yes": "true", "on": "true", "no": "false", "off": "false"}.get(str(raw).lower())
    return reader.wrong(shape, raw, mark, noun, f"did you mean {meant}?" if meant else "")


def _read_number(reader: Reader, shape: Number, raw: Any, mark: int, noun: str) -> Any:
    if raw.__class__ is int and shape.low <= raw <= shape.high:
        return raw
    return reader.wrong(shape, raw, mark, noun)


def _read_word(reader: Reader, shape: Word, raw: Any, mark: int, noun: str) -> Any:
    if raw.__class__ is str and shape.takes(raw):
        return raw
    if raw.__class__ is not str:
        return reader.wrong(shape, raw, mark, noun)
    if shape.formerly and (new := reader.current(raw, shape.formerly, reader.place(mark))) != raw:
        return new
    message = f"{noun} is {quoted(raw)}; expected one of {listed(shape.words, 20)}"
    reader.note("unknown-word", reader.place(mark), message, suggestion(raw, shape.words))
    return INVALID


def _read_text(reader: Reader, shape: Text, raw: Any, mark: int, noun: str) -> Any:
    if raw is True and shape.truth:
        return "true"
    if raw.__class__ is not str:
        return reader.wrong(shape, raw, mark, noun, "quote it" if isinstance(raw, bool | int | float) else "")
    if len(raw) > shape.longest:
        message = f"{noun} has {len(raw)} characters; at most {shape.longest} are allowed"
        reader.note("too-long", reader.place(mark), message, "shorten it")
        return INVALID
    if not raw.strip():
        reader.note("empty-value", reader.place(mark), f"{noun} is empty", "write it, or remove the line")
        return INVALID
    if shape.pattern and not re.fullmatch(shape.pattern, raw):
        return reader.wrong(shape, raw, mark, noun)
    return reader.current(raw, shape.formerly, reader.place(mark)) if shape.formerly else raw


def _read_date(reader: Reader, shape: Date, raw: Any, mark: int, noun: str) -> Any:
    if raw.__class__ is str and re.fullmatch(r"\d{4}-\d{2}-\d{2}", raw, re.ASCII):
        try:
            return datetime.date.fromisoformat(raw)
        except ValueError:
            pass
    message = f"{noun} is {quoted(raw)}, which is not a date; expected {_expected(shape)}"
    reader.note("not-a-date", reader.place(mark), message)
    return INVALID


def _read_items(reader: Reader, shape: Items, raw: Any, mark: int, noun: str) -> Any:
    if raw.__class__ is not Seq:
        return reader.wrong(shape, raw, mark, noun, f"write [{raw}]" if isinstance(raw, str) and len(raw) < 60 else "")  # noqa: PLR2004
    if len(raw) < shape.least:
        reader.note("wrong-type", reader.place(mark), f"{noun} is empty; expected {_expected(shape)}")
        return INVALID
    values = []
    for item, at in zip(raw, raw.marks, strict=True):
        value = reader.read(shape.of, item, at, f"an item of {noun}")
        if value is not INVALID:
            values.append(Value(value, reader.place(at)))
    return tuple(values)


def _read_record(reader: Reader, shape: Record, raw: Any, mark: int, noun: str) -> Any:
    if raw.__class__ is not Map:
        return reader.wrong(shape, raw, mark, noun)
    entries = Fields()
    index = shape.index
    for name, item, key_mark, at in raw.placed():
        key_place = reader.place(key_mark)
        key = index.get(name)
        if key is None and name in shape.former:
            name, old = reader.current(name, shape.former, key_place), name  # noqa: PLW2901 - read as its current name
            if name in raw or entries.given(name):
                reader.both(
                    old, name, key_place, _other(reader, raw, old, name, lambda key: shape.former.get(key, key))
                )
                continue
            key = index[name]
        if key is None:
            hint = shape.refused.get(name) or suggestion(name, index) or f"known: {listed(index, 40)}"
            reader.note("unknown-key", key_place, f"{quoted(name)} is not a key of {shape.noun}", hint)
            continue
        if item is None and key.nullable:
            entries[name] = Entry(key_place, None, reader.place(at))
            continue
        value = reader.read(key.shape, item, at, f"'{name}'")
        if value is INVALID:
            entries.unread.add(name)
        else:
            entries[name] = Entry(key_place, value, reader.place(at))
    for key in shape.keys:
        if key.required and key.name not in raw and not entries.given(key.name):
            message = f"{noun} has no '{key.name}'"
            reader.note("missing-key", reader.place(mark), message, f"add it: {key.meaning}" if key.meaning else "")
    return entries


def _other(reader: Reader, raw: Map, old: str, name: str, current: Callable[[str], str]) -> Place:
    """Return the place of the first key besides `old` of a mapping that is read as `name`."""
    return reader.place(next(mark for key, _, mark, _ in raw.placed() if key != old and current(key) == name))


def _read_table(reader: Reader, shape: NamedItems, raw: Any, mark: int, noun: str) -> Any:
    if raw.__class__ is not Map:
        return reader.wrong(shape, raw, mark, noun)
    entries = Fields()
    for name, item, key_mark, at in raw.placed():
        key_place = reader.place(key_mark)
        if shape.formerly and (new := current_id(name, shape.formerly)) != name:
            reader.renamed += _parts(reader, name, new, key_place)
            if new in raw or entries.given(new):
                reader.both(
                    name, new, key_place, _other(reader, raw, name, new, lambda key: current_id(key, shape.formerly))
                )
                continue
            name = new  # noqa: PLW2901 - read as its current name
        if len(name) > shape.longest:
            message = f"the id of {shape.noun} has {len(name)} characters; at most {shape.longest} are allowed"
            reader.note("wrong-id", key_place, message, "shorten it")
            continue
        if not shape.pattern.match(name):
            parted = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "-", latin(name[:100]))
            fixed = re.sub(r"[^a-z0-9]+", "-", parted.lower()).strip("-")
            hint = f"did you mean '{fixed}'?" if shape.pattern.match(fixed) else ""
            message = f"{quoted(name)} cannot be the id of {shape.noun}; expected {shape.expected}"
            reader.note("wrong-id", key_place, message, hint)
            continue
        value = reader.read(shape.of, item, at, f"{shape.noun} '{name}'")
        if value is INVALID:
            entries.unread.add(name)
        else:
            entries[name] = Entry(key_place, value, reader.place(at))
    return entries


def current_id(name: str, former: Former) -> str:
    """Return an id with current names: of the element behind its ``@``, or of the whole, and of the ends of a flow."""
    before, at, element = name.rpartition("@")
    names = dict(former)
    return before + at + ":".join(names.get(part, part) for part in element.split(":"))


def _parts(reader: Reader, old: str, new: str, place: Place) -> Iterator[Renamed]:
    """Yield the parts of an id that have other names now."""
    column = old.rfind("@") + 1
    for before, now in zip(old[column:].split(":"), new[column:].split(":"), strict=True):
        if before != now:
            yield Renamed(reader.inside(place, old, column, before), before, now)
        column += len(before) + 1


def _read_either(reader: Reader, shape: Either, raw: Any, mark: int, noun: str) -> Any:
    listed_one = raw.__class__ is Seq and isinstance(shape.word, Items)
    if raw.__class__ is not Map and raw.__class__ is not str and not listed_one:
        return reader.wrong(shape, raw, mark, noun)
    return reader.read(shape.whole if raw.__class__ is Map else shape.word, raw, mark, noun)


def _read_raw(_reader: Reader, _shape: Raw, raw: Any, _mark: int, _noun: str) -> Any:
    return raw


_READERS: dict[type, Callable[[Reader, Any, Any, int, str], Any]] = {
    Flag: _read_flag,
    Number: _read_number,
    Word: _read_word,
    Text: _read_text,
    Date: _read_date,
    Items: _read_items,
    Record: _read_record,
    NamedItems: _read_table,
    Either: _read_either,
    Raw: _read_raw,
}


def _expected(shape: Shape) -> str:
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
            return f"{_expected(shape.word)}, or a mapping"
        case Text():
            return shape.expected
        case Raw():
            return "a value"


def _something(shape: Shape) -> str:
    """What to write where nothing is written."""
    match shape:
        case Items():
            return "[] for none"
        case NamedItems():
            return "{} for none"
        case Record():
            return "{} where nothing is known of it"
        case _:
            return _expected(shape)
