"""Threats and controls by what people call them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from itertools import chain

from threatmodel.library.entries import Control, Library, Threat
from threatmodel.reading.problems import suggestion

Named = Mapping[str, Threat] | Mapping[str, Control] | Mapping[str, Threat | Control]


def named(library: Library, words: str) -> tuple[Threat | Control, ...]:
    """The threat or control of an id, or what took it in; else all that are also called so, threats first.

    Case, spaces and hyphens make no difference between aliases.
    """
    if words in library.threats:
        return (library.threats[words],)
    if words in library.controls:
        return (library.controls[words],)
    if before := tuple(one for one in _all(library) if words in (*one.formerly, *one.took_in)):
        return before
    return tuple(one for one in _all(library) if _plain(words) in map(_plain, one.aliases))


def successor(items: Named, name: str) -> str | None:
    """The id of what took in the threat or control of an older library."""
    return next((one.id for one in items.values() if name in one.took_in), None)


def hint(items: Named, name: str, otherwise: str = "") -> str:
    """What to write for an id that is none: what took it in, else the one that is nearest to it."""
    after = successor(items, name)
    return f"it is part of '{after}' now" if after else suggestion(name, items) or otherwise


def aliases(library: Library) -> tuple[str, ...]:
    """Every alias there is, once."""
    return tuple(dict.fromkeys(alias for one in _all(library) for alias in one.aliases))


def _all(library: Library) -> chain[Threat | Control]:
    return chain(library.threats.values(), library.controls.values())


def _plain(words: str) -> str:
    return re.sub(r"[\s_-]+", " ", words).strip().casefold()
