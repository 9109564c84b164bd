"""Saved answers, states and results with a part replaced by anything: read, or an error of the input, never a crash."""

from __future__ import annotations

import copy
import json
import random
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from tests.beside.test_results import BOT_ARN, PUBLIC, prowler
from tests.evidence.at_the_command_line import modeled, run, saved
from tests.evidence.states import shown, version_3, version_4
from tests.evidence.test_deployed import answer, drifted, listed, processed, stack
from tests.support import working_at_most
from threatmodel.beside.results.opening import results_in
from threatmodel.reading.problems import InputError
from threatmodel.stacks.cloudformation import reader
from threatmodel.stacks.deployment import described_stacks, description, given_values
from threatmodel.stacks.in_account import answers_in, held_to
from threatmodel.stacks.terraform import state_reader

RESULTS = Path(__file__).parents[1] / "beside" / "results"
ANYTHING: tuple[Any, ...] = (
    *(None, True, 0, -1, 1.5, 10**30, "", "x", "\x00\u2028", "../../../etc/passwd"),
    *([], {}, [[]], [{}], [None], ["a"], {"a": []}, {"": {}}),
)
TIMES = 60


def _paths(value: Any, above: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    yield above
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, one in inside:
        yield from _paths(one, (*above, key))


def _replaced(whole: Any, path: tuple[Any, ...], by: Any) -> Any:
    if not path:
        return by
    whole = copy.deepcopy(whole)
    inside = whole
    for key in path[:-1]:
        inside = inside[key]
    inside[path[-1]] = by
    return whole


def _described(text: str) -> None:
    given_values(text, "stacks.json")
    description(text, "stacks.json")
    described_stacks(text, "stacks.json")


def _in_account(text: str) -> None:
    held_to(reader.read(json.dumps(processed()), "deployed.json")[0], answers_in({"answer.json": text}))


CASES: dict[str, tuple[Any, Callable[[str], object]]] = {
    **{
        one.name: (json.loads(one.read_text(encoding="utf-8")), lambda text: results_in(text, "r.json"))
        for one in sorted(RESULTS.iterdir())
    },
    "prowler": (prowler((PUBLIC, "FAIL", BOT_ARN)), lambda text: results_in(text, "r.json")),
    "state 4": (version_4(), lambda text: state_reader.read(text, "s.tfstate")),
    "state 3": (version_3(), lambda text: state_reader.read(text, "s.tfstate")),
    "state shown": (shown(), lambda text: state_reader.read(text, "s.tfstate")),
    "stacks": (stack(), _described),
    "resources": (listed(), _in_account),
    "drifts": (drifted(), _in_account),
    "template": (answer(processed()), lambda text: reader.read(text, "deployed.json")),
}


@pytest.mark.parametrize("case", CASES)
def test_any_part_may_be_anything(case: str) -> None:
    whole, read = CASES[case]
    chosen = random.Random(case)
    paths = list(_paths(whole))
    for _ in range(TIMES):
        text = json.dumps(_replaced(whole, chosen.choice(paths), chosen.choice(ANYTHING)))
        with suppress(InputError):
            read(text)


def test_names_in_a_result_neither_leave_the_project_nor_break_an_output(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    saved("template.yaml", "Resources: {Bot: {Type: AWS::Serverless::Function, Properties: {CodeUri: app}}}\n")
    hostile = "<script>alert(1)</script>|`x`"
    found = [{"test_id": hostile, "filename": "../../etc/passwd", "line_number": 1}]
    found += [{"test_id": "B602", "filename": hostile, "line_number": 1}]
    metrics = {"_totals": {"SEVERITY.HIGH": 2}}
    saved("result.json", {"errors": [{"filename": hostile}], "metrics": metrics, "results": found})
    modeled("template: template.yaml", "results: result.json")
    assert "<script>alert" not in run("-m", "model.yaml", "--report", "html")[1]
    assert run("check", "-m", "model.yaml")[0] in {0, 1}


def test_very_many_findings_take_little_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    saved("template.yaml", "Resources: {Bot: {Type: AWS::Serverless::Function, Properties: {CodeUri: app}}}\n")
    deep = "/".join("abcdefghij" * 3)
    found = [{"test_id": "B602", "filename": f"{deep}/{at}.py", "line_number": at} for at in range(5_000)]
    metrics = {"_totals": {"SEVERITY.HIGH": len(found)}}
    saved("result.json", {"errors": [], "metrics": metrics, "results": found})
    modeled("template: template.yaml", "results: result.json")
    with working_at_most(seconds=20):
        assert run("check", "-m", "model.yaml")[0] in {0, 1}
