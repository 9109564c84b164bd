"""The saved probes of a model as statements about the functions whose handlers were probed."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Mapping, Sequence

from threatmodel import __version__
from threatmodel.evidence.bound import mismatches
from threatmodel.evidence.deployed import Deployed
from threatmodel.evidence.probe_files import COMPARES, ProbeFile
from threatmodel.graph.elements import LeftOpen, Read
from threatmodel.model.facts import Statement, Statements
from threatmodel.model.system import EvidenceFile
from threatmodel.probe.catalogue import AGE, doubts
from threatmodel.probe.limits import not_tried
from threatmodel.probe.result import Result
from threatmodel.probe.seen import SeenCall
from threatmodel.reading.problems import listed


def state_probes(
    sources: Iterable[tuple[int, EvidenceFile, ProbeFile]],
    deployed: Mapping[str, Sequence[Deployed]],
    today: datetime.date | None,
) -> tuple[Statements, dict[int, Read], dict[str, frozenset[SeenCall]]]:
    """Return what the saved probes say of their functions, and what was read, by its number among the evidence.

    Last come the calls that each function was seen to make by a result which counts as evidence; a function without
    such a result is not among them.  What one result leaves open, another one of the same function cannot prove.
    """
    statements: Statements = {}
    seen: dict[str, frozenset[SeenCall]] = {}
    now = None if today is None else datetime.datetime.combine(today, datetime.time(12), datetime.UTC)
    found: dict[int, Read] = {}
    for number, source, probe in sources:
        said, found[number], calls = probed(source, probe, deployed.get(source.function, ()), now)
        if not found[number].stale:
            seen[source.function] = seen.get(source.function, frozenset()) | frozenset(calls)
        for name, statement in said.items():
            statements.setdefault(source.function, {}).setdefault(name, []).append(statement)
    _doubt_what_others_leave_open(statements, found.values())
    return statements, found, seen


def _doubt_what_others_leave_open(statements: Statements, read: Iterable[Read]) -> None:
    for one in read:
        for left in one.left_open:
            of_function = statements.get(left.element, {})
            if left.name in of_function:
                said = of_function[left.name]
                of_function[left.name] = [s._replace(stale=True) if s.source == "probe" else s for s in said]


def probed(
    source: EvidenceFile, probe: ProbeFile, deployed: Sequence[Deployed] = (), now: datetime.datetime | None = None
) -> tuple[dict[str, Statement], Read, tuple[SeenCall, ...]]:
    """What a result says of its function, by fact, what was read, and the calls to AWS that it was seen to make.

    Where it is no run of these probes, is too old, or is not about the code that is there now and that the files of the
    model deploy as this function (`deployed`), the result counts as a statement, and no call as seen.
    """
    result = probe.result
    stale = probe.stale or _word(probe, source, deployed, now)
    statements = {}
    left_open = []
    for one in result.facts:
        if one.decided:
            limits = result.not_tried.get(one.fact) or not_tried(one.fact)
            said = f"{one.passed} of {one.of} probes{f', {one.note}' if one.note else ''}{_for(result, one.fact)}"
            said += f"; for any data in {listed(source.free)}" if source.free else ""
            said = f"{said}; {limits}" if limits else said
            statements[one.fact] = Statement(one.value, "probe", probe.place, said, stale=bool(stale))
        else:
            why = one.note or "the probes do not decide it"
            left_open.append(LeftOpen(source.function, one.fact, why, probe.place, ()))
    if probe.compares is not None:
        statements[COMPARES] = probe.compares
    found = Read(
        file=probe.place.file,
        kind=source.kind,
        elements={source.function: result.target},
        left_open=tuple(left_open),
        stale=stale,
    )
    return statements, found, () if stale else result.calls_seen


def age_of(source: EvidenceFile) -> datetime.timedelta:
    """How long the result that a model names is evidence."""
    return AGE if source.days is None else datetime.timedelta(days=source.days)


def _word(probe: ProbeFile, source: EvidenceFile, deployed: Sequence[Deployed], now: datetime.datetime | None) -> str:
    """Every reason for which a result counts as a statement, in one line; '' where there is none."""
    why = list(doubts(probe.result, now, __version__, age_of(source)))
    if added := [f"--{name}" for name in ("header", "query") if name in probe.result.options]:
        why.append(f"it was made with {listed(added)}, which an attacker may leave out")
    for one in deployed:
        why += [f"{reason} ({one.stack.file})" for reason in mismatches(probe.result, one, probe.folder, source.free)]
    return f"{'; '.join(why)}; it counts as a statement" if why else ""


def _for(result: Result, fact: str) -> str:
    """For which requests a fact about signatures was shown."""
    if fact != "verifies_signature":
        return ""
    covered = result.shown_for
    paths = listed(covered.paths[:3]) + (f" and {len(covered.paths) - 3} more" if len(covered.paths) > 3 else "")  # noqa: PLR2004 - a line's worth
    return f"; by {', '.join(covered.methods)} at {paths}; {', '.join(covered.kinds)}"
