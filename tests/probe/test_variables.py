"""Variables of a handler, as a file holds them: read, and refused without their values."""

from __future__ import annotations

import pytest

from tests.support import HOME
from threatmodel.probe.variables import variables
from threatmodel.reading.problems import InputError

EXAMPLE = HOME / "examples" / "slack-app"


def test_the_example_s_variables_are_those_that_it_reads() -> None:
    names = set(variables((EXAMPLE / "probe.env").read_text(encoding="utf-8"), "probe.env"))
    source = (EXAMPLE / "app.py").read_text(encoding="utf-8")
    assert all(f'"{name}"' in source for name in names)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("A=1\n# a comment\n\nB=x=y \n", {"A": "1", "B": "x=y "}),
        ("A=\n", {"A": ""}),
    ],
)
def test_variables_are_read(text: str, expected: dict[str, str]) -> None:
    assert variables(text, "x.env") == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("hunter2", "x.env: line 1: wrong-type: there is no '=' in this variable"),
        ("A=1\n1B=hunter2", "x.env: line 2: wrong-type: '1B' cannot be the name of a variable"),
        ("A=hunter2\nA=hunter3", "x.env: line 2: duplicate-key: A is given twice"),
    ],
)
def test_wrong_variables_are_refused_without_their_values(text: str, expected: str) -> None:
    with pytest.raises(InputError) as raised:
        variables(text, "x.env")
    assert str(raised.value) == expected
    assert "hunter" not in expected
