"""Places in plans exist."""

from __future__ import annotations

import pytest

from tests.evidence.mappings.every_place import (
    MAPPINGS,
    cloudformation_ends,
    every_source,
    template_problems,
    terraform_ends,
)
from threatmodel.evidence.mappings.format import parse_path


@pytest.mark.parametrize(
    ("name", "path", "problem"),
    [
        ("aws_lambda_functions", "runtime", "is not in terraform-aws.json"),
        ("aws_lambda_function", "runtimes", "nothing at runtimes"),
        ("aws_lambda_function", "vpc_config.subnet_ids", "is a list in a plan"),
        ("aws_lambda_function", "vpc_config[].subnets[]", "nothing at"),
        ("aws_lambda_function", "runtime[]", "nothing at"),
        ("aws_lambda_function", "arn", "known after apply only"),
        ("aws_api_gateway_integration", "tls_config[skip=true].insecure_skip_verification", "nothing at"),
    ],
)
def test_wrong_name_in_terraform_is_found(name: str, path: str, problem: str) -> None:
    assert problem in terraform_ends(name, parse_path(path) or ())


def test_wrong_step_is_found() -> None:
    source = next(source for source in every_source(MAPPINGS) if source.steps)
    assert list(template_problems(source, cloudformation_ends)) == []
    assert list(template_problems(source, lambda _name, path: "wrong" if path else []))
