"""Differences between assessments as Markdown for a pull request's comment: short enough to be read on a phone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from threatmodel.assessment.changes import Changes
from threatmodel.assessment.regressions import Change
from threatmodel.render.changed import NOTHING, groups, moved
from threatmodel.render.text import markdown

MOST_LINES = 40
"""Lines of a comment, for any number of models."""
_LEAST = 9
"""Fewest lines of a model in a comment on several."""
_TABLED = 13
"""Lines of a model from which there is room for the counts."""
_GROUP = 4
"""Lines of the smallest group: its title, one difference, and the empty lines around."""
_NAMED = 5
"""Models that are named where there is no room for them."""


def as_markdown(found: Changes) -> str:
    """Return what differs in one model, losses first; what does not fit is counted."""
    if not found.number:
        return f"**Threat model**: {NOTHING.lower()}\n"
    return "\n".join(_section(found, f"**Threat model**: {_lead(found)}", MOST_LINES)).rstrip() + "\n"


def of_several(models: Mapping[str, Changes], not_compared: Mapping[str, str], shows: str) -> str:
    """Return what differs in several models, the worst first.

    `not_compared` says why a model was not compared; `shows` is the command that shows all of one.
    """
    differing = sorted(
        (name for name, found in models.items() if found.number), key=lambda name: _badness(models[name])
    )
    if not differing and not not_compared:
        return f"**Threat models**: {NOTHING.lower()}\n"
    sums = _sums([models[name] for name in differing])
    lines = [f"**Threat models**: {len(differing)} of {len(models) + len(not_compared)} differ; {sums}", ""]
    last = [f"- `{name}`: {markdown(why)}" for name, why in list(not_compared.items())[:_NAMED]]
    last += [f"- and {len(not_compared) - _NAMED} more that were not compared"] if len(not_compared) > _NAMED else []
    room = MOST_LINES - len(lines) - len(last) - 2
    shown = differing[: room // _LEAST]
    for at, name in enumerate(shown):
        head = f"**{markdown(name)}**: {_lead(models[name])}"
        section = _section(models[name], head, room // (len(shown) - at))
        room -= len(section)
        lines += section
    if rest := differing[len(shown) :]:
        names = ", ".join(f"`{name}` ({_worse(models[name])})" for name in rest[:_NAMED])
        last.append(f"- not shown: {names}{f' and {len(rest) - _NAMED} more' if len(rest) > _NAMED else ''}")
    return "\n".join([*lines, *last, f"- all of one model: `{shows}`"]) + "\n"


def _lead(found: Changes) -> str:
    """The change that makes most findings new or worse, with the remedy; the counts where no fact explains them."""
    if not found.causes:
        return _worse(found)
    first = found.causes[0]
    what = first.note or f"{first.fact}: {first.before} → {first.after}"
    at = f"`{first.place}`: " if first.place else ""
    number = f"{first.findings} finding{' is' if first.findings == 1 else 's are'} new or worse"
    do = f" {markdown(first.do)}." if first.do else ""
    return f"{at}{markdown(first.element)}: {markdown(what)}: **{number}.**{do} In all: {_worse(found)}."


def _worse(found: Changes) -> str:
    return _sums([found])


def _sums(models: Sequence[Changes]) -> str:
    worse = sum(one.how in {"added", "worse"} for found in models for one in found.parts["findings"])
    lost = sum(len(found.parts["lost_controls"]) + len(found.parts["lost_proofs"]) for found in models)
    findings = f"{worse} finding{'' if worse == 1 else 's'} new or worse"
    return f"{findings}, {lost} control{'' if lost == 1 else 's'} or proof{'' if lost == 1 else 's'} lost"


def _badness(found: Changes) -> tuple[int, int, int]:
    """The sort key that puts the model with most losses first."""
    worse = sum(one.how in {"added", "worse"} for one in (*found.parts["findings"], *found.parts["rules"]))
    return -len(found.parts["lost_controls"]) - len(found.parts["lost_proofs"]), -worse, -found.number


def _section(found: Changes, head: str, most: int) -> list[str]:
    """One model in at most so many lines: the first groups, as many as there is room for, and a count of the rest."""
    lines = [head, ""]
    if most >= _TABLED:
        lines += _table(found)
    every = [(title, group) for title, group in groups(found) if group]
    room = most - len(lines)
    fit = len(every) if room >= _GROUP * len(every) else max(1, (room - 2) // _GROUP)
    rest = every[fit:]
    room -= 2 if rest else 0
    for at, (title, group) in enumerate(every[:fit]):
        block = list(_block(title, group, room // (min(fit, len(every)) - at)))
        room -= len(block)
        lines += block
    if rest:
        lines += [f"And {', '.join(f'{title.lower()}: {len(group)}' for title, group in rest)}", ""]
    return lines


def _table(found: Changes) -> list[str]:
    """How many findings each band has, before and now, where that differs."""
    cells = [cell for cell in ("claimed", "proven") if any(a != b for c, _, a, b in found.counts if c == cell)]
    if not cells:
        return []
    bands = [band for cell, band, _, _ in found.counts if cell == cells[0]]
    numbers = {(cell, band): f"{a}" if a == b else f"{a} → **{b}**" for cell, band, a, b in found.counts}
    rows = [f"| {cell} | {' | '.join(numbers[cell, band] for band in bands)} |" for cell in cells]
    return [f"| | {' | '.join(bands)} |", f"|:--|{'--:|' * len(bands)}", *rows, ""]


def _block(title: str, group: Sequence[Change], most: int) -> Iterator[str]:
    """One group in at most so many lines."""
    room = max(1, most - 3)
    shown = group if len(group) <= room else group[: max(0, room - 1)]
    yield from (f"**{title}**", "")
    yield from (_item(one) for one in shown)
    if len(shown) < len(group):
        yield f"- {'and ' if shown else ''}{len(group) - len(shown)}{' more' if shown else ''}"
    yield ""


def _item(one: Change) -> str:
    place = f" <sub>{markdown(one.place)}</sub>" if one.place else ""
    return f"- {markdown(one.name)}{markdown(moved(one)) if moved(one) else ''}{place}"
