"""What services do by themselves: flows of external systems, and what comes through them."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support import graph_of
from threatmodel.graph.building import Graph
from threatmodel.reading.problems import InputError

MODEL = """\
name: S
apis: {api: {}}
stores: {orders: {kind: dynamodb}}
queues: {jobs: {kind: sqs}}
secrets: {key: {kept_in: secrets-manager}}
externals:
  bank: {}
  workflow: {service: Step Functions, %s}
functions:
  front: {triggers: [{http: POST}], reads: [], calls: [workflow]}
  step: {triggers: [{service: workflow}], reads: []}
  nightly: {triggers: [{schedule: rate(1 day)}], reads: []}
"""


def model(tmp_path: Path, does: str) -> Graph:
    return graph_of(tmp_path, MODEL % does)


def test_what_a_service_does_is_drawn(tmp_path: Path) -> None:
    graph = model(tmp_path, "reads: [orders], writes: [orders], sends: [jobs], secrets: [key], calls: [bank]")
    flows = {flow.id: flow for flow in graph.flows.values() if flow.source == "workflow"}
    assert set(flows) == {
        "workflow:orders:read",
        "workflow:orders:write",
        "workflow:jobs:send",
        "workflow:key:read",
        "workflow:bank:call",
        "workflow:step:start",
    }
    assert flows["workflow:jobs:send"].caller == "role, SigV4"
    assert "transport" not in flows["workflow:bank:call"].facts, "nobody says how a host is called"


def test_what_a_service_hands_over_may_be_a_strangers_word(tmp_path: Path) -> None:
    facts = model(tmp_path, "sends: [jobs]").elements["step"].facts
    assert facts["called_by_unverified"].value is True


def test_what_a_function_is_handed_by_the_clock_is_nobodys_data(tmp_path: Path) -> None:
    facts = model(tmp_path, "sends: [jobs]").elements["nightly"].facts
    assert facts["data_classification"].value == "internal"


@pytest.mark.parametrize(
    ("does", "message"),
    [
        ("writes: [jobs]", "'jobs' is a queue; expected a store"),
        ("sends: [gone]", "there is no queue 'gone'"),
        ("invokes: [step]", "'invokes'"),
    ],
)
def test_what_a_service_does_is_checked(does: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(InputError) as raised:
        model(tmp_path, does)
    assert message in raised.value.problems[0].message


@pytest.mark.parametrize(
    ("function", "expected"),
    [
        ("durable: true, triggers: [{http: POST}], calls: []", True),
        ("durable: false, triggers: [{http: POST}], calls: []", False),
        ("durable: false, triggers: [{http: POST}], calls: [bank]", False),
        ("durable: false, triggers: [{http: POST}], calls: [workflow]", True),
        ("durable: false, triggers: [{service: workflow}], calls: []", True),
        ("durable: false, triggers: [{service: bank}], calls: []", True),
        ("durable: false, triggers: [{service: users}], calls: []", False),
        ("triggers: [{http: POST}], calls: []", None),
        ("durable: false, triggers: [{http: POST}]", None),
        ("durable: false, calls: []", None),
        ("durable: false, triggers: [{http: POST}], calls: [], incomplete: [calls]", None),
    ],
)
def test_a_function_outside_workflows_waits_for_no_callbacks(
    tmp_path: Path, function: str, expected: bool | None
) -> None:
    """What nothing says to be no workflow, such as a service without a name, may be one."""
    text = MODEL.replace(", %s}", "}\n  users: {service: Cognito}") + f"  bot: {{{function}}}\n"
    facts = graph_of(tmp_path, text).elements["bot"].facts
    found = facts["in_workflow"].value if "in_workflow" in facts else None
    assert found is expected
    kept = facts["keeps_workflow_state"].value if "keeps_workflow_state" in facts else None
    assert kept is (False if expected is False else None)


@pytest.mark.parametrize(
    ("service", "reaches", "web", "slack"),
    [
        ("Elastic Load Balancing", None, None, None),
        ("CloudFront", None, None, None),
        ("AppSync", None, None, False),
        ("Cognito", None, False, False),
        ("IoT Core", None, False, False),
        ("CloudFormation", False, False, False),
        ("Secrets Manager", False, False, False),
    ],
)
def test_a_service_that_may_pass_requests_on_leaves_open_whether_they_reach_a_function(
    tmp_path: Path, service: str, *, reaches: bool | None, web: bool | None, slack: bool | None
) -> None:
    """A device or a user pool calls no route; what a load balancer hands on may have come to one."""
    text = (
        f"name: S\nqueues: {{jobs: {{kind: sqs}}}}\nexternals: {{front: {{service: {service}}}}}\nfunctions:\n"
        "  bot: {triggers: [{service: front}], reads: [], sends: [jobs]}\n"
        "  worker: {triggers: [{queue: jobs}], reads: []}\n"
        "  viewer: {triggers: [{service: front}], reads: [], runs_at_edge: true}\n"
    )
    found = graph_of(tmp_path, text).elements
    value = {name: fact.value for name, fact in found["bot"].facts.items() if fact.size}
    assert (value.get("internet_facing"), value.get("web_facing")) == (reaches, web)
    assert value.get("slack_facing") == slack
    worker = found["worker"].facts.get("takes_requests")
    assert (worker.value if worker is not None and worker.size else None) == reaches
    assert found["viewer"].facts["internet_facing"].value is True
    assert found["viewer"].facts["web_facing"].value is False


@pytest.mark.parametrize(
    ("caller", "slack"),
    [("http: POST, path: /orders", False), ("slack: events, path: /orders", None)],
)
def test_a_content_network_hands_on_no_request_of_slack_where_nothing_else_is_slack_s(
    tmp_path: Path, caller: str, *, slack: bool | None
) -> None:
    text = (
        "name: S\napis: {front: {}}\nexternals: {site: {service: CloudFront}}\nfunctions:\n"
        f"  bot: {{triggers: [{{{caller}, api: front}}], reads: []}}\n"
        "  viewer: {triggers: [{service: site}], reads: [], runs_at_edge: true}\n"
    )
    fact = graph_of(tmp_path, text).elements["viewer"].facts.get("slack_facing")
    assert (fact.value if fact is not None and fact.size else None) is slack
