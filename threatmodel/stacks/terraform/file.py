"""Whether a file is a Terraform plan as JSON, and what else it is."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from threatmodel.reading.problems import InputError, Place, refusal
from threatmodel.stacks.terraform.references import table


def at(file: str, part: str = "") -> Place:
    """The place of a part of a plan, or of the plan as a whole."""
    return Place(file, 1, 1, part) if part else Place(file, 0, 0)


def _refusal(file: str, found: str, part: str = "") -> InputError:
    message = f"{found}; expected a Terraform plan as JSON"
    hint = "write it with 'terraform show -json plan.out', where plan.out is what 'terraform plan -out' wrote"
    return refusal("not-a-plan", at(file, part), message, hint)


def plan_in(data: str, file: str) -> Mapping[str, Any]:
    """The plan in a file.  Raises InputError where there is none."""
    raw = _parsed(data, file)
    found = _no_plan(raw)
    if found:
        raise _refusal(file, found)
    return table(raw)


def _parsed(data: str, file: str) -> Any:
    try:
        return json.loads(data.lstrip("\ufeff"))
    except json.JSONDecodeError as error:
        found = "this is no JSON"
        if error.msg == "Extra data" and error.doc[:400].lstrip().startswith('{"@level"'):
            found = "this is the log of 'terraform plan -json'"
        raise _refusal(file, found, f"line {error.lineno}, column {error.colno}") from None
    except RecursionError:
        raise _refusal(file, "this is JSON nested too deeply to be read") from None
    except ValueError:
        raise _refusal(file, "this is JSON with a number that cannot be read") from None


_OTHERS: Mapping[str, frozenset[str]] = {
    "this is a Terraform state": frozenset(("terraform_version", "values")),
    "this is a Terraform state file": frozenset(("lineage", "serial")),
    "this is Infracost's output": frozenset(("currency", "projects")),
    "this is a CloudFormation template": frozenset(("Resources",)),
    "this is Terraform configuration in JSON": frozenset(("resource",)),
    "this is an OpenAPI document": frozenset(("openapi",)),
    "this is a part of a plan": frozenset(("resource_changes",)),
}
"""What else a file may be, by keys that it then has."""


def _no_plan(raw: Any) -> str:
    """What a file is if it is no plan, in words."""
    if not isinstance(raw, dict):
        return f"this is {_KINDS.get(type(raw), 'a number')}"
    if isinstance(raw.get("planned_values"), dict):
        return ""
    other = next((name for name, keys in _OTHERS.items() if keys <= raw.keys()), "this has no 'planned_values'")
    return f"{other}, without 'planned_values'" if "part" in other else other


_KINDS: Mapping[type, str] = {list: "a list", type(None): "null", str: "a text", bool: "a yes or no"}
