"""TOML to the plain data that shapes are read from, with the place of every key and value."""

from __future__ import annotations

import datetime
import re
from collections.abc import Mapping
from typing import Any

from threatmodel.reading.problems import InputError, Place, refusal
from threatmodel.reading.source import DEEPEST, Document, Map, Seq

Path = tuple[str | int, ...]
Marks = Mapping[Path, tuple[int, int]]
"""The packed marks of a key and of its value, by the path to it."""

_WORD = r"""(?:[A-Za-z0-9_-]+|"[^"\n]*"|'[^'\n]*')"""
_NAME = rf"{_WORD}(?:[ \t]*\.[ \t]*{_WORD})*"
_TABLE = re.compile(rf"[ \t]*\[[ \t]*({_NAME})[ \t]*\][ \t]*(?:#.*)?")
_TABLES = re.compile(rf"[ \t]*\[\[[ \t]*({_NAME})[ \t]*\]\][ \t]*(?:#.*)?")
_KEY = re.compile(rf"[ \t]*({_NAME})[ \t]*=[ \t]*")


def toml_document(text: str, file: str) -> Document:
    """Return the document in a text of TOML.  Dates become text, as in YAML.  Raises InputError for a syntax error."""
    import tomllib

    try:
        raw = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        at = re.search(r"\(at line (\d+), column (\d+)\)", str(error))
        place = Place(file, int(at[1]), int(at[2])) if at else Place(file)
        raise _refused(str(error).partition(" (at ")[0], place) from None
    except RecursionError:
        raise _refused("it is nested too deep", Place(file)) from None
    if _depth(raw) > DEEPEST:
        raise _refused(f"it is nested deeper than {DEEPEST} levels", Place(file))
    empty = Document(file, text, None, 0)
    return empty._replace(root=_placed(raw, (), _marks(text, empty), 0))


def _depth(raw: Any) -> int:
    """Return how many levels are nested; a key with many dots nests as many."""
    depth, level = 0, [raw]
    while level:
        inside = [one.values() if isinstance(one, dict) else one for one in level if isinstance(one, dict | list)]
        level = [value for values in inside for value in values]
        depth += bool(inside)
    return depth


def _refused(why: str, place: Place) -> InputError:
    return refusal("toml-syntax", place, f"this is not TOML: {why[:1].lower()}{why[1:]}", "fix the syntax")


def _marks(text: str, document: Document) -> Marks:
    """Return where keys are, as lines show it; what a value contains has the place of the value."""
    found: dict[Path, tuple[int, int]] = {}
    table: Path = ()
    for number, line in enumerate(text.split("\n"), 1):
        if tables := _TABLES.fullmatch(line):
            name = _parts(tables[1])
            nth = sum(path[:-1] == name and isinstance(path[-1], int) for path in found)
            table = (*name, nth)
            here = document.mark_of(Place("", number, tables.start(1) + 1))
            found.setdefault(name, (here, here))
            found[table] = here, here
        elif one := _TABLE.fullmatch(line):
            table = _parts(one[1])
            here = document.mark_of(Place("", number, one.start(1) + 1))
            found.setdefault(table, (here, here))
        elif key := _KEY.match(line):
            begin, end = (document.mark_of(Place("", number, at + 1)) for at in (key.start(1), key.end()))
            found.setdefault((*table, *_parts(key[1])), (begin, end))
    return found


def _parts(name: str) -> Path:
    return tuple(word.strip("\"'") for word in re.findall(_WORD, name))


def _placed(value: Any, path: Path, marks: Marks, mark: int) -> Any:
    """Return a value with marks; what has none has that of the value around it."""
    if isinstance(value, dict):
        table = Map()
        for name, inner in value.items():
            key, at = marks.get((*path, name), (mark, mark))
            table.marks += [key, at]
            table[name] = _placed(inner, (*path, name), marks, at)
        return table
    if isinstance(value, list):
        items = Seq()
        for nth, inner in enumerate(value):
            at = marks.get((*path, nth), (mark, mark))[1]
            items.marks.append(at)
            items.append(_placed(inner, (*path, nth), marks, at))
        return items
    return value.isoformat() if isinstance(value, datetime.date | datetime.time) else value
