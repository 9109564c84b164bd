"""The normal form of infrastructure code: resources by name, with resolved properties, whatever file they come from."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from typing import Literal, NamedTuple, TypeVar

from threatmodel.reading.problems import Place, Problem
from threatmodel.reading.values import dataclass, field, replace
from threatmodel.stacks.assumed import PlainValue
from threatmodel.stacks.reads import Reads
from threatmodel.stacks.values import ALWAYS, Link, Node, Table, Unknown, choices_of, links
from threatmodel.stacks.work import Work

ELSEWHERE = "::Elsewhere"
"""How the type ends of what a file says of a resource outside it: the properties are those of that resource."""

MADE_OF: Mapping[str, str] = {
    "AWS::Serverless::Api": "AWS::ApiGateway::RestApi",
    "AWS::Serverless::Function": "AWS::Lambda::Function",
    "AWS::Serverless::HttpApi": "AWS::ApiGatewayV2::Api",
    "AWS::Serverless::SimpleTable": "AWS::DynamoDB::Table",
    "AWS::Serverless::StateMachine": "AWS::StepFunctions::StateMachine",
}
"""SAM's types, with those of the resources that are made of them."""
_T = TypeVar("_T")

UNKNOWN = "Unknown::"
"""How the type begins of what a plan has and no table."""

Strength = Literal["adds", "changes", "template", "all"]
"""What a part that cannot be read may do to the rest."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Resource:
    """One resource.

    `name` is its logical id (Terraform: its address), `type` in CloudFormation's words, `written` the type that the
    file has, where that is another (aws_lambda_function), `made_by` the resource that a transform made it of ('' where
    it is in the file), `doubt` what its very existence depends on (a condition; `usual`: whether defaults make it),
    `opaque` why there may be other properties than these (all are under a condition, or a file is included): while it
    is set, no property is left out.  `about` has its other keys, resolved (Metadata, DeletionPolicy ...).  `polls` is
    the service of AWS that an event of a transform polls, which its ARN need not tell ('' where none is known).
    `shaped` are the choices of a deployment that a transform looked at before it made or changed the resource.
    """

    name: str
    type: str
    properties: Table
    place: Place
    made_by: str = ""
    doubt: Unknown | None = None
    opaque: Unknown | None = None
    about: Mapping[str, Node] | None = None
    polls: str = ""
    shaped: frozenset[str] = ALWAYS
    written: str = ""

    @property
    def type_in_file(self) -> str:
        """The type as the author of the file wrote it, for messages."""
        return self.written or self.type


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """What is asked for at deployment: its name, the type that it declares, and whether its value is hidden (NoEcho).

    `value` is its default; an Unknown without one, and where the value is read from elsewhere (AWS::SSM::Parameter...).
    `allowed` are the only values that it may take (none listed: any), `least` and `most` the bounds of a number.
    `stated` is where a deployment's own value is, which then is the value; `stored` the name under which the
    Parameter Store has it, where it is read from there and has one by default.
    """

    name: str
    type: str
    hidden: bool
    value: Node
    place: Place
    allowed: tuple[PlainValue, ...] = ()
    least: float | None = None
    most: float | None = None
    stated: Place | None = None
    stored: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Unread:
    """A part of the file that cannot be read for what it makes (a nested stack, a loop): its name, and why in words.

    `strength` says what it may do: 'adds' resources beside these, which may refer to what it is `handed`; 'changes'
    what it is handed, in any way; 'all': change everything.  `handed` are names of resources of this file.  One that
    may change all of one 'template' among several is handed that, and may add to what is in the others, whose names it
    may know.
    """

    name: str
    why: str
    place: Place
    strength: Strength = "all"
    handed: frozenset[str] = frozenset()

    def of_template(self, resources: Iterable[str]) -> Unread:
        """The part of a template with these resources as one among several."""
        if self.strength != "all":
            return self
        return replace(self, strength="template", handed=frozenset(resources))


class Choice(NamedTuple):
    """A condition that may hold or not; where it holds (does not, where not `equal`), the parameter has the value."""

    condition: str
    parameter: str = ""
    value: PlainValue = ""
    equal: bool = True


class Export(NamedTuple):
    """A value that other stacks may import: the name that it has for them, and the doubt of whether it is there."""

    name: Node | None
    value: Node
    doubt: Unknown | None = None


class Nested(NamedTuple):
    """A nested stack whose template was read: its name, the template's file, and where it is nested."""

    name: str
    file: str
    place: Place


