"""The values of a plan's resources as nodes: links where the configuration says what they refer to.

What a reference makes of a value: a text that is another resource's attribute becomes a link, and one that holds it a
text with a link inside; a text that only the apply tells becomes a link where exactly one resource can be its source.
Numbers and yes or no stay values.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from threatmodel.reading.problems import Place, listed
from threatmodel.reading.values import dataclass, field
from threatmodel.stacks.stack import Parameter
from threatmodel.stacks.terraform.documents import document
from threatmodel.stacks.terraform.marks import (
    DEEPEST,
    MISSING,
    Marks,
    Said,
    aligned,
    block_of,
    has_marks,
    hides,
    is_expression,
    stated,
)
from threatmodel.stacks.terraform.references import (
    Instance,
    Owner,
    References,
    Referent,
    Referents,
    sequence,
    table,
)
from threatmodel.stacks.terraform.rows import is_written_block
from threatmodel.stacks.values import Joined, Link, List, Node, Scalar, Table, Unknown

AFTER_APPLY = "known only after apply"
SENSITIVE = "sensitive"
_POLICIES = frozenset((
    *("access_policies", "access_policy", "assume_role_policy", "assume_role_policy_document", "file_system_policy"),
    *("key_policy", "policy", "policy_document", "repository_policy_text", "resource_policy"),
))  # fmt: skip
JSON = _POLICIES | {
    *("body", "container_definitions", "definition", "event_pattern", "filter_policy", "input", "policy_data"),
    *("redrive_allow_policy", "redrive_policy"),
}
"""Attributes that hold JSON: a text there is more than what it refers to."""
OWN_TEXTS = ("arn:", "https://sqs.")
NAMES = ("arn", "id", "name", "function_name", "bucket", "url", "role", "invoke_arn", "execution_arn", "qualified_arn")
"""Attributes that are looked at where a reference does not say which it means."""
_NAMING = re.compile(r"(?:\A|_)(?:arn|id|name|url|bucket|identifier|role|endpoint)\Z")
"""Attributes that name their resource: a value that is one of them is a link, and any other a plain value."""
_ARN = re.compile(r"(?:arn:|https://sqs\.)[\x21\x23-\x5b\x5d-\x7e]{1,2048}")
LONGEST_TEXT = 1_000_000
_SHORTEST_PART = 3


@dataclass(slots=True, kw_only=True)
class Known:
    """What of a plan its values are read with: references, variables, and the texts that one resource alone has."""

    file: str
    references: References = field(default_factory=References)
    parameters: Mapping[str, Parameter] = field(default_factory=dict)
    given: Mapping[str, Any] = field(default_factory=dict)
    owned: dict[str, tuple[str, str]] = field(default_factory=dict)
    blocks: dict[int, dict[str, Mapping[str, Any]]] = field(default_factory=dict)

    def configured_as(self, instance: Instance) -> Mapping[str, Any]:
        """The block of the configuration that makes an instance."""
        scope = instance.scope
        if id(scope.configuration) not in self.blocks:
            self.blocks[id(scope.configuration)] = {
                raw["address"]: raw
                for raw in sequence(scope.configuration.get("resources"))
                if isinstance(table(raw).get("address"), str)
            }
        return self.blocks[id(scope.configuration)].get(instance.base[len(scope.before) :], {})

    def owner(self, instance: Instance) -> Owner:
        """Whose expressions an instance's are."""
        return Owner(instance.scope, instance.key, self.configured_as(instance).get("for_each_expression"))


