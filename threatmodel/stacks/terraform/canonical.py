"""A plan's resources in CloudFormation's words: types and properties, and one resource where Terraform has parts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from threatmodel.reading.values import replace
from threatmodel.stacks.stack import Resource
from threatmodel.stacks.terraform.converting import converted
from threatmodel.stacks.terraform.parts import redirected, take_in
from threatmodel.stacks.terraform.putting import put
from threatmodel.stacks.terraform.rows import Row, row_of
from threatmodel.stacks.values import Joined, Link, Node, Scalar, Table, Unknown, is_set


def canonical(resources: Mapping[str, Resource]) -> tuple[dict[str, Resource], dict[str, str]]:
    """The resources in CloudFormation's words by the same names, and the parts that others took in, with these."""
    found: dict[str, Resource] = {}
    parts: list[tuple[Resource, Row]] = []
    for name, resource in resources.items():
        row = row_of(resource.type)
        if row is None:
            found[name] = resource
        elif row.by:
            parts.append((resource, row))
        else:
            found[name] = _qualified(converted(resource, row))
            found |= _made_with(found[name])
            found |= _apart(resource, row)
    owners = take_in(parts, found)
    return {name: redirected(one, owners) for name, one in found.items()} if owners else found, owners


def _apart(resource: Resource, row: Row) -> dict[str, Resource]:
    """The policies of a resource that are separate resources in CloudFormation."""
    made: dict[str, Resource] = {}
    for name, own in row.apart.items():
        value = resource.properties.entries.get(name)
        if value is not None and is_set(value):
            entries: dict[str, Node] = {own.document: value}
            put(entries, [own.about], Link(resource.name, "", value.place))
            address = f"{resource.name} ({name})"
            made[address] = replace(
                resource,
                name=address,
                type=own.type,
                properties=Table(entries, resource.place, {}),
                made_by=resource.name,
                written=resource.type,
            )
    return made


def _qualified(resource: Resource) -> Resource:
    """A permission on an alias or version, which CloudFormation names with the function."""
    entries = dict(resource.properties.entries)
    qualifier = entries.pop("qualifier", None)
    function = entries.get("FunctionName")
    if resource.type != "AWS::Lambda::Permission" or qualifier is None or function is None:
        return resource
    if isinstance(qualifier, Link):
        entries["FunctionName"] = qualifier
    else:
        named = f":{qualifier.value}" if isinstance(qualifier, Scalar) else ":"
        parts = (*_parts(function), named, *(() if isinstance(qualifier, Scalar) else _parts(qualifier)))
        entries["FunctionName"] = Joined(parts, qualifier.place)
    return replace(resource, properties=resource.properties._replace(entries=entries))


def _parts(node: Node) -> Sequence[str | Link | Unknown]:
    match node:
        case Joined(parts=parts):
            return parts
        case Link() | Unknown():
            return (node,)
        case Scalar(value=value):
            return (str(value),)
        case _:
            return (Unknown(_PERHAPS, node.place),)


def _made_with(resource: Resource) -> dict[str, Resource]:
    """What the provider makes beside a resource: it lets everyone in to a URL of a function without authorization."""
    entries = resource.properties.entries
    kind = entries.get("AuthType")
    if resource.type != "AWS::Lambda::Url" or kind is None or "TargetFunctionArn" not in entries:
        return {}
    if isinstance(kind, Scalar) and kind.value != "NONE":
        return {}
    allowed = {"Action": "lambda:InvokeFunctionUrl", "Principal": "*", "FunctionUrlAuthType": "NONE"}
    stated: dict[str, Node] = {name: Scalar(value, kind.place) for name, value in allowed.items()}
    properties = Table({"FunctionName": entries["TargetFunctionArn"], **stated}, kind.place, {})
    doubt = None if isinstance(kind, Scalar) else kind if isinstance(kind, Unknown) else Unknown(_PERHAPS, kind.place)
    name = f"{resource.name} (permission)"
    return {
        name: Resource(
            name=name,
            type="AWS::Lambda::Permission",
            properties=properties,
            place=resource.place,
            made_by=resource.name,
            doubt=resource.doubt or doubt,
            written=resource.written,
        )
    }


_PERHAPS = "the value cannot be read"
