"""Library files to a Library: strict and whole, since a library that half-loads is a false all-clear."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeVar

from threatmodel.library.built import is_litter
from threatmodel.library.current import CurrentIds
from threatmodel.library.entries import (
    MITIGATIONS,
    SCENARIOS,
    Article,
    Control,
    FormerIds,
    Library,
    Numbered,
    Off,
    Threat,
)
from threatmodel.library.format import ARTICLE, CONTROL, LAYER, THREAT
from threatmodel.library.layers import Layer, layered, switched_off
from threatmodel.library.lint import lint
from threatmodel.library.placeholders import unwritten
from threatmodel.library.read import control_of, threat_of
from threatmodel.library.remembered import Kept, Parts
from threatmodel.model.current import read_current
from threatmodel.model.decisions import invariants, named_twice
from threatmodel.reading.cache import is_on
from threatmodel.reading.files import Files, is_folder, shown_path
from threatmodel.reading.former import Renamed
from threatmodel.reading.problems import InputError, Place, Problem, listed, quoted, suggestion
from threatmodel.reading.project import real_path
from threatmodel.reading.reader import Fields, Reader
from threatmodel.reading.shape import Record
from threatmodel.reading.source import parse

T = TypeVar("T", Threat, Control)


def read_library(
    folder: Path, files: Files, layers: Sequence[Path] = (), own: Library | None = None, *, remember: bool = False
) -> Library:
    """The library that `load_library` describes; `own` is what the files in `folder` hold, where that is known."""
    problems: list[Problem] = []
    layers = list({real_path(layer): layer for layer in layers}.values())
    base = _layer_of(own) if own is not None else _read(files, folder, _BASE, problems, remember=remember)
    if not (base.threats or problems):
        hint = "add threats in threats/<scenario>/ID.yaml"
        message = "this library has no threats"
        problems.append(Problem(code="empty-library", place=Place(shown_path(folder)), message=message, hint=hint))
    source = own.article if own is not None else _article(files, folder, problems)
    read = [base, *(_layer(files, layer, problems, remember=remember) for layer in layers)]
    if problems or source is None:
        raise InputError(problems)
    rules = tuple(one for layer in read for one in layer.invariants)
    problems += named_twice(rules)
    stacked = layered(read, problems)
    files.renamed += stacked.renamed
    order = {group: at for at, group in enumerate((*SCENARIOS, *MITIGATIONS))}
    library = Library(
        threats={t.id: t for t in sorted(stacked.threats.values(), key=lambda t: (order[t.scenario], t.id))},
        controls={
            c.id: c
            for c in sorted(stacked.controls.values(), key=lambda c: (order.get(c.mitigation, len(order)), c.id))
        },
        article=source,
        layers=tuple(shown_path(layer) for layer in layers),
        replaced=tuple(stacked.replaced),
        invariants=rules,
        former=stacked.former,
    )
    if found := [*problems, *lint(library)]:
        raise InputError(found)
    return switched_off(library, stacked.off)


_BASE = re.compile(r"(article|platform)\.yaml|(threats|controls)/[^/]+/[^/]+\.yaml|standards/[^/]+\.yaml")
_ON_TOP = re.compile(r"library\.yaml|(threats|controls)/[^/]+/[^/]+\.yaml")


def _read(files: Files, folder: Path, expected: re.Pattern[str], problems: list[Problem], *, remember: bool) -> Layer:
    """The threats and controls in a folder; notes files that no part of a library would read."""
    before, renamed = len(problems), len(files.renamed)
    inside = {path.relative_to(folder).as_posix(): path for path in files.below(folder, problems)}
    for name, path in inside.items():
        if not expected.fullmatch(name) and not is_litter(path.name):
            hint = "threats are in threats/<scenario>/ID.yaml, controls in controls/<mitigation>/ID.yaml"
            message = "this file is not part of the library"
            problems.append(Problem(code="stray-file", place=Place(shown_path(path)), message=message, hint=hint))
    parts = {name: path for name, path in inside.items() if _PART.fullmatch(name)}
    kept = Kept.of(files, parts) if remember and is_on() and len(problems) == before else None
    found = kept.recalled() if kept is not None else None
    if found is None:
        found = _parts(files, parts, problems)
        if kept is not None and len(problems) == before and len(files.renamed) == renamed:
            kept.keep(found)
    return Layer(found.threats, found.controls, [])


def _layer_of(library: Library) -> Layer:
    return Layer(tuple(library.threats.values()), tuple(library.controls.values()), [])


def _parts(files: Files, parts: Mapping[str, Path], problems: list[Problem]) -> Parts:
    """The threats and controls in these files, worked out."""
    threats = _part(files, _files_of("threats", parts), threat_of, THREAT, problems)
    controls = _part(files, _files_of("controls", parts), control_of, CONTROL, problems)
    problems += [*_twice(threats), *_twice(controls)]
    return Parts(threats, controls)


_PART = re.compile(r"(?:threats|controls)/[^/]+/[^/]+\.yaml")


def _files_of(part: str, inside: Mapping[str, Path]) -> list[Path]:
    return [path for name, path in inside.items() if name.startswith(f"{part}/")]


def _layer(files: Files, folder: Path, problems: list[Problem], *, remember: bool) -> Layer:
    """A team's library: threats, controls, and what its library.yaml switches off."""
    found = _read(files, folder, _ON_TOP, problems, remember=remember)
    path = folder / "library.yaml"
    if files.has(path):
        found = _with_stated(files, path, found, problems)
    elif not (found.threats or found.controls or problems):
        hint = "name a folder with threats/, controls/ or library.yaml"
        message = "there is no library in this folder" if is_folder(folder) else "this folder does not exist"
        problems.append(Problem(code="empty-library", place=Place(shown_path(folder)), message=message, hint=hint))
    return found


