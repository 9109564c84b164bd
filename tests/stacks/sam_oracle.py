"""What SAM itself makes of a template, and what of it can be compared with our reading: plain sets and lists."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import boto3
import yaml
from samtranslator.parser.parser import Parser
from samtranslator.translator.translator import Translator

from threatmodel.stacks import sam
from threatmodel.stacks.cloudformation import reader as cloudformation
from threatmodel.stacks.stack import Resource, Stack
from threatmodel.stacks.values import Joined, Node, Scalar, Table, Unknown, get, items, links, text, unknowns

_LOCAL = {
    "AWS::Serverless::Function": ("CodeUri", "ImageUri"),
    "AWS::Serverless::WebFunction": ("CodeUri",),
    "AWS::Serverless::LayerVersion": ("ContentUri",),
    "AWS::Serverless::Api": ("DefinitionUri",),
    "AWS::Serverless::HttpApi": ("DefinitionUri",),
    "AWS::Serverless::StateMachine": ("DefinitionUri",),
    "AWS::Serverless::GraphQLApi": ("SchemaUri",),
}


class Role(NamedTuple):
    """What a role may do: action patterns, and managed policies by name.  `open` where part of it is unknown."""

    actions: frozenset[str]
    managed: frozenset[str]
    open: bool = False


class Reading(NamedTuple):
    """What is compared of a template; permissions and mappings are by the function that they are for."""

    functions: frozenset[str]
    urls: frozenset[str]
    roles: Mapping[str, Role]
    permissions: Counter[tuple[str, str, bool]]
    mappings: Counter[tuple[str, frozenset[str]]]
    made: Mapping[str, str]


# --- theirs


class _Loader(yaml.SafeLoader):
    """YAML with CloudFormation's short tags."""


def _function(loader: yaml.SafeLoader, suffix: str, node: yaml.Node) -> dict[str, Any]:
    value: Any
    if isinstance(node, yaml.ScalarNode):
        value = loader.construct_scalar(node)
        value = value.split(".", 1) if suffix == "GetAtt" else value
    elif isinstance(node, yaml.SequenceNode):
        value = loader.construct_sequence(node, deep=True)
    else:
        assert isinstance(node, yaml.MappingNode)
        value = loader.construct_mapping(node, deep=True)
    return {suffix if suffix in {"Ref", "Condition"} else f"Fn::{suffix}": value}


_Loader.add_multi_constructor("!", _function)
_Loader.yaml_implicit_resolvers = {
    key: [one for one in found if one[0] != "tag:yaml.org,2002:timestamp"]
    for key, found in _Loader.yaml_implicit_resolvers.items()
}


def loaded(written: str) -> dict[str, Any]:
    """The template as plain data."""
    template: dict[str, Any] = yaml.load(written, _Loader)  # noqa: S506 - a safe loader with tags that make mappings
    return template


def translated(written: str) -> dict[str, Any]:
    """The template as SAM transforms it; files that it names are taken as uploaded.  Raises what SAM raises."""
    template = loaded(written)
    for resource in template.get("Resources", {}).values():
        _upload(resource.get("Type"), resource.setdefault("Properties", {}))
    for kind, properties in template.get("Globals", {}).items():
        _upload(f"AWS::Serverless::{kind}", properties)
    session = boto3.Session(region_name="us-east-1")
    made: dict[str, Any] = Translator({}, Parser(), boto_session=session).translate(template, parameter_values={})
    return made


def _upload(kind: Any, properties: dict[str, Any]) -> None:
    for name in _LOCAL.get(str(kind), ()):
        if isinstance(properties.get(name), str) and not properties[name].startswith("s3://"):
            properties[name] = "123456789012.dkr.ecr.us-east-1.amazonaws.com/a" if name == "ImageUri" else "s3://b/k"
    if kind == "AWS::Serverless::Function" and "ImageUri" not in properties and "InlineCode" not in properties:
        if properties.get("PackageType") == "Image":
            properties["ImageUri"] = "123456789012.dkr.ecr.us-east-1.amazonaws.com/a"
        else:
            properties.setdefault("CodeUri", "s3://b/k")
    if kind == "AWS::Serverless::Application" and isinstance(properties.get("Location"), str):
        properties["Location"] = "https://s3.amazonaws.com/b/k"


