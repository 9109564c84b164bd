"""Baselines as commands use them: one file for many models, each named by its path from the file's folder."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from threatmodel.reading.files import is_file
from threatmodel.reading.output import write, write_new
from threatmodel.reading.whole import is_stream

if TYPE_CHECKING:
    from threatmodel.assessment.assessed import Assessment
    from threatmodel.assessment.gate.known import Baseline
    from threatmodel.command.request import Invocation
    from threatmodel.reading.replacing import Replacing


def models_gone(found: Mapping[str, Baseline], file: Path) -> list[str]:
    """Return the names of the models in a baseline whose files no longer exist."""
    return [name for name in sorted(found) if not is_file(file.parent / name)]


def create(file: Path, fresh: Mapping[str, Baseline], replacing: Replacing) -> None:
    """Write a baseline that is not there yet. Raises InputError where another run has written one meanwhile."""
    from threatmodel.assessment.gate.baseline_file import written

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
    from threatmodel.assessment.gate.baseline_file import baselines_in, written
    from threatmodel.reading.editing import held

    with held(file):
        request.files.forget(file)
        known = baselines_in(file, request.files, request.today)
        there = {name: known[name] for name in known.keys() - models_gone(known, file)}
        write(written({**there, **fresh}), file, replacing)


def held_against(request: Invocation, assessment: Assessment) -> tuple[Assessment, str]:
    """Return an assessment compared with the baseline of a run, and a sentence about the baseline.

    Without a baseline, return the assessment unchanged and ''.
    """
    file: Path | None = request.args.baseline
    if file is None:
        return assessment, ""
    from threatmodel.assessment.gate.baseline_file import baseline_of, baselines_in
    from threatmodel.assessment.gate.missing import with_missing
    from threatmodel.render.first import baseline_in_words

    found = baselines_in(file, request.files, request.today)
    baseline = baseline_of(request.model, assessment, found, file, request.files)
    return with_missing(assessment, baseline), baseline_in_words(baseline, assessment)
