"""The chapter on attack paths: the worst ones step by step, and the controls that cut all of them."""

from __future__ import annotations

from threatmodel.assessment.assessed import Assessment
from threatmodel.assessment.paths.tracing import paths, worst
from threatmodel.assessment.paths.values import Alike, Cut, Step
from threatmodel.render import path_words
from threatmodel.render.report.words import Row, where

_WHOLE = 10
"""Paths that are shown step by step; `tm paths` shows more."""


def path_rows(assessment: Assessment) -> Row:
    """Return the paths of a system, what cuts them, and what they leave out."""
    found = paths(assessment)
    return {
        "rule": path_words.RULE,
        "strengths": list(path_words.strengths(found)),
        "claimed": path_words.counts_line(found.claimed),
        "proven": path_words.counts_line(found.proven),
        "rows": [_row(alike) for alike in found.found[:_WHOLE]],
        "more": max(0, len(found.found) - _WHOLE),
        "cuts": [_cut("as claimed", found.cut_claimed), _cut("as proven", found.cut_proven)],
        "limits": list(path_words.limits(found, assessment.excluded)),
    }


MOST_FUNCTIONS = 200
"""Above so many functions, page one names no path: tracing all of them would take longer than the report itself."""


def worst_line(assessment: Assessment) -> str:
    """Return the worst path in one line; '' for none, or where there are too many functions."""
    functions = sum(element.kind == "function" for element in assessment.graph.elements.values())
    found = worst(assessment) if functions <= MOST_FUNCTIONS else None
    return path_words.line(found) if found is not None else ""


def _row(alike: Alike) -> Row:
    head = alike.head
    return {
        "title": path_words.title(head),
        "rank": path_words.rank(head),
        "band": head.claimed.band,
        "steps": [_step(step) for step in path_words.shown(head)],
        "questions": [path_words.asks(question) for question in head.questions],
        "others": path_words.others(alike),
    }


def _step(step: Step) -> Row:
    return {
        "held": path_words.held(step.end),
        "by": path_words.by_threat(step),
        "barrier": path_words.barrier(step),
        "note": step.note,
        "place": where(step.place),
    }


def _cut(level: str, cut: Cut) -> Row:
    return {
        "level": level,
        "line": path_words.cut_line(cut),
        "choices": [path_words.choice(choice) for choice in cut.choices],
        "uncut": path_words.uncut_line(cut),
    }
