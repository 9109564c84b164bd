"""What a resource pattern of a statement covers: everything of a service, or which resources of the stack."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import NamedTuple

from threatmodel.evidence.policies.grants import MARK, TOKEN, Grant, Pattern, pattern
from threatmodel.evidence.policies.iam import LONGEST_RESOURCE, every_resource, glob
from threatmodel.evidence.resource_types import ResourceType, known
from threatmodel.stacks.stack import Resource, Stack
from threatmodel.stacks.values import Node, Scalar, Unknown

_ARN_PARTS = 6
_SERVICE, _ACCOUNT, _REST = 2, 4, 5

NAMELESS = "\x00\x01"
"""An unknown part that no parameter gives: of two that the same one gives, the texts are the same."""
_SERVED_BY: Mapping[str, str] = {
    "rds-data": "rds",
    "kafka-cluster": "kafka",
    "ssmmessages": "ssm",
}
"""Services of actions whose resources' ARNs name another service."""


def arn_parts(text: str) -> list[str]:
    """The six parts of an ARN, each variable as one character; fewer where it is none, or a wildcard takes the rest."""
    return MARK.sub("\x00", TOKEN.sub("$", text)).split(":", _ARN_PARTS - 1)


def spelt(node: Node | None) -> tuple[str, tuple[str, ...]] | None:
    """A text with parameters by their names, and those that it is made of; two that are equal name the same."""
    if node is None or (isinstance(node, Unknown) and node.usual is not None):
        return None
    found = pattern(node)
    if not found.text or NAMELESS in found.text:
        return None
    return found.text.replace("\x00", "${").replace("\x01", "}"), found.given


_NEVER_EMPTY = frozenset(("", "Arn"))
"""The attributes that each resource has: its name or id, and its ARN."""


def whole(found: Pattern, service: str) -> bool | None:
    """Return whether a pattern covers every resource of a kind in the account; None if that depends on an unknown.

    It does where it fits any name: ``table/*`` and ``topic/*``, but not ``table/orders-*``.
    """
    text = found.text
    if text and not text.strip("*"):
        return True
    if found.links:  # what is called the same and more is not every resource, unless the name may be empty
        named = all(link.attribute in _NEVER_EMPTY for link in found.links)
        return None if TOKEN.sub("$", text).endswith("$*") and not named else False
    if len(text) > LONGEST_RESOURCE:
        return None
    parts = arn_parts(text)
    if len(parts) < _ARN_PARTS:
        return _cut_short(parts)
    wanted = _SERVED_BY.get(service, service)
    if "\x00" not in parts[_SERVICE] and glob(parts[_SERVICE]).fullmatch(wanted) is None:
        return False
    rest = parts[_REST].replace("\x00", "*")
    if not (_fits_any_name(rest, wanted) or _fits_any_name(rest.rstrip(":/"), wanted)):
        return False
    return None if "\x00" in parts[_REST] else True


@lru_cache(maxsize=8192)
def _fits_any_name(rest: str, service: str) -> bool:
    if "*" not in rest:
        return False
    forms = every_resource(service)
    if forms is None:  # a service that the table lacks: its kind and wildcards
        return not re.sub(r"\A[A-Za-z0-9_-]+[:/]", "", rest).strip("*/:?")
    wanted = glob(rest)
    return any(wanted.fullmatch(form) for form in forms)


def _cut_short(parts: list[str]) -> bool | None:
    """Whether what is no whole ARN covers everything: ``arn:aws:*`` does, and what is unknown may."""
    last = parts[-1]
    if parts[0] != "arn":
        return None if not last.strip("\x00*?") and "\x00" in last and len(parts) == 1 else False
    return None if "\x00" in last else last.endswith("*")


def account_of(found: Pattern) -> str:
    """Return the account in an ARN as written: '' if there is none, ``$`` for a variable."""
    parts = arn_parts(found.text)
    return parts[_ACCOUNT] if len(parts) == _ARN_PARTS else ""


# --- resources of the stack


class Match(NamedTuple):
    """That a pattern covers a resource: `named` where it names it, `sure` where nothing unknown could change that.

    `below` is what the pattern adds to the resource itself (``/*`` for the objects of a bucket).
    """

    resource: str
    named: bool
    sure: bool
    below: str = ""


