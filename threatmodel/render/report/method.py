"""How a report computes risk, what its verdicts, states and effects mean, and the states of controls that it counts."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

from threatmodel.assessment.assessed import Assessment, Finding
from threatmodel.assessment.control_state import STATES, ControlState
from threatmodel.assessment.risk import within
from threatmodel.assessment.standings import Standing, standings
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


RANK: Mapping[str, int] = {state: rank for rank, state in enumerate(STATES)}
IN_PLACE = frozenset({"proven", "attested", "claimed"})
"""States in which a control counts, at least as claimed."""

NOT_NEEDED = "not needed"
"""The state of a control that no finding depends on."""

Seen = Mapping[str, Mapping[str, Mapping[str, Standing]]]
"""For each control, by state, the elements on which findings depend on it."""


def seen(assessment: Assessment) -> Seen:
    """Return the states that findings depend on."""
    found: dict[str, dict[str, dict[str, Standing]]] = {control: {} for control in assessment.library.controls}
    for group in assessment.groups:
        if group.head.applies:
            for at, answer in enumerate(group.head.answers):
                elements = found[answer.link.control].setdefault(answer.state.state, {})
                for element, standing in standings(assessment, group, at):
                    elements.setdefault(element, standing)
    return found


def worst_by_control(assessment: Assessment) -> Mapping[str, str]:
    """Return the worst state of each control; 'not needed' where no finding depends on it."""
    found: dict[str, set[str]] = {control: set() for control in assessment.library.controls}
    for group in assessment.groups:
        if group.head.applies:
            for answer in group.head.answers:
                found[answer.link.control].add(answer.state.state)
    return {control: worst_of(states) for control, states in found.items()}


def worst_of(states: Collection[str]) -> str:
    """Return the worst of a control's states; 'not needed' where no finding depends on it."""
    applicable = [state for state in states if state != "not-applicable"]
    if applicable:
        return max(applicable, key=lambda state: RANK[state])
    return "not-applicable" if states else NOT_NEEDED
