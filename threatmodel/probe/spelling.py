"""How a value may be spelled in a text that holds it: as it is, as a form or JSON writes it, in base64."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator
from urllib.parse import quote, quote_plus

_BASE64 = re.compile(r"[A-Za-z0-9+/_-]{16,}")
_URL_SAFE = str.maketrans("+/", "-_")


def spellings(value: str) -> Iterator[str]:
    """Yield the value itself, and as a form or JSON writes it."""
    quoted = json.dumps(value)[1:-1]
    yield from {value, quote_plus(value), quote(value, safe=""), quoted, quoted.replace("/", "\\/")}


def decoded(text: str) -> str:
    """Return what a text has in base64, each on a line."""
    found = (run[: len(run) - (len(run) % 4 == 1)] for run in _BASE64.findall(text))
    return "\n".join(base64.urlsafe_b64decode(f"{run.translate(_URL_SAFE)}==").decode("latin-1") for run in found)
