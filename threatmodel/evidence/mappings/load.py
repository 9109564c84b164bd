"""Reads the data files, and checks their parts against each other."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from threatmodel.evidence.analyses.registry import analyses
from threatmodel.evidence.mappings.format import (
    FILE,
    FORMAT,
    OVER,
    PREDICATES,
    VALUES,
    FactMapping,
    Mappings,
    PathPart,
    Source,
    Step,
    ValuePath,
    parse_path,
)
from threatmodel.model.vocabulary import FACTS, KINDS, FactRow
from threatmodel.reading import plain
from threatmodel.reading.compiled import Compiled
from threatmodel.reading.files import Files
from threatmodel.reading.problems import InputError, Place, listed, quoted, suggestion
from threatmodel.reading.reader import Fields, Reader
from threatmodel.reading.shape import Flag, Number, Word

TABLE = Compiled(
    "mappings",
    [FILE],
    ["evidence/mappings", "evidence/analyses"],
    plain.table(Mappings, FactMapping, Source, Step, PathPart),
)


@cache
def load_mappings() -> Mappings:
    """Return where each fact is."""
    found: Mappings = TABLE.read(read_mappings)
    return found


def read_mappings(file: Path = FILE) -> Mappings:
    """Return the places of facts, or those in another file.  Raises InputError with every problem of the file."""
    reader = Reader(Files().document(file))
    entries = reader.whole(FORMAT)
    places = _Whole(reader).places(entries)
    if reader.problems:
        raise InputError(reader.problems)
    return places


class _Whole:
    """Reads the file, and checks its parts against each other."""

    def __init__(self, reader: Reader) -> None:
        self.reader = reader
        self.types: dict[str, tuple[str, ...]] = {}
        self.parts: dict[str, dict[str, set[str]]] = {}

    def places(self, entries: Fields) -> Mappings:
        """Everything that the file says."""
        self.types = {kind: tuple(one.value for one in raw) for kind, raw in self.by_kind(entries, "elements")}
        gathered = {kind: self.sets(kind, sets) for kind, sets in self.by_kind(entries, "gathered")}
        self.parts = {
            kind: {name: {source.part for source in sources} for name, sources in sets.items()}
            for kind, sets in gathered.items()
        }
        facts = {kind: dict(self.facts(kind, table)) for kind, table in self.by_kind(entries, "facts")}
        return Mappings(self.types, facts, gathered, {name: one.module for name, one in analyses().items()})

    def by_kind(self, entries: Fields, key: str) -> Iterator[tuple[str, Any]]:
        """Return the kinds in one section, and their values."""
        for kind, entry in (entries[key].value if key in entries else {}).items():
            if kind in KINDS:
                yield kind, entry.value
            else:
                hint = suggestion(kind, KINDS) or f"known: {listed(KINDS)}"
                self.reader.note("unknown-kind", entry.key, f"{quoted(kind)} is no kind of element", hint)

    def facts(self, kind: str, table: Fields) -> Iterator[tuple[str, tuple[FactMapping, ...]]]:
        """The facts of a kind with their places."""
        for name, entry in table.items():
            row = FACTS[kind].get(name)
            if row is not None and not row.derived:
                yield name, tuple(self.place(row, one.value, one.place) for one in entry.value)
                continue
            known = [other for other, one in FACTS[kind].items() if not one.derived]
            computed = f"{kind}.{name} is computed from other facts"
            message = computed if row is not None else f"{quoted(name)} is no fact of the kind {kind}"
            self.reader.note("unknown-fact", entry.key, message, suggestion(name, known))

    # --- sources

    def sets(self, kind: str, table: Fields) -> dict[str, tuple[Source, ...]]:
        """The sets of sources of a kind, each with those of the sets that it takes in."""
        own = {
            name: tuple(self.source(kind, one.value, one.place) for one in entry.value if "set" not in one.value)
            for name, entry in table.items()
        }
        found = {}
        for name, entry in table.items():
            for one in entry.value:
                if not {"as", "set"} & one.value.keys():
                    self.reader.note("missing-key", one.place, "a source has no 'as'", "say what it is to an analysis")
            taken = [one.value["set"] for one in entry.value if "set" in one.value]
            for other in taken:
                if other.value not in own:
                    message = f"nothing of the name {quoted(other.value)} is gathered for the kind {kind}"
                    self.reader.note("unknown-reference", other.place, message, suggestion(other.value, own))
            found[name] = (*own[name], *(source for other in taken for source in own.get(other.value, ())))
        return found

    def path(self, entries: Fields, key: str) -> ValuePath:
        """The path behind a key, empty where there is none."""
        if key not in entries:
            return ()
        path = parse_path(entries[key].value)
        if path is None:
            message = f"'{key}' is {quoted(entries[key].value)}, which is no path"
            self.reader.note("wrong-type", entries[key].place, message, "write names, [] for items, {} for values")
        return path or ()

    def source(self, kind: str, entries: Fields, place: Place) -> Source:
        """Where values come from."""
        known = self.types.get(kind, ())
        types = tuple(one.value for one in entries["in"].value) if "in" in entries else known
        for one in types:
            if one not in known:
                message = f"{quoted(one)} is not among the elements of the kind {kind}"
                self.reader.note("unknown-reference", entries["in"].place, message, suggestion(one, known))
        steps = tuple(self.step(one.value, one.place) for one in _value(entries, "via", ()))
        if not types and ("at" in entries or steps) and not (steps and steps[0].way == "any"):
            message = f"no resource is an element of the kind {kind}"
            self.reader.note("wrong-type", place, message, "begin with via: [{any: TYPES}]")
        part = _value(entries, "as", "")
        return Source(types, steps, self.path(entries, "at"), part, place)

    def step(self, entries: Fields, place: Place) -> Step:
        """A step to other resources."""
        ways = [way for way in ("to", "from", "any") if way in entries]
        if len(ways) != 1 or (ways[0] == "any") is ("by" in entries):
            self.reader.note("wrong-type", place, "this is no step", "write to and by, from and by, or any")
            return Step("any", ())
        where = tuple((name, entry.value) for name, entry in _value(entries, "where", {}).items())
        return Step(ways[0], tuple(one.value for one in entries[ways[0]].value), self.path(entries, "by"), where)

    # --- places

    def place(self, row: FactRow, entries: Fields, place: Place) -> FactMapping:
        """One place of a fact."""
        source = self.source(row.kind, entries, place)
        given = [name for name in PREDICATES if entries.given(name)]
        if len(given) != 1 and given != ["words", "value"]:
            message = f"a place has one predicate, and this has {listed(given) or 'none'}"
            self.reader.note("wrong-type", place, message, f"write one of {listed(PREDICATES)}, or words and value")
            return FactMapping(source, "")
        predicate = given[-1]
        self.check_keys(predicate, entries, place)
        values = [entries[name] for name in ("says", "otherwise", "left_out") if name in entries]
        for entry in (*values, *_value(entries, "words", {}).values()):
            if not can_be(row, entry.value):
                message = f"{row.kind}.{row.name} cannot be {quoted(entry.value)}; it is {row.type}"
                self.reader.note("wrong-type", entry.place, message)
        self.check_word(entries, "value", VALUES, row)
        self.check_word(entries, "over", OVER, row)
        self.check_analysis(row, entries)
        return FactMapping(
            source=source,
            predicate=predicate,
            says=_value(entries, predicate, None) if predicate in {"says", "otherwise"} else None,
            words={text: entry.value for text, entry in _value(entries, "words", {}).items()},
            value=_value(entries, "value", ""),
            analysis=_value(entries, "analysis", ""),
            gather=_value(entries, "gather", ""),
            left_out=(entries["left_out"].value,) if "left_out" in entries else (),
            over=_value(entries, "over", "same"),
            described=_value(entries, "described", False),  # noqa: FBT003 - the value of a key that is left out
        )

    def check_keys(self, predicate: str, entries: Fields, place: Place) -> None:
        """Notes keys that a predicate lacks, and those that say nothing beside it."""
        if predicate == "analysis" and "gather" not in entries:
            self.reader.note("missing-key", place, "a place with 'analysis' has no 'gather'")
        reads = predicate in {"words", "value"} or "left_out" in entries
        if reads and not entries.given("at"):
            self.reader.note("missing-key", place, f"a place with '{predicate}' has no 'at'", "add the path to read")
        for name in _USELESS[predicate]:
            if name in entries:
                self.reader.note("unknown-key", entries[name].key, f"'{name}' says nothing beside '{predicate}'")

    def check_word(self, entries: Fields, key: str, known: Mapping[str, tuple[type, ...]], row: FactRow) -> None:
        """Notes a way that does not exist, or is not for the fact's type."""
        if key not in entries:
            return
        word, place = entries[key].value, entries[key].place
        if word not in known:
            message = f"'{key}' is {quoted(word)}; expected one of {listed(known)}"
            self.reader.note("unknown-word", place, message, suggestion(word, known))
        elif not isinstance(row.shape, known[word]):
            message = f"'{key}: {word}' is not for {row.kind}.{row.name}, which is {row.type}"
            self.reader.note("wrong-type", place, message)

    def check_analysis(self, row: FactRow, entries: Fields) -> None:
        """Notes an analysis that does not exist, does not answer this fact, or cannot look at what is gathered."""
        parts = self.parts.get(row.kind, {})
        gather = _value(entries, "gather", "")
        if gather and gather not in parts:
            message = f"nothing of the name {quoted(gather)} is gathered for the kind {row.kind}"
            self.reader.note("unknown-reference", entries["gather"].place, message, suggestion(gather, parts))
        if "analysis" not in entries:
            return
        name, place = entries["analysis"].value, entries["analysis"].place
        analysis = analyses().get(name)
        if analysis is None:
            self.reader.note("unknown-word", place, f"{quoted(name)} is no analysis", suggestion(name, analyses()))
        elif not (
            isinstance(row.shape, Word) and all(map(row.shape.takes, analysis.answers))
            if isinstance(analysis.answers, tuple)
            else isinstance(row.shape, analysis.answers)
        ):
            message = f"the analysis '{name}' does not answer {row.kind}.{row.name}, which is {row.type}"
            self.reader.note("wrong-type", place, message)
        elif gather in parts and not parts[gather] & set(analysis.takes):
            message = f"'{name}' takes {listed(analysis.takes)}, but {listed(sorted(parts[gather]))} is gathered"
            self.reader.note("wrong-type", place, message)


_USELESS = {
    "says": ("gather",),
    "words": ("gather",),
    "value": ("gather",),
    "analysis": ("via", "at", "left_out", "over"),
    "otherwise": ("via", "at", "left_out", "over", "gather"),
}


def _value(entries: Fields, key: str, default: Any) -> Any:
    """Return the value of a key, if it could be read."""
    return entries[key].value if key in entries else default


def can_be(row: FactRow, value: Any) -> bool:
    """Whether a fact can have this value."""
    if value is None:
        return row.nullable
    match row.shape:
        case Flag():
            return isinstance(value, bool)
        case Number(low, high):
            return isinstance(value, int) and not isinstance(value, bool) and low <= value <= high
        case Word():
            return isinstance(value, str) and row.shape.takes(value)
