"""Threats and controls by what people call them."""

from __future__ import annotations

import re
from itertools import chain

from threatmodel.library.format import Control, Library, Threat


def named(library: Library, words: str) -> tuple[Threat | Control, ...]:
    """The threat or control of an id; else all that have these words among their aliases, threats first.

    Case, spaces and hyphens make no difference between aliases.
    """
    if words in library.threats:
        return (library.threats[words],)
    if words in library.controls:
        return (library.controls[words],)
    return tuple(one for one in _all(library) if _plain(words) in map(_plain, one.aliases))


def aliases(library: Library) -> tuple[str, ...]:
    """Every alias there is, once."""
    return tuple(dict.fromkeys(alias for one in _all(library) for alias in one.aliases))


def _all(library: Library) -> chain[Threat | Control]:
    return chain(library.threats.values(), library.controls.values())


def _plain(words: str) -> str:
    return re.sub(r"[\s_-]+", " ", words).strip().casefold()
