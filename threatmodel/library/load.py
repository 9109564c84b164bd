"""Library files to a Library: strict and whole, since a library that half-loads is a false all-clear."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, TypeVar

from threatmodel.files import Files, shown_path
from threatmodel.library import examples as pins
from threatmodel.library.condition import Condition, ConditionError, compile_condition
from threatmodel.library.format import (
    ARTICLE,
    CONTROL,
    MITIGATIONS,
    SCENARIOS,
    THREAT,
    Article,
    Control,
    Library,
    Link,
    Need,
    Numbered,
    Threat,
)
from threatmodel.library.lint import lint
from threatmodel.model.vocabulary import FACTS
from threatmodel.problems import InputError, Place, Problem, article, listed, quoted, suggestion
from threatmodel.shape import INVALID, Entry, Reader, Record, Value

Entries = dict[str, Entry]
T = TypeVar("T", Threat, Control)


def load_library(folder: Path, files: Files | None = None) -> Library:
    """The library in `folder`: article.yaml, threats/<scenario>/*.yaml and controls/<mitigation>/*.yaml.

    `files` remembers the texts for messages.  Raises InputError with every problem of every file; a file in an
    unexpected place is a problem too.
    """
    files = files or Files()
    problems = list(_strays(folder))
    threats = _part(files, folder / "threats", _threat, THREAT, problems)
    controls = _part(files, folder / "controls", _control, CONTROL, problems)
    source = _article(files, folder, problems)
    if not any(folder.glob("threats/*/*.yaml")):
        hint = "a threat lies in threats/<scenario>/ID.yaml"
        message = "no threats are in this library"
        problems.append(Problem(code="empty-library", place=Place(shown_path(folder)), message=message, hint=hint))
    problems += [*_twice(threats), *_twice(controls)]
    if problems or source is None:
        raise InputError(problems)
    order = {group: at for at, group in enumerate((*SCENARIOS, *MITIGATIONS))}
    library = Library(
        threats={t.id: t for t in sorted(threats, key=lambda t: (order[t.scenario], t.id))},
        controls={c.id: c for c in sorted(controls, key=lambda c: (order.get(c.mitigation, len(order)), c.id))},
        article=source,
    )
    if found := lint(library):
        raise InputError(found)
    return library


def _strays(folder: Path) -> Iterator[Problem]:
    """Files that no part of the library would read."""
    for path in sorted(folder.rglob("*")):
        parts = path.relative_to(folder).parts
        expected = len(parts) == 3 and parts[0] in {"threats", "controls"} and path.suffix == ".yaml"  # noqa: PLR2004
        litter = path.name.startswith(".") and path.suffix not in {".yaml", ".yml"}  # .DS_Store, an editor's swap file
        if path.is_file() and not expected and not litter and parts != ("article.yaml",):
            hint = "threats lie in threats/<scenario>/ID.yaml, controls in controls/<mitigation>/ID.yaml"
            message = "this file belongs to no part of the library"
            yield Problem(code="stray-file", place=Place(shown_path(path)), message=message, hint=hint)


def _twice(items: list[T]) -> Iterator[Problem]:
    """Ids that stand in two folders."""
    first: dict[str, Place] = {}
    for item in items:
        if item.id in first:
            message = f"'{item.id}' is already the id of {first[item.id].file}"
            yield Problem(code="duplicate-id", place=item.place, message=message, hint="choose another id")
        first.setdefault(item.id, item.place)


def _part(
    files: Files, folder: Path, build: Callable[[Reader, Entries], T], shape: Record, problems: list[Problem]
) -> list[T]:
    found: list[T] = []
    for path in sorted(folder.glob("*/*.yaml")):
        try:
            reader = Reader(files.document(path))
        except InputError as error:
            problems += error.problems
            continue
        value = _one(reader, build, shape, path)
        problems += reader.problems
        if value is not None and not reader.problems:
            found.append(value)
    return found


def _one(reader: Reader, build: Callable[[Reader, Entries], T], shape: Record, path: Path) -> T | None:
    """What one file holds, or None where its problems have been noted."""
    entries = reader.whole(shape)
    if "id" in entries and entries["id"].value != path.stem:
        message = f"the id is {quoted(entries['id'].value)}, but the file is named {quoted(path.name)}"
        reader.note("wrong-id", entries["id"].place, message, "name the file as the id")
    group = entries.get("scenario") or entries.get("mitigation")
    if group is not None and group.value != path.parent.name:
        message = f"it says {quoted(group.value)}, but lies in the folder {quoted(path.parent.name)}"
        reader.note("wrong-folder", group.place, message, "move the file")
    if any(key.required and key.name not in entries for key in shape.keys):
        return None
    return build(reader, entries)


def _threat(reader: Reader, entries: Entries) -> Threat:
    targets = _plain(entries["targets"].value)
    applies = {kind: c for kind in targets if (c := _condition(reader, entries["applies"], kind)) is not None}
    for condition in applies.values():
        answer = pins.threat_answer(condition)
        _check_examples(reader, entries["examples"], condition.kind, answer, pins.threat_mutants(condition))
    return Threat(
        id=entries["id"].value,
        title=entries["title"].value,
        scenario=entries["scenario"].value,
        targets=targets,
        applies=applies,
        stride=_plain(entries["stride"].value),
        likelihood=entries["likelihood"].value,
        impact=entries["impact"].value,
        why=entries["why"].value.strip(),
        links=tuple(_links(reader, entries["controls"].value)),
        by_provider="treated_by" in entries,
        maps=_maps(entries["maps"].value),
        references=_plain(entries["references"].value),
        place=entries["id"].key,
    )


