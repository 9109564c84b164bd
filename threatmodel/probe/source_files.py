"""The source of a handler, and what it parses to."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from threatmodel.beside.code.syntax import Node, ParseError, made
from threatmodel.probe.folder import LEFT_OUT

_PYTHON = frozenset({".py"})
_JAVASCRIPT = frozenset({".js", ".mjs", ".cjs"})


def source_files(handler: Path, folder: Path | None = None) -> Iterable[Path]:
    """The handler's file and others of its language in its folder, without packages that were installed into it.

    `folder` is what is deployed, where that is not the file's own folder.
    """
    endings = _PYTHON if handler.suffix in _PYTHON else _JAVASCRIPT
    folder = folder or handler.parent
    installed = {path.parent for path in folder.rglob("*.dist-info")}
    left_out = LEFT_OUT | {"node_modules"}
    return sorted(
        path
        for path in (folder.glob("*") if folder in installed else folder.rglob("*"))
        if path.suffix in endings
        and path.is_file()
        and not left_out & set(path.relative_to(folder).parts)
        and not (installed - {folder}) & set(path.parents)
    )


def block_of(text: str, suffix: str) -> Node:
    """Return the text of a file as a block, as far as it can be parsed: an empty one where it cannot be at all."""
    try:
        if suffix in _PYTHON:
            from threatmodel.beside.code.python import parse as parse_python

            block = parse_python(text)
        else:
            from threatmodel.beside.code.javascript.parsing import parse

            block = parse(text, suffix, partly=True)
        return made(block)
    except ParseError:  # the run itself says what is wrong with it
        return Node("block", "", (), 1, 1)
