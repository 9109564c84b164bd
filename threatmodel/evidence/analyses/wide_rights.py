"""Rights of a role that are wider than any function's work: on whole services, on every resource, by broad policies."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache, partial
from typing import NamedTuple

from threatmodel.evidence.analyses.callers import of_integrations
from threatmodel.evidence.analyses.properties import read
from threatmodel.evidence.analyses.registry import analysis, rows
from threatmodel.evidence.answers import (
    Answer,
    Gathered,
    Outcome,
    Unanswered,
    doubted,
    named,
    no,
    one_of,
    open_at,
    opposite,
    some,
    unknown,
    unless_unread,
    yes,
)
from threatmodel.evidence.policies.arns import covers_every
from threatmodel.evidence.policies.grants import (
    ConditionKey,
    Grant,
    Pattern,
    allowing,
    aws_policy_name,
    pattern,
)
from threatmodel.evidence.policies.iam import IamAction, expanded, managed_policies
from threatmodel.evidence.policies.permissions import held, rights
from threatmodel.evidence.policies.role_policies import as_others, role_policies
from threatmodel.evidence.policies.work import listed, template_of_actions, use_of
from threatmodel.evidence.resource_types import known
from threatmodel.reading.problems import Place
from threatmodel.stacks.stack import Resource, Stack
from threatmodel.stacks.values import Node, Table, Unknown, items, links

# --- actions


@analysis("policy", "managed", "sam")
def wildcard_action(parts: Sequence[Gathered], resource: Resource, stack: Stack) -> Outcome:
    """Whether a statement allows every action, every one of a service, or all but some."""
    return some((grant.says(_wild(grant)) for grant in allowing(rights(parts, resource, stack))), parts=parts)


def _wild(grant: Grant) -> Answer:
    if grant.but_actions:
        spares_all = one_of(_is_everything(one) for one in grant.actions)
        wild = (
            yes(grant.place, f"{grant.about} allows every action except a few") if not spares_all else no(grant.place)
        )
        return Unanswered("it is unknown which actions it leaves out", grant.place) if spares_all is None else wild
    first = next((one for one in grant.actions if _whole_service(one)), None)
    if first is not None:
        service = "" if first.given else first.text.partition(":")[0]
        what = f"every action of {service}" if expanded(f"{service}:*") and "*" not in service else "every action"
        return yes(grant.at(first), f"{grant.about} allows {what}")
    open_one = next((one for one in grant.actions if _whole_service(one) is None), None)
    if open_one is not None and open_one.open is not None:
        return unknown(open_one.open)
    return no(grant.place) if grant.actions else Unanswered("the statement names no action", grant.place)


def _is_everything(one: Pattern) -> bool | None:
    return None if one.open is not None else "*" in one.text and not one.text.strip("*:")


def _whole_service(one: Pattern) -> bool | None:
    """Whether an action is a whole service or more; None where what is unknown of it may make it that."""
    service, colon, verb = one.text.partition(":")
    if one.open is not None:
        return None if "\x00" in service or not re.sub("\x00[^\x01]*\x01", "", verb).strip("*?") else False
    if not colon:
        return bool(service) and not service.strip("*")
    return "*" in verb and not verb.strip("*?") and verb.count("?") <= 1


# --- resources

_ORDINARY = frozenset(
    {
        *("logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"),
        *("ec2:CreateNetworkInterface", "ec2:DeleteNetworkInterface"),
        *("ec2:DetachNetworkInterface", "ec2:AssignPrivateIpAddresses", "ec2:UnassignPrivateIpAddresses"),
        *("lambda:CheckpointDurableExecution", "lambda:GetDurableExecutionState"),
        "s3-object-lambda:WriteGetObjectResponse",
    }
)
"""What Lambda itself needs on things that it makes: AWS's own execution roles have them on every resource."""

