"""The language of texts: each rule finds what it is about, and not what is near to it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from scripts.wording.checking import hits
from scripts.wording.hits import Hit
from scripts.wording.places import Places, cited, table, within
from scripts.wording.rules import banned_words
from scripts.wording.sentences import sentences, words
from tests.support import HOME

LONG = "one two " * 13
ANY = "docs/a.md"


def found(folder: Path, text: str, path: str = ANY) -> list[Hit]:
    """Write a text to a file and return its hits."""
    (folder / path).parent.mkdir(parents=True, exist_ok=True)
    (folder / path).write_text(text, encoding="utf-8")
    return hits(folder, [path])


def rules(folder: Path, text: str, path: str = ANY) -> list[str]:
    return [hit.rule for hit in found(folder, text, path)]


@pytest.mark.parametrize(
    "text",
    [
        "Somebody reads it.",
        "It is nobody's table.",
        "Whoever calls it may read it.",
        "A stranger's account.",
        "It holds on word only.",
        "The model says so.",
        "We are not told of it.",
        "Findings in ten stories.",
        "All that hangs on it.",
        "It stands in the template.",
        "It stood there.",
        "A rate limit at the front door.",
        "What is wanting is shown.",
        "The control at fault.",
        "The folder lies in the home.",
        "A policy above the account denies it.",
        "Mend it.",
        "They are written anew.",
        "A role of its own.",
        "The key is taken for a login.",
    ],
)
def test_a_banned_word(tmp_path: Path, text: str) -> None:
    assert "word" in rules(tmp_path, text)


@pytest.mark.parametrize(
    "text",
    [
        "Anyone on the internet reads it.",
        "Everyone may read it.",
        "It is one word out of a list of words.",
        "A user story.",
        "It stands for the account.",
        "The function understands it, and relies on it.",
        "A stand-in, outdoors.",
        "It is granted.",
        "`somebody` is a name in code.",
        "See https://example.com/nobody/stands/in.",
        "Its own role.",
        "It is taken for granted.",
    ],
)
def test_what_is_near_to_a_banned_word(tmp_path: Path, text: str) -> None:
    assert found(tmp_path, text) == []


@pytest.mark.parametrize(
    ("text", "write"),
    [
        ("The organisation", "organization"),
        ("It recieves a request", "receives"),
        ("Their behaviour", "behavior"),
        ("It is spelt", "the American form (-ize, -or, spelled, while, toward, afterward)"),
    ],
)
def test_spelling(tmp_path: Path, text: str, write: str) -> None:
    (hit,) = found(tmp_path, text)
    assert (hit.rule, hit.write) == ("spelling", write)


def test_american_spelling_and_names_are_fine(tmp_path: Path) -> None:
    assert found(tmp_path, "An organization in MITRE's list; its color is gray, and `colour` is a key.") == []


@pytest.mark.parametrize(
    ("text", "rule"),
    [("It is is there.", ["repeated"]), ("He said that that works.", []), ("`a` `a` is code.", [])],
)
def test_repeated_words(tmp_path: Path, text: str, rule: list[str]) -> None:
    assert rules(tmp_path, text) == rule


@pytest.mark.parametrize(("length", "rule"), [(72, []), (73, ["title-length"])])
def test_the_length_of_a_title(tmp_path: Path, length: int, rule: list[str]) -> None:
    assert rules(tmp_path, f"title: {'a' * length}\n", "threatlib/threats/a.yaml") == rule


@pytest.mark.parametrize(("count", "rule"), [(25, []), (26, ["sentence-length"])])
def test_the_length_of_a_sentence(tmp_path: Path, count: int, rule: list[str]) -> None:
    assert rules(tmp_path, f"One sentence. {' '.join(LONG.split()[:count]).capitalize()}.") == rule


def test_sentences_end_where_a_reader_ends_them() -> None:
    text = (
        'Use 1.2 or newer, e.g. Lambda\'s. "Is it so?" It is ... perhaps (see Fig. 3.) Then\nnext line. (A note.) End'
    )
    assert sentences(text) == [
        "Use 1.2 or newer, e.g. Lambda's.",
        '"Is it so?',
        "It is ... perhaps (see Fig.",
        "3.",
        "Then",
        "next line.",
        "(A note.",
        "End",
    ]


def test_marks_are_no_words() -> None:
    assert words("a -> b / `c` (d) - 12") == ["a", "b", "`c`", "(d)", "12"]


@pytest.mark.parametrize("text", ["what the order costs", "an order is changed", "it moves money"])
def test_words_of_the_examples_in_the_library(tmp_path: Path, text: str) -> None:
    assert rules(tmp_path, f"why: {text}\n", "threatlib/threats/a.yaml") == ["example-word"]
    assert rules(tmp_path, f"why: {text}\n", "models/a.yaml") == []


@pytest.mark.parametrize(
    "text",
    ["in order to read", "the order of the keys", "an order comparison", "reads in order", "a customer managed key"],
)
def test_words_of_the_examples_in_their_other_meanings(tmp_path: Path, text: str) -> None:
    assert rules(tmp_path, f"why: {text}\n", "threatlib/threats/a.yaml") == []


# --- the kinds of files


def test_yaml(tmp_path: Path) -> None:
    text = """\
