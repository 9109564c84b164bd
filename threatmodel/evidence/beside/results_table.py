"""The reviewed table of what rules of other tools say of facts: results.yaml beside this file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from threatmodel.reading.files import Files
from threatmodel.reading.values import dataclass

FILE = Path(__file__).with_name("results.yaml")
NOTHING: Any = object()
"""Stands for a value that a row does not have: null is one."""
_ANY = "*"


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """What one rule says of one fact; the first lines of the table describe the keys."""

    rule: str
    of: str
    fact: str
    fails: Any = NOTHING
    passes: Any = NOTHING
    clear: Any = NOTHING
    sign: str = ""
    only: str = ""


@cache
def table() -> Mapping[str, Sequence[Row]]:
    """Return the rows by tool."""
    root: Any = Files().document(FILE).root
    return {tool: tuple(Row(**one) for one in rows) for tool, rows in root.items()}


def rows_of(tool: str, rule: str) -> Sequence[Row]:
    """Return what a rule of a tool says, the exact rows only where there are any."""
    every = table().get(tool, ())
    name = rule.rpartition(".")[2] if tool == "semgrep" else rule
    return [one for one in every if one.rule == name] or [one for one in every if _fits(one.rule, name)]


def _fits(pattern: str, name: str) -> bool:
    return pattern.endswith(_ANY) and name.startswith(pattern[: -len(_ANY)])
