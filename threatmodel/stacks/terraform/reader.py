"""The JSON of a Terraform plan to a stack: planned values, and links where its configuration says what they refer to.

Resources are under their addresses, with the plan's own names of attributes; blocks are lists.  A plan has no lines:
a place is a resource's address and the attribute.  What is sensitive is dropped as it is read.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from threatmodel.reading.problems import Problem, note, quoted
from threatmodel.reading.values import dataclass, replace
from threatmodel.stacks.stack import Parameter, Resource, Stack, Strength, Unread
from threatmodel.stacks.terraform.archives import archives, with_archives
from threatmodel.stacks.terraform.canonical import canonical
from threatmodel.stacks.terraform.configured import elsewhere, runs_a_program
from threatmodel.stacks.terraform.file import at, plan_in
from threatmodel.stacks.terraform.marks import Marks, both
from threatmodel.stacks.terraform.references import (
    Instance,
    ModuleInstance,
    References,
    key_of,
    sequence,
    steps_of,
    table,
)
from threatmodel.stacks.terraform.values import AFTER_APPLY, OWN_TEXTS, SENSITIVE, Builder, Known
from threatmodel.stacks.values import Node, Scalar, Table, Unknown, node_of

_DEEPEST_MODULE = 100
_VERSION = re.compile(r"0\.[12]|1\.\d{1,3}")
"""Versions of the format: later ones with the same first number only add to it."""
_MAKING_OTHERS = {
    "aws_cloudformation_stack": "what a CloudFormation stack makes is in a template",
    "aws_cloudformation_stack_set": "what a CloudFormation stack set makes is in a template",
    "aws_cloudformation_stack_instances": "what a CloudFormation stack set makes is in a template",
    "aws_cloudformation_stack_set_instance": "what a CloudFormation stack set makes is in a template",
    "aws_cloudcontrolapi_resource": "it may be a resource of any type",
    "aws_serverlessapplicationrepository_cloudformation_stack": "what an application makes is in a template",
    "aws_servicecatalog_provisioned_product": "what a product makes is in a template",
}
"""Types of resources behind which there are others."""

_IDENTITIES = ("arn", "execution_arn", "invoke_arn", "url")
"""Attributes whose value no two resources share."""


def read(data: str, file: str) -> Stack:
    """The stack that a plan makes.  Raises InputError where `data` is no plan."""
    return Plan(plan_in(data, file), file).stack()


# --- the plan


_FORGOTTEN = "Terraform forgets it and leaves it in AWS, where nothing looks after it any more"


_GONE = frozenset(("delete", "forget"))
"""Actions after which a resource is no longer one of the plan's."""


@dataclass(kw_only=True, slots=True)
class _Change:
    unknown: Any = False
    sensitive: Any = False
    known: bool = False
    creates: bool = False
    after: Any = None