_ON_WHAT_IT_BRINGS = re.compile(
    r"(comprehend:(Batch)?(Detect|Classify|Contains)|rekognition:(Detect|RecognizeCelebrities)|ce:Get"
    r"|textract:|polly:Synthesize|translate:Translate|cloudwatch:\w*Dashboard)\w*"
)
"""Actions on what the caller supplies, on the account's bill and on charts: no data of other principals."""

_NARROWING = (
    *("resourcetag", "kms:viaservice", "kms:encryptioncontext", "lambda:functionarn", "ecs:cluster"),
    *("secretsmanager:secretid", "secretsmanager:name", "secretsmanager:resource/"),
    *("s3:dataaccesspointarn", "s3:existingobjecttag", "dynamodb:leadingkeys"),
)
"""Parts of keys whose conditions limit a statement to some resources, or to a part of what they hold."""


def _wildcard(parts: Sequence[Gathered], resource: Resource, stack: Stack, *, spares_polling: bool = False) -> Outcome:
    """Whether a statement allows on every resource what reads or writes data or changes IAM, and could name one.

    With `spares_polling` without what AWS's own policies for event sources allow: to receive from queues, to read
    streams.
    """
    spared = _polling() if spares_polling else frozenset[str]()
    found = (
        grant.says(answer)
        for grant in allowing(rights(parts, resource, stack))
        for answer in _over_all(grant, _Instead(parts, resource, stack), spared)
    )
    return some(found, parts=parts)


rows("policy", "managed", "sam")({
    "wildcard-resource": _wildcard,
    "wildcard-beyond-polling": partial(_wildcard, spares_polling=True),
})  # fmt: skip


@analysis("method", "integration", "body", "elsewhere")
def integration_role_broad(parts: Sequence[Gathered], resource: Resource, stack: Stack) -> Outcome:
    """Whether the role of an integration allows every action of a service, or acts on every resource."""
    return unless_unread(some(of_integrations(parts, resource, partial(_of_role, stack))), stack, [False])


def _of_role(stack: Stack, settings: Node, place: Place) -> Answer:
    node = read(settings, "Credentials|credentials|CredentialsArn")
    if node is None or pattern(node).text.endswith(":user/*"):  # the rights of the caller
        return no(place)
    held_by = role_policies(stack)
    role = held_by.all.get(held_by.named(node))
    if role is None:
        return Unanswered("the role of an integration is not in this file", node.place)
    instead = _Instead(held_by.of[role.name], role, stack)
    found = allowing(held_by.statements(role))
    wide = [grant.says(one) for grant in found for one in (_wild(grant), *_over_all(grant, instead, frozenset()))]
    wide += [open_at(one) for one, _ in held_by.open]  # a policy of a role that is not known may be its own
    return some(wide) or no(place)


_POLLERS = re.compile(r"AWSLambda(DynamoDB|Kinesis|MSK|SQSQueue)ExecutionRole")


@lru_cache(maxsize=1)
def _polling() -> frozenset[str]:
    """The actions that AWS's own policies for event sources allow."""
    policies = [policy for name, policy in managed_policies().items() if _POLLERS.fullmatch(name)]
    texts = [text for policy in policies for statement in policy["statements"] for text in statement["Action"]]
    return frozenset(action.name for text in texts for action in expanded(text.lower()))


def _over_all(grant: Grant, instead: _Instead, spared: frozenset[str]) -> Iterator[Answer]:
    if grant.open is not None and not grant.actions:
        yield unknown(grant.open)
        return
    narrowed = one_of(_narrows(one) for one in grant.conditions)
    if narrowed:
        return
    wide: list[str] = []
    at, on = grant.place, set[str]()
    for service, what in _weighty(grant, spared):
        covered, by = covers_every(grant, service)
        if covered is None:
            yield unknown(by if isinstance(by, Unknown) else (by and by.open) or _unclear(grant))
        elif covered and narrowed is None:
            yield unknown(next((one.open for one in grant.conditions if one.open), None) or _unclear(grant))
        elif isinstance(what, Unknown):
            if covered:
                yield unknown(what)
        elif covered:
            at = grant.at(by) if isinstance(by, Pattern) and not wide else at
            on.add(by.shown if isinstance(by, Pattern) else "")
            wide.append(what)
    if wide:
        yield yes(at, _why_wide(grant, wide, on, instead))


