"""Tokens of requests that a handler decodes without verifying them."""

from __future__ import annotations

import re
from collections.abc import Iterator

from threatmodel.beside.code.observed import CERTAIN, SIGN, Observed, Reading
from threatmodel.beside.code.syntax import Node, walk

_PYTHON = re.compile(r"\Ajwt\.decode\Z|\Ajose\.jwt\.decode\Z")
_ONLY_DECODES = re.compile(r"\Ajsonwebtoken\.decode\Z|\Ajwt-decode(?:\.jwtDecode)?\Z|\.get_unverified_claims\Z")

_VERIFIES = re.compile(r"\Ajwt\.decode\Z|\Ajose\.jwt\.decode\Z|(?:\.|\A)(?:verify|jwtVerify|verify_\w+|verifySync)\Z")


def tokens(reading: Reading) -> Iterator[Observed]:
    """Yield the first token that is decoded and not verified; it is a sign where another call verifies one."""
    verified = any(_VERIFIES.search(name) and not _is_off(node) for _, node, name in reading.program.calls)
    for function, call, name in reading.program.sure_calls:
        if _ONLY_DECODES.search(name) or (_PYTHON.search(name) and _is_off(call)):
            note = f"{call.parts[0].name}() decodes a token without verifying its signature"
            yield reading.at("unverified-token", SIGN if verified else CERTAIN, (function, call), note)
            return


def _is_off(call: Node) -> bool:
    """Return whether a call of PyJWT or jose says that the signature is not verified."""
    return any(
        one.kind in {"pair", "keyword"}
        and one.name in {"verify_signature", "verify"}
        and one.parts[0].kind == "constant"
        and one.parts[0].name == "false"
        for one in walk(call)
    )
