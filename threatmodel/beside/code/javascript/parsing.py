"""A file of JavaScript or TypeScript, parsed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache

import tree_sitter
import tree_sitter_javascript
import tree_sitter_typescript

from threatmodel.beside.code.javascript import expressions, statements
from threatmodel.beside.code.javascript.tree import EXPRESSIONS, STATEMENTS, Tree, block
from threatmodel.beside.code.syntax import Node, ParseError, too_deep

EXPRESSIONS.update({**expressions.MADE, **statements.DEFINED})
STATEMENTS.update(statements.MADE)

_LANGUAGES: Mapping[str, Callable[[], object]] = {
    **dict.fromkeys((".ts", ".mts", ".cts"), tree_sitter_typescript.language_typescript),
    ".tsx": tree_sitter_typescript.language_tsx,
}


def parse(text: str, ending: str, *, partly: bool = False) -> Node:
    """Return a script or module as a block; `partly`: as far as it can be parsed.  Raises ParseError."""
    root = tree_of(text, ending, partly=partly)
    try:
        return block(root, root)
    except RecursionError:
        raise too_deep() from None


def tree_of(text: str, ending: str, *, partly: bool = False) -> Tree:
    """Return the tree of a script or module.  Raises ParseError."""
    root = _parser(ending).parse(text.encode("utf-8", "surrogatepass")).root_node
    if root.has_error and not partly:
        raise ParseError(_first_error(root), f"no {'TypeScript' if ending in _LANGUAGES else 'JavaScript'} that parses")
    return root


@cache
def _parser(ending: str) -> tree_sitter.Parser:
    make = _LANGUAGES.get(ending, tree_sitter_javascript.language)
    return tree_sitter.Parser(tree_sitter.Language(make()))


def _first_error(root: Tree) -> int:
    ahead = [root]
    while ahead:
        one = ahead.pop()
        if one.is_error or one.is_missing:
            return one.start_point.row + 1
        ahead.extend(reversed([child for child in one.children if child.has_error or child.is_missing]))
    return 1
