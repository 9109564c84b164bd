"""The variables that a handler may ask for, by its source and its template: their names only."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from threatmodel.probe.runners.dependencies import template_near
from threatmodel.probe.secret_values import is_plain
from threatmodel.probe.source_check import source_files
from threatmodel.reading.files import Files
from threatmodel.reading.problems import InputError
from threatmodel.reading.source import read_text
from threatmodel.stacks.values import Node, Scalar, Table, as_text

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,99}\Z")
_LAMBDAS = re.compile(
    r"AWS_(?!.*(?:ARN|TABLE|QUEUE|BUCKET|SECRET_NAME))\w+|_\w+|LAMBDA_\w+|PATH|HOME|LANG|TZ|TMPDIR|PWD|PYTHONPATH|NODE_PATH"
    r"|CONTENT_(?:TYPE|LENGTH)|REQUEST_METHOD|PATH_INFO|QUERY_STRING|SCRIPT_NAME|SERVER_(?:NAME|PORT|PROTOCOL)"
    r"|REMOTE_ADDR|HTTP_(?:X_\w+|HOST|COOKIE|AUTHORIZATION|USER_AGENT)"
)
"""Names that Lambda itself sets or reserves, and those of a request (WSGI), whose table is called so too."""
_FUNCTIONS = frozenset({"AWS::Serverless::Function", "AWS::Lambda::Function"})
_ASKING = frozenset({"get", "getenv", "pop", "setdefault"})
_JAVASCRIPT = re.compile(r"process\.env(?:\.([A-Za-z_]\w*)|\[\s*['\"]([A-Za-z_]\w*)['\"]\s*\])")
_BY_NAME = re.compile(r"process\.env\[\s*[^'\"\]\s]")
_CAPITALS = re.compile(r"[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+\Z")
"""What a name of a variable looks like, where a source asks for one whose name is elsewhere in it."""
_TEXT = re.compile(r"['\"]([A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+)['\"]")
_TAKEN_APART = re.compile(r"\{([^{}]{0,2000})\}\s*=\s*process\.env\b")


def variables_asked_for(handler: Path, files: Files) -> tuple[str, ...]:
    """Names of variables that the source beside a handler reads, or that its template gives its function, in order."""
    found: list[str] = []
    for path in source_files(handler):
        text = read_text(path, path.as_posix())
        found += _in_python(text) if path.suffix == ".py" else _in_javascript(text)
    found += _in_template(handler, files)
    return tuple(dict.fromkeys(name for name in found if _NAME.match(name) and not _LAMBDAS.fullmatch(name)))


def _in_python(text: str) -> Iterator[str]:
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):  # the run itself says what is wrong with it
        return
    nodes = list(ast.walk(tree))
    if any(_asks_by_name(node) for node in nodes):
        yield from (text for node in nodes if (text := _constant(node)) and _CAPITALS.match(text))
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


def _constant(node: ast.AST) -> str:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""


def _is_environment(node: ast.expr) -> bool:
    return (isinstance(node, ast.Attribute) and node.attr == "environ") or (
        isinstance(node, ast.Name) and node.id == "environ"
    )


def _in_javascript(text: str) -> Iterator[str]:
    for match in _JAVASCRIPT.finditer(text):
        yield match[1] or match[2]
    if _BY_NAME.search(text):
        yield from _TEXT.findall(text)
    for match in _TAKEN_APART.finditer(text):
        for part in match[1].split(","):
            yield re.split(r"[:=]", part)[0].strip()


def _in_template(handler: Path, files: Files) -> Iterator[str]:
    """What the template gives the function whose handler this is; all functions, where it names no such one."""
    yield from (name for name, _ in _given(handler, files))


def literals_of(handler: Path, files: Files) -> Mapping[str, str]:
    """The variables whose values the template spells for its function: a result counts only with the same ones."""
    found: dict[str, str] = {}
    for name, node in _given(handler, files):
        if isinstance(node, Scalar) and not node.given and node.value is not None and "\n" not in as_text(node):
            found[name] = as_text(node)
    return {name: value for name, value in found.items() if is_plain(name, value, "")}


def _given(handler: Path, files: Files) -> Iterator[tuple[str, Node]]:
    try:
        stack = template_near(handler.absolute(), files)
    except InputError:
        return
    functions = [one.properties for one in stack.resources.values() if one.type in _FUNCTIONS] if stack else []
    own = [one for one in functions if _module(one) == handler.stem]
    for properties in own or functions:
        environment = properties.entries.get("Environment")
        given = environment.entries.get("Variables") if isinstance(environment, Table) else None
        yield from given.entries.items() if isinstance(given, Table) else ()


def _module(properties: Table) -> str:
    node = properties.entries.get("Handler")
    text = node.value if isinstance(node, Scalar) and isinstance(node.value, str) else ""
    return text.rpartition(".")[0].replace(".", "/").rpartition("/")[2]
