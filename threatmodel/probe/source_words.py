"""What both languages share: which names mean a signature, and what a reading found."""

from __future__ import annotations

import re
from typing import NamedTuple

_PARTS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")
_SIGNATURE = frozenset({"signature", "signatures", "sig", "digest", "hexdigest", "hmac", "mac"})
_ABOUT = frozenset(
    {"header", "headers", "name", "names", "key", "version", "prefix", "pattern", "regex", "method", "mod"}
)
_ABOUT |= {"length", "len", "size", "type", "count", "valid", "ok", "verified", "error", "enabled", "required", "alg"}
_ABOUT |= {"algorithm", "window", "verifier", "secret"}


class UnreadableSourceError(Exception):
    """The text cannot be read as source; the message has line and reason."""


class Compared(NamedTuple):
    """Line and column of each equality on a signature, and of each constant-time comparison of one."""

    equal: tuple[tuple[int, int], ...]
    constant: tuple[tuple[int, int], ...]


def names_signature(name: str) -> bool:
    """Whether a variable of this name holds a signature or digest, and not something about one."""
    parts = {part.lower() for part in _PARTS.findall(name)}
    return bool(parts & _SIGNATURE) and not parts & _ABOUT
