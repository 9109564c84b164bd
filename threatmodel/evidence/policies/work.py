"""What an action is to a function: the platform's own work, its daily work, or a change of how something is set up.

What to write in place of rights that are more than a function needs is a policy template of SAM's, or the actions: a
template fits where it allows all that is needed, on one resource, and beside it nothing of another use and nothing that
sets anything up.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from functools import cache, lru_cache

from threatmodel.evidence.policies.escalations import UNKNOWN_LEVEL
from threatmodel.evidence.policies.iam import IamAction, expanded
from threatmodel.stacks.sam.policies import templates

SENDS = frozenset({"sqs:sendmessage", "sns:publish", "events:putevents", "kinesis:putrecord", "kinesis:putrecords"})
RECEIVES = frozenset({
    "sqs:receivemessage", "sqs:deletemessage", "sqs:purgequeue", "sqs:startmessagemovetask",
    "kinesis:getrecords", "kinesis:subscribetoshard",
})  # fmt: skip
SUBSCRIBES = frozenset({"sns:subscribe", "events:putrule", "events:puttargets"})
INVOKES = frozenset({
    "lambda:invokefunction", "lambda:invokeasync", "lambda:invokefunctionurl",
    "lambda:senddurableexecutioncallbacksuccess", "lambda:senddurableexecutioncallbackfailure",
})  # fmt: skip
"""What starts a function, or has one go on that waits to be called back."""
READS_SECRETS = frozenset(
    {
        "secretsmanager:getsecretvalue",
        "ssm:getparameter",
        "ssm:getparameters",
        "ssm:getparametersbypath",
        "ssm:getparameterhistory",
    }
)
CHANGES_POLICY = {
    "dynamodb": ("dynamodb:deleteresourcepolicy", "dynamodb:deletetable", "dynamodb:putresourcepolicy"),
    "events": ("events:putpermission", "events:removepermission"),
    "kinesis": ("kinesis:deleteresourcepolicy", "kinesis:putresourcepolicy"),
    "s3": ("s3:deletebucketpolicy", "s3:putbucketpolicy"),
    "secretsmanager": ("secretsmanager:deleteresourcepolicy", "secretsmanager:putresourcepolicy"),
    "sns": ("sns:addpermission", "sns:deletetopic", "sns:removepermission", "sns:settopicattributes"),
    "sqs": ("sqs:addpermission", "sqs:deletequeue", "sqs:removepermission", "sqs:setqueueattributes"),
}
"""What changes or removes the policy of a resource, by service: who may do it is bound by no denial in that policy.

A table, topic or queue that is deleted is one too: another can be made under its name, and users find it there.
"""
_ABOUT_IT = ("describe", "list")
_READS_DATA_ALL_THE_SAME = frozenset({"s3:listbucket", "s3:listbucketversions"})

EVERY = "every"
"""The level that all actions of a service are under."""
PLATFORM = re.compile(
    r"logs:(CreateLog(Group|Stream)|PutLogEvents|TagResource|Describe\w+)|xray:\w+|lambda:(Checkpoint|GetDurable)\w+"
    r"|cloudwatch:PutMetricData|sts:GetCallerIdentity|kms:Decrypt|kms:GenerateDataKey"
)
"""What Lambda does with the role (Serverless adds tags), measures, and keys, which are used with what they encrypt."""
NETWORK = re.compile(
    r"ec2:((Create|Delete|Detach)NetworkInterface|DescribeNetworkInterfaces|(Una|A)ssignPrivateIpAddresses"
    r"|DescribeSubnets|DescribeSecurityGroups|DescribeVpcs|GetSecurityGroupsForVpc)"
)
"""What Lambda does with the role of a function in a VPC (docs.aws.amazon.com/lambda: "configuration-vpc")."""
POLLED = re.compile(
    r"sqs:(ReceiveMessage|DeleteMessage|GetQueueAttributes|GetQueueUrl|ChangeMessageVisibility)"
    r"|kinesis:(GetRecords|GetShardIterator|DescribeStream\w*|ListShards|ListStreams|SubscribeToShard)"
    r"|dynamodb:(GetRecords|GetShardIterator|DescribeStream|ListStreams)|kafka:\w+|kafka-cluster:\w+"
)
"""What an event source mapping does with the role."""
_SETS_UP = re.compile(
    r"(Delete|Terminate|Remove|Disable|Stop|Schedule|Leave|Detach|Deregister|Purge|Revoke|Cancel|Reboot|Restore"
    r"|Create|Update|Modify|Attach|Enable|Set|Register|Associate|Disassociate|Replace|Put\w*(Policy|Configuration|Acl))\w*"
)
"""Verbs that destroy, or change how something is set up, rather than work with it."""
_CONTENT = re.compile(r"\w*(Item|Items|Object|Objects|Message|Messages|Record|Records|Data|Statement|Job|Session)\w*")


@lru_cache(maxsize=8192)
def use_of(action: IamAction) -> str:
    """What an action does with a resource: read, write, send, invoke, value or manage."""
    name = action.name.lower()
    for use, names in (("send", SENDS), ("invoke", INVOKES), ("value", READS_SECRETS)):
        if name in names:
            return use
    if name in _READS_DATA_ALL_THE_SAME:
        return "read"
    verb = name.partition(":")[2]
    if action.level in {"read", "list"}:
        return "manage" if verb.startswith(_ABOUT_IT) or _is_setting(name, verb) else "read"
    return "write" if action.level == "write" and not _is_setting(name, verb) else "manage"


_SETTINGS = ("policy", "attributes", "configuration", "tagging", "tags", "acl", "encryption", "versioning", "logging")


def _is_setting(name: str, verb: str) -> bool:
    """Whether an action is about how a resource is set up, rather than what it holds."""
    if name.startswith("s3:"):
        return "object" not in verb and verb not in {"deletebucket", "listbucket"}
    return verb.endswith(_SETTINGS) or name.startswith("sns:")


def is_of(action: IamAction, *whose: re.Pattern[str]) -> bool:
    """Whether an action is work of the platform (`PLATFORM`, `NETWORK`, `POLLED`) that it does with the role."""
    return any(one.fullmatch(action.name) is not None for one in whose)


def is_use(action: IamAction) -> bool:
    """Whether an action works with what a resource holds, or only tells how it is set up."""
    return not changes(action) and (use_of(action) != "manage" or action.level in {"read", "list"})


@lru_cache(maxsize=32_768)
def changes(action: IamAction) -> bool:
    """Whether an action destroys something or changes how it is set up, which is no function's daily work."""
    if action.level in {"read", "list"}:
        return False
    verb = action.name.partition(":")[2]
    sets_up = _SETS_UP.fullmatch(verb) is not None and not (_CONTENT.fullmatch(verb) and action.level == "write")
    return action.level in {"permissions", EVERY} or (action.level in {"write", "tagging", UNKNOWN_LEVEL} and sets_up)


