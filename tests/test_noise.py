"""Noise is a defect: what a model that says next to nothing brings up, and what one that says everything leaves."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.support import HOME, TODAY, assessed
from threatmodel.assessment.actions import actions
from threatmodel.assessment.assess import assess
from threatmodel.assessment.assessed import Assessment
from threatmodel.graph.building import build
from threatmodel.library.entries import Library
from threatmodel.library.load import load_library
from threatmodel.model.load import load_model
from threatmodel.reading.files import Files
from threatmodel.render.contract.assessment import contract

Golden = Callable[[str, str], None]
CELLS = ("inherent", "claimed", "proven")
MOST = 25
WANTED = (
    "slack-request-forgery",
    "slack-request-replay",
    "over-privileged-role",
    "secret-exposed-in-configuration",
)
"""What every bare model has to bring up: forgery, replay, role breadth, secrets in the environment."""


@pytest.fixture(scope="module")
def library() -> Library:
    return load_library(HOME / "threatlib")


def of_model(name: str, library: Library) -> Assessment:
    return assess(build(load_model(Files(), HOME / "tests" / "models" / name), today=TODAY), library, TODAY)


def told(assessment: Assessment) -> str:
    """An assessment in lines: findings with verdict and cells, then questions with their facts."""
    found: dict[str, Any] = json.loads(json.dumps(contract(assessment)))
    lines = [
        f"{finding['verdict']:<12} {' '.join(str(finding[cell]['score']).rjust(2) for cell in CELLS)}  {finding['id']}"
        for finding in found["findings"]
    ]
    lines += ["", *(f"{q['worst_band']:<8} {q['id']}: {', '.join(q['facts']) or q['ask']}" for q in found["questions"])]
    return "\n".join(lines) + "\n"


@pytest.mark.parametrize("name", ["bare.yaml", "well-run.yaml"])
def test_both_ends(name: str, library: Library, golden: Golden) -> None:
    golden(f"noise/{Path(name).stem}.txt", told(of_model(name, library)))


def bare(kind: str, trigger: str, uses: str) -> str:
    function = f"functions: {{bot: {{triggers: [{trigger}]{uses}}}}}"
    return f"name: x\napis: {{api: {kind}}}\nstores: {{table: {{}}}}\n{function}\n"


@pytest.mark.parametrize("kind", ["{}", "{kind: http}", "{kind: rest}", "{kind: function-url}"])
@pytest.mark.parametrize("trigger", ["{slack: slash-command}", "{slack: events}", "{slack: interactivity}"])
@pytest.mark.parametrize("uses", ["", ", writes: [table]", ", reads: [table], writes: [table]"])
def test_a_bare_model_is_quiet_and_says_what_matters(
    tmp_path: Path, library: Library, kind: str, trigger: str, uses: str
) -> None:
    assessment = assessed(tmp_path, bare(kind, trigger, uses), library)
    assert len(assessment.applying) <= MOST
    assert len(assessment.questions) <= MOST
    first = {finding for question in assessment.questions[:5] for finding in question.decides}
    brought_up = {finding.id.partition("@")[0] for finding in assessment.applying}
    brought_up |= {finding.partition("@")[0] for finding in first}
    assert [threat for threat in WANTED if threat not in brought_up] == []
    asked = {answer.link.control for finding in assessment.applying for answer in finding.answers}
    assert {"api-throttling", "reserved-concurrency"} <= asked


def test_a_well_run_system_leaves_nothing_to_do(library: Library) -> None:
    assessment = of_model("well-run.yaml", library)
    left = {"mitigated", "unproven", "transferred"}
    assert [finding.id for finding in assessment.applying if finding.verdict not in left] == []
    assert assessment.possible == ()
    assert assessment.questions == ()
    assert actions(assessment) == ()


def test_many_functions_with_one_cause_are_one_question_and_one_action(tmp_path: Path, library: Library) -> None:
    functions = "".join(f"  bot-{n}: {{triggers: [{{slack: slash-command}}]}}\n" for n in range(60))
    silent = assessed(tmp_path, f"name: x\napis: {{api: {{kind: http}}}}\nfunctions:\n{functions}", library)
    assert len(silent.questions) <= MOST
    limits = next(question for question in silent.questions if question.id == "function.limits")
    assert len(limits.elements) == 60
    stated = "name: x\napis: {api: {kind: http}}\ndefaults: {function: {reserved_concurrency: null}}\nfunctions:\n"
    unthrottled = assessed(tmp_path, stated + functions, library)
    found = [action for action in actions(unthrottled) if action.control.id == "reserved-concurrency"]
    assert [{state: len(states) for state, states in action.states.items()} for action in found] == [{"absent": 60}]