@dataclass(slots=True)
class Builder:
    """Makes the nodes of one instance."""

    plan: Known
    owner: Owner
    address: str
    created: bool = False
    kind: str = ""
    documents: set[str] = field(default_factory=set)

    def place(self, spot: str) -> Place:
        """The place of an attribute."""
        return Place(self.plan.file, 1, 1, spot)

    def node(self, spot: str, name: str, value: Any, marks: Marks, said: Said, depth: int = 0) -> Node:  # noqa: PLR0913, PLR0917 - all that is said of one value
        """The node of one value, which is the attribute `name`."""
        if hides(marks.sensitive, value):
            return self.hidden(spot, value, self.sources(said))
        if marks.unknown is True:
            return self.later(spot, name, self.sources(said))
        if depth > DEEPEST:
            return Unknown("it is nested too deeply", self.place(spot))
        if isinstance(value, dict) or (value is MISSING and isinstance(marks.unknown, dict)):
            return self.mapping(spot, value, marks, said, depth)
        if isinstance(value, list) or (value in (MISSING, None) and isinstance(marks.unknown, list)):
            return self.listed(spot, name, value, marks, said, depth)
        if value is MISSING:
            return Unknown(AFTER_APPLY, self.place(spot))
        return self.known(spot, name, value, self.sources(said))

    def mapping(self, spot: str, value: Any, marks: Marks, said: Said, depth: int) -> Table:
        """A mapping: what is unknown in it does not stand among the values.

        What a new resource gets after the apply although nothing is written for it is AWS's default: it is left out.
        A dynamic block is not written in the plan's configuration.
        """
        values = value if isinstance(value, dict) else {}
        names = dict.fromkeys(values)
        if isinstance(marks.unknown, dict):
            written = said if self.created and isinstance(said, dict) else marks.unknown
            names |= dict.fromkeys(
                name
                for name, mark in marks.unknown.items()
                if has_marks(mark) and (name in written or (not depth and is_written_block(self.kind, name)))
            )
        return Table(
            {
                name: self.node(
                    f"{spot}.{name}",
                    name,
                    values.get(name, MISSING),
                    marks.of(name),
                    self.within(said, name),
                    depth + 1,
                )
                for name in names
            },
            self.place(spot),
            {},
        )

    def listed(self, spot: str, name: str, value: Any, marks: Marks, said: Said, depth: int) -> Node:  # noqa: PLR0913, PLR0917 - the same
        """A list, or what is there in place of a list of blocks."""
        pairs = list(aligned(value if isinstance(value, list) else [], marks))
        sources = said if isinstance(said, tuple) else ()
        unknown = [at for at, (_, mark) in enumerate(pairs) if mark.unknown is True and mark.sensitive is not True]
        ends = [one for one in sources if self.is_open(one)]
        each: dict[int, Referents] = {}
        if len(ends) == len(unknown) > 1 and all(one.linked for one in ends):
            each = {at: (source,) for at, source in zip(unknown, ends, strict=True)}
        blocks = said if isinstance(said, list) else [said] if isinstance(said, dict) else None
        return List(
            tuple(
                self.node(
                    f"{spot}[{at}]",
                    name,
                    item,
                    mark,
                    block_of(blocks, item, len(pairs)) if blocks is not None else each.get(at, said),
                    depth + 1,
                )
                for at, (item, mark) in enumerate(pairs)
            ),
            self.place(spot),
        )

    # --- what the configuration says

    def within(self, said: Said, name: str) -> Said:
        """What is said of an entry of a mapping."""
        if not isinstance(said, dict):
            return said if isinstance(said, tuple) else None
        inner = said.get(name)
        if isinstance(inner, dict) and is_expression(inner):
            return self.plan.references.sources(inner, self.owner)
        return inner if isinstance(inner, dict | list) else None

    def sources(self, said: Said) -> Referents:
        """All that a value may come from."""
        if isinstance(said, tuple):
            return said
        found: dict[Referent, None] = {}
        waiting: list[tuple[Any, int]] = [(said, 0)]
        while waiting:
            one, depth = waiting.pop()
            if isinstance(one, dict) and is_expression(one):
                found |= dict.fromkeys(self.plan.references.sources(one, self.owner))
            elif depth < DEEPEST:
                inside = one.values() if isinstance(one, dict) else sequence(one)
                waiting += [(child, depth + 1) for child in inside]
        return tuple(found)

    def is_open(self, source: Referent) -> bool:
        """Whether an end may be what only the apply tells."""
        if source.variable:
            return False
        if source.instance is None:
            return True
        if source.instance.data and source.instance.type == "aws_iam_policy_document":
            return True
        value, _ = source.instance.at(source.attribute) if source.attribute else (None, False)
        return not isinstance(value, str | int | float | bool)

    def given(self, value: Any, sources: Referents) -> tuple[str, ...]:
        """The variables that a value is the value of."""
        if value is None or value == "" or isinstance(value, bool):
            return ()
        wanted = str(value)
        names = [one.variable for one in sources if one.variable in self.plan.parameters]
        return tuple(name for name in names if str(self.plan.given.get(name)) == wanted)

    # --- single values

    def known(self, spot: str, name: str, value: Any, sources: Referents) -> Node:
        """A value that the plan holds."""
        place = self.place(spot)
        given = self.given(value, sources)
        if any(self.plan.parameters[one].hidden for one in given):
            return Unknown(SENSITIVE, place, None, given)
        if not isinstance(value, str) or not value or len(value) > LONGEST_TEXT:
            return Scalar(value, place, given)
        if name in JSON:
            return self.with_arns(value, place, given)
        for source in sources:
            attribute = _equal(source, value)
            if attribute and (_is_secret(source) or (not _data(source) and _NAMING.search(attribute))):
                return Link(source.address, attribute, place)
        secret = next(filter(_is_secret, sources), None)
        if secret is not None and not given:
            why = f"it may be made of what {secret.address} looks up"
            return Unknown(why, place, Scalar(value, place))
        if value.startswith(OWN_TEXTS):
            found = self.with_arns(value, place, given)
            if not isinstance(found, Scalar):
                return found
        return _with_parts(value, sources, place, given)

    def with_arns(self, value: str, place: Place, given: tuple[str, ...]) -> Node:
        """A text in which the ARNs of the plan's other resources are links."""
        parts: list[str | Link | Unknown] = []
        last = 0
        for found in _ARN.finditer(value) if self.plan.owned else ():
            known = next((text for text in _beginnings(found.group()) if text in self.plan.owned), "")
            if known and self.plan.owned[known][0] != self.address:
                parts += [value[last : found.start()], Link(*self.plan.owned[known], place)]
                last = found.start() + len(known)
        if not parts:
            return Scalar(value, place, given)
        whole = tuple(part for part in (*parts, value[last:]) if part)
        return whole[0] if len(whole) == 1 and isinstance(whole[0], Link) else Joined(whole, place, given)

    def hidden(self, spot: str, value: Any, sources: Referents) -> Node:
        """A sensitive value: where it comes from, as far as that is sure, and nothing of it."""
        place = self.place(spot)
        if isinstance(value, str) and value:
            for source in sources:
                attribute = _equal(source, value)
                if attribute:
                    return Link(source.address, attribute, place)
            return Unknown(SENSITIVE, place, None, self.given(value, sources))
        ends = [one for one in sources if self.is_open(one)] if value is MISSING else []
        ends = [one for one in ends if _is_sensitive(one)] or ends
        if len(ends) == 1 and ends[0].linked:
            return Link(ends[0].address, ends[0].attribute, place)
        return Unknown(SENSITIVE, place)

    def later(self, spot: str, name: str, sources: Referents) -> Node:
        """A value that only the apply tells: a link where one resource alone can be its source."""
        place = self.place(spot)
        ends = [one for one in sources if self.is_open(one)]
        ends = [one for one in ends if not _is_sensitive(one)] or ends
        links = [Link(one.address, one.attribute, place) for one in ends if one.linked]
        reasons = list(dict.fromkeys(one.why for one in ends if one.why))
        if len(ends) == 1 and name in _POLICIES and ends[0].instance is not None:
            found = self.document(ends[0])
            if found is not None:
                return found
        why = "; ".join([AFTER_APPLY, *reasons[:2]])
        if not links:
            return Unknown(why, place)
        if name in _POLICIES:
            why += f"; it refers to {listed([link.resource for link in links], 3)}"
            return Unknown(why, place) if reasons else Joined((Unknown(why, place), *links), place)
        if len(ends) == 1 and name not in JSON:
            return links[0]
        parts: list[str | Link | Unknown] = [Unknown(why, place)]
        return Joined((*parts, *links), place)

    def document(self, source: Referent) -> Node | None:
        """The policy document that a data source makes, where its JSON is known only after apply."""
        instance = source.instance
        kind = "aws_iam_policy_document"
        if instance is None or not instance.data or instance.type != kind or source.attribute not in {"json", ""}:
            return None
        if instance.address in self.documents:
            return Unknown("the policy document takes in itself", self.place(instance.address))
        documents = self.documents | {instance.address}
        inner = Builder(self.plan, self.plan.owner(instance), instance.address, documents=documents)
        said = table(self.plan.configured_as(instance).get("expressions"))
        values = instance.values if isinstance(instance.values, dict) else {}
        unknown = instance.unknown
        if not instance.marked:
            values = stated(said, lambda one: one.get("constant_value"), None)
            unknown = stated(said, lambda one: "constant_value" not in one, deepest=True)
        marks = Marks(unknown, instance.sensitive)
        return document(inner.node(instance.address, "", values, marks, dict(said) if said else None))


