"""What looks like a control and is not: the library's own weaker forms, read as a template would be."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.evidence.policies.stating import read
from tests.library.evidenced import LIBRARY, states_in
from threatmodel.library.entries import Control, Weaker
from threatmodel.model.vocabulary import FACTS

TEMPLATES = [
    pytest.param(control, one, id=f"{control.id}: {one.says[:40]}")
    for control in LIBRARY.controls.values()
    for one in control.weaker
    if one.template
]


@pytest.mark.parametrize(("control", "weaker"), TEMPLATES)
def test_a_weaker_form_is_never_proven(control: Control, weaker: Weaker, tmp_path: Path) -> None:
    text = "Resources:\n" + "".join(f"  {line}\n" for line in weaker.template.splitlines())
    states = states_in(control, read(text), ("template", text), tmp_path)
    assert states, "the snippet has no element of the control's kind"
    assert "proven" not in states.values()


def test_every_control_that_a_machine_sees_names_what_it_is_not() -> None:
    seen = {
        control.id
        for control in LIBRARY.controls.values()
        if control.in_place is not None
        and any("template" in FACTS[control.scope][name].seen_by for name in control.in_place.facts)
    }
    assert [name for name in sorted(seen) if not LIBRARY.controls[name].weaker] == []
