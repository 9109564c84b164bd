"""Every number of a page can be counted again from the JSON, on a dozen systems."""

from __future__ import annotations

import datetime
from collections import Counter
from collections.abc import Iterable, Sequence
from math import dist
from pathlib import Path
from typing import Any, cast

import pytest

from tests.support import HOME
from threatmodel import Files, assess, load_library, load_model
from threatmodel.assessment.actions import difference
from threatmodel.assessment.assess import assess as assessed_as
from threatmodel.assessment.assessed import Assessment, Finding
from threatmodel.assessment.gate.judging import judge
from threatmodel.assessment.gate.results import Rules
from threatmodel.assessment.outcomes import outcome_of
from threatmodel.assessment.reconsidering import Reconsidered
from threatmodel.assessment.risk import Cell, least_score
from threatmodel.authoring.importing.plan import imported
from threatmodel.authoring.interview import items
from threatmodel.library.entries import Library
from threatmodel.render.contract.assessment import contract
from threatmodel.render.first import FirstPage, first_page
from threatmodel.render.report.context import context
from threatmodel.render.report.matrix import matrix

TODAY = datetime.date(2026, 11, 25)
SAMPLES = HOME / "tests" / "samples"
SYSTEMS = [
    HOME / "models" / "slack-lambda.yaml",
    HOME / "models" / "threatmodel-tool.yaml",
    HOME / "docs" / "example.yaml",
    *sorted((SAMPLES / "precision").glob("*.yaml")),
    *sorted((SAMPLES / "accuracy").glob("*/template.y*ml")),
]


@pytest.fixture(scope="module")
def library() -> Library:
    return load_library()


@pytest.fixture(scope="module", params=SYSTEMS, ids=lambda path: f"{path.parent.name}/{path.name}")
def assessment(request: pytest.FixtureRequest, library: Library) -> Assessment:
    path: Path = request.param
    if "AWS::" in path.read_text(encoding="utf-8"):
        model = path.with_name("numbers-model.yaml")
        graph = load_model(model, Files(texts={model: imported(path, "", model, Files()).text}), today=TODAY)
    else:
        graph = load_model(path, today=TODAY)
    own = load_library(graph) if graph.system.libraries else library
    return assess(graph, own, today=TODAY)


@pytest.fixture(scope="module")
def page(assessment: Assessment) -> FirstPage:
    return first_page(assessment)


@pytest.fixture(scope="module")
def data(assessment: Assessment) -> dict[str, Any]:
    return contract(assessment)


def test_a_dozen_systems_are_counted() -> None:
    assert len(SYSTEMS) >= 12


def test_page_one_is_counted_again_from_the_findings_of_the_json(page: FirstPage, data: dict[str, Any]) -> None:
    findings = data["findings"]
    for cell in ("inherent", "claimed", "proven"):
        assert dict(getattr(page, cell)) == {band: 0 for band, _ in page.claimed} | Counter(
            one[cell]["band"] for one in findings
        )
    verdicts = Counter(one["verdict"] for one in findings)
    above, undetermined = verdicts["open"] + verdicts["reduced"], verdicts["undetermined"]
    ids = {one["id"] for one in findings if one["verdict"] == "undetermined"}
    asked = len({one["topic"] or one["id"] for one in data["questions"] if not ids.isdisjoint(one["affects"])})
    level = ["low", "medium", "high", "critical"].index(data["verdict"]["accepted_level"])
    higher = sum(count for band, count in page.claimed if ["low", "medium", "high", "critical"].index(band) > level)
    if higher:
        assert page.headline.startswith(f"{higher:,} of {len(findings):,} finding")
    assert (f" {above:,} confirmed (" in page.headline) == bool(above)
    if undetermined:
        assert f"{undetermined:,} depend" in page.headline
        assert f"on {asked:,} open question" in page.headline
    failing = [one for one in findings if one["verdict"] in {"open", "reduced", "undetermined"}]
    failing = [one for one in failing if one["claimed"]["band"] in {"high", "critical"}]
    assert (f"the check fails: {len(failing):,} finding" in page.headline) == bool(failing)
    assert page.counts.startswith(f"{above + undetermined:,} finding") or not above + undetermined


def test_the_gap_between_claimed_and_proven_is_explained_whole(page: FirstPage, data: dict[str, Any]) -> None:
    bands = ["low", "medium", "high", "critical"]
    higher = [
        one for one in data["findings"] if bands.index(one["proven"]["band"]) > bands.index(one["claimed"]["band"])
    ]
    assert [one["id"] for one in data["findings"] if one["higher_as_proven"]] == [one["id"] for one in higher]
    assert data["summary"]["higher_as_proven"] == Counter(one["higher_as_proven"] for one in higher) | {
        reason: sum(one["higher_as_proven"] == reason for one in higher)
        for reason in data["summary"]["higher_as_proven"]
    }
    assert page.gap.startswith(f"{len(higher):,} finding") or not higher


