"""A baseline file: one for many models, each named by its path from the file's folder."""

from __future__ import annotations

import datetime
import hashlib
import json
import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from threatmodel.assessment.assessed import VERDICTS, Assessment
from threatmodel.assessment.former import current_baseline, current_names, former_elements, kinds_of
from threatmodel.assessment.gate.known import Baseline, KnownFinding
from threatmodel.assessment.gate.swapped import KnownSource
from threatmodel.reading.files import Files, shown_path
from threatmodel.reading.former import Renamed
from threatmodel.reading.problems import InputError, Place, escaped, quoted, refusal
from threatmodel.reading.project import real_path
from threatmodel.reading.saved import Shape, hold, loaded

FORMAT = "tm-baseline/2"
"""Changes when a reader of the last format would misread it."""
_SOURCE: dict[str, Any] = {
    "kind": "text",
    "path": "text",
    "chosen": {"*": "text"},
    "sha256": "text",
    "elements": {"*": "text"},
}
_SHAPE: Shape = {
    "models": {
        "*": {
            "name": "text",
            "taken_on": "text",
            "findings": {
                "*": {"verdict": frozenset(VERDICTS), "claimed": "number", "proven": "number", "proved_by": ["text"]}
            },
            "others": ["text"],
            "evidence": {"*": {"*": "number"}},
            "sources?": [_SOURCE],
            "sha256": "text",
        }
    }
}
_ZONES = datetime.timedelta(days=1)
"""How far ahead a day may lie: somewhere it is tomorrow already."""


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
        raise refusal("unusable-baseline", shown_path(file), message, "add them with --update-baseline")
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


# --- its text


def written(models: Mapping[str, Baseline]) -> str:
    """Baselines as JSON, by the path of the model from the baseline's folder; the same bytes for the same findings."""
    found = {"format": FORMAT, "models": {path: _sealed(_plain(one)) for path, one in sorted(models.items())}}
    return escaped(json.dumps(found, indent=1, ensure_ascii=False)) + "\n"


def _plain(one: Baseline) -> dict[str, Any]:
    return {
        "name": one.name,
        "taken_on": one.day.isoformat(),
        "findings": {
            name: {
                "verdict": known.verdict,
                "claimed": known.claimed,
                "proven": known.proven,
                "proved_by": list(known.proved_by),
            }
            for name, known in sorted(one.findings.items())
        },
        "others": sorted(one.others),
        "evidence": one.evidence,
        **({"sources": [source._asdict() for source in one.sources]} if one.sources is not None else {}),
    }


def _sealed(one: Mapping[str, Any]) -> dict[str, Any]:
    """A model's part of the file with a digest: it protects against nothing, but detects edits by hand."""
    whole = json.dumps(one, sort_keys=True, ensure_ascii=True).encode()
    return {**one, "sha256": hashlib.sha256(whole).hexdigest()}


def read(text: str, place: Place, today: datetime.date) -> dict[str, Baseline]:
    """Return the baselines in a file's text, by model.

    Raises InputError where it is none, has another format or no digest, was edited, or is of a day that is to come.
    """
    found = loaded(text, place, _CODE, _renew(place))
    if not isinstance(found, dict) or not isinstance(found.get("models"), dict):
        raise _unusable(place, "this is no baseline: it has no models")
    if found.get("format") != FORMAT:
        message = f"this baseline has the format {quoted(found.get('format'))}; this version reads '{FORMAT}'"
        raise _unusable(place, message)
    hold(found, _SHAPE, place, _CODE, _renew(place))
    return {path: _read(path, one, place, today) for path, one in found["models"].items()}


def _read(path: str, one: Mapping[str, Any], place: Place, today: datetime.date) -> Baseline:
    if not _is_sealed(one):
        raise _unusable(place, f"what it says of {quoted(path)} is not as it was taken: it was edited since")
    try:
        day = datetime.date.fromisoformat(one["taken_on"])
    except ValueError:
        raise _unusable(place, f"expected a day such as {today}, found {quoted(one['taken_on'])}") from None
    if day > today + _ZONES:
        raise _unusable(place, f"what it says of {quoted(path)} was taken on {day}, which is to come: today is {today}")
    return Baseline(
        name=one["name"],
        day=day,
        findings={
            name: KnownFinding(
                verdict=known["verdict"],
                claimed=known["claimed"],
                proven=known["proven"],
                proved_by=tuple(known["proved_by"]),
            )
            for name, known in one["findings"].items()
        },
        others=frozenset(one["others"]),
        evidence=one["evidence"],
        sources=tuple(KnownSource(*map(source.get, _SOURCE)) for source in one["sources"])
        if "sources" in one
        else None,
    )


def _is_sealed(one: Mapping[str, Any]) -> bool:
    try:
        return _sealed({key: value for key, value in one.items() if key != "sha256"}) == one
    except RecursionError:  # no key of the format nests this deep
        return False


_CODE = "unusable-baseline"


def _unusable(place: Place, message: str) -> InputError:
    return refusal(_CODE, place, message, _renew(place))


def _renew(place: Place) -> str:
    return f"remove it and create a new one: tm check --baseline {place.file} --write-baseline"
