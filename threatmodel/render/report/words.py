"""What a report's parts have in common: plain values, and facts, places and lists of names in words."""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TypeAlias

from threatmodel.assessment.risk import Cell
from threatmodel.assessment.states import State, States, Support, shown
from threatmodel.model.facts import Statement
from threatmodel.model.system import tracked
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
    "model": "the model says so",
    "source": "read in the source code",
    "template": "template, so designed",
    "probe": "probe, so behaving",
    "aws": "AWS, so deployed",
}
"""Who states a fact, and what that proves."""

_NOUNS = {"api": ("API", "APIs"), "flow": ("data flow", "data flows")}
"""Nouns that are not a kind's id, or the id and an s."""


def where(place: Place | None) -> str:
    """A place as ``file:line``, or nothing."""
    return place.short if place is not None else ""


def counted(count: int, noun: str) -> str:
    """``1 finding``, ``2 findings``."""
    one, many = _NOUNS.get(noun, (noun, f"{noun}s"))
    return f"{count:,} {one if count == 1 else many}"


def listed(words: Sequence[str], last: str = "and") -> str:
    """``a``, ``a and b``, ``a, b and c``."""
    return f" {last} ".join(filter(None, (", ".join(words[:-1]), *words[-1:])))


def with_work(reason: str, ticket: str, due: datetime.date | None) -> str:
    """A reason, with where its treatment is tracked and by when it is due."""
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


class Inert(tuple[str, ...]):
    """Ids: texts that every format shows as they are, so that thousands of them need no escaping one by one."""

    __slots__ = ()


def inert(found: Sequence[str]) -> Sequence[str]:
    """These texts as `Inert` if they hold nothing but what ids hold, else as they are."""
    return Inert(found) if _ID.fullmatch("".join(found)) else found


_ID = re.compile(r"[a-z0-9.:@-]*")


def cell(found: Cell) -> Row:
    """A cell of the matrix: its two numbers, their product and its band."""
    return {
        "likelihood": found.likelihood,
        "impact": found.impact,
        "score": found.score,
        "band": found.band,
        "text": f"{found.score} {found.band}",
    }


_CATALOGUES = {
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
"""Catalogues whose ids do not say where they come from."""


def maps(found: Mapping[str, Sequence[str]]) -> list[Row]:
    """The ids that a threat or control has in public catalogues: ``T1190 (ATT&CK)``."""
    rows: list[Row] = []
    for catalogue, ids in found.items():
        label = _CATALOGUES.get(catalogue, "")
        text = ", ".join(ids) + (f" ({label})" if label else "")
        rows.append({"catalogue": label or catalogue.upper(), "ids": list(ids), "text": text})
    return rows


def links(urls: Sequence[str]) -> list[Row]:
    """Addresses as links: https only, shown without the scheme."""
    return [{"url": url, "text": url.removeprefix("https://")} for url in urls if url.startswith("https://")]


# --- who says so


def said(statement: Statement) -> Row:
    """Who states something, where, and what a reader should know about it."""
    by, place = _by(statement), where(statement.place)
    text = ", ".join(part for part in (by, place, statement.note) if part)
    return {"by": by, "place": place, "note": statement.note, "text": text}


def origins(support: Sequence[Support]) -> tuple[str, ...]:
    """Who says so, for several facts: ``the model says so, models/a.yaml:12, 14`` once for each origin and file."""
    spots: dict[tuple[str, str, str], set[tuple[int, str]]] = {}
    for item in support:
        statement = item.said
        by, place = _by(statement), statement.place
        found = spots.setdefault((by, place.file if place is not None else "", statement.note), set())
        if place is not None:
            found.add((place.line, place.part))
    return (*(_origin(*key, sorted(found)) for key, found in spots.items()), *_against(support))


def _against(support: Sequence[Support]) -> Iterator[str]:
    """What other origins say instead."""
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


_SPOKEN = frozenset({"attested", "planned", "lapsed", "contradicted"})
"""States that a person's word makes."""


def sayings(found: Iterable[State], states: States) -> list[Row]:
    """What a control's states on several elements rest on: each reason once, with who says so where."""
    by_reason: dict[str, list[State]] = {}
    for state in found:
        by_reason.setdefault(state.reason, []).append(state)
    return [
        {
            "reason": reason,
            "elements": list(dict.fromkeys(state.element for state in alike)),
            "who": list(dict.fromkeys((*_spoken(alike, states), *_origins_of(alike)))),
        }
        for reason, alike in by_reason.items()
    ]


def _spoken(found: Iterable[State], states: States) -> Iterator[str]:
    """Where persons say what makes these states."""
    for state in found:
        statement = states.statements.get((state.control, state.element))
        if statement is not None and state.state in _SPOKEN:
            yield where(statement.place) + (f" ({statement.note})" if statement.note else "")


def _origins_of(found: Iterable[State]) -> tuple[str, ...]:
    return origins([item for state in found for item in state.support])