def theirs(made: dict[str, Any]) -> Reading:
    """What is compared, out of SAM's output."""
    resources: dict[str, Any] = made["Resources"]
    by_type: dict[str, list[str]] = {}
    for name, resource in resources.items():
        by_type.setdefault(resource["Type"], []).append(name)

    def named(value: Any) -> frozenset[str]:
        """The resources that a value refers to, an alias as its function."""
        found = {one for one in _references(value) if one in resources}
        aliases = {one for one in found if resources[one]["Type"] == "AWS::Lambda::Alias"}
        return frozenset(found - aliases).union(
            *(named(resources[one]["Properties"]["FunctionName"]) for one in aliases)
        )

    extra: dict[str, list[Any]] = {}
    for name in by_type.get("AWS::IAM::ManagedPolicy", ()):
        for role in named(resources[name]["Properties"].get("Roles")):
            extra.setdefault(role, []).append(resources[name]["Properties"]["PolicyDocument"])
    permissions = [resources[name]["Properties"] for name in by_type.get("AWS::Lambda::Permission", ())]
    mappings = [resources[name]["Properties"] for name in by_type.get("AWS::Lambda::EventSourceMapping", ())]
    return Reading(
        functions=frozenset(by_type.get("AWS::Lambda::Function", ())),
        urls=frozenset(by_type.get("AWS::Lambda::Url", ())),
        roles={
            name: _their_role(resources[name]["Properties"], extra.get(name, []))
            for name in by_type.get("AWS::IAM::Role", ())
        },
        permissions=Counter(
            (_one(named(one["FunctionName"])), str(one["Principal"]), _pinned(one)) for one in permissions
        ),
        mappings=Counter((_one(named(one["FunctionName"])), named(one.get("EventSourceArn"))) for one in mappings),
        made={name: resource["Type"] for name, resource in resources.items()},
    )


def _one(names: frozenset[str]) -> str:
    return ",".join(sorted(names))


def _pinned(permission: Mapping[str, Any]) -> bool:
    return any(permission.get(name) is not None for name in ("SourceArn", "SourceAccount", "EventSourceToken"))


def _their_role(properties: dict[str, Any], documents: list[Any]) -> Role:
    found = [*documents, *_inside(properties.get("Policies"), "PolicyDocument")]
    managed = {_ending(one) for one in _each(properties.get("ManagedPolicyArns"))} - {""}
    return Role(
        frozenset(action for one in found for action in _actions(one)),
        frozenset(one.rpartition("/")[2] for one in managed),
    )


def _each(value: Any) -> Iterator[Any]:
    """Items of a list, or of both sides of a choice."""
    if isinstance(value, list):
        for one in value:
            yield from _each(one)
    elif isinstance(value, dict) and "Fn::If" in value:
        yield from _each(value["Fn::If"][1:])
    else:
        yield value


def _ending(value: Any) -> str:
    """The text that a value ends with."""
    if isinstance(value, dict):
        told = value.get("Fn::Sub", value.get("Fn::Join", ["", [""]])[1])
        value = told[-1] if isinstance(told, list) and isinstance(told[-1], str) else told
    return re.sub(r"\$\{[^}]*\}", "", value) if isinstance(value, str) else ""


def _inside(value: Any, key: str) -> Iterator[Any]:
    if isinstance(value, list):
        for one in value:
            yield from _inside(one, key)
    elif isinstance(value, dict):
        if key in value:
            yield value[key]
        else:
            for one in value.values():
                yield from _inside(one, key)


def _actions(document: Any) -> Iterator[str]:
    if isinstance(document, list):
        for one in document:
            yield from _actions(one)
    elif isinstance(document, dict):
        if document.get("Effect") == "Allow" and "Action" in document:
            yield from (one.lower() for one in _texts(document["Action"]))
        else:
            for one in document.values():
                yield from _actions(one)


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for one in value:
            yield from _texts(one)


def _references(value: Any) -> Iterator[str]:
    if isinstance(value, list):
        for one in value:
            yield from _references(one)
    elif isinstance(value, dict):
        for key, one in value.items():
            if key == "Ref":
                yield str(one)
            elif key == "Fn::GetAtt":
                yield one[0] if isinstance(one, list) else one.split(".")[0]
            elif key == "Fn::Sub":
                pattern = one[0] if isinstance(one, list) else one
                yield from re.findall(r"\$\{(\w+)", pattern)
                yield from _references(one[1] if isinstance(one, list) else None)
            else:
                yield from _references(one)


