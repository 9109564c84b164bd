"""The first page on a terminal, however wide it is."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from threatmodel.assessment.assessed import Assessment
from threatmodel.assessment.risk import Band
from threatmodel.render.first import ClaimedControl, Deed, FirstPage, first_page
from threatmodel.render.text import wrapped

NARROWEST, WIDEST = 32, 100
_MOST_ENDS = 3
_TABLE = 60
"""Columns from which the bands stand side by side with the check."""


def summary_text(assessment: Assessment, paths: Sequence[Path], width: int = 80, baseline: str = "") -> str:
    """The first page, in lines of so many columns, and where the files are; `baseline` says how it stands to one."""
    width = min(max(width, NARROWEST), WIDEST)
    system = assessment.graph.system
    page = first_page(assessment)
    lines = [
        *_wrapped(system.name.upper(), width),
        *_wrapped(f"{system.owner or 'nobody owns it'} · {assessment.today} · {system.file} {system.revision}", width),
        "",
        *_wrapped(f"{page.verdict.upper()}: {page.says}", width),
        *_wrapped(page.unless, width),
        "",
        *_bands(page, width),
        *_wrapped(f"check {page.check}", width),
        *_wrapped(f"baseline {baseline}" if baseline else "", width),
        "",
        *_deeds(page.deeds, page.more, width),
        *_claims(page.claims, page.more_claims, width),
        *_rest(page, width),
    ]
    lines += ["", *(str(path) for path in paths)] if paths else []
    return "\n".join(line.rstrip() for line in lines) + "\n"


def _wrapped(text: str, width: int, first: str = "", rest: str = "") -> list[str]:
    """A text in lines of so many columns at most; nothing of it but what is cut where a word is longer than a line."""
    indent = rest or " " * len(first)
    return wrapped(text, width, first, indent)


def _bands(page: FirstPage, width: int) -> Iterator[str]:
    names = [name if width >= _TABLE else _SHORT[name] for name, _ in page.claimed]
    columns = [max(len(name), 4) + 1 for name in names]
    yield " " * 11 + "".join(name.rjust(column) for name, column in zip(names, columns, strict=True))
    for label, counts in (("as claimed", page.claimed), ("as proven", page.proven)):
        numbers = (f"{number:,}".rjust(column) for (_, number), column in zip(counts, columns, strict=True))
        yield label.ljust(11) + "".join(numbers)


_SHORT: dict[Band, str] = {"critical": "crit", "high": "high", "medium": "med", "low": "low"}


def _deeds(deeds: Sequence[Deed], more: int, width: int) -> Iterator[str]:
    if not deeds:
        yield from _wrapped("NOTHING TO DO: no single control lowers the band of a finding.", width)
        yield ""
        return
    yield "DO THESE FIRST" if more or len(deeds) > 1 else "DO THIS"
    for number, one in enumerate(deeds, 1):
        yield from _wrapped(f"{one.do} ({one.on})", width, f" {number} ")
        at_fault = f"{one.fault}, {one.place}" if one.place else one.fault
        yield from _wrapped(f"{one.state}: {at_fault}", width, "   ")
        yield from _wrapped(f"who: {one.who}{', by ' + one.by if one.by else ''} · {one.would}", width, "   ")
        yield from _wrapped(f"proof: {one.proof}", width, "   ")
    yield ""


def _claims(claims: Sequence[ClaimedControl], more: int, width: int) -> Iterator[str]:
    if claims:
        yield from _wrapped("ONLY CLAIMED, AND MUCH HANGS ON IT", width)
        for one in claims:
            until = f", until {one.until}" if one.until else ""
            count = len(one.findings)
            hang = f"{count:,} finding{'s' if count != 1 else ''} up to {one.band}"
            yield from _wrapped(f"{one.title} ({one.on}): {hang}; {one.who} says so{until}", width, " - ", "   ")
        if more:
            yield f"   and {more:,} more"
        yield ""


def _rest(page: FirstPage, width: int) -> Iterator[str]:
    taken = f"TAKEN OUT BY WORD: {page.taken}" if page.taken else "Nothing is taken out by word."
    yield from _wrapped(taken, width)
    yield from _wrapped(f"RULES OF YOUR OWN: {page.rules}" if page.rules else "", width)
    for one in page.ends[:_MOST_ENDS]:
        when = "ENDED" if one.date < page.today else "ENDS"
        yield from _wrapped(f"{when} {one.date}: {one.what} of {one.name}, {one.owner}", width)
    if len(page.ends) > _MOST_ENDS:
        yield from _wrapped(f"and {len(page.ends) - _MOST_ENDS:,} more end within 60 days", width)
    parts = [page.counts]
    parts += [page.asks] if page.asks else []
    parts += [f"{page.more:,} more action{'s' if page.more != 1 else ''}"] if page.more else []
    yield from _wrapped(" · ".join(parts), width)
