"""What evidence shows to be bad never vanishes: it reaches a finding, or its threats do not apply."""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.collecting import collected
from tests.stacks.real import REAL, needs_real
from tests.support import HOME
from threatmodel.assessment.assess import assess
from threatmodel.assessment.assessed import Assessment
from threatmodel.authoring.importing.plan import imported
from threatmodel.graph.building import build
from threatmodel.graph.reach import REACHES
from threatmodel.library.directions import Directions
from threatmodel.library.entries import Control, Library
from threatmodel.model.facts import EVIDENCE
from threatmodel.model.load import load_model
from threatmodel.model.vocabulary import FACTS, Kind
from threatmodel.reading.files import Files
from threatmodel.reading.problems import InputError

TODAY = datetime.date(2026, 11, 25)
SAMPLES = [
    path
    for folder in ("accuracy", "precision")
    for path in (HOME / "tests" / "samples" / folder).rglob("*")
    if path.suffix in {".yaml", ".yml", ".json"} and "model" not in path.name and path.name != "labels.yaml"
]
OWN = sorted((
    *(HOME / "tests" / "stacks" / "sam").glob("*.yaml"),
    *SAMPLES,
    HOME / "examples" / "slack-app" / "template.yaml",
))  # fmt: skip


def unheard(assessment: Assessment, ways: Directions) -> Iterator[tuple[str, str, object]]:
    """The alarming values by evidence that no finding cites and that no evidence and no told word makes idle."""
    cited = set()
    for finding in assessment.findings:
        cited |= {(finding.target.id, item.fact) for item in finding.why}
        for answer in finding.answers:
            cited |= {(answer.state.element, item.fact) for item in answer.state.support}
    for element in assessment.graph.elements.values():
        kind = element.kind
        if not kind:
            continue
        for name, fact in element.facts.items():
            bad = fact.size == EVIDENCE and ways.alarms(kind, name, fact.value)
            if bad and (element.id, name) not in cited and _may_be_heard(assessment, element.id, kind, name):
                yield element.id, name, fact.value


def _may_be_heard(assessment: Assessment, element: str, kind: Kind, fact: str) -> bool:
    """Whether a threat applies to which a control that the fact keeps out of place answers, and nothing says so.

    Of several related elements a finding shows the worst, by name: another one that is as bad speaks for this one.
    """
    controls = {c.id for c in assessment.library.controls.values() if _denied(c, assessment, element, kind, fact)}
    return any(
        answer.link.control in controls and answer.state.level >= 0
        for finding in assessment.applying
        if finding.target.kind and kind in REACHES[finding.target.kind]
        for answer in finding.answers
        if finding.target.id == element or element in assessment.graph.related(finding.target, kind).ids
    )


def _denied(control: Control, assessment: Assessment, element: str, kind: Kind, fact: str) -> bool:
    if control.scope != kind or control.in_place is None:
        return False
    facts = assessment.graph.elements[element].facts
    if fact not in {leaf.fact for leaf, _ in control.in_place.why(facts)}:
        return False
    state = assessment.states.at(control, element)
    return state.level < 0 and state.state != "not-applicable"


def assessed(path: Path, folder: Path, library: Library, ways: Directions) -> Assessment | None:
    """The assessment of the model that import makes of a file; None of a file without functions."""
    return of_model(library, ways) if model_of(path, folder) else None


def model_of(path: Path, folder: Path) -> bool:
    """Whether `import` makes a model of a file, which is then in the folder with it."""
    (folder / path.name).write_bytes(path.read_bytes())
    try:
        text = imported(Path(path.name), "", Path("model.yaml"), Files()).text
    except InputError:
        return False
    (folder / "model.yaml").write_text(text + "\naccount: {}\npipeline: {}\n", encoding="utf-8")
    return True


def of_model(library: Library, ways: Directions) -> Assessment:
    """The assessment of the model in the current folder, under what its evidence says now."""
    files = Files()
    system = load_model(files, Path("model.yaml"))
    evidence, read = collected(system, files, ways)
    return assess(build(system, evidence, TODAY, read), library, TODAY)


@pytest.mark.slow
@pytest.mark.parametrize("path", [*OWN, *REAL], ids=lambda path: path.stem[-60:])
def test_every_alarm_is_heard(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, library: Library, ways: Directions
) -> None:
    monkeypatch.chdir(tmp_path)
    assessment = assessed(path, tmp_path, library, ways)
    if assessment is None:
        pytest.skip("no function is in this file")
    assert list(unheard(assessment, ways)) == []


@needs_real
def test_there_are_real_ones() -> None:
    assert len(REAL) > 20


SECRET = """\
Resources:
  Weather:
    Type: AWS::Lambda::Function
    Properties:
      Handler: app.handler
      Runtime: python3.13
      Environment: {Variables: {API_KEY: zK4mPq8vRw2xYt6uJb1nHc5d}}
"""


def test_a_secret_in_a_variable_is_a_finding(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, library: Library, ways: Directions
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "in.yaml").write_text(SECRET, encoding="utf-8")
    folder = tmp_path / "work"
    folder.mkdir()
    monkeypatch.chdir(folder)
    assessment = assessed(tmp_path / "in.yaml", folder, library, ways)
    assert assessment is not None
    (finding,) = [one for one in assessment.applying if one.threat.id == "secret-exposed-in-configuration"]
    assert ("environment_holds_secret", True) in {(item.fact, item.value) for item in finding.why}


def test_every_fact_that_evidence_sees_reaches_a_threat(library: Library, ways: Directions) -> None:
    """A fact that no condition reads could be bad without anybody hearing of it."""
    seen = {(kind, name) for kind, rows in FACTS.items() for name, row in rows.items() if row.seen_by}
    neither = {("function", "in_vpc"), ("flow", "transport"), ("flow", "tcp_port")}  # drawn: no value of them is bad
    assert seen - ways.tests.keys() - ways.structural == neither
    linked = {link.control for threat in library.threats.values() for link in threat.links}
    required = {name for control in library.controls.values() for name in control.requires}
    assert set(library.controls) <= linked | required
