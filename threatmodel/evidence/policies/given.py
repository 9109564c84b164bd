"""Rights that policies of resources give to a role: they are the role's as much as those that are attached to it.

A queue's policy, a key's, a permission of a function or the trust of another role names the role as its principal; in
the same account that is enough.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from threatmodel.evidence.policies.grants import MARK, Grant, Pattern, Principal, pattern, statements
from threatmodel.stacks.stack import Resource, Stack
from threatmodel.stacks.values import Joined, Link, Node, Scalar, Table, items

_POLICIES: Mapping[str, tuple[tuple[str, str], ...]] = {
    # a type: the properties with the resource ('' for the resource itself) and with the document
    "AWS::S3::BucketPolicy": (("Bucket", "PolicyDocument"),),
    "AWS::SQS::QueuePolicy": (("Queues", "PolicyDocument"),),
    "AWS::SQS::QueueInlinePolicy": (("Queue", "PolicyDocument"),),
    "AWS::SNS::TopicPolicy": (("Topics", "PolicyDocument"),),
    "AWS::SNS::TopicInlinePolicy": (("TopicArn", "PolicyDocument"),),
    "AWS::SecretsManager::ResourcePolicy": (("SecretId", "ResourcePolicy"),),
    "AWS::Kinesis::ResourcePolicy": (("ResourceArn", "ResourcePolicy"),),
    "AWS::DynamoDB::Table": (("", "ResourcePolicy.PolicyDocument"),),
    "AWS::KMS::Key": (("", "KeyPolicy"),),
    "AWS::ECR::Repository": (("", "RepositoryPolicyText"),),
    "AWS::EFS::FileSystem": (("", "FileSystemPolicy"),),
    "AWS::OpenSearchService::Domain": (("", "AccessPolicies"),),
    "AWS::Elasticsearch::Domain": (("", "AccessPolicies"),),
    "AWS::Events::EventBus": (("", "Policy"),),
    "AWS::IAM::Role": (("", "AssumeRolePolicyDocument"),),
    "aws_s3_bucket": (("", "policy"),),
    "aws_s3_bucket_policy": (("bucket", "policy"),),
    "aws_sqs_queue": (("", "policy"),),
    "aws_sqs_queue_policy": (("queue_url", "policy"),),
    "aws_sns_topic": (("", "policy"),),
    "aws_sns_topic_policy": (("arn", "policy"),),
    "aws_secretsmanager_secret": (("", "policy"),),
    "aws_secretsmanager_secret_policy": (("secret_arn", "policy"),),
    "aws_kinesis_resource_policy": (("resource_arn", "policy"),),
    "aws_dynamodb_resource_policy": (("resource_arn", "policy"),),
    "aws_kms_key": (("", "policy"),),
    "aws_kms_key_policy": (("key_id", "policy"),),
    "aws_ecr_repository_policy": (("repository", "policy"),),
    "aws_efs_file_system_policy": (("file_system_id", "policy"),),
    "aws_iam_role": (("", "assume_role_policy"),),
}
_PERMISSIONS: Mapping[str, tuple[str, str, str]] = {
    "AWS::Lambda::Permission": ("Principal", "Action", "FunctionName"),
    "aws_lambda_permission": ("principal", "action", "function_name"),
}
_ROLES = ("AWS::IAM::Role", "aws_iam_role")

_LATEST: list[tuple[Stack, Mapping[str, tuple[Grant, ...]]]] = []


def given_to(function: Resource, stack: Stack) -> tuple[Grant, ...]:
    """The statements of resources' policies that name the role of a function, each on what it stands on."""
    node = function.properties.entries.get("Role", function.properties.entries.get("role"))
    target = stack.target(node) if node is not None else None
    name = target.name if target is not None else "" if node is not None else f"{function.name}Role"
    return by_role(stack).get(name, ()) if name else ()


def by_role(stack: Stack) -> Mapping[str, tuple[Grant, ...]]:
    """All such statements by the role's name in the file; looked for once for a stack that is asked about again."""
    if not _LATEST or _LATEST[0][0] is not stack:
        _LATEST[:] = [(stack, _by_role(stack))]
    return _LATEST[0][1]


def _by_role(stack: Stack) -> Mapping[str, tuple[Grant, ...]]:
    found: dict[str, list[Grant]] = {}
    names = dict(_own_names(stack))
    for resource in stack.resources.values():
        for grant in _statements(resource):
            if grant.effect != "Deny" and not grant.but_principals:
                for role in dict.fromkeys(_roles(grant, names)):
                    found.setdefault(role, []).append(grant)
    return {name: tuple(grants) for name, grants in found.items()}


def _own_names(stack: Stack) -> Iterator[tuple[str, str]]:
    """The names that roles give themselves, with the names that they have in the file."""
    for role in stack.of_type(*_ROLES):
        own = role.properties.entries.get("RoleName", role.properties.entries.get("name"))
        if own is not None and (stated := pattern(own)).text and stated.open is None:
            yield stated.text, role.name


def _roles(grant: Grant, names: Mapping[str, str]) -> Iterator[str]:
    for one in grant.principals:
        if one.kind == "AWS":
            yield from (link.resource for link in one.pattern.links)
            if ":role/" in one.pattern.text and not MARK.search(one.pattern.text):
                yield names.get(one.pattern.text.rsplit("/", 1)[-1], "")


def _statements(resource: Resource) -> Iterator[Grant]:
    for about, document in _POLICIES.get(resource.type, ()):
        node = _at(resource.properties, document)
        on = _on(resource, about)
        for grant in statements(node) if node is not None else ():
            yield _doubted(_on_its_own(grant, on), resource)
    if resource.type in _PERMISSIONS:
        who, action, function = (_at(resource.properties, name) for name in _PERMISSIONS[resource.type])
        if who is not None and action is not None and function is not None:
            done = pattern(action)
            yield _doubted(
                Grant(
                    "Allow",
                    (done._replace(text=done.text.lower()),),
                    (pattern(function),),
                    (Principal("AWS", pattern(who)),),
                    (),
                    resource.place,
                ),
                resource,
            )


def _doubted(grant: Grant, resource: Resource) -> Grant:
    return grant._replace(open=grant.open or resource.doubt) if resource.doubt is not None else grant


def _at(node: Node, path: str) -> Node | None:
    for name in path.split("."):
        found = node.entries.get(name) if isinstance(node, Table) else None
        if found is None or (isinstance(found, Scalar) and found.value in {None, ""}):
            return None
        node = found
    return node


def _on(resource: Resource, about: str) -> tuple[Pattern, ...]:
    """The resources that a policy stands on, and what is below them; nothing is below a role."""
    nodes = items(_at(resource.properties, about)) if about else (Link(resource.name, "Arn", resource.place),)
    whole = resource.type in _ROLES
    below = [] if whole else [Joined((one, "/*"), one.place) for one in nodes if isinstance(one, Link)]
    return tuple(pattern(one) for one in (*nodes, *below) if not isinstance(one, Scalar) or one.value is not None)


def _on_its_own(grant: Grant, on: tuple[Pattern, ...]) -> Grant:
    """The statement on what it stands on, where it says all: a policy of a resource is about that alone."""
    everything = not grant.resources or any(not one.text.strip("*") for one in grant.resources)
    return grant._replace(resources=on, but_resources=False) if everything and on else grant
