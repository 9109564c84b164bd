"""New threats, controls and functions: files to write over, and entries added to files that stay as they are.

Texts in, texts out: what is planned here is read through `Files`, and written by the command line.
"""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import Path

from threatmodel.authoring.insertion import scalar, with_entry
from threatmodel.authoring.library_files import control_text, threat_text
from threatmodel.authoring.planned import Plan
from threatmodel.graph.reach import REACHES
from threatmodel.library.entries import EFFECTS, Threat
from threatmodel.library.format import CONTROL, THREAT
from threatmodel.library.placeholders import placeholder
from threatmodel.library.read import threat_of
from threatmodel.model.file import ELEMENTS
from threatmodel.model.load import load_model
from threatmodel.model.reference_architecture import RESERVED
from threatmodel.model.system import System
from threatmodel.model.vocabulary import RELATIONS
from threatmodel.reading.files import Files, shown_path
from threatmodel.reading.home import COMMAND
from threatmodel.reading.problems import InputError, Place, article, refusal, suggestion
from threatmodel.reading.reader import Reader
from threatmodel.reading.shape import NamedItems, Raw, Text
from threatmodel.reading.source import Document, Map
from threatmodel.reading.values import dataclass, replace

_BESIDE = 38
"""The column of comments after example lines of a function."""


@dataclass(frozen=True, slots=True)
class Folders:
    """The libraries' folders, of which the last is written to; `given` are those that the command line names."""

    all: Sequence[Path]
    given: Sequence[Path] = ()


# --- entries


def function_lines(name: str, system: System, trigger: str = "", api: str = "") -> list[str]:
    """A function's entry for a model's section: stated is only what was said, the rest are examples in comments.

    `trigger` is KIND:WHAT, such as slack:events or queue:ID; `api` the id of the api that it comes through.
    """
    known = ELEMENTS["function"].index
    kind, _, what = trigger.partition(":")
    by = f"{kind}: {scalar(what)}" if trigger else "slack: slash-command"
    triggers = f"triggers: [{{{by}{f', api: {scalar(api)}' if api else ''}}}]"
    if not trigger:
        triggers = _beside(f"# {triggers}", known["triggers"].meaning)
    uses = (
        _beside(f"# {row.name}: [{', '.join(_named(system, row.to[0])) or row.to[0].upper().split()[0]}]", row.meaning)
        for row in RELATIONS["function"].values()
        if row.verb
    )
    return [
        f"{scalar(name)}:",
        f"  {_beside(f'name: {scalar(name)}', known['name'].meaning)}",
        f"  {triggers}",
        f"  {_beside('# description: WHAT FOR', known['description'].meaning)}",
        "  # what is not stated is unknown, and asked; the first stated of the next five closes these five",
        *(f"  {line}" for line in uses),
        "  # every fact that can be stated: tm.py --describe function",
    ]


def _beside(line: str, comment: str) -> str:
    return f"{line:<{_BESIDE}}  # {comment}"


def _named(system: System, kind: str) -> list[str]:
    """A few ids of a kind, as an example."""
    if kind == "external system":
        return ["slack", *system.externals][:3]
    return [node.id for node in system.nodes.values() if node.kind == kind][:3]


# --- what the command line asks for


def new_threat(name: str, scenario: str, libraries: Folders) -> Plan:
    """A new threat in the last of the libraries' folders.  Raises InputError where the id is none, or is taken."""
    folders = libraries.all
    _check_new("threat", name, folders)
    path = folders[-1] / "threats" / scenario / f"{name}.yaml"
    then = f"next: write it, then {_command(libraries.given, '--list')} reads the library"
    return Plan(((path, threat_text(name, scenario), ""),), (then,))


def new_control(
    name: str, mitigation: str, libraries: Folders, files: Files, link: tuple[str, str] | None = None
) -> Plan:
    """A new control in the last of the libraries' folders, linked from a threat there: `link` is its id and the effect.

    Raises InputError where the id is none or is taken, and where no link can be added.
    """
    folders = libraries.all
    _check_new("control", name, folders)
    path = folders[-1] / "controls" / mitigation / f"{name}.yaml"
    listing = _command(libraries.given, "--list")
    if link is None:
        line = f"  {scalar(name)}: {{hinders: WHY}}    # or {', '.join(e for e in EFFECTS if e != 'hinders')}"
        then = "next: write it, and link it, or the library does not load; under controls: of a threat, add"
        return Plan(((path, control_text(name, mitigation), ""),), (then, line, f"then: {listing}"))
    threat, effect = link
    at = _threat_file(threat, folders)
    found = _threat(files, at)
    scope = next((kind for kind in found.targets if all(kind in REACHES[other] for other in found.targets)), "account")
    written = [(path, control_text(name, mitigation, scope), "")]
    if all(known.control != name for known in found.links):
        entry = f"{scalar(name)}: {{{effect}: {placeholder(f'why it {effect} this threat')}}}"
        text, line_no = with_entry(files.raw(at), files.document(at), "controls", name, [entry])
        written.append((at, text, f", line {line_no}"))
    what = "it" if len(written) == 1 else "both"
    then = f"next: write {what}, then {listing} reads the library"
    return Plan(tuple(written), (then,), {at: files.raw(at)})


