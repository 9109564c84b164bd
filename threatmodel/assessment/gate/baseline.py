"""A baseline: what a check found on a day, so that later ones fail only on what is new, worse, or proven no more."""

from __future__ import annotations

import datetime
import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from threatmodel.assessment.assessed import VERDICTS, Assessment, Finding
from threatmodel.assessment.gate.missing import KnownEvidence, evidence_of, missing_evidence
from threatmodel.assessment.gate.results import CheckResult
from threatmodel.reading.problems import InputError, Place, Problem, escaped, quoted

FORMAT = "tm-baseline/2"
"""Changes when a reader of the last format would misread it."""
_BEFORE = "tm-baseline/1"
"""The format before, which knew no evidence and had no digest: it is read still, and says so."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownFinding:
    """A finding as it was: its verdict, the scores that were claimed and proven, and the controls that proved it."""

    verdict: str
    claimed: int
    proven: int
    proved_by: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Baseline:
    """A model as it was on a day: its findings by id, the keys of what else failed, and the evidence that it named.

    `evidence` is None where an older version took it, which did not note any.
    """

    name: str
    day: datetime.date
    findings: Mapping[str, KnownFinding]
    others: frozenset[str]
    evidence: KnownEvidence | None = None

    def aged(self, today: datetime.date) -> str:
        """The day of it and how long ago that is."""
        days = (today - self.day).days
        old = ", by a version that noted no evidence" if self.evidence is None else ""
        return f"of {self.day}, {days:,} {'day' if days == 1 else 'days'} old{old}"


def taken(assessment: Assessment, results: Sequence[CheckResult]) -> Baseline:
    """The baseline of a model as it is."""
    findings = assessment.findings
    others = (result.key for result in results if result.fails and result.rule == result.code)
    return Baseline(
        name=assessment.graph.system.name,
        day=assessment.today,
        findings={finding.id: _known(finding) for finding in findings},
        others=frozenset(key for key in others if not key.startswith(("lost-proof:", "missing-evidence:"))),
        evidence=evidence_of(assessment),
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
    ]
    return tuple(sorted(found, key=lambda result: _first(result, baseline)))


def _first(result: CheckResult, baseline: Baseline) -> tuple[bool, int, bool, int]:
    """What sorts to the front what a change did: evidence and proofs that went, then the findings that rose most."""
    known = baseline.findings.get(result.name)
    rise = result.score - (known.claimed if known is not None else 0)
    front = _WENT.index(result.code) if result.code in _WENT else len(_WENT)
    return not result.fails, front, result.unsure, -rise if result.fails else 0


_WENT = ("missing-evidence", "lost-proof")


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
        _rank(now.verdict) < _rank(before.verdict)
        or now.claimed.score > before.claimed
        or now.proven.score > before.proven
    )
    return replace(result, since="worse") if worse else replace(result, since="known", fails=False)


def _rank(verdict: str) -> int:
    """The place of a verdict, worst first; a finding that is known to apply is no worse than one that may."""
    return VERDICTS.index(next(one for one in VERDICTS if one == verdict))


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
            told = f": {state.reason}" if state.reason else ""
            yield CheckResult(
                code="lost-proof",
                name=name,
                place=target.place or Place(graph.system.file),
                message=f"it was proven on {baseline.day} and is now {state.state}{told}",
                rule="lost-proof",
                element=element,
                fails=True,
                do="name the evidence again, or mend what it no longer shows",
            )


# --- as a file


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
        "evidence": one.evidence or {},
    }


def _sealed(one: Mapping[str, Any]) -> dict[str, Any]:
    """A model's part of the file with a digest of it: it keeps nobody out, and finds what was edited by hand."""
    whole = json.dumps(one, sort_keys=True, ensure_ascii=True).encode()
    return {**one, "sha256": hashlib.sha256(whole).hexdigest()}


def read(text: str, place: Place) -> dict[str, Baseline]:
    """The baselines in a file's text.  Raises InputError where it is none, or of another format."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        raise _unusable(place, "this is no JSON, and so no baseline") from None
    if not isinstance(found, dict) or not isinstance(found.get("models"), dict):
        raise _unusable(place, "this is no baseline: it has no models")
    form = found.get("format")
    if form not in {FORMAT, _BEFORE}:
        message = f"this baseline has the format {quoted(form)}; this version reads '{FORMAT}'"
        raise _unusable(place, message)
    try:
        for path, one in found["models"].items() if form == FORMAT else ():
            if _sealed({key: value for key, value in one.items() if key != "sha256"}) != one:
                raise _unusable(place, f"what it says of {quoted(path)} is not as it was taken: it was edited since")
        return {str(path): _read(one, form) for path, one in found["models"].items()}
    except (KeyError, TypeError, ValueError, AttributeError):
        raise _unusable(place, "this baseline is damaged") from None


def _read(one: Mapping[str, Any], form: str) -> Baseline:
    findings = {}
    for name, known in one["findings"].items():
        if known["verdict"] not in VERDICTS:
            raise ValueError(name)
        findings[str(name)] = KnownFinding(
            verdict=known["verdict"],
            claimed=int(known["claimed"]),
            proven=int(known["proven"]),
            proved_by=tuple(str(control) for control in known["proved_by"]),
        )
    day = datetime.date.fromisoformat(one["taken_on"])
    others = frozenset(str(key) for key in one["others"])
    evidence = None if form == _BEFORE else _evidence(one["evidence"])
    return Baseline(name=str(one["name"]), day=day, findings=findings, others=others, evidence=evidence)


def _evidence(stated: Mapping[str, Any]) -> KnownEvidence:
    return {str(kind): {str(name): int(files) for name, files in by.items()} for kind, by in stated.items()}


def _unusable(place: Place, message: str) -> InputError:
    hint = "take a new one with --write-baseline, under another name or after removing this one"
    return InputError([Problem(code="unusable-baseline", place=place, message=message, hint=hint)])
