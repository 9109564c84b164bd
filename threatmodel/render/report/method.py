"""How a report computes risk, and what its verdicts, states and effects mean: each said once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from threatmodel.assessment.assessed import Assessment, Finding
from threatmodel.assessment.control_state import ControlState
from threatmodel.assessment.risk import within
from threatmodel.render.plain import STATE, VERDICT, VERDICT_MEANS
from threatmodel.render.report.words import Row, counted

_BEFORE = "within the accepted level before controls"
_ON_EVIDENCE = "within the accepted level as proven"

_STATES: Mapping[ControlState, str] = {
    "proven": "shown by evidence: a template, AWS or a probe",
    "attested": "a named person confirmed it, until a date",
    "claimed": "only the model states it",
    "planned": "intended for a date; has no effect yet",
    "unknown": "not stated; has no effect",
    "lapsed": "its end date has passed; has no effect",
    "ineffective": "in place, but a control that it requires is not",
    "absent": "a fact shows that it is not in place",
    "contradicted": "stated, but evidence shows the opposite",
    "not-applicable": "does not apply to this element, for the reason given",
}
_EFFECTS = {
    "stops": "the attack fails: likelihood 1",
    "hinders": "lowers the likelihood by one",
    "contains": "lowers the impact by one",
    "detects": "with a control that responds, lowers the impact by one",
    "responds": "with a control that detects, lowers the impact by one",
    "assures": "keeps other controls effective; lowers nothing itself",
}


_RISK = (
    "Risk is likelihood times impact, each from 1 to 5. Scores up to 5 are low, up to 9 medium, up to 16 high, and "
    "critical above. As claimed, every statement of the model counts. As proven, only evidence counts, and "
    "attestations of what no tool can see."
)
_CONTROLS = (
    "Controls that hinder or contain lower an axis by two at most, and never below 2. Where several elements need a "
    "control, its worst state counts."
)


def untreated(finding: Finding, assessment: Assessment) -> bool:
    """Return whether a finding is mitigated without controls: its risk is within the accepted level before them."""
    return finding.verdict == "mitigated" and within(finding.inherent, assessment.graph.system.risk_tolerance)


def verdict_words(finding: Finding, assessment: Assessment) -> str:
    """Return what the verdict of a finding means, in words."""
    if finding.verdict != "mitigated":
        return VERDICT_MEANS[finding.verdict]
    return _BEFORE if untreated(finding, assessment) else _ON_EVIDENCE


def method(threats: int, controls: int) -> Row:
    """Return how risk is computed, in paragraphs, and the meaning of each verdict, state and effect."""
    done = (
        f"The model was checked against {counted(threats, 'threat')} and {counted(controls, 'control')}. A threat "
        "applies to an element if its condition on the element's facts is true. A fact that is not stated is unknown: "
        "it raises a question and never clears a finding."
    )
    return {
        "paragraphs": [done, _RISK],
        "controls": _CONTROLS,
        "terms": [
            _terms("Verdicts", ((name, VERDICT[name], means) for name, means in VERDICT_MEANS.items())),
            _terms("States of a control", ((name, STATE[name], means) for name, means in _STATES.items())),
            _terms("Effects of a control", ((name, name, means) for name, means in _EFFECTS.items())),
        ],
    }


def _terms(title: str, rows: Iterable[tuple[str, str, str]]) -> Row:
    return {"title": title, "rows": [{"id": name, "term": term, "means": means} for name, term, means in rows]}
