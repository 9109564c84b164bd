"""`tm.py check --reprobe REVISION`: run saved probes again, of handlers that the model of a revision already names."""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Sequence
from pathlib import Path

from threatmodel.command.revisions import unpacked
from threatmodel.command.temporary import temporary_folder
from threatmodel.evidence.probe_files import read_probe
from threatmodel.model.load import load_model
from threatmodel.model.system import EvidenceFile, System
from threatmodel.probe.again import again, differences, not_named
from threatmodel.probe.command import run
from threatmodel.reading.files import Files, shown_path
from threatmodel.reading.home import CONTENT, EXPLAIN
from threatmodel.reading.output import complain
from threatmodel.reading.problems import InputError, refusal, render_problems, visible
from threatmodel.reading.project import real_path, repository


def reprobed(models: Sequence[Path], revision: str) -> bool:
    """Return whether each saved result of the models comes out the same again; report what each did.

    A pull request chooses neither whether nor which handler is run: that is what the revision's own model names.
    Raises InputError if a model or the revision cannot be used.
    """
    found = [_compared(model, revision) for model in models]
    return all(found)


def _compared(model: Path, revision: str) -> bool:
    root = repository(model.parent)
    if root is None:
        message, hint = "this model is in no git repository", "run --reprobe in a clone that has the base revision"
        raise refusal("unknown-revision", str(model), message, hint)
    system = load_model(Files(CONTENT), model)
    with temporary_folder("tm-reprobe-") as folder:
        unpacked(root, revision, folder)
        known = dict(_known(folder / real_path(model).relative_to(root)))
    good = True
    saved = [one for one in system.evidence if one.kind == "probe"]
    if not saved:
        complain(f"probed again: {visible(shown_path(model))} names no saved probe\n")
    for source in saved:
        good &= _same(source, system, revision, known)
    return good


_Key = tuple[str, str, str]


def _key(source: EvidenceFile) -> _Key:
    return (source.path, source.function, source.code)


def _known(model: Path) -> Iterator[tuple[_Key, str]]:
    """Yield the results that the model of the revision names, each with its handler's file in its folder."""
    if not model.is_file():
        return
    files = Files(CONTENT)
    for source in load_model(files, model).evidence:
        if source.kind == "probe":
            try:
                probe = read_probe(source, model, files)
            except InputError:  # what the revision itself could not use, nothing is run by
                continue
            yield _key(source), str(probe.result.handler_in(Path()))


def _same(source: EvidenceFile, system: System, revision: str, known: dict[_Key, str]) -> bool:
    """Run one result's handler again, and report how it compares."""
    files = Files(CONTENT)
    probe = read_probe(source, Path(system.file), files)
    handler = str(probe.result.handler_in(Path()))
    name = shown_path(Path(probe.place.file))
    if known.get(_key(source)) != handler or not probe.result.folder_sha256:
        return _failed(InputError([not_named(probe.place, revision)]), files)
    try:
        options = again(probe.result, probe.folder, files, probe.place)
        found, _ = run(options, files, datetime.datetime.now(datetime.UTC))
    except InputError as error:
        return _failed(error, files)
    other = list(differences(probe.result, found))
    lines = [f"probed again: {name}: {one}" for one in other] or [f"probed again: {name}: the same result"]
    complain("".join(f"{visible(line)}\n" for line in lines))
    return not other


def _failed(error: InputError, files: Files) -> bool:
    complain(render_problems(error, files.read, EXPLAIN))
    return False
