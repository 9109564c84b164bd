"""Which threats are steps of an attack, and what each leads from and to.

Each row says: with `begin`, this threat gives `end`. `of` and `to` say of which elements, seen from the finding's:
`self`, the functions that it starts, the stores that it reads ... (`relations`).  A hold of the whole system,
such as `outside` or `account`, has no element. A threat that is no step says why in NO_STEP.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from threatmodel.assessment.paths.values import Hold


class Lead(NamedTuple):
    """A threat as a step: the hold before it and of which elements, the hold after it and of which elements."""

    threat: str
    begin: Hold
    end: Hold
    of: str = "self"
    to: str = "self"


def _from(begin: Hold, end: Hold, threats: Iterable[str], of: str = "self", to: str = "self") -> tuple[Lead, ...]:
    return tuple(Lead(threat, begin, end, of, to) for threat in threats)


def _by_role(threat: str, end: Hold, to: str = "self") -> tuple[Lead, Lead]:
    """What a role allows, to the code of its function and with its credentials anywhere else."""
    return Lead(threat, "code", end, to=to), Lead(threat, "role", end, to=to)


LEADS: tuple[Lead, ...] = (
    # --- in: a request, a message or an object of the attacker's is worked on as if it were a genuine one
    *_from(
        "outside",
        "act",
        (
            "slack-request-forgery",
            "slack-request-replay",
            "unauthenticated-route",
            "token-not-verified",
            "open-function-invocation",
            "confused-deputy-invocation",
            "oauth-installation-csrf",
            "oauth-redirect-abuse",
        ),
    ),
    *_from(
        "outside",
        "act",
        (
            "function-url-without-authentication",
            "api-key-as-authentication",
            "open-self-registration",
            "cached-authorizer-policy",
            "dangling-dns",
            "old-tls-accepted",
        ),
        to="started",
    ),
    *_from("outside", "input", ("origin-bypass",), to="started"),
    *_from("outside", "act", ("forged-queue-message", "forged-store-object", "malicious-upload"), to="started"),
    *_from("outside", "write", ("public-store-write",)),
    Lead("direct-integration-bola", "outside", "read", to="passed"),
    *_from(
        "outside",
        "read",
        (
            "public-store-read",
            "exposed-database",
            "database-password-exposed",
            "open-topic-subscription",
            "over-permissive-queue-access",
        ),
    ),
    *_from("member", "act", ("unauthorized-slack-command", "member-abuses-command")),
    *_from("outside", "member", ("slack-session-stolen", "third-party-app-breached", "malicious-slack-app")),
    *_from("outside", "workspace", ("slack-app-hijacked",)),
    Lead("credentials-shared-in-chat", "member", "principal"),
    # --- from input to what the function does, and to its code
    *_from("input", "act", ("unverified-propagated-identity", "unauthorized-approval")),
    *_from(
        "input",
        "code",
        (
            "event-injection",
            "vulnerable-dependency",
            "outdated-runtime",
            "generated-code-execution",
            "prompt-injection-drives-tools",
            "agent-memory-poisoning",
            "agent-to-agent-abuse",
        ),
    ),
    Lead("server-side-request-forgery", "input", "role"),
    *_from(
        "input",
        "read",
        ("broken-object-level-authorization", "cross-tenant-leak", "cross-invocation-leak", "model-output-leaks-data"),
        to="reads",
    ),
    Lead("mass-assignment", "input", "write", to="writes"),
    Lead("task-token-abuse", "principal", "act"),
    Lead("direct-invocation-skips-gateway", "principal", "act"),
    # --- from code, or from the role's credentials elsewhere, to data and to more rights
    Lead("data-exfiltrated", "code", "read", to="reads"),
    Lead("execution-credentials-stolen", "code", "role"),
    *_by_role("over-privileged-role", "rights"),
    *_by_role("over-privileged-role", "read", to="granted"),
    *_by_role("over-privileged-role", "secret", to="granted-secrets"),
    *_by_role("function-role-escalates", "account"),
    *_by_role("cross-account-lateral-movement", "rights"),
    Lead("permissive-role-trust", "outside", "role"),
    # --- from a principal of the account
    Lead("secret-exposed-in-configuration", "principal", "secret", to="secrets"),
    Lead("over-permissive-secret-access", "principal", "secret"),
    *_from("principal", "read", ("data-copied-to-foreign-account",)),
    Lead("sensitive-data-in-logs", "principal", "read", to="reads"),
    Lead("data-tampering", "principal", "write"),
    Lead("privilege-escalation-by-passrole", "principal", "account"),
    Lead("function-overwritten", "principal", "code", to="every-function"),
    Lead("artifact-tampering", "principal", "code", to="every-function"),
    Lead("unsigned-package-deployed", "principal", "code"),
    Lead("service-stopped-through-control-plane", "principal", "down"),
    *_from("outside", "principal", ("other-role-assumable", "development-reaches-production", "microvm-token-abused")),
    *_from("outside", "account", ("long-lived-key-leaked", "root-access-key-leaked", "console-user-phished")),
    *_from(
        "outside",
        "account",
        (
            "mfa-bypass",
            "help-desk-reset",
            "root-recovery-takeover",
            "standing-privilege-phished",
            "incomplete-offboarding",
        ),
    ),
    # --- secrets
    *_from(
        "outside",
        "secret",
        (
            "hard-coded-secret",
            "slack-app-credentials-leaked",
            "slack-token-stolen",
            "webhook-leaked",
            "workflow-trigger-leaked",
        ),
    ),
    # --- the pipeline
    *_from(
        "outside",
        "deploy",
        (
            "poisoned-pipeline",
            "pipeline-credentials-abused",
            "pipeline-agent-prompt-injection",
            "code-host-token-stolen",
            "reviewer-deceived",
        ),
    ),
    Lead("state-file-exposed", "outside", "secret", to="every-secret"),
    Lead("compromised-build-action", "supplier", "deploy"),
    Lead("compromised-dependency", "supplier", "code", to="every-function"),
    *_from("supplier", "code", ("malicious-layer", "agent-tool-supply-chain")),
    # --- availability
    *_from("outside", "down", ("concurrency-exhausted", "denial-of-wallet", "streaming-slow-read")),
    *_from("outside", "down", ("costly-work-before-verification", "reserved-concurrency-exhausted")),
    Lead("api-flood", "outside", "down", to="started"),
    *_from("input", "down", ("recursive-loop", "downstream-exhausted", "unbounded-consumption")),
    *_from("input", "down", ("poison-message", "stalled-stream"), of="started", to="started"),
    *_from("code", "down", ("ransomware", "data-destruction"), of="writers"),
    Lead("store-key-disabled", "principal", "down"),
)
"""Every threat that is a step."""

NO_STEP: Mapping[str, str] = {
    "all-at-once-release": "a mistake of the team, not an attack",
    "committed-secret": "no file says what the secret opens; the secret in the model does",
    "duplicate-delivery": "happens without an attacker",
    "edge-function-outside-region": "weakens other controls and gives nothing by itself",
    "errors-reveal-internals": "helps other steps and gives nothing by itself",
    "excessive-data-retention": "raises the damage of other paths",
    "interception-in-transit": "needs a position on the network between AWS and another company",
    "llm-misinformation": "misleads the reader of an answer and gives the attacker nothing of the system",
    "missing-audit-trail": "hides other steps and gives nothing by itself",
    "orphaned-functions": "is about functions that the model does not have",
    "persistence-through-trigger": "keeps what the attacker has already reached",
    "provider-isolation-failure": "only the cloud provider can treat it",
    "race-condition": "changes a single result of the function",
    "requests-in-gateway-log": "helps other steps and gives nothing by itself",
    "reply-to-wrong-audience": "shows a single answer to members of the workspace",
    "shared-capacity-provider": "no fact says which functions share an instance",
    "slack-message-injection": "deceives the reader of a message",
    "slack-retry-storm": "happens without an attacker",
    "snapshot-shared-randomness": "weakens other controls and gives nothing by itself",
    "source-code-disclosure": "helps other steps and gives nothing by itself",
    "third-party-outage": "happens without an attacker",
    "undetected-change": "hides other steps and gives nothing by itself",
}
"""Why the other threats are no steps."""