def _with_stated(files: Files, path: Path, found: Layer, problems: list[Problem]) -> Layer:
    """A layer with what its library.yaml switches off, and the invariants that it states."""
    try:
        document = files.document(path)
    except InputError as error:
        problems += error.problems
        return found
    reader, entries = read_current(files, document, LAYER)
    off = entries.get("off")
    problems += reader.problems
    if off is not None and not reader.problems:
        for part, table in off.value.items():
            for name, reason in table.value.items():
                found.off.append(Off(part=part[:-1], id=name, title="", reason=reason.value.strip(), place=reason.key))
    return found if reader.problems else found._replace(invariants=tuple(invariants([entries])))


def _twice(items: list[T]) -> Iterator[Problem]:
    """Ids that are in two folders."""
    first: dict[str, Place] = {}
    for item in items:
        if item.id in first:
            message = f"'{item.id}' is already the id of {first[item.id].file}"
            yield Problem(code="duplicate-id", place=item.place, message=message, hint="choose another id")
        first.setdefault(item.id, item.place)


def _part(
    files: Files,
    paths: Sequence[Path],
    build: Callable[[Reader, Fields], T],
    shape: Record,
    problems: list[Problem],
) -> list[T]:
    found: list[T] = []
    for path in paths:
        name = files.shown(path)
        try:
            text = files.read[name] if name in files.read else files.remembered_text(path)
            value, wrong, renamed = _worked_out(text, name, path, build, shape)
        except InputError as error:
            problems += error.problems
            continue
        problems += wrong
        files.renamed += renamed
        if value is not None and not wrong:
            found.append(value)
    return found


@lru_cache(maxsize=512)
def _worked_out(
    text: str, name: str, path: Path, build: Callable[[Reader, Fields], Any], shape: Record
) -> tuple[Any, tuple[Problem, ...], tuple[Renamed, ...]]:
    """What one file holds, what is wrong with it and its former names, once for a text: a library is loaded often."""
    reader = Reader(parse(text, name))
    return _one(reader, build, shape, path), tuple(reader.problems), tuple(reader.renamed)


def read_entry(files: Files, path: Path, former: FormerIds) -> Threat | Control:
    """Return what a file of a library holds, with current ids; `files` notes the former ones.  Raises InputError."""
    reader = Reader(files.document(path))
    ids = CurrentIds(former)
    if path.parent.parent.name == "threats":
        threat = _one(reader, threat_of, THREAT, path)
        found: Threat | Control | None = threat and ids.of_threat(threat)
    else:
        control = _one(reader, control_of, CONTROL, path)
        found = control and ids.of_control(control)
    if found is None or reader.problems:
        raise InputError(reader.problems)
    files.renamed += [*reader.renamed, *ids.renamed]
    return found


def _one(reader: Reader, build: Callable[[Reader, Fields], T], shape: Record, path: Path) -> T | None:
    """What one file holds, or None where its problems have been noted."""
    for mark in unwritten(reader.document):
        message = "this is still the placeholder that tm new wrote"
        reader.note("unwritten-text", reader.place(mark), message, "replace it, or delete the file")
    entries = reader.whole(shape)
    if "id" in entries and entries["id"].value != path.stem:
        message = f"the id is {quoted(entries['id'].value)}, but the file is named {quoted(path.name)}"
        reader.note("wrong-id", entries["id"].place, message, "name the file as the id")
    group = entries.get("scenario") or entries.get("mitigation")
    if group is not None and group.value != path.parent.name:
        message = f"it names {quoted(group.value)}, but is in the folder {quoted(path.parent.name)}"
        reader.note("wrong-folder", group.place, message, "move the file")
    if any(key.required and key.name not in entries for key in shape.keys):
        return None
    return build(reader, entries)


def _article(files: Files, folder: Path, problems: list[Problem]) -> Article | None:
    try:
        reader = Reader(files.document(folder / "article.yaml"))
    except InputError as error:
        problems += error.problems
        return None
    entries = reader.whole(ARTICLE)
    if not reader.problems:
        for part, expected in (("scenarios", SCENARIOS), ("mitigations", MITIGATIONS)):
            if set(entries[part].value) != set(expected):
                message = f"'{part}' names {listed(entries[part].value, 9)}; expected {listed(expected, 9)}"
                reader.note("wrong-id", entries[part].place, message)
    for entry in entries["scenarios"].value.values() if not reader.problems else ():
        for name, said in entry.value["answers"].value.items() if "answers" in entry.value else ():
            if name not in MITIGATIONS:
                hint = suggestion(name, MITIGATIONS) or f"known: {listed(MITIGATIONS, 9)}"
                reader.note("wrong-id", said.key, f"{quoted(name)} is not a mitigation of the article", hint)
    problems += reader.problems
    if reader.problems:
        return None
    return Article(
        name=entries["name"].value,
        source=entries["source"].value,
        scenarios=_numbered(entries["scenarios"].value),
        mitigations=_numbered(entries["mitigations"].value),
    )


def _numbered(table: Fields) -> tuple[Numbered, ...]:
    items = (
        Numbered(
            id=name,
            number=entry.value["number"].value,
            title=entry.value["title"].value,
            says=entry.value["says"].value,
            gaps=entry.value.several("gaps"),
            answers={m: e.value for m, e in entry.value["answers"].value.items()} if "answers" in entry.value else {},
        )
        for name, entry in table.items()
    )
    return tuple(sorted(items, key=lambda item: item.number))
