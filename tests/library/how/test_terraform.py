"""Terraform in the library has the arguments that the providers know."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

import hcl2
import pytest

from tests.library.how.snippets import TERRAFORM, content_problems, document_problems, required
from tests.support import HOME


def table() -> dict[str, Any]:
    """The schemas of Terraform's resources and data sources."""
    path = HOME / "tests" / "library" / "terraform-aws.json"
    types: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))["types"]
    return types


TYPES = table()
META = {
    "*": "block",
    "connection": "any",
    "count": "any",
    "depends_on": "any",
    "for_each": "any",
    "lifecycle": {
        "*": "block",
        "create_before_destroy": "bool",
        "ignore_changes": "any",
        "postcondition": "any",
        "precondition": "any",
        "prevent_destroy": "bool",
        "replace_triggered_by": "any",
    },
    "provider": "any",
    "provisioner": "any",
}
REFERENCE = re.compile(r"(?<![\w.\"])(data\.)?((?:aws|github)_\w+)\.\w+(?:\[[^\]]*\])?\.(\w+)")
NO_TYPE = "is not in terraform-aws.json: misspelt, or run scripts/terraform_schema.py"


def terraform_problems(snippet: str) -> list[str]:
    """What is wrong with a snippet of Terraform."""
    try:
        parsed = hcl2.loads(snippet if snippet.endswith("\n") else f"{snippet}\n")
    except Exception as error:  # noqa: BLE001 - its parser raises what its own parser raises
        return [f"does not parse: {str(error).splitlines()[0]}"]
    found = [*declaration_problems(parsed), *reference_problems(snippet), *action_problems(snippet)]
    return [*found, *content_problems(unencoded(parsed))]


def unencoded(value: Any) -> Any:
    """A value with what is given to jsonencode as data, where it can be read so."""
    match value:
        case dict():
            return {str(key).strip('"'): unencoded(inner) for key, inner in value.items()}
        case list():
            return [unencoded(inner) for inner in value]
        case str() if encoded := re.fullmatch(r"\$\{jsonencode\((.*)\)\}", value, re.DOTALL):
            return unencoded(hcl2.loads(f"value = {encoded[1]}\n")["value"])
        case str():
            return "*" if "${" in value else value.strip('"')
        case _:
            return value


def declaration_problems(parsed: Mapping[str, Any]) -> Iterator[str]:
    """What is wrong with the resources and data sources that are declared."""
    for kind, prefix in (("resource", ""), ("data", "data.")):
        for declared in parsed.get(kind, []):
            for quoted, names in declared.items():
                name = prefix + quoted.strip('"')
                if name not in TYPES:
                    yield f"{name} {NO_TYPE}"
                    continue
                for body in names.values():
                    yield from block_problems(name, body, {**META, **TYPES[name]}, whole=False)


def block_problems(place: str, body: Mapping[str, Any], schema: Mapping[str, Any], *, whole: bool) -> Iterator[str]:
    """What is wrong with one block: unknown arguments, values of a wrong type, and where it is whole what it lacks."""
    given = {name: value for name, value in body.items() if name not in {"__is_block__", "__comments__"}}
    for dynamic in given.pop("dynamic", []):
        given |= {name.strip('"'): inner.get("content", []) for name, inner in dynamic.items()}
    for name, value in given.items():
        here, known = f"{place}.{name}", schema.get(name)
        if known is None:
            yield f"{here}: no such argument"
        elif known == "=":
            yield f"{here} is read only"
        elif isinstance(known, dict):
            yield from nested_problems(here, value, known)
        elif is_block(value) and known != "any":
            yield f"{here} is an argument, not a block"
        elif not fits(value, known.rstrip("!")):
            yield f"{here} is no {known.rstrip('!')}: {value}"
    needed = sorted(name for name, known in schema.items() if name != "*" and required(known)) if whole else []
    yield from (f"{place} lacks {name}" for name in needed if name not in given)


def nested_problems(place: str, value: Any, schema: Mapping[str, Any]) -> Iterator[str]:
    """What is wrong with nested blocks, or with the objects that stand for them."""
    if not is_block(value) and "argument" not in schema["*"]:
        yield f"{place} is a block, not an argument"
    elif isinstance(value, list):
        for body in value:
            if isinstance(body, dict):
                yield from block_problems(place, body, schema, whole=True)


def is_block(value: Any) -> bool:
    """Whether this was written as a block."""
    return isinstance(value, list) and any(isinstance(one, dict) and "__is_block__" in one for one in value)


def fits(value: Any, kind: str) -> bool:
    """Whether a value that is written out can become one of this type; what is computed may be anything."""
    if kind == "any" or value is None or (isinstance(value, str) and value.startswith("${")):
        return True
    element = re.fullmatch(r"(list|set|map)\((.+)\)", kind)
    if element is None:
        return not isinstance(value, list | dict) and scalar_fits(value, kind)
    inner = value.values() if isinstance(value, dict) else value
    right = isinstance(value, dict if element[1] == "map" else list)
    return right and all(fits(one, element[2]) for one in inner)


def scalar_fits(value: Any, kind: str) -> bool:
    """Whether Terraform converts this to the type: text may hold a number, and 1 or true is good text."""
    text = str(value).strip('"').lower()
    patterns = {"bool": r"true|false|.*\$\{.*", "number": r"-?[\d.]+(e\d+)?|.*\$\{.*"}
    return re.fullmatch(patterns.get(kind, r"[^\0]*"), text) is not None


