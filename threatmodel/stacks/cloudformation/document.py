"""The text of a template to nodes, each with its place: what is there, before anything is looked up.

YAML, and JSON as a kind of YAML.  Other than in our own files, templates may hold anchors, aliases and merge keys (not
enough of them to blow up) and CloudFormation's short tags, which become the long form: ``!Sub x`` gives the same nodes
as ``{"Fn::Sub": "x"}``.  Words are YAML 1.1's, which CloudFormation reads: ``yes`` is true; dates stay text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Any, NamedTuple

import yaml
from yaml.events import AliasEvent, MappingStartEvent, ScalarEvent

from threatmodel.reading.growing import grow
from threatmodel.reading.problems import InputError, Place, Problem, note, quoted, refusal
from threatmodel.reading.source import BLANK, meaning, parser_of, refused
from threatmodel.reading.tokens import redacted
from threatmodel.stacks.values import List, Node, Scalar, Table, Unknown, measured

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
    """One file read: the node at its root (None where it holds nothing), and the keys that are given twice.

    `comments` are those that hold a token of a known form.
    """

    root: Node | None
    problems: tuple[Problem, ...]
    comments: tuple[Scalar, ...] = ()


class _Entries(dict[str, Node]):
    """The entries of a mapping that is being read, and where their keys stand."""

    __slots__ = ("keys_at",)

    def __init__(self) -> None:
        self.keys_at: dict[str, Place] = {}


@lru_cache(maxsize=4)
def parse(text: str, file: str) -> ParsedFile:
    """The nodes of the document in `text`; of keys given twice the later counts.  The last few are remembered.

    Raises InputError with the place of what is no YAML, or more than is read.
    """
    if text.lstrip()[:1] in _BEGIN_JSON:
        text = _with_whole_characters(text)
    parser = parser_of(text, file)
    top: list[Node] = []
    nodes = _Nodes(file)
    try:
        grow(parser, top, nodes)
    except yaml.YAMLError as error:
        raise refused(text, file, error, DEEPEST) from None
    finally:
        parser.dispose()
    return ParsedFile(top[0] if top else None, tuple(nodes.problems), tuple(_comments(text, file)))


def _comments(text: str, file: str) -> Iterator[Scalar]:
    """The comments of YAML with a token; what only looks like one, in a block of text, is read as that, too."""
    if text.lstrip()[:1] in _BEGIN_JSON or redacted(text) == text:
        return
    for number, line in enumerate(text.split("\n"), 1):
        found = _COMMENT.search(line)
        if found is not None and redacted(found[1]) != found[1]:
            yield Scalar(found[1], Place(file, number, found.start(1) + 1))


_COMMENT = re.compile(r"(?:\A|\s)#(.*)")


def _with_whole_characters(text: str) -> str:
    r"""JSON text with characters that are written as two escapes (``\ud83d\ude00``) as one, as YAML wants it."""
    if "\\ud" not in text and "\\uD" not in text:
        return text
    return _PAIR.sub(
        lambda found: f"{found[1]}\\U{ord(bytes.fromhex(found[2] + found[3]).decode('utf-16-be')):08X}", text
    )


class _Nodes:
    """Nodes with places; what is given twice is in `problems`."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.problems: list[Problem] = []
        self.anchors: dict[str, Node] = {}
        self.repeated = 0
        self.depth = 0
        self.meanings: dict[str, Any] = dict(_WORDS)

    def key(self, mapping: _Entries, event: Any) -> str:
        start = event.start_mark
        at = Place(self.file, start.line + 1, start.column + 1)
        if event.__class__ is ScalarEvent and event.tag is None and event.anchor is None:
            key: str = event.value
            if key == "<<" and not event.style:
                key = _MERGE
        else:
            key = self.odd_key(event, at)
        if key in mapping.keys_at:
            self.twice(key, mapping.keys_at[key], at)
        mapping.keys_at[key] = at
        return key

    def scalar(self, container: Any, event: Any) -> Node:  # noqa: ARG002 - a node knows its own place
        start = event.start_mark
        place = Place(self.file, start.line + 1, start.column + 1)
        value = text = event.value
        tag = event.tag
        if not event.style and tag not in _TEXT_TAGS:
            value = self.meanings.get(text, BLANK)
            if value is BLANK:
                value = meaning(text)
                value = self.meanings[text] = None if value is BLANK else value
        node: Node = Scalar(value, place)
        if tag is not None:
            node = _tagged(tag, Scalar(text, place) if tag in _TAGS else node, place)
        if event.anchor is not None:
            self.anchors[event.anchor] = node
        return node

    def begin(self, container: Any, event: Any) -> _Entries | list[Node]:  # noqa: ARG002 - wherever it begins
        self.depth += _levels(event)
        if self.depth > DEEPEST:
            raise self.refusal(self.at(event), f"nested deeper than {DEEPEST} levels")
        if event.anchor is not None:
            self.anchors.pop(event.anchor, None)
        return _Entries() if event.__class__ is MappingStartEvent else []

    def end(self, container: _Entries | list[Node], event: Any) -> Node:
        place = self.at(event)
        node: Node
        if isinstance(container, list):
            node = List(tuple(container), place)
        else:
            node = Table(dict(container), place, container.keys_at)
            if _MERGE in container:
                node = self.merged(node)
        self.depth -= _levels(event)
        if event.tag is not None:
            node = _tagged(event.tag, node, place)
        if event.anchor is not None:
            self.anchors[event.anchor] = node
        return node

    def alias(self, container: Any, event: Any) -> Node:  # noqa: ARG002 - whatever contains it
        return self.repeats(event, self.depth)

    def further(self, event: Any) -> None:
        raise self.refusal(self.at(event), "a second document starts here", "keep one document a file")

    def at(self, event: Any) -> Place:
        """Where an event begins."""
        return Place(self.file, event.start_mark.line + 1, event.start_mark.column + 1)

    def odd_key(self, event: Any, at: Place) -> str:
        """The text of a key that is an alias, or has an anchor or a tag."""
        if event.__class__ is AliasEvent:
            node = self.repeats(event, 0)
            if isinstance(node, Scalar) and isinstance(node.value, str):
                return node.value
        elif event.__class__ is ScalarEvent and (event.tag is None or event.tag in _TEXT_TAGS | _PLAIN_TAGS):
            if event.anchor is not None:
                self.anchors[event.anchor] = Scalar(event.value, at)
            return str(event.value)
        raise self.refusal(at, "a key must be plain text", "quote it")

    def repeats(self, event: Any, depth: int) -> Node:
        at = self.at(event)
        node = self.anchors.get(event.anchor)
        if node is None:
            raise self.refusal(at, f"nothing with the anchor {quoted(event.anchor)} ends before this alias")
        count, levels = measured(node, MOST_REPEATED - self.repeated)
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
        """Notes that a key is in its mapping already."""
        message = f"{quoted('<<' if key is _MERGE else key)} is given twice; first on line {first.line}"
        note(self.problems, Problem(code="duplicate-key", place=at, message=message, hint="keep one of the two"))

    def refusal(self, at: Place, message: str, hint: str = "") -> InputError:
        return refusal("unsupported-yaml", at, message, hint)


_MERGE = "<<\n"
"""Stands for a merge key while its mapping is read: no plain key ends in a line break."""


def _levels(event: Any) -> int:
    """How many levels a mapping or list takes: a short tag is one."""
    return 1 if event.tag is None else 2


def _tagged(tag: str, node: Node, place: Place) -> Node:
    """A node behind a tag: a function's argument, itself where the tag is plain YAML, else unknown."""
    function = _TAGS.get(tag)
    if function is not None:
        return Table({function: node}, place, {function: place})
    if tag in _PLAIN_TAGS or tag in _TEXT_TAGS:
        return node
    return Unknown(f"nothing is known of the tag {quoted(tag.replace(_YAML, '!!', 1))}", place)
