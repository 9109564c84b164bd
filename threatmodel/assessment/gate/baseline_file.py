"""A baseline file: one for many models, each named by its path from the file's folder."""

from __future__ import annotations

import datetime
import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from threatmodel.assessment.assessed import Assessment
from threatmodel.assessment.former import current_baseline, current_names, former_elements, kinds_of
from threatmodel.assessment.gate.baseline import read
from threatmodel.assessment.gate.known import Baseline
from threatmodel.reading.files import Files, shown_path
from threatmodel.reading.former import Renamed
from threatmodel.reading.problems import InputError, Place, Problem
from threatmodel.reading.project import real_path


def baselines_in(file: Path, files: Files, today: datetime.date) -> dict[str, Baseline]:
    """Return the baselines in a file. Raises InputError where it holds none."""
    return read(files.text(file), Place(shown_path(file)), today)


def key_in(file: Path, model: Path) -> str:
    """Return a model's name in a baseline: its path from the baseline's folder."""
    return os.path.relpath(real_path(model), real_path(file.parent)).replace(os.sep, "/")


def baseline_of(
    model: Path, assessment: Assessment, found: Mapping[str, Baseline], file: Path, files: Files
) -> Baseline:
    """Return the baseline of a model, with current names. Raises InputError where the file has none."""
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