def _is_sensitive(source: Referent) -> bool:
    """Whether what an end gives is sensitive, as is all that is made of it."""
    return source.instance is not None and source.instance.at(source.attribute)[1]


def _data(source: Referent) -> bool:
    return source.instance is None or source.instance.data


_SECRET_DATA: Mapping[str, tuple[str, ...]] = {
    "aws_secretsmanager_secret_version": ("secret_string", "secret_binary"),
    "aws_secretsmanager_random_password": ("random_password",),
    "aws_ssm_parameter": ("value", "insecure_value"),
    "aws_ssm_parameters_by_path": ("values",),
    "aws_kms_secrets": ("plaintext",),
}
"""Data sources that look up a secret, and the attributes that have it."""


def _is_secret(source: Referent) -> bool:
    """Whether an end of references is a secret that a data source looks up."""
    steps = source.address.split(".")
    names = _SECRET_DATA.get(steps[-2].partition("[")[0], ()) if "data" in steps[-3:-2] else ()
    return bool(names) and source.attribute.partition(".")[0].partition("[")[0] in {*names, ""}


def _equal(source: Referent, value: str) -> str:
    """Which attribute of a source a text is, or ''."""
    if source.instance is None:
        return ""
    if source.attribute:
        return source.attribute if source.instance.at(source.attribute)[0] == value else ""
    values = table(source.instance.values)
    return next((name for name in NAMES if values.get(name) == value), "")


