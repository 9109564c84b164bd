"""What receives a stack knows CloudFormation's types alone; the types of Terraform that are still named can only go."""

from __future__ import annotations

import re

from tests.support import HOME

PACKAGES = ("evidence", "graph", "authoring")
NO_TYPES = {"aws_policy_name"}
TO_GO: set[str] = set()
"""Types, and beginnings of types, that a plan's reader does not say in CloudFormation's words yet: add none."""


def test_no_package_that_receives_a_stack_names_a_type_of_terraform() -> None:
    files = [
        path
        for name in PACKAGES
        for path in (HOME / "threatmodel" / name).rglob("*")
        if path.suffix in {".py", ".yaml"}
    ]
    named = {
        found for path in files for found in re.findall(r"(?<![\w.])aws_[a-z0-9_]+", path.read_text(encoding="utf-8"))
    }
    assert len(files) > 100
    assert named - NO_TYPES == TO_GO
