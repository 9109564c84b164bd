"""Programs that a plan runs where it is applied."""

from __future__ import annotations

from typing import Any

import pytest

from threatmodel.stacks.terraform.configured import runs_a_program

BLOCK = {"provisioners": [{"type": "local-exec", "expressions": {"command": {"constant_value": "aws s3 ls"}}}]}


@pytest.mark.parametrize("source", [None, 5, "other/module/aws", [], ["terraform-aws-modules/lambda/aws"], {"a": 1}])
def test_a_module_whose_source_is_no_known_builder_runs_its_programs(source: Any) -> None:
    assert runs_a_program(BLOCK, {"source": source})
    assert not runs_a_program(BLOCK, {"source": "terraform-aws-modules/lambda/aws"})
