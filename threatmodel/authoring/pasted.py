"""Answers as YAML to paste into a model: values that reassure nothing, to be replaced by what is true."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from threatmodel.authoring.interview import Item, asked, hinted, path_of
from threatmodel.library.directions import Directions
from threatmodel.model.vocabulary import RELATIONS, FactRow
from threatmodel.reading.grouping import grouped
from threatmodel.reading.shape import Flag, Number

_NOT_YET = "to be attested"


def pasted(found: Sequence[Item], ways: Directions) -> list[str]:
    """Return lines of a model that answer these as if all were bad, with the other values that are allowed.

    Where every value would reassure, the line is a comment.
    """
    sections = grouped((path_of(item), item) for item in sorted(found, key=lambda item: path_of(item)[:1]))
    lines: list[str] = []
    above = ""
    for path, items in sections.items():
        own = [*(line for item in items for line in _pasted(item, ways)), *_incomplete(items)]
        keys = [f"{'  ' * depth}{name}:" for depth, name in enumerate(path)]
        keys[-1] += " {}" if all(line.startswith("#") for line in own) else ""
        lines += [*keys[path[0] == above :], *(f"{'  ' * len(path)}{line}" for line in own)]
        above = path[0]
    return lines


def _pasted(item: Item, ways: Directions) -> Iterator[str]:
    """Yield the lines in the mapping of its element."""
    match item.kind:
        case "fact":
            question = asked(item)
            values = _written(item.row)
            bad = next((text for value, text in values if not ways.reassured(item.of, item.name, value)), None)
            others = " | ".join(text for _, text in values if text != bad) or "no other value"
            what = f"{others}{question and f'; {question}'}{hinted(item)}"
            yield f"# {item.name}: {what}" if bad is None else f"{item.name}: {bad}   # or {what}"
        case "relation" if item.rest:
            yield f"# remove {item.name} from incomplete once the list is complete"
        case "relation":
            yield f"{item.name}: []   # its members"
        case "caller":
            yield "# in its trigger, slack: slash-command | interactivity | events instead of http; or caller: others"
        case "public":
            yield "public: unintended   # or intended, with public_reason: why"
        case "describe":
            yield f"name: {item.element.capitalize()}   # or another name"
        case _:
            yield f"{item.id}: {{note: {_NOT_YET}}}   # or attested_by: NAME, on: DATE, expires: DATE"


def _written(row: FactRow) -> list[tuple[object, str]]:
    """Return the values of a fact as YAML, those that say nothing is in place before others; of numbers the ends."""
    shape = row.shape
    null: list[tuple[object, str]] = [(None, "null")] if row.nullable else []
    match shape:
        case Flag():
            return [(False, "false"), (True, "true"), *null]
        case Number(low, high):
            return [(low, f"{low}"), (high, f"{high}"), *null]
        case _:
            return [*((word, word) for word in shape.words), *null]


def _incomplete(items: Iterable[Item]) -> Iterator[str]:
    """Yield the key that keeps stated lists open, and those that they would close."""
    lists = [item for item in items if item.kind == "relation" and not item.rest]
    rows = RELATIONS[lists[0].of].values() if lists else ()
    stated = {item.name for item in lists}
    together = any(row.closed_together for row in rows if row.name in stated)
    names = [row.name for row in rows if row.name in stated or (together and row.closed_together)]
    if names:
        yield f"incomplete: [{', '.join(names)}]   # remove a list once it is complete"
