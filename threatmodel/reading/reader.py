"""A document read strictly by shapes: plain values, each with its place, and a problem for all that does not fit."""

from __future__ import annotations

import datetime
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from threatmodel.reading.former import Renamed
from threatmodel.reading.problems import Place, Problem, listed, note, quoted, suggestion
from threatmodel.reading.shape import (
    Date,
    Either,
    Flag,
    Former,
    Items,
    NamedItems,
    Number,
    Raw,
    Record,
    Shape,
    Text,
    Word,
    current_id,
    expected,
    to_write,
)
from threatmodel.reading.source import BLANK, Document, Map, Seq
from threatmodel.reading.spelling import latin
from threatmodel.reading.values import new_tuple


class Value(NamedTuple):
    """A value read, and its place."""

    value: Any
    place: Place


class Entry(NamedTuple):
    """A key of a record or table as read: its place, its value, and where in the document that is."""

    key: Place
    value: Any
    document: Document
    mark: int

    @property
    def place(self) -> Place:
        """The place of the value."""
        return self.document.place(self.mark)


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
            self.note("empty-value", place, f"{noun} has no value", f"write {to_write(shape)}, or remove the line")
            return INVALID
        return _READERS[shape.__class__](self, shape, raw, mark, noun)

    def wrong(self, shape: Shape, raw: Any, mark: int, noun: str, hint: str = "") -> Any:
        """Notes that a value is not of its shape."""
        message = f"{noun} is {quoted(raw)}; expected {expected(shape)}"
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
    message = f"{noun} is {quoted(raw)}, which is not a date; expected {expected(shape)}"
    reader.note("not-a-date", reader.place(mark), message)
    return INVALID


def _read_items(reader: Reader, shape: Items, raw: Any, mark: int, noun: str) -> Any:
    if raw.__class__ is not Seq:
        return reader.wrong(shape, raw, mark, noun, f"write [{raw}]" if isinstance(raw, str) and len(raw) < 60 else "")  # noqa: PLR2004
    if len(raw) < shape.least:
        reader.note("wrong-type", reader.place(mark), f"{noun} is empty; expected {expected(shape)}")
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
    current = None if shape.former.keys().isdisjoint(raw) else lambda key: shape.former.get(key, key)
    for name, item, key_place, at in _placed(reader, raw, current, _renamed):
        key = shape.index.get(name)
        if key is None:
            hint = shape.refused.get(name) or suggestion(name, shape.index) or f"known: {listed(shape.index, 40)}"
            reader.note("unknown-key", key_place, f"{quoted(name)} is not a key of {shape.noun}", hint)
        elif item is None and key.nullable:
            entries[name] = Entry(key_place, None, reader.document, at)
        else:
            _take(reader, entries, name, key_place, reader.read(key.shape, item, at, f"'{name}'"), at)
    for key in shape.keys:
        if key.required and not entries.given(key.name):
            message = f"{noun} has no '{key.name}'"
            reader.note("missing-key", reader.place(mark), message, f"add it: {key.meaning}" if key.meaning else "")
    return entries


def _read_table(reader: Reader, shape: NamedItems, raw: Any, mark: int, noun: str) -> Any:
    if raw.__class__ is not Map:
        return reader.wrong(shape, raw, mark, noun)
    entries = Fields()
    current = (lambda key: current_id(key, shape.formerly)) if shape.formerly else None
    for name, item, key_place, at in _placed(reader, raw, current, _parts):
        if _is_id(reader, shape, name, key_place):
            _take(reader, entries, name, key_place, reader.read(shape.of, item, at, f"{shape.noun} '{name}'"), at)
    return entries


def _take(reader: Reader, entries: Fields, name: str, key: Place, value: Any, at: int) -> None:  # noqa: PLR0913, PLR0917
    """Add an entry with a value as read, or remember that the value did not fit."""
    if value is INVALID:
        entries.unread.add(name)
    else:
        entries[name] = new_tuple(Entry, (key, value, reader.document, at))


def _placed(
    reader: Reader,
    raw: Map,
    current: Callable[[str], str] | None,
    renamed: Callable[[Reader, str, str, Place], Iterable[Renamed]],
) -> Iterator[tuple[str, Any, Place, int]]:
    """Yield each entry of a mapping by its current name: of several names of one thing, the first or the current one.

    Each is its name, its raw value, the place of its key and the mark of its value.  `current` is None where no former
    name can be in the mapping, as in most.
    """
    if current is None:
        yield from ((name, item, reader.place(key_mark), at) for name, item, key_mark, at in raw.placed())
        return
    first: dict[str, Place] = {}
    for old, item, key_mark, at in raw.placed():
        place, name = reader.place(key_mark), current(old)
        if name != old:
            reader.renamed += renamed(reader, old, name, place)
            if name in raw or name in first:
                reader.both(old, name, place, first.get(name) or _place_of(reader, raw, name))
                continue
        first[name] = place
        yield name, item, place, at


def _place_of(reader: Reader, raw: Map, name: str) -> Place:
    return reader.place(next(mark for key, _, mark, _ in raw.placed() if key == name))


def _renamed(_reader: Reader, old: str, new: str, place: Place) -> Iterator[Renamed]:
    yield Renamed(place, old, new)


def _is_id(reader: Reader, shape: NamedItems, name: str, place: Place) -> bool:
    """Return whether a name can be an id of a table; note where it cannot."""
    if len(name) > shape.longest:
        message = f"the id of {shape.noun} has {len(name)} characters; at most {shape.longest} are allowed"
        reader.note("wrong-id", place, message, "shorten it")
        return False
    if shape.pattern.match(name):
        return True
    parted = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "-", latin(name[:100]))
    fixed = re.sub(r"[^a-z0-9]+", "-", parted.lower()).strip("-")
    hint = f"did you mean '{fixed}'?" if shape.pattern.match(fixed) else ""
    message = f"{quoted(name)} cannot be the id of {shape.noun}; expected {shape.expected}"
    reader.note("wrong-id", place, message, hint)
    return False


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
