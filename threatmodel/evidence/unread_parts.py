"""What the unread parts of a file may change: nested stacks, loops, macros, custom resources, private types.

A part reaches what it gets: by a link, by a resource's own name in its text, or by the permissions of the function that
works for it.  One that only adds resources does not change the elements themselves; one that calls AWS with what it
gets may change all of it; a macro may change everything.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Collection, Iterator, Mapping, Sequence

from threatmodel.evidence.mappings.stack_facts import StackFacts
from threatmodel.evidence.policies.grants import Grant, allowing
from threatmodel.evidence.policies.iam import expanded
from threatmodel.evidence.policies.permissions import effective, held
from threatmodel.evidence.policies.work import INVOKES
from threatmodel.evidence.resource_types import known
from threatmodel.evidence.versions import OF_THE_FUNCTION, called_versions
from threatmodel.model.vocabulary import LISTS
from threatmodel.reading.problems import Place, quoted
from threatmodel.reading.values import dataclass, replace
from threatmodel.stacks.resource_schemas import is_unknown
from threatmodel.stacks.stack import Resource, Stack, Strength, Unread
from threatmodel.stacks.values import Joined, List, Node, Scalar, Table, leaves, links

_STACKS = frozenset((
    "AWS::CloudFormation::Stack",
    "AWS::CloudFormation::StackSet",
    "AWS::Serverless::Application",
    "AWS::ServiceCatalog::CloudFormationProvisionedProduct",
    "AWS::CloudFormation::StackInstances",
))  # fmt: skip
"""Types of resources that are whole stacks."""
_REGISTERED = re.compile(r"AWS::CloudFormation::(?:Hook|PublicType|Resource|Module|Type)\w+\Z")
"""Registrations of types that run third-party code at each deployment."""
_CUSTOM = re.compile(r"Custom::|AWS::CloudFormation::CustomResource\Z")
_SCRIPTS = frozenset(
    ("null_resource", "terraform_data", "external", "shell_script", "local_file", "AWS::SSM::Association")
)
_WORD = re.compile(r"[A-Za-z0-9_.-]+")
_MANY = 20_000
"""Words of a part's text that are looked through for names."""
_ALIKE: Mapping[str, tuple[str, ...]] = {
    "iam": ("iam", "lambda", "serverless"),
    "lambda": ("lambda", "serverless"),
    "cloudformation": ("",),
    "apigateway": ("apigateway", "serverless"),
    "events": ("events", "scheduler"),
}
"""The namespaces of types whose resources the actions of a service change, where they are not its own alone."""

_HAND_ON = frozenset((
    "lambda:invokeasync",
    "lambda:invokefunction",
    "lambda:invokefunctionurl",
    "execute-api:invoke",
    "events:putevents",
    "firehose:putrecord",
    "firehose:putrecordbatch",
    "kinesis:putrecord",
    "kinesis:putrecords",
    "sns:publish",
    "sqs:sendmessage",
    "states:startexecution",
    "states:startsyncexecution",
    *(f"dynamodb:{verb}item" for verb in ("batchwrite", "delete", "put", "update")),
    *("s3:putobject", "s3:deleteobject", "s3:abortmultipartupload", "sqs:deletemessage", "cloudwatch:putmetricdata"),
    *("logs:createloggroup", "logs:createlogstream", "logs:putlogevents", "logs:tagresource"),
    *("xray:puttracesegments", "xray:puttelemetryrecords"),
))  # fmt: skip
"""Actions of the level "write" on what a resource holds or hands on: none changes how a resource is set up."""

_END_THERE = frozenset(("cloudwatch", "dynamodb", "kms", "logs", "s3", "secretsmanager", "sns", "sqs", "xray"))
"""Services whose actions change only their own resources, and use no other principal's permissions."""


