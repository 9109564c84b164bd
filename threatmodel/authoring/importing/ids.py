"""The id of each element of an import: what people would call it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from threatmodel.evidence.matching import ENDINGS, kebab
from threatmodel.evidence.outside import host_of, is_host, names_of, outside
from threatmodel.model.reference_architecture import RESERVED
from threatmodel.reading.shape import LONGEST_ID

_SHORTENED = {"function", "store"}
"""The kinds of which people leave the usual ending out: an order table holds orders, an api is still an api."""
_SAYS_NOTHING = frozenset(("this", "main", "default", "function", "lambda", "fn", "handler", "resource", "self", "x"))
"""Names without a meaning of the element: a module, or the key of a loop."""
_PART = re.compile(r"([^.\[\]]+)(?:\[([^\]]*)\])?(?:\.|\Z)")


class _Name(NamedTuple):
    """A resource's name in parts: those that lead to it (modules, nested stacks), its own, and the key of a loop."""

    above: tuple[str, ...]
    own: str
    key: str


def host_id(name: str) -> str:
    """The id of a host; '' where it is Slack's, which every model has."""
    host = host_of(name)
    return "" if host == "slack.com" or host.endswith(".slack.com") else kebab(host)


def element_ids(kinds: Mapping[str, str], known: Mapping[str, str], called: Mapping[str, str]) -> Mapping[str, str]:
    """An id for each resource of `kinds` (by name) that `known` (resource to id) does not have yet.

    `called` has the names that people use where a resource's own is a machine's, what is around it before dots.
    """
    new = {name: kind for name, kind in kinds.items() if name not in known}
    first = Counter(_usual(called.get(name, name), kind)[0] for name, kind in new.items())
    taken = {*known.values(), *RESERVED}
    found: dict[str, str] = {}
    for name, kind in new.items():
        said = called.get(name, name)
        usual = _usual(said, kind)
        within = _parts(said).above
        repeats = bool(within) and usual[0].startswith(kebab(within[-1]))
        if (first[usual[0]] > 1 or usual[0] in taken) and within and not repeats and outside(name) is None:
            usual = (f"{kebab(within[-1])}-{usual[0]}", *usual)
        found[name] = _free(usual, taken)
        taken.add(found[name])
    return found


def _free(usual: tuple[str, ...], taken: set[str]) -> str:
    """The first id that is free and short enough; else one with a number."""
    element = next((one for one in usual if one not in taken and len(one) <= LONGEST_ID), "")
    number = 2
    while not element:
        numbered = f"{usual[0][: LONGEST_ID - 10].rstrip('-')}-{number}"
        element = numbered if numbered not in taken else ""
        number += 1
    return element


def _usual(name: str, kind: str) -> tuple[str, ...]:
    """What people would call it, the best first."""
    plain = _plain(name, kind)
    parts = _parts(name)
    if outside(name) is not None or is_host(name):
        return plain
    key = kebab(parts.key) if re.search("[A-Za-z]", parts.key) else ""
    if plain[0] in _SAYS_NOTHING:
        label = key or (kebab(parts.above[-1]) if parts.above else "")
        if label:
            return label, f"{label}-{kind.rpartition(' ')[2]}", *plain
    return (f"{plain[0]}-{key}", *plain) if key else plain


def _plain(name: str, kind: str) -> tuple[str, ...]:
    """The ids by which a resource is found again."""
    if (beyond := outside(name)) is not None:
        return tuple(dict.fromkeys(map(kebab, names_of(beyond))))
    if is_host(name):
        return host_id(name), f"{host_id(name)}-host"
    whole = kebab(_parts(name).own)
    endings = ("lambda-function", *ENDINGS[kind]) if kind in _SHORTENED else ()
    short = next((whole.removesuffix(f"-{end}") for end in endings if whole.endswith(f"-{end}")), whole)
    return short, whole, f"{whole}-{kind.rpartition(' ')[2]}"


def _parts(name: str) -> _Name:
    """A name in parts: of an address in a plan the modules, of a nested stack's resource the stacks around it."""
    found = [(one[1], (one[2] or "").strip("\"'")) for one in _PART.finditer(name)]
    if len(found) < 2:  # noqa: PLR2004 - what is around it, and itself
        return _Name((), name, "")
    own, key = found[-1]
    return _Name(tuple(_above(found[:-1])), own, key)


def _above(parts: list[tuple[str, str]]) -> Iterator[str]:
    names = [name for name, _ in parts]
    if names[0] != "module" and "_" not in names[-1]:  # as each type of a provider has, and no logical id
        yield from names
        return
    for at, name in enumerate(names[:-1]):
        if name == "module":
            module, key = parts[at + 1]
            yield f"{module}-{key}" if re.search("[A-Za-z]", key) else module
