"""An entry added to a YAML file: the existing text stays, byte for byte."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import yaml

from threatmodel.reading.problems import InputError, Place, escaped, refusal, uncommanded
from threatmodel.reading.source import Document, Map, Seq, as_read, parse
from threatmodel.render.text import one_line

_OCTAL = re.compile(r"[-+]?0o?[0-7]+\Z")
"""What readers of YAML 1.2 take for a number."""


def comment(text: str) -> str:
    """A text that comes from a file, for a comment in YAML: one line, with nothing in it that cannot be seen."""
    return one_line(text)


def scalar(text: str, *, flow: bool = True) -> str:
    """A text as a value in YAML, between braces too (`flow`): plain where that is read back as the same text.

    It is on one line; invisible characters are written as escapes, and half a character as U+FFFD.
    """
    if text.isprintable() and uncommanded(text) == text:
        withins = ("a: {}", "{{a: {}}}")[: 1 + flow]
        for written in (text, "'" + text.replace("'", "''") + "'")[bool(_OCTAL.match(text)) :]:
            found = [within.format(written) for within in withins]
            if all(read_back(one) == {"a": text} == _read_elsewhere(one) for one in found):
                return written
    return escaped("".join(map(_escaped, json.dumps(text, ensure_ascii=False))))


def _read_elsewhere(text: str) -> Any:
    """What another reader of YAML takes a text for: one that knows yes, dates and sexagesimals; None where none can."""
    try:
        return yaml.safe_load(text)
    except (yaml.YAMLError, ValueError):
        return None


def _escaped(character: str) -> str:
    """A character between double quotes in YAML."""
    if character.isprintable():
        return character
    code = ord(character)
    if 0xD800 <= code <= 0xDFFF:  # noqa: PLR2004 - half of a character, which no file can hold
        return "\N{REPLACEMENT CHARACTER}"
    return f"\\U{code:08X}"


def lines_of(text: str) -> list[str]:
    """The lines of a text, each with the end that it has."""
    return re.findall(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+", text)


def read_back(text: str) -> Any:
    """What a text means; None where it cannot be read."""
    try:
        return parse(text, "").root
    except InputError:
        return None


def with_entry(text: str, document: Document, section: str, name: str, lines: Sequence[str]) -> tuple[str, int]:
    """A file's text with an entry added at the end of a section, and its line.

    `document` is the text as read.  Everything that was there stays, byte for byte, and means what it meant.  A section
    that is missing is added at the end.  Raises InputError where the section is not written as lines.
    """
    parts = lines_of(text)
    root = document.root
    if not isinstance(root, Map) or between_braces(document, document.mark):
        raise cannot_add(document.file, document.place(document.mark), "the file", section, lines)
    end = next((at for at, part in enumerate(parts) if re.match(r"\.\.\.\s", part + "\n")), len(parts))
    if section in root:
        mark, inside = next((at, value) for key, value, _, at in root.placed() if key == section)
        place = document.place(mark)
        if not isinstance(inside, Map) or between_braces(document, mark):
            raise cannot_add(document.file, place, f"'{section}'", section, lines)
        later = (document.place(key).line - 1 for _, _, key, _ in root.placed() if key > mark)
        end = min(later, default=end)
        indent = " " * (place.column - 1)
        added = [indent + line for line in lines]
        wheres = [(last_of(parts, end, len(indent)), added, 1), (end, added, 1)]
    else:
        place = document.place(document.mark)
        indent = " " * (place.column - 1)
        whole = [f"{indent}{section}:", *(f"{indent}  {line}" for line in lines)]
        blank = bool(parts[:end]) and bool(parts[end - 1].strip())
        wheres = [(end, ["", *whole] if blank else whole, 3 if blank else 2), (end, whole, 2)]
    for at, added, first in wheres:
        found = joined(parts, at, added)
        if _adds(document.root, read_back(as_read(found)), section, name):
            return found, at + first
    raise cannot_add(document.file, place, f"'{section}'", section, lines)


def with_item(text: str, document: Document, section: str, line: str, value: Mapping[str, Any]) -> tuple[str, int]:
    """A file's text with an item added at the end of a list, as `with_entry` adds an entry, and the line of it.

    `line` begins with its hyphen, `value` is what it must be read back as.  Raises InputError where the list is not
    written as lines.
    """
    parts = lines_of(text)
    root = document.root
    if not isinstance(root, Map) or between_braces(document, document.mark):
        raise cannot_add(document.file, document.place(document.mark), "the file", section, [line])
    end = next((at for at, part in enumerate(parts) if re.match(r"\.\.\.\s", part + "\n")), len(parts))
    old: Any = root.get(section, [])
    place = document.place(document.mark)
    if section in root:
        mark = next(at for key, _, _, at in root.placed() if key == section)
        place = document.place(mark)
        if not isinstance(old, Seq) or between_braces(document, mark):
            raise cannot_add(document.file, place, f"'{section}'", section, [line])
        end = min((document.place(key).line - 1 for _, _, key, _ in root.placed() if key > mark), default=end)
        indent = " " * (place.column - 1)
        at, added = last_of(parts, end, len(indent)), [indent + line]
    else:
        indent = " " * (place.column - 1)
        at, added = end, [f"{indent}{section}:", f"{indent}  {line}"]
    found = joined(parts, at, added)
    if read_back(as_read(found)) != {**root, section: [*old, dict(value)]}:
        raise cannot_add(document.file, place, f"'{section}'", section, [line])
    return found, at + len(added)


def with_pair(text: str, document: Document, mark: int, pair: str) -> Iterator[str]:
    """A file's text with a pair added to the mapping at a mark, in each way that may fit; the caller reads it back."""
    place = document.place(mark)
    parts = lines_of(text)
    at = sum(map(len, parts[: place.line - 1])) + place.column - 1
    if text[at : at + 1] != "{":
        yield f"{text[:at]}{pair}{ends_of(text)}{' ' * (place.column - 1)}{text[at:]}"
        return
    for found in re.finditer("}", parts[place.line - 1]):
        end = at - (place.column - 1) + found.start()
        if end > at:
            yield f"{text[:end]}{', ' if text[at + 1 : end].strip() else ''}{pair}{text[end:]}"
    yield f"{text[: at + 1]}{pair}, {text[at + 1 :]}"


