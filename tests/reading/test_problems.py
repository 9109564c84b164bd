"""Problems as text: order, carets, hostile characters, suggestions."""

from __future__ import annotations

import ast
import re
import unicodedata
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support import HOME
from threatmodel.evidence.beside.results import NOT_MAPPED
from threatmodel.graph.elements import WARNINGS
from threatmodel.reading.problems import (
    MOST,
    WIDEST_LINE,
    InputError,
    Place,
    Problem,
    article,
    listed,
    note,
    paths_apart,
    quoted,
    shown,
    suggestion,
    visible,
)
from threatmodel.render.checks.checked import KINDS

GOLDEN = HOME / "tests" / "golden"
HOSTILE = "\x00\x07\x1b\x7f\x9b\xad\u061c\u180e\u200b\u200f\u2028\u202e\u2066\u206f\ufeff\ufffb\ud800\U000e0041"


def problem(line: int = 1, column: int = 1, message: str = "wrong", file: str = "f", hint: str = "") -> Problem:
    return Problem(code="a-code", place=Place(file, line, column), message=message, hint=hint)


def test_one_problem() -> None:
    text = "name: Shop\nfunctions:\n  order-bot: {runtme: x}\n"
    found = shown([problem(3, 15, "'runtme' is no key", hint="did you mean 'runtime'?")], {"f": text})
    assert found == (
        "f:3:15: a-code: 'runtme' is no key; did you mean 'runtime'?\n"
        "      order-bot: {runtme: x}\n"
        "                  ^^^^^^"
    )  # fmt: skip


def test_problems_stand_in_order_of_place_and_once() -> None:
    found = shown([problem(2), problem(1, 5), problem(1, 2), problem(2), problem(file="e")], {})
    assert [line.split(": ")[0] for line in found.splitlines()] == ["e", "f:1:2", "f:1:5", "f:2:1"]


@pytest.mark.parametrize("place", [(1, 1), (9, 1), (2, 1)])
def test_place_without_text_has_no_caret(place: tuple[int, int]) -> None:
    assert shown([problem(*place)], {"f": "" if place[0] == 1 else "a\n\n"}).count("\n") == 0


@pytest.mark.parametrize(
    ("line", "column", "token"),
    [
        ("a: 'two words', b", 4, "'two words'"),
        ('a: "never closed', 4, '"never closed'),
        ("a: [b, c]", 4, "["),
        ("a: [b, c]", 5, "b"),
        ("key: value", 1, "key"),
        ("https://x: y", 1, "https://x"),
        ("a:b: c", 1, "a:b"),
        ("a", 2, ""),
        ("\ta: b", 1, "<U+0009>"),
    ],
)
def test_caret_covers_the_token(line: str, column: int, token: str) -> None:
    _, source, caret = shown([problem(1, column)], {"f": line}).split("\n")
    start = caret.index("^")
    assert source[start : start + len(token)] == token
    assert caret.count("^") == max(1, len(token))


def cells(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(c) in "WF" else 0 if unicodedata.combining(c) else 1 for c in text)


@pytest.mark.parametrize("before", ["日本: ", "e\u0301: ", "\U0001f4e6: ", "\u202e: ", "\t: "])
def test_caret_stands_under_the_token_on_a_terminal(before: str) -> None:
    _, source, caret = shown([problem(1, len(before) + 1)], {"f": before + "token"}).split("\n")
    assert caret.index("^") == cells(source[: source.index("token")])


@given(st.text(max_size=400), st.integers(1, 500), st.integers(1, 500))
def test_any_line_is_shown_safely(text: str, line: int, column: int) -> None:
    found = shown([problem(line, column)], {"f": text})
    assert len(found.split("\n")) in {1, 3}
    assert not set(found) & set(HOSTILE)
    assert max(map(len, found.split("\n"))) <= 4 + 8 * WIDEST_LINE


@given(st.text(), st.text(), st.text())
def test_any_message_is_one_line(file: str, message: str, hint: str) -> None:
    found = shown([problem(message=message, hint=hint, file=file)], {})
    assert "\n" not in found
    assert not set(found) & set(HOSTILE)


def test_hostile_characters_are_spelt_out() -> None:
    assert visible("a\u202eb\x1b") == "a<U+202E>b<U+001B>"
    assert not set(visible(HOSTILE)) & set(HOSTILE)
    assert visible("שלום, Größe 日本 \U0001f4e6") == "שלום, Größe 日本 \U0001f4e6"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "null"),
        (True, "true"),
        (3, "3"),
        (1.5, "1.5"),
        ({}, "a mapping"),
        ([], "a list"),
        ("a", "'a'"),
        ("a\nb", "'a<U+000A>b'"),
        ("x" * 99, "'" + "x" * 60 + "…'"),
    ],
)
def test_quoted(value: object, text: str) -> None:
    assert quoted(value) == text


