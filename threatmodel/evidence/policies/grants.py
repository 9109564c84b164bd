"""Policy documents as statements: what each allows or denies to which principals, with its place and its unknowns.

A document is a table, or JSON text (plain, encoded as in a URL, or joined with links inside).  Nothing is decided here:
a statement under a condition, an action that a parameter without default gives and an effect that is neither Allow nor
Deny stay unknown, each with why.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from typing import NamedTuple

from threatmodel.evidence.answers import Answer, Gathered, doubt_of, doubted, one_of, opposite, unknown
from threatmodel.evidence.policies.iam import LONGEST_RESOURCE, every_action, glob, managed_policies, searched
from threatmodel.evidence.policies.written import as_nodes, parsed
from threatmodel.evidence.resource_types import known
from threatmodel.reading.problems import Place
from threatmodel.stacks.sam.policies import document as sam_document
from threatmodel.stacks.stack import Resource, Stack
from threatmodel.stacks.values import (
    DYNAMIC,
    Joined,
    Link,
    Node,
    Scalar,
    Table,
    Unknown,
    is_set,
    items,
    mark,
    shape_of,
    spelling,
    text,
)
from threatmodel.stacks.work import CHARACTERS

MARK = re.compile("\x00[^\x01]*\x01")
"""What is unknown in the text of a pattern, with the names of the parameters that would give it."""

TOKEN = re.compile(r"\$\{[^{}]*\}")
"""A variable in a text: a link, or one of AWS's own such as ``${AWS::Region}``."""


class Pattern(NamedTuple):
    """A text of a statement: links are written as ``${Name.Attribute}``; `open` is what is unknown (marked in `text`).

    `given` names the parameters that supplied it: such a text is never shown, but `spelt` may be, in which their marked
    names stand for what they give.
    """

    text: str
    place: Place
    open: Unknown | None = None
    given: tuple[str, ...] = ()
    links: tuple[Link, ...] = ()
    spelt: str = ""

    @property
    def shown(self) -> str:
        """The text as a reader may see it: what is unknown as ``*``, and nothing that a parameter gave."""
        if self.given:
            return "".join(f"${{{name}}}" for name in self.given)
        return MARK.sub("*", self.text)

    def fits(self, name: str) -> bool | None:
        """Return whether it covers a text; None if that depends on an unknown."""
        if len(self.text) > LONGEST_RESOURCE:
            return None
        if self.open is None:
            return glob(self.text).fullmatch(name) is not None
        return None if glob(MARK.sub("*", self.text)).fullmatch(name) else False


class Principal(NamedTuple):
    """Who a statement is about: `kind` is AWS, Service, Federated, CanonicalUser or `*`."""

    kind: str
    pattern: Pattern


class ConditionKey(NamedTuple):
    """One key of a condition, in small letters like its operator; `open` where more than single values is unknown."""

    operator: str
    key: str
    values: tuple[Pattern, ...]
    place: Place
    open: Unknown | None = None


class Grant(NamedTuple):
    """One statement.

    `effect` is Allow, Deny, or '' where it is unknown; `open` says why something about the statement as a whole is
    unknown: with no actions, all of it is; else its effect, or whether it exists.  `actions` are in small letters;
    `but_actions`, `but_resources` and `but_principals` turn a list into all but what it holds (NotAction ...).
    `source` is the name of the AWS policy that it comes from.
    """

    effect: str
    actions: tuple[Pattern, ...]
    resources: tuple[Pattern, ...]
    principals: tuple[Principal, ...]
    conditions: tuple[ConditionKey, ...]
    place: Place
    but_actions: bool = False
    but_resources: bool = False
    but_principals: bool = False
    open: Unknown | None = None
    source: str = ""

    def covers(self, action: str) -> bool | None:
        """Whether the statement is about an action (in small letters)."""
        found = one_of([pattern.fits(action) for pattern in self.actions])
        if not self.actions:
            return None
        return opposite(found) if self.but_actions else found

    def says(self, answer: Answer) -> Answer:
        """Return what it answers: unknown where nothing of it can be read, in doubt where it may not exist."""
        return unknown(self.open) if self.open is not None and not self.actions else doubted(answer, self.open)

    @property
    def about(self) -> str:
        """Where the statement comes from, as a note begins."""
        return self.source or "a statement"

    def at(self, found: Pattern | ConditionKey) -> Place:
        """The place of a part: of an AWS policy, where it is attached."""
        return self.place if self.source else found.place


