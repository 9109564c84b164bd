"""Which resource of a stack a value names: by a link, through an intermediate resource, or by its own name."""

from __future__ import annotations

import re
from typing import NamedTuple

from threatmodel.evidence.analyses.properties import read
from threatmodel.evidence.mappings.stack_facts import StackFacts
from threatmodel.evidence.outside import Outside, outside
from threatmodel.evidence.policies.arns import Targets, arn_parts, spelt
from threatmodel.evidence.policies.grants import MARK, pattern
from threatmodel.evidence.resource_types import known
from threatmodel.stacks.stack import Resource, Stack
from threatmodel.stacks.values import DYNAMIC, Node, Scalar, Unknown, links, shape_of, unknowns

ROLE_OWN_NAME = "RoleName"
_FUNCTION_OWN_NAME = "FunctionName"
_A_TEXT = ("",)
_TOKEN = r"\$\{[^{}]*\}"  # noqa: S105 - a variable in a text, no secret
_CALLED = re.compile(rf"(?:.*:function:)?((?:{_TOKEN}|[A-Za-z0-9_-])+)(?::(?:{_TOKEN}|[A-Za-z0-9_$-])+)?\Z", re.DOTALL)
_INVOKED = re.compile(r"(?>.*?:path/[^/]*/functions/)(.*)/invocations\Z", re.DOTALL)
_NO_FUNCTION = re.compile(
    r"https?://|arn:.*:apigateway:.*?:(?!lambda:)(?:[a-z0-9-]+\.)?(?!lambda:)[a-z0-9-]+:(?:path|action)/"
)
"""How addresses of integrations begin that lead to a host, or to a service other than Lambda."""
_LONGEST_TEXT = 2048
_FARTHEST = 5
"""Resources that one may stand for in turn."""


class Called(NamedTuple):
    """The functions that a value names, and what of it is unknown."""

    functions: tuple[str, ...]
    open: Unknown | None = None


def kinds_of(kind: str, facts: StackFacts) -> tuple[str, ...]:
    """Which kinds of element a type of resource can be, or that it is drawn as a service of AWS."""
    return facts.kinds_of_type(kind) or (("external system",) if known(kind).service else ())