def _why_wide(grant: Grant, actions: Sequence[str], on: set[str], instead: _Instead) -> str:
    """What a statement allows on every resource, the weightiest first, and what to write instead."""
    names = sorted(dict.fromkeys(actions), key=_heaviest)
    which = "every resource except a few" if grant.but_resources else "every resource"
    if len(on) == 1 and (pattern_of := on.pop()).strip("*"):
        which += f" of {pattern_of}"
    return f"{instead.called(grant)} allows {listed(names)} on {which}{instead.of(grant, names)}"


def _heaviest(action: str) -> tuple[int, int]:
    """The weight of an action, or of the heaviest of a pattern of actions."""
    weights = [_weight(one) for one in expanded(action.lower()) if _matters(one)]
    return min(weights, default=(len(_USES), len(action)))


class _Instead(NamedTuple):
    """What to write instead of a statement over every resource: of whose role, and what of it was gathered."""

    parts: Sequence[Gathered]
    function: Resource
    stack: Stack

    def called(self, grant: Grant) -> str:
        """Where a statement comes from, AWS's own policies as what they are."""
        by_sam = ", which SAM attaches to the role that it creates," if self._by_sam(grant) else ""
        return (
            f"{grant.source}{by_sam or ', an AWS managed policy,'}"
            if grant.source in managed_policies()
            else grant.about
        )

    def of(self, grant: Grant, names: Sequence[str]) -> str:
        """The narrower right: a template of SAM's in a role that SAM makes, else the actions on what is named."""
        mattering = [one for action in grant.actions for one in expanded(action.text) if _matters(one)]
        fits = template_of_actions(mattering) if grant.source else ""
        if fits and fits == grant.source:
            return ""
        if self._by_sam(grant):
            return f"; use instead: a role that allows the actions of {fits} on one resource" if fits else ""
        if fits and self.function.type == "AWS::Serverless::Function":
            return f"; use instead: {fits}"
        services = {name.partition(":")[0] for name in names}
        variables = read(self.function.properties, "Environment", "Variables")
        own = (self.stack.resources.get(name) for name in dict.fromkeys(link.resource for link in links(variables)))
        meant = [one.name for one in own if one is not None and services & set(known(one.type).services)]
        return f"; use instead: the ARN of {listed(meant)}" if meant else ""

    def _by_sam(self, grant: Grant) -> bool:
        """Whether SAM attaches a policy without being asked: to a role that it makes."""
        roles = [one.resource for one in self.parts if one.part == "managed" and one.resource.made_by]
        asked = {aws_policy_name(pattern(one)) for one in items(self.function.properties.entries.get("Policies"))}
        return bool(roles) and grant.source in managed_policies() and grant.source not in asked


def _unclear(grant: Grant) -> Unknown:
    return Unknown("the statement cannot be read", grant.place)


def _narrows(condition: ConditionKey) -> bool | None:
    """Whether a condition limits a statement to some resources; None where that is unknown."""
    operator = condition.operator
    if not condition.key:
        return None
    positive = "not" not in operator and operator not in {"null", "bool"} and not operator.endswith("ifexists")
    if not positive or not any(name in condition.key for name in _NARROWING):
        return False
    if condition.open is not None:
        return None
    return opposite(one_of(_is_everything(one) for one in condition.values))