# --- documents


def statements(node: Node | None) -> tuple[Grant, ...]:
    """The statements of a policy document."""
    return tuple(_statements(node)) if node is not None else ()


def _statements(node: Node) -> Iterator[Grant]:
    node = parsed(node)
    if not isinstance(node, Table):
        yield _unread(node, "it is not a policy document")
        return
    entries = {name.lower(): child for name, child in node.entries.items()}
    if "statement" not in entries:
        yield _unread(node, "the policy document has no Statement")
    for one in items(entries.get("statement")):
        yield statement(one)


def _unread(node: Node, why: str) -> Grant:
    unknown = node if isinstance(node, Unknown) else Unknown(why, node.place)
    return Grant("", (), (), (), (), node.place, open=unknown)


def statement(node: Node) -> Grant:
    """One statement."""
    if not isinstance(node, Table):
        return _unread(node, "it is not a statement")
    entries = {name.lower(): child for name, child in node.entries.items()}
    effect = entries.get("effect")
    stated = text(effect)
    unknown = None
    if stated not in {"Allow", "Deny"}:
        at = effect.place if effect is not None else node.place
        unknown = effect if isinstance(effect, Unknown) else Unknown("the statement's effect is unknown", at)
    actions, but_actions = _list(entries, "action", "notaction")
    resources, but_resources = _list(entries, "resource", "notresource")
    return Grant(
        effect="" if unknown else stated or "",
        actions=tuple(_lowered(pattern(one)) for one in actions),
        resources=tuple(pattern(one) for one in resources),
        principals=tuple(_principals(entries.get("principal", entries.get("notprincipal")))),
        conditions=tuple(_conditions(entries.get("condition"))),
        place=node.place,
        but_actions=but_actions,
        but_resources=but_resources,
        but_principals="principal" not in entries and "notprincipal" in entries,
        open=unknown,
    )


_OF_A_PERMISSION = (
    ("SourceArn", "arnlike", "aws:sourcearn"),
    ("SourceAccount", "stringequals", "aws:sourceaccount"),
    ("PrincipalOrgID", "stringlike", "aws:principalorgid"),
    ("EventSourceToken", "stringequals", "lambda:eventsourcetoken"),
)
"""The conditions that Lambda writes for the properties of a permission."""
_SERVICE = re.compile(r"[\w.${}:-]+\.(amazonaws|amazon)\.com(\.cn)?|[\w.-]+\.\$\{AWS::URLSuffix\}")


def permission(node: Node) -> Grant:
    """A permission to invoke a function (AWS::Lambda::Permission), as the statement that Lambda writes for it."""
    if not isinstance(node, Table):
        return _unread(node, "it cannot be read")
    who = pattern(node.entries.get("Principal") or Unknown("the permission names no principal", node.place))
    kind = "*" if who.text == "*" else "Service" if _SERVICE.fullmatch(who.text) else "" if who.open else "AWS"
    values = [(node.entries.get(name), operator, key) for name, operator, key in _OF_A_PERMISSION]
    conditions = [
        ConditionKey(operator, key, (pattern(value),), value.place, value if isinstance(value, Unknown) else None)
        for value, operator, key in values
        if value is not None and is_set(value)
    ]
    actions = tuple(_lowered(pattern(one)) for one in items(node.entries.get("Action")))
    return Grant("Allow", actions, (), (Principal(kind, who),), tuple(conditions), node.place, source=PERMISSION)


