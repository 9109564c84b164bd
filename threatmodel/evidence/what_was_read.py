"""What a reader of the report should know about each file of an environment."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING

from threatmodel.evidence.analyses.alerting import own_account
from threatmodel.evidence.analyses.properties import each, read
from threatmodel.evidence.outside import SUPPLIED, outside
from threatmodel.evidence.policies.arns import account_of
from threatmodel.evidence.policies.grants import pattern
from threatmodel.evidence.secret_notes import secret_notes
from threatmodel.evidence.unmodeled import unmodeled
from threatmodel.graph.elements import FOREIGN_ACCOUNT, UNDESCRIBED_STACK, WORK_LIMIT, Read
from threatmodel.reading.problems import Place, Problem, quoted
from threatmodel.reading.values import replace
from threatmodel.stacks.joining import apart, own_name
from threatmodel.stacks.stack import Stack
from threatmodel.stacks.values import Node, shape_of

if TYPE_CHECKING:
    from threatmodel.evidence.file_statements import FileStatements

_Pair = tuple[str, str, Place]


def reads(held: FileStatements) -> Mapping[int, Read]:
    """Return what was read of each file, by its number among the model's evidence."""
    found = _Reads(held)
    return {number: found.of(label) for number, label in held.environment.labels.items()}


class _Reads:
    """The files of one environment, after their statements were made."""

    def __init__(self, held: FileStatements) -> None:
        self.held = held
        self.stack, self.lists, self.environment = held.stack, held.lists, held.environment

    def of(self, label: str) -> Read:
        """What was read of one file; what no file of the environment has is missing in the first."""
        stack = self.stack.joined.get(label, self.stack)
        first = label == next(iter(self.environment.files))
        missing = tuple(one for one in self.held.matched.missing if one[0] not in self.lists.elements.values())
        kept = {name: one for name, one in self.stack.resources.items() if self.label(name) == label}
        modelled = frozenset((*self.lists.elements, *self.held.file.element_of, *self.candidates))  # or lacking
        return Read(
            file=stack.file,
            kind=self.environment.files[label].kind,
            elements={
                element: self.own(name)
                for element, name in self.held.matched.resources.items()
                if self.label(name) == label
            },
            missing=missing if first else (),
            extra=tuple((self.own(one), kind, at) for one, kind, at in self.extra if self.file(at) == label),
            unread=tuple((one.name, one.why, one.place) for one in stack.unread),
            left_open=tuple(one for one in self.held.left_open if self.file(one.place) == label),
            notes=(
                *stack.problems,
                *self.unasked(label),
                *self.undescribed(label),
                *secret_notes(stack, self.used_secrets),
                *foreign_notes(stack),
                *self.unfinished(label, stack),
            ),
            signs=tuple(f"{what} at {place}" for what, place in self.lists.signs if self.file(place) == label),
            unused=self.pairs("unused", label),
            ungranted=self.pairs("ungranted", label),
            unmodeled=unmodeled(replace(self.stack, resources=kept), modelled),
        )

    @cached_property
    def used_secrets(self) -> frozenset[str] | None:
        """The secrets that functions use, by their own names; None if one may use others, too."""
        every = self.lists.relations.values()
        if any("secrets" in one.unknown for one in every):
            return None
        return frozenset(self.own(use.resource) for one in every for use in one.lists["secrets"])

    def label(self, name: str) -> str:
        """The label of the file that a resource is in."""
        return self.environment.own(name)[0]

    def own(self, name: str) -> str:
        """The name that its file has for a resource."""
        return self.environment.own(name)[1]

    def file(self, place: Place) -> str:
        """The label of the file that a place belongs to; of the first where that is none (the model)."""
        return self.by_file.get(place.file, next(iter(self.environment.files)))

    @cached_property
    def by_file(self) -> Mapping[str, str]:
        """The label of each file in which resources stand, templates that are nested among them."""
        found = {one.place.file: self.label(one.name) for one in self.stack.resources.values()}
        return {**found, **{stack.file: label for label, stack in self.stack.joined.items()}}

    @cached_property
    def candidates(self) -> Mapping[str, None]:
        """Functions, and what else of the files the model's functions meet."""
        functions = [name for name, kinds in self.held.file.kinds.items() if "function" in kinds]
        return dict.fromkeys((*functions, *self.lists.unread_parts))

    @property
    def extra(self) -> Iterator[_Pair]:
        """The resources that the model lacks, and the secrets that a variable of a function holds."""
        for name in self.candidates:
            if name in self.lists.elements:
                continue
            if name in self.stack.resources:
                yield name, self.held.file.kinds.get(name, ("",))[0], self.stack.resources[name].place
            elif (held := outside(name)) is not None and held.service in SUPPLIED:
                yield held.name, held.kind, self.lists.unread_parts[name][0]

    def unasked(self, label: str) -> Iterator[Problem]:
        """Parameters that a deployment gives and the file does not have."""
        known = self.stack.joined.get(label, self.stack).parameters
        for name, place in apart(self.held.opened.base, label).stated.items():
            if name not in known:
                yield Problem(
                    code="unknown-parameter", place=place, message=f"the template has no parameter {quoted(name)}"
                )

    def undescribed(self, label: str) -> Iterator[Problem]:
        """Stacks that AWS has beside the one of a file, and that no file of the evidence describes."""
        for name, place in self.held.opened.undescribed.get(label, {}).items():
            message = f"no file of the evidence describes the stack {quoted(name)}, which is deployed there"
            hint = "name its template under evidence if it is a part of this system, or describe one stack alone"
            yield Problem(code=UNDESCRIBED_STACK, place=place, message=message, hint=hint)

    def unfinished(self, label: str, stack: Stack) -> Iterator[Problem]:
        """That not all of a file was worked out, and what to do."""
        if label in self.held.limits:
            message = f"not all of it was worked out: that takes more than {self.held.limits[label]:,} operations"
            hint = "name a deployment that gives its parameters, or allow more with --work; the rest is unknown"
            yield Problem(code=WORK_LIMIT, place=Place(stack.file), message=message, hint=hint)

    def pairs(self, name: str, label: str) -> tuple[_Pair, ...]:
        """Grants without a use, or uses without a grant: the function, the resource, the line."""
        element_of = self.held.file.element_of
        return tuple(
            (element_of.get(function, self.own(function)), self.own(use.resource), use.places[0])
            for function, relations in self.lists.relations.items()
            if self.label(function) == label
            for use in getattr(relations, name)
        )


# --- data that goes to other accounts
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
