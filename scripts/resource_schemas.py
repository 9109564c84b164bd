#!/usr/bin/env python3
"""Write threatmodel/stacks/resource-schemas.json: what AWS's own schemas of CloudFormation's types show.

The schemas come from cfn-lint, which is installed.  The table holds the types there are, and of each the properties
that hold a policy for a resource, or name a principal beside an action: who is named there has a right.  It also holds
the property that enables encryption, and which types are in a network.

    .venv/bin/python scripts/resource_schemas.py [--check]

`--check` writes nothing and fails where the table would differ.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections.abc import Iterator, Mapping
from importlib import metadata
from pathlib import Path
from typing import Any

from cfnlint.helpers import REGIONS
from cfnlint.schema.manager import PROVIDER_SCHEMA_MANAGER

HOME = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(HOME))  # started as a script, it finds what is beside its own folder

from scripts.tables import kept  # noqa: E402

TABLE = HOME / "threatmodel" / "stacks" / "resource-schemas.json"
REGION = "us-east-1"
"""The Region whose schema of a type is read: the one where most types are, first."""
_DEEPEST = 8

_DOCUMENT = re.compile(r"(?:\A|[a-z0-9])(?:Polic(?:y|ies)|PolicyDocument|PolicyText|Statement)\Z")
"""How properties are called that hold a policy as an object, or as an object or its JSON."""
_JSON_ONLY = frozenset((
    *("Policy", "PolicyDocument", "PolicyText", "RepositoryPolicy", "DestinationPolicy", "ModelPolicy"),
    "InvestigationGroupPolicy",
))  # fmt: skip
"""And those that hold one as JSON alone: other texts of such names are the names of presets."""
_OTHER_GRAMMARS = re.compile(
    r"(?:Archive|DataProtection|Delivery|Filter|Inline|Lifecycle|Redrive|RedriveAllow|Replay|Session)Policy"
)
"""Policies that name no principals: of messages, of retention, of an identity itself."""
_GIVES_NOTHING = re.compile(
    r"AWS::(?:IAM::(?!Role\Z)|EC2::|EKS::|Transfer::|VerifiedPermissions::|BedrockAgentCore::Policy\Z|NetworkManager::"
    r"|RolesAnywhere::|OpenSearchServerless::|IoT::|Serverless::|Config::)"
)
"""Types whose documents belong to an identity, bound a network path, or are written in another language.

Cedar is one; OpenSearch Serverless has another, whose permissions are no actions of IAM.
"""
_IDENTITY = "Policies.[].PolicyDocument"
_ITS_OWN_NAME = re.compile(r"(?:PolicyName|StatementId|PolicyType|PolicyId|Name|Type|Description|Id)\Z")
_STANDS_ALONE = re.compile(r"(?:Policy|PolicyStatement|Permission)\Z")


def schemas() -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Every type that cfn-lint knows in some Region, with its schema there."""
    found = {
        name: region for region in (*REGIONS, REGION) for name in PROVIDER_SCHEMA_MANAGER.get_resource_types(region)
    }
    for name, region in sorted(found.items()):
        yield name, PROVIDER_SCHEMA_MANAGER.get_resource_schema(region, name).schema


def resolved(schema: Any, root: Mapping[str, Any]) -> Mapping[str, Any]:
    """A schema behind its references."""
    while isinstance(schema, dict) and "$ref" in schema:
        node: Any = root
        for step in schema["$ref"].removeprefix("#/").split("/"):
            node = node[step.replace("~1", "/")]
        schema = node
    return schema if isinstance(schema, dict) else {}


def properties(
    schema: Any, root: Mapping[str, Any], path: tuple[str, ...] = (), above: frozenset[int] = frozenset()
) -> Iterator[tuple[tuple[str, ...], Mapping[str, Any]]]:
    """Every property within a schema with its path, `[]` for the items of a list; recursion is entered once."""
    found = resolved(schema, root)
    if id(found) in above or len(path) > _DEEPEST:
        return
    above |= {id(found)}
    for name, inner in found.get("properties", {}).items():
        yield (*path, name), resolved(inner, root)
        yield from properties(inner, root, (*path, name), above)
    if "items" in found:
        yield from properties(found["items"], root, (*path, "[]"), above)
    for choice in (one for word in ("oneOf", "anyOf", "allOf") for one in found.get(word, ())):
        yield from properties(choice, root, path, above)


def kinds(schema: Mapping[str, Any]) -> frozenset[str]:
    """The types of JSON that a property may hold."""
    found = schema.get("type", ())
    return frozenset((found,) if isinstance(found, str) else found)


