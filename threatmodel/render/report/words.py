"""What a report's parts have in common: plain values, and facts, places and lists of names in words."""

from __future__ import annotations

import datetime
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TypeAlias

from threatmodel.assessment.control_state import State, Support, shown
from threatmodel.assessment.risk import Cell
from threatmodel.assessment.states import States
from threatmodel.model.facts import Statement
from threatmodel.model.system import tracked
from threatmodel.reading.grouping import grouped
from threatmodel.reading.problems import Place

Plain: TypeAlias = "str | int | bool | Sequence[Plain] | Mapping[str, Plain] | None"
"""What a template sees: text, numbers, lists and mappings."""

Row: TypeAlias = dict[str, Plain]

NAMED = 3
"""Names that a long list shows before it says how many more there are."""

ALL_NAMED = 20
"""Names up to which a list is shown whole."""

_BY = {
    "wiring": "follows from the kind of connection",
    "model": "stated in the model",
    "source": "stated by the code",
    "code": "shown by the code",
    "template": "template (as designed)",
    "probe": "probe (as observed)",
    "repository": "stated by the repository",
    "checkout": "shown by the repository",
    "tool": "stated by another tool",
    "result": "shown by another tool",
    "aws": "AWS (as deployed)",
    "host": "the host (as set)",
}
"""The origin of a fact, and what it proves."""

_NOUNS = {"api": ("API", "APIs"), "flow": ("data flow", "data flows")}
"""Nouns that are not a kind's id, or the id and an s."""


def where(place: Place | None) -> str:
    """Return a place as ``file:line``; '' for None."""
    return place.short if place is not None else ""


def noun(kind: str) -> str:
    """Return the noun for one element of a kind."""
    return _NOUNS[kind][0] if kind in _NOUNS else kind


def counted(count: int, noun: str) -> str:
    """Return ``1 finding``, ``2 findings``."""
    one, many = _NOUNS.get(noun, (noun, f"{noun}s"))
    return f"{count:,} {one if count == 1 else many}"


def listed(words: Sequence[str], last: str = "and") -> str:
    """Return ``a``, ``a and b``, ``a, b and c``."""
    return f" {last} ".join(filter(None, (", ".join(words[:-1]), *words[-1:])))


def with_work(reason: str, ticket: str, due: datetime.date | None) -> str:
    """Return a reason, with its ticket and due date."""
    work = tracked(ticket, due)
    return f"{reason} ({work})" if work else reason


def names(found: Sequence[str], noun: str = "", whole: int = ALL_NAMED) -> Row:
    """A list of names: those to show first (all up to `whole`), how many there are and more, and that in words."""
    first = found if len(found) <= whole else found[:NAMED]
    more = len(found) - len(first)
    text = f"{', '.join(first)} and {more:,} more" if more else ", ".join(first)
    if more and noun:
        text = f"{counted(len(found), noun)}: {text}"
    return {"number": len(found), "first": first, "more": more, "text": text}


class OnDemand(Mapping[str, Plain]):
    """Values by name, from functions that compute them; each is called at most once."""

    def __init__(self, values: Mapping[str, Callable[[], Plain]]) -> None:
        self._values = values
        self._known: dict[str, Plain] = {}

    def __getitem__(self, name: str) -> Plain:
        if name not in self._known:
            self._known[name] = self._values[name]()
        return self._known[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)


class Inert(tuple[str, ...]):
    """Ids: texts that every format shows as they are, so that thousands of them need no escaping one by one."""

    __slots__ = ()


def inert(found: Sequence[str]) -> Sequence[str]:
    """Return these texts as `Inert` if they have only characters of ids, else as they are."""
    return Inert(found) if _ID.fullmatch("".join(found)) else found


_ID = re.compile(r"[a-z0-9.:@-]*")


def cell(found: Cell) -> Row:
    """Return a cell of the matrix: its two numbers, their product and its band."""
    return {
        "likelihood": found.likelihood,
        "impact": found.impact,
        "score": found.score,
        "band": found.band,
        "text": f"{found.score} {found.band}",
    }


