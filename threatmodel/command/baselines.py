"""Baselines as commands use them: one file for many models, each named by its path from the file's folder."""

from __future__ import annotations

import datetime
import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from threatmodel.reading.files import Files, is_file, shown_path
from threatmodel.reading.former import Renamed
from threatmodel.reading.output import write, write_new
from threatmodel.reading.problems import InputError, Place, Problem
from threatmodel.reading.project import real_path
from threatmodel.reading.whole import is_stream

if TYPE_CHECKING:
    from threatmodel.assessment.assessed import Assessment
    from threatmodel.assessment.gate.known import Baseline
    from threatmodel.command.request import Invocation
    from threatmodel.reading.replacing import Replacing


def baselines_in(file: Path, files: Files, today: datetime.date) -> dict[str, Baseline]:
    """Return the baselines in a file. Raises InputError where it holds none."""
    from threatmodel.assessment.gate.baseline import read

    return read(files.text(file), Place(shown_path(file)), today)


def key_in(file: Path, model: Path) -> str:
    """Return a model's name in a baseline: its path from the baseline's folder."""
    return os.path.relpath(real_path(model), real_path(file.parent)).replace(os.sep, "/")


def models_gone(found: Mapping[str, Baseline], file: Path) -> list[str]:
    """Return the names of the models in a baseline whose files no longer exist."""
    return [name for name in sorted(found) if not is_file(file.parent / name)]


def create(file: Path, fresh: Mapping[str, Baseline], replacing: Replacing) -> None:
    """Write a baseline that is not there yet. Raises InputError where another run has written one meanwhile."""
    from threatmodel.assessment.gate.baseline import written

    if is_stream(file):
        write(written(fresh), file, replacing)
        return
    replacing.check(file)
    write_new(written(fresh), file)


def update(file: Path, fresh: Mapping[str, Baseline], replacing: Replacing, request: Invocation) -> None:
    """Replace the results of some models in a baseline, and drop models whose files no longer exist.

    Of several runs at once, each keeps what the ones before it have written. Raises InputError where the file is gone
    or unusable by now.
    """
    from threatmodel.assessment.gate.baseline import written
    from threatmodel.reading.editing import held

    with held(file):
        request.files.forget(file)
        known = baselines_in(file, request.files, request.today)
        there = {name: known[name] for name in known.keys() - models_gone(known, file)}
        write(written({**there, **fresh}), file, replacing)


def baseline_of(
    model: Path, assessment: Assessment, found: Mapping[str, Baseline], file: Path, files: Files
) -> Baseline:
    """Return the baseline of a model, with current names. Raises InputError where the file has none."""
    from threatmodel.assessment.former import current_baseline, current_names, former_elements, kinds_of

    name = assessment.graph.system.name
    baseline = found.get(key_in(file, model))
    if baseline is None or baseline.name != name:
        other = f"the model '{baseline.name}' at this path" if baseline is not None else "other models"
        message = f"this baseline is for {other}; it has no results of '{name}' ({shown_path(model)})"
        hint = "add them with --update-baseline"
        place = Place(shown_path(file))
        raise InputError([Problem(code="unusable-baseline", place=place, message=message, hint=hint)])
    graph = assessment.graph
    names = current_names(assessment.library.former, kinds_of(graph), former_elements(graph))
    current, renamed = current_baseline(baseline, names)
    files.renamed += placed(renamed, file, files)
    return current


def placed(renamed: Mapping[str, str], file: Path, files: Files) -> Iterator[Renamed]:
    """Yield former keys of a baseline at their first places in its text."""
    lines = files.text(file).split("\n") if renamed else []
    for number, line in enumerate(lines, 1):
        for old in _TEXT.findall(line):
            if old in renamed:
                yield Renamed(Place(shown_path(file), number, line.index(f'"{old}"') + 1), old, renamed[old])


_TEXT = re.compile(r'"([^"\\]+)"')


def held_against(request: Invocation, assessment: Assessment) -> tuple[Assessment, str]:
    """Return an assessment compared with the baseline of a run, and a sentence about the baseline.

    Without a baseline, return the assessment unchanged and ''.
    """
    file: Path | None = request.args.baseline
    if file is None:
        return assessment, ""
    from threatmodel.assessment.gate.missing import with_missing
    from threatmodel.render.first import baseline_in_words

    found = baselines_in(file, request.files, request.today)
    baseline = baseline_of(request.model, assessment, found, file, request.files)
    return with_missing(assessment, baseline), baseline_in_words(baseline, assessment)
