"""The graph: every row of the system that the article describes, and how facts are weighed into it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support import HOME, evidence, graph_of, said
from threatmodel.graph.building import SUBTITLE_FACTS, SUBTITLE_WORDS, Graph, build
from threatmodel.model.load import load_model
from threatmodel.model.vocabulary import FACTS
from threatmodel.reading.files import Files
from threatmodel.reading.problems import InputError
from threatmodel.reading.shape import Word


@pytest.fixture(scope="module")
def default() -> Graph:
    return build(load_model(Files(), HOME / "models" / "slack-lambda.yaml"))


BOUNDARIES = {
    "internet": "internet-zone",
    "Slack SaaS": "workspace",
    "AWS edge and managed data plane": "edge",
    "workload account, data plane": "account",
    "Lambda execution environment": "execution",
    "VPC attached to the function": "vpc",
    "AWS control plane and IAM": "control-plane",
    "deployment plane": "deployment",
    "security account": "security",
    "corporate identity plane": "organization",
    "software supply chain": "supply-chain",
}

ELEMENTS = {
    "Slack user": ("slack-user", "workspace"),
    "Slack platform": ("slack", "workspace"),
    "Internet client": ("internet", "internet-zone"),
    "developer or reviewer": ("developer", "organization"),
    "cloud administrator and root": ("administrator", "organization"),
    "identity provider": ("identity-provider", "organization"),
    "package registries": ("package-registries", "supply-chain"),
    "Slack app administrator": ("slack-app-admin", "workspace"),
    "responder": ("responder", "security"),
    "API Gateway stage": ("slack-api", "edge"),
    "WAF web ACL": ("waf", "edge"),
    "ingress function": ("order-bot", "execution"),
    "worker function": ("order-worker", "vpc"),
    "Lambda and API Gateway control plane": ("lambda-service", "control-plane"),
    "IAM and STS": ("iam", "control-plane"),
    "pipeline": ("pipeline", "deployment"),
    "CloudFormation": ("cloudformation", "control-plane"),
    "AWS Signer": ("signer", "deployment"),
    "KMS": ("kms", "control-plane"),
    "detective plane": ("detection", "security"),
    "Secrets Manager: signing secret": ("slack-signing-secret", "account"),
    "Secrets Manager: bot token": ("slack-bot-token", "account"),
    "replay table": ("replay-guard", "account"),
    "application data": ("orders", "account"),
    "work queue": ("work-queue", "account"),
    "CloudWatch Logs": ("order-bot.logs", "account"),
    "function configuration": ("order-bot.configuration", "control-plane"),
    "environment memory and /tmp": ("order-bot.environment", "execution"),
    "Git repository": ("repository", "deployment"),
    "artefact store": ("artifacts", "deployment"),
    "CloudTrail bucket": ("audit-log", "security"),
}

DATA = {
    "slash-command body": ("slack:command", "internal"),
    "event JSON": ("slack:event", "confidential"),
    "response_url": ("slack:response-url", "secret"),
    "legacy verification token": ("slack:verification-token", "secret"),
    "signature and timestamp": ("slack:signature", "internal"),
    "signing secret": ("slack:signing-secret", "secret"),
    "bot and refresh token": ("slack:token", "secret"),
    "execution-role session": ("aws:role-session", "secret"),
    "application records": ("order", "confidential"),
    "logs and traces": ("aws:logs", "internal"),
    "deployment package": ("build:package", "internal"),
    "infrastructure template": ("build:template", "confidential"),
    "CI token and deploy session": ("build:credentials", "secret"),
    "human session": ("people:session", "secret"),
    "audit events": ("aws:audit", "internal"),
    "long-lived access key": ("aws:access-key", "secret"),
}

FLOWS = {
    "user -> Slack": ["slack-user:slack:command"],
    "Slack -> gateway, command": ["slack:slack-api:slash-command"],
    "anyone -> gateway": ["internet:waf:request", "waf:slack-api:filter"],
    "anyone -> function, direct": ["internet:order-bot:invoke", "internet:order-worker:invoke"],
    "gateway -> function": ["slack-api:order-bot:invoke"],
    "function -> secret": ["order-bot:slack-signing-secret:read"],
    "function -> replay table": ["order-bot:replay-guard:write"],
    "function -> queue": ["order-bot:work-queue:send"],
    "function -> gateway -> Slack": ["order-bot:slack-api:answer", "slack-api:slack:answer"],
    "queue -> worker": ["work-queue:order-worker:poll"],
    "worker -> application data": ["order-worker:orders:read", "order-worker:orders:write"],
    "function -> Slack Web API": ["order-worker:slack:call"],
    "function -> logs": ["order-bot:order-bot.logs:log", "order-worker:order-worker.logs:log"],
    "function <-> environment": ["order-bot:order-bot.environment:use"],
    "stores -> KMS": [
        "slack-signing-secret:kms:data-key",
        "orders:kms:data-key",
        "order-bot.configuration:kms:data-key",
    ],
    "IAM -> function session": ["iam:order-bot:session", "iam:order-worker:session"],
    "developer -> repository": ["developer:repository:push"],
    "repository -> pipeline": ["repository:pipeline:checkout"],
    "registries -> pipeline": ["package-registries:pipeline:download"],
    "pipeline -> IAM": ["pipeline:iam:assume-role"],
    "pipeline -> Signer -> artifacts": ["pipeline:signer:sign", "signer:artifacts:store"],
    "pipeline -> CloudFormation -> control plane": [
        "pipeline:cloudformation:deploy",
        "cloudformation:lambda-service:update",
    ],
    "artifacts -> control plane": ["artifacts:lambda-service:package"],
    "control plane -> configuration -> environment": [
        "lambda-service:order-bot.configuration:configure",
        "order-bot.configuration:order-bot:initialise",
    ],
    "people -> identity provider -> IAM": [
        "developer:identity-provider:sign-in",
        "administrator:identity-provider:sign-in",
        "identity-provider:iam:federate",
    ],
    "root -> IAM": ["administrator:iam:root-sign-in"],
    "stolen credentials": [
        "internet:iam:stolen-credentials",
        "internet:lambda-service:stolen-credentials",
        "internet:orders:stolen-credentials",
    ],
    "app administrator -> Slack": ["slack-app-admin:slack:configure"],
    "audit": [
        "iam:detection:audit",
        "lambda-service:detection:audit",
        "slack-api:detection:audit",
        "order-bot:detection:audit",
        "detection:audit-log:store",
        "audit-log:responder:read",
    ],
}


@pytest.mark.parametrize(("row", "zone"), BOUNDARIES.items())
def test_boundary(default: Graph, row: str, zone: str) -> None:
    assert zone in default.zones, row


@pytest.mark.parametrize(("row", "expected"), ELEMENTS.items())
def test_element(default: Graph, row: str, expected: tuple[str, str]) -> None:
    name, zone = expected
    assert default.elements[name].zone == zone, row


@pytest.mark.parametrize(("row", "expected"), DATA.items())
def test_data(default: Graph, row: str, expected: tuple[str, str]) -> None:
    name, classification = expected
    assert default.data[name].classification == classification, row


@pytest.mark.parametrize(("row", "flows"), FLOWS.items())
def test_flow(default: Graph, row: str, flows: list[str]) -> None:
    assert [flow for flow in flows if flow not in default.flows] == [], row


def test_every_row_is_mapped() -> None:
    # the Events API is the thirtieth flow, in the model below; a secret and a token are one row of the elements
    assert (len(BOUNDARIES), len(ELEMENTS) - 1, len(DATA), len(FLOWS) + 1) == (11, 30, 16, 30)


ONE_FUNCTION = """
    name: one
    apis: {api: {kind: http}}
    stores: {orders: {kind: dynamodb}}
    functions:
      bot:
        triggers: [{slack: events}]
        writes: [orders]
        calls: [slack]
