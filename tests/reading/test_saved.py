"""Saved JSON is held to its shape, and each misfit is reported with its place in the file."""

from __future__ import annotations

import pytest

from threatmodel.reading.problems import InputError, Place
from threatmodel.reading.saved import Shape, hold, loaded

PLACE = Place("saved.json")


def problems(found: object, shape: Shape) -> list[str]:
    try:
        hold(found, shape, PLACE, "unusable", "write it again")
    except InputError as error:
        return [f"{one.place.part}: {one.message}" for one in error.problems]
    return []


@pytest.mark.parametrize(
    ("shape", "fits", "misfits"),
    [
        ("text", ["", "a"], [None, 1, ["a"]]),
        ("number", [0, -3], [True, 1.5, "1"]),
        ("truth", [True, False], [0, None]),
        ("any", [None, [], {"a": 1}], []),
        (frozenset({"open", "closed"}), ["open"], ["ajar", 1, None]),
        (["number"], [[], [1, 2]], [{}, [1, "2"], "12"]),
        ({"*": "text"}, [{}, {"a": "b"}], [[], {"a": 1}]),
        ({"id": "text", "size?": "number"}, [{"id": "a"}, {"id": "a", "size": 1, "more": []}], [{}, {"id": 1}, []]),
        (("text",), [None, "a"], [1]),
    ],
)
def test_a_shape_takes_what_fits_and_nothing_else(shape: Shape, fits: list[object], misfits: list[object]) -> None:
    assert [problems(one, shape) for one in fits] == [[]] * len(fits)
    assert all(problems(one, shape) for one in misfits)


def test_each_misfit_has_its_place() -> None:
    found = {"rows": [{"id": "a"}, {"id": 2, "of": {"x": 1}}], "kind": "round"}
    shape: Shape = {"rows": [{"id": "text", "of?": {"*": "truth"}}], "kind": frozenset({"square"}), "day": "text"}
    assert problems(found, shape) == [
        "rows[1].id: expected a text, found 2",
        "rows[1].of.x: expected true or false, found 1",
        "kind: expected one of square, found 'round'",
        ": 'day' is missing",
    ]


def test_no_more_than_twenty_are_shown() -> None:
    assert len(problems([None] * 100, ["text"])) == 20


def test_what_is_no_json_is_refused_with_its_code() -> None:
    for text in ("{", "[" * 100_000, "nan!"):
        with pytest.raises(InputError) as refused:
            loaded(text, PLACE, "unusable", "write it again")
        assert [(one.code, one.hint) for one in refused.value.problems] == [("unusable", "write it again")]
