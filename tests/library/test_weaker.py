"""What looks like a control and is not: the library's own weaker forms, read as a template would be."""

from __future__ import annotations

import datetime
from dataclasses import replace
from pathlib import Path

import pytest

from tests.collecting import collected
from tests.evidence.policies.stating import read
from tests.support import HOME
from threatmodel.assessment.states import States
from threatmodel.evidence.mappings.load import load_mappings
from threatmodel.evidence.mappings.stack_facts import StackFacts
from threatmodel.graph.building import build
from threatmodel.library.directions import directions
from threatmodel.library.entries import Control, Weaker
from threatmodel.library.load import load_library
from threatmodel.model.load import load_model
from threatmodel.model.vocabulary import FACTS
from threatmodel.reading.files import Files

AS_OF = datetime.date(2026, 11, 25)
LIBRARY = load_library(HOME / "threatlib")
WAYS = directions(LIBRARY)
SECTIONS = {"function": "functions", "api": "apis", "store": "stores", "queue": "queues", "secret": "secrets"}
TEMPLATES = [
    pytest.param(control, one, id=f"{control.id}: {one.says[:40]}")
    for control in LIBRARY.controls.values()
    for one in control.weaker
    if one.template
]


def indented(template: str) -> str:
    return "Resources:\n" + "".join(f"  {line}\n" for line in template.splitlines())


@pytest.mark.parametrize(("control", "weaker"), TEMPLATES)
def test_a_weaker_form_is_never_proven(control: Control, weaker: Weaker, tmp_path: Path) -> None:
    text = indented(weaker.template)
    stack = read(text)
    facts = StackFacts(stack, load_mappings())
    names = [name for name, one in stack.resources.items() if control.scope in facts.kinds_of_type(one.type)]
    assert names or control.scope not in SECTIONS, "the snippet has no element of the control's kind"
    elements = {f"e{number}": name for number, name in enumerate(names)}
    told = "".join(f"  {element}: {{}}\n" for element in elements)
    section = f"{SECTIONS[control.scope]}:\n{told}" if elements else "functions: {other: {}}\n"
    mapped = ", ".join(f"{element}: {name}" for element, name in elements.items())
    source = f"{{template: t.yaml, resources: {{{mapped}}}}}"
    model = f"name: x\n{section}account: {{}}\npipeline: {{}}\nevidence:\n  - {source}\n"
    files = Files(texts={tmp_path / "m.yaml": model, tmp_path / "t.yaml": text})
    system = load_model(files, tmp_path / "m.yaml")
    evidence, found = collected(system, files, WAYS, AS_OF)
    alone = replace(control, requires=(), needs=())  # what else it takes must not hide that this form would do
    states = States(build(system, evidence, AS_OF, found), LIBRARY, AS_OF)
    for element in elements or (control.scope,):
        assert states.at(alone, element).state != "proven"


def test_every_control_that_a_machine_sees_names_what_it_is_not() -> None:
    seen = {
        control.id
        for control in LIBRARY.controls.values()
        if control.in_place is not None
        and any("template" in FACTS[control.scope][name].seen_by for name in control.in_place.facts)
    }
    assert [name for name in sorted(seen) if not LIBRARY.controls[name].weaker] == []
