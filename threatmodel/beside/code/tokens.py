"""Tokens of requests that a handler decodes without verifying them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from threatmodel.beside.code.functions import Function
from threatmodel.beside.code.observed import CERTAIN, SIGN, Observed, Reading
from threatmodel.beside.code.syntax import Node, walk

_PYTHON = re.compile(r"\Ajwt\.decode\Z|\Ajose\.jwt\.decode\Z")
_ONLY_DECODES = re.compile(r"\Ajsonwebtoken\.decode\Z|\Ajwt-decode(?:\.jwtDecode)?\Z|\.get_unverified_claims\Z")
_BASE64 = re.compile(
    r"(?:\A|\.)(?:b64decode|urlsafe_b64decode|standard_b64decode|atob|Buffer\.from|base64url\.decode)\Z"
)
_VERIFIES = re.compile(r"\Ajwt\.decode\Z|\Ajose\.jwt\.decode\Z|(?:\.|\A)(?:verify|jwtVerify|verify_\w+|verifySync)\Z")


def tokens(reading: Reading) -> Iterator[Observed]:
    """Yield the first token that is decoded and not verified; it is a sign where another call verifies one."""
    verified = any(_VERIFIES.search(name) and not _is_off(node) for _, node, name in reading.program.calls)
    for function, call, name in reading.program.sure_calls:
        by_hand = _BASE64.search(name) and any(_is_claims(one, function) for one in call.parts[1:2])
        if by_hand or _ONLY_DECODES.search(name) or (_PYTHON.search(name) and _is_off(call)):
            note = f"{call.parts[0].name}() decodes a token without verifying its signature"
            yield reading.at("unverified-token", SIGN if verified else CERTAIN, (function, call), note)
            return


def _is_claims(node: Node, function: Function) -> bool:
    """Return whether an expression is the second part of a text that is split at its dots: the claims of a token."""
    if node.kind == "join":  # with padding
        return any(_is_claims(one, function) for one in node.parts)
    return any(
        one.kind == "item" and one.parts[1].name == "1" and any(map(_is_split, _values(one.parts[0], function)))
        for one in _values(node, function)
    )


def _values(node: Node, function: Function) -> Sequence[Node]:
    return function.assigned.get(node.name, ()) if node.kind == "name" else [node]


def _is_split(node: Node) -> bool:
    """Return whether a call splits a text at its dots."""
    return node.kind == "call" and node.parts[0].name == "split" and [one.name for one in node.parts[1:2]] == ["."]


def _is_off(call: Node) -> bool:
    """Return whether a call of PyJWT or jose says that the signature is not verified."""
    return any(
        one.kind in {"pair", "keyword"}
        and one.name in {"verify_signature", "verify"}
        and one.parts[0].kind == "constant"
        and one.parts[0].name == "false"
        for one in walk(call)
    )