_CATALOGS = {
    "attack": "ATT&CK",
    "owasp_2021": "OWASP 2021",
    "owasp_2025": "OWASP 2025",
    "owasp_api_2023": "OWASP API 2023",
    "owasp_llm_2025": "OWASP LLM 2025",
    "aws_threats": "AWS Threat Technique Catalog",
    "nist_800_53": "NIST SP 800-53",
    "security_hub": "Security Hub",
    "cis": "CIS AWS Foundations",
    "well_architected": "Well-Architected",
    "aws_config": "AWS Config",
}
"""Catalogs whose ids do not name them."""


def maps(found: Mapping[str, Sequence[str]]) -> list[Row]:
    """Return the ids that a threat or control has in public catalogs: ``T1190 (ATT&CK)``."""
    rows: list[Row] = []
    for catalog, ids in found.items():
        label = _CATALOGS.get(catalog, "")
        text = ", ".join(ids) + (f" ({label})" if label else "")
        rows.append({"catalog": label or catalog.upper(), "ids": list(ids), "text": text})
    return rows


def links(urls: Sequence[str]) -> list[Row]:
    """Return addresses as links: https only, shown without the scheme."""
    return [{"url": url, "text": url.removeprefix("https://")} for url in urls if url.startswith("https://")]


# --- origins


def said(statement: Statement) -> Row:
    """Return the origin of a statement, its location and its note."""
    by, place = _by(statement), where(statement.place)
    text = ", ".join(part for part in (by, place, statement.remark) if part)
    return {"by": by, "place": place, "note": statement.remark, "text": text}


def origins(support: Sequence[Support]) -> tuple[str, ...]:
    """Return the origins of several facts: ``stated in the model, models/a.yaml:12, 14`` for each origin and file."""
    spots: dict[tuple[str, str, str], set[tuple[int, str]]] = {}
    for item in support:
        statement = item.said
        by, place = _by(statement), statement.place
        found = spots.setdefault((by, place.file if place is not None else "", statement.remark), set())
        if place is not None:
            found.add((place.line, place.part))
    return (*(_origin(*key, sorted(found)) for key, found in spots.items()), *_against(support))


def _against(support: Sequence[Support]) -> Iterator[str]:
    """The different values of other origins."""
    for item in support:
        for other in item.against:
            yield f"but {item.fact}: {shown(other.value)} ({said(other)['text']})"


def _origin(by: str, file: str, note: str, spots: Sequence[tuple[int, str]]) -> str:
    joint = ": " if any(part for _, part in spots) else ":"
    spot = ", ".join(part or str(line) for line, part in spots if part or line)
    place = f"{file}{joint}{spot}" if spot else file
    return ", ".join(part for part in (by, place, note) if part)


def _by(statement: Statement) -> str:
    return _BY[statement.source] + (" (stale: counts as a claim)" if statement.stale else "")


_STATED = frozenset({"attested", "planned", "lapsed", "contradicted"})
"""States that a control statement of the model results in."""


def sayings(found: Iterable[State], states: States) -> list[Row]:
    """Return the reasons for a control's states on several elements: each once, with its elements and origins."""
    by_reason = grouped((state.reason, state) for state in found)
    return [
        {
            "reason": reason,
            "elements": list(dict.fromkeys(state.element for state in alike)),
            "who": list(dict.fromkeys((*_statements(alike, states), *_origins_of(alike)))),
        }
        for reason, alike in by_reason.items()
    ]


def _statements(found: Iterable[State], states: States) -> Iterator[str]:
    """The locations of the control statements behind these states."""
    for state in found:
        statement = states.statements.get((state.control, state.element))
        if statement is not None and state.state in _STATED:
            yield where(statement.place) + (f" ({statement.note})" if statement.note else "")


def _origins_of(found: Iterable[State]) -> tuple[str, ...]:
    return origins([item for state in found for item in state.support])
