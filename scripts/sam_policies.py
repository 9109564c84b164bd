"""Write the table of what SAM's policy templates and connectors grant, and the names of the templates for a test.

Both come from the package aws-sam-translator (Apache-2.0), which has to be installed.  In the texts of the table
``${Name}`` stands for a value: a parameter of the template, or ``Source.Arn`` and such of a connector.

Run: .venv/bin/python scripts/sam_policies.py [--check]
"""

from __future__ import annotations

import argparse
import importlib.metadata
import importlib.resources
import json
import re
import sys
from pathlib import Path
from typing import Any

HOME = Path(__file__).resolve().parent.parent
TABLE = HOME / "threatmodel" / "stacks" / "sam" / "sam-policies.json"
NAMES = HOME / "tests" / "library" / "sam-policies.json"
PACKAGE = "aws-sam-translator"
KINDS = {
    "AWS_IAM_ROLE_MANAGED_POLICY": "role",
    "AWS_LAMBDA_PERMISSION": "permission",
    "AWS_SNS_TOPIC_POLICY": "topic",
    "AWS_SQS_QUEUE_POLICY": "queue",
}


def read(*path: str) -> Any:
    """A data file of the package."""
    return json.loads(importlib.resources.files("samtranslator").joinpath(*path).read_text(encoding="utf-8"))


def flat(node: Any) -> Any:
    """Data whose Fn::Sub and Ref are texts with ``${...}``."""
    if isinstance(node, list):
        return [flat(child) for child in node]
    if not isinstance(node, dict):
        return re.sub(r"%\{", "${", node) if isinstance(node, str) else node
    if set(node) == {"Ref"}:
        return f"${{{node['Ref']}}}"
    if set(node) == {"Fn::Sub"}:
        pattern, values = node["Fn::Sub"] if isinstance(node["Fn::Sub"], list) else (node["Fn::Sub"], {})
        spelt = {name: flat(value) for name, value in values.items()}
        return re.sub(r"\$\{(\w+)\}", lambda found: spelt.get(found[1], found[0]), pattern)
    if any(key.startswith("Fn::") for key in node):
        raise ValueError(f"a function that this script does not know: {', '.join(node)}")
    return {key: flat(child) for key, child in node.items()}


def templates() -> dict[str, Any]:
    """The policy templates: parameters and statements."""
    found = read("policy_templates_data", "policy_templates.json")["Templates"]
    return {
        name: {"parameters": sorted(one["Parameters"]), "statements": flat(one["Definition"]["Statement"])}
        for name, one in sorted(found.items())
    }


def connectors() -> dict[str, Any]:
    """The connectors, by type of source and of destination: whose policy it is, and what each permission grants."""
    found = read("model", "connector_profiles", "profiles.json")["Permissions"]
    return {
        source: {
            destination: {
                "kind": KINDS[profile["Type"]],
                "source": profile["Properties"]["SourcePolicy"],
                "categories": {
                    name: flat(granted.get("Statement", granted))
                    for name, granted in profile["Properties"]["AccessCategories"].items()
                },
            }
            for destination, profile in sorted(profiles.items())
        }
        for source, profiles in sorted(found.items())
    }


def texts() -> dict[Path, str]:
    """What this script writes, by file."""
    head = [
        f"Written by scripts/sam_policies.py out of {PACKAGE} {importlib.metadata.version(PACKAGE)}: its",
        "policy_templates.json and profiles.json, reshaped. serverless-application-model, Copyright 2018",
        "Amazon.com, Inc. or its affiliates. All Rights Reserved. Licensed under the Apache License, Version 2.0",
        "(Apache-2.0).",
    ]
    made = templates()
    parts = {"templates": made, "connectors": connectors()}
    lines = [f'"about": {json.dumps(" ".join(head))}']
    for part, entries in parts.items():
        rows = ",\n".join(f"  {json.dumps(name)}: {json.dumps(one)}" for name, one in entries.items())
        lines.append(f'"{part}": {{\n{rows}\n}}')
    names = ",\n".join(f"{json.dumps(name)}: {json.dumps(one['parameters'])}" for name, one in made.items())
    return {TABLE: "{\n" + ",\n".join(lines) + "\n}\n", NAMES: f"{{\n{names}\n}}\n"}


def main() -> int:
    """Write the tables, or say whether they are as this script would write them."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--check", action="store_true", help="write nothing; exit with 1 where a table differs")
    check = parser.parse_args().check
    stale = [path for path, text in texts().items() if not path.exists() or path.read_text(encoding="utf-8") != text]
    for path in stale:
        if not check:
            path.write_text(texts()[path], encoding="utf-8")
        print(f"{'differs' if check else 'written'}: {path.relative_to(HOME)}")
    return 1 if check and stale else 0


if __name__ == "__main__":
    sys.exit(main())