class Home(NamedTuple):
    """The account and the Region in which something is deployed."""

    account: str
    region: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Stack:
    """One file of infrastructure code, resolved.

    `kind` is cloudformation, serverless or terraform; `parameters` are those that a node's `given` names; `undecided`
    are conditions that may hold or not; `exports` are values that other stacks may import, `outputs` those that a
    template which nests this one may use; `nested` are the nested stacks whose resources are here too, each under
    ``<nested stack>.<name>``; `beside` is what else the file spells (mappings, defaults, notes), as it is; `hidden`
    are the nested stacks' parameters that hide what they are handed (NoEcho), by the name that a node's `given` has;
    `parts` are resources of the file that are properties of another one here, by their names, with that one's;
    `looked_up` are the types of what links lead to and the file only looks up;
    `problems` are what its author should know (a duplicate key); `unread` says what may hold more resources than these:
    while there is any, nothing can be said to be absent elsewhere than on a resource that is here.  `title` is what the
    file calls itself, '' where it does not; `description` what it says of itself.  `shaped` are the choices of a
    deployment that decide which resources a transform makes; `reads` records what is read of a stack that `tracked`
    gave, and keeps what was computed `once`.  `deployed`: the file is what was deployed, as AWS or a state has it,
    in `home` if it says where; `outdated` says why it is not what is deployed now.
    `joined` are the stacks, by label, that one of a whole environment is made of, and `work` is how much may be worked
    out of it.
    """

    file: str
    kind: str
    resources: Mapping[str, Resource]
    title: str = ""
    description: Node | None = None
    unread: tuple[Unread, ...] = ()
    problems: tuple[Problem, ...] = ()
    parameters: Mapping[str, Parameter] = field(default_factory=dict)
    undecided: tuple[Choice, ...] = ()
    exports: tuple[Export, ...] = ()
    outputs: Mapping[str, Node] = field(default_factory=dict)
    nested: tuple[Nested, ...] = ()
    beside: tuple[Node, ...] = ()
    hidden: Mapping[str, Parameter] = field(default_factory=dict)
    shaped: frozenset[str] = ALWAYS
    reads: Reads = field(default_factory=Reads, compare=False, repr=False)
    parts: Mapping[str, str] = field(default_factory=dict)
    joined: Mapping[str, Stack] = field(default_factory=dict)
    looked_up: Mapping[str, str] = field(default_factory=dict)
    deployed: bool = False
    home: Home | None = None
    outdated: str = ""
    work: Work = field(default_factory=Work, compare=False, repr=False)

    def of_type(self, *types: str) -> Iterator[Resource]:
        """The resources of some types, in the file's order."""
        return (resource for resource in self.resources.values() if resource.type in types)

    def types(self) -> Iterator[tuple[str, str]]:
        """The type of each resource that may be there, by name."""
        return ((name, resource.type) for name, resource in self.resources.items())

    def type_of(self, name: str) -> str:
        """The type of what a link leads to: a resource, or what the file only looks up; '' where it is unknown."""
        resource = self.resources.get(name)
        return self.looked_up.get(name, "") if resource is None else resource.type

    def exported(self) -> tuple[Node, ...]:
        """The values that other stacks may import."""
        found = tuple(one.value for one in self.exports)
        self.reads.note(choices_of(*found))
        return found

    def regardless(self) -> Stack:
        """Return the stack as one of which it is not recorded which resources were looked for."""
        return self

    def once(self, key: Hashable, work: Callable[[], _T]) -> _T:
        """Return what some work on this very stack gave the first time."""
        return self.reads.once(self, key, work)

    def target(self, node: Node | None) -> Resource | None:
        """The one resource that a node refers to: by a link, or by a text with exactly one resource in it."""
        found = {link.resource: link for link in links(node)}
        return self.resources.get(next(iter(found))) if len(found) == 1 else None


def follows(node: Node | None, stack: Stack) -> tuple[Resource, ...]:
    """Every resource that a node refers to, in order."""
    names: dict[str, Link] = {}
    for link in links(node):
        names.setdefault(link.resource, link)
    return tuple(stack.resources[name] for name in names if name in stack.resources)