def test_table_matrix_headline_and_json_count_the_same_findings(assessment: Assessment, data: dict[str, Any]) -> None:
    every = len(data["findings"])
    summary = data["summary"]
    assert summary["findings"] == every == sum(summary["by_verdict"].values())
    assert all(sum(summary["by_band"][cell].values()) == every for cell in ("inherent", "claimed", "proven"))
    assert sum(summary["by_band"]["undetermined"].values()) == summary["by_verdict"]["undetermined"]
    shown: Any = context(assessment)
    for cell in ("inherent", "claimed", "proven"):
        boxes = [box for row in shown["matrix"]["rows"] for box in row["cells"]]
        assert {band: sum(box[cell] for box in boxes if box["band"] == band) for band in summary["by_band"][cell]} == (
            summary["by_band"][cell]
        )
    assert sum(move["number"] for move in shown["matrix"]["moves"]) == every


def test_an_issue_and_the_check_cover_the_findings_that_need_work(assessment: Assessment, data: dict[str, Any]) -> None:
    wanted = {one["id"] for one in data["findings"] if one["verdict"] in {"open", "reduced", "undetermined"}}
    told = [name for issue in data["issues"] for name in issue["findings"]]
    assert sorted(told) == sorted(wanted)
    results = judge(assessment, Rules())
    checked = {one.name for one in results if one.code not in {one.rule, "accepted"}}
    assert checked == wanted


def test_what_is_asked_first_decides_every_finding_that_may_fail_a_check(
    assessment: Assessment, data: dict[str, Any]
) -> None:
    every = list(items(assessment))
    first = [item for item in every if item.score >= least_score("high")]
    asked = {finding for item in first for finding in item.question.decides}
    waiting = {finding for question in data["questions"] for finding in question["affects"]}
    failing = [
        one["id"]
        for one in data["findings"]
        if one["verdict"] == "undetermined" and one["claimed"]["band"] in {"high", "critical"} and one["id"] in waiting
    ]
    assert set(failing) <= asked
    assert len({item.question.source for item in first}) <= _MOST_QUESTIONS
    by_id = {one["id"]: one["claimed"]["score"] for one in data["findings"]}
    assert all(item.question.score == max(by_id[one] for one in item.question.decides) for item in every)


_MOST_QUESTIONS = 9
"""What a person is asked to a verdict: of one source each, and of what stands alone."""


def test_every_action_changes_what_with_would_change(assessment: Assessment, data: dict[str, Any]) -> None:
    before = {finding.id: finding for finding in assessment.findings}
    for action in data["actions"][:12]:
        elements = [element for found in action["states"].values() for element in found]
        assumed = {(action["control"], element): True for element in elements}
        then = assessed_as(assessment.graph, assessment.library, assessment.today, (), assumed)
        after = {finding.id: finding for finding in then.findings}
        pairs = [
            Reconsidered(outcome_of(before[name]), outcome_of(after[name]), [(before[name],)])
            for name in before
            if name in after
        ]
        found = difference(pairs)
        closed = {*ids(found.closed), *(before.keys() - after.keys())}
        assert set(action["change"]["close"]) == closed, action["control"]
        assert set(action["change"]["lower"]) == ids(found.lowered), action["control"]


def ids(found: Iterable[Sequence[Finding]]) -> set[str]:
    return {finding.id for some in found for finding in some}


def test_arrows_of_the_matrix_point_from_before_to_after_controls(assessment: Assessment) -> None:
    for picture in cast("Any", matrix(assessment.outlines))["pictures"]:
        moves = Counter((one.inherent, getattr(one, picture["name"])) for one in assessment.findings)
        moves = Counter({pair: number for pair, number in moves.items() if pair[0] != pair[1]})
        middles = {(box["likelihood"], box["impact"]): (box["x"] + 32, box["y"] + 32) for box in picture["boxes"]}
        assert len(picture["arrows"]) == len(moves)
        for arrow in picture["arrows"]:
            start, end = ((arrow[f"x{n}"], arrow[f"y{n}"]) for n in (1, 2))
            before, after = (
                min((dist(middle, point), at) for at, middle in middles.items())[1] for point in (start, end)
            )
            assert moves[Cell(*before), Cell(*after)] == arrow["number"]
