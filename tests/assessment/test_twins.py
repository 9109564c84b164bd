"""What is computed once for elements that differ only in their names is what each of them gets by itself."""

from __future__ import annotations

import random
import re
from pathlib import Path
from typing import Any

import pytest

from benchmarks.generate import mixed, model
from tests.support import HOME, TODAY, control, graph_of, library_of, threat
from threatmodel.api import load_model
from threatmodel.assessment import states as of_states
from threatmodel.assessment import twins
from threatmodel.assessment.actions import Action, actions, faults
from threatmodel.assessment.assess import assess
from threatmodel.assessment.assessed import Assessment
from threatmodel.assessment.priorities import carried_alone
from threatmodel.assessment.safety import gaps
from threatmodel.assessment.standings import only_claimed
from threatmodel.library.load import load_library
from threatmodel.reading.files import Files
from threatmodel.reading.values import replace

LIBRARY = load_library(HOME / "threatlib")
CHAIN = """\
name: Chain
apis:
  api-0: {mutual_tls: false}
stores:
  table-0: {}
  table-1: {open_to_public: false}
functions:
  bot-0: {triggers: [{http: POST /one, api: api-0}], reads: [table-0], writes: [], sends: [], secrets: [], calls: []}
  bot-1: {reads: [table-1], writes: [table-0], criticality: high, criticality_reason: it pays}
  bot-2: {reads: [table-1], writes: [table-0]}
"""
_SECTIONS = ("boundaries:", "apis:", "stores:", "queues:", "secrets:", "functions:")


@pytest.fixture(autouse=True)
def _compared(monkeypatch: pytest.MonkeyPatch) -> None:
    """Look for twins however few elements there are."""
    monkeypatch.setattr(twins, "FEW", 0)


def twice(text: str) -> str:
    """A model with each of its elements a second time under another name, apart from the first."""
    lines: list[str] = []
    for part in re.split(r"(?m)^(?=\w+:)", text):
        renamed = re.sub(r"\b(bot|api|table|queue|key|fn)-(\d+)", r"\1-\2-b", part.partition("\n")[2])
        lines.append(part + (renamed if part.startswith(_SECTIONS) else ""))
    return "".join(lines)


def without_some(text: str, seed: int) -> str:
    """A model without a few of its facts, so that some elements differ, and others only in what they use."""
    draw, lines = random.Random(seed), text.splitlines(keepends=True)
    facts = [at for at, line in enumerate(lines) if re.match(r"    [a-z_]+: (true|false|\w+)$", line)]
    gone = set(draw.sample(facts, min(4, len(facts))))
    return "".join(line for at, line in enumerate(lines) if at not in gone)


def seen(assessment: Assessment) -> dict[str, Any]:
    """Everything that follows from the findings, with nothing of how it was computed."""
    return {
        "findings": [
            (
                *(one.id, one.applies, one.verdict, one.inherent, one.proof, one.claimed, one.proven, one.likely),
                [
                    (*(a.link.control, a.state.element, a.state.state, a.state.level, a.state.reason), a.state.asks)
                    for a in one.answers
                ],
            )
            for one in assessment.findings
        ],
        "groups": [[one.id for one in group.findings] for group in assessment.groups],
        "questions": [replace(one, elements=tuple(sorted(one.elements))) for one in assessment.questions],
        "ruled out": assessment.ruled_out,
        "reliances": sorted(map(repr, assessment.reliances)),
        "actions": [
            (one.control.id, one.states, sorted(one.findings), one.worst, changed(one), sorted(map(repr, faults(one))))
            for one in actions(assessment)
        ],
        "gaps": gaps(assessment),
        "alone": [(name, sorted(ids)) for name, ids in carried_alone(assessment)],
        "claimed": {
            key: (sorted(f.id for f in one.findings), sorted(one.elements))
            for key, one in only_claimed(assessment).items()
        },
    }


def changed(one: Action) -> list[Any]:
    """What an action changes, with the ids of findings."""
    change = one.change
    parts = [sorted(finding.id for some in part for finding in some) for part in (change.closed, change.lowered)]
    return [parts, change.stay, change.claimed, change.proven]


ALIKE = twice(model(4))


@pytest.mark.parametrize(
    "text",
    [ALIKE, twice(mixed(7)), twice(mixed(24)), twice(CHAIN), *(without_some(ALIKE, seed) for seed in range(6))],
    ids=["alike", "mixed", "more", "chain", *map(str, range(6))],
)
def test_twins_get_what_each_gets_alone(tmp_path: Path, text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    graph = graph_of(tmp_path, text)
    together = assess(graph, LIBRARY, TODAY)
    assert text != ALIKE or any(len(some) > 1 for group in together.groups for some in group.twins)
    monkeypatch.setattr(of_states, "_named", lambda graph, _: frozenset(one.id for one in graph.targets()))
    alone = assess(graph, LIBRARY, TODAY)
    assert all(len(some) == 1 for group in alone.groups for some in group.twins)
    every = seen(together)
    for part, found in seen(alone).items():
        assert every[part] == found, part


FAR = """\
name: Far
stores: {s-1: {open_to_public: true}, s-2: {open_to_public: true}, s-3: {}, s-4: {}}
functions:
  near-1: {%s, reads: [s-1], logs_redacted: true}
  near-2: {%s, reads: [s-2], logs_redacted: true}
  far-1: {%s, reads: [s-1], validates_input: true}
  far-2: {%s, reads: [s-2], validates_input: false}
  two-1: {%s, reads: [s-3], writes: [s-4]}
  two-2: {%s, reads: [s-4], writes: [s-3]}
"""
LISTS = "triggers: [], sends: [], secrets: [], invokes: [], calls: []"


def test_what_differs_several_steps_away_is_no_twin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    library = library_of(
        tmp_path,
        threat("read", "{shut: {stops: it does}}", applies="true"),
        threat("tapped", "{good: {stops: it does}}", target="flow", applies="true"),
        control("shut", "target.logs_redacted", extra="requires: [locked]"),
        control("locked", "target.open_to_public", scope="store", extra="requires: [good]"),
        control("good", "target.validates_input"),
    )
    graph = graph_of(tmp_path, FAR % ((LISTS,) * 6))
    every = seen(assess(graph, library, TODAY))
    monkeypatch.setattr(of_states, "_named", lambda graph, _: frozenset(one.id for one in graph.targets()))
    for part, found in seen(assess(graph, library, TODAY)).items():
        assert every[part] == found, part


SAMPLES = sorted((HOME / "tests" / "samples").rglob("template.y*ml"))


@pytest.mark.slow
@pytest.mark.parametrize("sample", SAMPLES, ids=lambda path: path.parent.name)
def test_twins_of_a_template_get_what_each_gets_alone(sample: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Here facts are in doubt, left out, and contradicted."""
    model = f"name: x\nevidence: [{{template: {sample.name}, functions: all}}]\n"
    path = sample.parent / "not-written.yaml"
    graph = load_model(path, Files(texts={str(path): model}), today=TODAY)
    every = seen(assess(graph, LIBRARY, TODAY))
    monkeypatch.setattr(of_states, "_named", lambda graph, _: frozenset(one.id for one in graph.targets()))
    for part, found in seen(assess(graph, LIBRARY, TODAY)).items():
        assert every[part] == found, part
