"""Texts in a handler's source that may stand where its secret should: what it falls back to, and what it signs with.

Only guesses, for what else to sign with: a request that is signed with a wrong one is rejected like any other.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from threatmodel.beside.code.syntax import Node

_TEXT = re.compile(r"[!-~]{1,100}\Z")
_NAME = re.compile(r"secret|sign|key|salt|\Adefault\Z", re.IGNORECASE)
_ASKING = frozenset({"get", "getenv", "pop", "setdefault", "createHmac"})
"""What may be given a secret after the name of something."""
_SIGNING = frozenset({"new", "SignatureVerifier"})
"""What may be given a secret first."""


def defaults_in(nodes: Iterable[Node]) -> Iterator[str]:
    """Yield the texts of a source, those first that are nearest to a default of a secret."""
    found = [
        (rank, word) for node in nodes for rank, values in _values(node) for value in values if (word := _word(value))
    ]
    yield from (word for _, word in sorted(found, key=lambda one: one[0]))


def _values(node: Node) -> Iterator[tuple[int, Sequence[Node]]]:
    match node.kind:
        case "call":
            called, given = node.parts[0].name, node.parts[1:]
            signs = called in _SIGNING or (called == "digest" and len(given) > 1)
            yield 0, given[1:2] if called in _ASKING else given[:1] if signs else ()
        case "or":
            yield 0, node.parts
        case "choice":
            yield 0, node.parts[1:]
        case "assign" if node.name == "+" or _NAME.search(node.parts[0].name):
            yield 0, node.parts[1:]
        case "keyword" | "pair" if _NAME.search(node.name):
            yield 0, node.parts[:1]
        case "parameter":
            yield (0 if _NAME.search(node.name) else 1), node.parts
        case "list" | "return":
            yield 2, node.parts


def _word(node: Node) -> str:
    """Return a text, or bytes of one, that could be a secret; '' for anything else."""
    if node.kind == "call" and node.parts[0].kind == "attribute" and node.parts[0].name == "encode":
        node = node.parts[0].parts[0]
    return node.name if node.kind == "text" and _TEXT.match(node.name) else ""