@dataclass(frozen=True, slots=True)
class Touch:
    """What one part may change: `elements` (None: everything), `handed` resources, and why and where.

    `spares` are facts that it leaves alone.
    """

    elements: frozenset[str] | None
    strength: Strength
    why: str
    place: Place
    handed: frozenset[str] = frozenset()
    spares: frozenset[str] = frozenset()

    def reaches(self, element: str, fact: str, stands_on: frozenset[str], *, looked_around: bool) -> bool:
        """Whether it may change a fact of an element.

        `stands_on` are the resources where the fact was read, `looked_around` that it follows from other resources.
        """
        if fact in self.spares:
            return False
        if self.elements is None or (self.strength != "adds" and not self.handed.isdisjoint(stands_on)):
            return True
        if element not in self.elements:
            return False
        return self.strength != "adds" or looked_around or fact in LISTS or fact == "role_reaches_unused"


def touches(stack: Stack, facts: StackFacts, element_of: Mapping[str, str]) -> Sequence[Touch]:
    """Return what each unread part of a stack may change."""
    parts = [one for part, alone in _parts(stack, facts) for one in _touches(part, stack, element_of, alone=alone)]
    return (*parts, *_versions(stack, facts, element_of))


def _versions(stack: Stack, facts: StackFacts, element_of: Mapping[str, str]) -> Iterator[Touch]:
    """Functions of which a version is called that this file does not describe."""
    for function, place in called_versions(stack, facts):
        if function.name in element_of:
            elements = frozenset((element_of[function.name],))
            yield Touch(elements, "changes", _OLDER, place, spares=OF_THE_FUNCTION | frozenset(LISTS))


_OLDER = "this file does not describe a version that is invoked"


class Standing:
    """Return the resource of a stack that something belongs to, by its place."""

    def __init__(self, stack: Stack) -> None:
        self._stack = stack
        self._starts: dict[str, dict[int, set[str]]] = {}
        self._taken_in: dict[str, set[str]] = {}
        self._labels = {one.file: f"{label}." for label, one in stack.joined.items()}
        included = any(one.kind == "serverless" for one in (stack, *stack.joined.values()))
        for one in stack.resources.values():
            self._starts.setdefault(one.place.file, {}).setdefault(one.place.line, set()).add(one.name)
            if included:  # a serverless.yml takes in parts of other files
                for file in _files(one.properties) - {one.place.file}:
                    self._taken_in.setdefault(file, set()).add(one.name)
        self._lines = {file: sorted(starts) for file, starts in self._starts.items()}

    def at(self, place: Place | None) -> frozenset[str]:
        """Return the resources at a place: several if one template is nested twice, or a file is included."""
        if place is None:
            return frozenset()
        if place.part:
            at = f"{self._labels.get(place.file, '')}{place.part}"
            owners = (owner for part, owner in self._stack.parts.items() if _is_below(at, part))
            return frozenset((*owners, *(name for name in self._stack.resources if _is_below(at, name))))
        found = frozenset(self._taken_in.get(place.file, ()))
        lines = self._lines.get(place.file, [])
        before = bisect_right(lines, place.line)
        return found | self._starts[place.file][lines[before - 1]] if before else found


def _files(node: Node) -> set[str]:
    """The files in which parts of a node stand."""
    found = {node.place.file}
    children = node.entries.values() if isinstance(node, Table) else node.items if isinstance(node, List) else ()
    return found.union(*map(_files, children))


def _is_below(part: str, name: str) -> bool:
    return part.startswith(name) and part[len(name) : len(name) + 1] in {"", ".", "["}


def _touches(part: Unread, stack: Stack, element_of: Mapping[str, str], *, alone: bool) -> Iterator[Touch]:
    """What a part may change; `alone` where that is what it is handed, and nothing that is connected to it."""
    why = f"{quoted(part.name)} may change it: {part.why}"
    if part.strength == "all":
        yield Touch(None, part.strength, why, part.place)
        return
    if part.strength == "template":
        yield Touch(frozenset(element_of.values()), "adds", why, part.place)
    of_itself = (element_of[name] for name in part.handed if name in element_of)
    elements = frozenset(of_itself if alone else _elements(part.handed, stack, element_of))
    yield Touch(elements, "adds" if part.strength == "adds" else "changes", why, part.place, part.handed)