class Plan:
    """One plan while it is read."""

    def __init__(self, raw: Mapping[str, Any], file: str) -> None:
        self.raw = raw
        self.file = file
        self.problems: list[Problem] = []
        self.unread: list[Unread] = []
        configuration = raw.get("configuration")
        self.configured = isinstance(table(configuration).get("root_module"), dict)
        self.root = ModuleInstance(address="", configuration=table(table(configuration).get("root_module")))
        given = {name: table(given).get("value") for name, given in table(raw.get("variables")).items()}
        self.known = Known(file=file, references=References(given), parameters=dict(self.declared()), given=given)

    def stack(self) -> Stack:
        """The stack."""
        self.note_gaps()
        changes = self.changes()
        planned = list(self.instances(self.raw["planned_values"], changes))
        looked_up = [*self.instances(table(table(self.raw.get("prior_state")).get("values")), {}, data_only=True)]
        for one in looked_up:
            self.known.references.add_instance(one)
        for one in planned:
            self.own(one)
            self.note_others(one)
        managed = [one for one in planned if not one.data]
        self.note_missing({one.address for one in planned})
        configured = {one.address: self.configuration_of(one) for one in managed}
        resources = elsewhere({one.address: self.resource(one) for one in managed}, configured)
        for one in self.forgotten(changes):
            doubt = Unknown(_FORGOTTEN, at(self.file, one.address))
            name = one.address if one.address not in resources else f"{one.address} (forgotten)"
            resources[name] = replace(self.resource(one), name=name, doubt=doubt)
        found = canonical(resources)
        with_archives(found.resources, dict(archives(self.file, (*looked_up, *planned))))
        return Stack(
            file=self.file,
            kind="terraform",
            resources=found.resources,
            parts=found.parts,
            looked_up=found.looked_up,
            unread=tuple(self.unread),
            problems=tuple(self.problems),
            parameters=self.known.parameters,
            beside=(*(one.value for one in self.known.parameters.values()), *self.shown()),
        )

    def shown(self) -> Iterator[Node]:
        """The values of variables and outputs; those that are marked as sensitive are dropped."""
        for kind, said in (
            ("var", self.raw.get("variables")),
            ("output", table(self.raw["planned_values"]).get("outputs")),
        ):
            for name, one in table(said).items():
                hidden = kind == "var" and name in self.known.parameters and self.known.parameters[name].hidden
                if hidden or table(one).get("sensitive") is True:
                    continue
                yield node_of(table(one).get("value"), at(self.file, f"{kind}.{name}"))

    # --- what the plan as a whole does not tell

    def note_gaps(self) -> None:
        """Notes why there may be more than the plan shows."""
        self.note_version()
        if not isinstance(self.raw["planned_values"].get("root_module"), dict):
            self.not_read("planned_values", "it has no root module, in which resources stand")
        if not self.configured:
            self.not_read("configuration", "the plan has none, so it cannot be known what refers to what")
        if self.raw.get("errored") is True:
            self.not_read("errored", "the plan ended with an error")
        if self.raw.get("complete") is False or sequence(self.raw.get("deferred_changes")):
            self.not_read("complete", "the plan leaves changes to a later one")
        if sequence(self.raw.get("action_invocations")):
            self.not_read("action_invocations", "an action runs when it is applied, and may change what is planned")

    def note_version(self) -> None:
        """Notes that the file has a version of which nothing is known."""
        version = self.raw.get("format_version")
        if not isinstance(version, str) or not _VERSION.fullmatch(version):
            shown = f" {version}" if isinstance(version, str) and re.fullmatch(r"\d{1,3}\.\d{1,3}", version) else ""
            self.not_read("format_version", f"nothing is known of this version of the format{shown}")

    def not_read(self, name: str, why: str, strength: Strength = "all") -> None:
        """Notes something that may hold more."""
        self.unread.append(Unread(name=name, why=why, place=at(self.file, name), strength=strength))

    def wrong(self, part: str, message: str) -> None:
        """Notes that something is of the wrong type."""
        note(self.problems, Problem(code="wrong-type", place=at(self.file, part), message=message))

    # --- variables

    def declared(self) -> Iterator[tuple[str, Parameter]]:
        """The root module's variables."""
        variables = table(self.root.configuration.get("variables"))
        for name in dict.fromkeys((*variables, *table(self.raw.get("variables")))):
            about, place = table(variables.get(name)), at(self.file, f"var.{name}")
            hidden = about.get("sensitive") is True
            default = about.get("default")
            value: Node = Unknown(f"the variable {quoted(name)} has no default", place)
            if hidden:
                value = Unknown(SENSITIVE, place)
            elif isinstance(default, str | int | float | bool):
                value = Scalar(default, place)
            elif default is not None:
                value = Unknown(f"the default of the variable {quoted(name)} is no single value", place)
            yield name, Parameter(name=name, type="", hidden=hidden, value=value, place=place)

    # --- resources

    def changes(self) -> Mapping[str, _Change]:
        """What each resource's change says of unknown and sensitive values."""
        found: dict[str, _Change] = {}
        for raw in sequence(self.raw.get("resource_changes")):
            address, change = table(raw).get("address"), table(raw).get("change")
            if isinstance(address, str) and isinstance(change, dict):
                found.setdefault(
                    address,
                    _Change(
                        unknown=change.get("after_unknown", False),
                        sensitive=change.get("after_sensitive", False),
                        known=True,
                        creates="create" in sequence(change.get("actions")),
                        after=change.get("after"),
                    ),
                )
        return found

    def note_missing(self, planned: Collection[str]) -> None:
        """Note what is made or kept by a change, and is not among the planned values."""
        for raw in map(table, sequence(self.raw.get("resource_changes"))):
            actions, address = sequence(table(raw.get("change")).get("actions")), raw.get("address")
            stays = bool(actions) and not _GONE.issuperset(map(str, actions)) and raw.get("deposed") is None
            if stays and isinstance(address, str) and raw.get("mode") != "data" and address not in planned:
                self.not_read(address, "it is among the changes, and not among the planned values")

    def instances(
        self, values: Mapping[str, Any], changes: Mapping[str, _Change], *, data_only: bool = False
    ) -> Iterator[Instance]:
        """Every resource and data source of a tree of modules, each address once."""
        waiting: list[tuple[Any, ModuleInstance, int]] = [(values.get("root_module"), self.root, 0)]
        while waiting:
            module, scope, depth = waiting.pop()
            for raw in self.parts(module, "resources", scope):
                if data_only and table(raw).get("mode") != "data":
                    continue
                instance = self.instance(raw, scope, changes)
                if instance is None:
                    continue
                if data_only or self.known.references.add_instance(instance):
                    yield instance
                else:
                    hint = "keep one of the two"
                    message = f"the address {quoted(instance.address)} is given twice"
                    place = at(self.file, instance.address)
                    note(self.problems, Problem(code="duplicate-key", place=place, message=message, hint=hint))
            if depth >= _DEEPEST_MODULE:
                self.not_read(scope.address, "its modules are nested too deeply")
                continue
            within = [(child, self.module(child, scope)) for child in self.parts(module, "child_modules", scope)]
            waiting += [(child, found, depth + 1) for child, found in reversed(within) if found is not None]

    def parts(self, module: Any, name: str, scope: ModuleInstance) -> Sequence[Any]:
        """The resources or modules in a module; what is there and is no list is noted."""
        raw = table(module).get(name)
        if raw is not None and not isinstance(raw, list):
            self.not_read(f"{scope.before}{name}", "it is no list")
        return sequence(raw)

    def module(self, raw: Any, parent: ModuleInstance) -> ModuleInstance | None:
        """The module instance that a part of the values belongs to."""
        address = table(raw).get("address")
        if not isinstance(address, str) or not address.startswith(f"{parent.before}module."):
            self.wrong(parent.address, "a module in it has no address that is a module's")
            self.not_read(parent.address or "root_module", "a module in it is not written as a module is")
            return None
        steps = steps_of(address[len(parent.before) :])
        key = key_of(steps[2]) if len(steps) > 2 and steps[2][0] == "[" else None  # noqa: PLR2004 - module, its name, its key
        return self.known.references.scope(parent, steps[1] if len(steps) > 1 else "", key, address)

    def configuration_of(self, instance: Instance) -> str:
        """The key of the provider's configuration that makes an instance."""
        key = table(self.known.configured_as(instance)).get("provider_config_key")
        return key.rpartition(":")[2] if isinstance(key, str) else ""

    def forgotten(self, changes: Mapping[str, _Change]) -> Iterator[Instance]:
        """What Terraform forgets without destroying it: it stays in AWS as it was, but unmanaged."""
        for raw in map(table, sequence(self.raw.get("resource_changes"))):
            change = table(raw.get("change"))
            if "forget" in sequence(change.get("actions")) and raw.get("mode") == "managed":
                values = {name: raw.get(name) for name in ("address", "mode", "type", "name", "index")}
                instance = self.instance(values | {"values": change.get("before")}, self.root, changes)
                if instance is not None:
                    yield instance

    def instance(self, raw: Any, scope: ModuleInstance, changes: Mapping[str, _Change]) -> Instance | None:
        """A resource or data source as it is there; a problem where it is none."""
        found = table(raw)
        address, kind, name = found.get("address"), found.get("type"), found.get("name")
        if not (isinstance(address, str) and isinstance(kind, str) and isinstance(name, str)):
            self.wrong(scope.address, "a resource in it has no address, type and name that are texts")
            self.not_read(scope.address or "root_module", "it is not written as a resource is")
            return None
        data = found.get("mode") == "data"
        if data and not address.startswith(scope.before):
            address = f"{scope.before}{address}"
        key = found.get("index")
        change = changes.get(address, _Change())
        return Instance(
            address=address,
            base=f"{scope.before}{'data.' if data else ''}{kind}.{name}",
            type=kind,
            key=key if isinstance(key, str | int) and not isinstance(key, bool) else None,
            data=data,
            values=found.get("values"),
            unknown=_differing(found.get("values"), change),
            sensitive=both(found.get("sensitive_values", False), change.sensitive),
            marked=change.known,
            created=change.creates,
            scope=scope,
        )

    def note_others(self, instance: Instance) -> None:
        """Notes what an instance may make beside itself."""
        if not instance.data and instance.type in _MAKING_OTHERS:
            self.not_read(instance.address, _MAKING_OTHERS[instance.type])
        if not instance.data and runs_a_program(table(self.known.configured_as(instance)), instance.scope.call):
            self.not_read(
                instance.address, "a program runs when it is applied, with the permissions of the user who applies it"
            )

    def own(self, instance: Instance) -> None:
        """Notes the texts that only this instance has, and that AWS gives it."""
        arguments = table(self.known.configured_as(instance).get("expressions"))
        for name in () if instance.data else _IDENTITIES:
            value, sensitive = instance.at(name)
            if name in arguments:
                continue  # another resource's
            if isinstance(value, str) and value.startswith(OWN_TEXTS) and not sensitive:
                self.known.owned.setdefault(value, (instance.address, name))

    def resource(self, instance: Instance) -> Resource:
        """A resource with all that is known of its attributes."""
        place = at(self.file, instance.address)
        opaque = None
        if not isinstance(instance.values, dict):
            opaque = Unknown("the plan does not hold its values", place)
        elif instance.unknown is True:
            opaque = Unknown(AFTER_APPLY, place)
        elif not instance.marked:
            opaque = Unknown("the plan does not say what of it is known only after apply", place)
        return Resource(
            name=instance.address,
            type=instance.type,
            properties=self.properties(instance),
            place=place,
            opaque=opaque,
        )

    def properties(self, instance: Instance) -> Table:
        """The attributes of an instance."""
        block = self.known.configured_as(instance)
        said = dict(table(block.get("expressions"))) if block else None
        values = instance.values if isinstance(instance.values, dict) else {}
        found = self.builder(instance).node(
            instance.address, "", values, Marks(instance.unknown, instance.sensitive), said
        )
        if isinstance(found, Table):
            return found
        reason = found if isinstance(found, Unknown) else Unknown(AFTER_APPLY, at(self.file, instance.address))
        return Table(dict.fromkeys(values, reason), reason.place)

    def builder(self, instance: Instance) -> Builder:
        """What makes the nodes of an instance."""
        return Builder(self.known, self.known.owner(instance), instance.address, instance.created, instance.type)


def _differing(values: Any, change: _Change) -> Any:
    """The marks of what is unknown, those among them of which planned values and changes say different things."""
    if not isinstance(values, dict) or not isinstance(change.after, dict):
        return change.unknown
    other = {name: True for name, value in values.items() if name in change.after and change.after[name] != value}
    return both(change.unknown, other) if other and isinstance(change.unknown, dict) else other or change.unknown
