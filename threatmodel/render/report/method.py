"""How to read a report: the words that it uses, each said once."""

from __future__ import annotations

from threatmodel.assessment.assessed import VERDICTS, Assessment, Finding
from threatmodel.assessment.risk import within
from threatmodel.render.report.words import Row

VERDICT_WORDS = {
    "open": "above the tolerance, and nothing in place lowers its band",
    "undetermined": "waits for an answer that decides it",
    "reduced": "lowered by controls, but still above the tolerance",
    "unproven": "within the tolerance if what is said is true; nothing proves it",
    "accepted": "not proven to be within the tolerance, and accepted by its owner until a day",
    "transferred": "only the provider can treat it",
    "mitigated": "within the tolerance on evidence, or before any control",
}
"""Each verdict in words."""

_BEFORE = "within the tolerance before any control"
_ON_EVIDENCE = "within the tolerance on evidence"

_STATES = {
    "proven": "shown by a template (so designed), by AWS (so deployed, at a time) or by a probe (so behaving)",
    "attested": "a named person says so, until a day",
    "claimed": "only the model says so",
    "planned": "intended for a day; counts for nothing yet",
    "unknown": "nobody says anything; counts for nothing",
    "lapsed": "attested until a day that has passed",
    "ineffective": "there, but something that it requires is not in place",
    "absent": "a fact says no",
    "contradicted": "somebody says yes, evidence says no",
    "not-applicable": "makes no sense here, for the reason given",
}
_EFFECTS = {
    "stops": "while it works, the attack as described fails: likelihood 1",
    "hinders": "likelihood one down",
    "contains": "impact one down",
    "detects": "together with a control that responds: impact one down",
    "responds": "together with a control that detects: impact one down",
    "assures": "moves nothing; it keeps other controls honest",
}
_CELLS = {
    "inherent": "the risk before any control",
    "claimed": "the risk that is left if everything said is true",
    "proven": "the risk that is left if only evidence counts",
}


_RISK = (
    "Risk is likelihood times impact, 1 to 5 each: a cell of the five by five matrix. Bands: low to 5, medium to 9, "
    "high to 16, critical above. Scores are never added up; findings are counted by band."
)
_CONTROLS = (
    "Controls that hinder or contain lower an axis by two at most, and never below 2. A finding rests on the worst "
    "state of a control among the elements around it."
)


def untreated(finding: Finding, assessment: Assessment) -> bool:
    """Whether a finding is mitigated because its risk is tolerated as it is: no control and no evidence made it so."""
    return finding.verdict == "mitigated" and within(finding.inherent, assessment.graph.system.risk_tolerance)


def verdict_words(finding: Finding, assessment: Assessment) -> str:
    """What the verdict of a finding means, in words."""
    if finding.verdict != "mitigated":
        return VERDICT_WORDS[finding.verdict]
    return _BEFORE if untreated(finding, assessment) else _ON_EVIDENCE


def method(threats: int, controls: int) -> Row:
    """What was done, in paragraphs, and the report's words with their meanings."""
    done = (
        f"{threats} threats and {controls} controls were held against the model. A threat applies to an element when "
        "its condition over the element's facts holds. A fact that nobody states is unknown: it makes a question, "
        "never an all-clear."
    )
    return {
        "paragraphs": [done, _RISK, _CONTROLS],
        "terms": [
            _terms("Cells", _CELLS),
            _terms("Verdicts", {verdict: VERDICT_WORDS[verdict] for verdict in VERDICTS}),
            _terms("States of a control", _STATES),
            _terms("What a control does to a threat", _EFFECTS),
        ],
    }


def _terms(title: str, words: dict[str, str]) -> Row:
    return {"title": title, "rows": [{"term": term, "means": means} for term, means in words.items()]}
