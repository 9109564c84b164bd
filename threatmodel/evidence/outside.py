"""What a stack names and does not hold: resources of other stacks by their names, and services of AWS as a whole.

Each has a key where resources of the stack have their names: ``aws:SERVICE:NAME``, with no name for a whole service.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from threatmodel.evidence.policies.grants import MARK, TOKEN, Pattern, pattern
from threatmodel.evidence.services import TITLES
from threatmodel.model.vocabulary import Kind, Partner
from threatmodel.reading.tokens import redacted
from threatmodel.stacks.joining import own_choice
from threatmodel.stacks.values import Node

_KEY = "aws:"
_HOST = "host:"
_DEFAULT_BUS = "default"
_PARAMETER = re.compile("\x00([A-Za-z0-9_.,:/-]+)\x01")
_OF_FILE = re.compile("(?<=[\x00,])(?:[^\x00\x01,]*?::)?(?:file:)?")
"""What is before a parameter's name where several files have parameters, or a file that was not read gives it."""
_SEPARATORS = re.compile(r"[,:/]+")
_SERVICE = re.compile(r"[a-z0-9-]{1,63}\Z")
_LONGEST = 1011
"""Characters of the longest name that AWS gives anything by which it is called: a parameter's."""

SUPPLIED = ("environment", "code")
"""Where a secret is kept that a file supplies to a variable itself: in place of a service in its key."""
_ELEMENTS: Mapping[str, tuple[Kind | Partner, str, str]] = {
    "apigateway": ("api", "/restapis/", ""),
    "dynamodb": ("store", "table/", "dynamodb"),
    "s3": ("store", "", "s3"),
    "rds-data": ("store", "cluster:", "rds"),
    "es": ("store", "domain/", "opensearch"),
    "elasticfilesystem": ("store", "file-system/", "efs"),
    "sqs": ("queue", "", "sqs"),
    "sns": ("queue", "", "sns"),
    "events": ("queue", "event-bus/", "eventbridge"),
    "kinesis": ("queue", "stream/", "kinesis"),
    "secretsmanager": ("secret", "secret:", "secrets-manager"),
    "ssm": ("secret", "parameter", ""),
    **{where: ("secret", "", where) for where in SUPPLIED},
    "lambda": ("external system", "function:", ""),
    "states": ("external system", "stateMachine:", ""),
    "sts": ("external system", "role/", ""),
}
"""By service: what its resources are, how the last part of their ARNs begins, and the word of the vocabulary."""


_ONE_SERVICE: Mapping[str, str] = {"kafka-cluster": "kafka"}
"""Services whose actions on data have a separate prefix, by that prefix."""


class Outside(NamedTuple):
    """A resource of another stack by its service and name, or a whole service (no name).

    `sure` is False where the name is a parameter's, which may be given anything, or stands for several resources.
    """

    service: str
    name: str
    sure: bool = True

    @property
    def kind(self) -> Kind | Partner:
        """What it is in a model."""
        return _ELEMENTS[self.service][0] if self.name and self.service in _ELEMENTS else "external system"

    @property
    def word(self) -> str:
        """Return the vocabulary's word for it: the kind of a store or queue, or a secret's storage; '' if unknown."""
        return _ELEMENTS[self.service][2] if self.name and self.service in _ELEMENTS else ""

    @property
    def title(self) -> str:
        """What people call the service."""
        return TITLES.get(self.service, self.service)

    @property
    def key(self) -> str:
        """The name that it has among those of resources."""
        return f"{_KEY}{self.service}:{redacted(self.name)}"


def is_host(name: str) -> bool:
    """Whether a name is that of a host, which is no resource of AWS and in no file."""
    return name.startswith(_HOST)


_AWS_HOST = re.compile(r"(?:\A|\.)(?:amazonaws\.com(?:\.cn)?|on\.aws|api\.aws|aws\.dev|localhost)\Z", re.IGNORECASE)


def is_aws_host(host: str) -> bool:
    """Return whether a host is AWS's own, or this machine: no external system."""
    return _AWS_HOST.search(host) is not None


def host_name(host: str) -> str:
    """The name of a host among those of resources."""
    return f"{_HOST}{redacted(host)}"


def host_of(name: str) -> str:
    """The host of that name."""
    return name.removeprefix(_HOST)


def outside(name: str) -> Outside | None:
    """What a key stands for; None where it is the name of a resource."""
    if not name.startswith(_KEY):
        return None
    service, _, own = name.removeprefix(_KEY).partition(":")
    return Outside(service, own)