def ends_of(text: str) -> str:
    """How the lines of a text end."""
    ends: list[str] = re.findall(r"\r\n|\r|\n", text) or ["\n"]
    return ends[-1]


def last_of(parts: Sequence[str], end: int, indent: int) -> int:
    """Where a section's last line ends: blank lines, and comments that stand further left, belong to what follows."""
    while end > 0:
        line = parts[end - 1].strip("\r\n")
        bare = line.lstrip(" ")
        if bare.strip() and not (bare.startswith("#") and len(line) - len(bare) < indent):
            break
        end -= 1
    return end


def between_braces(document: Document, mark: int) -> bool:
    """Whether the value at a mark is written between braces or brackets."""
    place = document.place(mark)
    line = document.text.split("\n", place.line)[place.line - 1]
    return line[place.column - 1 : place.column] in {"{", "["}


def joined(parts: Sequence[str], at: int, added: Sequence[str]) -> str:
    """The parts with lines added before the one numbered `at`, their ends as in the line before."""
    before = "".join(parts[:at])
    end = ends_of(before)
    unended = bool(before) and not before.endswith(("\r", "\n"))
    return before + end * unended + "".join(line + end for line in added) + "".join(parts[at:])


def _adds(old: Map, new: Any, section: str, name: str) -> bool:
    """Whether the one thing that is new is the entry."""
    if not isinstance(new, Map) or name not in new.get(section, {}):
        return False
    rest = {key: value for key, value in new[section].items() if key != name}
    return {**new, section: rest} == {**old, section: old.get(section, {})}


def cannot_add(file: str, place: Place, what: str, section: str, lines: Sequence[str]) -> InputError:
    """What is said where nothing can be added."""
    message = f"nothing can be added where {what} is not written as lines"
    hint = f"write '{section}:' and each entry below it on separate lines, or add '{lines[0]}' by hand"
    return refusal("cannot-add", place._replace(file=file), message, hint)