# --- ours


def read(written: str) -> Stack:
    """The template as we read it."""
    return sam.expanded(*cloudformation.read(written, "template.yaml"))


def ours(stack: Stack) -> Reading:
    """What is compared, out of our stack; what would not be made with the parameters' defaults is left out."""
    there = {name: one for name, one in stack.resources.items() if not _usually_absent(one)}

    def named(node: Node | None) -> frozenset[str]:
        found = {link.resource for link in links(_usual(node)) if link.resource in there}
        aliases = {one for one in found if there[one].type == "AWS::Lambda::Alias"}
        return frozenset(found - aliases).union(*(named(get(there[one].properties, "FunctionName")) for one in aliases))

    def of(kind: str) -> list[Resource]:
        return [one for one in there.values() if one.type == kind]

    extra: dict[str, list[Node]] = {}
    for policy in of("AWS::IAM::ManagedPolicy"):
        for role in named(get(policy.properties, "Roles")):
            extra.setdefault(role, []).append(get(policy.properties, "PolicyDocument") or policy.properties)
    functions = {"AWS::Lambda::Function", "AWS::Serverless::Function"}
    return Reading(
        functions=frozenset(one.name for one in there.values() if one.type in functions),
        urls=frozenset(one.name for one in of("AWS::Lambda::Url")),
        roles={one.name: _our_role(one, extra.get(one.name, [])) for one in of("AWS::IAM::Role")},
        permissions=Counter(
            (
                _one(named(get(one.properties, "FunctionName"))),
                text(get(one.properties, "Principal")) or "?",
                _pinned(one.properties.entries),
            )
            for one in of("AWS::Lambda::Permission")
        ),
        mappings=Counter(
            (_one(named(get(one.properties, "FunctionName"))), named(get(one.properties, "EventSourceArn")))
            for one in of("AWS::Lambda::EventSourceMapping")
        ),
        made={name: one.type for name, one in there.items()},
    )


def _usually_absent(resource: Resource) -> bool:
    doubt = resource.doubt
    return bool(resource.made_by and doubt and isinstance(doubt.usual, Scalar) and doubt.usual.value is False)


def _usual(node: Node | None) -> Node | None:
    return node.usual if isinstance(node, Unknown) and node.usual is not None else node


def _our_role(role: Resource, documents: list[Node]) -> Role:
    inline = get(role.properties, "Policies")
    managed = get(role.properties, "ManagedPolicyArns")
    found = [*documents, *(get(one, "PolicyDocument") for one in items(_usual(inline)))]
    actions = {action for one in found for action in _our_actions(one)}
    names = {_last(_usual(one)) for one in items(_usual(managed))} - {""}
    told = [inline, *(_action_parts(one) for one in found), managed]
    open_ = any(isinstance(one, Unknown) or _opens(one) for one in told)
    return Role(frozenset(actions), frozenset(names), open_)


def _opens(node: Node | None) -> bool:
    return any(True for _ in unknowns(node)) if isinstance(node, Scalar | Unknown) else _any_unknown_item(node)


def _any_unknown_item(node: Node | None) -> bool:
    return any(isinstance(one, Unknown) or isinstance(get(one, "PolicyDocument"), Unknown) for one in items(node))


def _action_parts(document: Node | None) -> Node | None:
    statements = get(document, "Statement")
    for one in items(statements):
        for key in ("Effect", "Action"):
            for part in items(get(one, key)):
                if isinstance(part, Unknown):
                    return part
        if isinstance(one, Unknown):
            return one
    return document if isinstance(document, Unknown) else None


def _our_actions(document: Node | None) -> Iterator[str]:
    for statement in items(get(_usual(document), "Statement")):
        told = _usual(statement)
        if isinstance(told, Table) and text(_usual(get(told, "Effect"))) == "Allow":
            for action in items(_usual(get(told, "Action"))):
                spelt = text(_usual(action))
                if spelt is not None:
                    yield spelt.lower()


def _last(node: Node | None) -> str:
    spelt = text(node)
    if spelt is None and isinstance(node, Joined) and isinstance(node.parts[-1], str):
        spelt = node.parts[-1]
    return (spelt or "").rpartition("/")[2]
