"""YAML text to plain data, with the place of every key and value.

Built on the event stream of PyYAML's C parser (several times faster than constructing through nodes) and limited to
what a data file needs: no tags, anchors or aliases, one document, text keys, sixty levels.  Scalars follow YAML 1.2's
core schema: ``yes`` and ``2026-10-01`` stay text.
"""

from __future__ import annotations

import math
import re
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import yaml
from yaml.events import AliasEvent, MappingStartEvent, ScalarEvent

from threatmodel.reading.growing import grow
from threatmodel.reading.pipes import from_pipe
from threatmodel.reading.problems import InputError, Place, Problem, note, quoted, refusal, visible
from threatmodel.reading.values import new_tuple

DEEPEST = 60
_USUAL = 1 << 16
"""Bytes that hardly a file exceeds."""
LARGEST = 32 * 1024 * 1024
"""Bytes of the largest file that is read; ten thousand fully stated functions take 8 MB."""

_Parser: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_INTEGER = re.compile(r"[-+]?(?:0|[1-9][0-9]{0,17})\Z")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]{1,3})?\Z")
_COLUMNS = 1 << 26
_HIDDEN_BREAKS = "\r\x85\u2028\u2029"
"""Line breaks to YAML 1.1 that editors do not show as such: a key could hide behind one."""
_FORBIDDEN = "[^\t\n -~\xa0-\u2027\u202a-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]"
"""Not compiled, which takes 3 ms, until such a character was found."""


class Blank:
    """A value that was left out (``runtime:`` and nothing behind it): neither null nor a fact."""

    def __repr__(self) -> str:
        return "nothing"


BLANK = Blank()
_WORDS: dict[str, Any] = {"true": True, "True": True, "false": False, "False": False}
_WORDS |= {"null": None, "Null": None, "NULL": None, "~": None, "": BLANK}
_UNSEEN: Any = object()
_UNTAGGED = (None, "!")


class Map(dict[str, Any]):
    """A mapping that knows where its keys and values stand.

    `marks` holds two packed marks for each entry, in its order: the key's, then the value's (`Document.place` unpacks).
    """

    __slots__ = ("marks",)

    def __init__(self) -> None:
        self.marks: list[int] = []

    def placed(self) -> Iterator[tuple[str, Any, int, int]]:
        """Every key and value, with the mark of the key and that of the value."""
        return zip(self.keys(), self.values(), self.marks[::2], self.marks[1::2], strict=True)


class Seq(list[Any]):
    """A list that knows where its items stand."""

    __slots__ = ("marks",)

    def __init__(self) -> None:
        self.marks: list[int] = []