def reference_problems(snippet: str) -> Iterator[str]:
    """The attributes that a snippet reads and that do not exist."""
    for data, name, attribute in REFERENCE.findall(re.sub(r"#.*", "", snippet)):
        known = TYPES.get(data + name)
        if known is None:
            yield f"{data}{name} {NO_TYPE}"
        elif attribute not in known:
            yield f"{data}{name} has no attribute {attribute}"


def action_problems(snippet: str) -> list[str]:
    """The actions in policies that do not exist."""
    written = re.findall(r"\b(?:not_?)?actions?\s*=\s*(\[.*?\]|\"[^\"]*\")", snippet, re.DOTALL | re.IGNORECASE)
    actions = re.findall(r"\"([^\"$]+:[^\"$]+)\"", " ".join(written))
    return document_problems([{"Effect": "Allow", "Action": actions, "Resource": "*"}]) if actions else []


@pytest.mark.parametrize("name", TERRAFORM)
def test_terraform(name: str) -> None:
    assert terraform_problems(TERRAFORM[name]) == []


WRONG_TERRAFORM = {
    "misspelt argument": (
        'resource "aws_lambda_function" "f" {\n  time_out = 5\n}\n',
        "aws_lambda_function.time_out: no such argument",
    ),
    "misspelt argument of a block": (
        'resource "aws_lambda_function" "f" {\n  tracing_config {\n    modus = "Active"\n  }\n}\n',
        "aws_lambda_function.tracing_config.modus: no such argument",
    ),
    "required in a block": (
        'resource "aws_lambda_function" "f" {\n  tracing_config {}\n}\n',
        "aws_lambda_function.tracing_config lacks mode",
    ),
    "unknown resource type": ('resource "aws_lambda_functions" "f" {}\n', f"aws_lambda_functions {NO_TYPE}"),
    "wrong type": (
        'resource "aws_lambda_function" "f" {\n  timeout = "five"\n}\n',
        'aws_lambda_function.timeout is no number: "five"',
    ),
    "list for text": (
        'resource "aws_lambda_function" "f" {\n  role = ["a"]\n}\n',
        "aws_lambda_function.role is no string",
    ),
    "text for a list": (
        'resource "aws_lambda_function" "f" {\n  layers = "a"\n}\n',
        "aws_lambda_function.layers is no list(string)",
    ),
    "read only": ('resource "aws_lambda_function" "f" {\n  arn = "a"\n}\n', "aws_lambda_function.arn is read only"),
    "argument for a block": (
        'resource "aws_lambda_function" "f" {\n  environment = { variables = {} }\n}\n',
        "aws_lambda_function.environment is a block, not an argument",
    ),
    "block for an argument": (
        'resource "aws_lambda_function" "f" {\n  tags {\n    a = "b"\n  }\n}\n',
        "aws_lambda_function.tags is an argument, not a block",
    ),
    "misspelt in a dynamic block": (
        (
            'resource "aws_security_group" "g" {\n  dynamic "egress" {\n    for_each = var.a\n'
            "    content {\n      form_port = 1\n    }\n  }\n}\n"
        ),
        "aws_security_group.egress.form_port: no such argument",
    ),
    "misspelt meta-argument": (
        'resource "aws_lambda_function" "f" {\n  lifecycle {\n    prevent_destruction = true\n  }\n}\n',
        "aws_lambda_function.lifecycle.prevent_destruction: no such argument",
    ),
    "misspelt attribute": (
        'resource "aws_sns_topic" "t" {\n  name = aws_lambda_function.f.funktion_name\n}\n',
        "aws_lambda_function has no attribute funktion_name",
    ),
    "unknown data source": ('data "aws_iam_policy_documents" "d" {}\n', f"data.aws_iam_policy_documents {NO_TYPE}"),
    "misspelt action": (
        'data "aws_iam_policy_document" "d" {\n  statement {\n    actions = ["s3:GetObjects"]\n  }\n}\n',
        "Statement.0.Action: W3037 'getobjects'",
    ),
    "misspelt in a pattern": (
        ('resource "aws_cloudwatch_event_rule" "r" {\n  event_pattern = jsonencode({ "detailtype" = ["a"] })\n}\n'),
        "event pattern: no event has detailtype",
    ),
    "misspelt in a policy": (
        (
            'resource "aws_iam_role_policy" "p" {\n'
            '  policy = jsonencode({ Statement = [{ Efect = "Allow", Action = "s3:GetObject" }] })\n}\n'
        ),
        "policy: Statement.0.Efect: E3510",
    ),
    "no HCL": ('resource "aws_sns_topic" "t" {\n', "does not parse"),
}


@pytest.mark.parametrize("name", WRONG_TERRAFORM)
def test_wrong_terraform_is_found(name: str) -> None:
    snippet, message = WRONG_TERRAFORM[name]
    assert [problem for problem in terraform_problems(snippet) if problem.startswith(message)]


def test_terraform_may_compute_what_it_encodes() -> None:
    statement = '{ Effect = "Allow", Action = "s3:GetObject", Resource = "${aws_s3_bucket.b.arn}/*" }'
    snippet = f'resource "aws_iam_role_policy" "p" {{\n  policy = jsonencode({{ Statement = [{statement}] }})\n}}\n'
    assert terraform_problems(snippet) == []