@pytest.mark.parametrize(
    ("name", "meant"),
    [("runtme", "runtime"), ("Runtime", "runtime"), ("in-vpc", "in_vpc"), ("zzz", ""), ("", ""), ("r" * 1000, "")],
)
def test_suggestion(name: str, meant: str) -> None:
    assert suggestion(name, ["runtime", "in_vpc"]) == (f"did you mean '{meant}'?" if meant else "")


def test_words() -> None:
    assert [article(noun) for noun in ("api", "function", "organization")] == [
        "an api",
        "a function",
        "an organization",
    ]
    assert listed("abc") == "a, b, c"
    assert listed("abcd", 2) == "a, b and 2 more"


def test_too_many_problems_end_the_reading() -> None:
    problems: list[Problem] = []
    for line in range(1, MOST):
        note(problems, problem(line))
    with pytest.raises(InputError) as caught:
        note(problems, problem(MOST))
    assert len(caught.value.problems) == MOST + 1
    assert caught.value.problems[-1].code == "too-many-problems"


# --- the page that explains the codes

ERRORS = (HOME / "docs" / "errors.md").read_text(encoding="utf-8")
CODE = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)+")
NOTING = {"Problem", "ConditionError", "note", "refusal", "_refusal", "_refused", "_at", "_error"}
"""Calls that take the code of a problem."""


def codes_in(path: Path) -> Iterator[str]:
    """Every code that a module gives a problem."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call):
            name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            named = [word.value for word in node.keywords if word.arg == "code"]
            for value in (*named, *node.args) if name in NOTING else ():
                said = value.value if isinstance(value, ast.Constant) else None
                if isinstance(said, str) and (value in named or CODE.fullmatch(said)):  # one word is always named
                    yield said


@pytest.mark.slow
def test_every_code_is_explained() -> None:
    named = {NOT_MAPPED, *WARNINGS}
    codes = {code for path in (HOME / "threatmodel").rglob("*.py") for code in codes_in(path)} | named
    headings = re.findall(r"^## (.+)$", ERRORS, re.MULTILINE)
    assert headings == sorted(codes)


def test_every_note_that_a_check_reports_has_a_rule() -> None:
    assert {*WARNINGS} <= KINDS.keys()


@pytest.mark.parametrize(
    "section", re.split(r"^## ", ERRORS, flags=re.MULTILINE)[1:], ids=lambda text: text.split(maxsplit=1)[0]
)
def test_every_explanation_shows_what_a_user_reads(section: str) -> None:
    """Its example is a message that a golden file holds, and it says what to do."""
    code = section.split(maxsplit=1)[0]
    (example,) = re.findall(r"^```text\n(.*?)^```$", section, re.MULTILINE | re.DOTALL)
    golden = [path.read_text(encoding="utf-8") for path in GOLDEN.rglob("*.txt")]
    assert any(example.strip() in text for text in golden)
    assert f": {code}: " in example
    assert "What to do: " in section


DEEP = "/home/runner/work/platform/platform/services/orders/threat-models"


@pytest.mark.parametrize(
    ("one", "other", "shown"),
    [
        ("/a/b", "/a/c", "'/a/b' '/a/c'"),
        (f"{DEEP}/models/x.yaml", f"{DEEP}/other/x.yaml", "'…/models/x.yaml' '…/other/x.yaml'"),
        (f"{DEEP}/x.yaml", f"{DEEP}/x.yaml.bak", "'…/x.yaml' '…/x.yaml.bak'"),
        (DEEP, f"{DEEP}/x.yaml", "'…/threat-models' '…/threat-models/x.yaml'"),
        (f"{DEEP}/link", "/etc", "'/home/runner/work/platform/pla…ces/orders/threat-models/link' '/etc'"),
    ],
)
def test_two_paths_are_cut_where_they_are_alike(one: str, other: str, shown: str) -> None:
    assert " ".join(paths_apart(PurePosixPath(one), PurePosixPath(other))) == shown


@pytest.mark.parametrize("deep", [f"{DEEP}/{'y' * 90}", f"/{'y' * 300}"])
def test_paths_that_are_long_all_the_same_still_differ(deep: str) -> None:
    one, other = paths_apart(PurePosixPath(f"{deep}/a/{'x' * 90}/m.yaml"), PurePosixPath(f"{deep}/b/{'x' * 90}/m.yaml"))
    assert one != other
    assert max(len(one), len(other)) <= 60 + len("''")
