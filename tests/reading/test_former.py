"""Former names in files: read as the current ones, at their places, and never beside them."""

from __future__ import annotations

import re

import pytest

from threatmodel.reading.former import Renamed, warnings
from threatmodel.reading.problems import Place
from threatmodel.reading.reader import Reader
from threatmodel.reading.shape import Flag, Items, Key, NamedItems, Record, Text, Word, record
from threatmodel.reading.source import parse

BOT = record(
    "a bot",
    Key("authorizes", Flag(), formerly=("authorises", "permits")),
    Key("size", Word(("small", "large"), formerly=(("little", "small"), ("big", "large")))),
    Key("zone", Text(formerly=(("centre", "center"),))),
    Key("sizes", Items(Word(("small", "large"), formerly=(("little", "small"),)))),
)
FILE = record(
    "a file",
    Key("bots", NamedItems(BOT, "a bot")),
    Key("at", NamedItems(Flag(), "x", re.compile("[a-z@]+"), formerly=(("colour", "color"),))),
)


def read(text: str, shape: Record = FILE) -> tuple[Reader, object]:
    reader = Reader(parse(text, "f.yaml"))
    return reader, reader.whole(shape)


@pytest.mark.parametrize(
    ("former", "current", "column"),
    [
        ("bots: {a: {authorises: true}}", "bots: {a: {authorizes: true}}", 12),
        ("bots: {a: {permits: true}}", "bots: {a: {authorizes: true}}", 12),
        ("bots: {a: {'permits': true}}", "bots: {a: {authorizes: true}}", 12),
        ("bots: {a: {size: little}}", "bots: {a: {size: small}}", 18),
        ("bots: {a: {zone: centre}}", "bots: {a: {zone: center}}", 18),
        ("bots: {a: {sizes: [large, little]}}", "bots: {a: {sizes: [large, small]}}", 27),
    ],
)
def test_it_reads_as_the_current_name_at_its_place(former: str, current: str, column: int) -> None:
    old, new = read(former), read(current)
    assert not old[0].problems
    assert [one.place for one in old[0].renamed] == [Place("f.yaml", 1, column)]
    assert not new[0].renamed
    assert values(old[1]) == values(new[1])


def values(found: object) -> object:
    if isinstance(found, dict):
        return {name: values(entry.value) for name, entry in found.items()}
    return [values(one.value) for one in found] if isinstance(found, tuple) else found


@pytest.mark.parametrize("text", ["colour: true", "x@colour: true", "'x@colour': true"])
def test_the_element_of_an_id_is_renamed_too(text: str) -> None:
    reader, found = read(f"at:\n  {text}")
    assert [one[1:] for one in reader.renamed] == [("colour", "color")]
    assert reader.renamed[0].place.column == text.index("colour") + 3
    assert list(values(found)["at"]) in (["color"], ["x@color"])  # type: ignore[index]


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("bots: {a: {authorises: true, authorizes: false}}", 1),
        ("bots:\n a:\n  authorizes: false\n  authorises: true", 3),
        ("bots:\n a:\n  authorises: true\n  authorizes: false", 4),
        ("at:\n  x@colour: true\n  x@color: true", 3),
        ("bots:\n a:\n  permits: false\n  authorises: true", 3),
        ("at:\n  color: true\n  colour: true", 2),
    ],
)
def test_both_names_are_an_error_that_names_both_places(text: str, first: int) -> None:
    reader, _ = read(text)
    assert [one.code for one in reader.problems] == ["duplicate-key"]
    assert f"at f.yaml:{first} too" in reader.problems[0].message


def test_a_required_key_is_there_under_its_former_name() -> None:
    reader, _ = read("old: true", record("x", Key("new", Flag(), required=True, formerly=("old",))))
    assert not reader.problems


def test_a_part_of_a_folded_text_has_its_own_place() -> None:
    reader, _ = read("bots: {}")
    document = Reader(parse("a: >-\n  one old\n  and old\n", "f.yaml"))
    assert document.inside(Place("f.yaml", 1, 4), "one old and old", 12, "old") == Place("f.yaml", 3, 7)
    assert not reader.renamed


def test_one_warning_a_file_names_them_all() -> None:
    found = [
        Renamed(Place("b", 9, 1), "x", "y"),
        Renamed(Place("a", 4, 2), "o", "n"),
        Renamed(Place("a", 2, 2), "p", "q"),
    ]
    told = list(warnings([*found, *found]))
    assert [(one.code, one.place) for one in told] == [("renamed", Place("a", 2, 2)), ("renamed", Place("b", 9, 1))]
    assert told[0].message == "'p' is now 'q', 'o' is now 'n'"
    assert told[0].hint.endswith("run: tm migrate a")
