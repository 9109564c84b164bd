"""The architecture around every Slack, API Gateway and Lambda system.

Boundaries, parties, services and data that are drawn although no author describes them. One table each;
`threatmodel.graph.building` turns them into elements and flows.
"""

from __future__ import annotations

from typing import NamedTuple

from threatmodel.model.vocabulary import FORMER_KINDS, PLANES
from threatmodel.reading.shape import Former


class Zone(NamedTuple):
    """A trust boundary: its name, the one around it, and who controls what is inside."""

    id: str
    name: str
    inside: str
    controlled_by: str


ZONES = (
    Zone("internet-zone", "Internet", "", "nobody"),
    Zone("workspace", "Slack workspace", "", "Slack and the workspace's administrators"),
    Zone("account", "AWS account", "", "the application team"),
    Zone("edge", "AWS managed edge", "account", "AWS, configured by the team"),
    Zone("execution", "Execution environments", "account", "the code that is shipped, dependencies included"),
    Zone("vpc", "VPC", "execution", "the network team"),
    Zone("control-plane", "AWS control plane and IAM", "account", "anyone with the right IAM action"),
    Zone("deployment", "Deployment", "", "the pipeline's operators and its provider"),
    Zone("security", "Security account", "", "the security team"),
    Zone("organization", "Corporate identity", "", "the identity team"),
    Zone("supply-chain", "Software supply chain", "", "third parties"),
)
"""The eleven trust boundaries; account, workspace and organization are elements with facts too."""


class Party(NamedTuple):
    """A person, system or service that is drawn: its symbol, the text under its name, where, in which view."""

    id: str
    symbol: str
    name: str
    subtitle: str
    zone: str
    view: str
    when: str = ""


PARTIES = (
    Party("slack-user", "person", "Slack user", "member or guest", "workspace", "runtime", "slack"),
    Party("slack", "external", "Slack platform", "commands, events, Web API", "workspace", "runtime", "slack"),
    Party("internet", "external", "Anyone", "untrusted caller", "internet-zone", "runtime"),
    Party("developer", "person", "Developer", "writes and reviews", "organization", "deployment"),
    Party("administrator", "person", "Cloud administrator", "and the root user", "organization", "identity"),
    Party("identity-provider", "external", "Identity provider", "single sign-on", "organization", "identity"),
    Party("package-registries", "external", "Package registries", "and layer publishers", "supply-chain", "deployment"),
    Party(
        "slack-app-admin", "person", "Slack app administrator", "and collaborators", "workspace", "identity", "slack"
    ),
    Party("responder", "person", "Responder", "and SIEM", "security", "identity"),
    Party("clock", "process", "Schedules", "EventBridge", "account", "runtime", "clock"),
    Party("waf", "process", "WAF web ACL", "rate rule", "edge", "runtime", "waf"),
    Party("lambda-service", "process", "Lambda and API Gateway", "control plane", "control-plane", "deployment"),
    Party("iam", "process", "IAM and STS", "roles, policies, federation", "control-plane", "identity"),
    Party("cloudformation", "process", "CloudFormation", "deploys stacks", "control-plane", "deployment"),
    Party("signer", "process", "AWS Signer", "signs packages", "deployment", "deployment", "signer"),
    Party("kms", "process", "KMS", "keys", "control-plane", "identity"),
    Party("detection", "process", "Detection", "CloudTrail, Config, GuardDuty", "security", "identity"),
    Party("repository", "store", "Git repository", "code, templates, manifest", "deployment", "deployment"),
    Party("artifacts", "store", "Artifact store", "S3 bucket or ECR", "deployment", "deployment"),
    Party("audit-log", "store", "Audit log", "CloudTrail bucket", "security", "identity"),
)
"""Who and what is drawn although no author describes it.  `when` names the feature without which it is left out."""

CLOCK = "clock"
"""The party that starts functions on a schedule."""

PIPELINE = Party("pipeline", "process", "Pipeline", "builds and deploys", "deployment", "deployment")
"""How the pipeline, which has facts, is drawn."""


class ReferenceData(NamedTuple):
    """A kind of data that every such system carries."""

    id: str
    name: str
    classification: str
    personal: bool = False