PERMISSION = "a permission"
"""What a statement is called that a permission is."""


def _list(entries: dict[str, Node], name: str, but: str) -> tuple[tuple[Node, ...], bool]:
    return (items(entries[but]), True) if name not in entries and but in entries else (items(entries.get(name)), False)


def _lowered(found: Pattern) -> Pattern:
    return found._replace(text=found.text.lower())


def pattern(node: Node) -> Pattern:
    """A node as a statement's text."""
    found = _pattern(node)
    if "{{resolve:" not in found.text:
        return found
    read = Unknown("it is read from another store at deployment", found.place)
    return found._replace(text=DYNAMIC.sub(mark(()), found.text), open=found.open or read)


def _pattern(node: Node) -> Pattern:
    match node:
        case Scalar(value=str() as value, place=place, given=given):
            return Pattern(value, place, given=given, spelt=spelling(node))
        case Scalar(value=value, place=place, given=given) if value is not None:
            return Pattern(str(value).lower(), place, given=given)
        case Link(place=place):
            return Pattern(shape_of(node), place, links=(node,))
        case Joined(parts=parts, place=place, given=given):
            unknown = next((part for part in parts if isinstance(part, Unknown)), None)
            found = tuple(part for part in parts if isinstance(part, Link))
            return Pattern("".join(_part(part) for part in parts), place, unknown, given, found, spelling(node))
        case Unknown(place=place):
            return Pattern(_part(node), place, node, spelt=spelling(node))
        case _:
            return Pattern(_part(Unknown("", node.place)), node.place, Unknown("it is not a string", node.place))


def _part(part: str | Link | Unknown) -> str:
    if isinstance(part, Unknown):
        return mark(part.given)
    return part if isinstance(part, str) else shape_of(part)


def _principals(node: Node | None) -> Iterator[Principal]:
    by_kind = node.entries if isinstance(node, Table) else {} if node is None else {"AWS": node}
    for kind, child in by_kind.items():
        for found in map(pattern, items(child)):
            yield Principal("*" if found.text == "*" else kind, found)


def _conditions(node: Node | None) -> Iterator[ConditionKey]:
    match node:
        case None:
            return
        case Table(entries=entries):
            for operator, child in entries.items():
                if not isinstance(child, Table):
                    yield ConditionKey(operator.lower(), "", (), child.place, _why(child))
                    continue
                for key, values in child.entries.items():
                    found = tuple(pattern(one) for one in items(values))
                    unknown = values if isinstance(values, Unknown) else None
                    yield ConditionKey(operator.lower(), key.lower(), found, values.place, unknown)
        case _:
            yield ConditionKey("", "", (), node.place, _why(node))


def _why(node: Node) -> Unknown:
    return node if isinstance(node, Unknown) else Unknown("the condition cannot be read", node.place)


# --- what takes much work


def within_work(found: Sequence[Grant], stack: Stack) -> tuple[Grant, ...]:
    """The statements, with those that take more than the work of the stack as ones that cannot be read.

    First comes what allows all but some actions, then what takes least: many statements hide none that is plain.
    """
    kept = list(found)
    count = [takes(grant, stack) for grant in found]
    for at in sorted(range(len(found)), key=lambda at: (not found[at].but_actions, count[at])):
        if not stack.work.characters(count[at]):
            kept[at] = _unread(Table({}, found[at].place, {}), stack.work.why)
    return tuple(kept)


def takes(grant: Grant, stack: Stack) -> int:
    """How many actions of the table and names of resources the texts of a statement are held against."""
    actions = sum(searched(one.text) for one in grant.actions) + (2 * every_action() if grant.but_actions else 0)
    texts = sum(1 for one in grant.resources if not one.links and one.text.strip("*"))
    if not texts:
        return actions
    counted = stack.once(
        "resources by service",
        lambda: Counter(service for _, kind in stack.types() for service in known(kind).services),
    )
    services = {one.text.partition(":")[0] for one in grant.actions}
    wide = grant.but_actions or any(set(service) & set("*?\x00") for service in services)
    names = sum(counted.values() if wide else (counted[one] for one in services if one in counted))
    return actions + texts * names * CHARACTERS


