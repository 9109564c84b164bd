"""What a check says first: the worst hole that is there, and no more lines than a reader reads."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from scripts.precision import JUDGEMENTS, Line, lines
from tests.support import HOME, TODAY
from threatmodel import assess, load_library, load_model

SYSTEMS: dict[str, Any] = yaml.safe_load(JUDGEMENTS.read_text(encoding="utf-8"))
OWN = [name for name, system in SYSTEMS.items() if not system.get("public")]
MOST_LINES, MOST_QUESTIONS, FIRST = 15, 15, 3


def told(name: str) -> list[Line]:
    return list(lines(HOME / Path(SYSTEMS[name]["file"]), SYSTEMS[name]["lines"]))


@pytest.mark.slow
@pytest.mark.parametrize("name", OWN)
def test_the_worst_hole_is_among_the_first_three_lines(name: str) -> None:
    found = [line.name for line in told(name)]
    worst = SYSTEMS[name]["worst"]
    assert worst == "none" or worst in found[:FIRST]
    assert len(found) <= MOST_LINES


@pytest.mark.slow
@pytest.mark.parametrize("name", OWN)
def test_no_line_is_judged_wrong(name: str) -> None:
    assert [line.name for line in told(name) if line.judgement == "wrong"] == []


def test_a_bare_model_is_asked_few_questions() -> None:
    graph = load_model(HOME / "tests" / "models" / "bare.yaml", today=TODAY)
    assert len(assess(graph, load_library(graph), today=TODAY).questions) <= MOST_QUESTIONS
