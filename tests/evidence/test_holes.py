"""What an attacker sees first is a finding, and what protects counts: whole systems, from their files to the findings.

Each case of holes.yaml has files, what `import` and an assessment make of them, and what they may not.
"""

from __future__ import annotations

import datetime
import subprocess
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import yaml

from tests.collecting import collected
from threatmodel.assessment.assess import assess
from threatmodel.assessment.assessed import Assessment
from threatmodel.authoring.importing.plan import imported
from threatmodel.graph.building import build
from threatmodel.graph.elements import FOREIGN_ACCOUNT
from threatmodel.library.directions import Directions
from threatmodel.library.entries import Library
from threatmodel.model.load import load_model
from threatmodel.reading.files import Files

TODAY = datetime.date(2026, 11, 25)
CASES = yaml.load(Path(__file__).with_name("holes.yaml").read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)
TOKEN = "xoxb-17653672481-19874698323-pdFZKVeTuE8sk7oOcHrzqqgy"


class System(NamedTuple):
    """What import wrote, and the assessment of that model."""

    model: str
    assessment: Assessment


def system(case: dict[str, Any], folder: Path, library: Library, ways: Directions) -> System:
    """Return the system of a case's files, in a repository of its own."""
    for name, text in case["files"].items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text.replace("TOKEN", TOKEN), encoding="utf-8")
    for step in (["init", "-q"], ["add", "-A"], ["-c", "user.name=a", "-c", "user.email=a@b.c", "commit", "-qm", "x"]):
        subprocess.run(["git", *step], cwd=folder, check=True, capture_output=True)
    text = case.get("model") or imported(Path(case.get("imports", ".")), "", Path("model.yaml"), Files()).text
    (folder / "model.yaml").write_text(text, encoding="utf-8")
    files = Files()
    loaded = load_model(files, Path("model.yaml"))
    evidence, read = collected(loaded, files, ways)
    return System(text, assess(build(loaded, evidence, TODAY, read), library, TODAY))


@pytest.mark.parametrize("case", CASES, ids=lambda one: one["says"])
def test_what_is_bad_is_a_finding(
    case: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, library: Library, ways: Directions
) -> None:
    monkeypatch.chdir(tmp_path)
    found = system(case, tmp_path, library, ways)
    confirmed = {one.id for one in found.assessment.findings if one.verdict in {"open", "reduced"}}
    assert set(case.get("finds", ())) <= confirmed
    assert not set(case.get("spares", ())) & confirmed
    facts = {
        f"{one.id}.{name}": fact for one in found.assessment.graph.elements.values() for name, fact in one.facts.items()
    }
    known = {
        name: facts[name].value if name in facts and facts[name].size else "unknown" for name in case.get("facts", ())
    }
    assert known == case.get("facts", {})
    notes = [note for read in found.assessment.graph.evidence for note in read.notes]
    assert [note.place.line for note in notes if note.code == FOREIGN_ACCOUNT] == case.get("foreign", [])
    assert TOKEN not in found.model
