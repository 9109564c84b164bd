"""Roles that SAM makes: what `Policies` holds, SAM's policy templates, and what SAM grants without being asked.

The policy templates are in sam-policies.json beside this package (scripts/sam_policies.py writes it).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from threatmodel.reading.problems import Place
from threatmodel.reading.tables import table
from threatmodel.stacks.sam.making import Expansion, doubted, doubtful
from threatmodel.stacks.stack import Resource
from threatmodel.stacks.texts import filled
from threatmodel.stacks.values import (
    Joined,
    Link,
    List,
    Node,
    Scalar,
    Table,
    Unknown,
    counts,
    get,
    items,
    node_of,
    shape_of,
    text,
)

NETWORK_ACTIONS = [
    "ec2:CreateNetworkInterface",
    "ec2:DescribeNetworkInterfaces",
    "ec2:DeleteNetworkInterface",
    "ec2:DescribeVpcs",
    "ec2:DescribeSubnets",
    "ec2:DescribeSecurityGroups",
]


def templates() -> Mapping[str, Any]:
    """SAM's policy templates: by name, their parameters and statements."""
    found: dict[str, Any] = table(__file__, "sam-policies.json")["templates"]
    return found


class Grants:
    """What a role that SAM makes may do, as it is put together: every policy once."""

    def __init__(self, role: str) -> None:
        self.role = role
        self._managed: dict[str, Node] = {}
        self._inline: list[Node] = []

    def manage(self, *policies: Node) -> None:
        """Attaches managed policies, by name or ARN."""
        for policy in policies:
            key = f"?{len(self._managed)}" if isinstance(policy, Unknown) else shape_of(policy)
            self._managed.setdefault(key, policy)

    def attach(self, name: str, place: Place) -> None:
        """Attaches one of AWS's own managed policies."""
        self.manage(Scalar(name, place))

    def put(self, name: str, document: Node) -> None:
        """Adds an inline policy."""
        self._inline.append(node_of({"PolicyName": name, "PolicyDocument": document}, document.place))

    def allow(self, name: str, place: Place, *statements: Mapping[str, Any]) -> None:
        """Adds an inline policy of statements that allow something."""
        allowed = [{"Effect": "Allow", **statement} for statement in statements]
        self.put(name, node_of({"Version": "2012-10-17", "Statement": allowed}, place))

    def take(self, policies: Node | None) -> None:
        """Adds what a `Policies` property holds."""
        for index, policy in enumerate(items(policies)):
            self._take(policy, f"{self.role}Policy{index}")

    def _take(self, policy: Node, name: str) -> None:
        kinds = set(_kinds(policy))
        if "managed" in kinds:
            self.manage(policy)
        if "inline" in kinds:
            self.put(name, document(policy))

    def properties(self) -> dict[str, Any]:
        """ManagedPolicyArns and Policies of the role."""
        managed, inline = list(self._managed.values()), self._inline
        return {"ManagedPolicyArns": managed or None, "Policies": inline or None}


def _kinds(policy: Node) -> Iterator[str]:
    """Whether an item of `Policies` is a managed policy or an inline one; both where it cannot be determined."""
    match policy:
        case Unknown(usual=None):
            yield from ("managed", "inline")
        case Unknown(usual=List(items=usual)):
            for one in usual:
                yield from _kinds(one)
        case Unknown(usual=usual):
            yield from _kinds(usual) if usual is not None else ()
        case Scalar(value=str()) | Link() | Joined():
            yield "managed"
        case Table():
            yield "inline"


def document(policy: Node) -> Node:
    """The policy document that an inline item of `Policies` stands for."""
    if isinstance(policy, Unknown):
        usual = document(policy.usual) if isinstance(policy.usual, Table) else None
        return Unknown(policy.why, policy.place, usual)
    if not isinstance(policy, Table) or "Statement" in policy.entries:
        return policy
    name = next(iter(policy.entries), "")
    if len(policy.entries) == 1 and name in templates():
        return from_template(name, policy.entries[name], policy.keys.get(name, policy.place))
    return Unknown("it is neither a policy document nor a policy template of SAM", policy.place)


def from_template(name: str, given: Node, place: Place) -> Node:
    """The document of one of SAM's policy templates with the parameters that it is given."""
    template = templates()[name]
    why = "the policy template is not given a value that it needs"
    values = {one: get(given, one) or Unknown(why, place) for one in template["parameters"]}
    statements = filled(template["statements"], values, place)
    return node_of({"Version": "2012-10-17", "Statement": statements}, place)


def trust(service: str, place: Place) -> Node:
    """A trust policy for one AWS service."""
    statement = {"Effect": "Allow", "Principal": {"Service": [service]}, "Action": ["sts:AssumeRole"]}
    return node_of({"Version": "2012-10-17", "Statement": [statement]}, place)


def delivery(kind: Node | None, target: Node, place: Place) -> list[dict[str, Any]]:
    """The statements with which a function may hand over what it failed at, or what came of it."""
    bucket: Node = filled("${Bucket}/*", {"Bucket": target}, place)
    known: dict[str | None, list[dict[str, Any]]] = {
        "SQS": [{"Action": "sqs:SendMessage", "Resource": target}],
        "SNS": [{"Action": "sns:Publish", "Resource": target}],
        "EventBridge": [{"Action": "events:PutEvents", "Resource": target}],
        "Lambda": [{"Action": "lambda:InvokeFunction", "Resource": target}],
        "S3": [{"Action": "s3:PutObject", "Resource": bucket}, {"Action": "s3:ListBucket", "Resource": target}],
    }
    known["S3Bucket"] = known["S3"]
    if isinstance(kind, Unknown):
        return [{"Action": kind, "Resource": target}]
    return known.get(text(kind), [])


def give_role(
    making: Expansion, resource: Resource, grants: Grants, trusted: Node, kept: str = "Role", **more: Node | None
) -> None:
    """Adds the role that SAM makes where a resource names none in the property `kept`, and names it there.

    Where a condition decides whether one is named, the role is doubtful.
    """
    given, place = get(resource.properties, kept), resource.place
    left_out = isinstance(given, Unknown) and given.usual is not None and not counts(given.usual)
    if counts(given) and not left_out:
        return
    reference: Node = Link(grants.role, "Arn", place)
    doubt = resource.opaque
    if isinstance(given, Unknown):
        doubt, reference = doubtful(given, usually=True), given._replace(usual=reference)
    properties = {"AssumeRolePolicyDocument": trusted, **more, **grants.properties()}
    making.add(doubted(resource, doubt), grants.role, "AWS::IAM::Role", properties, place)
    if resource.opaque is None:
        making.amend(resource.name, {kept: reference}, alone=True)