def new_function(name: str, model: Path, files: Files, trigger: str = "", api: str = "") -> Plan:
    """A model with a new function.  Raises InputError with the problems that it has, or would have."""
    if model.exists() and not model.is_file() and not model.is_dir():
        raise refusal("unwritable-file", shown_path(model), "this is a pipe or a device", "name a file")
    _check_id("function", name)
    system = load_model(files, model)
    _check_free(name, system)
    lines = function_lines(name, system, trigger, api)
    text, at = with_entry(files.raw(model), files.document(model), "functions", name, lines)
    _check_model(Files(texts={model: text}), model, range(at, at + len(lines)))
    then = f"next: state what it uses, then {_command((), '-m', shown_path(model), '--report')}"
    return Plan(((model, text, f", line {at}"),), (then,), {model: files.raw(model)})


def _check_id(part: str, name: str, longest: int | None = None) -> None:
    """Raises InputError where a name cannot be an id, in the loader's words."""
    table = NamedItems(Raw(), f"a {part}")
    root = Map()
    root[name] = None
    root.marks += [0, 0]
    reader = Reader(Document(f"new {part}", "", root, 0))
    reader.read(table if longest is None else replace(table, longest=longest), root, 0, "")
    if reader.problems:
        raise InputError(reader.problems)


def _check_new(part: str, name: str, folders: Sequence[Path]) -> None:
    """Raises InputError where a library's id is none, or is taken in any of the folders."""
    shape = (THREAT if part == "threat" else CONTROL).index["id"].shape
    _check_id(part, name, shape.longest if isinstance(shape, Text) else None)
    taken = [path for folder in folders for path in sorted(folder.glob(f"{part}s/*/{name}.yaml"))]
    if taken:
        hint = "choose another id"
        if not taken[-1].is_relative_to(folders[-1]):
            hint += f", or copy that file to {shown_path(folders[-1])} to replace it"
        raise refusal("already-exists", shown_path(taken[-1]), f"'{name}' is already the id of a {part}", hint)


def _check_free(name: str, system: System) -> None:
    """Raises InputError where a model has something of that id."""
    taken = {
        **{node.id: (node.kind, node.place) for node in system.nodes.values()},
        **{item.id: ("data item", item.place) for item in system.data.values()},
        **{item.id: ("external system", item.place) for item in system.externals.values()},
        **{item.id: ("boundary", item.place) for item in system.boundaries.values()},
    }
    if name in taken and name not in RESERVED:
        kind, place = taken[name]
        raise refusal("already-exists", place, f"'{name}' is already the id of {article(kind)}", "choose another id")


def _check_model(files: Files, model: Path, added: range) -> None:
    """Raises InputError with the problems of a model; those of what was added stand where the user wrote it."""
    try:
        load_model(files, model)
    except InputError as error:
        file = shown_path(model)
        raise InputError(
            replace(
                problem,
                place=Place("new function" if problem.place.line == added.start else "--trigger"),
                hint="give it: --api ID" if problem.code == "ambiguous-api" else problem.hint,
            )
            if problem.place.file == file and problem.place.line in added
            else problem
            for problem in error.problems
        ) from None


def _threat_file(threat: str, folders: Sequence[Path]) -> Path:
    """The file of a threat in the last folder.  Raises InputError where it is in another folder, or in none."""
    files = {path.stem: path for folder in folders for path in sorted(folder.glob("threats/*/*.yaml"))}
    inside = {name: path for name, path in files.items() if path.is_relative_to(folders[-1])}
    if threat in inside:
        return inside[threat]
    message = f"there is no threat '{threat[:60]}' in {shown_path(folders[-1])}"
    hint = suggestion(threat, inside)
    if threat in files:
        lower = files[threat]
        to = shown_path(folders[-1] / "threats" / lower.parent.name)
        message += f", but in {shown_path(lower)}, which is read without the new control"
        hint = f"copy that file to {to}/ first: it replaces the other"
    raise refusal("unknown-threat", "--threat", message, hint)


def _threat(files: Files, path: Path) -> Threat:
    """The threat in a file.  Raises InputError with all its problems."""
    reader = Reader(files.document(path))
    entries = reader.whole(THREAT)
    if not reader.problems:
        threat = threat_of(reader, entries)
        if not reader.problems:
            return threat
    raise InputError(reader.problems)


def _command(libraries: Sequence[Path], *words: str) -> str:
    options = (word for folder in libraries for word in ("--library", shown_path(folder)))
    return shlex.join([*COMMAND.split(), *options, *words])