"""


def test_one_function_verifies_and_works(tmp_path: Path) -> None:
    graph = graph_of(tmp_path, ONE_FUNCTION)
    assert {"slack:api:events", "api:bot:invoke", "bot:orders:write", "bot:slack:call"} <= graph.flows.keys()
    assert graph.flows["slack:api:events"].facts["data_classification"].value == "secret"


def test_optional_parties_are_drawn_only_where_the_model_has_them(tmp_path: Path) -> None:
    graph = graph_of(tmp_path, ONE_FUNCTION)
    assert not {"waf", "signer"} & graph.elements.keys()
    assert "vpc" not in graph.zones
    assert "pipeline:artifacts:store" in graph.flows
    assert "internet:api:request" in graph.flows


def test_no_slack_where_nothing_calls_or_is_called(tmp_path: Path) -> None:
    graph = graph_of(tmp_path, "name: x\nfunctions: {f: {triggers: [{schedule: rate(1 day)}], calls: []}}\n")
    assert not {"slack", "slack-user"} & graph.elements.keys()
    assert graph.elements["f"].facts["slack_facing"].value is False


@pytest.mark.parametrize(
    "fact", ["slack_facing", "internet_facing", "event_driven", "uses_secrets", "data_classification"]
)
def test_an_unstated_relation_leaves_what_follows_unknown(tmp_path: Path, fact: str) -> None:
    graph = graph_of(tmp_path, "name: x\nfunctions: {f: {}}\n")
    assert fact not in graph.elements["f"].facts


def test_the_first_relation_stated_closes_all(tmp_path: Path) -> None:
    graph = graph_of(tmp_path, "name: x\nstores: {s: {}}\nfunctions: {f: {reads: [s]}}\n")
    related = graph.related(graph.elements["f"], "secret")
    assert (related.ids, related.size) == ((), 1)
    assert graph.related(graph.elements["f"], "api").size == 0


def test_a_relation_by_evidence_makes_the_list_complete(tmp_path: Path) -> None:
    model = "name: x\nstores: {s: {}, t: {}}\nfunctions: {f: {reads: [s]}}\n"
    found = {"f": {"reads": [said(("s", "t"))], "writes": [said(())], "triggers": [said(())]}}
    graph = graph_of(tmp_path, model, found)
    related = graph.related(graph.elements["f"], "store")
    assert related.ids == ("s", "t")
    assert related.size == 2
    assert graph.lists["f"]["reads"].against


def test_evidence_beats_word_and_both_are_kept(tmp_path: Path) -> None:
    found = evidence(f={"timeout_seconds": 30})
    graph = graph_of(tmp_path, "name: x\nfunctions: {f: {timeout_seconds: 5}}\n", found)
    fact = graph.elements["f"].facts["timeout_seconds"]
    assert (fact.value, fact.size) == (30, 2)
    assert [statement.value for statement in fact.against] == [5]


def test_two_of_one_standing_that_differ_are_unknown(tmp_path: Path) -> None:
    found = {"f": {"timeout_seconds": [said(30), said(60, "probe")]}}
    fact = (
        graph_of(tmp_path, "name: x\nfunctions: {f: {timeout_seconds: 5}}\n", found)
        .elements["f"]
        .facts["timeout_seconds"]
    )
    assert fact.size == 0


def test_a_derived_fact_is_as_weak_as_its_weakest_input(tmp_path: Path) -> None:
    model = """
        name: x
        data: {order: {classification: confidential}}
        stores: {orders: {}}
        functions: {f: {triggers: [], reads: [orders]}}
    """
    found = {"orders": {"holds": [said(("order",))]}}
    facts = graph_of(tmp_path, model, found).elements["f"].facts
    assert (facts["data_classification"].value, facts["data_classification"].size) == ("confidential", 1)


def test_an_undescribed_plane_is_drawn_as_assumed(tmp_path: Path) -> None:
    graph = graph_of(tmp_path, "name: x\npipeline: {}\nfunctions: {f: {}}\n")
    assert graph.elements["pipeline"].described
    assert not graph.elements["account"].described


def test_facts_of_a_flow_can_be_stated(tmp_path: Path) -> None:
    model = """
        name: x
        externals: {billing: {name: Billing}}
        functions: {f: {calls: [billing]}}
        flows: {f:billing:call: {transport: https, tcp_port: 8443, encrypted: true}}
    """
    facts = graph_of(tmp_path, model).flows["f:billing:call"].facts
    assert [facts[name].value for name in ("transport", "tcp_port", "encrypted", "leaves_aws")] == [
        "https",
        8443,
        True,
        True,
    ]


def test_facts_of_a_flow_that_does_not_exist_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="there is no flow 'f:s:red'"):
        graph_of(
            tmp_path, "name: x\nstores: {s: {}}\nfunctions: {f: {reads: [s]}}\nflows: {f:s:red: {encrypted: true}}\n"
        )


def test_the_same_model_gives_the_same_graph(tmp_path: Path) -> None:
    first, second = graph_of(tmp_path, ONE_FUNCTION), graph_of(tmp_path, ONE_FUNCTION)
    assert list(first.elements.values()) == list(second.elements.values())
    assert list(first.flows.values()) == list(second.flows.values())


def test_calls_alone_close_nothing(tmp_path: Path) -> None:
    graph = graph_of(tmp_path, "name: x\nfunctions: {f: {calls: [slack]}}\n")
    assert "uses_secrets" not in graph.elements["f"].facts


def test_a_flow_that_two_functions_share_is_the_same_whichever_comes_first(tmp_path: Path) -> None:
    first, second = "{slack: slash-command}", "{http: POST}"
    flows = []
    for triggers in (f"[{first}, {second}]", f"[{second}, {first}]"):
        graph = graph_of(tmp_path, f"name: x\napis: {{a: {{}}}}\nfunctions: {{f: {{triggers: {triggers}}}}}\n")
        flow = graph.flows["a:f:invoke"]
        flows.append((flow.carries, flow.size, flow.facts["data_classification"].value))
    assert flows[0] == flows[1]
    assert flows[0][2] == "secret"


def test_the_words_of_subtitles_are_those_of_the_vocabulary() -> None:
    """A word that is renamed in the vocabulary would be shown as it is written, without anything else failing."""
    shapes = (table[name].shape for table in FACTS.values() for name in SUBTITLE_FACTS if name in table)
    words = {word for shape in shapes if isinstance(shape, Word) and not shape.open for word in shape.words}
    assert set(SUBTITLE_WORDS) <= words
    assert words - set(SUBTITLE_WORDS) == {"internal", "confidential", "secret", "other", "environment", "code"}