def named(found: Pattern, service: str) -> Outside | None:
    """The one resource that a statement's pattern names, by its name or by what gives it: parameters, another stack.

    None if it may be several, or if its name is unknown.
    """
    if found.links or service not in _ELEMENTS:
        return None
    marked = MARK.findall(found.spelt)
    if marked or found.given:
        return _given(found, marked, service)
    name = _last(found.text, service)
    sure = not (service == "ssm" and found.text.endswith("*"))
    return Outside(service, name, sure) if _is_name(name, "*?") else None


def _is_name(text: str, never: str) -> bool:
    """Return whether a resource may have this name: not too long, and not only blanks."""
    return bool(text.strip()) and len(text) <= _LONGEST and not set(text) & set(never)


def is_service(text: str) -> bool:
    """Whether a service may have a prefix like that in actions and ARNs: not with a wildcard, nor a blank."""
    return _SERVICE.match(text) is not None


def _given(found: Pattern, marked: Sequence[str], service: str) -> Outside | None:
    """Return the resource whose name, or a part of it, is given: the source is in the name."""
    given = [name for mark in marked for name in _PARAMETER.findall(mark)]
    by = "-".join(map(own_choice, found.given))
    last = _last(MARK.sub(lambda mark: _SEPARATORS.sub("-", _OF_FILE.sub("", mark.group())), found.spelt), service)
    if len(given) < len(marked) or "*" in last:
        return Outside(service, by[:_LONGEST], sure=False) if found.given else None
    if _is_name(last, "") and not MARK.search(last):
        return Outside(service, last)
    name = last.translate({0: None, 1: None}).strip("-_.") or "-".join(dict.fromkeys(map(own_choice, given))) or by
    return Outside(service, name[:_LONGEST], sure=False)


def _last(text: str, service: str) -> str:
    """What follows the beginning that the ARNs of a service's resources share; '' where it is none of them.

    What AWS fills in (the account's number, the Region) is left out of names.
    """
    parts = TOKEN.sub("", text).split(":", 5)
    if parts[0] != "arn" or len(parts) < 6:  # noqa: PLR2004 - the parts of an ARN
        return ""
    prefix = _ELEMENTS[service][1]
    rest = parts[5]
    if not rest.startswith(prefix):
        return ""
    name = rest.removeprefix(prefix)
    if service == "ssm":
        return name.removesuffix("*").strip("/")
    if service == "sts":
        return name.rpartition("/")[2]
    if service == "secretsmanager":
        return re.sub(r"(?:-\?{1,6}|-?\*)\Z", "", name)
    return re.split(r"[/:]", name.lstrip("/"), maxsplit=1)[0].strip("-_.")


def source(node: Node | None, service: str = "") -> Outside | None:
    """What an event comes from that is not in the stack; None where a value does not name one resource.

    `service` is its service, if the value is not an ARN.
    """
    if node is None:
        return None
    found = pattern(node)
    parts = found.text.split(":")
    if parts[0] == "arn" and len(parts) > 5:  # noqa: PLR2004 - the parts of an ARN
        return named(found, parts[2]) if parts[2] in _ELEMENTS else None
    if not service or found.links:
        return None
    if found.given or MARK.search(found.text):
        return named(found, service)
    name = found.text.rpartition("/")[2]
    return Outside(service, name) if _is_name(name, "*?:") else None


def service_of(node: Node | None) -> str:
    """The service whose resource an ARN names, or ''."""
    parts = pattern(node).text.split(":") if node is not None else []
    return parts[2] if len(parts) > 5 and parts[0] == "arn" and is_service(parts[2]) else ""  # noqa: PLR2004 - as above


def default_bus() -> str:
    """The key of the bus that AWS's own events come through."""
    return Outside("events", _DEFAULT_BUS).key


_EXPORTED = re.compile(r"(?:\A|[^A-Za-z0-9])ExportsOutput(?:Ref|FnGetAtt)([A-Za-z]\w*?)[0-9A-F]{8}(?:[A-Z][a-z]+)*\Z")
"""The name under which the CDK exports a resource of another stack: its construct's name, a hash, the attribute."""


def names_of(one: Outside) -> tuple[str, ...]:
    """What an element that stands for it may be called, the best first: by its own name, or as people call it."""
    if one.name:
        exported = _EXPORTED.search(one.name)
        own = (f"{one.name}-bus", one.name) if one.service == "events" else (one.name,)
        own = (exported[1], *own) if exported is not None else own
        return (*own, f"{one.name}-{one.service}", f"{one.name}-elsewhere")
    spelt = re.sub("[^a-z0-9]+", "-", one.title.lower()).strip("-")
    return spelt, one.service, f"aws-{spelt}"


def whole(service: str) -> str:
    """The key of a service as a whole; what is managed and what is worked with are one where people have one name."""
    return Outside(_ONE_SERVICE.get(service, service), "").key
