"""What looks like a control and is not: the library's own weaker forms, read as a template would be."""

from __future__ import annotations

import datetime
import re
from dataclasses import replace
from pathlib import Path

import pytest

from tests.collecting import collected
from tests.evidence.policies.stating import read
from tests.library.how.snippets import CLOUDFORMATION
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


def states_in(control: Control, text: str, folder: Path) -> dict[str, str]:
    """The state of a control at each element of its kind in a template, which is the only evidence."""
    stack = read(text)
    facts = StackFacts(stack, load_mappings())
    names = [name for name, one in stack.resources.items() if control.scope in facts.kinds_of_type(one.type)]
    elements = {f"e{number}": name for number, name in enumerate(names)} if control.scope in SECTIONS else {}
    told = "".join(f"  {element}: {{}}\n" for element in elements)
    section = f"{SECTIONS[control.scope]}:\n{told}" if elements else "functions: {other: {}}\n"
    mapped = ", ".join(f"{element}: {name}" for element, name in elements.items())
    source = f"{{template: t.yaml, resources: {{{mapped}}}}}"
    model = f"name: x\n{section}account: {{}}\npipeline: {{}}\nevidence:\n  - {source}\n"
    files = Files(texts={folder / "m.yaml": model, folder / "t.yaml": text})
    system = load_model(files, folder / "m.yaml")
    evidence, found = collected(system, files, WAYS, AS_OF)
    alone = replace(control, requires=(), needs=())  # what else it takes must not hide that this form would do
    states = States(build(system, evidence, AS_OF, found), LIBRARY, AS_OF)
    if control.scope in SECTIONS:
        return {name: states.at(alone, element).state for element, name in elements.items()}
    return {control.scope: states.at(alone, control.scope).state}


@pytest.mark.parametrize(("control", "weaker"), TEMPLATES)
def test_a_weaker_form_is_never_proven(control: Control, weaker: Weaker, tmp_path: Path) -> None:
    states = states_in(control, indented(weaker.template), tmp_path)
    assert states, "the snippet has no element of the control's kind"
    assert "proven" not in states.values()


SNIPPETS = [
    name
    for name, text in CLOUDFORMATION.items()
    if name in LIBRARY.controls
    and LIBRARY.controls[name].in_place is not None
    and LIBRARY.controls[name].scope in {*SECTIONS, "account", "pipeline"}
    and re.match(r"\w+:\n  Type: ", re.sub(r" +#.*", "", text))
]
BESIDE = {"OrdersDeadLetters"}
"""Elements of a snippet that do not need its control: a dead-letter queue has no other."""


@pytest.mark.parametrize("name", SNIPPETS)
def test_no_snippet_falls_short_of_its_own_control(name: str, tmp_path: Path) -> None:
    states = states_in(LIBRARY.controls[name], indented(CLOUDFORMATION[name]), tmp_path)
    assert {at: state for at, state in states.items() if state == "absent"}.keys() <= BESIDE


def test_snippets_of_most_controls_are_read() -> None:
    assert len(SNIPPETS) > 80


def test_every_control_that_a_machine_sees_names_what_it_is_not() -> None:
    seen = {
        control.id
        for control in LIBRARY.controls.values()
        if control.in_place is not None
        and any("template" in FACTS[control.scope][name].seen_by for name in control.in_place.facts)
    }
    assert [name for name in sorted(seen) if not LIBRARY.controls[name].weaker] == []