def _elements(handed: frozenset[str], stack: Stack, element_of: Mapping[str, str]) -> Iterator[str]:
    """The elements whose resource is handed over, or one that it refers to or that refers to it: a role, an alias."""
    for name, element in element_of.items():
        resource = stack.resources.get(name)
        about: set[str] = set() if resource is None else {link.resource for link in links(resource.properties)}
        if name in handed or not handed.isdisjoint(about):
            yield element
    for name in handed:
        resource = stack.resources.get(name)
        parts = () if resource is None else (resource.made_by, *(link.resource for link in links(resource.properties)))
        yield from (element_of[one] for one in parts if one in element_of)
        if resource is None:  # made by a transform: a role is called after its function
            yield from (element for one, element in element_of.items() if name.startswith(one))


def _parts(stack: Stack, facts: StackFacts) -> Iterator[tuple[Unread, bool]]:
    """Yield each unread part, and whether it changes only what it gets.

    That is so of a custom resource whose function's rights say what it may change, unless another part may add to them,
    and of what is no resource: a plugin's documentation says what it changes.
    """
    loose = list(_handed_over(stack))
    by_name = {part.name: part for part in loose}
    rights = {name: found for name in by_name if (found := _rights(name, stack, facts)) is not None}
    others = frozenset(
        one
        for part in loose
        if (found := rights.get(part.name)) is None or not found.whole
        for one in part.handed | (found.named if found is not None else frozenset())
    )
    for part in loose:
        found = rights.get(part.name)
        if found is None:
            yield part, part.name not in stack.resources
            continue
        ends = found.whole and others.isdisjoint(found.held_by)
        handed = part.handed & frozenset(_of_services(found.services, stack)) if ends else part.handed
        yield replace(part, handed=handed | found.named), ends


def _handed_over(stack: Stack) -> Iterator[Unread]:
    """Yield each unread part, with the resources that it gets by a link or by name."""
    named = {text: found[:1] for text, found in own_names(stack).items()}
    for one in stack.unread:
        resource = stack.resources.get(one.name)
        if resource is not None and resource.type in _STACKS:
            yield replace(one, strength="adds", handed=handed_to(resource.properties, named))
        else:
            yield one
    for resource in stack.resources.values():
        found = acting(resource)
        if found is not None and resource.name not in {one.name for one in stack.unread}:
            strength, why = found
            handed = handed_to(resource.properties, named)
            yield Unread(name=resource.name, why=why, place=resource.place, strength=strength, handed=handed)
        if resource.opaque is not None:  # what adds properties is given those that are there, and may change them
            own = frozenset((resource.name,))
            opaque = resource.opaque
            yield Unread(name=resource.name, why=opaque.why, place=opaque.place, strength="changes", handed=own)


def acting(resource: Resource) -> tuple[Strength, str] | None:
    """What a resource does that no file tells, and in words."""
    kind = resource.type
    if kind in _STACKS:
        return "adds", "the resources of a nested stack are in another file"
    if _CUSTOM.match(kind):
        return "changes", "a custom resource runs code on its input"
    if _REGISTERED.match(kind):
        return "changes", "it registers third-party code, which runs at each deployment"
    if kind == "AWS::Lambda::Invocation":
        return "changes", "it calls a function, which may change its input with its own permissions"
    if kind in _SCRIPTS:
        return "changes", "it may run a script on its input"
    if is_unknown(resource):
        return "changes", f"the type {quoted(resource.type_in_file)} is unknown"
    return None


def own_names(stack: Stack) -> Mapping[str, Sequence[str]]:
    """Resources by the texts that mean them: their logical ids, and the names that they give themselves."""
    found = {name: [name] for name in stack.resources}
    for resource in stack.resources.values():
        for key, node in resource.properties.entries.items():
            if key.lower().endswith("name") and isinstance(node, Scalar) and isinstance(node.value, str):
                found.setdefault(node.value, []).append(resource.name)
    return found


def handed_to(node: Node, named: Mapping[str, Sequence[str]]) -> frozenset[str]:
    """The resources that a node refers to, or names in a text; not the function that works for a custom resource."""
    entries = node.entries if isinstance(node, Table) else {}
    parts = [child for key, child in entries.items() if key != "ServiceToken"]
    by_link = {link.resource for part in parts for link in links(part)}
    words = [word for part in parts for word in _words(part)][:_MANY]
    return frozenset(by_link.union(*(named[word] for word in words if word in named)))


