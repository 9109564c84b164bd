"""A saved result of the probe, as statements about the function whose handler was probed."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from pathlib import Path

from threatmodel import __version__
from threatmodel.evidence.bound import mismatches
from threatmodel.evidence.deployed import Deployed
from threatmodel.graph.elements import LeftOpen, Read
from threatmodel.model.facts import Statement
from threatmodel.model.system import EvidenceFile, System
from threatmodel.probe.catalogue import AGE, doubts
from threatmodel.probe.folder import folder_digest
from threatmodel.probe.result import Result, read
from threatmodel.probe.seen import SeenCall
from threatmodel.probe.source_check import FACT, check_handler
from threatmodel.reading.files import Files, shown_path
from threatmodel.reading.problems import Place, listed
from threatmodel.reading.project import real_path


def probed(
    system: System,
    source: EvidenceFile,
    files: Files,
    deployed: Sequence[Deployed] = (),
    now: datetime.datetime | None = None,
) -> tuple[dict[str, Statement], Read, tuple[SeenCall, ...]]:
    """What a result says of its function, by fact, what was read, and the calls to AWS that it was seen to make.

    Where it is no run of these probes, is too old, or is not about the code that is there now and that the files of the
    model deploy as this function (`deployed`), the result counts as a statement, and no call as seen. What the source
    shows of constant time is always a statement, and always read again. Raises InputError where a file cannot be used.
    """
    model = Path(system.file)
    path = files.named(source.path, model, source.place)
    result = read(files.text(path), shown_path(path), files.renamed)
    folder = files.named(source.code, model, source.place) if source.code else path.parent
    files.folders.add(real_path(folder))
    place = Place(shown_path(path), 0)
    changed = files.changed_in(folder, besides=path)
    stale = _stale(result, folder, place, changed=changed) or _word(result, deployed, folder, now, age_of(source))
    statements = {}
    left_open = []
    for one in result.facts:
        if one.decided:
            said = f"{one.passed} of {one.of} probes{f', {one.note}' if one.note else ''}{_for(result, one.fact)}"
            statements[one.fact] = Statement(one.value, "probe", place, said, stale=bool(stale))
        else:
            left_open.append(LeftOpen(source.function, one.fact, one.note or "the probes do not decide it", place, ()))
    if not changed and (said_of_source := _source(result, folder)) is not None:
        statements[FACT] = said_of_source
    found = Read(
        file=shown_path(path),
        kind=source.kind,
        elements={source.function: result.target},
        left_open=tuple(left_open),
        stale=stale,
    )
    return statements, found, () if stale else result.calls_seen


def _stale(result: Result, folder: Path, place: Place, *, changed: bool) -> str:
    """Why the result is not known to be of the code that is there now, or ''."""
    if not result.folder_sha256:
        return "it was probed over HTTP, so it is unknown which code answered; it counts as a statement"
    if changed or folder_digest(folder, shown_path(folder)) != result.folder_sha256:
        again = f"tm.py probe {result.target} --json -o {place.file}"
        return f"{shown_path(folder)}/ has changed since it was probed; it counts as a statement (probe again: {again})"
    return ""


def age_of(source: EvidenceFile) -> datetime.timedelta:
    """How long the result that a model names is evidence."""
    return AGE if source.days is None else datetime.timedelta(days=source.days)


def _word(
    result: Result,
    deployed: Sequence[Deployed],
    folder: Path,
    now: datetime.datetime | None,
    age: datetime.timedelta,
) -> str:
    """Every reason for which a result counts as a statement, in one line; '' where there is none."""
    why = list(doubts(result, now, __version__, age))
    for one in deployed:
        why += [f"{reason} ({one.stack.file})" for reason in mismatches(result, one, folder)]
    return f"{'; '.join(why)}; it counts as a statement" if why else ""


def _for(result: Result, fact: str) -> str:
    """For which requests a fact about signatures was shown."""
    if fact != "verifies_signature":
        return ""
    covered = result.shown_for
    paths = listed(covered.paths[:3]) + (f" and {len(covered.paths) - 3} more" if len(covered.paths) > 3 else "")  # noqa: PLR2004 - a line's worth
    return f"; by {', '.join(covered.methods)} at {paths}; {', '.join(covered.kinds)}"


def _source(result: Result, folder: Path) -> Statement | None:
    """What the source says of constant time, at its line."""
    handler = folder / Path(result.target.rsplit(":", 1)[0]).name
    if result.kind == "http" or not handler.is_file():
        return None
    found = check_handler(Path(shown_path(handler)))
    if found.value is None or not found.places:
        return None
    return Statement(found.value, "source", found.places[0], found.note)
