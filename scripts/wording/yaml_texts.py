"""The texts of a YAML file: scalars of several words that are no code, and comments."""

from __future__ import annotations

import re
from collections.abc import Iterator

import yaml

from scripts.wording.hits import Kind, Text
from scripts.wording.marks import plain
from scripts.wording.places import code_keys
from scripts.wording.sentences import words

TITLES = frozenset({"title"})
FEWEST = 2  # words that make a text: one is a name or a value
COMMENT = re.compile(r"(?:^|(?<=\s))#+(?!/)[ :]?(.*)$")


def yaml_texts(path: str, source: str) -> Iterator[Text]:
    """Yield the texts of a YAML file; raises yaml.YAMLError where it is none."""
    scalars: list[tuple[str, yaml.ScalarNode]] = []
    taken: list[tuple[int, int]] = []
    for document in yaml.compose_all(source, Loader=yaml.CSafeLoader):
        walk(document, "", scalars, taken, code=False)
    for key, node in scalars:
        text = plain(re.sub(r"(?<!\n)\n(?!\n)", " ", node.value))
        kind: Kind = "title" if key in TITLES else "text"
        if len(words(text)) >= FEWEST or kind == "title":
            yield Text(path=path, first=node.start_mark.line + 1, last=node.end_mark.line + 1, kind=kind, text=text)
    yield from comments(path, source, taken)


def walk(
    node: yaml.Node | None,
    key: str,
    scalars: list[tuple[str, yaml.ScalarNode]],
    taken: list[tuple[int, int]],
    *,
    code: bool,
) -> None:
    """Gather the scalars that may be prose with their key, and the characters that all scalars take."""
    match node:
        case yaml.MappingNode():
            for name, value in node.value:
                walk(name, "", scalars, taken, code=True)
                walk(value, str(name.value), scalars, taken, code=code or name.value in code_keys())
        case yaml.SequenceNode():
            for value in node.value:
                walk(value, key, scalars, taken, code=code)
        case yaml.ScalarNode():
            taken.append((node.start_mark.index, node.end_mark.index))
            if not code and node.tag == "tag:yaml.org,2002:str":
                scalars.append((key, node))


def comments(path: str, source: str, taken: list[tuple[int, int]]) -> Iterator[Text]:
    """Yield the comments, neighboring lines as one text."""
    inside = {index for first, last in taken if "#" in source[first:last] for index in range(first, last)}
    found: list[tuple[int, str]] = []
    start = 0
    for number, line in enumerate(source.splitlines(keepends=True), 1):
        match = COMMENT.search(line.rstrip("\n"))
        if match and start + match.start() not in inside:
            found.append((number, match.group(1)))
        start += len(line)
    yield from joined(path, found)


def joined(path: str, lines: list[tuple[int, str]]) -> Iterator[Text]:
    """Yield comments of neighboring lines as one text each."""
    first = last = 0
    parts: list[str] = []
    for number, part in [*lines, (0, "")]:
        if parts and number != last + 1:
            yield Text(path=path, first=first, last=last, kind="comment", text=plain(" ".join(parts)))
            parts = []
        if not parts:
            first = number
        parts.append(part)
        last = number