class Targets:
    """The resources of a stack that statements can reach, found by what patterns say."""

    def __init__(self, stack: Stack) -> None:
        self._found: dict[tuple[str, str], tuple[Match, ...]] = {}
        self._by_service: dict[str, list[tuple[Resource, ResourceType, Pattern | None]]] = {}
        self.resources: dict[str, tuple[Resource, ResourceType]] = {}
        for resource in stack.resources.values():
            kind = known(resource.type)
            if kind.services:
                self.resources[resource.name] = resource, kind
                own = resource.properties.entries.get(kind.own_name)
                name = None if own is None or (isinstance(own, Scalar) and own.value is None) else pattern(own)
                for service in kind.services:
                    self._by_service.setdefault(service, []).append((resource, kind, name))

    def covered(self, found: Pattern, service: str) -> tuple[Match, ...]:
        """The resources of a service that a pattern covers."""
        key = (found.text, service)
        if found.links:
            return tuple(self._linked(found, service))
        if key not in self._found:
            self._found[key] = tuple(self._spelt(found, service))
        return self._found[key]

    def all_of(self, service: str) -> tuple[Match, ...]:
        """Every resource of a service, as a wildcard covers it."""
        return tuple(Match(resource.name, named=False, sure=True, below="*") for resource, *_ in self._of(service))

    def _of(self, service: str) -> list[tuple[Resource, ResourceType, Pattern | None]]:
        return self._by_service.get(service, [])

    def _linked(self, found: Pattern, service: str) -> Iterator[Match]:
        for link in dict.fromkeys(link[:2] for link in found.links):
            held = self.resources.get(link[0])
            if held is not None and service in held[1].services:
                _, _, below = found.text.partition(f"${{{'.'.join(part for part in link if part)}}}")
                yield Match(link[0], named=True, sure=found.open is None, below=below)

    def _spelt(self, found: Pattern, service: str) -> Iterator[Match]:
        """What a text without links covers, which may be made of parameters and of variables of AWS."""
        if whole(found, service):
            yield from self.all_of(service)
            return
        parts = arn_parts(found.text)
        rest = _rest(found.text)
        if len(parts) < _ARN_PARTS or len(found.text) > LONGEST_RESOURCE:
            if found.open is not None:
                yield from (Match(one.resource, named=False, sure=False, below="*") for one in self.all_of(service))
            return
        for resource, kind, name in self._of(service):
            named = parts[_SERVICE]
            if "\x00" not in named and glob(named).fullmatch(kind.services[0]) is None:
                continue
            fit = _fit(rest, kind, name)
            if fit is not None:
                yield Match(resource.name, named=fit[0], sure=fit[1], below=fit[2])


def _rest(text: str) -> str:
    """Return the last part of an ARN as written, variables whole."""
    masked = MARK.sub(lambda mark: "\x00" * len(mark.group()), TOKEN.sub(lambda one: "$" * len(one.group()), text))
    at = -1
    for _ in range(_ARN_PARTS - 1):
        at = masked.find(":", at + 1)
        if at < 0:
            return ""
    return text[at + 1 :]


def _fit(rest: str, kind: ResourceType, name: Pattern | None) -> tuple[bool, bool, str] | None:
    """How the last part of an ARN fits a resource (named, sure, what it adds); None where it does not."""
    prefix, _, suffix = kind.arn.partition("{}")
    open_rest = MARK.sub("*", rest)
    if name is None:  # a name that CloudFormation generates begins with the stack's; it cannot be written beforehand
        return (False, False, "*") if "*" in open_rest and _may_name(open_rest, prefix) else None
    own = name.text.removeprefix("/") if prefix.endswith("/") else name.text
    wanted = prefix + own
    if rest == wanted or rest.startswith((wanted + "/", wanted + "-", wanted + ":")):
        below = rest[len(wanted) :]
        if not below.startswith("-") or suffix:
            return True, NAMELESS not in wanted, below
    if MARK.search(wanted):
        return (False, False, "*") if _may_begin(open_rest, prefix) else None
    spelt = wanted + suffix.replace("?", "x")
    tries = (spelt, spelt + "/x", spelt + "/index/x", spelt + ":x")
    hit = next((one for one in tries if glob(open_rest).fullmatch(one)), None)
    if hit is None:
        return None
    return (
        not re.search(r"[*\x00]", rest[: len(wanted)]),
        not MARK.search(rest),
        "*" if "*" in rest else hit[len(spelt) :],
    )


def _may_name(open_rest: str, prefix: str) -> bool:
    """Whether what a pattern covers can be a name that AWS makes up, in which nothing parts what is below."""
    head = open_rest.split("*", 1)[0].split("?", 1)[0]
    return _may_begin(open_rest, prefix) and not re.search("[/:]", head[len(prefix) :])


def _may_begin(open_rest: str, prefix: str) -> bool:
    """Whether what a pattern covers can begin with a prefix."""
    head = open_rest.split("*", 1)[0].split("?", 1)[0]
    return head.startswith(prefix) or prefix.startswith(head)


def resources_of(grant: Grant, targets: Targets, service: str) -> tuple[Match, ...]:
    """The resources of a service that a statement is about."""
    if grant.but_resources:
        spared = {match.resource: match for one in grant.resources for match in targets.covered(one, service)}
        return tuple(
            match._replace(sure=match.resource not in spared)
            for match in targets.all_of(service)
            if not (match.resource in spared and spared[match.resource].sure)
        )
    return tuple(dict.fromkeys(match for one in grant.resources for match in targets.covered(one, service)))


def covers_every(grant: Grant, service: str) -> tuple[bool | None, Pattern | Unknown | None]:
    """Return whether a statement covers every resource of a service (or all but some), and the pattern for it.

    Without a service, of the one that each pattern names.
    """
    if grant.but_resources:
        return True, grant.resources[0] if grant.resources else None
    open_one: Pattern | None = None
    for one in grant.resources:
        parts = arn_parts(one.text)
        covered = whole(one, service or (parts[_SERVICE] if len(parts) == _ARN_PARTS else ""))
        if covered:
            return True, one
        if covered is None:
            open_one = open_one or one
    if not grant.resources:
        return None, Unknown("the statement names no resource", grant.place)
    return (None if open_one is not None else False), open_one
