"""Things that are asked at one prompt: those that are alike, in numbered rows, and one answer for all of them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby

from threatmodel.authoring.answers import NotAnAnswerError
from threatmodel.authoring.interview import Item, expected, hinted
from threatmodel.reading.grouping import grouped
from threatmodel.reading.problems import listed, suggestion
from threatmodel.reading.shape import Flag
from threatmodel.reading.values import dataclass

_NOT_KNOWN = "d"
"""What leaves a fact open, and asks it last."""

_ALIKE = frozenset({"fact", "relation", "attest", "describe"})
"""Kinds of things of which one answer may hold for several elements."""
_REST = frozenset({"all", "rest"})
_NUMBERS = re.compile(r"([0-9]{1,6})(?:-([0-9]{1,6}))?\Z")


@dataclass(frozen=True, slots=True)
class Sheet:
    """What one prompt asks.  `rows` is what a number in the answer selects: a fact of elements, or one element."""

    id: str
    rows: tuple[tuple[Item, ...], ...]

    @property
    def items(self) -> tuple[Item, ...]:
        """Return everything that it asks, row by row."""
        return tuple(item for row in self.rows for item in row)

    @property
    def elements(self) -> tuple[str, ...]:
        """Return the elements that it asks about."""
        return tuple(dict.fromkeys(item.element for item in self.items))

    @property
    def is_of_facts(self) -> bool:
        """Whether each row is a fact."""
        return self.items[0].kind == "fact"

    @property
    def asked_list(self) -> str | None:
        """Return the name of the list, control or plane that each row asks for; None where rows ask for several."""
        names = {item.name for item in self.items}
        return next(iter(names)) if len(names) == 1 else None

    @property
    def flags(self) -> tuple[Item, ...]:
        """Return what holds or does not."""
        return tuple(item for item in self.items if item.kind == "fact" and isinstance(item.row.shape, Flag))


def sheets(items: Iterable[Item]) -> Iterator[Sheet]:
    """Yield what to ask at one prompt each.

    The facts of one question are asked together, of all elements, and so are its lists.  A control is asked once for
    the elements that have it, and planes are described together.  The rest is asked one by one.
    """
    for _, of_question in groupby(items, key=lambda item: item.question.id):
        found = grouped((together(item), item) for item in of_question)
        yield from (Sheet(name if len(some) > 1 else some[0].id, _rows(some)) for name, some in found.items())


def together(item: Item) -> str:
    """Return the id of what is asked together with a thing; its own where it is asked by itself.

    Whether lists of one topic are complete is one thing, whatever lists.
    """
    if item.kind not in _ALIKE:
        return item.id
    if item.rest:
        return f"{item.question.id}.rest"
    return f"{item.name}@*" if item.kind == "attest" else item.question.id


def _rows(items: Sequence[Item]) -> tuple[tuple[Item, ...], ...]:
    if items[0].kind != "fact":
        return tuple((item,) for item in items)
    rows = grouped((item.name, item) for item in items)
    return tuple(map(tuple, rows.values()))


def shown(sheet: Sheet) -> Iterator[str]:
    """Yield the rows of a sheet, numbered, as they are asked."""
    elements = sheet.elements
    yield f"of {', '.join(elements)}"
    width = len(str(len(sheet.rows)))
    for number, row in enumerate(sheet.rows, 1):
        item = row[0]
        if sheet.is_of_facts:
            some = "" if len(row) == len(elements) else f" ({', '.join(one.element for one in row)} only)"
            values = "" if item in sheet.flags else f" ({expected(item)})"
            yield f"{number:>{width}}  {item.name}: {item.row.ask or item.row.meaning}{values}{some}{hinted(item)}"
        else:
            several = item.rest or (item.kind == "relation" and sheet.asked_list is None)
            yield f"{number:>{width}}  {item.element}{f': {item.name}' if several else ''}"


def takes(sheet: Sheet) -> str:
    """Return the answers that a sheet takes, in a few words."""
    if len(sheet.items) == 1:
        return expected(sheet.items[0])
    if sheet.is_of_facts and sheet.flags:
        return "by row, such as 1 y, rest n" if len(sheet.rows) > 1 else "y, n, or by element"
    return f"one answer for all ({expected(sheet.items[0])}), or by row: 1 ...; rest ..."


def answers(sheet: Sheet, given: str) -> Mapping[Item, str | None]:
    """Return the answer to each thing that an answer to a sheet is about; None for what is not known yet.

    It is parts between semicolons, for facts also between commas: rows by number, range or name, elements, and the
    answer for these.  A part that names neither, or `rest`, is for everything that no other part names.  Without a row,
    of facts only those are meant that hold or do not.  Raises NotAnAnswerError, with everything that is wrong.
    """
    if len(sheet.items) == 1:
        return {sheet.items[0]: given}
    found: dict[Item, str | None] = {}
    wrong: list[str] = []
    parts = [
        _selected(sheet, words)
        for part in re.split("[,;]" if sheet.is_of_facts else ";", given)
        if (words := part.split())
    ]
    for names, answer in sorted(parts, key=lambda part: _is_rest(part[0])):
        rest = (item for item in sheet.flags or sheet.items if item not in found)
        chosen = list(rest if _is_rest(names) else _chosen(sheet, names, wrong))
        twice = [item.id for item in chosen if found.get(item, answer) != answer]
        if twice:
            wrong.append(f"{listed(twice[:3])} {'has' if len(twice) == 1 else 'have'} two answers")
        found |= dict.fromkeys(chosen, answer)
    if wrong or not found:
        raise NotAnAnswerError("; ".join(wrong) or f"expected {takes(sheet)}")
    return found


def _selected(sheet: Sheet, words: Sequence[str]) -> tuple[Sequence[str], str | None]:
    """Return the words that select rows, and the answer for them."""
    if sheet.is_of_facts:
        return words[:-1], None if words[-1].lower() == _NOT_KNOWN else words[-1]
    count = 0
    while count < len(words) - 1 and (_NUMBERS.match(words[count]) or words[count].lower() in _REST):
        count += 1
    return words[:count], " ".join(words[count:])


def _is_rest(names: Sequence[str]) -> bool:
    """Whether a part of an answer is for everything that no other part names."""
    return all(name.lower() in _REST for name in names)


def _chosen(sheet: Sheet, names: Sequence[str], wrong: list[str]) -> Iterator[Item]:
    """Yield what a part of an answer is about: the elements that it names, in the rows that it names."""
    elements = {name for name in names if name in sheet.elements}
    rows: dict[Item, None] = {} if elements.symmetric_difference(names) else dict.fromkeys(sheet.flags or sheet.items)
    for name in names:
        if name not in elements:
            some = list(_row(sheet, name))
            rows |= dict.fromkeys(some)
            if not some:
                wrong.append(_no_row(sheet, name))
    yield from (item for item in rows if not elements or item.element in elements)


def _row(sheet: Sheet, name: str) -> Iterator[Item]:
    numbers = _NUMBERS.match(name)
    if numbers is not None:
        first = int(numbers[1])
        last = int(numbers[2] or first)
        if 1 <= first <= last <= len(sheet.rows):
            yield from (item for row in sheet.rows[first - 1 : last] for item in row)
    else:
        yield from (item for row in sheet.rows for item in row if sheet.is_of_facts and item.name == name)


def _no_row(sheet: Sheet, name: str) -> str:
    names = [*sheet.elements, *(row[0].name for row in sheet.rows if sheet.is_of_facts)]
    hint = suggestion(name, names)
    return (
        f"'{name}' is no row and no element: expected a number from 1 to {len(sheet.rows)}{f'; {hint}' if hint else ''}"
    )
