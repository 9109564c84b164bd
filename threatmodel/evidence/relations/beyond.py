"""Rights of a function's role beyond its work: what they allow, and on what.

A right counts as beyond where it is on nothing that the function is seen to use, or lets it do with that what is no
use of it (delete a table, change a queue).  What Lambda itself needs, what it polls for a function and where it hands
over failures are the platform's work.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import NamedTuple

from threatmodel.evidence.policies.arns import Targets, resources_of
from threatmodel.evidence.policies.escalations import UNKNOWN_LEVEL
from threatmodel.evidence.policies.grants import Grant
from threatmodel.evidence.policies.iam import IamAction, expanded
from threatmodel.evidence.policies.permissions import use_of
from threatmodel.reading.problems import Place


class Beyond(NamedTuple):
    """Actions of one statement on resources (as text) of which nothing shows that the function uses them.

    `changes` is true where one of them destroys or changes how something is set up, which is no function's daily work.
    """

    actions: tuple[str, ...]
    resources: tuple[str, ...]
    place: Place
    changes: bool

    @property
    def told(self) -> str:
        """The right in words."""
        return f"{_first(self.actions, 4)} on {_first(self.resources, 1) or 'resources that are not named'}"


def _first(names: Sequence[str], count: int) -> str:
    more = f" and {len(names) - count} more" if len(names) > count else ""
    return ", ".join(names[:count]) + more


_OF_THE_PLATFORM = re.compile(
    r"logs:(CreateLog(Group|Stream)|PutLogEvents|Describe\w+)|xray:\w+|ec2:(\w*NetworkInterfaces?\w*|\w*PrivateIpAddresses"
    r"|DescribeSubnets|DescribeSecurityGroups|DescribeVpcs)|lambda:(Checkpoint|GetDurable)\w+|cloudwatch:PutMetricData"
    r"|sts:GetCallerIdentity|kms:Decrypt|kms:GenerateDataKey"
)
"""What Lambda does with the role, measures, and keys, whose use follows the use of what they encrypt."""
_POLLED = re.compile(
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


def beyond(grants: Sequence[Grant], targets: Targets, used: frozenset[str]) -> Iterator[Beyond]:
    """What a role's statements allow beyond the resources (by their names) that its function uses."""
    for grant in grants:
        if grant.effect == "Deny" or grant.open is not None or grant.but_actions:
            continue
        left = [
            one
            for service, actions in _by_service(grant).items()
            for one in _left(grant, targets, used, service, actions)
        ]
        if left:
            names = tuple(one.name for one in sorted(left, key=lambda one: not _changes(one)))
            resources = tuple(one.shown for one in grant.resources)
            yield Beyond(names, resources, grant.place, any(_changes(one) for one in left))


def _left(
    grant: Grant, targets: Targets, used: frozenset[str], service: str, actions: Sequence[IamAction]
) -> Iterator[IamAction]:
    """What a statement allows of a service beyond what works with the resources that are used."""
    on_used = [match.resource in used for match in resources_of(grant, targets, service)]
    known = bool(on_used) and all(on_used) and len(on_used) >= len({one.text for one in grant.resources})
    return (one for one in actions if not (known and _is_use(one)))


_EVERY = "every"
"""The level that a whole service's actions stand under, as one."""


def _by_service(grant: Grant) -> Mapping[str, Sequence[IamAction]]:
    found: dict[str, list[IamAction]] = {}
    for one in grant.actions:
        for action in () if one.open is not None else _named(one.text, one.shown):
            found.setdefault(action.name.partition(":")[0], []).append(action)
    return found


@lru_cache(maxsize=4096)
def _named(text: str, shown: str) -> tuple[IamAction, ...]:
    """The actions of a pattern that are no work of the platform's; a whole service as one, what is hidden as shown."""
    if not text.partition(":")[2].strip("*"):
        return (IamAction(shown, _EVERY, limitable=True),)
    known = expanded(text)
    if not known:
        return (IamAction(shown, UNKNOWN_LEVEL, limitable=False),)
    return tuple(one for one in known if not _OF_THE_PLATFORM.fullmatch(one.name) and not _POLLED.fullmatch(one.name))


def _is_use(action: IamAction) -> bool:
    """Whether an action works with what a resource holds, or only tells how it is set up."""
    return not _changes(action) and (use_of(action) != "manage" or action.level in {"read", "list"})


def _changes(action: IamAction) -> bool:
    if action.level in {"read", "list"}:
        return False
    verb = action.name.partition(":")[2]
    sets_up = _SETS_UP.fullmatch(verb) is not None and not (_CONTENT.fullmatch(verb) and action.level == "write")
    return action.level in {"permissions", _EVERY} or (action.level in {"write", "tagging", UNKNOWN_LEVEL} and sets_up)
