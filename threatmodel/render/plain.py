"""The words that people read, for the words of the engine: each defined once, and shown beside its first use.

The engine's own words (`--json` has them) are exact, and four of them nearly alike: nobody takes "undetermined",
"unproven", "unknown" and "reduced" for what they are the first time.
"""

from __future__ import annotations

from collections.abc import Mapping

from threatmodel.assessment.actions import Proof
from threatmodel.assessment.assessed import Verdict
from threatmodel.assessment.safety import SafeEnough
from threatmodel.assessment.states import ControlState

SAFE: Mapping[SafeEnough, str] = {
    "not-safe-enough": "Not safe enough",
    "not-yet-known": "Not yet known",
    "safe-if-true": "Safe enough if what is said is true",
    "safe-enough": "Safe enough",
}
"""The answer for a system."""

VERDICT: Mapping[Verdict, str] = {
    "open": "open",
    "undetermined": "not known yet",
    "reduced": "still too high",
    "unproven": "only claimed",
    "accepted": "accepted",
    "transferred": "the provider's",
    "mitigated": "low enough",
}
"""A finding's verdict."""

VERDICT_MEANS: Mapping[Verdict, str] = {
    "open": "above the tolerance, and nothing in place lowers its band",
    "undetermined": "an answer decides whether it is there, or how bad it is",
    "reduced": "controls lower it, but it is above the tolerance all the same",
    "unproven": "within the tolerance if what is said is true; nothing proves it",
    "accepted": "above the tolerance, and its owner accepts it until a day",
    "transferred": "only the cloud provider can treat it",
    "mitigated": "within the tolerance on evidence, or before any control",
}

STATE: Mapping[ControlState, str] = {
    "proven": "proven",
    "attested": "attested",
    "claimed": "only claimed",
    "planned": "planned",
    "unknown": "not known",
    "lapsed": "attested once, and lapsed",
    "ineffective": "nothing without another",
    "absent": "missing",
    "contradicted": "claimed, but not so",
    "not-applicable": "makes no sense here",
}
"""A control's state on an element."""

PROOF: Mapping[Proof, str] = {
    "probe": "tm probe shows it",
    "template": "the template shows it",
    "aws": "AWS knows it, no file does: attest it",
    "attestation": "somebody attests it until a day",
}
"""What proves that an action is done."""
