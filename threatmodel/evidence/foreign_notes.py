"""Where resources send logs, events, records or copies to an account that a file names by its number."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from threatmodel.evidence.analyses.alerting import own_account
from threatmodel.evidence.analyses.properties import each, read
from threatmodel.evidence.policies.arns import account_of
from threatmodel.evidence.policies.grants import pattern
from threatmodel.graph.elements import FOREIGN_ACCOUNT
from threatmodel.reading.problems import Problem, quoted
from threatmodel.stacks.joining import own_name
from threatmodel.stacks.stack import Stack
from threatmodel.stacks.values import Node, shape_of

_SENDS_TO: Mapping[str, Sequence[str]] = {
    "AWS::DynamoDB::Table": ("KinesisStreamSpecification.StreamArn",),
    "AWS::Events::Rule": ("Targets.Arn",),
    "AWS::Lambda::EventInvokeConfig": (
        "DestinationConfig.OnFailure.Destination",
        "DestinationConfig.OnSuccess.Destination",
    ),
    "AWS::Lambda::Function": ("DeadLetterConfig.TargetArn",),
    "AWS::Logs::SubscriptionFilter": ("DestinationArn",),
    "AWS::Pipes::Pipe": ("Target",),
    "AWS::S3::Bucket": ("ReplicationConfiguration.Rules.Destination.Account",),
    "AWS::SNS::Subscription": ("Endpoint",),
}
"""The properties that say where data goes, by type."""
_NUMBER = re.compile(r"\d{12}")


def foreign_notes(stack: Stack) -> Iterator[Problem]:
    """Yield where data goes to an account that is named by its number and is not known to be the system's own."""
    for resource in stack.resources.values():
        for path in _SENDS_TO.get(resource.type, ()):
            for node in _at(resource.properties, path.split(".")):
                account = account_of(pattern(node)) or shape_of(node)
                if _NUMBER.fullmatch(account) and not own_account(account, stack):
                    owner = quoted(own_name(resource.name, stack.joined)[1])
                    message = f"{owner} sends data to the AWS account {account}, which the file names by its number"
                    hint = "check who owns the account; name your own one with AWS::AccountId"
                    yield Problem(code=FOREIGN_ACCOUNT, place=node.place, message=message, hint=hint)


def _at(node: Node | None, path: Sequence[str]) -> Iterator[Node]:
    """Yield what is at a path, in each item of the lists on the way."""
    for one in each(node):
        if not path:
            yield one
        else:
            yield from _at(read(one, path[0]), path[1:])
