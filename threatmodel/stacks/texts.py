"""Texts that are put together of others: whatever language a file is in, one rule says what pieces make."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeAlias

from threatmodel.reading.problems import Place
from threatmodel.stacks.values import (
    Joined,
    Link,
    List,
    Node,
    Scalar,
    Table,
    Unknown,
    as_text,
    choices_of,
    node_of,
    rebuilt,
    spelling,
)
from threatmodel.stacks.work import CHARACTERS, Work

Part: TypeAlias = "str | Link | Unknown"


def joined(pieces: Iterable[Node | str], place: Place, work: Work | None = None, times: int = 1) -> Node:
    """Return the text that pieces make; a link or an unknown alone stays what it is.

    The parameters that a piece comes from are those of the text too, and it is spelled with their names.  What each
    piece adds counts as `work`, so many `times`; a text that exceeds it is unknown.
    """
    parts: list[Part] = []
    last: list[str] = []
    given: dict[str, None] = {}
    spelled: list[str] = []
    for piece in pieces:
        found, by = _parts(piece)
        length = sum(len(part) if isinstance(part, str) else CHARACTERS for part in found) + len(by) * CHARACTERS
        if work is not None and not work.characters(times * length):
            return Unknown(work.why, place)
        given |= dict.fromkeys(by)
        spelled.append(spelling(piece))
        if work is not None and not work.characters(times * max(0, len(spelled[-1]) - length)):
            return Unknown(work.why, place)
        for part in found:
            if isinstance(part, str):
                last.append(part)
                continue
            parts += filter(None, ("".join(last), part))
            last = []
    shown = "".join(spelled) if given else ""
    end = "".join(last)
    if not parts:
        return Scalar(end, place, tuple(given), shown)
    if len(parts) == 1 and not end and not isinstance(parts[0], str):
        return parts[0]._replace(place=place)
    return Joined((*parts, end) if end else tuple(parts), place, tuple(given), shown)


def _parts(piece: Node | str) -> tuple[tuple[Part, ...], tuple[str, ...]]:
    """The parts of a text that a piece of it makes, and the parameters that it came from."""
    match piece:
        case str():
            return (piece,), ()
        case Scalar(given=given):
            return (as_text(piece),), given
        case Joined(parts=parts, given=given):
            return parts, given
        case Unknown(given=given):
            return (piece,), given
        case Link():
            return (piece,), ()
        case _:
            return (Unknown("a part of the text is not a text", piece.place, choices=choices_of(piece)),), ()


def relinked(node: Node, change: Callable[[Any], Node], kind: type[Link | Unknown] = Link) -> Node:
    """A node in which something else replaces each link (or what is unknown); itself where nothing does."""
    if isinstance(node, kind):
        return change(node)
    match node:
        case Joined(parts=parts) if any(isinstance(part, kind) for part in parts):
            pieces = [change(part) if isinstance(part, kind) else part for part in parts]
            found = joined([Scalar("", node.place, node.given), *pieces], node.place)
            return found._replace(spelled="") if isinstance(found, Scalar | Joined) else found
        case Unknown(usual=usual) if usual is not None:
            return node._replace(usual=relinked(usual, change, kind))
        case _:
            return rebuilt(node, lambda child: relinked(child, change, kind))


# --- patterns


@functools.cache
def _split(pattern: str) -> tuple[str, ...]:
    """Texts and names in turn."""
    return tuple(re.split(r"\$\{([^}]+)\}", pattern))


def filled(pattern: Any, values: Mapping[str, Node], place: Place) -> Node:
    """Return plain data in whose texts ``${Name}`` stands for a value, and ``${AWS::...}`` for itself."""
    if isinstance(pattern, str):
        return written(pattern, values, place)
    if isinstance(pattern, dict):
        return Table({key: filled(child, values, place) for key, child in pattern.items()}, place)
    if isinstance(pattern, list):
        return List(tuple(filled(child, values, place) for child in pattern), place)
    return node_of(pattern, place)


def written(pattern: str, values: Mapping[str, Node], place: Place) -> Node:
    """Return the text of a pattern such as ``arn:aws:s3:::${Bucket}/*``; a value alone stays what it is."""
    split = _split(pattern)
    if len(split) == 1:
        return Scalar(pattern, place)
    pieces = [values.get(part, f"${{{part}}}") if index % 2 else part for index, part in enumerate(split)]
    if len(split) == 3 and not split[0] and not split[2]:  # noqa: PLR2004 - nothing, a name, nothing
        return node_of(pieces[1], place)
    return joined(pieces, place)
