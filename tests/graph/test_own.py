"""What exposes a function by what starts it, what it uses, what its role opens and what its package carries."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support import graph_of

HEAD = """name: S
apis: {api: {}}
queues: {jobs: {kind: sqs}, news: {kind: sns}, some: {}}
stores: {table: {kind: dynamodb}, bucket: {kind: s3}}
externals: {mail: {service: SES}, partner: {}}
"""
NO_MORE = (
    "role_wildcard_action: false, role_wildcard_resource: false, role_broad_policy: false, role_can_escalate: false, "
    "role_reaches_unused: false, role_assumes_roles: false, role_shared: false"
)
NOTHING = "triggers: [], reads: [], secrets: [], invokes: [], calls: []"


def derived(tmp_path: Path, stated: str, name: str, element: str = "bot") -> object:
    graph = graph_of(tmp_path, f"{HEAD}functions: {{bot: {{{stated}}}}}\n")
    fact = graph.elements[element].facts.get(name)
    return fact.value if fact is not None and fact.size else None


@pytest.mark.parametrize(
    ("triggers", "expected"),
    [
        ("triggers: [{queue: jobs}]", False),
        ("triggers: [{store: table}]", False),
        ("triggers: []", False),
        ("triggers: [{queue: news}]", True),
        ("triggers: [{store: bucket}]", True),
        ("triggers: [{http: GET}]", True),
        ("triggers: [{schedule: rate(1 day)}]", True),
        ("triggers: [{service: mail}]", True),
        ("triggers: [{queue: jobs}, {store: bucket}]", True),
        ("triggers: [{queue: some}]", None),
        ("triggers: [{queue: jobs}], incomplete: [triggers]", None),
        ("runtime: python3.13", None),
    ],
)
def test_lambda_reads_queues_and_streams_and_all_else_has_to_be_let_in(
    triggers: str, expected: object, tmp_path: Path
) -> None:
    assert derived(tmp_path, triggers, "started_by_policy") is expected


@pytest.mark.parametrize(
    ("stated", "uses", "opens_nothing"),
    [
        (f"{NOTHING}, {NO_MORE}", False, True),
        (f"triggers: [], reads: [], secrets: [], invokes: [], calls: [slack, partner], {NO_MORE}", False, True),
        (f"triggers: [], reads: [], secrets: [], invokes: [], calls: [mail], {NO_MORE}", True, False),
        (f"triggers: [{{queue: jobs}}], reads: [], secrets: [], invokes: [], calls: [], {NO_MORE}", True, False),
        (f"triggers: [], reads: [table], secrets: [], invokes: [], calls: [], {NO_MORE}", True, False),
        (NOTHING, False, None),
        (f"{NOTHING}, {NO_MORE.replace('unused: false', 'unused: true')}", False, False),
        (f"{NOTHING}, {NO_MORE.replace('role_shared: false', 'role_shared: true')}", False, False),
        (f"{NOTHING}, incomplete: [calls], {NO_MORE}", None, None),
        (NO_MORE, None, None),
    ],
)
def test_a_role_opens_nothing_only_where_all_that_it_could_open_is_known(
    stated: str, uses: object, opens_nothing: object, tmp_path: Path
) -> None:
    assert derived(tmp_path, stated, "uses_aws") is uses
    assert derived(tmp_path, stated, "role_grants_only_logging") is opens_nothing


@pytest.mark.parametrize(
    ("stated", "expected"),
    [
        ("code_inline: true, uses_layers: false", False),
        ("code_inline: true, uses_layers: true", True),
        ("code_inline: true", None),
        ("code_inline: false", True),
        ("package_format: image", True),
        ("runtime: java21", True),
        ("runtime: python3.13, package_format: zip", None),
    ],
)
def test_only_code_that_stands_in_the_template_carries_no_packages(
    stated: str, expected: object, tmp_path: Path
) -> None:
    assert derived(tmp_path, stated, "carries_packages") is expected


@pytest.mark.parametrize(
    ("triggers", "expected"),
    [
        ("triggers: [{slack: events}]", True),
        ("triggers: [{http: GET}]", False),
        ("triggers: [{http: POST, caller: unknown}]", None),
        ("runtime: python3.13", None),
    ],
)
def test_slack_sends_requests_where_it_calls_some_function(triggers: str, expected: object, tmp_path: Path) -> None:
    graph = graph_of(tmp_path, f"{HEAD}workspace: {{}}\nfunctions: {{bot: {{{triggers}}}}}\n")
    fact = graph.elements["workspace"].facts.get("sends_requests")
    assert (fact.value if fact is not None and fact.size else None) is expected


@pytest.mark.parametrize(
    ("stated", "tools", "others_tools"),
    [
        ("calls_language_model: false", False, False),
        ("calls_language_model: true", None, None),
        ("calls_language_model: true, model_uses_tools: false", False, False),
        ("calls_language_model: false, model_uses_tools: true", True, None),
        ("calls_language_model: false, uses_outside_tools: true", False, True),
        ("runtime: python3.13", None, None),
    ],
)
def test_a_fact_is_false_where_what_it_needs_is_unless_it_is_stated(
    stated: str, tools: object, others_tools: object, tmp_path: Path
) -> None:
    assert derived(tmp_path, stated, "model_uses_tools") is tools
    assert derived(tmp_path, stated, "uses_outside_tools") is others_tools


@pytest.mark.parametrize(
    ("triggers", "expected"),
    [
        ("triggers: [{http: GET}]", None),
        ("triggers: [{queue: jobs}], reads: []", False),
        ("triggers: [{queue: jobs}], incomplete: [triggers], reads: []", None),
        ("triggers: [{schedule: rate(1 day)}], reads: [], takes_tokens: true", True),
    ],
)
def test_no_request_brings_a_token_where_none_comes(triggers: str, expected: object, tmp_path: Path) -> None:
    assert derived(tmp_path, triggers, "takes_tokens") is expected


def test_a_message_may_bring_the_token_of_a_request(tmp_path: Path) -> None:
    graph = graph_of(
        tmp_path,
        f"{HEAD}functions:\n  front: {{triggers: [{{http: GET}}], sends: [jobs]}}\n"
        "  bot: {triggers: [{queue: jobs}], reads: []}\n",
    )
    assert graph.elements["bot"].facts["takes_requests"].value
    assert "takes_tokens" not in graph.elements["bot"].facts


@pytest.mark.parametrize(("service", "expected"), [("CloudFormation", "internal"), ("SES", None)])
def test_what_a_service_of_operation_sends_is_internal(service: str, expected: object, tmp_path: Path) -> None:
    function = "functions: {bot: {triggers: [{service: it}], reads: []}}"
    text = f"name: S\nexternals: {{it: {{service: {service}}}}}\n{function}\n"
    fact = graph_of(tmp_path, text).elements["bot"].facts.get("data_classification")
    assert (fact.value if fact is not None else None) == expected
