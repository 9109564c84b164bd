"""Where a path leads is asked of one function: Path.resolve raises on a circle of links that an input may hold."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from tests.support import HOME
from threatmodel.reading.project import real_path

OWN = {"Path(__file__)", "super()"}
"""What is no input: the program's own file, and pytm's method of that name."""


def resolved(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Attribute) and node.attr == "resolve" and ast.unparse(node.value) not in OWN:
            yield f"{path.relative_to(HOME)}:{node.lineno}: write real_path({ast.unparse(node.value)})"


def test_no_path_of_an_input_is_resolved_otherwise() -> None:
    assert [line for path in sorted((HOME / "threatmodel").rglob("*.py")) for line in resolved(path)] == []


def test_a_circle_of_links_leads_somewhere(tmp_path: Path) -> None:
    (tmp_path / "a").symlink_to("b")
    (tmp_path / "b").symlink_to("a")
    assert real_path(tmp_path / "a").parent == tmp_path
