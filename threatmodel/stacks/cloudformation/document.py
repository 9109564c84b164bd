"""The text of a template to nodes, each with its place: what stands there, before anything is looked up.

YAML, and JSON as a kind of YAML.  Other than in our own files, templates may hold anchors, aliases and merge keys (not
enough of them to blow up) and CloudFormation's short tags, which become the long form: ``!Sub x`` gives the same nodes
as ``{"Fn::Sub": "x"}``.  Words are YAML 1.1's, which CloudFormation reads: ``yes`` is true; dates stay text.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any, NamedTuple

import yaml
from yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)

from threatmodel.reading.problems import InputError, Place, Problem, note, quoted
from threatmodel.reading.source import BLANK, meaning, parser_of, refused
from threatmodel.stacks.values import List, Node, Scalar, Table, Unknown

DEEPEST = 200
"""Levels of mappings and lists; a short tag is a level."""
MOST_REPEATED = 100_000
"""Nodes that aliases may repeat in one file."""

_FUNCTIONS = (
    *("And", "Base64", "Cidr", "Equals", "FindInMap", "GetAtt", "GetAZs", "If", "ImportValue", "Join", "Length"),
    *("Not", "Or", "Select", "Split", "Sub", "ToJsonString", "Transform"),
)
_TAGS = {f"!{name}": f"Fn::{name}" for name in _FUNCTIONS} | {"!Ref": "Ref", "!Condition": "Condition"}
_YAML = "tag:yaml.org,2002:"
_PLAIN_TAGS = frozenset(f"{_YAML}{name}" for name in ("bool", "float", "int", "map", "null", "seq"))
_TEXT_TAGS = frozenset(("!", f"{_YAML}str"))
_WORDS = {"yes": True, "Yes": True, "YES": True, "on": True, "On": True, "ON": True, "TRUE": True} | {
    "no": False, "No": False, "NO": False, "off": False, "Off": False, "OFF": False, "FALSE": False
}  # fmt: skip
_BEGIN_JSON = frozenset('{["')
_PAIR = re.compile(r"(?<!\\)((?:\\\\)*)\\u([dD][89abAB][0-9a-fA-F]{2})\\u([dD][c-fC-F][0-9a-fA-F]{2})")


class ParsedFile(NamedTuple):
    """One file read: the node at its root (None where it holds nothing), and the keys that are given twice."""

    root: Node | None
    problems: tuple[Problem, ...]


class _Frame(NamedTuple):
    """A mapping or list that waits while one inside it is read: what the loop goes on with, and how that one began."""

    entries: dict[str, Node] | None
    keys: dict[str, Place]
    items: list[Node]
    key: str
    place: Place
    tag: str | None
    anchor: str | None


@lru_cache(maxsize=4)
def parse(text: str, file: str) -> ParsedFile:
    """The nodes of the document in `text`; of keys given twice the later counts.  The last few are remembered.

    Raises InputError with the place of what is no YAML, or more than is read.
    """
    if text.lstrip()[:1] in _BEGIN_JSON:
        text = _with_whole_characters(text)
    parser = parser_of(text, file)
    try:
        return _Reader(file).document(parser)
    except yaml.YAMLError as error:
        raise refused(text, file, error, DEEPEST) from None
    finally:
        parser.dispose()


def _with_whole_characters(text: str) -> str:
    r"""JSON text with characters that are written as two escapes (``\ud83d\ude00``) as one, as YAML wants it."""
    if "\\ud" not in text and "\\uD" not in text:
        return text
    return _PAIR.sub(lambda found: f"{found[1]}\\U{_joined(found[2], found[3]):08X}", text)


def _joined(high: str, low: str) -> int:
    return 0x10000 + ((int(high, 16) - 0xD800) << 10) + (int(low, 16) - 0xDC00)


class _Reader:
    """The state of reading one file."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.problems: list[Problem] = []
        self.anchors: dict[str, Node] = {}
        self.repeated = 0

    def document(self, parser: Any) -> ParsedFile:  # noqa: C901, PLR0912, PLR0915 - one hot loop, kept flat for speed
        """The node at the root."""
        file = self.file
        meanings: dict[str, Any] = dict(_WORDS)
        frames: list[_Frame] = []
        depth = documents = 0
        entries: dict[str, Node] | None = None  # of the mapping being filled; None in a list
        keys: dict[str, Place] = {}
        items: list[Node] = []
        key = ""
        node: Node
        events = iter(parser.get_event, None)
        for event in events:
            kind = event.__class__
            if entries is not None and kind is not MappingEndEvent:
                start = event.start_mark
                at = Place(file, start.line + 1, start.column + 1)
                if kind is ScalarEvent and event.tag is None and event.anchor is None:
                    key = event.value
                    if key == "<<" and not event.style:
                        key = _MERGE
                else:
                    key = self.odd_key(event, at)
                if key in keys:
                    self.twice(key, keys[key], at)
                keys[key] = at
                event = next(events)  # noqa: PLW2901 - a key's value follows it
                kind = event.__class__
            if kind is ScalarEvent:
                start = event.start_mark
                place = Place(file, start.line + 1, start.column + 1)
                value = event.value
                tag = event.tag
                if not event.style and tag not in _TEXT_TAGS:
                    text = value
                    value = meanings.get(text, BLANK)
                    if value is BLANK:
                        value = meaning(text)
                        value = meanings[text] = None if value is BLANK else value
                if tag is None:
                    node = Scalar(value, place)
                else:
                    node = _tagged(tag, Scalar(event.value if tag in _TAGS else value, place), place)
                if event.anchor is not None:
                    self.anchors[event.anchor] = node
            elif kind is MappingStartEvent or kind is SequenceStartEvent:
                start = event.start_mark
                place = Place(file, start.line + 1, start.column + 1)
                depth += 1 if event.tag is None else 2
                if depth > DEEPEST:
                    raise self.refusal(place, f"nested deeper than {DEEPEST} levels")
                if event.anchor is not None:
                    self.anchors.pop(event.anchor, None)
                frames.append(_Frame(entries, keys, items, key, place, event.tag, event.anchor))
                entries, keys, items = ({}, {}, []) if kind is MappingStartEvent else (None, {}, [])
                continue
            elif kind is MappingEndEvent or kind is SequenceEndEvent:
                frame = frames.pop()
                if entries is None:
                    node = List(tuple(items), frame.place)
                else:
                    node = Table(entries, frame.place, keys)
                    if _MERGE in entries:
                        node = self.merged(node)
                depth -= 1 if frame.tag is None else 2
                if frame.tag is not None:
                    node = _tagged(frame.tag, node, frame.place)
                if frame.anchor is not None:
                    self.anchors[frame.anchor] = node
                entries, keys, items, key = frame[:4]
            elif kind is AliasEvent:
                node = self.alias(event, depth)
            else:
                if kind is DocumentStartEvent:
                    documents += 1
                    if documents > 1:
                        place = Place(file, event.start_mark.line + 1, event.start_mark.column + 1)
                        raise self.refusal(place, "a second document starts here", "keep one document a file")
                continue
            if entries is None:
                items.append(node)
            else:
                entries[key] = node
        return ParsedFile(items[0] if items else None, tuple(self.problems))

    def odd_key(self, event: Any, at: Place) -> str:
        """The text of a key that is an alias, or has an anchor or a tag."""
        if event.__class__ is AliasEvent:
            node = self.alias(event, 0)
            if isinstance(node, Scalar) and isinstance(node.value, str):
                return node.value
        elif event.__class__ is ScalarEvent and (event.tag is None or event.tag in _TEXT_TAGS | _PLAIN_TAGS):
            if event.anchor is not None:
                self.anchors[event.anchor] = Scalar(event.value, at)
            return str(event.value)
        raise self.refusal(at, "a key must be plain text", "quote it")

    def alias(self, event: Any, depth: int) -> Node:
        """The node that an alias repeats."""
        at = Place(self.file, event.start_mark.line + 1, event.start_mark.column + 1)
        node = self.anchors.get(event.anchor)
        if node is None:
            raise self.refusal(at, f"nothing with the anchor {quoted(event.anchor)} ends before this alias")
        count, levels = _measure(node, MOST_REPEATED - self.repeated)
        self.repeated += count
        if self.repeated > MOST_REPEATED:
            raise self.refusal(at, f"aliases repeat more than {MOST_REPEATED} nodes", "write plain data")
        if depth + levels > DEEPEST:
            raise self.refusal(at, f"nested deeper than {DEEPEST} levels")
        return node

    def merged(self, table: Table) -> Table:
        """A mapping with the entries of those behind its merge key; its own win, then the first's."""
        entries, keys = dict(table.entries), dict(table.keys)
        source, at = entries.pop(_MERGE), keys.pop(_MERGE)
        sources = source.items if isinstance(source, List) else (source,)
        for one in sources:
            if not isinstance(one, Table):
                raise self.refusal(at, "only mappings can be merged", "write the entries out")
            for name, node in one.entries.items():
                if name not in entries:
                    entries[name] = node
                    keys[name] = one.keys.get(name, one.place)
        return Table(entries, table.place, keys)

    def twice(self, key: str, first: Place, at: Place) -> None:
        """Notes that a key stands in its mapping already."""
        message = f"{quoted('<<' if key is _MERGE else key)} is given twice; first on line {first.line}"
        note(self.problems, Problem(code="duplicate-key", place=at, message=message, hint="keep one of the two"))

    def refusal(self, at: Place, message: str, hint: str = "") -> InputError:
        """That the file cannot be read."""
        return InputError([Problem(code="unsupported-yaml", place=at, message=message, hint=hint)])


_MERGE = "<<\n"
"""Stands for a merge key while its mapping is read: no plain key ends in a line break."""


def _tagged(tag: str, node: Node, place: Place) -> Node:
    """A node behind a tag: a function's argument, itself where the tag is plain YAML, else unknown."""
    function = _TAGS.get(tag)
    if function is not None:
        return Table({function: node}, place, {function: place})
    if tag in _PLAIN_TAGS or tag in _TEXT_TAGS:
        return node
    return Unknown(f"nothing is known of the tag {quoted(tag.replace(_YAML, '!!', 1))}", place)


def _measure(node: Node, most: int) -> tuple[int, int]:
    """How many nodes a node consists of, and how many levels it has; counted up to `most` nodes and no further."""
    count = deepest = 0
    waiting = [(node, 0)]
    while waiting and count <= most:
        node, level = waiting.pop()
        count += 1
        if isinstance(node, Table | List):
            deepest = max(deepest, level + 1)
            inside = node.entries.values() if isinstance(node, Table) else node.items
            waiting += [(child, level + 1) for child in inside]
    return count, deepest