def _with_parts(value: str, sources: Referents, place: Place, given: tuple[str, ...]) -> Node:
    """A text in which the attributes of other resources that it holds are links."""
    parts: list[str | Link | Unknown] = [value]
    for source in sources:
        attribute = source.attribute or _named_in(value, source)
        if _data(source) or source.instance is None or not _NAMING.search(attribute):
            continue
        inner, sensitive = source.instance.at(attribute)
        if sensitive or not isinstance(inner, str) or len(inner) < _SHORTEST_PART:
            continue
        at = next((at for at, part in enumerate(parts) if isinstance(part, str) and inner in part), None)
        if at is not None:
            before, _, after = str(parts[at]).partition(inner)
            link = Link(source.address, attribute, place)
            parts[at : at + 1] = [part for part in (before, link, after) if part]
    return Scalar(value, place, given) if len(parts) == 1 else Joined(tuple(parts), place, given)


def _named_in(value: str, source: Referent) -> str:
    """Which attribute of a resource is a part of a text, such as the id in ``integrations/<id>``; '' if none."""
    values = table(source.instance.values) if source.instance is not None else {}
    parts = re.split(r"[/:]", value)
    return next((name for name in NAMES if values.get(name) in parts), "")


def _beginnings(text: str) -> Iterator[str]:
    """An ARN, and what is left of it without its last parts."""
    yield text
    ends = [found.start() for found in re.finditer(r"[/:*]", text)]
    yield from (text[:end] for end in reversed(ends[-8:]))
