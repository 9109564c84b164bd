"""Shapes: what each reads, what it says, and the JSON Schema that it becomes."""

from __future__ import annotations

import datetime
import json
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from threatmodel.reading.problems import InputError, Place
from threatmodel.reading.reader import INVALID, Fields, Reader, Value
from threatmodel.reading.schema import json_schema
from threatmodel.reading.shape import (
    LONGEST_ID,
    Date,
    Either,
    Flag,
    Items,
    Key,
    NamedItems,
    Number,
    Raw,
    Shape,
    Text,
    Word,
    record,
)
from threatmodel.reading.source import parse

SIZE = Word(("small", "large"), ordered=True)
ITEM = record("an item", Key("name", Text(10), "its name", required=True), Key("size", SIZE, nullable=True))
ID_EXPECTED = "lower-case letters, digits and single hyphens"
EITHER = Either(SIZE, ITEM)


def read(shape: Shape, text: str) -> tuple[Any, list[str]]:
    """The value of a text, and its problems as `column code: message; hint`."""
    document = parse(text, "f")
    reader = Reader(document)
    value = reader.read(shape, document.root, document.mark, "it")
    told = [f"{p.place.column} {p.code}: {p.message}{'; ' + p.hint if p.hint else ''}" for p in reader.problems]
    return value, told


@pytest.mark.parametrize(
    ("shape", "text", "value"),
    [
        (Flag(), "true", True),
        (Number(0, 9), "9", 9),
        (SIZE, "large", "large"),
        (Word(("a",), open=True), "b.c-d_9", "b.c-d_9"),
        (Date(), "2027-03-31", datetime.date(2027, 3, 31)),
        (Text(3), "abc", "abc"),
        (Text(9, "[a-z]+"), "abc", "abc"),
        (Text(truth=True), "true", "true"),
        (Items(Number()), "[]", ()),
        (Items(Number()), "[4]", (Value(4, Place("f", 1, 2)),)),
        (EITHER, "small", "small"),
        (Raw(), "[{a: 1}]", [{"a": 1}]),
    ],
)
def test_fits(shape: Shape, text: str, value: object) -> None:
    assert read(shape, text) == (value, [])


@pytest.mark.parametrize(
    ("shape", "text", "told"),
    [
        (Flag(), "yes", "1 wrong-type: it is 'yes'; expected true or false; did you mean true?"),
        (Flag(), "Off", "1 wrong-type: it is 'Off'; expected true or false; did you mean false?"),
        (Flag(), "1", "1 wrong-type: it is 1; expected true or false"),
        (Flag(), "null", "1 wrong-type: it is null; expected true or false; leave the line out where you do not know"),
        (Number(1, 5), "6", "1 wrong-type: it is 6; expected a whole number from 1 to 5"),
        (Number(1, 5), "2.0", "1 wrong-type: it is 2.0; expected a whole number from 1 to 5"),
        (Number(1, 5), "true", "1 wrong-type: it is true; expected a whole number from 1 to 5"),
        (Number(1, 5), "'2'", "1 wrong-type: it is '2'; expected a whole number from 1 to 5"),
        (SIZE, "lrage", "1 unknown-word: it is 'lrage'; expected one of small, large; did you mean 'large'?"),
        (SIZE, "3", "1 wrong-type: it is 3; expected one of small, large"),
        (Word(("a",), open=True), "'b c'", "1 unknown-word: it is 'b c'; expected one of a"),
        (
            Date(),
            "31.3.2027",
            "1 not-a-date: it is '31.3.2027', which is not a date; expected a date such as 2027-03-31",
        ),
        (
            Date(),
            "2027-02-29",
            "1 not-a-date: it is '2027-02-29', which is not a date; expected a date such as 2027-03-31",
        ),
        (
            Date(),
            "٢٠٢٧-٠٣-٣١",
            "1 not-a-date: it is '٢٠٢٧-٠٣-٣١', which is not a date; expected a date such as 2027-03-31",
        ),
        (Text(3), "abcd", "1 too-long: it has 4 characters; at most 3 are allowed; shorten it"),
        (Text(3), "12", "1 wrong-type: it is 12; expected text; quote it"),
        (Text(3), "[a]", "1 wrong-type: it is a list; expected text"),
        (Text(3), "' '", "1 empty-value: it is empty; write it, or remove the line"),
        (Text(9, "[a-z]+", "letters"), "a1", "1 wrong-type: it is 'a1'; expected letters"),
        (Text(9, "[a-z]+", "letters"), '"a\\n"', "1 wrong-type: it is 'a<U+000A>'; expected letters"),
        (Items(Text()), "a", "1 wrong-type: it is 'a'; expected a list; write [a]"),
        (Items(Text()), "{a: 1}", "1 wrong-type: it is a mapping; expected a list"),
        (Items(Text(), least=1), "[]", "1 wrong-type: it is empty; expected a list"),
        (
            Items(Flag()),
            "[true, no]",
            "8 wrong-type: an item of it is 'no'; expected true or false; did you mean false?",
        ),
        (EITHER, "tiny", "1 unknown-word: it is 'tiny'; expected one of small, large"),
        (EITHER, "[]", "1 wrong-type: it is a list; expected one of small, large, or a mapping"),
        (EITHER, "{size: small}", "1 missing-key: it has no 'name'; add it: its name"),
        (ITEM, "[]", "1 wrong-type: it is a list; expected a mapping"),
        (ITEM, "{name: a, sise: small}", "11 unknown-key: 'sise' is not a key of an item; did you mean 'size'?"),
        (ITEM, "{name: a, other: 1}", "11 unknown-key: 'other' is not a key of an item; known: name, size"),
        (ITEM, "{name: null}", "8 wrong-type: 'name' is null; expected text; leave the line out where you do not know"),
        (NamedItems(Flag(), "a switch"), "[]", "1 wrong-type: it is a list; expected a mapping"),
        (
            NamedItems(Flag(), "a switch"),
            "{MySwitch: true}",
            "2 wrong-id: 'MySwitch' cannot be the id of a switch; expected "
            + ID_EXPECTED
            + "; did you mean 'my-switch'?",
        ),
        (NamedItems(Flag(), "a switch"), "{a: 1}", "5 wrong-type: a switch 'a' is 1; expected true or false"),
        (
            NamedItems(Flag(), "a switch"),
            "a:",
            "3 empty-value: a switch 'a' has no value; write true or false, or remove the line",
        ),
    ],
)
def test_does_not_fit(shape: Shape, text: str, told: str) -> None:
    _, found = read(shape, text)
    assert found == [told]


