"""A policy file: each key becomes the rule of its name, none is left out, and what is mistyped is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from threatmodel.assessment.gate.policy import load_policy
from threatmodel.assessment.gate.results import Rules
from threatmodel.model.longest import YEAR
from threatmodel.reading.files import Files
from threatmodel.reading.problems import InputError, Place


def loaded(folder: Path, text: str) -> Rules:
    path = folder / "policy.yaml"
    path.write_text(text, encoding="utf-8")
    return load_policy(Files(), path)


DEFAULTS = Rules(longest_acceptance=YEAR, longest_attestation=YEAR)


def test_a_policy_that_states_nothing_has_the_defaults(tmp_path: Path) -> None:
    assert loaded(tmp_path, "strict: false\n") == DEFAULTS
    assert (DEFAULTS.fail_on, DEFAULTS.tolerance) == ("high", "high")


def test_each_key_becomes_the_rule_of_its_name(tmp_path: Path) -> None:
    text = (
        "fail_on: low\ntolerance: medium\nlongest_terms: {acceptance: 30, attestation: 90}\n"
        "required_evidence: [template, probe]\nproven: [least-privilege-role]\nacceptors: [security, ciso]\n"
    )
    assert loaded(tmp_path, text) == Rules(
        fail_on="low",
        tolerance="medium",
        longest_acceptance=30,
        longest_attestation=90,
        required_evidence=("template", "probe"),
        proven_controls=("least-privilege-role",),
        proven_at=(Place(str(tmp_path / "policy.yaml"), 5, 10),),
        acceptors=("security", "ciso"),
    )


FLAGS = ("require_proof", "strict", "allow_undetermined", "ignore_acceptances")


@pytest.mark.parametrize("flag", FLAGS)
def test_a_flag_is_what_the_file_says(tmp_path: Path, flag: str) -> None:
    rules = loaded(tmp_path, f"{flag}: true\n")
    assert [name for name in FLAGS if getattr(rules, name)] == [flag]
    assert loaded(tmp_path, f"{flag}: false\n") == DEFAULTS


@pytest.mark.parametrize(
    "text",
    [
        "strikt: true\n",
        "strict: sometimes\n",
        "strict: 'true'\n",
        "fail_on: hihg\n",
        "tolerance: critical\n",
        "longest_terms: {acceptance: long}\n",
        "longest_terms: 30 days\n",
        "required_evidence: [templates]\n",
        "required_evidence: template\n",
        "proven: [1]\n",
        "[]\n",
    ],
)
def test_a_policy_that_is_not_understood_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(InputError):
        loaded(tmp_path, text)