class Names:
    """The functions and other elements of a stack, found by what names them."""

    def __init__(self, stack: Stack, facts: StackFacts) -> None:
        self.stack = stack
        self.targets = Targets(stack)
        self.kinds: dict[str, tuple[str, ...]] = {}
        self.functions: dict[str, Resource] = {}
        self._open_names = False
        self.by_name: dict[tuple[str, tuple[str, ...]], list[str]] = {}
        by_type: dict[str, tuple[str, ...]] = {}
        for name, resource in stack.resources.items():
            kinds = by_type.get(resource.type)
            if kinds is None:
                kinds = by_type[resource.type] = kinds_of(resource.type, facts)
            if kinds:
                self._know(name, resource, kinds)
        self._aliases: dict[str, str] = {}
        self._hidden: dict[str, Unknown] = {}
        for name, resource in stack.resources.items():
            if known(resource.type).stands_for:
                meant = self._aliases[name] = self._stands_for(resource)
                hidden = (
                    None
                    if meant
                    else open_in(read(resource.properties, known(resource.type).stands_for) or resource.opaque)
                )
                if hidden is not None:
                    self._hidden[name] = hidden

    def _know(self, name: str, resource: Resource, kinds: tuple[str, ...]) -> None:
        self.kinds[name] = kinds
        if "function" in kinds:
            self.functions[name] = resource
            self._open_names |= open_in(read(resource.properties, _FUNCTION_OWN_NAME)) is not None
        property_ = known(resource.type).own_name
        key = spelt(read(resource.properties, property_)) if property_ else None
        if key is not None:
            self.by_name.setdefault(key, []).append(name)

    def _stands_for(self, resource: Resource) -> str:
        """The name of the element that a resource stands for, or ''."""
        for _ in range(_FARTHEST):
            node = read(resource.properties, known(resource.type).stands_for)
            target = self.stack.target(node)
            if target is None:
                called = self._spelt(node)
                return called[0] if called else ""
            if not known(target.type).stands_for:
                return target.name
            resource = target
        return ""

    def kind_of(self, name: str) -> tuple[str, ...]:
        """Which kinds of element something can be, by its name in the stack or its key outside."""
        if (beyond := outside(name)) is not None:
            return (beyond.kind,)
        return self.kinds.get(name, ())

    def elsewhere(self, one: Outside | None) -> Outside | None:
        """Return what a value names outside, unless it may as well be a resource of this file with an unknown name."""
        service = one.service if one is not None else ""
        held = (resource for resource, kind in self.targets.resources.values() if service in kind.services)
        return None if any(map(may_be_called_anything, held)) else one

    def meant(self, name: str) -> str:
        """The resource that is meant by the name of one: itself, or what it stands for."""
        return self._aliases.get(name) or name

    def called(self, node: Node | None) -> Called:
        """The functions that a value names: a link, an ARN, a name, or the address under which API Gateway calls."""
        if node is None:
            return Called(())
        found = dict.fromkeys(self.meant(link.resource) for link in links(node))
        if found:
            hidden = next((self._hidden[name] for name in found if name in self._hidden), None)
            return Called(tuple(name for name in found if name in self.functions), hidden)
        spelt = self._spelt(node)
        if spelt or _NO_FUNCTION.match(MARK.sub("", pattern(node).text)):
            return Called(spelt)
        return Called((), open_in(node) or (named_by_text(node) if self._open_names else None))

    def _spelt(self, node: Node | None) -> tuple[str, ...]:
        """The functions that a text names."""
        key = spelt(node)
        if key is None or len(key[0]) > _LONGEST_TEXT:
            return ()
        invoked = _INVOKED.match(key[0])
        named = _CALLED.match(invoked[1] if invoked else key[0])
        if named is None:
            return ()
        return tuple(name for name in self.by_name.get((named[1], key[1]), ()) if name in self.functions)

    def element(self, node: Node | None, *kinds: str) -> str:
        """The one element of some kinds that a value names, or ''."""
        if node is None:
            return ""
        found = {self.meant(link.resource) for link in links(node)}
        if found:
            name = found.pop()
            return name if not found and set(kinds) & set(self.kinds.get(name, ())) else ""
        named = [name for name in self.texted(node) if set(kinds) & set(self.kinds[name])]
        return named[0] if len(named) == 1 else ""

    def api_of(self, resource: Resource) -> str:
        """The API that a method, route, integration or authorizer is of, or ''."""
        return self.element(read(resource.properties, "RestApiId|ApiId"), "api")

    def texted(self, node: Node) -> tuple[str, ...]:
        """The elements that a text without links names: by ARN, by URL, or by the name alone."""
        key = spelt(node)
        if key is None or len(key[0]) > _LONGEST_TEXT:
            return ()
        parts = arn_parts(key[0])
        if parts[0] == "arn":
            found = self.targets.covered(pattern(node), parts[2]) if len(parts) > 2 else ()  # noqa: PLR2004 - a service
            return tuple(match.resource for match in found if match.named and match.sure)
        whole = _last(key[0]) if key[0].startswith("https://sqs.") else key[0]
        return tuple(self.by_name.get((whole, key[1]), ()))

    def may_name(self, unknown: Unknown, resource: Resource) -> bool:
        """Return whether an unknown value may name a function or role: a generated name cannot be known beforehand."""
        own = read(resource.properties, _FUNCTION_OWN_NAME if resource.name in self.functions else ROLE_OWN_NAME)
        return open_in(own) is not None if unknown.given == _A_TEXT else not unknown.given or own is not None


def store_in(names: Names, event_pattern: Node | None) -> str:
    """The one store whose events a pattern of EventBridge is about, or ''."""
    meant = {names.meant(link.resource) for link in links(event_pattern)}
    stores = {name for name in meant if "store" in names.kinds.get(name, ())}
    return stores.pop() if len(stores) == 1 else ""


def may_be_called_anything(resource: Resource) -> bool:
    """Return whether a resource has a name that the file alone does not state."""
    own = known(resource.type).own_name
    return resource.opaque is not None or bool(own and open_in(read(resource.properties, own)) is not None)


def _last(address: str) -> str:
    """What follows the last slash of an address."""
    masked = re.sub(_TOKEN, lambda token: "_" * len(token.group()), address)
    return address[masked.rfind("/") + 1 :]


def named_by_text(node: Node) -> Unknown:
    """Return that a text names something that no resource here certainly is: one with an unknown name may be it."""
    return Unknown("a string may name it", node.place, None, _A_TEXT)


def open_in(node: Node | None) -> Unknown | None:
    """What of a value is not known: the first unknown part, or that a parameter's default may be replaced."""
    first = next(unknowns(node), None)
    if first is not None:
        return first
    if node is None:
        return None
    if DYNAMIC.search(shape_of(node)):
        return Unknown("it is read from another store at deployment", node.place)
    given = getattr(node, "given", ())
    if given:
        return Unknown("a parameter sets it", node.place, None, given)
    return None


def described(node: Node | None) -> str:
    """Return a text as written; '' if a parameter sets it or it is unknown."""
    if isinstance(node, Scalar) and not node.given and node.value is not None:
        return str(node.value)
    return ""