_OF_IDENTITY = frozenset({"iam", "organizations", "sts", "sso", "identitystore", "kms"})


@lru_cache(maxsize=32_768)
def severity(action: IamAction) -> int:
    """How bad a right is that a function does not need, 0 the worst: on rights and identities, of all kinds, set-up."""
    if action.level == "permissions" or action.name.partition(":")[0] in _OF_IDENTITY:
        return 0
    return 1 if action.level == EVERY else SETS_UP if changes(action) else 3


SETS_UP = 2
"""The severity of a right that is spelled out and changes how something is set up."""


# --- what to write in place of rights that are more than a function needs
_MOST_ACTIONS = 6
"""Actions that are named before the rest is counted."""


@cache
def _on_one_resource() -> Mapping[str, frozenset[IamAction]]:
    """SAM's templates that allow something of one service on what their one parameter names, and set nothing up."""
    found = {}
    for name, template in templates().items():
        stated = (one.get("Action") for one in template["statements"])
        names = [name for one in stated for name in (one if isinstance(one, list) else [one])]
        actions = frozenset(action for name in names for action in expanded(str(name).lower()))
        services = {action.name.partition(":")[0] for action in actions}
        wide = any(one.get("Resource") == "*" for one in template["statements"])
        if len(template["parameters"]) == 1 and len(services) == 1 and not wide and not any(map(changes, actions)):
            found[name] = actions
    return found


def _content(actions: Iterable[IamAction]) -> frozenset[IamAction]:
    """The actions that work with what a resource holds."""
    return frozenset(action for action in actions if use_of(action) != "manage")


def common(actions: Iterable[IamAction]) -> list[IamAction]:
    """Return those of the actions that SAM's templates have, which is what functions call; all where there is none."""
    given = list(actions)
    known = frozenset[IamAction]().union(*_on_one_resource().values())
    return [one for one in given if one in known] or given


def template_of_actions(needed: Iterable[IamAction]) -> str:
    """SAM's template that allows these actions and as good as nothing else; '' where there is none."""
    wanted = frozenset(one for one in needed if not is_of(one, PLATFORM))
    uses = {use_of(one) for one in _content(wanted)}
    fitting = [
        (len(allowed), name)
        for name, allowed in _on_one_resource().items()
        if wanted and wanted <= allowed and {use_of(one) for one in _content(allowed)} <= uses
    ]
    return min(fitting, default=(0, ""))[1]


def template_of_uses(service: str, uses: frozenset[str], held: Collection[IamAction]) -> str:
    """SAM's template for these uses of a service (read, write, send, value), within what is held; '' for none."""
    fitting = [
        (-len(allowed), name)
        for name, allowed in _on_one_resource().items()
        if all(one.name.startswith(f"{service}:") for one in allowed)
        and {use_of(one) for one in _content(allowed)} == uses
        and _content(allowed) <= frozenset(held)
    ]
    return min(fitting, default=(0, ""))[1]


def listed(names: Iterable[str]) -> str:
    """Names in a row, as many as a line takes."""
    found = list(dict.fromkeys(names))
    more = f" and {len(found) - _MOST_ACTIONS} more" if len(found) > _MOST_ACTIONS else ""
    return ", ".join(found[:_MOST_ACTIONS]) + more