def _links(reader: Reader, table: Entries) -> Iterator[Link]:
    for control, entry in table.items():
        if isinstance(entry.value, str):
            if entry.value == "stops":
                message = f"'{control}' stops this threat without saying why"
                reader.note("no-reason", entry.place, message, "write {stops: because ...}")
            yield Link(control=control, effect=entry.value, because="", place=entry.key)
        elif len(entry.value) == 1:
            (effect, because), *_ = entry.value.items()
            yield Link(control=control, effect=effect, because=because.value, place=entry.key)
        else:
            reader.note("wrong-type", entry.place, f"'{control}' has {len(entry.value)} effects; expected one")


def _control(reader: Reader, entries: Entries) -> Control:
    scope = entries["scope"].value
    in_place = _condition(reader, entries["in_place"], scope) if "in_place" in entries else None
    needs = [
        Need(condition=condition, reason=need.value["else"].value)
        for need in (entries["needs"].value if "needs" in entries else ())
        if {"if", "else"} <= need.value.keys()
        if (condition := _condition(reader, need.value["if"], scope)) is not None
    ]
    conditions = [need.condition for need in needs]
    if in_place is not None or needs:
        if "examples" not in entries:
            reader.note("missing-key", entries["id"].key, "a control with a condition has no 'examples'", "add them")
        else:
            answer = pins.control_answer(in_place, conditions)
            variants = pins.control_mutants(in_place, conditions)
            _check_examples(reader, entries["examples"], scope, answer, variants)
    return Control(
        id=entries["id"].value,
        title=entries["title"].value,
        mitigation=entries["mitigation"].value,
        kind=entries["kind"].value,
        owner=entries["owner"].value,
        scope=scope,
        in_place=in_place,
        requires=_plain(entries["requires"].value) if "requires" in entries else (),
        needs=tuple(needs),
        why=entries["why"].value.strip(),
        how={name: how.value.strip() for name, how in entries["how"].value.items()},
        maps=_maps(entries["maps"].value),
        references=_plain(entries["references"].value),
        place=entries["id"].key,
    )


def _condition(reader: Reader, entry: Entry, kind: str) -> Condition | None:
    """The condition in an entry, or None with its problem noted: at its column where the text stands on one line."""
    try:
        return compile_condition(entry.value, kind)
    except ConditionError as error:
        line = reader.document.text.split("\n")[entry.place.line - 1]
        start = entry.place.column - 1
        start += line[start : start + 1] in {"'", '"'}
        as_written = line.startswith(entry.value, start)
        place = entry.place._replace(column=start + 1 + error.column) if as_written else entry.place
        reader.note(error.code, place, error.message, error.hint)
        return None


def _check_examples(
    reader: Reader,
    entry: Entry,
    kind: str,
    answer: pins.Answer,
    variants: Iterator[tuple[str, pins.Answer]],
) -> None:
    """Runs a file's examples, then asks of each mutant whether an example tells it from the original."""
    before = len(reader.problems)
    examples = list(_examples(reader, entry, kind))
    for (stated, _, place), found in pins.wrong_answers(answer, examples):
        reader.note("wrong-example", place, f"this example says '{stated}', but the condition answers '{found}'")
    if len(reader.problems) > before:
        return
    for what in pins.survivors(variants, examples):
        message = f"no example of {article(kind)} tells the condition from a mutant: {what}"
        reader.note("unpinned-condition", entry.key, message, "add an example whose answer changes")


def _examples(reader: Reader, entry: Entry, kind: str) -> Iterator[pins.Example]:
    for name, group in entry.value.items():
        for example in group.value:
            values: dict[str, Any] = {}
            for fact, stated in example.value.items():
                row = FACTS[kind].get(fact)
                if row is None:
                    hint = suggestion(fact, FACTS[kind]) or f"known: {listed(FACTS[kind], 40)}"
                    message = f"{quoted(fact)} is not a fact of {article(kind)}"
                    reader.note("unknown-fact", stated.key, message, hint)
                    values[fact] = INVALID
                elif stated.value is None:
                    values[fact] = None
                else:
                    mark = reader.document.mark_of(stated.place)
                    values[fact] = reader.read(row.shape, stated.value, mark, f"'{fact}'")
            if INVALID not in values.values():
                yield name, pins.facts_of(values, example.place), example.place


def _plain(values: Sequence[Value]) -> tuple[Any, ...]:
    return tuple(item.value for item in values)


def _maps(entries: Entries) -> dict[str, tuple[str, ...]]:
    return {name: _plain(entry.value) for name, entry in entries.items()}


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
    problems += reader.problems
    if reader.problems:
        return None
    return Article(
        name=entries["name"].value,
        source=entries["source"].value,
        scenarios=_numbered(entries["scenarios"].value),
        mitigations=_numbered(entries["mitigations"].value),
    )


def _numbered(table: Entries) -> tuple[Numbered, ...]:
    items = (
        Numbered(
            id=name,
            number=entry.value["number"].value,
            title=entry.value["title"].value,
            says=entry.value["says"].value,
            gaps=_plain(entry.value["gaps"].value) if "gaps" in entry.value else (),
        )
        for name, entry in table.items()
    )
    return tuple(sorted(items, key=lambda item: item.number))
