"""The texts that a source names, and what may be the name of a field, header or variable in it."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from threatmodel.probe.source_tokens import Token, tokens
from threatmodel.probe.source_variables import names_in_javascript, names_in_python
from threatmodel.probe.source_words import UnreadableSourceError

_LONGEST = 80
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_-]{0,40}\Z", re.ASCII)
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)
_ESCAPED = {"n": "\n", "r": "\r", "t": "\t"}
_ASKING = frozenset(
    {"startswith", "endswith", "removeprefix", "fullmatch", "search", "match", "test", "has", "includes"}
    | {"startsWith", "endsWith", "indexOf", "matches"}
)
"""Methods that look for a text."""
_COMPARING = frozenset({"===", "!==", "==", "!=", "case"})
_MEMBER = frozenset({".", "?.", "{", ","})
"""What is before the name of a property that is read, or taken out of an object."""


class Literals(NamedTuple):
    """What one file names: short texts and those that are compared, functions, fields and headers, variables."""

    compared: tuple[str, ...]
    texts: tuple[str, ...]
    called: tuple[str, ...]
    names: tuple[str, ...]
    variables: tuple[str, ...]


def literals_of(text: str, suffix: str) -> Literals:
    """Return what the text of a file names; nothing where it cannot be parsed."""
    if suffix == ".py":
        try:
            tree = ast.parse(text)
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            return Literals((), (), (), (), ())
        texts = list(dict.fromkeys(_python(tree)))
        return Literals(
            tuple(dict.fromkeys(text for node in ast.walk(tree) if _compares(node) for text in _python(node))),
            tuple(texts),
            _each(_functions(tree)),
            _each(texts),
            tuple(names_in_python(text)),
        )
    try:
        found = tokens(text)
    except UnreadableSourceError:
        return Literals((), (), (), (), ())
    texts = list(dict.fromkeys(_javascript(found)))
    end = Token("", "", 0, 0)
    near = list(zip([end, *found[:-1]], found, [*found[1:], end], strict=False))
    members = (one.text for before, one, after in near if before.text in _MEMBER and after.text != "(")
    called = (one.text for before, one, after in near if before.text == "function" or after.text == ":")
    names = (one for one in (*texts, *members) if _NAME.match(one))
    compared = dict.fromkeys(_javascript(one for at, one in enumerate(found) if _is_compared(found, at)))
    return Literals(tuple(compared), tuple(texts), _each(called), _each(names), tuple(names_in_javascript(text)))


def _compares(node: ast.AST) -> bool:
    """Whether texts below a node decide something: they are compared, or looked for in another."""
    match node:
        case ast.Compare() | ast.MatchValue():
            return True
        case ast.Call(func=ast.Attribute(attr=attribute)):
            return attribute in _ASKING
    return False


def _is_compared(found: Sequence[Token], at: int) -> bool:
    """Whether a token is compared, is the argument of a method that looks for a text, or is a pattern."""
    before, after = found[max(0, at - 2) : at], found[at + 1 : at + 2]
    beside = {one.text for one in (*before[-1:], *after)}
    is_argument = [one.text for one in before[1:]] == ["("] and before[0].text in _ASKING
    return found[at].kind == "regex" or bool(_COMPARING & beside) or is_argument


def _each(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name for name in names if _NAME.match(name)))


def _python(tree: ast.AST) -> Iterator[str]:
    stated = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}  # docstrings
    for node in ast.walk(tree):
        if not isinstance(node, ast.Constant) or id(node) in stated:
            continue
        value = node.value.decode("latin-1") if isinstance(node.value, bytes) else node.value
        if isinstance(value, str) and 0 < len(value) <= _LONGEST:
            yield value
        elif type(value) is int and 0 <= value <= 999_999:  # noqa: PLR2004 - a code or count, no mask
            yield str(value)


def _functions(tree: ast.AST) -> Iterator[str]:
    yield from (node.name for node in ast.walk(tree) if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)))


def _javascript(found: Iterable[Token]) -> Iterator[str]:
    """Strings, the fixed parts of templates, regular expressions and numbers."""
    for token in found:
        text = token.text
        if token.kind == "string":
            text = _ESCAPE.sub(lambda escape: _ESCAPED.get(escape[1], escape[1]), text[1:-1])
        elif token.kind == "regex":
            text = text[1:].rpartition("/")[0]
        elif token.kind not in {"template", "number"}:
            continue
        if 0 < len(text) <= _LONGEST:
            yield text
