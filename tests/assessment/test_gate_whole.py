"""Everything that a check reports of one model that has each decision in each state of its term, by several rules."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from threatmodel.command.main import main

GATED = Path("tests", "assessment", "gated")
RULES = {
    "default": (),
    "ignored": ("--ignore-acceptances",),
    "strict": ("--strict", "--require-proof", "--fail-on", "low"),
    "lax": ("--allow-undetermined", "--fail-on", "critical"),
    "policy": ("--policy", str(GATED / "policy.yaml")),
}
THREAT = "over-privileged-role"
NOT_STATED = "not-stated:"
"""How the names of hundreds of results of a strict check begin."""


@pytest.mark.parametrize("rules", RULES)
def test_each_result_with_its_place_and_what_to_do(
    rules: str, capsys: pytest.CaptureFixture[str], golden: Callable[[str, str], None]
) -> None:
    """Of the findings, those of the threat that is accepted; and of what is not stated, nothing."""
    arguments = ("check", str(GATED / "model.yaml"), "--today", "2026-11-25", "--format", "json", *RULES[rules])
    assert main(arguments) == 1
    (found,) = json.loads(capsys.readouterr().out)["models"]
    results = [one for one in found["results"] if one["rule"] == THREAT or one["score"] is None]
    lines = [json.dumps(one, ensure_ascii=False) for one in results if not one["name"].startswith(NOT_STATED)]
    golden(f"check/gate-{rules}.txt", "\n".join(lines) + "\n")


def test_a_policy_that_names_an_unknown_control_is_rejected(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    policy = tmp_path / "policy.yaml"
    policy.write_text("proven: [least-privilege-rol]\n", encoding="utf-8")
    assert main(("check", str(GATED / "model.yaml"), "--today", "2026-11-25", "--policy", str(policy))) == 2
    said = "unknown-control: there is no control 'least-privilege-rol'; did you mean 'least-privilege-role'?"
    assert said in capsys.readouterr().err