def _words(node: Node) -> Iterator[str]:
    for leaf in leaves(node):
        match leaf:
            case Scalar(value=str() as value):
                yield from _WORD.findall(value)
            case Joined(parts=parts):
                yield from (word for part in parts if isinstance(part, str) for word in _WORD.findall(part))


# --- the rights of a custom resource's function


@dataclass(frozen=True, slots=True)
class _Rights:
    """What the function behind a custom resource may change: `named` resources, and all of some `services`.

    `whole` says that it is all: its rights are known, end in these services, and lead to no others.  `held_by` are the
    function and its role.
    """

    named: frozenset[str]
    services: frozenset[str]
    whole: bool
    held_by: frozenset[str]


def _rights(name: str, stack: Stack, facts: StackFacts) -> _Rights | None:
    """Return the permissions of the function behind a custom resource; None if it is in another file."""
    resource = stack.resources.get(name)
    if resource is None or not _CUSTOM.match(resource.type):
        return None
    function = stack.target(resource.properties.entries.get("ServiceToken"))
    if function is None:
        return None
    named: set[str] = set()
    services: set[str] = set()
    held_by: set[str] = set()
    whole = not resource.opaque
    working = [function]
    for one in working:  # it grows by the functions that one may call, which work for the custom resource, too
        policies = facts.gathered("function", "role-policies", one)
        found = held(policies, one, stack)
        for grant in allowing(found):
            named |= _changed(grant, stack)
            services |= _services(grant)
            working += [called for called in _called(grant, stack) if called not in working]
        whole = whole and bool(policies) and not (one.opaque or effective(found).unknown)
        held_by |= {link.resource for link in links(one.properties.entries.get("Role"))} or {f"{one.name}Role"}
    names = {one.name for one in working}
    return _Rights(
        named=frozenset(named - names),
        services=frozenset(services),
        whole=whole and services <= _END_THERE,
        held_by=frozenset(names | held_by),
    )


def _called(grant: Grant, stack: Stack) -> Iterator[Resource]:
    """The functions that a statement names and lets a principal call."""
    if any(one.name.lower() in INVOKES for action in grant.actions for one in expanded(action.text)):
        for link in (link for pattern in grant.resources for link in pattern.links):
            if stack.type_of(link.resource) in _FUNCTIONS and link.resource in stack.resources:
                yield stack.resources[link.resource]


_FUNCTIONS = frozenset(("AWS::Lambda::Function", "AWS::Serverless::Function"))


def _changed(grant: Grant, stack: Stack) -> set[str]:
    """Return the resources that a statement lets a principal change."""
    services = _services(grant)
    if not services:
        return set()
    by_link = {link.resource for pattern in grant.resources for link in pattern.links}
    wide = grant.but_resources or any(not pattern.links for pattern in grant.resources)
    return by_link | (set(_of_services(services, stack)) if wide else set())


def _services(grant: Grant) -> set[str]:
    """Return the services in which a statement lets a principal change something ('' for all)."""
    if grant.but_actions or not grant.actions:
        return {""}
    return {service for action in grant.actions for service in _changing(action.text, known=action.open is None)}


def _changing(action: str, *, known: bool) -> Iterator[str]:
    """The services that a pattern of actions changes something of ('' for all)."""
    if not known or action in {"*", "*:*"}:
        yield ""
        return
    found = expanded(action)
    levels = {one.level for one in found if one.name.lower() not in _HAND_ON}
    if not found or not levels.isdisjoint(("write", "permissions", "tagging")):
        yield action.partition(":")[0]


def _of_services(services: Collection[str], stack: Stack) -> Iterator[str]:
    """The resources of some services, and the roles that a transform makes of functions."""
    spaces = {space for service in services for space in _ALIKE.get(service, (service,))}
    for name, resource in stack.resources.items():
        own = resource.type.lower().split("::")[1:2]  # iam of AWS::IAM::Role
        if "" in spaces or not spaces.isdisjoint((*own, *known(resource.type).services)):
            yield name