# --- what was gathered

_DOCUMENTS = ("policy", "identity-policy", "trust", "guardrail")


def aws_policy_name(found: Pattern) -> str:
    """The name of AWS's own policy that a text names, by its ARN or alone, or ''."""
    if found.open is not None or found.links:
        return ""
    if re.fullmatch(r"[\w+=,.@-]+", found.text):
        return found.text
    arn = re.fullmatch(r"arn:[^:]+:iam::aws:policy/(?:[\w/-]*/)?([\w+=,.@-]+)", TOKEN.sub("aws", found.text))
    return arn.group(1) if arn else ""


def grants(parts: Sequence[Gathered], element: Resource, stack: Stack) -> tuple[Grant, ...]:
    """Every statement that was gathered for an element, AWS's own policies and SAM's templates included.

    An unknown policy at the place of one that is attached by name is the same policy, and its name says more.  A
    statement of a resource that may not exist is open, unless the element exists with it only.  One that exceeds the
    stack's work is as one that cannot be read.
    """
    return stack.reads.once(parts, ("grants", element.name), lambda: within_work(_every(parts, element, stack), stack))


def _every(parts: Sequence[Gathered], element: Resource, stack: Stack) -> Sequence[Grant]:
    named = {part.node.place for part in parts if part.part == "managed"}
    found: list[Grant] = []
    for part in parts:
        if part.part in _DOCUMENTS:
            if not (isinstance(part.node, Unknown) and part.node.place in named):
                found += in_doubt(statements(part.node), doubt_of(part.resource, element))
        elif part.part == "permission":
            found += in_doubt([permission(part.node)], part.resource.doubt)
        elif part.part == "managed":
            found += in_doubt(attached(part.node, stack), doubt_of(part.resource, element))
        elif part.part == "sam" and "Role" not in element.properties.entries:
            for one in items(part.node):
                found += _sam(one, stack)
    return found


def in_doubt(found: Iterable[Grant], doubt: Unknown | None) -> tuple[Grant, ...]:
    """Return the statements of a policy whose existence depends on something."""
    return tuple(grant if grant.open or doubt is None else grant._replace(open=doubt) for grant in found)


def _sam(node: Node, stack: Stack) -> Sequence[Grant]:
    if isinstance(node, Table):
        found = statements(sam_document(node))
        name = next(iter(node.entries), "")
        return [grant if grant.open or "Statement" in node.entries else grant._replace(source=name) for grant in found]
    return attached(node, stack, follow=True)


def attached(node: Node, stack: Stack, *, follow: bool = False) -> tuple[Grant, ...]:
    """What a policy allows that is attached by ARN or name; `follow` also to a policy of this file."""
    target = stack.target(node)
    if target is not None and target.type == "AWS::IAM::ManagedPolicy":
        document = target.properties.entries.get("PolicyDocument")
        return in_doubt(statements(document), target.doubt) if follow else ()
    if isinstance(node, Unknown):
        return (_unread(node, ""),)
    name = aws_policy_name(pattern(node))
    if name not in managed_policies():
        return (_unread(node, "it is unknown what this managed policy allows"),)
    return tuple(grant._replace(place=node.place, source=name) for grant in _of_aws(name))


@cache
def _of_aws(name: str) -> tuple[Grant, ...]:
    """The statements of one of AWS's own policies, read once; who attaches it is their place."""
    return statements(as_nodes({"Statement": managed_policies()[name]["statements"]}, Place("AWS")))


def allowing(found: Sequence[Grant]) -> Iterator[Grant]:
    """The statements that allow something, or may."""
    return (grant for grant in found if grant.effect != "Deny")
