"""Files read with current names: keys and words by their shapes, facts and words in conditions here."""

from __future__ import annotations

import ast
import warnings
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple, TypeVar

from threatmodel.model.system import Acceptance, ControlStatement, Exemption, Rating, System
from threatmodel.model.vocabulary import FACTS, FORMER_FACTS
from threatmodel.reading.files import Files
from threatmodel.reading.reader import Entry, Fields, Reader
from threatmodel.reading.shape import Record, Word
from threatmodel.reading.source import Document
from threatmodel.reading.values import replace

_Decision = TypeVar("_Decision", ControlStatement, Acceptance, Rating, Exemption)


def read_current(files: Files, document: Document, shape: Record) -> tuple[Reader, Fields]:
    """Return what a file of this shape holds, with current names; `files` notes the former ones."""
    reader = Reader(document)
    entries = reader.whole(shape)
    for rule in entries["invariants"].value.values() if "invariants" in entries else ():
        fields: Fields = rule.value
        for name in {"if", "holds"} & fields.keys() if "of" in fields else ():
            text = current_condition(reader, fields[name], fields["of"].value)
            fields[name] = fields[name]._replace(value=text)
    files.renamed += reader.renamed
    return reader, entries


def with_current_elements(system: System) -> System:
    """Return the system with decisions about elements that files name and their flows, by the ids that these have now.

    One that has a decision of the same kind under each id keeps both: the former one then leads to no element.
    """
    nodes = system.nodes
    former = {one.formerly: one.id for one in nodes.values() if one.formerly and one.formerly not in nodes}
    if not former:
        return system
    return replace(
        system,
        controls=_current(system.controls, former, lambda one: one.control),
        acceptances=_current(system.acceptances, former, lambda one: one.threat),
        ratings=_current(system.ratings, former, lambda one: one.threat),
        exemptions=_current(system.exemptions, former, lambda one: one.invariant),
    )


def _current(
    decisions: tuple[_Decision, ...], former: Mapping[str, str], of: Callable[[Any], str]
) -> tuple[_Decision, ...]:
    taken = {(of(one), one.element) for one in decisions}
    return tuple(
        replace(one, element=new)
        if (new := _now(one.element, former)) != one.element and (of(one), new) not in taken
        else one
        for one in decisions
    )


def _now(element: str, former: Mapping[str, str]) -> str:
    """The id that an element has now; that of a flow has the ids of both its ends."""
    *ends, last = element.split(":")
    return ":".join((*(former.get(one, one) for one in ends), last)) if ends else former.get(element, element)


class _Edit(NamedTuple):
    """A former name in a text: at which column it begins, and what takes its place."""

    column: int
    old: str
    new: str


def current_condition(reader: Reader, entry: Entry, kind: str) -> str:
    """Return the text of a condition over elements of `kind` with current names; the reader notes the former ones."""
    text: str = entry.value
    edits = sorted(_edits(text, kind))
    for edit in edits:
        reader.current(edit.old, {edit.old: edit.new}, reader.inside(entry.place, text, edit.column, edit.old))
    for edit in reversed(edits):
        text = text[: edit.column] + edit.new + text[edit.column + len(edit.old) :]
    return text


def _edits(text: str, kind: str) -> Iterator[_Edit]:
    """Yield the former names in a text; none where it is no expression, which compiling it reports."""
    if kind not in FACTS or not (text.isascii() and (FORMER_FACTS[kind] or _has_former_words(kind))):
        return
    try:
        with warnings.catch_warnings(action="ignore"):  # compiling it rejects what Python warns of
            tree = ast.parse(text, mode="eval")
    except (SyntaxError, ValueError, MemoryError, RecursionError):
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and node.attr in FORMER_FACTS[kind]:
            yield _Edit((node.end_col_offset or 0) - len(node.attr), node.attr, FORMER_FACTS[kind][node.attr])
        elif isinstance(node, ast.Compare) and isinstance(node.left, ast.Attribute):
            yield from _words(node, kind)


def _has_former_words(kind: str) -> bool:
    return any(isinstance(row.shape, Word) and row.shape.formerly for row in FACTS[kind].values())


def _words(node: ast.Compare, kind: str) -> Iterator[_Edit]:
    """Yield the former words that a fact is compared with."""
    name = node.left.attr if isinstance(node.left, ast.Attribute) else ""
    row = FACTS[kind].get(FORMER_FACTS[kind].get(name, name))
    former = dict(row.shape.formerly) if row is not None and isinstance(row.shape, Word) else {}
    for right in node.comparators if former else ():
        for one in right.elts if isinstance(right, ast.List | ast.Tuple | ast.Set) else (right,):
            if isinstance(one, ast.Constant) and one.value in former and one.value.__class__ is str:
                yield _Edit(one.col_offset + 1, one.value, former[one.value])
