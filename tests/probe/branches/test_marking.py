"""Marked code: it is the same source, line by line, and tells which ways it takes."""

from __future__ import annotations

import ast
import contextlib
import re
from pathlib import Path
from typing import Any

import pytest

from tests.support import HOME
from threatmodel.beside.code.javascript.parsing import tree_of
from threatmodel.probe.branches import javascript
from threatmodel.probe.branches.marked import Marked, marked
from threatmodel.probe.branches.marking import Record, mark
from threatmodel.probe.branches.points import CASE, CONDITION, FILE
from threatmodel.probe.branches.taken import Taken

CORPUS = HOME / "tests" / "handlers"
MARKS = re.compile(r"__probe_(?:condition|present|seen)__\(\d+,(?:\(|0\);/\*;\*/)|\)/\*;\*/\)")


def numbered(path: Path) -> Marked:
    return marked(path, "", path.parent)


@pytest.mark.parametrize("ending", ["js", "mjs"])
def test_a_marked_source_is_the_same_without_its_marks(ending: str) -> None:
    for path in sorted(CORPUS.glob(f"*/*/*.{ending}")):
        text = path.read_text(encoding="utf-8")
        (own,) = (places for file, places in numbered(path).places.items() if file == path)
        changed, _ = javascript.mark(text, path.suffix, own)
        tree_of(changed, path.suffix)
        assert MARKS.sub("", changed) == f"{text}\n;", path


def test_marked_code_has_the_lines_of_its_source() -> None:
    for path in sorted(CORPUS.glob("*/*/app.py")):
        whole = numbered(path)
        code = whole.code(path)
        assert code is not None
        plain = compile(path.read_text(encoding="utf-8"), str(path), "exec", dont_inherit=True)
        assert {line for *_, line in code.co_lines()} == {line for *_, line in plain.co_lines()}, path


