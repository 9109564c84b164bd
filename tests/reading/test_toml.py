"""TOML read as YAML is: plain data with places, and nothing that can run or exhaust."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from threatmodel.reading.problems import InputError
from threatmodel.reading.source import Map, Seq
from threatmodel.reading.toml import toml_document

TEXT = """\
title = "x"
[a.b]
"quoted key" = [1, 2]
when = 2027-03-31

[[a.list]]
one = true
[[a.list]]
one = false
"""


def test_every_key_has_its_place() -> None:
    document = toml_document(TEXT, "x.toml")
    found = {}

    def walk(value: object, path: str) -> None:
        if isinstance(value, Map):
            for name, inner, key, at in value.placed():
                found[f"{path}{name}"] = tuple(str(document.place(mark)).partition(":")[2] for mark in (key, at))
                walk(inner, f"{path}{name}.")
        if isinstance(value, Seq):
            for nth, inner in enumerate(value):
                walk(inner, f"{path}{nth}.")

    walk(document.root, "")
    assert found["title"] == ("1:1", "1:9")
    assert found["a.b.quoted key"] == ("3:1", "3:16")
    assert found["a.list.0.one"] == ("7:1", "7:7")
    assert found["a.list.1.one"] == ("9:1", "9:7")
    assert document.root["a"]["b"]["when"] == "2027-03-31"


@given(st.text(max_size=80))
def test_any_text_is_data_or_a_problem(text: str) -> None:
    codes: set[str] = set()
    document = None
    try:
        document = toml_document(text, "x.toml")
    except InputError as error:
        codes = {one.code for one in error.problems}
    assert isinstance(document.root, Map) if document is not None else codes == {"toml-syntax"}


@pytest.mark.parametrize("text", ["a = " + "[" * 10_000, "a = " + "{b = " * 10_000, ".".join("a" * 10_000) + " = 1"])
def test_deep_nesting_is_a_problem(text: str) -> None:
    with pytest.raises(InputError):
        toml_document(text, "x.toml")
