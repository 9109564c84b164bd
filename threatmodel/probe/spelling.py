"""How a value may be spelled in a text that holds it: as it is, as a form or JSON writes it, in base64."""

from __future__ import annotations

import base64
import contextlib
import json
import re
import zlib
from collections.abc import Iterator
from urllib.parse import quote, quote_plus

_BASE64 = re.compile(r"[A-Za-z0-9+/_-]{16,}")
_HEX = re.compile(r"\b(?:[0-9a-fA-F]{2}){16,}\b")
_BASE85 = re.compile(r"(?<![^\s\"'])[!#-&(-+\-0-9;-Z^-z{-~]{32,20000}(?![^\s\"'])")
_ANY_HEAD, _MOST = 47, 200_000
"""For zlib: a head of zlib or gzip; and the bytes that are unpacked."""
_URL_SAFE = str.maketrans("+/", "-_")


def spellings(value: str) -> Iterator[str]:
    """Yield the value itself, and as a form or JSON writes it."""
    quoted = json.dumps(value)[1:-1]
    yield from {value, quote_plus(value), quote(value, safe=""), quoted, quoted.replace("/", "\\/")}


def decoded(text: str) -> str:
    """Return what a text has in base64, base85 or as hexadecimal digits, unpacked, each on a line."""
    found = (run[: len(run) - (len(run) % 4 == 1)] for run in _BASE64.findall(text))
    whole = [base64.urlsafe_b64decode(f"{run.translate(_URL_SAFE)}==") for run in found]
    whole += [bytes.fromhex(run) for run in _HEX.findall(text)]
    for run in _BASE85.findall(text):
        with contextlib.suppress(ValueError):
            whole.append(base64.b85decode(run))
    return "\n".join(_unpacked(one).decode("latin-1") for one in whole)


def _unpacked(data: bytes) -> bytes:
    """Return what was compressed, up to a limit; other bytes as they are."""
    try:
        return zlib.decompressobj(_ANY_HEAD).decompress(data, _MOST)
    except zlib.error:
        return data