# Nobody reads a comment
why: >-
  A first line,
  then whoever calls it.
how:
  cloudformation: |
    Description: nobody # nobody
applies: target.nobody == 'by word'
list:
  - {because: nobody else}
"""
    assert [(hit.line, hit.found) for hit in found(tmp_path, text, "a.yaml")] == [
        (1, "Nobody"),
        (4, "whoever"),
        (10, "nobody else"),
    ]


def test_comments_may_have_long_sentences(tmp_path: Path) -> None:
    assert rules(tmp_path, f"# {LONG}\na: 1\n", "a.yaml") == []
    assert rules(tmp_path, f'"""{LONG}"""\n\n# {LONG}\nA = 1\n', "a.py") == []
    assert rules(tmp_path, f"why: {LONG}\n", "a.yaml") == ["sentence-length"]


def test_python(tmp_path: Path) -> None:
    text = '''\
"""Say what nobody reads."""

import re

A = re.compile("nobody|whoever else")  # whoever
B = f"{A} is nobody's, {'as nobody knows'}"
C = (
    "a line, "
    "then a stranger"
)
D = "key"  # noqa: nobody
'''
    assert [(hit.line, hit.found) for hit in found(tmp_path, text, "a.py")] == [
        (1, "nobody"),
        (5, "whoever"),
        (6, "nobody"),
        (6, "nobody's"),
        (9, "stranger"),
    ]


def test_markdown(tmp_path: Path) -> None:
    text = """\
# For nobody

A `nobody` paragraph
goes on with [whoever](nobody.md).

| a | b |
| --- | --- |
| c | somebody |

```sh
echo nobody
```
"""
    assert [(hit.line, hit.found) for hit in found(tmp_path, text)] == [(1, "nobody"), (4, "whoever"), (8, "somebody")]


def test_of_the_changelog_only_the_newest_section(tmp_path: Path) -> None:
    text = "# Changes\n\n## Unreleased\n\n- nobody\n\n## 0.1.0\n\n- somebody\n"
    assert [hit.found for hit in found(tmp_path, text, "CHANGELOG.md")] == ["nobody"]


def test_templates(tmp_path: Path) -> None:
    text = """\
{# nobody reads this #}
<style>.nobody { color: red }</style>
<p class="nobody">It is <b>told</b> {{ nobody }}</p>
{% if told %}{{ text("what nobody knows") }}{% endif %}
{{ a
}} stands there
"""
    assert [(hit.line, hit.found) for hit in found(tmp_path, text, "templates/a.html.j2")] == [
        (1, "nobody"),
        (3, "is told"),
        (4, "nobody"),
        (6, "stands there"),
    ]


def test_a_kind_of_file_without_a_reader_is_refused(tmp_path: Path) -> None:
    with pytest.raises(KeyError, match="txt"):
        found(tmp_path, "nobody", "a.txt")


# --- the places and the command


def test_every_file_is_enforced() -> None:
    where = Places(checked=("a/b.md", "ab.md"))
    assert where.files(["a/"]) == ("a/b.md",)
    assert within("a/b.md", ".")
    assert "reported" not in table()


def test_a_text_of_others_is_cited_as_it_is(tmp_path: Path) -> None:
    (text,) = cited()
    assert "cancelled" in text
    assert found(tmp_path, f"It prints: {text}.\n") == []
    assert [hit.found for hit in found(tmp_path, "It was cancelled.\n")] == ["cancelled"]


def test_a_line_break_in_a_cell_ends_a_sentence(tmp_path: Path) -> None:
    part = "one two " * 7
    assert found(tmp_path, f"| a |\n| --- |\n| {part}<br>{part}|\n") == []
    assert [hit.rule for hit in found(tmp_path, f"| a |\n| --- |\n| {part}{part}|\n")] == ["sentence-length"]


def test_requests_are_rejected_and_permissions_denied(tmp_path: Path) -> None:
    text = "It refuses the request.\n\nThe connection was refused.\n\nA refusal shows nothing.\n"
    assert [hit.found for hit in found(tmp_path, text)] == ["refuses", "refusal"]


def test_every_banned_word_says_what_to_write() -> None:
    for word in banned_words():
        assert word.write
        assert not word.pattern.search(""), word.pattern


def test_the_command(tmp_path: Path) -> None:
    command = [sys.executable, str(HOME / "scripts" / "prose.py")]
    clean = subprocess.run(
        [*command, "scripts/tables.py", "LICENSE"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert (clean.returncode, clean.stderr) == (2, "prose: no file that is checked in: LICENSE\n")
    fine = subprocess.run([*command, "scripts/tables.py"], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (fine.returncode, fine.stdout) == (0, "0 to fix in 1 files\n")


def test_a_hit_is_one_line() -> None:
    hit = Hit(path="a.md", line=3, rule="word", found="nobody", write="no caller")
    assert str(hit) == 'a.md:3: word: "nobody" -> write: no caller'
