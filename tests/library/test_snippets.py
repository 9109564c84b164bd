"""A snippet of the library shows its own control: read as evidence, in CloudFormation and in Terraform."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from tests.evidence.policies.stating import read
from tests.library.evidenced import LIBRARY, SECTIONS, states_in
from tests.library.how.plans import planned
from tests.library.how.snippets import CLOUDFORMATION, TERRAFORM, completed, plain, whole
from threatmodel.stacks.terraform import reader as terraform

BESIDE = {"OrdersDeadLetters", "aws_sqs_queue.orders_dead_letters"}
"""Elements of a snippet that do not need its control: a dead-letter queue has no other."""
HELD = [
    name
    for name, control in LIBRARY.controls.items()
    if control.in_place is not None and control.scope in {*SECTIONS, "account", "pipeline"}
]
UNEQUAL = {
    "dead-letter-queue": "a plan does not hold what jsonencode makes of an ARN that is not known yet",
    "immutable-artifacts": "a variable of Terraform may be null, and a parameter of CloudFormation may not",
    "invoke-source-pinned": "the bucket's name is a parameter, or bucket and permission would wait for each other",
    "modern-tls": "a plan does not hold locals, and the definition has the policy in it",
}
"""Snippets of which one language shows less, and why."""
BOTH = [name for name in HELD if name in CLOUDFORMATION and name in TERRAFORM]


def in_cloudformation(name: str, folder: Path) -> dict[str, str]:
    text = yaml.safe_dump(plain(completed(whole(CLOUDFORMATION[name]))[0]))
    return states_in(LIBRARY.controls[name], read(text), ("template", text), folder)


def in_terraform(name: str, folder: Path) -> dict[str, str]:
    text = planned(TERRAFORM[name])
    return states_in(LIBRARY.controls[name], terraform.read(text, "plan.json"), ("plan", text), folder)


def short(states: dict[str, str]) -> set[str]:
    return {element for element, state in states.items() if state == "absent"} - BESIDE


@pytest.mark.parametrize("name", [name for name in HELD if name in CLOUDFORMATION])
def test_no_template_falls_short_of_its_own_control(name: str, tmp_path: Path) -> None:
    assert short(in_cloudformation(name, tmp_path)) == set()


@pytest.mark.parametrize("name", [name for name in HELD if name in TERRAFORM])
def test_no_plan_falls_short_of_its_own_control(name: str, tmp_path: Path) -> None:
    assert short(in_terraform(name, tmp_path)) == set()


@pytest.mark.parametrize("name", BOTH)
def test_both_languages_show_the_same(name: str, tmp_path: Path) -> None:
    shown = [in_cloudformation(name, tmp_path), in_terraform(name, tmp_path)]
    proven = ["proven" in states.values() for states in shown if states]
    assert (len(set(proven)) < 2) is (name not in UNEQUAL)
