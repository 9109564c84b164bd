"""The texts of a Python file: strings of several words, docstrings and comments."""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections.abc import Iterator

from scripts.wording.hits import Text
from scripts.wording.marks import plain
from scripts.wording.yaml_texts import joined

FEWEST = 2  # words of letters that make a text
LETTERS = re.compile(r"(?<![\w$.{\\-])[A-Za-z][a-z']+(?![\w(\\=])")
MOSTLY = 0.8  # the share of letters, spaces and marks of punctuation in prose
PROSE = re.compile(r"[A-Za-z0-9 \n,.;:'?!]")
CODE_CALLS = frozenset({"compile", "search", "match", "fullmatch", "sub", "findall", "finditer", "split"})
DIRECTIVE = re.compile(r"\s*(?:noqa|type:|pragma|mypy:|ruff:|!)")


def python_texts(path: str, source: str) -> Iterator[Text]:
    """Yield the texts of a Python file; raises SyntaxError where it is none."""
    tree = ast.parse(source)
    docstrings = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    yield from strings(path, tree, docstrings)
    yield from joined(path, [*commented(source)])


def strings(path: str, node: ast.AST, docstrings: set[int]) -> Iterator[Text]:
    """Yield the strings below a node: a docstring as a comment, and what reads like prose as a text."""
    match node:
        case ast.Call(func=ast.Attribute(value=ast.Name(id="re"), attr=attribute)) if attribute in CODE_CALLS:
            return
        case ast.Constant(value=str(value)):
            if id(node) in docstrings:
                yield text_of(path, node, value, comment=True)
            elif is_prose(value):
                yield text_of(path, node, value, comment=False)
            return
        case ast.JoinedStr(values=values):
            value = "".join(str(part.value) if isinstance(part, ast.Constant) else "X" for part in values)
            if is_prose(value):
                yield text_of(path, node, value, comment=False)
            for part in values:
                if isinstance(part, ast.FormattedValue):
                    yield from strings(path, part.value, docstrings)
            return
        case _:
            for child in ast.iter_child_nodes(node):
                yield from strings(path, child, docstrings)


def text_of(path: str, node: ast.expr, value: str, *, comment: bool) -> Text:
    """Return a string as a text."""
    last = node.end_lineno or node.lineno
    if comment:
        value = " ".join(line.strip() or "\n" for line in value.splitlines())
    return Text(path=path, first=node.lineno, last=last, kind="comment" if comment else "text", text=plain(value))


def is_prose(value: str) -> bool:
    """Return whether a string reads like prose: words between spaces, and few marks that only code has."""
    if len(LETTERS.findall(value)) < FEWEST or " " not in value.strip():
        return False
    return len(PROSE.findall(plain(value))) >= MOSTLY * len(plain(value))


def commented(source: str) -> Iterator[tuple[int, str]]:
    """Yield the comments with their lines, without those that only a tool reads."""
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT and not DIRECTIVE.match(text := token.string.lstrip("#")):
            yield token.start[0], text.strip()