_SWITCH = re.compile(
    r"Encrypted|StorageEncrypted|AtRestEncryptionEnabled|SSESpecification\.SSEEnabled|EncryptionAtRestOptions\.Enabled"
    r"|StreamEncryption\.EncryptionType"
)
"""The properties that enable encryption of what a resource keeps."""
_IN_A_NETWORK = re.compile(r"\w*SecurityGroup(?:s|Ids|Names)|SubnetIds?|\w*SubnetGroupName|VPCOptions")
"""The properties that put a resource into a network, where clients reach it without a grant."""
_MOUNT = "AWS::EFS::MountTarget"
"""The one type that puts a resource of another type into a network."""


def switch(schema: Mapping[str, Any]) -> str:
    """The property that enables encryption at rest; '' where there is none."""
    paths = (".".join(path) for path, _ in properties(schema, schema))
    return next((path for path in paths if _SWITCH.fullmatch(path)), "")


def read_only(schema: Mapping[str, Any]) -> frozenset[str]:
    """The properties of a type that AWS alone gives."""
    paths = [one.split("/")[2:] for one in schema.get("readOnlyProperties", ())]
    return frozenset(path[0] for path in paths if len(path) == 1)


def holds_a_policy(path: tuple[str, ...], schema: Mapping[str, Any]) -> bool:
    """Whether a property holds a policy that names principals."""
    name = path[-1]
    if _OTHER_GRAMMARS.search(name) or ".".join(path) == _IDENTITY:
        return False
    if "object" in kinds(schema):
        open_ended = not schema.get("properties") and not schema.get("patternProperties")
        return open_ended and bool(_DOCUMENT.search(name) or name.endswith("PolicyDocument"))
    return kinds(schema) == {"string"} and name in _JSON_ONLY and "enum" not in schema


def documents(name: str, schema: Mapping[str, Any]) -> list[str]:
    """The properties of a type that hold a policy of a resource."""
    if _GIVES_NOTHING.match(name):
        return []
    found = {".".join(path) for path, inner in properties(schema, schema) if holds_a_policy(path, inner)}
    return sorted(one.replace(".[]", "[]") for one in found)


def about(name: str, schema: Mapping[str, Any], but: frozenset[str]) -> list[str]:
    """The properties with what a policy is about; none where it is about the resource that holds it."""
    if not _STANDS_ALONE.search(name):
        return []
    identifying = [one.rpartition("/")[2] for one in schema.get("primaryIdentifier", ())]
    wanted = dict.fromkeys([*schema.get("required", ()), *identifying])
    own = {one for one in wanted if _ITS_OWN_NAME.fullmatch(one)}
    return [one for one in wanted if one not in but | read_only(schema) | own]


def table() -> dict[str, Any]:
    """The table: types by service, and policies and permissions by type."""
    services: dict[str, list[str]] = {}
    policies: dict[str, Any] = {}
    permissions: dict[str, Any] = {}
    switches: dict[str, str] = {}
    networked: dict[str, bool] = {}
    for name, schema in schemas():
        space, _, last = name.rpartition("::")
        services.setdefault(space, []).append(last)
        if found := documents(name, schema):
            policies[name] = {"documents": found, "about": about(name, schema, frozenset(found))}
        actions = {"Action", "Actions"} & schema.get("properties", {}).keys()
        if actions and "Principal" in schema["properties"]:
            (action,) = actions
            permissions[name] = {
                "principal": "Principal",
                "action": action,
                "about": about(name, schema, frozenset(("Principal", action))),
            }
        if found_switch := switch(schema):
            switches[name] = found_switch
        if any(map(_IN_A_NETWORK.fullmatch, schema.get("properties", {}))):
            networked[name if name != _MOUNT else "AWS::EFS::FileSystem"] = True
    types = {space: " ".join(names) for space, names in sorted(services.items())}
    return {
        "types": types,
        "policies": policies,
        "permissions": permissions,
        "encryption": switches,
        "networked": {"types": " ".join(networked)},
    }


def text(found: Mapping[str, Any]) -> str:
    """The table as text, a line a row."""
    about = f"Written by scripts/resource_schemas.py from the schemas of cfn-lint {metadata.version('cfn-lint')}."
    lines = [f'"about": {json.dumps(about)}']
    for key, rows in found.items():
        inner = ",\n".join(f"  {json.dumps(name)}: {json.dumps(row)}" for name, row in rows.items())
        lines.append(f"{json.dumps(key)}: {{\n{inner}\n }}")
    return "{\n " + ",\n ".join(lines) + "\n}\n"


def main(arguments: list[str]) -> int:
    """Write or compare the table; the exit code."""
    parser = argparse.ArgumentParser(description="Write the table of what AWS's schemas say of types.")
    parser.add_argument("--check", action="store_true", help="write nothing, fail where the table differs")
    return kept(TABLE, text(table()), check=parser.parse_args(arguments).check)


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
