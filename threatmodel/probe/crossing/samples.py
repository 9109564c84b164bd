"""Short texts that a regular expression matches, one for each of its alternatives."""

from __future__ import annotations

import re

MOST = 8
"""Alternatives of one expression."""
_LONGEST = 80
_CLASSES = {"d": "1", "D": "a", "w": "a", "W": "-", "s": " ", "S": "a", "b": "", "B": "", "A": "", "Z": "", "n": "\n"}
_GROUP = re.compile(r"\((\?P?<\w+>|\?[a-z-]*:|\?<?[=!])?")
_SET = re.compile(r"\[(\^?)((?:\\.|[^\\])(?:\\.|[^\]\\])*)\]", re.DOTALL)
_COUNT = re.compile(r"(?:[*+?]|\{(\d+)(?:,\d*)?\})[?+]?")
SPECIAL = re.compile(r"\\|[\^$|\[]|\(\?|[)*+.]\?|[)\].][*+]")
"""What makes a text likely a regular expression."""


def samples(pattern: str) -> tuple[str, ...]:
    """Return texts that match; what an expression only excludes or looks ahead for is left out."""
    return tuple(dict.fromkeys(text[:_LONGEST] for text in _alternatives(pattern, 0)[0]))


def _alternatives(pattern: str, at: int) -> tuple[list[str], int]:
    """Return the texts of the alternatives from a position on, and where their group ends."""
    found: list[str] = []
    whole = [""]
    while at < len(pattern) and pattern[at] != ")":
        if pattern[at] == "|":
            found, whole, at = found + whole, [""], at + 1
            continue
        parts, at = _part(pattern, at)
        if count := _COUNT.match(pattern, at):
            times = min(int(count[1] or 1), _LONGEST)
            parts, at = [(part * times)[:_LONGEST] for part in parts], count.end()
        whole = [f"{before}{part}" for before in whole for part in parts][:MOST]
    return (found + whole)[:MOST], at


def _part(pattern: str, at: int) -> tuple[list[str], int]:
    """Return the texts of the next part, and where it ends."""
    if group := _GROUP.match(pattern, at):
        inner, end = _alternatives(pattern, group.end())
        looks_around = (group[1] or "")[-1:] in {"=", "!"}
        return [""] if looks_around else inner, end + 1
    if members := _SET.match(pattern, at):
        first = re.sub(r"\\(.)", lambda one: _CLASSES.get(one[1], one[1]), members[2])[:1]
        return ["-" if members[1] else first], members.end()
    if pattern[at] == "\\" and at + 1 < len(pattern):
        return [_CLASSES.get(pattern[at + 1], pattern[at + 1])], at + 2
    return [{"^": "", "$": "", ".": "a"}.get(pattern[at], pattern[at])], at + 1
