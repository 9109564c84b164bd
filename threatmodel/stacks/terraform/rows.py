"""What each type of a plan is in CloudFormation: a table that scripts/terraform_resources.py writes."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import cache, partial
from typing import Any, NamedTuple

from threatmodel.reading.tables import table
from threatmodel.reading.values import dataclass, field
from threatmodel.stacks.resource_schemas import of_the_provider_awscc

Definitions = Mapping[str, Mapping[str, Any]]
"""Of one type: properties by their folded name, for the type itself ('') and for each object within.

A property is its name, or a list: its name, how objects are in it (`one`, `many`, `map`) and their definition.
"""


EACH = "each "
"""How the property of an argument begins that makes a block of each of its items."""


class Apart(NamedTuple):
    """A policy that is a separate resource in CloudFormation: its type, and the properties of document and owner."""

    type: str
    document: str
    about: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """What a type of Terraform is: a type of CloudFormation, or a part of the resource of that type that `by` names.

    Several arguments in `by` are those that the resource itself has, which together identify it.  `paths` are the
    properties of arguments that are called otherwise, `words` what their values are called, `defaults` what the
    provider sets where nothing is, `unset` which values mean that, `apart` which are separate resources, `beside` what
    accompanies each item of a list, `itself` which argument names what another one means by yes ('' for the
    resource).  `cases` are the rows by the value of the argument `by_value`.
    """

    type: str = ""
    by: tuple[str, ...] = ()
    paths: Mapping[str, str] = field(default_factory=dict)
    words: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    defaults: Mapping[str, Any] = field(default_factory=dict)
    unset: Mapping[str, Any] = field(default_factory=dict)
    apart: Mapping[str, Apart] = field(default_factory=dict)
    beside: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    itself: Mapping[str, str] = field(default_factory=dict)
    by_value: str = ""
    cases: Mapping[str, Row] = field(default_factory=dict)


_table = partial(table, __file__, "resources.json")


@cache
def row_of(kind: str) -> Row | None:
    """What a type is in CloudFormation; None where nothing is known of that."""
    raw = _table()["resources"].get(kind)
    if raw is not None:
        return _row(raw)
    own = of_the_provider_awscc().get(folded(kind.removeprefix("awscc_"))) if kind.startswith("awscc_") else None
    return Row(type=own) if own is not None else None


@cache
def is_known(kind: str) -> bool:
    """Whether a type of the providers of AWS is in their schemas; what one that is not may do is unknown."""
    provider, _, name = kind.partition("_")
    return provider != "awscc" and (provider != "aws" or name in _table()["provider"]["aws"].split())


def _row(raw: Mapping[str, Any]) -> Row:
    apart = {name: Apart(**one) for name, one in raw.get("apart", {}).items()}
    cases = {value: _row(one) for value, one in raw.get("cases", {}).items()}
    return Row(**{**raw, "by": tuple(raw.get("by", ())), "apart": apart, "cases": cases})


@cache
def rows_of(kind: str) -> tuple[tuple[str, Row], ...]:
    """Every type of the provider aws that is a type of CloudFormation, or a part of one: whole resources first."""
    found = [(name, row) for name in _table()["resources"] if (row := row_of(name)) is not None and row.type == kind]
    return tuple(sorted(found, key=lambda one: bool(one[1].by)))


_OF_AWS = frozenset((
    *("admin_create_user_config", "advanced_security_options", "amazon_managed_kafka_event_source_config"),
    *("auto_tune_options", "cluster_config", "cors_rule", "domain_endpoint_options", "ebs_options", "egress"),
    *("encrypt_at_rest", "encryption_configuration", "endpoint_configuration", "ephemeral_storage", "grant"),
    *("ingress", "inline_policy", "lifecycle_rule", "logging", "logging_config", "logging_configuration"),
    *("node_to_node_encryption", "object_lock_configuration", "off_peak_window_options", "password_policy"),
    *("point_in_time_recovery", "protection", "redrive_allow_policy", "redrive_policy", "replica"),
    *("replication_configuration", "scaling_config", "self_managed_kafka_event_source_config"),
    *("server_side_encryption", "server_side_encryption_configuration", "sign_in_policy"),
    *("sms_configuration", "snapshot_options", "software_update_options", "stream_mode_details", "timeouts"),
    *("tracing_config", "tracing_configuration", "ttl", "verification_message_template", "versioning"),
    *("website"),
))  # fmt: skip
"""Arguments that the provider fills with AWS's defaults where a configuration has none, which only the apply shows."""
_ALSO_BLOCKS = frozenset(("route_settings",))
"""Blocks that CloudFormation does not define as objects."""


def is_written_block(kind: str, name: str) -> bool:
    """Whether an argument of a type is a block that is there only if the configuration has one, maybe a dynamic one."""
    row = row_of(kind)
    if row is None or name in _OF_AWS:
        return False
    path = row.paths.get(name, name)
    known = definitions_of(row.type)[""].get(folded(path.split(".")[0].removesuffix("[]")))
    return isinstance(known, list) or name in _ALSO_BLOCKS


def definitions_of(kind: str) -> Definitions:
    """The properties of a type of CloudFormation; none of a type that is not read."""
    found: Definitions = _table()["types"].get(kind, {"properties": {"": {}}})["properties"]
    return found


def own_name_of(kind: str) -> str:
    """The property by which a resource of a type names itself; '' where AWS gives the name."""
    return str(_table()["types"].get(kind, {}).get("name", ""))


def folded(name: str) -> str:
    """A name as both languages spell it."""
    return name.replace("_", "").lower()


def property_at(steps: Sequence[str], own: Mapping[str, Any], definitions: Definitions) -> Any:
    """The property at a path of names within a definition, or the last name where nothing is known of it."""
    found: Any = ""
    for step in steps:
        name = step.removesuffix("[]")
        found = own.get(folded(name), name)
        own = definitions.get(found[2], {}) if not isinstance(found, str) else {}
    return found


# --- the way back, for what people read


def in_terraform(kind: str, path: Sequence[str]) -> tuple[str, str] | None:
    """The type and the argument (``server_side_encryption.enabled``) of a property; None where there is no type."""
    found = rows_of(kind)
    for name, row in found:
        argument = _stated(row, path)
        if argument is not None:
            return name, argument
    whole = next((name for name, row in found if not row.by), None)
    return None if whole is None else (whole, ".".join(map(snake, path)))


def _stated(row: Row, path: Sequence[str]) -> str | None:
    """The argument that a row names for a property, or for what the property is in."""
    for length in range(len(path), 0, -1):
        target = ".".join(path[:length])
        for argument, stands in row.paths.items():
            if stands.replace("[]", "") == target and (argument or path[length:]):
                return ".".join([*([argument] if argument else []), *_within(row, argument, path[length:])])
    return None


def _within(row: Row, block: str, rest: Sequence[str]) -> list[str]:
    """The arguments of a block for properties within."""
    named: list[str] = []
    for step in rest:
        inner = f"{block}."
        own = (one for one, stands in row.paths.items() if one.startswith(inner) and folded(step) in _meant(stands))
        argument = next((one.removeprefix(inner) for one in own), snake(step))
        named.append(argument)
        block = f"{inner}{argument}"
    return named


def _meant(target: str) -> list[str]:
    """The properties that an argument becomes."""
    return [folded(one) for one in target.removeprefix(EACH).split(",")]


def snake(name: str) -> str:
    """A name of CloudFormation as Terraform spells names."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name).lower()
