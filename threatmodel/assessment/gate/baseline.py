"""A baseline: what a check found on a day, so that later ones fail only on what is new, worse, or proven no more."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from threatmodel.assessment.assessed import PLACES, Assessment, Finding
from threatmodel.assessment.gate.known import Baseline, KnownFinding, evidence_of
from threatmodel.assessment.gate.missing import missing_evidence
from threatmodel.assessment.gate.results import CheckResult
from threatmodel.assessment.gate.swapped import sources_of, swapped
from threatmodel.reading.problems import Place
from threatmodel.reading.values import replace


def taken(assessment: Assessment, results: Sequence[CheckResult]) -> Baseline:
    """The baseline of a model as it is."""
    findings = assessment.findings
    others = (result.key for result in results if result.fails and result.rule == result.code)
    return Baseline(
        name=assessment.graph.system.name,
        day=assessment.today,
        findings={finding.id: _known(finding) for finding in findings},
        others=frozenset(key for key in others if not key.startswith(tuple(f"{code}:" for code in _WENT))),
        evidence=evidence_of(assessment),
        sources=sources_of(assessment),
    )


def _known(finding: Finding) -> KnownFinding:
    proved = {f"{a.link.control}@{a.state.element}" for a in finding.answers if a.state.state == "proven"}
    return KnownFinding(
        verdict=finding.verdict,
        claimed=finding.claimed.score,
        proven=finding.proven.score,
        proved_by=tuple(sorted(proved)),
    )


# --- what has changed since


def since(baseline: Baseline, assessment: Assessment, results: Sequence[CheckResult]) -> tuple[CheckResult, ...]:
    """The results as they stand to a baseline: what was known fails no more, and what lost its proof fails."""
    findings = {finding.id: finding for finding in assessment.findings}
    found = [
        *(_against(result, baseline, findings) for result in results),
        *_lost(baseline, assessment),
        *missing_evidence(assessment, baseline),
        *swapped(assessment, baseline.sources or (), str(baseline.day)),
    ]
    return tuple(sorted(found, key=lambda result: _first(result, baseline)))


def _first(result: CheckResult, baseline: Baseline) -> tuple[bool, int, bool, int]:
    """What sorts to the front what a change did: evidence and proofs that went, then the findings that rose most."""
    known = baseline.findings.get(result.name)
    rise = result.score - (known.claimed if known is not None else 0)
    front = _WENT.index(result.code) if result.code in _WENT else len(_WENT)
    return not result.fails, front, result.unsure, -rise if result.fails else 0


_WENT = ("missing-evidence", "swapped-evidence", "lost-proof")


def _against(result: CheckResult, baseline: Baseline, findings: Mapping[str, Finding]) -> CheckResult:
    if not result.fails:
        return result
    if result.rule == result.code:
        known = result.key in baseline.others
        return replace(result, since="known", fails=False) if known else replace(result, since="new")
    before, now = baseline.findings.get(result.name), findings.get(result.name)
    if before is None or now is None:
        return replace(result, since="new")
    worse = (
        PLACES[now.verdict] < PLACES[before.verdict]  # one that is known to apply is no worse than one that may
        or now.claimed.score > before.claimed
        or now.proven.score > before.proven
    )
    return replace(result, since="worse") if worse else replace(result, since="known", fails=False)


def _lost(baseline: Baseline, assessment: Assessment) -> Iterator[CheckResult]:
    """The controls that were proven and are no more, each once."""
    graph, library = assessment.graph, assessment.library
    proved = sorted({name for known in baseline.findings.values() for name in known.proved_by})
    still = {
        f"{a.link.control}@{a.state.element}"
        for finding in assessment.applying
        for a in finding.answers
        if a.state.state == "proven"
    }
    for name in proved:
        control, _, element = name.partition("@")
        target = graph.elements.get(element) or graph.flows.get(element)
        if name in still or target is None or control not in library.controls:
            continue
        state = assessment.states.at(library.controls[control], element)
        if state.state != "proven":
            because = f": {state.reason}" if state.reason else ""
            yield CheckResult(
                code="lost-proof",
                name=name,
                place=target.place or Place(graph.system.file),
                message=f"it was proven on {baseline.day} and is now {state.state}{because}",
                rule="lost-proof",
                element=element,
                fails=True,
                do="restore the evidence, or fix what it no longer proves",
            )
