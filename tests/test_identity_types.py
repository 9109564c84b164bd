"""The table of IAM's types is that of what is installed, and each type that gives a role rights is read."""

from __future__ import annotations

import json

from scripts import identity_types
from tests.evidence.mappings.every_place import MAPPINGS, every_source
from threatmodel.stacks.terraform.rows import row_of

WRITTEN = json.loads(identity_types.TABLE.read_text(encoding="utf-8"))
TAKES_AWAY = {"aws_iam_role_policies_exclusive"}
"""It names policies that stand elsewhere and takes all others away."""


def test_the_types_of_cloudformation_are_those_of_the_version_that_is_installed() -> None:
    found = identity_types.table(identity_types.cloudformation())
    assert found["gives"], "cfn-lint has no types of IAM any more"
    for kind, names in found.items():
        assert [name for name in WRITTEN[kind] if name.startswith("AWS::")] == names


def test_a_type_gives_rights_where_it_names_a_role_and_a_policy() -> None:
    types = {"role": ("Roles", "PolicyDocument"), "group": ("Groups", "PolicyDocument"), "profile": ("Roles", "Path")}
    assert identity_types.table(types.items()) == {"gives": ["role"], "gives_nothing": ["group", "profile"]}


def test_each_type_that_gives_a_role_rights_is_read() -> None:
    read = {name for source in every_source(MAPPINGS) for step in source.steps for name in step.types}
    in_these_words = {name for name in WRITTEN["gives"] if row_of(name) is not None}
    assert set(WRITTEN["gives"]) - read - in_these_words == TAKES_AWAY
