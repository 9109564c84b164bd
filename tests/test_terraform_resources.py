"""The table of a plan's types: of the installed schemas, made of the rows, and each argument is the provider's."""

from __future__ import annotations

import json

import yaml

from scripts import terraform_resources
from tests.evidence.mappings.every_place import TABLE as ARGUMENTS

WRITTEN = json.loads(terraform_resources.TABLE.read_text(encoding="utf-8"))
ROWS = yaml.safe_load(terraform_resources.ROWS.read_text(encoding="utf-8"))


TYPES = terraform_resources.types_of(ROWS)


def test_cloudformations_types_are_those_of_the_version_that_is_installed() -> None:
    found = terraform_resources.described_types(TYPES, ROWS, ARGUMENTS)
    assert WRITTEN["types"] == json.loads(json.dumps(found)), "run scripts/terraform_resources.py"


def test_the_table_is_made_of_the_rows_and_the_provider_has_what_they_name() -> None:
    found = {name: terraform_resources.finished(row, ARGUMENTS[name], TYPES) for name, row in ROWS.items()}
    assert WRITTEN["resources"] == found, "run scripts/terraform_resources.py"
    given = [(name, row, ARGUMENTS[name], TYPES) for name, row in ROWS.items()]
    assert [one for case in given for one in terraform_resources.problems(*case)] == []


def test_a_path_that_neither_schema_has_is_found() -> None:
    row = {"type": "AWS::SQS::Queue", "paths": {"names": "QueueName", "name": "QueueNames"}}
    assert list(terraform_resources.problems("aws_sqs_queue", row, ARGUMENTS["aws_sqs_queue"], TYPES)) == [
        "aws_sqs_queue: the provider has no names",
        "aws_sqs_queue: AWS::SQS::Queue has no QueueNames",
    ]
