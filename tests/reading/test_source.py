"""Reading YAML: values, places, and what is refused."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import pytest
import yaml
from hypothesis import example, given
from hypothesis import strategies as st

from tests.support import HOME
from threatmodel.reading.problems import InputError, Place
from threatmodel.reading.source import BLANK, DEEPEST, Document, Map, Seq, parse, read_text

# --- values


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("true", True),
        ("False", False),
        ("yes", "yes"),
        ("null", None),
        ("~", None),
        ("12", 12),
        ("-3", -3),
        ("1.5", 1.5),
        ("1e3", 1000.0),
        ("2026-10-01", "2026-10-01"),
        ("12:30", "12:30"),
        ("1_000", "1_000"),
        ("0x1F", "0x1F"),
        ("=", "="),
        ("'12'", "12"),
        ('"true"', "true"),
        ("1e999", "1e999"),
        ("9" * 18, int("9" * 18)),
        ("[a, 1]", ["a", 1]),
        ("{a: {b: [c]}}", {"a": {"b": ["c"]}}),
        ("|\n a\n b\n", "a\nb\n"),
        (">-\n a\n b\n", "a b"),
        ('"\\u202E"', "\u202e"),
        ("<<: {a: 1}", {"<<": {"a": 1}}),
    ],
)
def test_scalar(text: str, value: object) -> None:
    found = parse(text, "f").root
    assert found == value
    assert type(found) in {Map, Seq, type(value)}


@pytest.mark.parametrize("text", ["", "\n", "# nothing\n", "---\n", "a:\n", "[a, ]\n"])
def test_blank(text: str) -> None:
    root = parse(text, "f").root
    assert root is BLANK or root in ({"a": BLANK}, ["a"])


def test_number_too_large_for_an_exact_one_is_inexact() -> None:
    assert math.isclose(parse("9" * 30, "f").root, 1e30)


# --- places


def placed(value: Any, mark: int) -> Iterator[tuple[Any, int]]:
    """Every key and every value with its mark."""
    yield value, mark
    if isinstance(value, Map):
        for key, item, key_mark, item_mark in value.placed():
            yield key, key_mark
            yield from placed(item, item_mark)
    elif isinstance(value, Seq):
        for item, item_mark in zip(value, value.marks, strict=True):
            yield from placed(item, item_mark)


def token_at(document: Document, place: Place) -> str:
    return document.text.split("\n")[place.line - 1][place.column - 1 :]


def test_places_of_a_model() -> None:
    path = HOME / "models" / "slack-lambda.yaml"
    document = parse(read_text(path, "m"), "m")
    count = 0
    for value, mark in placed(document.root, document.mark):
        token = token_at(document, document.place(mark))
        if isinstance(value, str) and not token.startswith(">"):
            assert token.startswith(value)
        elif isinstance(value, bool):
            assert token.startswith(str(value).lower())
        elif isinstance(value, int):
            assert token.startswith(str(value))
        count += 1
    assert count > 200


TEXTS = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=12)
DATA = st.recursive(
    st.one_of(TEXTS, st.integers(-(10**17), 10**17)),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(TEXTS, inner, max_size=4)),
    max_leaves=12,
)


def plain(value: Any) -> Any:
    """Maps and lists without their places."""
    if isinstance(value, Map):
        return {key: plain(item) for key, item in value.items()}
    return [plain(item) for item in value] if isinstance(value, Seq) else value


@given(DATA)
@example({"": "", "\u2028": "\x85", "\ufeff": "\U0001f4e6"})
def test_agrees_with_pyyaml(data: Any) -> None:
    text = yaml.dump(data, Dumper=_Quoted, width=math.inf)
    assert plain(parse(text, "f").root) == yaml.safe_load(text) == data


@given(DATA)
def test_every_key_and_value_is_found_at_its_place(data: Any) -> None:
    text = yaml.dump(data, Dumper=_Quoted, width=math.inf, allow_unicode=True, default_flow_style=None)
    document = parse(text, "f")
    for value, mark in placed(document.root, document.mark):
        token = token_at(document, document.place(mark))
        if isinstance(value, str):
            assert yaml.safe_load("- " + token.split("\n", 1)[0][: _end(token)]) == [value]
        elif isinstance(value, int):
            assert token.startswith(str(value))
        elif isinstance(value, Map):
            assert not value or token.startswith(("{", '"', "?"))


class _Quoted(yaml.SafeDumper):
    """Quotes every text and leaves numbers bare."""


_Quoted.add_representer(str, lambda dumper, text: dumper.represent_scalar("tag:yaml.org,2002:str", text, style='"'))


def _end(token: str) -> int:
    """The length of the quoted text that a token begins with."""
    at = 1
    while token[at] != '"':
        at += 2 if token[at] == "\\" else 1
    return at + 1


def test_columns_count_characters() -> None:
    document = parse("{ä: 1, \U0001f4e6: 2, e\u0301: 3}", "f")
    assert [document.place(mark).column for *_, mark, _ in document.root.placed()] == [2, 8, 14]


def test_place_and_mark_are_inverse() -> None:
    document = parse("a: 1\nb: {c: 2}\n", "f")
    for _, mark in placed(document.root, document.mark):
        assert document.mark_of(document.place(mark)) == mark


# --- whatever comes


def refusal(text: str) -> InputError | None:
    try:
        parse(text, "f")
    except InputError as error:
        return error
    return None


YAML_PIECES = st.sampled_from(
    [
        *(
            "a",
            "b: ",
            "- ",
            "\n",
            "\n  ",
            "\n    ",
            "[",
            "]",
            "{",
            "}",
            ",",
            ": ",
            "? ",
            "'",
            '"',
            "|",
            ">",
            "#",
            "<<: ",
        ),
        *("&a ", "*a", "!t ", "!!map ", "---\n", "...\n", "%YAML 1.1\n", "\t", "\\", "~", "1"),
        *("\x00", "\x85", "\u2028", "\ufeff", "\r", "é", "\ud800"),
    ]
)


@given(st.one_of(st.text(), st.text(st.characters(codec=None)), st.lists(YAML_PIECES, max_size=40).map("".join)))
@example("a: \ud800")
@example("\ud800")
@example("? [a]\n: b")
@example("[" * 2000)
@example("- " * 2000)
@example("%YAML 9.9\n---\na")
@example('"\\x')
@example("!<")
@example("a: 'b\n\n c\n")
def test_any_text_is_data_or_refused_at_a_place(text: str) -> None:
    error = refusal(text)
    lines = text.split("\n")
    for problem in error.problems if error else ():
        assert 1 <= problem.place.line <= len(lines) + 1
        assert problem.place.column >= 1
        if problem.place.line <= len(lines):
            assert problem.place.column <= len(lines[problem.place.line - 1]) + 1


MODEL_TEXT = (HOME / "models" / "slack-lambda.yaml").read_text(encoding="utf-8")


@given(st.integers(0, len(MODEL_TEXT)), st.integers(0, 40), YAML_PIECES)
def test_mutated_model_is_data_or_refused(at: int, removed: int, piece: str) -> None:
    refusal(MODEL_TEXT[:at] + piece + MODEL_TEXT[at + removed :])


@given(
    st.text(st.sampled_from(["é", "\n", "a", "\U0001f4e6"]), max_size=20),
    st.sampled_from("\x00\x1b\x7f\x80\x85\u2028\u2029\r\ufffe\ud800"),
)
def test_forbidden_character_is_found_where_it_stands(before: str, char: str) -> None:
    text = f"# {before}"
    error = refusal(text + char + "\n# rest\n")
    assert error is not None
    (problem,) = error.problems
    assert problem.place == Place("f", text.count("\n") + 1, len(text) - text.rfind("\n"))


@pytest.mark.parametrize(("levels", "accepted"), [(DEEPEST, True), (DEEPEST + 1, False)])
def test_levels(levels: int, accepted: bool) -> None:
    assert (refusal("[" * levels + "]" * levels) is None) is accepted
    assert (refusal("\n".join(" " * at + "a:" for at in range(levels))) is None) is accepted


def test_all_duplicate_keys_are_reported() -> None:
    error = refusal("a: 1\na: 2\nb: {c: 1, c: 2}\na: 3\n")
    assert error is not None
    assert [(p.code, p.place.line, p.place.column) for p in error.problems] == [
        ("duplicate-key", 2, 1),
        ("duplicate-key", 3, 11),
        ("duplicate-key", 4, 1),
    ]


def test_windows_and_old_mac_line_ends_are_line_ends(tmp_path: Any) -> None:
    path = tmp_path / "f.yaml"
    path.write_bytes(b"\xef\xbb\xbfa: 1\r\nb: |\r\n x\r\n y\rc: 2\n")
    document = parse(read_text(path, "f"), "f")
    assert document.root == {"a": 1, "b": "x\ny\n", "c": 2}
    assert document.place(document.root.marks[-2]) == Place("f", 5, 1)


# --- files that cannot be read


def refused_file(path: Any, largest: int = 100) -> tuple[str, str, int, int, str]:
    with pytest.raises(InputError) as raised:
        read_text(path, "shown", largest, "split it")
    (problem,) = raised.value.problems
    assert problem.place.file == "shown"
    return problem.code, problem.message, problem.place.line, problem.place.column, problem.hint


def test_files_that_cannot_be_read_say_why(tmp_path: Any) -> None:
    assert refused_file(tmp_path) == ("unreadable-file", "this is a directory", 1, 1, "name a file")
    missing = ("missing-file", "there is no such file", 1, 1, "check the path")
    assert refused_file(tmp_path / "missing") == missing
    assert refused_file(tmp_path / ("x" * 300))[:2] == ("unreadable-file", "cannot be read: File name too long")
    assert refused_file(tmp_path / "a\0b")[:2] == ("unreadable-file", "cannot be read: embedded null byte")


@pytest.mark.parametrize(
    ("data", "line", "column"),
    [
        (b"\xff", 1, 1),
        (b"a: b\nc: \xe9\n", 2, 4),
        ("é\n\u20ac".encode() + b"\x80", 2, 2),
        (b"\xef\xbb\xbfab\xff", 1, 3),
    ],
)
def test_first_byte_that_is_not_utf8_is_found_where_it_stands(
    tmp_path: Any, data: bytes, line: int, column: int
) -> None:
    (tmp_path / "f").write_bytes(data)
    code, message, *at, hint = refused_file(tmp_path / "f")
    assert (code, at, hint) == ("unreadable-file", [line, column], "save the file as UTF-8")
    assert message in {"the byte 0xFF is not UTF-8", "the byte 0xE9 is not UTF-8", "the byte 0x80 is not UTF-8"}


def test_a_plan_in_terraforms_own_form_is_named(tmp_path: Any) -> None:
    (tmp_path / "plan.out").write_bytes(b"PK\x03\x04\x14\x00\x08\x00\xff\xfe")
    code, message, *_, hint = refused_file(tmp_path / "plan.out")
    assert (code, message) == ("unreadable-file", "this is a ZIP archive, as a binary Terraform plan is")
    assert "terraform show -json" in hint


@pytest.mark.parametrize("size", [0, 99, 100, (1 << 16) - 1, 1 << 16, (1 << 16) + 1, 1 << 17])
def test_a_file_is_read_whole_or_refused_as_too_large(tmp_path: Any, size: int) -> None:
    (tmp_path / "f").write_bytes(b"x" * size)
    assert read_text(tmp_path / "f", "f", max(size, 1)) == "x" * size
    assert read_text(tmp_path / "f", "f", size + 1) == "x" * size
    if size:
        assert refused_file(tmp_path / "f", size - 1)[0] == "file-too-large"
        assert refused_file(tmp_path / "f", size - 1)[4] == "split it"


def test_a_text_larger_than_a_file_may_be_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("threatmodel.reading.source.LARGEST", 6)
    assert parse("a: 'b'", "f").root == {"a": "b"}
    assert problems_of("a: 'bc'") == [("file-too-large", 1, 1, "7 characters; at most 6 are read", "split it")]


# --- what YAML has and our files do not


def problems_of(text: str) -> list[tuple[str, int, int, str, str]]:
    with pytest.raises(InputError) as raised:
        parse(text, "f")
    return [(one.code, one.place.line, one.place.column, one.message, one.hint) for one in raised.value.problems]


@pytest.mark.parametrize(
    ("text", "line", "column"),
    [
        ("&a b", 1, 1),
        ("a: &b c", 1, 4),
        ("&a b: c", 1, 1),
        ("a: &b {c: d}", 1, 4),
        ("a: &b [c]", 1, 4),
        ("a: !!int '1'", 1, 4),
        ("!!str a: b", 1, 1),
        ("a: !!map {}", 1, 4),
        ("a: !own [c]", 1, 4),
        ("a: &b 1\nc: *b", 1, 4),
        ("a: 1\n---\nb: 2", 2, 1),
        ("[a]: b", 1, 1),
        ("{a: b}: c", 1, 1),
    ],
)
def test_what_our_files_do_not_hold_is_refused_at_its_place(text: str, line: int, column: int) -> None:
    first = problems_of(text)[0]
    assert first[:3] == ("unsupported-yaml", line, column)
    assert first[3]


def test_a_tag_that_says_only_plain_text_is_read() -> None:
    assert parse("a: ! '1'", "f").root == {"a": "1"}


def test_the_first_of_duplicate_keys_is_named() -> None:
    assert problems_of("a: 1\nb: 2\n\na: 3\n") == [
        ("duplicate-key", 4, 1, "'a' is given twice; first on line 1", "keep one of the two")
    ]
    assert problems_of("x: 1\nb: 2\nb: 3\n")[0][3] == "'b' is given twice; first on line 2"


@pytest.mark.parametrize(
    ("text", "line", "column"),
    [
        ("a: [b\nc: d", 2, 2),
        ("a: {b: c\nd: [e", 2, 2),
        ("a: 'b", 1, 4),
        ("a: b\n\tc: d", 2, 1),
        ("a: @b", 1, 4),
        ("a: `b`", 1, 4),
        ("a: 'b' c", 1, 8),
        ('a: "\\q"', 1, 5),
        ("a: b\n c: d", 2, 3),
        ("a: %b", 1, 4),
    ],
)
def test_a_syntax_error_has_its_place_and_what_to_do(text: str, line: int, column: int) -> None:
    ((code, *at, message, hint),) = problems_of(text)
    assert (code, at) == ("yaml-syntax", [line, column]), message
    assert hint, message


@pytest.mark.parametrize(
    ("char", "words"), [("\x85", "hidden line break"), ("\u2028", "hidden line break"), ("\x07", "YAML forbids")]
)
def test_a_character_that_cannot_be_there_is_named(char: str, words: str) -> None:
    ((_, line, column, message, _),) = problems_of(f"a: b\nc: d{char}e\n")
    assert (line, column) == (2, 5)
    assert words in message