class Document(NamedTuple):
    """One file read: its name, its text, the plain value at its root and its place."""

    file: str
    text: str
    root: Any
    mark: int

    def place(self, mark: int) -> Place:
        """The place that a packed mark stands for."""
        return new_tuple(Place, (self.file, mark // _COLUMNS + 1, mark % _COLUMNS + 1, ""))

    def mark_of(self, place: Place) -> int:
        """The packed mark of a place."""
        return (place.line - 1) * _COLUMNS + place.column - 1


def _instead(path: Path) -> str:
    """Return what to do where a file is missing; elsewhere than on Windows its paths are other files."""
    slashed = Path(str(path).replace("\\", "/"))
    if slashed != path and slashed.exists():
        return f"write the path with forward slashes: {slashed}"
    return "check the path"


def read_text(path: Path, shown_as: str, largest: int = LARGEST, hint: str = "split the model") -> str:
    """The text of a file.

    Raises InputError when it is missing, unreadable, not UTF-8, or has more than `largest` bytes (`hint` says what to
    do then).
    """
    try:
        mode = path.stat().st_mode
        if stat.S_ISDIR(mode):
            raise _refusal(shown_as, "unreadable-file", "this is a directory", "name a file")
        data = from_pipe(path, largest + 1) if stat.S_ISFIFO(mode) else _from_file(path, largest)
    except FileNotFoundError:
        raise _refusal(shown_as, "missing-file", "there is no such file", _instead(path)) from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise _refusal(shown_as, "unreadable-file", f"cannot be read: {reason}", "") from None
    if len(data) > largest:
        raise too_large(shown_as, largest, hint)
    try:
        return as_read(data.decode())
    except UnicodeDecodeError as error:
        raise _not_utf8(data, shown_as, error) from None


def _from_file(path: Path, largest: int) -> bytes:
    with path.open("rb") as file:
        data = file.read(_USUAL)  # asked for 32 MB at once, Python makes room for them
        return data + file.read(max(largest + 1 - _USUAL, 0)) if len(data) == _USUAL else data


def as_read(text: str) -> str:
    """A file's text as it is read: without a byte order mark, its lines ended in one way."""
    return text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")


def too_large(file: str, largest: int, hint: str) -> InputError:
    """What is said of a file that is larger than what is read."""
    found = f"the file has more than {largest // (1024 * 1024)} MB, the most that is read"
    return _refusal(file, "file-too-large", found, hint)


def _not_utf8(data: bytes, file: str, error: UnicodeDecodeError) -> InputError:
    if data.startswith(_ARCHIVE):
        hint = "name a text; a Terraform plan is one after 'terraform show -json FILE'"
        return _refusal(file, "unreadable-file", "this is a ZIP archive, as a binary Terraform plan is", hint)
    start = error.start + (len(data) - len(error.object))  # a byte order mark is no part of what was decoded
    before = data[:start].decode("utf-8-sig", "replace")
    place = Place(file, before.count("\n") + 1, len(before) - before.rfind("\n"))
    return refusal("unreadable-file", place, f"the byte 0x{data[start]:02X} is not UTF-8", "save the file as UTF-8")


_ARCHIVE = b"PK\x03\x04"
"""How ZIP archives begin, and plans that 'terraform plan -out' wrote."""


def _refusal(file: str, code: str, message: str, hint: str) -> InputError:
    return refusal(code, file, message, hint)


def parse(text: str, file: str) -> Document:
    """The document in `text`.

    Raises InputError with the place of a syntax error or of anything not supported; duplicate keys are all reported.
    """
    parser = parser_of(text, file)
    top, plain = Seq(), _Plain(file)
    try:
        grow(parser, top, plain)
    except yaml.YAMLError as error:
        raise refused(text, file, error) from None
    finally:
        parser.dispose()
    if plain.duplicates:
        raise InputError(plain.duplicates)
    return Document(file, text, top[0], top.marks[0]) if top else Document(file, text, BLANK, 0)


def parser_of(text: str, file: str) -> Any:
    """The parser whose events are the YAML in `text`; dispose of it.  Raises InputError for what it could not read."""
    if len(text) > LARGEST:
        raise _refusal(file, "file-too-large", f"{len(text)} characters; at most {LARGEST} are read", "split it")
    if any(char in text for char in _HIDDEN_BREAKS):
        raise _forbidden(text, file)
    try:
        return _Parser(text)
    except (yaml.reader.ReaderError, UnicodeEncodeError):
        raise _forbidden(text, file) from None


def refused(text: str, file: str, error: yaml.YAMLError, deepest: int = DEEPEST) -> InputError:
    """What stopped the parser in the middle of `text`, in our words."""
    if isinstance(error, yaml.MarkedYAMLError):
        return _syntax(text, file, error, deepest)
    return _forbidden(text, file)


class _Plain:
    """Plain data, with marks; what it finds given twice is in `duplicates`."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.duplicates: list[Problem] = []
        self.depth = 0
        self.texts: dict[str, str] = {}  # every key once: a text whose hash is known is found faster, and is kept once
        self.plain: dict[str, Any] = {}  # what unquoted scalars mean

    def key(self, mapping: Map, event: Any) -> Any:
        if event.__class__ is not ScalarEvent or event.anchor is not None or event.tag not in _UNTAGGED:
            raise _not_a_key(event, self.file)
        start: Any = event.start_mark
        mapping.marks.append(start.line * _COLUMNS + start.column)
        key = event.value
        key = self.texts.setdefault(key, key)
        return _twice(mapping, key, self.duplicates, self.file) if key in mapping else key

    def scalar(self, container: Map | Seq, event: Any) -> Any:
        if event.anchor is not None or event.tag not in _UNTAGGED:
            raise _unsupported(event, self.file)
        start = event.start_mark
        container.marks.append(start.line * _COLUMNS + start.column)
        text = event.value
        if event.style:
            return text
        value = self.plain.get(text, _UNSEEN)
        if value is _UNSEEN:
            value = self.plain[text] = meaning(text)
        return value

    def begin(self, container: Map | Seq, event: Any) -> Map | Seq:
        if event.anchor is not None or event.tag is not None:
            raise _unsupported(event, self.file)
        start = event.start_mark
        self.depth += 1
        if self.depth > DEEPEST:
            raise _at(self.file, start, "unsupported-yaml", f"nested deeper than {DEEPEST} levels", "")
        container.marks.append(start.line * _COLUMNS + start.column)
        return Map() if event.__class__ is MappingStartEvent else Seq()

    def end(self, container: Map | Seq, event: Any) -> Map | Seq:  # noqa: ARG002 - where it began is marked already
        self.depth -= 1
        return container

    def alias(self, container: Map | Seq, event: Any) -> Any:  # noqa: ARG002 - wherever it stands
        raise _unsupported(event, self.file)

    def further(self, event: Any) -> None:
        found = "a second document starts here"
        raise _at(self.file, event.start_mark, "unsupported-yaml", found, "keep one document a file")


def _not_a_key(event: Any, file: str) -> InputError:
    if event.__class__ is AliasEvent or event.anchor is not None or event.tag is not None:
        return _unsupported(event, file)
    return _at(file, event.start_mark, "unsupported-yaml", "a key must be plain text", "quote it")


def _twice(holder: Map, name: str, duplicates: list[Problem], file: str) -> Any:
    """Note that the key marked last is in its mapping already; return a separate key for its value."""
    here = holder.marks[-1]
    first = holder.marks[2 * list(holder).index(name)] // _COLUMNS + 1
    place = Place(file, here // _COLUMNS + 1, here % _COLUMNS + 1)
    message = f"{quoted(name)} is given twice; first on line {first}"
    note(duplicates, Problem(code="duplicate-key", place=place, message=message, hint="keep one of the two"))
    return name, here


def meaning(text: str) -> Any:
    """What an unquoted scalar means."""
    if text in _WORDS:
        return _WORDS[text]
    if text[0] in "-+.0123456789":
        if _INTEGER.match(text):
            return int(text)
        if _FLOAT.match(text):
            number = float(text)
            return number if math.isfinite(number) else text
    return text


def _unsupported(event: Any, file: str) -> InputError:
    if event.__class__ is AliasEvent or event.anchor is not None:
        found, hint = "anchors and aliases are not supported", "write the value out, or quote it"
    else:
        tag = event.tag.replace("tag:yaml.org,2002:", "!!", 1)
        found, hint = f"the tag {quoted(tag)} is not supported", "write plain data"
    return _at(file, event.start_mark, "unsupported-yaml", found, hint)


def _at(file: str, mark: Any, code: str, message: str, hint: str) -> InputError:
    return refusal(code, Place(file, mark.line + 1, mark.column + 1), message, hint)


def _syntax(text: str, file: str, error: yaml.MarkedYAMLError, deepest: int) -> InputError:
    """A syntax error in our words where the parser's would puzzle, at the place that has to be changed."""
    problem, begin, here = error.problem or "not YAML", error.context_mark, error.problem_mark or error.context_mark
    message, hint = f"{problem}{' ' + error.context if error.context else ''}", ""
    if problem in _SYNTAX:
        message, hint = _SYNTAX[problem]
    if problem in _AT_BEGIN and begin is not None:
        here = begin
    elif problem in _NOT_CLOSED and begin is not None:
        message = f"expected {_NOT_CLOSED[problem]} that began at {begin.line + 1}:{begin.column + 1}"
        hint = "check the commas, brackets and quotes before this"
    elif problem == "found character that cannot start any token" and here is not None:
        message, hint = _no_token(text, here)
    elif problem == "exceeded maximum nesting depth":
        message = f"nested deeper than {deepest} levels"
    return refusal(
        "yaml-syntax", Place(file, here.line + 1, here.column + 1) if here is not None else Place(file), message, hint
    )


_SYNTAX = {
    "mapping values are not allowed in this context": (
        "there is no valid key before this colon",
        "quote a text that holds ': ', or check the indentation",
    ),
    "did not find expected key": (
        "no key begins here",
        "check the indentation, and the quotes and brackets just before",
    ),
    "did not find expected '-' indicator": ("no item begins here", "begin it with '- ', or check the indentation"),
    "could not find expected ':'": ("this is not a 'key: value' pair", "write a colon and a space after the key"),
    "found unexpected end of stream": ("this quote is never closed", "close it"),
    "found a tab character that violates indentation": ("a tab indents this line", "indent with spaces"),
    "found unknown escape character": (
        "the backslash begins an escape that does not exist",
        "double it, or use single quotes",
    ),
}
"""The parser's commonest problems: what to say instead, and what to do."""

_AT_BEGIN = {"could not find expected ':'", "found unexpected end of stream"}
_NOT_CLOSED = {
    "did not find expected ',' or ']'": "a comma, or the end of the list",
    "did not find expected ',' or '}'": "a comma, or the end of the mapping",
}


def _no_token(text: str, mark: Any) -> tuple[str, str]:
    char = text.split("\n", mark.line + 1)[mark.line][mark.column : mark.column + 1]
    if char == "\t":
        return "a tab is at the start of a value or a key", "indent with spaces"
    return f"a value cannot begin with '{visible(char)}'", "quote it"


def _forbidden(text: str, file: str) -> InputError:
    """The first character that YAML, or a reader of the file, cannot take."""
    found = re.search(_FORBIDDEN, text)
    at = found.start() if found else 0
    place = Place(file, text.count("\n", 0, at) + 1, at - text.rfind("\n", 0, at))
    breaks = found is not None and found.group() in _HIDDEN_BREAKS
    message = f"{visible(text[at : at + 1])} is {'a hidden line break' if breaks else 'a character that YAML forbids'}"
    return refusal("yaml-syntax", place, message, "remove it, or write it as an escape in double quotes")
