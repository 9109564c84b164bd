"""The five by five matrix with its moves, and the bar of the full report: how many findings are where."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from threatmodel.assessment.assessed import Assessment, Outline
from threatmodel.assessment.priorities import Summary
from threatmodel.assessment.risk import BANDS, Cell
from threatmodel.render.report.method import untreated
from threatmodel.render.report.words import Plain, Row, cell

_SIDE = 64
"""Width and height of a cell in the picture."""

_LEFT, _TOP = 44, 8
_SHORTENED = 15
"""How far from a cell's middle an arrow starts and ends: outside its number."""


def matrix(outlines: Mapping[Outline, int]) -> Row:
    """Return the matrix as claimed and as proven, with every move in numbers."""
    inherent: Counter[Cell] = Counter()
    claimed: Counter[Cell] = Counter()
    proven: Counter[Cell] = Counter()
    moves: Counter[tuple[Cell, Cell, Cell]] = Counter()
    for one, number in outlines.items():
        moves[one.inherent, one.claimed, one.proven] += number
    for (start, as_claimed, as_proven), number in moves.items():
        inherent[start] += number
        claimed[as_claimed] += number
        proven[as_proven] += number
    ranked = sorted(moves.items(), key=lambda item: (-item[0][0].score, -item[1], item[0]))
    return {
        "rows": [_row(likelihood, inherent, claimed, proven) for likelihood in range(5, 0, -1)],
        "pictures": [
            _picture("claimed", "as claimed", claimed, _pairs(moves, 1)),
            _picture("proven", "as proven", proven, _pairs(moves, 2)),
        ],
        "moves": [
            {"inherent": cell(start), "claimed": cell(as_claimed), "proven": cell(as_proven), "number": number}
            for (start, as_claimed, as_proven), number in ranked
        ],
        "side": _SIDE,
        "width": _LEFT + 5 * _SIDE + 8,
        "height": _TOP + 5 * _SIDE + 40,
        "left": _LEFT,
        "top": _TOP,
    }


def _row(likelihood: int, inherent: Counter[Cell], claimed: Counter[Cell], proven: Counter[Cell]) -> Plain:
    cells = [Cell(likelihood, impact) for impact in range(1, 6)]
    return {
        "likelihood": likelihood,
        "cells": [{**cell(at), "inherent": inherent[at], "claimed": claimed[at], "proven": proven[at]} for at in cells],
    }


def _pairs(moves: Counter[tuple[Cell, Cell, Cell]], end: int) -> Counter[tuple[Cell, Cell]]:
    found: Counter[tuple[Cell, Cell]] = Counter()
    for cells, number in moves.items():
        found[cells[0], cells[end]] += number
    return found


def _picture(name: str, title: str, ends: Counter[Cell], pairs: Counter[tuple[Cell, Cell]]) -> Plain:
    """One matrix as boxes and arrows with their coordinates."""
    boxes = [
        {
            **cell(at),
            "x": _LEFT + (at.impact - 1) * _SIDE,
            "y": _TOP + (5 - at.likelihood) * _SIDE,
            "letter": at.band[0].upper(),
            "end": ends[at],
        }
        for at in (Cell(likelihood, impact) for likelihood in range(5, 0, -1) for impact in range(1, 6))
    ]
    arrows = [_arrow(start, end, number) for (start, end), number in sorted(pairs.items()) if start != end]
    stayed = sum(number for (start, end), number in pairs.items() if start == end)
    left = _bands(ends)
    said = ", ".join(f"{left[band]:,} {band}" for band in reversed(BANDS))
    return {
        "name": name,
        "title": title,
        "boxes": boxes,
        "arrows": arrows,
        "text": f"{pairs.total() - stayed:,} findings move, {stayed:,} stay; after controls: {said}",
        "rises": any(end.likelihood > start.likelihood or end.impact > start.impact for start, end in pairs),
    }


def _bands(ends: Counter[Cell]) -> Counter[str]:
    found: Counter[str] = Counter()
    for at, number in ends.items():
        found[at.band] += number
    return found


def _arrow(start: Cell, end: Cell, number: int) -> Plain:
    """An arrow from the edge of one cell's number to that of another."""
    x1, y1 = _middle(start)
    x2, y2 = _middle(end)
    length = ((x2 - x1) ** 2 + (y2 - y1) ** 2) ** 0.5
    dx, dy = (x2 - x1) / length * _SHORTENED, (y2 - y1) / length * _SHORTENED
    return {
        "x1": round(x1 + dx),
        "y1": round(y1 + dy),
        "x2": round(x2 - dx),
        "y2": round(y2 - dy),
        "number": number,
        "weight": min(3, len(str(number))),
        "from": f"{start.likelihood} x {start.impact}",
        "to": f"{end.likelihood} x {end.impact}",
    }


def _middle(at: Cell) -> tuple[float, float]:
    return _LEFT + (at.impact - 0.5) * _SIDE, _TOP + (5.5 - at.likelihood) * _SIDE


_WIDTH = 1000
"""Width of the bar in its own units."""


def shares(assessment: Assessment, counts: Summary) -> list[Row]:
    """Return the shares of the bar, each with its number of findings, where it begins and how wide it is."""
    verdicts = counts.verdicts
    before = sum(untreated(finding, assessment) for finding in assessment.findings)
    found = [
        ("above", "above the accepted level", verdicts["open"] + verdicts["reduced"]),
        ("undetermined", "undetermined", verdicts["undetermined"]),
        ("claimed", "within it as claimed only", verdicts["unproven"]),
        ("accepted", "accepted by an owner", verdicts["accepted"]),
        ("provider", "for the provider to treat", verdicts["transferred"]),
        ("proven", "within it as proven", verdicts["mitigated"] - before),
        ("before", "within it before controls", before),
    ]
    return _drawn([(name, text, number) for name, text, number in found if number])


def _drawn(found: Sequence[tuple[str, str, int]]) -> list[Row]:
    total = sum(number for _, _, number in found) or 1
    rows: list[Row] = []
    start = taken = 0
    for name, text, number in found:
        taken += number
        end = round(taken * _WIDTH / total)
        rows.append(
            {"name": name, "text": text, "number": number, "shown": f"{number:,}", "start": start, "width": end - start}
        )
        start = end
    return rows
