"""The variables that a handler may ask for, by its source and its template: their names only."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from threatmodel.beside.code.syntax import walk
from threatmodel.probe.runners.dependencies import template_near
from threatmodel.probe.secret_values import is_plain
from threatmodel.probe.source_files import block_of, source_files
from threatmodel.probe.source_variables import names_in
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


def variables_asked_for(handler: Path, files: Files, folder: Path | None = None) -> tuple[str, ...]:
    """Names of variables that the source beside a handler reads, or that its template gives its function, in order."""
    found: list[str] = []
    for path in source_files(handler, folder):
        found += names_in(list(walk(block_of(read_text(path, path.as_posix()), path.suffix))))
    found += _in_template(handler, files)
    return tuple(dict.fromkeys(name for name in found if _NAME.match(name) and not _LAMBDAS.fullmatch(name)))


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
