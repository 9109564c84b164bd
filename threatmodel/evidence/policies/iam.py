"""IAM's actions with their access levels, how ARNs end, and AWS's own policies: tables of scripts/iam_actions.py."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from functools import cache, lru_cache, partial
from typing import Any, NamedTuple

from threatmodel.reading.tables import table

LONGEST_ACTION = 200
"""Characters of an action; nothing longer is one."""

LONGEST_RESOURCE = 4096
"""Characters of a resource's pattern that are compared; what a longer one covers is unknown."""


class IamAction(NamedTuple):
    """One action: `level` is list, read, write, tagging or permissions, `limitable` whether it can name resources."""

    name: str
    level: str
    limitable: bool


_raw_actions = partial(table, __file__, "iam-actions.json")


@cache
def actions_of(service: str) -> Mapping[str, IamAction]:
    """The actions of a service by their name in small letters; none for a service that the table lacks."""
    found = {}
    for level, names in _raw_actions().get(service, {}).items():
        for name in names.split():
            found[f"{service}:{name}".lower()] = IamAction(
                f"{service}:{name}", level.rstrip("*"), not level.endswith("*")
            )
    return found


@lru_cache(maxsize=4096)
def glob(pattern: str) -> re.Pattern[str]:
    """A pattern of IAM, in which ``*`` is any text and ``?`` any character, as an expression for `fullmatch`.

    Each part up to the last is taken where it first fits, so that time grows with the length of the text.
    """
    *heads, last = (
        "".join("." if part == "?" else re.escape(part) for part in re.split(r"(\?)", piece))
        for piece in re.split(r"\*+", pattern)
    )
    if not heads:
        return re.compile(last, re.DOTALL)
    first, *middle = heads
    return re.compile(first + "".join(f"(?>.*?{part})" for part in middle) + f".*{last}", re.DOTALL)


@lru_cache(maxsize=4096)
def expanded(pattern: str) -> tuple[IamAction, ...]:
    """The actions of the table that a pattern (in small letters) covers; none where it is no action that is known."""
    if len(pattern) > LONGEST_ACTION:
        return ()
    service, colon, _ = pattern.partition(":")
    if not colon and pattern.strip("*?"):
        return ()
    return tuple(_covered(pattern if colon else "*:*", service if colon else "*"))


def by_service(actions: Iterable[IamAction]) -> Mapping[str, list[IamAction]]:
    """Some actions by their service, in small letters."""
    found: dict[str, list[IamAction]] = {}
    for action in actions:
        found.setdefault(action.name.partition(":")[0].lower(), []).append(action)
    return found


def _covered(pattern: str, service: str) -> Iterator[IamAction]:
    names = [service] if not re.search(r"[*?]", service) else [s for s in _raw_actions() if glob(service).fullmatch(s)]
    for name in names:
        known = actions_of(name)
        if pattern in known:
            yield known[pattern]
        elif "*" in pattern or "?" in pattern:
            wanted = glob(pattern)
            yield from (action for spelt, action in known.items() if wanted.fullmatch(spelt))


@lru_cache(maxsize=4096)
def searched(pattern: str) -> int:
    """How many actions of the table a pattern is held against; one where it is an action, a service or everything."""
    service, _, verb = pattern.partition(":")
    if not re.search(r"[*?]", pattern) or not pattern.strip("*:"):
        return 1
    if re.search(r"[*?]", service):
        return every_action()
    return 1 if verb == "*" else 1 + len(actions_of(service))


@cache
def every_action() -> int:
    """How many actions the table has."""
    return sum(len(actions_of(name)) for name in _raw_actions())


def known_service(service: str) -> bool:
    """Whether the table has the actions of a service."""
    return service in _raw_actions()


_ANY_NAME = "\ue000-\ue000\ue000\ue000-\ue000\ue000\ue000\ue000\ue000\ue000"
"""Stands for every name at once: no policy spells it, and only a wildcard fits it.

It has the dashes of the names that CloudFormation and Secrets Manager make up.
"""


@lru_cache(maxsize=256)
def every_resource(service: str) -> tuple[str, ...] | None:
    """How the ARN of any resource of a service ends, kind by kind: what no policy spells stands for its names.

    None of a service that the table lacks.
    """
    found: str | None = table(__file__, "iam-resources.json").get(service)
    return None if found is None else tuple(one.replace("{}", _ANY_NAME) for one in found.split())


def managed_policies() -> Mapping[str, Mapping[str, Any]]:
    """AWS's own policies that are known: by name, their path and statements."""
    return table(__file__, "iam-managed.json")


# --- what watches an account
class Watched(NamedTuple):
    """Of one service, as IAM's actions in small letters: what blinds it, and changes without a judgment."""

    blinds: tuple[str, ...]
    unjudged: tuple[str, ...]


@cache
def watched() -> Mapping[str, Watched]:
    """The services that watch an account, by IAM's name of each."""
    raw = table(__file__, "detection.json")
    return {
        service: Watched(
            *(tuple(f"{service}:{name}".lower() for name in row[kind].split()) for kind in Watched._fields)
        )
        for service, row in raw.items()
        if isinstance(row, dict)
    }
