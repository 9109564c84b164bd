"""The facts: one table, the schema of model files, the vocabulary of conditions and the target of collectors.

They are content: a file of YAML for each kind of element, <kind>.yaml in this folder, read by `format`.  They lie here
and not in threatlib/, since code reads them by name (pictures, collectors, what is derived), so that they cannot be
layered or replaced as threats and controls can.  To add a fact, write it under its topic; `means` says what `true`, the
number or the word states, `ask` is the question put to an author who has not stated it, `default` is what AWS documents
for a property left out (information for readers and collectors: a default is not a fact), and `seen_by` names the
collectors that can observe it, none meaning that only a person knows.  Names avoid the field names of pytm's classes,
since facts become attributes there.

A fact that another one has to be true for names it in `only_if`: it is false where that one is, unless it is stated,
and is asked about only after it.

A kind's `relations` are its lists: what starts it, what it uses, what it holds.  A row there is all that the file of a
model, its loader, flows, neighbors, questions and collectors know of the list.

Authors cannot state derived facts.  Each is under `derived` with what it follows from, and is computed by the
function of its name in `threatmodel.graph.derived` or `threatmodel.graph.own`.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from threatmodel.model.vocabulary.row import (
    ANSWERED_FROM,
    CLASSIFICATIONS,
    FORMER_KINDS,
    KINDS,
    PLANE_SOURCES,
    PLANES,
    AnsweredFrom,
    FactRow,
    Input,
    Kind,
    Partner,
    Plane,
    RelationRow,
)
from threatmodel.reading import plain
from threatmodel.reading.compiled import Compiled
from threatmodel.reading.shape import Flag, Number, Word

__all__ = [
    "ANSWERED_FROM",
    "CLASSIFICATIONS",
    "FACTS",
    "FORMER_FACTS",
    "FORMER_KINDS",
    "INPUTS",
    "KINDS",
    "LISTS",
    "ONLY_IF",
    "PLANES",
    "PLANE_SOURCES",
    "RELATIONS",
    "ROWS",
    "TABLE",
    "AnsweredFrom",
    "FactRow",
    "Input",
    "Kind",
    "Partner",
    "Plane",
    "RelationRow",
]

TABLE = Compiled(
    "vocabulary",
    [Path(__file__).with_name(f"{kind}.yaml") for kind in KINDS],
    [],
    plain.table(FactRow, RelationRow, Input, Flag, Number, Word),
)


def read() -> tuple[tuple[FactRow, ...], tuple[RelationRow, ...]]:
    """Return the rows that the files hold, facts and lists."""
    from threatmodel.model.vocabulary.format import read_rows  # where there is no table of them

    rows = read_rows()
    return rows.facts, rows.relations


ROWS, _RELATIONS = TABLE.read(read)

FACTS: dict[str, dict[str, FactRow]] = {kind: {row.name: row for row in ROWS if row.kind == kind} for kind in KINDS}
"""Every fact by kind and name, derived ones included."""

FORMER_FACTS: Mapping[str, Mapping[str, str]] = {
    kind: {old: row.name for rows in (ROWS, _RELATIONS) for row in rows if row.kind == kind for old in row.formerly}
    for kind in KINDS
}
"""The current name of each fact and list, by kind and former name."""

INPUTS: Mapping[tuple[str, str], tuple[Input, ...]] = {
    (row.kind, row.name): row.follows_from for row in ROWS if row.derived
}
"""What each derived fact follows from: when it is unknown, the questions go there."""

ONLY_IF: Mapping[str, Mapping[str, str]] = {
    kind: {name: row.only_if for name, row in rows.items() if row.only_if} for kind, rows in FACTS.items()
}
"""By kind, each fact that another has to be true for, with that one."""

RELATIONS: Mapping[str, Mapping[str, RelationRow]] = {
    kind: {row.name: row for row in _RELATIONS if row.kind == kind} for kind in KINDS
}
"""The lists of each kind by name."""

LISTS = frozenset(row.name for row in _RELATIONS)
"""Names of inputs that are lists, not facts."""