def _weighty(grant: Grant, spared: frozenset[str]) -> Iterator[tuple[str, str | Unknown]]:
    """The actions that matter on every resource but some, or that it is unknown what they are.

    A pattern for one service counts as it is written, and `*` as one action of each service.
    """
    if grant.but_actions:
        yield from _all_but(grant, spared)
        return
    if not grant.actions:
        yield "", Unknown("the statement names no action", grant.place)
    for one in grant.actions:
        if one.open is not None:
            service = one.text.partition(":")[0]
            yield "" if "\x00" in service else service, one.open
        else:
            found = _weights(one.text, spared)
            if found is None:
                service = one.text.partition(":")[0] if ":" in one.text else ""
                yield service, Unknown("the statement has an unknown action", grant.at(one))
            else:
                as_written = not one.given and "*" in one.text and "*" not in one.text.partition(":")[0]
                yield from ((service, one.shown if as_written else name) for service, name in found)


_USES = ("value", "invoke", "send", "read", "write", "manage")


@lru_cache(maxsize=4096)
def _weights(text: str, spared: frozenset[str]) -> tuple[tuple[str, str], ...] | None:
    known = expanded(text)
    return tuple(_first_by_service(one for one in known if one.name not in spared)) if known else None


def _first_by_service(known: Iterable[IamAction]) -> Iterator[tuple[str, str]]:
    weightiest: dict[str, IamAction] = {}
    for action in known:
        if _matters(action):
            service = action.name.partition(":")[0]
            before = weightiest.get(service)
            if before is None or _weight(action) < _weight(before):
                weightiest[service] = action
    return ((service, action.name) for service, action in weightiest.items())


@lru_cache(maxsize=32_768)
def _weight(action: IamAction) -> tuple[int, int]:
    """What a note names first: the use that tells most, and of its actions the plainest."""
    return _USES.index(use_of(action)), len(action.name)


def _all_but(grant: Grant, spared: frozenset[str]) -> Iterator[tuple[str, str | Unknown]]:
    open_one = next((one.open for one in grant.actions if one.open is not None), None)
    if open_one is not None:
        yield "", open_one
        return
    left = {action.name for one in grant.actions for action in expanded(one.text)} | spared
    yield from _first_by_service([action for action in expanded("*") if action.name not in left])


@lru_cache(maxsize=32_768)
def _matters(action: IamAction) -> bool:
    """Whether an action reads or writes data or changes IAM, and could name the resources that it is for."""
    if not action.limitable or action.name in _ORDINARY or _ON_WHAT_IT_BRINGS.match(action.name):
        return False
    if action.level in {"write", "permissions"}:
        return True
    return action.level in {"read", "list"} and use_of(action) != "manage"


# --- managed policies

_BROAD = frozenset((
    *("AdministratorAccess", "PowerUserAccess"),
    *("DatabaseAdministrator", "DataScientist", "NetworkAdministrator", "SystemAdministrator"),
))  # fmt: skip
"""AWS's policies for whole accounts, and those for the jobs of people who change what is there."""
_FULL = re.compile(r"FullAccess(_?[vV]\d+)?\Z")


@analysis("managed", "sam")
def broad_managed_policy(parts: Sequence[Gathered], resource: Resource, stack: Stack) -> Outcome:
    """Whether AdministratorAccess, a policy for a job, or a policy of AWS named ...FullAccess is attached.

    A role whose own documents were gathered, and nothing else, has none attached.
    """
    own = named(parts, "managed", "sam")
    found = [doubted(_broad(part, node, stack), part.resource.doubt) for part in own for node in items(part.node)]
    others = as_others(resource, held(parts, resource, stack), stack)
    found += [
        one.says(yes(one.place, f"it may assume a role with {one.source}")) for one in others if _is_broad(one.source)
    ]
    return some(found, parts=own if found else parts)


def _is_broad(policy: str) -> bool:
    return policy in _BROAD or _FULL.search(policy) is not None


def _broad(part: Gathered, node: Node, stack: Stack) -> Answer:
    if stack.target(node) is not None or (part.part == "sam" and isinstance(node, Table)):
        return no(node.place)
    found = pattern(node)
    if found.open is not None:
        return unknown(found.open)
    name = aws_policy_name(found)
    stated = "" if found.given else name
    return yes(found.place, f"{stated or 'a broad policy'} is attached") if _is_broad(name) else no(found.place)
