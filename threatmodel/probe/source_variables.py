"""The variables that a source reads, by their names."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Sequence

_ASKING = frozenset({"get", "getenv", "pop", "setdefault"})
_JAVASCRIPT = re.compile(r"process\.env(?:\.([A-Za-z_]\w*)|\[\s*['\"]([A-Za-z_]\w*)['\"]\s*\])")
_BY_NAME = re.compile(r"process\.env\[\s*[^'\"\]\s]")
_CAPITALS = re.compile(r"[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+\Z")
"""What a name of a variable looks like, where a source asks for one whose name is elsewhere in it."""
_TEXT = re.compile(r"['\"]([A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+)['\"]")
_TAKEN_APART = re.compile(r"\{([^{}]{0,2000})\}\s*=\s*process\.env\b")


def names_in_python(text: str) -> Iterator[str]:
    """Yield the variables that a source in Python reads; none where it cannot be parsed."""
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):  # the run itself says what is wrong with it
        return
    nodes = list(ast.walk(tree))
    if any(_asks_by_name(node) for node in nodes):
        yield from (text for text in _handed_on(nodes) if _CAPITALS.match(text))
    for node in nodes:
        match node:
            case ast.Subscript(value=place, slice=ast.Constant(value=str(name))) if _is_environment(place):
                yield name
            case ast.Call(func=ast.Attribute(value=place, attr=attribute), args=[ast.Constant(value=str(name)), *_]):
                if attribute == "getenv" or (attribute in _ASKING and _is_environment(place)):
                    yield name
            case ast.Call(func=ast.Name(id="getenv"), args=[ast.Constant(value=str(name)), *_]):
                yield name
            case ast.Compare(left=ast.Constant(value=str(name)), comparators=[place]) if _is_environment(place):
                yield name


def _asks_by_name(node: ast.AST) -> bool:
    """Whether a variable is asked for whose name is not written there."""
    match node:
        case ast.Subscript(value=place, slice=name):
            return _is_environment(place) and not isinstance(name, ast.Constant)
        case ast.Call(func=ast.Attribute(value=place, attr=attribute), args=[name, *_]):
            asks = attribute == "getenv" or (attribute in _ASKING and _is_environment(place))
            return asks and not isinstance(name, ast.Constant)
        case _:
            return False


_CALLED = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)


def _handed_on(nodes: Sequence[ast.AST]) -> Iterator[str]:
    """Texts that may come to where a variable is asked for by name: arguments of that function, and members of lists.

    What is raised, returned, compared or handed to another function is none, such as the code of an error.
    """
    asking = {node.name for node in nodes if isinstance(node, _CALLED) and any(map(_asks_by_name, ast.walk(node)))}
    for node in nodes:
        match node:
            case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name), args=args, keywords=keywords) if (
                name in asking
            ):
                yield from map(_constant, (*args, *(one.value for one in keywords)))
            case ast.List(elts=elements) | ast.Tuple(elts=elements) | ast.Set(elts=elements):
                yield from map(_constant, elements)
            case ast.Assign(value=value) | ast.AnnAssign(value=ast.expr() as value):
                yield _constant(value)
            case ast.Dict(keys=keys):
                yield from (_constant(key) for key in keys if key is not None)
            case ast.FunctionDef(args=ast.arguments(defaults=defaults)):
                yield from map(_constant, defaults)


def _constant(node: ast.AST) -> str:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""


def _is_environment(node: ast.expr) -> bool:
    return (isinstance(node, ast.Attribute) and node.attr == "environ") or (
        isinstance(node, ast.Name) and node.id == "environ"
    )


def names_in_javascript(text: str) -> Iterator[str]:
    """Yield the variables that a source in JavaScript reads."""
    for match in _JAVASCRIPT.finditer(text):
        yield match[1] or match[2]
    if _BY_NAME.search(text):
        yield from _TEXT.findall(text)
    for match in _TAKEN_APART.finditer(text):
        for part in match[1].split(","):
            yield re.split(r"[:=]", part)[0].strip()
