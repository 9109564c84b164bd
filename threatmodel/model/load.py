"""A model file to a System: read strictly, references resolved, every problem of every file reported in one run."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from threatmodel.model.current import read_current
from threatmodel.model.decisions import acceptances, control_statements, exemptions, invariants, named_twice, ratings
from threatmodel.model.elements import boundaries, data_items, externals, nodes, planes, planes_of_evidence
from threatmodel.model.entries import facts_of, items_of, table_of, value_of
from threatmodel.model.evidence_files import evidence_files
from threatmodel.model.file import MODEL, PLATFORM, SECTIONS
from threatmodel.model.foreign import refuse_foreign
from threatmodel.model.ids import Ids
from threatmodel.model.longest import LongestTerms
from threatmodel.model.system import (
    System,
)
from threatmodel.reading.files import Files
from threatmodel.reading.problems import InputError, Place, Problem, note, quoted
from threatmodel.reading.reader import INVALID, Fields, Reader
from threatmodel.reading.source import Document, Map
from threatmodel.reading.values import replace


def load_model(files: Files, path: Path) -> System:
    """The system in a model file and the platform files that it uses.  Raises InputError with every problem."""
    reader, entries = read_current(files, _document(files, path), MODEL)
    problems = reader.problems
    platforms = list(_platforms(files, path, items_of(entries, "uses"), problems))
    libraries = tuple(_libraries(files, path, items_of(entries, "library"), problems))
    system = _system(Ids(entries, problems), platforms, libraries, reader.document)
    if problems:
        raise InputError(problems)
    return system


def _document(files: Files, path: Path) -> Document:
    """The document in a model file.  Raises InputError, also where it is infrastructure code."""
    try:
        document = files.document(path)
    except InputError:
        refuse_foreign(files.read.get(files.shown(path), ""), files.shown(path))
        raise
    if isinstance(document.root, Map):
        refuse_foreign("", files.shown(path), document.root)
    return document


def libraries_of(files: Files, path: Path) -> tuple[Path, ...]:
    """The folders that a model names under `library`, without the rest of it.  Raises InputError."""
    document = _document(files, path)
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
        document = files.document(files.named(item.value, path, item.place))
    except InputError as error:
        for problem in error.problems:
            missing = problem.code in {"missing-file", "unreadable-file"} and problem.place.line == 1
            message = f"{quoted(item.value)}: {problem.message}"
            problems.append(replace(problem, place=item.place, message=message) if missing else problem)
        return None
    reader, entries = read_current(files, document, PLATFORM)
    problems += reader.problems
    return entries


def _longest_terms(entries: Fields) -> LongestTerms:
    if "longest_terms" not in entries:
        return LongestTerms()
    stated = entries["longest_terms"]
    return LongestTerms(place=stated.key, **{name: entry.value for name, entry in stated.value.items()})


def _system(ids: Ids, platforms: list[Fields], libraries: tuple[Path, ...], document: Document) -> System:
    """The system as far as it could be read."""
    entries = ids.entries
    ids.give()
    around = dict(boundaries(ids))
    evidence = tuple(evidence_files(ids))
    every_node = {node.id: node for node in nodes(ids)} | planes_of_evidence(evidence) | planes(ids, platforms)
    imported = any("functions" in item.value for item in items_of(entries, "evidence"))
    if not ids.problems and not imported and not any(table_of(entries, section) for section in SECTIONS):
        ids.note(
            "empty-model",
            Place(document.file),
            "the model describes no function and no other element",
            "add functions, with at least one id in them",
        )
    every = [entries, *platforms]
    rules = tuple(invariants(every))
    for problem in named_twice(rules):
        note(ids.problems, problem)
    return System(
        name=value_of(entries, "name"),
        description=value_of(entries, "description"),
        owner=value_of(entries, "owner"),
        scope=value_of(entries, "scope"),
        risk_tolerance=value_of(entries, "risk_tolerance", "low"),
        assumptions=tuple(item.value for found in every for item in items_of(found, "assumptions")),
        nodes=every_node,
        data=dict(data_items(ids)),
        externals=dict(externals(ids)),
        boundaries=around,
        flows={flow: (entry.key, facts_of(entry.value, "flow")) for flow, entry in table_of(entries, "flows").items()},
        controls=tuple(control_statements(ids, [*platforms, entries])),
        acceptances=tuple(acceptances(ids)),
        ratings=tuple(ratings(ids)),
        evidence=evidence,
        libraries=libraries,
        file=document.file,
        text=document.text,
        invariants=rules,
        exemptions=tuple(exemptions(ids)),
        longest_terms=_longest_terms(entries),
        file_owners={one["name"].place.file: value_of(one, "owner") for one in every if "name" in one},
        owners={name: entry.value for found in every for name, entry in table_of(found, "owners").items()},
    )