DATA = (
    ReferenceData("slack:command", "command or interaction body", "internal", personal=True),
    ReferenceData("slack:event", "event body", "confidential", personal=True),
    ReferenceData("slack:response-url", "response_url", "secret"),
    ReferenceData("slack:verification-token", "legacy verification token", "secret"),
    ReferenceData("slack:signature", "signature and timestamp", "internal"),
    ReferenceData("slack:signing-secret", "signing secret", "secret"),
    ReferenceData("slack:token", "Slack API token", "secret"),
    ReferenceData("aws:role-session", "role session credentials", "secret"),
    ReferenceData("app:secret", "secret", "secret"),
    ReferenceData("app:records", "application records", "confidential"),
    ReferenceData("aws:event", "event of an AWS service", "internal"),
    ReferenceData("aws:logs", "logs and traces", "internal"),
    ReferenceData("build:package", "deployment package", "internal"),
    ReferenceData("build:template", "infrastructure template", "confidential"),
    ReferenceData("build:credentials", "deploy credentials", "secret"),
    ReferenceData("people:session", "sign-in session", "secret"),
    ReferenceData("aws:audit", "audit events and findings", "internal"),
    ReferenceData("aws:access-key", "long-lived access key", "secret"),
    ReferenceData("aws:data-key", "data key", "secret"),
    ReferenceData("build:code", "source code", "internal"),
    ReferenceData("http:request", "request from outside", "internal"),
    ReferenceData("http:answer", "answer", "internal"),
)
"""The data of every such system; the author's own items stand for the application records where they are stated."""


class Wire(NamedTuple):
    """A flow between two fixed parties.

    `transport`, `port`, `encrypted` are its facts; `caller` says how the caller proves who it is; `when` names the
    party or feature without which it is left out.
    """

    source: str
    target: str
    verb: str
    label: str
    carries: tuple[str, ...]
    view: str
    caller: str
    transport: str = "https"
    port: int | None = 443
    encrypted: bool = True
    when: str = ""


WIRES = (
    Wire("slack-user", "slack", "command", "types a command", ("slack:command",), "runtime", "Slack session"),
    Wire(
        "developer",
        "repository",
        "push",
        "push, review, merge",
        ("build:code", "build:template"),
        "deployment",
        "SSO and 2FA",
    ),
    Wire(
        "repository", "pipeline", "checkout", "check out", ("build:code", "build:template"), "deployment", "app token"
    ),
    Wire(
        "package-registries", "pipeline", "download", "dependencies", ("build:package",), "deployment", "none: hashes"
    ),
    Wire(
        "pipeline",
        "iam",
        "assume-role",
        "assume deploy role",
        ("build:credentials",),
        "deployment",
        "OIDC token or key",
    ),
    Wire("pipeline", "signer", "sign", "sign", ("build:package",), "deployment", "deploy role", when="signer"),
    Wire(
        "signer", "artifacts", "store", "signed package", ("build:package",), "deployment", "deploy role", when="signer"
    ),
    Wire(
        "pipeline", "artifacts", "store", "package", ("build:package",), "deployment", "deploy role", when="no-signer"
    ),
    Wire(
        "pipeline",
        "cloudformation",
        "deploy",
        "create or update stack",
        ("build:template",),
        "deployment",
        "deploy role",
    ),
    Wire(
        "cloudformation",
        "lambda-service",
        "update",
        "update code and configuration",
        ("build:package", "build:template"),
        "deployment",
        "service role",
    ),
    Wire("artifacts", "lambda-service", "package", "read package", ("build:package",), "deployment", "deploy role"),
    Wire("developer", "identity-provider", "sign-in", "sign in", ("people:session",), "identity", "password and MFA"),
    Wire(
        "administrator", "identity-provider", "sign-in", "sign in", ("people:session",), "identity", "password and MFA"
    ),
    Wire("identity-provider", "iam", "federate", "federated session", ("people:session",), "identity", "SAML or OIDC"),
    Wire("administrator", "iam", "root-sign-in", "root sign-in", ("people:session",), "identity", "password and MFA"),
    Wire(
        "internet",
        "iam",
        "stolen-credentials",
        "stolen key or session",
        ("aws:access-key", "aws:role-session"),
        "identity",
        "SigV4, valid",
    ),
    Wire(
        "internet",
        "lambda-service",
        "stolen-credentials",
        "stolen key or session",
        ("aws:access-key", "aws:role-session"),
        "identity",
        "SigV4, valid",
    ),
    Wire(
        "slack-app-admin",
        "slack",
        "configure",
        "app configuration",
        ("slack:signing-secret", "slack:token"),
        "identity",
        "Slack session",
    ),
    Wire("iam", "detection", "audit", "audit events", ("aws:audit",), "identity", "service"),
    Wire("lambda-service", "detection", "audit", "audit events", ("aws:audit",), "identity", "service"),
    Wire("detection", "audit-log", "store", "deliver", ("aws:audit",), "identity", "service"),
    Wire("detection", "responder", "alert", "findings", ("aws:audit",), "identity", "service"),
    Wire("audit-log", "responder", "read", "read", ("aws:audit",), "identity", "SSO and MFA"),
)
"""Flows of the identity and deployment planes (and the first of the runtime plane), in order of drawing."""

FORMER_ELEMENTS: Former = (*FORMER_KINDS, ("artefacts", "artifacts"))
"""Former ids of elements and zones that no author describes, each with the current one."""

RESERVED = frozenset(
    {zone.id for zone in ZONES} | {party.id for party in PARTIES} | set(PLANES) | {old for old, _ in FORMER_ELEMENTS}
)
"""Ids that authors cannot give to their elements."""
