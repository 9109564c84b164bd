"""What a tool's result says, whatever tool it is."""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from threatmodel.reading.values import dataclass


class Finding(NamedTuple):
    """One row of a result: a rule that a tool applied to one thing.

    `passed` says that the tool states so explicitly; otherwise the rule found a fault.  It is about a `file` and line,
    or a `resource`: an ARN, or the name that a file of infrastructure code has for it.  `part` is where in the result
    it is, `region` the Region that it is about.  No text of the result is here that may hold a secret.
    """

    rule: str
    part: str
    file: str = ""
    line: int = 0
    resource: str = ""
    passed: bool = False
    region: str = ""


@dataclass(frozen=True, kw_only=True)
class Results:
    """All that one result says.

    `read` are the files that the tool read (None where it does not say), `unread` those that it could not, each with
    the reason.  `doubts` are why the result does not count: edited, cut short, of an unknown version.  `made` is when
    it was made, `revision` of which commit, `account` in which account of AWS.
    """

    tool: str
    version: str = ""
    findings: Sequence[Finding] = ()
    read: frozenset[str] | None = None
    unread: Sequence[tuple[str, str]] = ()
    doubts: Sequence[str] = ()
    made: datetime.datetime | None = None
    revision: str = ""
    account: str = ""


def table(raw: object) -> Mapping[str, Any]:
    """Return a JSON object; an empty one where it is anything else."""
    return raw if isinstance(raw, dict) else {}


def rows(raw: object) -> Sequence[Mapping[str, Any]]:
    """Return the objects of a JSON array; none where it is anything else."""
    return [one for one in raw if isinstance(one, dict)] if isinstance(raw, list) else ()


def text(raw: object, largest: int = 400) -> str:
    """Return a short text in one line; '' for anything else."""
    return raw if isinstance(raw, str) and len(raw) <= largest and raw.isprintable() else ""


def texts(raw: object) -> Sequence[str]:
    """Return the short texts of a JSON array; none where it is anything else."""
    return list(filter(None, map(text, raw))) if isinstance(raw, list) else ()


def number(raw: object) -> int:
    """Return a whole number that is not negative; 0 for anything else."""
    return raw if isinstance(raw, int) and not isinstance(raw, bool) and raw >= 0 else 0
