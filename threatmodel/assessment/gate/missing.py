"""What a baseline knew and is gone: evidence of elements, elements, and findings that statements take out since."""

from __future__ import annotations

from collections.abc import Iterator

from threatmodel.assessment.assessed import Assessment, Reliance
from threatmodel.assessment.gate.known import Baseline, KnownEvidence, evidence_of
from threatmodel.assessment.gate.results import CheckResult
from threatmodel.assessment.reliances import Authors
from threatmodel.assessment.risk import BANDS, band
from threatmodel.model.facts import EVIDENCE
from threatmodel.reading.problems import Place, listed
from threatmodel.reading.values import replace

_NAMED = 3


def less_evidence(before: KnownEvidence, now: KnownEvidence, there: frozenset[str]) -> Iterator[tuple[str, list[str]]]:
    """Each kind of evidence of which fewer files show an element than did, with those elements that are still there."""
    for kind, elements in before.items():
        lost = [name for name, files in elements.items() if name in there and now.get(kind, {}).get(name, 0) < files]
        if lost:
            yield kind, lost


def with_missing(assessment: Assessment, baseline: Baseline) -> Assessment:
    """The assessment that tells, with what word takes out, what has gone missing since a baseline."""
    return replace(assessment, reliances=(*_missing(assessment, baseline), *assessment.reliances))


def missing_evidence(assessment: Assessment, baseline: Baseline) -> Iterator[CheckResult]:
    """The evidence that the model named at the baseline and names no more: it fails, as a lost proof does."""
    for kind, elements in _less(assessment, baseline):
        yield CheckResult(
            code="missing-evidence",
            name=kind,
            place=Place(assessment.graph.system.file, 0),
            message=f"at the baseline of {baseline.day} more files of this kind showed {listed(elements, _NAMED)}",
            rule="missing-evidence",
            fails=True,
            do="name the evidence again, or take a new baseline with --update-baseline",
        )


def _less(assessment: Assessment, baseline: Baseline) -> Iterator[tuple[str, list[str]]]:
    there = frozenset(assessment.graph.elements)
    return less_evidence(baseline.evidence, evidence_of(assessment), there)


def _missing(assessment: Assessment, baseline: Baseline) -> Iterator[Reliance]:
    graph, authors = assessment.graph, Authors(assessment.graph.system)
    whole, when = Place(graph.system.file, 0), f"there at the baseline of {baseline.day}"
    for kind, elements in _less(assessment, baseline):
        times = sum(name.rpartition("@")[2] in elements for name in baseline.findings)
        yield Reliance(
            "missing-since-baseline", f"{kind} of {listed(elements, _NAMED)}", times, authors.owner, when, whole
        )
    gone, reliances = _findings_gone(assessment, baseline)
    for element, names in gone.items():
        kind = "flow" if ":" in element else "element"
        what = f"{kind} {element}, with {_findings(names)} up to {_worst(names, baseline)}"
        yield Reliance("missing-since-baseline", what, len(names), authors.owner, when, whole)
    for element, names in reliances.items():
        target = graph.elements.get(element) or graph.flows[element]
        threats = [name.rpartition("@")[0] for name in names]
        what = f"{_findings(names)} of {element} up to {_worst(names, baseline)}: {listed(threats, _NAMED)}"
        yield Reliance(
            "missing-since-baseline", what, len(names), authors.at(target.place), when, target.place or whole
        )


def _findings_gone(assessment: Assessment, baseline: Baseline) -> tuple[dict[str, list[str]], dict[str, list[str]]]:
    """The findings that there are no more, by element: those of elements that are gone, and what no evidence denies."""
    graph, threats = assessment.graph, assessment.library.threats
    now = {finding.id for finding in assessment.findings}
    gone: dict[str, list[str]] = {}
    reliances: dict[str, list[str]] = {}
    for name in baseline.findings:
        if name in now:
            continue
        threat, _, element = name.partition("@")
        target = graph.elements.get(element) or graph.flows.get(element)
        if target is None:
            gone.setdefault(element, []).append(name)
        elif threat in threats and not target.out_of_scope and threat not in assessment.excluded:
            condition = threats[threat].applies.get(target.kind) if target.kind else None
            if condition is not None and condition.truth(target.facts) > -EVIDENCE:
                reliances.setdefault(element, []).append(name)
    return gone, reliances


def _worst(names: list[str], baseline: Baseline) -> str:
    found = [band(max(one.claimed, one.proven)) for one in (baseline.findings[name] for name in names)]
    return max(found, key=BANDS.index)


def _findings(names: list[str]) -> str:
    return f"{len(names):,} finding{'s' if len(names) != 1 else ''}"
