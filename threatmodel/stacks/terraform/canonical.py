"""A plan's resources in CloudFormation's words: types and properties, and one resource where Terraform has parts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from threatmodel.reading.values import replace
from threatmodel.stacks.stack import UNKNOWN, Resource
from threatmodel.stacks.terraform.converting import converted
from threatmodel.stacks.terraform.parts import redirected, take_in
from threatmodel.stacks.terraform.putting import put
from threatmodel.stacks.terraform.references import steps_of
from threatmodel.stacks.terraform.rows import Row, is_known, row_of
from threatmodel.stacks.texts import joined
from threatmodel.stacks.values import Link, List, Node, Scalar, Table, Unknown, is_set, links


class Canonical(NamedTuple):
    """A plan's resources in CloudFormation's words.

    `resources` have the names of the plan, `parts` are those that others took in, with these, and `looked_up` the types
    of what links lead to that is no resource, but looked up by the plan.
    """

    resources: dict[str, Resource]
    parts: dict[str, str]
    looked_up: dict[str, str]


def canonical(resources: Mapping[str, Resource]) -> Canonical:
    """The resources in CloudFormation's words."""
    found: dict[str, Resource] = {}
    parts: list[tuple[Resource, Row]] = []
    for name, plain in resources.items():
        for resource, row in _with_rows(plain):
            if row is None and not is_known(resource.type):  # of the future: no type of CloudFormation either
                found[name] = replace(resource, type=f"{UNKNOWN}{resource.type}", written=resource.type)
            elif row is None:
                found[name] = resource
            elif row.by:
                parts.append((resource, row))
            else:
                found[name] = _qualified(converted(resource, row))
                found |= _made_with(found[name])
                found[name] = _without_stage(found[name])
                found |= _apart(resource, row)
    owners = take_in(parts, found, resources)
    order = {name: at for at, name in enumerate(resources)}
    ordered = sorted(found.items(), key=lambda one: order[one[1].made_by or one[0]])
    found = {name: redirected(one, owners) for name, one in ordered}
    return Canonical(found, owners, dict(_looked_up(found)))


def _with_rows(resource: Resource) -> Iterator[tuple[Resource, Row | None]]:
    """A resource with the row of its type; with each that it may have, where an unknown value decides."""
    row = row_of(resource.type)
    decides = resource.properties.entries.get(row.by_value) if row is not None and row.cases else None
    if row is None or not row.cases:
        yield (resource if row is None else _meaning_itself(resource, row)), row
    elif isinstance(decides, Scalar) and not decides.given:
        case = row.cases.get(str(decides.value))
        yield (resource if case is None else _meaning_itself(resource, case)), case
    else:
        doubt = decides if isinstance(decides, Unknown) else Unknown(_PERHAPS, resource.place)
        yield from ((replace(_meaning_itself(resource, case), doubt=doubt), case) for case in row.cases.values())


def _meaning_itself(resource: Resource, row: Row) -> Resource:
    """A resource with a link where an argument means the resource itself by yes."""
    entries = dict(resource.properties.entries)
    for path, named_by in row.itself.items():
        own = entries.get(named_by) if named_by else Link(resource.name, "", resource.place)
        block, _, name = path.rpartition(".")
        within = entries.get(block)
        if not block:
            entries = _with_itself(entries, name, own)
        elif isinstance(within, List):
            entries[block] = within._replace(
                items=tuple(
                    one._replace(entries=_with_itself(one.entries, name, own)) if isinstance(one, Table) else one
                    for one in within.items
                )
            )
    return replace(resource, properties=resource.properties._replace(entries=entries)) if row.itself else resource


def _with_itself(entries: Mapping[str, Node], name: str, own: Node | None) -> dict[str, Node]:
    """Arguments of which one means the resource itself where it is yes, and nothing where it is no."""
    stated = entries.get(name)
    found = {key: node for key, node in entries.items() if key != name}
    if stated is None or (isinstance(stated, Scalar) and str(stated.value).lower() in {"false", "none"}):
        return found
    is_yes = isinstance(stated, Scalar) and own is not None
    return {**found, name: own if is_yes and own is not None else Unknown(_PERHAPS, stated.place)}


def _looked_up(found: Mapping[str, Resource]) -> Iterator[tuple[str, str]]:
    """The types, in CloudFormation's words, of what resources refer to and the plan looks up."""
    for name in dict.fromkeys(link.resource for one in found.values() for link in links(one.properties)):
        *_, kind, _ = ("", "", *(step for step in steps_of(name) if step[0] != "["))
        if name not in found and kind:
            row = row_of(f"data.{kind}") or row_of(kind)
            yield name, row.type if row is not None else kind


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
                properties=Table(entries, resource.place),
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
    qualified = joined([function, ":", qualifier], qualifier.place)
    entries["FunctionName"] = qualifier if isinstance(qualifier, Link) else qualified
    return replace(resource, properties=resource.properties._replace(entries=entries))


def _made_with(resource: Resource) -> dict[str, Resource]:
    """What the provider or AWS makes beside a resource."""
    made = {"AWS::Lambda::Url": _permission, "AWS::ApiGateway::Deployment": _stage}.get(resource.type)
    found = made(resource) if made is not None else None
    return {} if found is None else {found.name: found}


def _stage(deployment: Resource) -> Resource | None:
    """The stage that a deployment makes which names one."""
    entries = deployment.properties.entries
    if "StageName" not in entries:
        return None
    stated = {name: node for name, node in entries.items() if name in {"RestApiId", "StageName"}}
    stated["DeploymentId"] = Link(deployment.name, "", deployment.place)
    name = entries["StageName"]
    doubt = name if isinstance(name, Unknown) else None
    return _beside(deployment, "stage", "AWS::ApiGateway::Stage", Table(stated, deployment.place), doubt)


def _without_stage(resource: Resource) -> Resource:
    """A deployment without the name of the stage, which is a separate resource."""
    if resource.type != "AWS::ApiGateway::Deployment":
        return resource
    entries = {name: node for name, node in resource.properties.entries.items() if name != "StageName"}
    return replace(resource, properties=resource.properties._replace(entries=entries))


def _permission(url: Resource) -> Resource | None:
    """Who the provider lets call a function URL without authorization: everyone."""
    entries = url.properties.entries
    kind = entries.get("AuthType")
    if kind is None or "TargetFunctionArn" not in entries or (isinstance(kind, Scalar) and kind.value != "NONE"):
        return None
    allowed = {"Action": "lambda:InvokeFunctionUrl", "Principal": "*", "FunctionUrlAuthType": "NONE"}
    stated: dict[str, Node] = {name: Scalar(value, kind.place) for name, value in allowed.items()}
    properties = Table({"FunctionName": entries["TargetFunctionArn"], **stated}, kind.place)
    doubt = None if isinstance(kind, Scalar) else kind if isinstance(kind, Unknown) else Unknown(_PERHAPS, kind.place)
    return _beside(url, "permission", "AWS::Lambda::Permission", properties, doubt)


def _beside(maker: Resource, what: str, kind: str, properties: Table, doubt: Unknown | None) -> Resource:
    return Resource(
        name=f"{maker.name} ({what})",
        type=kind,
        properties=properties,
        place=maker.place,
        made_by=maker.name,
        doubt=maker.doubt or doubt,
        written=maker.written,
    )


_PERHAPS = "the value cannot be read"
