"""What no probe of a fact tries: each count of probes that passed names it, and docs/probe.md lists it."""

from __future__ import annotations

from collections.abc import Mapping

CROSSED = "verifies_signature"
"""The fact that requests with words of the source decide."""
LIMITS: Mapping[str, tuple[str, ...]] = {
    "acknowledges_first": ("slow services", "cold starts"),
    "authorizes_caller": ("other rights within the workspace",),
    "errors_generic": ("failures of services behind the function",),
    "ignores_forwarded_headers": ("headers that are not in common use",),
    "ignores_own_messages": ("other bots of the workspace",),
    "limits_body_size": ("compressed bodies", "bodies of many small fields"),
    "logs_redacted": ("parts of less than eight characters", "logs of services behind the function"),
    "outbound_hosts_fixed": ("addresses other than response_url",),
    "rejects_replay": ("a store that loses items", "more than two copies at once"),
    "timestamp_tolerance_seconds": ("a clock that is wrong",),
    "verification_fails_closed": ("values of variables that the source computes", "several variables at once"),
    "verifies_signature": (
        "three changes at once",
        "branches only genuine requests took",
        "names and values that the source computes or reads elsewhere",
        "how long a comparison takes",
    ),
}
"""By fact; a fact that is not decided by a probe is not here."""


def not_tried(fact: str, left_out: str = "") -> str:
    """Return the limits of a fact in one line; '' where it has none.

    `left_out` says how many words of the source were too many for the rules that cross them.
    """
    limits = LIMITS.get(fact, ())
    if left_out and fact == CROSSED:
        limits = (f"{left_out} of the source", *limits)
    return f"not tried: {', '.join(limits)}" if limits else ""


def table() -> str:
    """Return the limits as a Markdown table for docs/probe.md."""
    rows = "".join(f"| `{fact}` | {', '.join(limits)} |\n" for fact, limits in sorted(LIMITS.items()))
    return f"| fact | not tried |\n| --- | --- |\n{rows}"
