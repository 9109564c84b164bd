"""The comment of a pull request: forty lines at most, the worst first, and nothing left out without a word."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import get_args

import pytest

from threatmodel.assessment.changes import Changes, Part
from threatmodel.assessment.regressions import Change, Regression
from threatmodel.assessment.risk import BANDS
from threatmodel.render.comment import MOST_LINES, as_markdown, of_several

KINDS: tuple[Part, ...] = get_args(Part)


def differing(each: int, kinds: tuple[Part, ...] = KINDS) -> Changes:
    parts = {
        kind: tuple(
            Change(how="worse", kind=kind, name=f"{kind}-{n}", after="open", place="template.yaml:7")
            for n in range(each)
        )
        if kind in kinds
        else ()
        for kind in KINDS
    }
    return Changes(
        before="Shop (a)",
        after="Shop (b)",
        causes=(),
        counts=tuple(("claimed", band, 0, each) for band in BANDS),
        parts=parts,
    )


def told(text: str) -> int:
    """How many differences a comment shows or counts."""
    shown = len(re.findall(r"^- \S+-\d+: open", text, re.MULTILINE))
    counted = sum(int(n) for n in re.findall(r"^- (?:and )?(\d+)(?: more)?$", text, re.MULTILINE))
    rest = re.findall(r"^And (.*)$", text, re.MULTILINE)
    return shown + counted + sum(int(n) for line in rest for n in re.findall(r": (\d+)", line))


@pytest.mark.parametrize("each", [1, 2, 3, 5, 50])
@pytest.mark.parametrize("kinds", [KINDS, KINDS[:1], KINDS[3:8]])
def test_one_model_fits_and_counts_what_it_does_not_show(each: int, kinds: tuple[Part, ...]) -> None:
    text = as_markdown(differing(each, kinds))
    assert len(text.splitlines()) <= MOST_LINES
    assert told(text) == each * len(kinds)


@pytest.mark.parametrize("models", [2, 3, 4, 5, 12, 400])
@pytest.mark.parametrize("each", [1, 4, 60])
def test_several_models_fit_and_every_one_is_named_or_counted(models: int, each: int) -> None:
    found = {f"models/m{n}.yaml": differing(each) for n in range(models)}
    text = of_several(
        found, {"models/new.yaml": "missing-file: it does not exist at 'main'"}, "tm diff main..HEAD -m MODEL"
    )
    lines = text.splitlines()
    assert len(lines) <= MOST_LINES
    assert lines[0].startswith(f"**Threat models**: {models} of {models + 1} differ; ")
    sections = re.findall(r"^\*\*models", text, re.MULTILINE)
    named = re.findall(r"not shown: (.*)", text)
    rest = sum(len(re.findall(r"`models/", one)) + sum(map(int, re.findall(r"and (\d+) more", one))) for one in named)
    assert len(sections) + rest == models
    assert "- `models/new.yaml`: missing-file" in text
    assert lines[-1] == "- all of one model: `tm diff main..HEAD -m MODEL`"


def test_the_worst_model_comes_first_and_the_same_are_not_told() -> None:
    found = {
        "same.yaml": differing(0),
        "facts.yaml": differing(9, ("facts",)),
        "lost.yaml": differing(1, ("lost_proofs",)),
    }
    text = of_several(found, {}, "x")
    assert text.index("lost.yaml") < text.index("facts.yaml")
    assert "same.yaml" not in text
    assert of_several({"same.yaml": differing(0)}, {}, "x") == (
        "**Threat models**: no difference in elements, facts, controls, rules and findings.\n"
    )


def test_the_comment_starts_with_the_change_that_makes_most_findings_worse() -> None:
    note = "a statement allows dynamodb:* on every resource"
    cause = Regression(
        element="first-responder",
        fact="role_wildcard_action",
        before="false",
        after="true",
        note=note,
        place="template.yaml:263",
        findings=33,
        do="Name the actions",
    )
    text = as_markdown(replace(differing(2), causes=(cause,)))
    first = text.splitlines()[0].replace("\\", "")
    assert first.startswith(f"**Threat model**: `template.yaml:263`: first-responder: {note}: **33 findings are new or")
    assert "Name the actions." in first
