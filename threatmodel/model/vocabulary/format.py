"""The files of the vocabulary to its rows: one file a kind, read strictly."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from threatmodel.model.runtimes import CHECKED, RUNTIMES
from threatmodel.model.vocabulary.row import (
    ANSWERED_FROM,
    CLASSIFICATIONS,
    KINDS,
    PARTNERS,
    PLANE_SOURCES,
    AnsweredFrom,
    FactRow,
    Input,
    Kind,
    RelationRow,
)
from threatmodel.reading.files import Files
from threatmodel.reading.problems import InputError, Problem
from threatmodel.reading.reader import Entry, Fields, Reader
from threatmodel.reading.shape import Either, Flag, Items, Key, NamedItems, Number, Text, Word, record

FOLDER = Path(__file__).parent

COLLECTORS = ("template", "aws", "probe", "source", "repository", "host")
"""What can observe a fact: infrastructure code, AWS's answers, a probe, a source check, a checkout, its host."""

_NAMED: dict[str, Flag | Word] = {
    "flag": Flag(),
    "classification": Word(CLASSIFICATIONS, ordered=True),
    "runtime": Word(
        tuple(name for name, last in RUNTIMES.items() if last is None or last > CHECKED),
        open=True,
        likely=r"(?:dotnet(?:core)?|go|java|nodejs|python|ruby)[0-9][0-9a-z.-]*|provided\.[0-9a-z.]+|provided|nodejs",
    ),
}
"""Types by name: yes/no, a class of data, a Lambda runtime (those in support are offered, others accepted).

A newer runtime has the name of a language and a number; to an editor, any other word is a typo.
"""

_WORDS = Items(Text(60, r"[a-z0-9.-]+", "a plain word"), least=1)
_TYPE = Either(
    Word(tuple(_NAMED)),
    record(
        "a type",
        Key("one_of", _WORDS, "one of these words"),
        Key("from_least_to_most", _WORDS, "one of these words, which are ordered"),
        Key("from", Number(), "a whole number: the least"),
        Key("to", Number(), "a whole number: the greatest"),
        Key(
            "formerly",
            NamedItems(Text(60), "a former word", re.compile(r"[A-Za-z0-9._-]+\Z"), "a word"),
            "former words, each with the current one",
        ),
    ),
)
_FORMS = ({"one_of"}, {"from_least_to_most"}, {"from", "to"})
"""The keys that a type has together."""

_NAME = re.compile(r"[a-z]+(?:_[a-z]+)*\Z")
_FORMERLY = Key("formerly", Items(Text(100), least=1), "its former names, which files may still have until 1.0")
_FACT = (
    _FORMERLY,
    Key("type", _TYPE, "flag, classification, runtime, words or a whole number", required=True),
    Key("means", Text(400), "what `true`, the number or the word states; 'null: ...' allows null", required=True),
)
_STATED = record(
    "a fact",
    *_FACT,
    Key("ask", Text(200), "the question to an author who has not stated it", required=True),
    Key("seen_by", Items(Word(COLLECTORS), least=1), "the collectors that can observe it; left out: only a person can"),
    Key(
        "denied_by",
        Items(Word(COLLECTORS), least=1),
        "the collectors that can only show that it is not so",
    ),
    Key("only_if", Text(60), "a flag without which it is false: it is asked only where that one is true"),
    Key("default", Text(400), "what AWS documents for a property left out; no fact, but worth knowing"),
)
_DERIVED = record(
    "a derived fact",
    *_FACT,
    Key("ask", Text(400), "the question where nothing that it follows from is unknown, and it is all the same"),
    Key(
        "follows_from",
        Items(Text(80, rf"(?:{'|'.join(KINDS)})\.[a-z_]+", "kind.name of a fact or a relation")),
        "the facts and relations that it is computed of",
        required=True,
    ),
)
_ANSWERED_FROM = Key("answered_from", Word(ANSWERED_FROM), "what one looks at to answer it, and other topics with it")
_TOPIC = record(
    "a topic",
    Key("title", Text(72), "the title of its facts as a group: the subject, then what they cover", required=True),
    _ANSWERED_FROM,
    Key("facts", NamedItems(_STATED, "a fact", _NAME, "lower-case words and underscores"), "its facts", required=True),
)
_LIST = record(
    "a list",
    Key("means", Text(400), "what its items are", required=True),
    Key("to", Items(Word((*KINDS, *PARTNERS)), least=1), "what its items are", required=True),
    Key("verb", Text(20, r"[a-z-]+", "a word"), "the flow that goes to each of them"),
    Key("puts_out", Flag(), "whether what is handed on this way can start a function"),
    Key("closed_together", Flag(), "whether the first such list that is stated closes all of them"),
    _FORMERLY,
)
_LISTS = record(
    "a topic of lists",
    Key("ask", Text(200), "the question for all its lists", required=True),
    Key("ask_rest", Text(200), "the question where they are known in part", required=True),
    _ANSWERED_FROM,
    Key("lists", NamedItems(_LIST, "a list", _NAME, "lower-case words and underscores"), "its lists", required=True),
)
_KIND = record(
    "the facts of a kind",
    Key(
        "relations",
        NamedItems(_LISTS, "a topic of lists"),
        "its lists: which other elements and data it has to do with",
    ),
    Key("topics", NamedItems(_TOPIC, "a topic"), "the facts, by what one person looks at to state them", required=True),
    Key(
        "derived", NamedItems(_DERIVED, "a derived fact", _NAME, "lower-case words and underscores"), "what is computed"
    ),
)
"""A file <kind>.yaml."""


