"""A model file to a System: read strictly, references resolved, every problem of every file reported in one run."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from threatmodel.model.facts import Statement
from threatmodel.model.file import EVIDENCE_KEYS, EVIDENCE_KINDS, EVIDENCE_OF, FACT_KEYS, MODEL, PLATFORM, SECTIONS
from threatmodel.model.reference_architecture import RESERVED, ZONES
from threatmodel.model.system import (
    THROUGH,
    Acceptance,
    AuthorBoundary,
    ControlStatement,
    DataItem,
    EvidenceFile,
    External,
    Node,
    Rating,
    Reference,
    Relation,
    System,
    Trigger,
)
from threatmodel.model.vocabulary import PLANES, RELATIONS, Kind, RelationRow
from threatmodel.reading.files import Files
from threatmodel.reading.problems import InputError, Place, Problem, article, listed, note, quoted, suggestion
from threatmodel.reading.shape import INVALID, Entry, Fields, Reader
from threatmodel.reading.source import Document, Map

DEEPEST = 20
"""Boundaries that may lie inside one another; more is no picture, and slow to draw."""

_FACTS = {kind: frozenset(key.name for key in keys) for kind, keys in FACT_KEYS.items()}
_HELPED = 20
"""Problems up to which a closest name is looked for among all names of a model."""
_IDS = {**SECTIONS, "data": "data item", "externals": "external system", "boundaries": "boundary"}
"""Sections whose keys are ids, with what each of them is."""
_INCOMPLETE = "the model says that it is incomplete"
"""Why a list is open that the model names without a reason."""


def load_model(files: Files, path: Path) -> System:
    """The system in a model file and the platform files that it uses.  Raises InputError with every problem."""
    reader = Reader(files.document(path))
    entries = reader.whole(MODEL)
    problems = reader.problems
    platforms = list(_platforms(files, path, _items(entries, "uses"), problems))
    libraries = tuple(_libraries(files, path, _items(entries, "library"), problems))
    loading = _Loading(entries, problems)
    system = loading.system(platforms, libraries, reader.document)
    if problems:
        raise InputError(problems)
    return system


def libraries_of(files: Files, path: Path) -> tuple[Path, ...]:
    """The folders that a model names under `library`, without the rest of it.  Raises InputError."""
    document = files.document(path)
    if not isinstance(document.root, Map) or "library" not in document.root:
        return ()
    reader = Reader(document)
    mark = next(at for key, _, _, at in document.root.placed() if key == "library")
    items = reader.read(MODEL.index["library"].shape, document.root["library"], mark, "'library'")
    problems = reader.problems
    found = tuple(_libraries(files, path, () if items is INVALID else items, problems))
    if problems:
        raise InputError(problems)
    return found


def _libraries(files: Files, path: Path, items: tuple[Any, ...], problems: list[Problem]) -> Iterator[Path]:
    """The folders named under `library`, links resolved."""
    for item in items:
        try:
            folder = files.named(item.value, path, item.place)
        except InputError as error:
            problems += error.problems
            continue
        if files.has_folder(folder):
            yield folder
        else:
            message, hint = f"{quoted(item.value)}: there is no such folder", "check the path"
            note(problems, Problem(code="missing-file", place=item.place, message=message, hint=hint))


def _platforms(files: Files, path: Path, items: tuple[Any, ...], problems: list[Problem]) -> Iterator[Fields]:
    """The entries of each file named under `uses`, each file once."""
    lines: dict[str, int] = {}
    for item in items:
        if item.value in lines:
            message = f"{quoted(item.value)} is already used, on line {lines[item.value]}"
            note(problems, Problem(code="stated-twice", place=item.place, message=message, hint="keep one"))
        elif entries := _platform(files, path, item, problems):
            yield entries
        lines.setdefault(item.value, item.place.line)


def _platform(files: Files, path: Path, item: Any, problems: list[Problem]) -> Fields | None:
    """The entries of a file named under `uses`, or None with the reason noted."""
    try:
        reader = Reader(files.document(files.named(item.value, path, item.place)))
    except InputError as error:
        for problem in error.problems:
            missing = problem.code in {"missing-file", "unreadable-file"} and problem.place.line == 1
            message = f"{quoted(item.value)}: {problem.message}"
            problems.append(replace(problem, place=item.place, message=message) if missing else problem)
        return None
    entries = reader.whole(PLATFORM)
    problems += reader.problems
    return entries


def _items(entries: Fields, name: str) -> tuple[Any, ...]:
    return entries[name].value if name in entries and entries[name].value else ()


def _table(entries: Fields, name: str) -> Fields:
    return entries[name].value if name in entries else Fields()


def _value(entries: Fields, name: str, default: Any = "") -> Any:
    return entries[name].value if name in entries else default


def _unread(entries: Fields) -> set[str]:
    """The ids, and the kinds of whole sections, that could not be read: what refers to them is no second problem."""
    kinds = {kind for section, kind in _IDS.items() if section in entries.unread}
    return kinds.union(*(_table(entries, section).unread for section in _IDS))


class _Loading:
    """One run of the loader: the entries read, the ids given, and the problems found so far."""

    def __init__(self, entries: Fields, problems: list[Problem]) -> None:
        self.entries = entries
        self.problems = problems
        self.kinds: dict[str, str] = {}
        self.places: dict[str, Place] = {}
        self.unread = _unread(entries)
        self.defaults = {kind: _statements(entry.value, kind) for kind, entry in _table(entries, "defaults").items()}

    def note(self, code: str, place: Place, message: str, hint: str = "") -> None:
        note(self.problems, Problem(code=code, place=place, message=message, hint=hint))

    def system(self, platforms: list[Fields], libraries: tuple[Path, ...], document: Document) -> System:
        """The system as far as it could be read."""
        entries = self.entries
        self._give_ids()
        boundaries = dict(self._boundaries())
        nodes = {node.id: node for node in self._nodes()}
        nodes |= self._planes(platforms)
        imported = any("functions" in item.value for item in _items(entries, "evidence"))
        if not self.problems and not imported and not any(_table(entries, section) for section in SECTIONS):
            self.note(
                "empty-model",
                Place(document.file),
                "the model describes no function and nothing else to look at",
                "add functions, with at least one id in them",
            )
        every = [entries, *platforms]
        return System(
            name=_value(entries, "name"),
            description=_value(entries, "description"),
            owner=_value(entries, "owner"),
            scope=_value(entries, "scope"),
            risk_tolerance=_value(entries, "risk_tolerance", "low"),
            assumptions=tuple(item.value for found in every for item in _items(found, "assumptions")),
            nodes=nodes,
            data=dict(self._data()),
            externals=dict(self._externals()),
            boundaries=boundaries,
            flows={
                flow: (entry.key, _statements(entry.value, "flow")) for flow, entry in _table(entries, "flows").items()
            },
            controls=tuple(self._statements([*platforms, entries])),
            acceptances=tuple(self._acceptances()),
            ratings=tuple(self._ratings()),
            evidence=tuple(self._evidence()),
            libraries=libraries,
            file=document.file,
            text=document.text,
            owners={name: entry.value for found in every for name, entry in _table(found, "owners").items()},
        )

    def _evidence(self) -> Iterator[EvidenceFile]:
        for item in _items(self.entries, "evidence"):
            kinds = [kind for kind in EVIDENCE_KINDS if item.value.given(kind)]
            if len(kinds) != 1:
                message = f"an entry of the evidence names one file; this one names {listed(kinds) or 'none'}"
                self.note("missing-key", item.place, message, f"write one of {listed(EVIDENCE_KINDS)}")
            elif kinds[0] in item.value and self._belong(item.value, kinds[0]):
                path = item.value[kinds[0]]
                yield EvidenceFile(
                    kind=kinds[0],
                    path=path.value,
                    place=path.place,
                    resources={n: (e.value, e.place) for n, e in _table(item.value, "resources").items()},
                    every_function="functions" in item.value,
                    parameters=_value(item.value, "parameters"),
                    stage=_value(item.value, "stage"),
                    function=_value(item.value, "function"),
                    code=_value(item.value, "code"),
                )

    def _belong(self, entries: Fields, kind: str) -> bool:
        """Whether the keys of an entry of the evidence are those of its kind, and what it names is there."""
        strange = [key for key in EVIDENCE_KEYS if key not in EVIDENCE_OF[kind]]
        found = [entries[key] for key in strange if key in entries]
        for entry in found:
            self.note(
                "unknown-key",
                entry.key,
                f"this key does not belong to a {kind}",
                f"a {kind} has none of {listed(strange)}",
            )
        if kind != "probe" or found:
            return not found
        if not entries.given("function"):
            message = "a probe is of one function's handler; this entry names none"
            self.note("missing-key", entries[kind].place, message, "write function: with its id")
            return False
        function = entries.get("function")
        return function is not None and self._refers("function", function.value, function.place)

    def _give_ids(self) -> None:
        """Every id once: one name space for all kinds, apart from the reserved ones."""
        given = [
            (entry.key, name, kind)
            for section, kind in _IDS.items()
            for name, entry in _table(self.entries, section).items()
        ]
        for place, name, kind in sorted(given):
            if name in RESERVED:
                hint = "choose another id"
                self.note("reserved-id", place, f"'{name}' is the id of something that is always drawn", hint)
            elif name in self.kinds:
                first = self.places[name]
                message = f"'{name}' is already the id of {article(self.kinds[name])}, on line {first.line}"
                self.note("duplicate-id", place, message, "choose another id")
            self.kinds[name] = kind
            self.places[name] = place

    def _refers(self, kind: str, name: str, place: Place) -> bool:
        """Whether `name` is the id of an element of `kind`; notes it where it is not."""
        if self.kinds.get(name) == kind:
            return True
        if name in self.unread or kind in self.unread:
            return False
        if name in self.kinds:
            self.note("wrong-kind", place, f"'{name}' is {article(self.kinds[name])}; expected {article(kind)}")
        else:
            self.note("unknown-reference", place, f"there is no {kind} {quoted(name)}", self._closest(kind, name))
        return False

    def _closest(self, kind: str, name: str) -> str:
        """What may have been meant; nothing any more where a file has many problems, since looking takes long."""
        if len(self.problems) > _HELPED:
            return ""
        known = [other for other, of in self.kinds.items() if of == kind]
        if kind == "boundary":
            known += [zone.id for zone in ZONES]
        return suggestion(name, known) or (f"known: {listed(known)}" if known else f"this model has no {kind}")

    def _nodes(self) -> Iterator[Node]:
        for section, kind in SECTIONS.items():
            for name, entry in _table(self.entries, section).items():
                yield self._node(kind, name, entry)

    def _node(self, kind: Kind, name: str, entry: Entry) -> Node:
        fields: Fields = entry.value
        criticality = _value(fields, "criticality", "normal")
        if criticality != "normal" and not fields.given("criticality_reason"):
            place = fields["criticality"].key
            self.note("no-reason", place, f"criticality {criticality} without a reason", "add criticality_reason")
        facts = _statements(fields, kind)
        return Node(
            kind=kind,
            id=name,
            name=_value(fields, "name", name),
            description=_value(fields, "description"),
            place=entry.key,
            facts={**self.defaults[kind], **facts} if kind in self.defaults else facts,
            relations=dict(self._relations(kind, fields)),
            boundary=self._boundary(fields),
            criticality=criticality,
            criticality_reason=_value(fields, "criticality_reason"),
            out_of_scope=_value(fields, "out_of_scope"),
        )

    def _relations(self, kind: Kind, fields: Fields) -> Iterator[tuple[str, Relation]]:
        """The lists stated, those that another one closes, and those of which nothing is known but that they are open.

        Of the lists that are closed together the first that is stated closes all, except those that are incomplete.
        """
        rows = RELATIONS[kind].values()
        together = next((fields[row.name].key for row in rows if row.closed_together and row.name in fields), None)
        whys = _incomplete(fields)
        for row in rows:
            why, at = whys.get(row.name, ("", None))
            if row.name in fields:
                entry = fields[row.name]
                yield row.name, Relation(tuple(self._partners(row, entry)), entry.key, open=why)
            elif at is not None:
                yield row.name, Relation((), at, open=why)
            elif row.closed_together and together is not None:
                yield row.name, Relation((), together, implied=True)

    def _partners(self, row: RelationRow, entry: Entry) -> Iterator[Reference | Trigger]:
        """What a list names, each once."""
        if row.name == "triggers":
            yield from self._triggers(entry.value)
            return
        (kind,) = row.to
        seen: set[str] = set()
        for item in entry.value:
            if self._uses(kind, item.value, item.place) and item.value not in seen:
                seen.add(item.value)
                yield Reference(item.value, item.place)

    def _uses(self, kind: str, name: str, place: Place) -> bool:
        return (kind == "external system" and name == "slack") or self._refers(kind, name, place)

    def _triggers(self, items: tuple[Any, ...]) -> tuple[Trigger, ...]:
        return tuple(t for t in (self._trigger(item.value, item.place) for item in items) if t is not None)

    def _trigger(self, fields: Fields, place: Place) -> Trigger | None:
        given = [by for by in THROUGH if fields.given(by)]
        if len(given) != 1:
            found = (
                f"this trigger names {' and '.join(given)}"
                if given
                else "this trigger does not say what starts the function"
            )
            self.note("wrong-trigger", place, found, f"name one of {listed(THROUGH)}")
            return None
        by = given[0]
        if by in fields.unread:
            return None
        entry = fields[by]
        if by == THROUGH[by]:
            source = Reference(entry.value, entry.place) if self._refers(by, entry.value, entry.place) else None
        elif not THROUGH[by]:
            source = None
        else:
            source = self._api(fields, place)
        if source is None and THROUGH[by]:
            return None
        if THROUGH[by] != "api" and "api" in fields:
            self.note("wrong-trigger", fields["api"].key, f"{article(by)} does not come through an api", "remove it")
        return Trigger(by, str(entry.value), source, _value(fields, "path"), place)

    def _api(self, fields: Fields, place: Place) -> Reference | None:
        """The api of a trigger: the one named, or the only one of the model."""
        if "api" in fields:
            entry = fields["api"]
            return Reference(entry.value, entry.place) if self._refers("api", entry.value, entry.place) else None
        apis = [name for name, kind in self.kinds.items() if kind == "api"]
        if len(apis) == 1:
            return Reference(apis[0], place)
        found = f"there are {len(apis)}: {listed(apis)}" if apis else "this model has none"
        self.note("ambiguous-api", place, f"this trigger names no api, and {found}", "add api: ID")
        return None

    def _boundary(self, fields: Fields) -> str:
        if "boundary" not in fields:
            return ""
        entry = fields["boundary"]
        known = entry.value in {zone.id for zone in ZONES} or self._refers("boundary", entry.value, entry.place)
        return str(entry.value) if known else ""

    def _boundaries(self) -> Iterator[tuple[str, AuthorBoundary]]:
        table = _table(self.entries, "boundaries")
        around = {name: _value(entry.value, "inside", "account") for name, entry in table.items()}
        zones = {zone.id for zone in ZONES}
        for name, entry in table.items():
            inside = around[name]
            if inside not in zones and inside not in around:
                self._refers("boundary", inside, entry.value["inside"].place)
            elif (circle := _circle(name, around)) is not None:
                message = f"'{name}' lies inside itself: {' in '.join(circle)}"
                self.note("circular-boundary", entry.key, message, "let one of them lie elsewhere")
            elif _depth(name, around) > DEEPEST:
                message = f"'{name}' lies more than {DEEPEST} boundaries deep"
                self.note("deep-boundary", entry.key, message, "nest fewer boundaries")
            yield name, AuthorBoundary(id=name, name=_value(entry.value, "name", name), inside=inside, place=entry.key)

    def _planes(self, platforms: list[Fields]) -> dict[str, Node]:
        """The planes described: what the model adds to a platform file is added, what both state is an error."""
        found: dict[str, Node] = {}
        for entries in (*platforms, self.entries):
            for plane in PLANES:
                if plane not in entries:
                    continue
                entry = entries[plane]
                node = self._node(plane, plane, entry)
                found[plane] = self._joined(found[plane], node) if plane in found else node
        return found

    def _joined(self, first: Node, second: Node) -> Node:
        for name in first.facts.keys() & second.facts.keys():
            place = second.facts[name].place or second.place
            self.note("stated-twice", place, f"'{name}' is already stated at {first.facts[name].place}", "keep one")
        name = second.name if second.name != second.id else first.name
        return Node(
            kind=first.kind,
            id=first.id,
            name=name,
            description=second.description or first.description,
            place=first.place,
            facts={**first.facts, **second.facts},
            relations={},
        )

    def _data(self) -> Iterator[tuple[str, DataItem]]:
        for name, entry in _table(self.entries, "data").items():
            fields = entry.value
            yield (
                name,
                DataItem(
                    id=name,
                    name=_value(fields, "name", name),
                    classification=_value(fields, "classification"),
                    personal=_value(fields, "personal", default=False),
                    description=_value(fields, "description"),
                    place=entry.key,
                ),
            )

    def _externals(self) -> Iterator[tuple[str, External]]:
        for name, entry in _table(self.entries, "externals").items():
            fields = entry.value
            yield (
                name,
                External(
                    id=name,
                    name=_value(fields, "name", name),
                    description=_value(fields, "description"),
                    boundary=self._boundary(fields) or "internet-zone",
                    place=entry.key,
                ),
            )

    def _statements(self, every: list[Fields]) -> Iterator[ControlStatement]:
        """The statements about controls of all files, each control of an element once."""
        places: dict[tuple[str, str], Place] = {}
        for entries in every:
            for statement in self._controls(entries):
                element = "" if statement.element in PLANES else statement.element
                first = places.setdefault((statement.control, element), statement.place)
                if first is not statement.place:
                    message = f"'{statement.control}' is already stated at {first}"
                    self.note("stated-twice", statement.place, message, "keep one")
                yield statement

    def _controls(self, entries: Fields) -> Iterator[ControlStatement]:
        for name, entry in _table(entries, "controls").items():
            fields: Fields = entry.value
            attested = fields.given("attested_by")
            missing = [key for key in ("on", "expires") if attested and not fields.given(key)]
            if missing:
                message = f"the attestation of '{name}' has no {' and no '.join(missing)}"
                self.note("missing-key", entry.key, message, "say when it was given and until when it holds")
            if not any(fields.given(key) for key in ("attested_by", "planned_for", "ticket", "due", "owner")):
                message = f"'{name}' says neither who attests it nor for when it is planned"
                hint = "add attested_by, on and expires, or planned_for, or whose work it is: owner, ticket, due"
                self.note("missing-key", entry.key, message, hint)
            on, expires = _value(fields, "on", None), _value(fields, "expires", None)
            if on is not None and expires is not None and expires < on:
                message = f"the attestation of '{name}' ends on {expires}, before it was given on {on}"
                self.note("wrong-period", fields["expires"].place, message, "mend one of the two dates")
            control, _, element = name.partition("@")
            yield ControlStatement(
                control=control,
                element=element,
                attested_by=_value(fields, "attested_by"),
                on=_value(fields, "on", None),
                expires=_value(fields, "expires", None),
                planned_for=_value(fields, "planned_for", None),
                note=_value(fields, "note"),
                place=entry.key,
                owner=_value(fields, "owner"),
                ticket=_value(fields, "ticket"),
                due=_value(fields, "due", None),
            )

    def _acceptances(self) -> Iterator[Acceptance]:
        for name, entry in _table(self.entries, "accepted_risks").items():
            fields = entry.value
            if not {"risk", "reason", "owner", "expires"} <= fields.keys():
                continue  # already noted
            threat, _, element = name.partition("@")
            values = {key: fields[key].value for key in ("risk", "reason", "owner", "expires")}
            yield Acceptance(
                threat=threat,
                element=element,
                place=entry.key,
                ticket=_value(fields, "ticket"),
                due=_value(fields, "due", None),
                **values,
            )

    def _ratings(self) -> Iterator[Rating]:
        for name, entry in _table(self.entries, "ratings").items():
            fields: Fields = entry.value
            threat, _, element = name.partition("@")
            if not fields.given("likelihood") and not fields.given("impact"):
                self.note("missing-key", entry.key, f"the rating of '{name}' rates nothing", "add likelihood or impact")
            yield Rating(
                threat=threat,
                element=element,
                likelihood=_value(fields, "likelihood", None),
                impact=_value(fields, "impact", None),
                reason=_value(fields, "reason"),
                place=entry.key,
            )


def _incomplete(fields: Fields) -> dict[str, tuple[str, Place]]:
    """The lists that may be longer than they are stated, each with why and where that stands."""
    if "incomplete" not in fields:
        return {}
    stated = fields["incomplete"].value
    if isinstance(stated, tuple):
        return {item.value: (_INCOMPLETE, item.place) for item in stated}
    return {name: (entry.value, entry.key) for name, entry in stated.items()}


def _statements(fields: Fields, kind: str) -> dict[str, Statement]:
    """The facts among the keys of an element."""
    facts = _FACTS[kind]
    return {name: Statement(entry[1], "model", entry[0]) for name, entry in fields.items() if name in facts}


def _circle(start: str, around: Mapping[str, str]) -> list[str] | None:
    """The way from a boundary back to itself, or None where there is none that is short enough to look at."""
    way = [start]
    while (outer := around.get(way[-1])) is not None and len(way) <= DEEPEST:
        if outer == start:
            return [*way, start]
        way.append(outer)
    return None


def _depth(start: str, around: Mapping[str, str]) -> int:
    """How many boundaries of the author's lie around one, counted a little beyond what is allowed."""
    depth = 0
    while (outer := around.get(start)) is not None and depth <= DEEPEST:
        start, depth = outer, depth + 1
    return depth
