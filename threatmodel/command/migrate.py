"""`tm.py migrate`: files with current names."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from threatmodel.api import layered
from threatmodel.command.arguments import Parser, library, path
from threatmodel.command.request import Invocation
from threatmodel.reading.editing import write_edit
from threatmodel.reading.files import Files, shown_path
from threatmodel.reading.former import Renamed
from threatmodel.reading.home import CONTENT, EXPLAIN
from threatmodel.reading.output import complain, say, write_new
from threatmodel.reading.problems import FileChangedError, InputError, Place, refusal, render_problems
from threatmodel.reading.project import real_path
from threatmodel.reading.source import Map
from threatmodel.reading.values import replace

if TYPE_CHECKING:
    from threatmodel.library.entries import Library

DESCRIPTION = (
    "Rewrite former names of facts, kinds, threats, controls and keys to the current ones, in place. The files can be "
    "models, platform files, files of a library, policies, baselines and saved probe results. Comments, quotes and "
    "layout stay. A file is written only if the result means the same."
)


def options(parser: Parser) -> None:
    """Declare the command's options."""
    parser.add_argument("files", nargs="+", type=path, metavar="FILE", help="the files to rewrite")
    parser.add_argument("--check", action="store_true", help="write nothing; exit with code 1 if a file would change")
    library(parser)


def run(request: Invocation) -> int:
    """Rewrite each file; return 2 where one cannot be, and with --check 1 where one would change."""
    code = 0
    for file in request.args.files:
        try:
            plan = _planned(file, request)
            _write(plan, check=request.args.check)
        except InputError as error:
            complain(render_problems(error, request.files.read, EXPLAIN))
            code = 2
        else:
            if plan.renamed and request.args.check:
                code = max(code, 1)
    return code


class _Plan(NamedTuple):
    """The planned change of a file: its text before and after, its names, and where it is written."""

    path: Path
    target: Path
    before: str
    after: str
    renamed: tuple[Renamed, ...]


class _Read(NamedTuple):
    """What a file means, in current names, and the former names in it."""

    means: Any
    renamed: tuple[Renamed, ...]


_Reading = Callable[[Path, Files, Invocation], _Read]


def _planned(file: Path, request: Invocation) -> _Plan:
    """Return the planned change of a file. Raises InputError for an unknown kind of file, or a change of meaning."""
    from threatmodel.authoring.migration import meaning, migrated

    files = Files(CONTENT)
    before = files.raw(file)
    request.files.remembered_text(file)
    read = _reader_of(files.document(file).root, file)
    found = read(file, files, request)
    shown = files.shown(file)
    renamed = tuple(sorted({one for one in found.renamed if one.place.file == shown}))
    if read is _baseline:
        after = found.means if renamed else before
        return _Plan(file, file, before, after, renamed)
    after = migrated(before, renamed)
    target = _target(file, renamed) if read is _entry else file
    again = read(target, Files(CONTENT, texts={target: after}), request)
    left = [one for one in again.renamed if one.place.file == shown_path(target)]
    if left or meaning(again.means) != meaning(found.means):
        place = (left or renamed)[0].place
        message, hint = "the current names cannot be written here without a change of meaning", "rename them by hand"
        raise refusal("cannot-migrate", place, message, hint)
    return _Plan(file, target, before, after, renamed)


def _write(plan: _Plan, *, check: bool) -> None:
    """Write a file where it changes, and print what changes."""
    verb = "would become" if check else "is now"
    say([f"{one.place}: {one.old} {verb} {one.new}" for one in plan.renamed])
    if plan.target != plan.path:
        say([f"{plan.path}: the file {verb} {plan.target}"])
    if check or not plan.renamed:
        return
    if plan.target == plan.path:
        write_edit(plan.after, plan.path, plan.before)
        return
    if Files(CONTENT).raw(plan.path) != plan.before:
        raise FileChangedError.of(str(plan.path))
    write_new(plan.after, plan.target)
    plan.path.unlink()


def _target(file: Path, renamed: tuple[Renamed, ...]) -> Path:
    """Return the path of a library's file under its current id."""
    return next((file.with_stem(one.new) for one in renamed if one.old == file.stem), file)


# --- which file it is, and what it means


