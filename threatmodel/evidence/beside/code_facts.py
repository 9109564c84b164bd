"""Which fact of a function each observation in its source decides, and which value it shows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

SHOWN = object()
"""The value is the observation's own."""

FACTS: Mapping[str, tuple[tuple[str, Any], ...]] = {
    # request verification
    "nothing-verifies": (("verifies_signature", False),),
    "effect-first": (("verifies_signature", False),),
    "verifies": (("verifies_signature", True),),
    "scheme": (("verifies_signature", None),),
    "window": (("timestamp_tolerance_seconds", SHOWN),),
    "one-sided": (("timestamp_tolerance_seconds", None),),
    "no-window": (("timestamp_tolerance_seconds", None),),
    "constant-time": (("compares_in_constant_time", SHOWN),),
    "no-forwarded": (("ignores_forwarded_headers", True),),
    # logs and answers
    "logs-request": (("logs_redacted", False),),
    "tells-exception": (("errors_generic", False),),
    # input
    "interprets": (("input_reaches_interpreter", True), ("validates_input", False)),
    "no-interpreter": (("input_reaches_interpreter", False),),
    "fetches": (("fetches_given_urls", True),),
    "no-fetch": (("fetches_given_urls", False),),
    "fetches-unchecked": (("outbound_hosts_fixed", False),),
    "posts-given-text": (("posts_given_text", True),),
    "posts-unescaped": (("escapes_output", False),),
    "stores-whole": (("writes_given_fields", True), ("binds_listed_fields", False)),
    # stores and state
    "read-then-write": (("checks_before_writing", True),),
    "unconditional": (("writes_conditionally", False),),
    "conditional": (("writes_conditionally", True),),
    "no-writes": (("checks_before_writing", False), ("writes_given_fields", False)),
    "keeps-state": (("keeps_request_state", True),),
    "made-once": (("unique_after_restore", False),),
    "no-timeout": (("outbound_calls_resilient", False),),
    # purpose and authority
    "approvals": (("handles_approvals", True),),
    "no-approvals": (("handles_approvals", False),),
    "tokens": (("takes_tokens", True),),
    "no-tokens": (("takes_tokens", False),),
    "tenants": (("serves_several_tenants", True),),
    "one-tenant": (("serves_several_tenants", False),),
    "authorizes": (("authorizes_caller", True),),
    "no-oauth-state": (("binds_installation_state", False),),
    "unverified-token": (("verifies_tokens", False),),
    "no-approver": (("checks_approver", False),),
    "any-channel": (("checks_audience", False),),
    "given-token": (("guards_task_tokens", False),),
    "idempotent": (("idempotent", True),),
    # language models
    "runs-model-text": (("runs_generated_code", True), ("generated_code_sandboxed", False)),
    "posts-model-text": (("model_output_cleaned", False),),
    "unpinned-tool": (("outside_tools_pinned", False),),
    "calls-model": (("calls_language_model", True),),
    "no-model": (("calls_language_model", False),),
    "no-model-limit": (("model_spend_limited", False),),
    "no-guardrail": (("model_guardrails", False),),
    "no-tools": (("model_uses_tools", False),),
    "no-outside-tools": (("uses_outside_tools", False),),
    "no-generated-code": (("runs_generated_code", False),),
    "no-agents": (("talks_to_agents", False),),
    "no-memory": (("model_reads_memory", False),),
}
"""By observation: the facts that it decides, with their values; of a sign, the facts of which it is one."""

GRANTS: Mapping[str, str] = {
    "signing secret": "slack-requests",
    "token": "slack-api",
    "app token": "slack-app-level",
    "webhook": "slack-webhook",
}
"""What a secret that is written in the code grants, by what it is."""

OF_REQUESTS = frozenset(
    {"nothing-verifies", "effect-first", "verifies", "scheme", "window", "one-sided", "no-window"} | {"given-token"}
)
"""What is said only of a function that requests reach: a worker verifies nothing, and need not."""
