"""The saved probes of a model, each held against what the other files deploy, and all of a function together."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Mapping, Sequence

from threatmodel.evidence.deployed import Deployed
from threatmodel.evidence.probe_files import ProbeFile
from threatmodel.evidence.probed import probed
from threatmodel.graph.elements import Read
from threatmodel.model.facts import Statements
from threatmodel.model.system import EvidenceFile
from threatmodel.probe.seen import SeenCall


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
