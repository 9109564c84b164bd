"""Attack paths on a terminal: the worst ones whole, the others as a line each, and the controls that cut them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from threatmodel.assessment.assessed import Assessment
from threatmodel.assessment.paths.values import Alike, Cut, Path, Paths
from threatmodel.reading.problems import Place, visible
from threatmodel.render import path_words as words
from threatmodel.render.text import wrapped

WHOLE = 3
"""Paths that are shown whole if nothing else is asked for."""

_LINES = 12


def paths_text(found: Paths, assessment: Assessment, whole: int = WHOLE, width: int = 100) -> str:
    """Return the paths in lines of so many columns; the first `whole` ones step by step."""
    lines = [
        visible(f"Attack paths: {assessment.graph.system.name}"),
        "",
        f"as claimed: {words.counts_line(found.claimed)}",
        f"as proven:  {words.counts_line(found.proven)}",
        *wrapped(words.RULE, width),
        *(line for one in words.strengths(found) for line in wrapped(one, width, "- ", "  ")),
    ]
    for number, alike in enumerate(found.found[:whole], 1):
        lines += ["", *_path(number, alike, width)]
    lines += _rest(found.found[whole:], whole, width)
    if found.found:
        lines += ["", "Smallest set of controls that cuts every path"]
        lines += [*_cut("as claimed", found.cut_claimed, width), *_cut("as proven", found.cut_proven, width)]
    else:
        lines += ["", "no path was found"]
    notes = [line for note in words.limits(found, assessment.excluded) for line in wrapped(note, width, "- ", "  ")]
    return "\n".join([*lines, *(["", *notes] if notes else [])]) + "\n"


def _path(number: int, alike: Alike, width: int) -> Iterator[str]:
    path = alike.head
    yield from wrapped(f"{words.title(path)}", width, f"{number}. ", "   ")
    yield f"   {words.rank(path)}"
    for at, step in enumerate(words.shown(path), 1):
        yield from wrapped(words.held(step.end), width, f"   {at}) ", "      ")
        yield from wrapped(words.by_threat(step), width, "      ", "      ")
        if barrier := words.barrier(step):
            yield from wrapped(barrier, width, "      ", "      ")
        if step.note:
            yield from wrapped(f"{step.note}{_at(step.place)}", width, "      ", "      ")
    for question in path.questions:
        yield from wrapped(f"decided by: {words.asks(question)}", width, "   ", "      ")
    if more := words.others(alike):
        yield from wrapped(more, width, "   ", "      ")


def _at(place: Place | None) -> str:
    return f" ({place.short})" if place is not None else ""


def _rest(rest: Sequence[Alike], before: int, width: int) -> Iterator[str]:
    if not rest:
        return
    yield from ("", "Other paths" if before else "Paths")
    for number, alike in enumerate(rest[:_LINES], before + 1):
        times = f" ({len(alike.paths)} paths)" if len(alike.paths) > 1 else ""
        text = f"{words.title(alike.head)}: {words.rank(alike.head)}{times}; last step {_last(alike.head)}"
        yield from wrapped(text, width, f"{number}. ", "   ")
    if len(rest) > _LINES:
        yield from wrapped(
            f"{len(rest) - _LINES} more; --whole N shows N step by step, and --json has all", width, "   "
        )


def _last(path: Path) -> str:
    return next(step.finding for step in reversed(path.steps) if step.finding)


def _cut(level: str, cut: Cut, width: int) -> Iterator[str]:
    yield f"{level}: {words.cut_line(cut)}"
    for choice in cut.choices:
        yield from wrapped(words.choice(choice), width, "  ", "    ")
    if line := words.uncut_line(cut):
        yield from wrapped(line, width, "  ", "  ")