def test_record_has_entries_with_their_places() -> None:
    value, told = read(ITEM, "{name: a, size: null}")
    assert told == []
    assert {name: (one.key, one.value, one.place) for name, one in value.items()} == {
        "name": (Place("f", 1, 2), "a", Place("f", 1, 8)),
        "size": (Place("f", 1, 11), None, Place("f", 1, 17)),
    }


def test_all_problems_of_a_record_are_told_and_what_fits_is_kept() -> None:
    value, told = read(ITEM, "{size: tiny, other: 1}")
    assert [line.split(":")[0] for line in told] == ["8 unknown-word", "14 unknown-key", "1 missing-key"]
    assert isinstance(value, Fields)
    assert (dict(value), value.given("size"), value.given("name")) == ({}, True, False)


def test_refused_key_says_why() -> None:
    shape = record("an item", Key("sizes", Text()), refused={"size": "it is derived"})
    assert read(shape, "size: 1")[1] == ["1 unknown-key: 'size' is not a key of an item; it is derived"]


def test_hostile_text_is_spelt_out_in_every_message() -> None:
    name = '"\\u202E\\e[2J"'
    for shape in (Flag(), Number(), SIZE, Date(), Items(Text()), ITEM, Text(9, "[a-z]+")):
        assert all("<U+202E><U+001B>[2J" in line for line in read(shape, name)[1])
    for text in (f"{{{name}: 1}}", f"{{name: a, {name}: 1}}"):
        assert all("<U+202E><U+001B>[2J" in line for line in read(ITEM, text)[1] if "unknown-key" in line)
    assert "<U+202E>" in read(NamedItems(Flag(), "a switch"), f"{{{name}: true}}")[1][0]


def test_long_id_is_refused() -> None:
    table = NamedItems(Flag(), "a switch")
    assert read(table, "a" * LONGEST_ID + ": true")[1] == []
    assert read(table, "a" * (LONGEST_ID + 1) + ": true")[1] == [
        "1 wrong-id: the id of a switch has 101 characters; at most 100 are allowed; shorten it"
    ]


def test_whole_document() -> None:
    reader = Reader(parse("# nothing\n", "f"))
    assert reader.whole(ITEM) == {}
    assert [p.code for p in reader.problems] == ["empty-file"]
    assert Reader(parse("{name: a}", "f")).whole(ITEM).keys() == {"name"}


def test_too_many_problems_end_the_reading() -> None:
    with pytest.raises(InputError, match="too-many-problems"):
        read(Items(Flag()), "[" + "1," * 1000 + "]")


# --- JSON Schema

SHAPES: list[Shape] = [
    Flag(),
    Number(1, 5),
    SIZE,
    Word(("a",), open=True),
    Date(),
    Text(3),
    Text(9, "[a-z]+"),
    Items(Number(1, 5)),
    Items(SIZE, least=1),
    EITHER,
    ITEM,
    NamedItems(Flag(), "a switch"),
]
VALUES: list[Any] = [
    *(None, True, 0, 1, 6, 1.5, "", " ", "a", "a1", "a b", "abcd", "small", "2027-03-31", "2027-3-31"),
    *([], [1], [6], ["small"], {}, {"a": True}, {"a": 1}, {"A": True}),
    *({"name": "a"}, {"name": "a", "size": None}, {"name": "a", "other": 1}, {"size": "small"}),
]


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: type(shape).__name__)
def test_schema_accepts_what_is_read(shape: Shape) -> None:
    schema = json_schema(shape)
    Draft202012Validator.check_schema(schema)
    for value in VALUES:
        found, told = read(shape, json.dumps(value))
        assert Draft202012Validator(schema).is_valid(value) is (not told), value
        assert (found is not INVALID) or told


@pytest.mark.parametrize(
    ("text", "column", "found"),
    [
        ("size: size or size", 8, (1, 15)),
        ("size: size or size", 0, (1, 7)),
        ("size: >\n  a size or\n  size\n", 9, (3, 3)),
    ],
)
def test_a_name_inside_a_text_is_found_behind_the_key_of_the_same_name(
    text: str, column: int, found: tuple[int, int]
) -> None:
    document = parse(text, "f")
    place = document.place(document.root.marks[1])
    at = Reader(document).inside(place, document.root["size"], column, "size")
    assert (at.line, at.column) == found


def test_a_list_that_begins_behind_its_key_has_its_own_place() -> None:
    _, told = read(record("a thing", Key("sizes", SIZE, "its sizes")), "sizes: [small]")
    assert told[0].startswith("8 wrong-type")