def _reader_of(root: Any, file: Path) -> _Reading:
    """Return the reader of a file. Raises InputError for an unknown kind of file."""
    keys = set(root) if isinstance(root, Map) else set()
    if {"format", "rows"} <= keys:
        return _probe
    if {"format", "models"} <= keys:
        return _baseline
    if file.name == "library.yaml":
        return _layer
    if file.parent.parent.name in {"threats", "controls"} and "id" in keys:
        return _entry
    if "name" in keys:
        return _model
    if keys and keys <= _policy_keys():
        return _policy
    message = "this is not a model, platform file, file of a library, policy, baseline or saved probe result"
    raise refusal(
        "cannot-migrate", shown_path(file), message, "name one of these; files that --json wrote need no migration"
    )


def _policy_keys() -> set[str]:
    from threatmodel.assessment.gate.policy import POLICY

    return {*POLICY.index, *POLICY.former}


def _probe(file: Path, files: Files, _request: Invocation) -> _Read:
    from threatmodel.probe.result import read

    result = read(files.text(file), files.shown(file), files.renamed)
    return _Read(result, tuple(files.renamed))


def _policy(file: Path, files: Files, request: Invocation) -> _Read:
    from threatmodel.assessment.gate.policy import load_policy
    from threatmodel.library.current import CurrentIds

    rules = load_policy(files, file)
    ids = CurrentIds(_library([], files, request).former)
    named = zip(rules.proven_controls, rules.proven_at, strict=True)
    rules = replace(rules, proven_controls=tuple(ids.control(name, place) for name, place in named))
    return _Read(rules, (*files.renamed, *ids.renamed))


def _model(file: Path, files: Files, request: Invocation) -> _Read:
    from threatmodel.library.current import current_system
    from threatmodel.model.load import load_model

    try:
        system = load_model(files, file)
    except InputError as error:
        if {problem.code for problem in error.problems} != {"empty-model"}:
            raise
        return _platform(file, files, request)
    found, renamed = current_system(system, _library(system.libraries, files, request))
    return _Read(replace(found, text=""), (*files.renamed, *renamed))


def _platform(file: Path, files: Files, request: Invocation) -> _Read:
    from threatmodel.library.current import CurrentIds
    from threatmodel.model.current import read_current
    from threatmodel.model.file import PLATFORM

    files.renamed.clear()
    reader, entries = read_current(files, files.document(file), PLATFORM)
    if reader.problems:
        raise InputError(reader.problems)
    ids = CurrentIds(_library([], files, request).former)
    table = entries["controls"].value if "controls" in entries else {}
    controls = {_control(name, entry.key, ids): entry.value for name, entry in table.items()}
    others = {name: entry.value for name, entry in entries.items() if name != "controls"}
    return _Read((others, controls), (*files.renamed, *ids.renamed))


def _control(name: str, place: Place, ids: Any) -> str:
    control, at, element = name.partition("@")
    return f"{ids.control(control, place)}{at}{element}"


def _layer(file: Path, files: Files, request: Invocation) -> _Read:
    found = _library([file.parent], files, request)
    return _Read((found.off, found.invariants), tuple(files.renamed))


def _entry(file: Path, files: Files, request: Invocation) -> _Read:
    """Read a threat or a control; what its ids are now, the whole library says."""
    from threatmodel.library.files import read_entry

    former = _library([file.parents[2]], Files(CONTENT), request).former
    entry = read_entry(files, file, former)
    return _Read(entry, tuple(files.renamed))


def _baseline(file: Path, files: Files, request: Invocation) -> _Read:
    """Read a baseline; its meaning is its own text, which is always written again."""
    from threatmodel.assessment.former import current_baseline, current_names
    from threatmodel.assessment.gate.baseline_file import baselines_in, placed, written

    found, renamed = {}, dict[str, str]()
    for name, baseline in baselines_in(file, files, request.today).items():
        former, kinds = _names_of(file.parent / name, request)
        found[name], changed = current_baseline(baseline, current_names(former, kinds))
        renamed |= changed
    return _Read(written(found), tuple(placed(renamed, file, files)))


def _names_of(model: Path, request: Invocation) -> tuple[Any, Mapping[str, str]]:
    """Return the former ids that hold for a model, and the kinds of its elements; of a missing one, the toolkit's."""
    from threatmodel.assessment.former import kinds_of

    try:
        found = request.assessed(model, Files(CONTENT))
    except InputError:
        return _library([], Files(CONTENT), request).former, {}
    return found.library.former, kinds_of(found.graph)


def _library(layers: Iterator[Path] | Any, files: Files, request: Invocation) -> Library:
    """Return the toolkit's library with these layers and those of the command line on top."""
    from threatmodel.reading.home import LIBRARY

    every = [*(layer for layer in layers if real_path(layer) != real_path(LIBRARY)), *request.given]
    return layered(every, files, remember=request.remembers)
