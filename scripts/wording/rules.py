"""Our own rules: banned words, the length of titles and of sentences (words.yaml)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import yaml

from scripts.wording.hits import Kind, Text
from scripts.wording.places import within
from scripts.wording.sentences import sentences, words

TABLE = Path(__file__).with_name("words.yaml")
LONGEST_TITLE = 72  # characters
LONGEST_SENTENCE = 25  # words
TWICE = re.compile(r"(?<![\w'-])([a-z]+) \1(?![\w'-])", re.IGNORECASE)
MAY_REPEAT = frozenset({"had", "that", "x", "code", "url"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What breaks a rule in a text, and what to write."""

    rule: str
    found: str
    write: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Banned:
    """A word that is not used: its pattern, what to write, the rule's name, and the paths and kinds it is banned in."""

    pattern: re.Pattern[str]
    write: str
    rule: str
    where: tuple[str, ...]
    kinds: tuple[str, ...]


@cache
def banned_words() -> tuple[Banned, ...]:
    """Return the table of banned words."""
    rows = yaml.safe_load(TABLE.read_text(encoding="utf-8"))["banned"]
    return tuple(
        Banned(
            pattern=whole_words(row["not"]),
            write=row["write"],
            rule=row.get("rule", "word"),
            where=tuple(row.get("where", ["."])),
            kinds=tuple(row.get("kinds", ["title", "text", "comment"])),
        )
        for row in rows
    )


def whole_words(pattern: str) -> re.Pattern[str]:
    """Return a pattern that matches between word boundaries, a hyphen being part of a word."""
    return re.compile(rf"(?<![\w-])(?:{pattern})(?![\w-])", re.IGNORECASE)


@cache
def banned_in(path: str, kind: Kind) -> tuple[re.Pattern[str], tuple[Banned, ...]]:
    """Return the banned words of a file's texts of a kind, after a pattern for any of them: most texts have none."""
    rows = tuple(
        word for word in banned_words() if kind in word.kinds and any(within(path, scope) for scope in word.where)
    )
    return any_of(tuple(row.pattern for row in rows)), rows


@cache
def any_of(patterns: tuple[re.Pattern[str], ...]) -> re.Pattern[str]:
    """Return a pattern for what any of the patterns of whole words matches."""
    return whole_words("|".join(pattern.pattern for pattern in patterns))


def broken(text: Text) -> Iterator[Found]:
    """Yield what breaks our own rules in a text; a comment's sentences may be long."""
    yield from used(text)
    for match in TWICE.finditer(text.text):
        if match.group(1).lower() not in MAY_REPEAT:
            yield Found(rule="repeated", found=match.group(), write=match.group(1))
    if text.kind == "title" and len(text.text) > LONGEST_TITLE:
        write = f"at most {LONGEST_TITLE} characters (it has {len(text.text)})"
        yield Found(rule="title-length", found=text.text, write=write)
    if text.kind != "comment":
        yield from long_sentences(text)


def used(text: Text) -> Iterator[Found]:
    """Yield the banned words that a text uses."""
    some, rows = banned_in(text.path, text.kind)
    if some.search(text.text):
        for word in rows:
            for match in word.pattern.finditer(text.text):
                yield Found(rule=word.rule, found=match.group(), write=word.write)


def long_sentences(text: Text) -> Iterator[Found]:
    """Yield the sentences that have too many words."""
    for sentence in sentences(text.text):
        if (count := len(words(sentence))) > LONGEST_SENTENCE:
            write = f"sentences of at most {LONGEST_SENTENCE} words (it has {count})"
            yield Found(rule="sentence-length", found=sentence, write=write)
