"""The rows of a check: every number of the verdict's line is reached from a row."""

from __future__ import annotations

from pathlib import Path
from typing import cast

import pytest

from tests.support import HOME, assessed
from threatmodel.assessment.gate.results import Rules
from threatmodel.assessment.gate.risks import risks
from threatmodel.assessment.risk import BANDS, Band
from threatmodel.assessment.safety import safety
from threatmodel.library.load import load_library
from threatmodel.render.checks.failing import failing_issues
from threatmodel.render.headline import open_questions

MODELS = {
    "known beside unknown": "{triggers: [{slack: events}], validates_input: false, role_wildcard_resource: true}",
    "two roles": "{triggers: [{http: /x}], role_wildcard_action: true, environment_holds_secret: true}",
    "nothing known": "{triggers: [{slack: slash-command}]}",
}


@pytest.mark.parametrize("band", BANDS)
@pytest.mark.parametrize("name", MODELS)
def test_rows_count_what_the_verdict_counts(tmp_path: Path, name: str, band: Band) -> None:
    text = f"name: x\napis: {{api: {{kind: http}}}}\nfunctions:\n  one: {MODELS[name]}\n  two: {MODELS[name]}\n"
    assessment = assessed(tmp_path, text, load_library(HOME / "threatlib"))
    rules = Rules(fail_on=band)
    found = failing_issues(assessment, tuple(risks(assessment, rules)), rules)
    wanted = safety(assessment, band)
    failing = BANDS[BANDS.index(band) :]
    assert sum(row.findings for row in found.rows if row.sure) == sum(wanted.above[one] for one in failing)
    assert sum(row.findings for row in found.rows if not row.sure) == sum(wanted.undetermined[one] for one in failing)
    worst = [one for one in reversed(failing) if wanted.above[one]][:1]
    assert worst == sorted({row.band for row in found.rows if row.sure}, key=BANDS.index)[-1:]
    *own, usual = found.rows
    order = [(row.by_default, -BANDS.index(cast("Band", row.band)), not row.sure) for row in own]
    assert order == sorted(order)
    assert (usual.elements, usual.place) == ((), None)  # what any system is asked, after all that is asked of this one
    asked = int(usual.title.split()[0]) + sum(not row.sure for row in own)
    assert asked == open_questions(assessment)
    assert f"{asked} open question" in found.headline
