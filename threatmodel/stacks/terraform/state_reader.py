"""A Terraform state to a stack: what Terraform made, until the state was written.

It is read as a plan is in which nothing is left to the apply.  A state does not say which expression refers to what:
a value is a link where it names a resource on which this one depends.  It proves no absence, since what others made is
in no state, and this one may be old.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from threatmodel.reading.values import dataclass, field, replace
from threatmodel.stacks.stack import Home, Resource, Stack
from threatmodel.stacks.terraform.file import at
from threatmodel.stacks.terraform.reader import Plan
from threatmodel.stacks.terraform.references import Instance, Referents, sequence, table
from threatmodel.stacks.terraform.rows import folded, own_name_of, row_of
from threatmodel.stacks.terraform.state import state_in
from threatmodel.stacks.terraform.values import JSON, LONGEST_TEXT, NAMES, OWN_TEXTS, Builder
from threatmodel.stacks.values import Link, Node, Scalar, Unknown, both

_ADDS = "a state has what Terraform made until it was written, and proves no absence"
_BACKUP = (
    "this is a backup, which has what was before the last change; it counts as a statement (name the state itself)"
)
_EMPTY = "this state has no resource; it counts as a statement (write it with 'terraform show -json')"
_TAINTED = "Terraform marks it as tainted: it may be incomplete, and the next apply replaces it"
_DEPOSED = "Terraform replaced it and has not destroyed it yet: it is still there"
_ARN = re.compile(r"arn:[a-z0-9-]+:[a-z0-9-]+:([a-z]{2}(?:-[a-z]+)+-\d):(\d{12}):")
_NAMING = re.compile(r"(?:\A|_)(?:arn|id|identifier|name|url|bucket|role)\Z")
"""Attributes that name another resource, where a state does not say on what one depends."""
_ENDS = re.compile(r"_?(?:arn|id|identifier|name|url)s?$")


def read(data: str, file: str) -> Stack:
    """Return the stack in a state.  Raises InputError where `data` is none."""
    raw = state_in(data, file)
    values = raw.get("values")
    plan = {
        "format_version": raw.get("format_version"),
        "planned_values": {"root_module": table(values).get("root_module", {})},
    }
    found = _State(plan, file).stack()
    empty = not any(one.place.part for one in found.resources.values())
    outdated = _BACKUP if file.endswith(".backup") else _EMPTY if empty else ""
    every = frozenset(found.resources)
    unread = tuple(replace(one, handed=every) if one.strength == "adds" else one for one in found.unread)
    return replace(found, unread=unread, deployed=True, outdated=outdated, home=_home(values))


def _home(values: Any) -> Home | None:
    """The account and the Region that most ARNs of the resources have."""
    found: Counter[tuple[str, str]] = Counter()
    waiting = [table(table(values).get("root_module"))]
    while waiting:
        module = waiting.pop()
        for resource in map(table, sequence(module.get("resources"))):
            arn = table(resource.get("values")).get("arn")
            match = _ARN.match(arn) if resource.get("mode") != "data" and isinstance(arn, str) else None
            found.update([(match[2], match[1])] if match else [])
        waiting += map(table, sequence(module.get("child_modules")))
    return Home(*found.most_common(1)[0][0]) if found else None


class _State(Plan):
    """One state while it is read."""

    def __init__(self, raw: Mapping[str, Any], file: str) -> None:
        super().__init__(raw, file)
        self.about: dict[str, Mapping[str, Any]] = {}
        self.called: dict[str, list[Instance]] = {}

    def note_gaps(self) -> None:
        """Note that there may be more than the state shows."""
        self.note_version()
        self.not_read("what others made", _ADDS, "adds")

    def instance(self, raw: Any, scope: Any, changes: Any) -> Instance | None:
        """An instance as it is there, nothing of it unknown; a deposed one beside the one that replaced it."""
        found = super().instance(raw, scope, changes)
        if found is None:
            return None
        deposed = table(raw).get("deposed_key")
        if isinstance(deposed, str):
            name = re.sub(r"[^A-Za-z0-9]", "", deposed)[:16]
            found = replace(found, address=f"{found.address} (deposed {name})", key=f"{found.key} deposed {name}")
        self.about[found.address] = table(raw)
        values = table(found.values)
        for name in NAMES if not found.data else ():
            if isinstance(values.get(name), str) and values[name]:
                self.called.setdefault(values[name], []).append(found)
        return replace(found, values=_plain(found), marked=True)

    def configuration_of(self, instance: Instance) -> str:
        """The configuration of the provider that made an instance, as the state names it."""
        return str(self.about[instance.address].get("provider") or "")

    def resource(self, instance: Instance) -> Resource:
        """A resource, in doubt where Terraform is about to replace it or did."""
        about, place = self.about[instance.address], at(self.file, instance.address)
        tainted = Unknown(_TAINTED, place) if about.get("tainted") is True else None
        deposed = Unknown(_DEPOSED, place) if isinstance(about.get("deposed_key"), str) else None
        found = super().resource(instance)
        return replace(found, doubt=both(found.doubt, tainted or deposed))

    def builder(self, instance: Instance) -> Builder:
        """What makes the nodes of an instance."""
        row = row_of(instance.type)
        return _StateBuilder(
            self.known,
            self.known.owner(instance),
            instance.address,
            kind=instance.type,
            called=self.called,
            depends=frozenset(map(str, sequence(self.about[instance.address].get("depends_on")))),
            own=folded(own_name_of(row.type)) if row is not None else "",
        )


@dataclass(slots=True)
class _StateBuilder(Builder):
    """Makes the nodes of one instance: `called` are the instances by what names them, `own` is what names this one."""

    called: Mapping[str, Sequence[Instance]] = field(default_factory=dict)
    depends: frozenset[str] = frozenset()
    own: str = ""

    def known(self, spot: str, name: str, value: Any, sources: Referents) -> Node:  # noqa: ARG002 - a state has none
        """A value that the state holds: a link where it names one resource on which this one depends."""
        place = self.place(spot)
        if not isinstance(value, str) or not value or len(value) > LONGEST_TEXT:
            return Scalar(value, place)
        if name not in JSON and folded(name) not in {"id", "arn", "name", self.own}:
            found = self.linked(name, value)
            if found is not None:
                attribute = next(one for one in NAMES if table(found.values).get(one) == value)
                return Link(found.address, attribute, place)
        return self.with_arns(value, place, ()) if name in JSON or value.startswith(OWN_TEXTS) else Scalar(value, place)

    def linked(self, name: str, value: str) -> Instance | None:
        """The one resource that a value names; of several the one that its attribute speaks of."""
        others = [one for one in self.called.get(value, ()) if one.address != self.address]
        found = [one for one in others if one.base in self.depends]
        if not found and not self.depends and _NAMING.search(name):
            found = others
        if len(found) > 1:
            word = _ENDS.sub("", name)
            found = [one for one in found if word and word in one.type]
        return found[0] if len(found) == 1 else None


def _plain(instance: Instance) -> Any:
    """The values of an instance, without blocks that the provider writes where nothing is set."""
    values = instance.values
    blocks = values.get("inline_policy") if isinstance(values, dict) else None
    if not isinstance(blocks, list):
        return values
    kept = [one for one in blocks if not isinstance(one, dict) or any(one.values())]
    return {**values, "inline_policy": kept}
