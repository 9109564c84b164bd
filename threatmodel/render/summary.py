"""The first page on a terminal, however wide it is."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from threatmodel.assessment.assessed import Assessment
from threatmodel.assessment.risk import Band
from threatmodel.render.action_text import ActionText
from threatmodel.render.first import ClaimedControl, FirstPage, first_page
from threatmodel.render.report.words import counted
from threatmodel.render.text import wrapped

NARROWEST, WIDEST = 32, 100
_MOST_ENDS = 3
_TABLE = 60
"""Columns from which the names of the bands are written out."""
_LABELS = ("before controls", "as claimed", "as proven")


def summary_text(assessment: Assessment, paths: Sequence[Path], width: int = 80, baseline: str = "") -> str:
    """Return the first page in lines of so many columns, and the paths of the files; `baseline` is the comparison."""
    width = min(max(width, NARROWEST), WIDEST)
    system = assessment.graph.system
    page = first_page(assessment)
    lines = [
        *_wrapped(system.name.upper(), width),
        *_wrapped(
            f"{system.owner or 'owner: not assigned'} · {assessment.today} · {system.file} {system.revision}", width
        ),
        "",
        *_wrapped(page.verdict.upper(), width),
        *_wrapped(page.headline, width),
        "",
        *_bands(page, width),
        *_wrapped(page.gap, width),
        *_wrapped(f"Baseline {baseline}" if baseline else "", width),
        "",
        *_actions(page.actions, page.more, width),
        *_claims(page.claims, page.more_claims, width),
        *_rest(page, width),
    ]
    lines += ["", *(f"wrote {path}" for path in paths)] if paths else []
    return "\n".join(line.rstrip() for line in lines) + "\n"


def _wrapped(text: str, width: int, first: str = "", rest: str = "") -> list[str]:
    """A text in lines of so many columns at most; nothing of it but what is cut where a word is longer than a line."""
    indent = rest or " " * len(first)
    return wrapped(text, width, first, indent)


def _bands(page: FirstPage, width: int) -> Iterator[str]:
    names = [name if width >= _TABLE else _SHORT[name] for name, _ in page.claimed]
    columns = [max(len(name), 4) + 1 for name in names]
    labels = _LABELS if width >= _TABLE else tuple(label.rsplit(None, 1)[-1] for label in _LABELS)
    rows = tuple(zip(labels, (page.inherent, page.claimed, page.proven), strict=True))
    first = max(map(len, labels)) + 1
    yield " " * first + "".join(name.rjust(column) for name, column in zip(names, columns, strict=True))
    for label, counts in rows:
        numbers = (f"{number:,}".rjust(column) for (_, number), column in zip(counts, columns, strict=True))
        yield label.ljust(first) + "".join(numbers)


_SHORT: dict[Band, str] = {"critical": "crit", "high": "high", "medium": "med", "low": "low"}


def _actions(found: Sequence[ActionText], more: int, width: int) -> Iterator[str]:
    if not found:
        yield from _wrapped("NOTHING TO DO: no single control lowers the band of a finding.", width)
        yield ""
        return
    yield "DO THESE FIRST" if more or len(found) > 1 else "DO THIS"
    for number, one in enumerate(found, 1):
        yield from _wrapped(f"{one.do} ({one.on})", width, f" {number} ")
        cause = f"{one.cause}, {one.location}" if one.location else one.cause
        yield from _wrapped(f"{one.state}: {cause}", width, "   ")
        yield from _wrapped(f"owner: {one.owner}{', due ' + one.due if one.due else ''} · {one.effect}", width, "   ")
        yield from _wrapped(one.proof, width, "   ")
    if more:
        yield f"   and {counted(more, 'more action')}"
    yield ""


def _claims(claims: Sequence[ClaimedControl], more: int, width: int) -> Iterator[str]:
    if claims:
        yield from _wrapped("CLAIMS TO VERIFY FIRST", width)
        for one in claims:
            by = f" (attested by {one.who}{f' until {one.until}' if one.until else ''})" if one.who else ""
            yield from _wrapped(f"{one.title} ({one.on}): {one.relying} (up to {one.band}){by}", width, " - ", "   ")
        if more:
            yield f"   and {counted(more, 'more claim')}"
        yield ""


def _rest(page: FirstPage, width: int) -> Iterator[str]:
    yield from _wrapped(f"RELIES ON {page.relies_on}" if page.relies_on else "", width)
    yield from _wrapped(f"YOUR OWN RULES {page.rules}" if page.rules else "", width)
    for one in page.ends[:_MOST_ENDS]:
        when = "ENDED" if one.date < page.today else "ENDS"
        yield from _wrapped(f"{when} {one.date}: {one.what} of {one.name}, owner: {one.owner or 'not assigned'}", width)
    if len(page.ends) > _MOST_ENDS:
        yield from _wrapped(f"{counted(len(page.ends) - _MOST_ENDS, 'more item')} ending within 60 days", width)
    yield from _wrapped(f"{page.counts[0].upper()}{page.counts[1:]}.", width)
