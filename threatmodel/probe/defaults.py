"""Texts in a handler's source that may stand where its secret should: what it falls back to, and what it signs with.

Only guesses, for what else to sign with: a request that is signed with a wrong one is rejected like any other.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

_TEXT = re.compile(r"[!-~]{1,100}\Z")
_NAME = re.compile(r"secret|sign|key|salt", re.IGNORECASE)
_ASKING = frozenset({"get", "getenv", "pop", "setdefault"})
_SIGNING = frozenset({"new", "digest", "SignatureVerifier"})

_JS_LITERAL = r"(?:'([^'\\\s]{1,100})'|\"([^\"\\\s]{1,100})\"|`([^`$\\\s]{1,100})`)"
_JS = tuple(
    re.compile(before + _JS_LITERAL, re.IGNORECASE)
    for before in (
        r"(?:\|\||\?\?)=?\s*",
        r"(?:secret|sign|key|salt)\w*['\"]?\s*[:=]\s*",
        r"createHmac\([^,()]{1,40},\s*",
        r"\?[^?:\n]{1,80}:\s*",
    )
)


def in_python(tree: ast.AST) -> Iterator[str]:
    """The texts in a tree of Python, those first that are nearest to a default of a secret."""
    found: list[tuple[int, str]] = []
    for node in ast.walk(tree):
        found += [(rank, word) for rank, value in _values(node) if (word := _word(value))]
    yield from (word for _, word in sorted(found, key=lambda one: one[0]))


def _values(node: ast.AST) -> Iterator[tuple[int, ast.AST | None]]:
    match node:
        case ast.Call(func=ast.Attribute(attr=attribute) | ast.Name(id=attribute), args=[_, default]) if (
            attribute in _ASKING
        ):
            yield 0, default
        case ast.Call(func=ast.Attribute(attr=attribute) | ast.Name(id=attribute), args=[first, *_]) if (
            attribute in _SIGNING
        ):
            yield 0, first
        case ast.BoolOp(values=values):
            yield from ((0, value) for value in values)
        case ast.IfExp(body=body, orelse=other):
            yield from ((0, body), (0, other))
        case ast.Assign(targets=[ast.Name(id=name)], value=value) if _NAME.search(name):
            yield 0, value
        case ast.AnnAssign(target=ast.Name(id=name), value=value) if _NAME.search(name):
            yield 0, value
        case ast.arguments(defaults=defaults):
            yield from ((1, value) for value in defaults)
        case ast.keyword(arg=name, value=value) if name == "default" or _NAME.search(name or ""):
            yield 0, value
        case _:
            yield from ((2, value) for value in _others(node))


def _others(node: ast.AST) -> Iterator[ast.AST | None]:
    match node:
        case ast.Tuple(elts=values) | ast.List(elts=values) | ast.Set(elts=values):
            yield from values
        case ast.Return(value=value):
            yield value


def _word(node: ast.AST | None) -> str:
    """A text, or bytes of one, that could be a secret; '' for anything else."""
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "encode":
        node = node.func.value
    value = node.value if isinstance(node, ast.Constant) else None
    if isinstance(value, bytes):
        value = value.decode("latin-1")
    return value if isinstance(value, str) and _TEXT.match(value) else ""


def in_javascript(text: str) -> Iterator[str]:
    """The texts in a source in JavaScript."""
    for pattern in _JS:
        for found in pattern.finditer(text):
            word = next(group for group in found.groups() if group is not None)
            if _TEXT.match(word):
                yield word