def test_almost_every_condition_of_a_source_is_marked() -> None:
    tested = marked_ = 0
    for path in sorted(CORPUS.glob("*/*/app.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        tested += sum(isinstance(node, ast.If | ast.IfExp | ast.While) for node in ast.walk(tree))
        marked_ += sum(point.kind == "condition" for file, point in numbered(path).points if file == path.name)
    assert marked_ > tested


def run(tmp_path: Path, source: str, *calls: tuple[Any, ...]) -> list[int]:
    """The ways that each call of `f` takes."""
    path = tmp_path / "app.py"
    path.write_text(source, encoding="utf-8")
    whole, record = numbered(path), Record()
    code = whole.code(path)
    assert code is not None
    names: dict[str, Any] = dict(record.members())
    exec(code, names)  # noqa: S102 - a source of this test
    masks = [_mask(record)]
    for given in calls:
        with contextlib.suppress(ValueError):
            names["f"](*given)
        masks.append(_mask(record))
    return masks


def _mask(record: Record) -> int:
    news = record.news()
    return sum(1 << way for way in news.get("taken", ()))


def untested(tmp_path: Path, source: str, refused: list[tuple[Any, ...]], accepted: list[tuple[Any, ...]]) -> list[str]:
    """Which ways of a source no call took, by their lines, where some calls were refused and others accepted."""
    masks = run(tmp_path, source, *refused, *accepted)
    taken = Taken(numbered(tmp_path / "app.py"), masks)
    bad, good = masks[1 : 1 + len(refused)], masks[1 + len(refused) :]
    return [f"{way.point.line} {way.outcome}" for way in taken.untested(bad, good)]


CHECK = """\
def f(request, known=""):
    if {test}:
        {then}
    if request != known:
        return {{"statusCode": 401}}
    return work()

def work():
    return "done"
"""


@pytest.mark.parametrize(
    ("test", "then", "found"),
    [
        ("request == 'rare'", "return work()", ["2 True"]),
        ("request == 'rare'", "raise ValueError", []),
        ("request == 'rare'", "return {'statusCode': 403, 'body': str(request)}", []),
        ("request == 'rare'", "return {'statusCode': 200, 'body': str(request)}", ["2 True"]),
        ("request == 'rare'", "return make(401, 'no')", []),
        ("request == 'rare'", "print(request)", []),
        ("request == 'rare'", "request = known", ["2 True"]),
        ("request == 'rare' or request == 'odd'", "return work()", ["2 True", "2 True"]),
        ("request == 'rare' and known", "return work()", ["2 True"]),
        ("request == 'wrong'", "return work()", []),
        ("not request", "raise ValueError", []),
        ("any(one == 'rare' for one in [request])", "return work()", ["2 True", "2 True"]),
    ],
)
def test_a_way_that_no_request_took_matters_unless_it_evidently_rejects(
    tmp_path: Path, test: str, then: str, found: list[str]
) -> None:
    source = CHECK.format(test=test, then=then)
    assert untested(tmp_path, source, [("wrong",)], [("right", "right")]) == found


def test_a_constant_that_only_rejected_requests_got_is_a_rejection(tmp_path: Path) -> None:
    source = "def f(a, key):\n    return work() if fits(a, key) else None\n\ndef work():\n    return 1\n\n"
    source += "def fits(a, key):\n    if a == 'rare':\n        return {}\n"
    source += "    if a != key:\n        return False\n    return True\n"
    assert untested(tmp_path, source.format("False"), [("x", "y")], [("y", "y")]) == []
    assert untested(tmp_path, source.format("True"), [("x", "y")], [("y", "y")]) == ["8 True"]
    assert untested(tmp_path, source.format("None"), [("x", "y")], [("y", "y")]) == ["8 True"]


def test_operands_of_a_returned_value_are_as_what_was_returned(tmp_path: Path) -> None:
    source = "def f(a, key):\n    return 1 if fits(a, key) else None\n\ndef fits(a, key):\n    return {} a == key\n"
    assert untested(tmp_path, source.format("a != 'rare' and"), [("x", "y")], [("y", "y")]) == []
    assert untested(tmp_path, source.format("a == 'rare' or"), [("x", "y")], [("y", "y")]) == ["5 True"]


def test_exceptions_cases_and_loops_have_their_ways(tmp_path: Path) -> None:
    source = "def f(a):\n    try:\n        int(a)\n"
    source += "    except ValueError:\n        pass\n    except TypeError:\n        a = 0\n"
    assert untested(tmp_path, source, [("x",), ("1",)], []) == ["6 True"]
    source = (
        "def f(a):\n    match a:\n        case 1:\n            raise ValueError\n        case 2:\n            a = 3\n"
    )
    assert untested(tmp_path, source, [(4,)], []) == ["5 True"]
    source = "def f(a):\n    for one in a:\n        if one:\n            raise ValueError\n"
    assert untested(tmp_path, source, [([1],)], []) == ["2 False", "3 False"]
    assert untested(tmp_path, source, [([1],), ([],), ([0],)], []) == []


def test_what_no_refused_request_reached_does_not_matter(tmp_path: Path) -> None:
    source = "def f(a, key):\n    if a != key:\n        raise ValueError\n    if a == 'rare':\n        work()\n"
    assert untested(tmp_path, source, [("x", "y")], [("y", "y")]) == []


def test_what_is_no_source_or_too_large_is_left_out(tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text("def handler(event, context):\n    return 1\n", encoding="utf-8")
    (tmp_path / "odd.py").write_text("def (", encoding="utf-8")
    (tmp_path / "large.py").write_text(f"x = {'1' * 200_000!r}\n", encoding="utf-8")
    found = numbered(tmp_path / "app.py")
    assert found.left_out == ("large.py", "odd.py")
    assert [point.kind for _, point in found.points].count(FILE) == 1
    assert Taken(found, []).unrecorded == ("large.py", "odd.py", "the handler")


def test_numbers_that_are_not_of_this_source_mark_nothing() -> None:
    assert mark(ast.parse("if a: pass"), {(9, 9, "condition"): 0}) == set()


def test_each_case_that_leads_into_the_next_is_recorded(tmp_path: Path) -> None:
    path = tmp_path / "index.js"
    cases = "switch (e.kind) {\n case 1:\n case 2:\n  return f(e);\n default:\n  return { statusCode: 401 };\n }"
    path.write_text(f"exports.handler = (e) => {{\n {cases}\n}};\n", encoding="utf-8")
    found = [(point.line, point.if_true is None) for _, point in numbered(path).points if point.kind == CASE]
    assert sorted(found) == [(3, True), (4, True), (6, False)]


KEEPS = {
    "py": """
KEY = "a"
def handler(e, c):
    {first}
    if e["x"]:
        KEY = "b"
        return {{"statusCode": 401}}
    return f(e, KEY)
""",
    "js": """
let KEY = "a";
exports.handler = (e) => {{
  {first}
  if (e.x) {{
    KEY = "b";
    return {{ statusCode: 401 }};
  }}
  return f(e, KEY);
}};
""",
}


@pytest.mark.parametrize(
    ("ending", "first", "outlives"),
    [("py", "global KEY", True), ("js", "", True), ("js", "let KEY;", False), ("py", "OTHER = 1", True)],
)
def test_what_outlives_the_function_is_no_rejection(tmp_path: Path, ending: str, first: str, outlives: bool) -> None:
    """A branch that replaces the key and rejects: the next request is verified with what anyone knows."""
    path = tmp_path / f"index.{ending}"
    path.write_text(KEEPS[ending].format(first=first), encoding="utf-8")
    (found,) = (point for _, point in numbered(path).points if point.kind == CONDITION)
    assert (found.if_true is None) is outlives