class Rows(NamedTuple):
    """The rows of all kinds in their order: facts (those that are stated first, then those derived) and lists."""

    facts: tuple[FactRow, ...]
    relations: tuple[RelationRow, ...]


def read_rows(folder: Path = FOLDER) -> Rows:
    """The rows in a folder's files.  Raises InputError with every problem of every file."""
    files = Files()
    problems: list[Problem] = []
    stated: list[FactRow] = []
    derived: list[FactRow] = []
    relations: list[RelationRow] = []
    for kind in KINDS:
        reader = Reader(files.document(folder / f"{kind}.yaml"))
        entries = reader.whole(_KIND)
        if not reader.problems:
            stated += _stated(kind, entries, reader)
            derived += _derived(kind, entries, reader)
            relations += _relations(kind, entries)
        problems += reader.problems
    if problems:
        raise InputError(problems)
    return Rows((*stated, *derived), tuple(relations))


def _relations(kind: Kind, entries: Fields) -> Iterator[RelationRow]:
    table: Fields = entries["relations"].value if "relations" in entries else Fields()
    for topic, described in table.items():
        for name, entry in described.value["lists"].value.items():
            fields: Fields = entry.value
            yield RelationRow(
                kind=kind,
                name=name,
                to=fields.several("to"),
                meaning=fields["means"].value,
                topic=topic,
                ask=described.value["ask"].value,
                ask_rest=described.value["ask_rest"].value,
                answered_from=_answered_from(kind, described.value),
                verb=_text(fields, "verb"),
                puts_out="puts_out" in fields and fields["puts_out"].value,
                closed_together="closed_together" in fields and fields["closed_together"].value,
                formerly=fields.several("formerly"),
            )


def _stated(kind: Kind, entries: Fields, reader: Reader) -> Iterator[FactRow]:
    for topic, described in entries["topics"].value.items():
        for name, entry in described.value["facts"].value.items():
            fields: Fields = entry.value
            yield FactRow(
                kind=kind,
                name=name,
                shape=_shape(fields["type"], reader),
                meaning=fields["means"].value,
                ask=fields["ask"].value,
                seen_by=fields.several("seen_by"),
                denied_by=fields.several("denied_by"),
                default=_text(fields, "default"),
                only_if=_text(fields, "only_if"),
                topic=topic,
                topic_title=described.value["title"].value,
                answered_from=_answered_from(kind, described.value),
                formerly=fields.several("formerly"),
            )


def _derived(kind: Kind, entries: Fields, reader: Reader) -> Iterator[FactRow]:
    table: Fields = entries["derived"].value if "derived" in entries else Fields()
    for name, entry in table.items():
        fields: Fields = entry.value
        inputs = (item.split(".") for item in fields.several("follows_from"))
        yield FactRow(
            kind=kind,
            name=name,
            shape=_shape(fields["type"], reader),
            meaning=fields["means"].value,
            ask=_text(fields, "ask"),
            derived=True,
            follows_from=tuple(Input(of, given) for of, given in inputs),
            formerly=fields.several("formerly"),
        )


def _shape(entry: Entry, reader: Reader) -> Flag | Number | Word:
    said: str | Fields = entry.value
    if isinstance(said, str):
        return _NAMED[said]
    if said.keys() - {"formerly"} not in _FORMS:
        hint = "write one_of, from_least_to_most, or from and to"
        reader.note("wrong-type", entry.place, "'type' is no type of a fact", hint)
        return Flag()
    if "from" in said:
        return Number(said["from"].value, said["to"].value)
    ordered = "from_least_to_most" in said
    words = said.several("from_least_to_most" if ordered else "one_of")
    former = {old: new.value for old, new in said["formerly"].value.items()} if "formerly" in said else {}
    return Word(words, ordered=ordered, formerly=tuple(former.items()))


def _answered_from(kind: Kind, described: Fields) -> AnsweredFrom | None:
    """What one looks at: of a plane always the same."""
    if kind in PLANE_SOURCES:
        return PLANE_SOURCES[kind]
    return next((one for one in ANSWERED_FROM if one == _text(described, "answered_from")), None)


def _text(fields: Fields, name: str) -> str:
    entry: Entry | None = fields.get(name)
    return entry.value if entry is not None else ""
