"""The words that people read, for the words of the engine: each defined once, and the same in every output."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from threatmodel.assessment.assessed import Verdict
from threatmodel.assessment.control_state import ControlState
from threatmodel.assessment.safety import Answer

if TYPE_CHECKING:
    from threatmodel.assessment.actions import Proof

APPLIES = ("unknown", "stated", "proven")
"""The words for what is known of whether a threat applies: 0, 1, 2."""

SAFE: Mapping[Answer, str] = {
    "above": "Above the accepted risk level",
    "undetermined": "Undetermined",
    "within-as-claimed": "Within the accepted risk level as claimed",
    "within-as-proven": "Within the accepted risk level, proven",
}
"""The answer for a system."""

VERDICT: Mapping[Verdict, str] = {
    "open": "open",
    "undetermined": "undetermined",
    "reduced": "reduced",
    "unproven": "unproven",
    "accepted": "accepted",
    "transferred": "transferred",
    "mitigated": "mitigated",
}
"""A finding's verdict."""

VERDICT_MEANS: Mapping[Verdict, str] = {
    "open": "above the accepted level, and no control in place lowers its band",
    "undetermined": "an open question decides whether it applies or how severe it is",
    "reduced": "controls lower its band, but it is still above the accepted level",
    "unproven": "within the accepted level as claimed, not as proven",
    "accepted": "above the accepted level; its owner accepts it until a date",
    "transferred": "only the cloud provider can treat it",
    "mitigated": "within the accepted level as proven, or before controls",
}

STATE: Mapping[ControlState, str] = {
    "proven": "proven",
    "attested": "attested",
    "claimed": "claimed",
    "planned": "planned",
    "unknown": "unknown",
    "lapsed": "attestation lapsed",
    "ineffective": "ineffective without a control it requires",
    "absent": "missing",
    "contradicted": "contradicted by evidence",
    "not-applicable": "not applicable",
}
"""A control's state on an element."""

PROOF: Mapping[Proof, str] = {
    "probe": "evidence: tm probe",
    "template": "evidence: the template",
    "aws": "verifiable in AWS only: attest it",
    "host": "evidence: saved answers of the repository's host",
    "attestation": "attestation needed: no tool can see this",
}
"""What proves that an action is done, or what is needed instead."""
