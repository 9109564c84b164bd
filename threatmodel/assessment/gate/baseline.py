"""A baseline: what a check found on a day, so that later ones fail only on what is new, worse, or proven no more."""

from __future__ import annotations

import datetime
import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from threatmodel.assessment.assessed import VERDICTS, Assessment, Finding
from threatmodel.assessment.gate.known import Baseline, KnownFinding, evidence_of
from threatmodel.assessment.gate.missing import missing_evidence
from threatmodel.assessment.gate.results import CheckResult
from threatmodel.assessment.gate.swapped import KnownSource, sources_of, swapped
from threatmodel.reading.problems import InputError, Place, Problem, escaped, quoted
from threatmodel.reading.saved import Shape, hold, loaded
from threatmodel.reading.values import replace

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
    return InputError([Problem(code=_CODE, place=place, message=message, hint=_renew(place))])


def _renew(place: Place) -> str:
    return f"remove it and create a new one: tm check --baseline {place.file} --write-baseline"
