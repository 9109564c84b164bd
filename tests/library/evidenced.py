"""The state of a control where a file of infrastructure code is the only evidence."""

from __future__ import annotations

import datetime
from dataclasses import replace
from pathlib import Path

from tests.collecting import collected
from tests.support import HOME
from threatmodel.assessment.states import States
from threatmodel.evidence.mappings.load import load_mappings
from threatmodel.evidence.mappings.stack_facts import StackFacts
from threatmodel.graph.building import build
from threatmodel.library.directions import directions
from threatmodel.library.entries import Control
from threatmodel.library.load import load_library
from threatmodel.model.load import load_model
from threatmodel.reading.files import Files
from threatmodel.stacks.stack import Stack

AS_OF = datetime.date(2026, 11, 25)
LIBRARY = load_library(HOME / "threatlib")
WAYS = directions(LIBRARY)
SECTIONS = {"function": "functions", "api": "apis", "store": "stores", "queue": "queues", "secret": "secrets"}


def states_in(control: Control, stack: Stack, evidence: tuple[str, str], folder: Path) -> dict[str, str]:
    """The state at each element of the control's kind; `evidence` is how a model names the file, and its text."""
    facts = StackFacts(stack, load_mappings())
    names = [name for name, one in stack.resources.items() if control.scope in facts.kinds_of_type(one.type)]
    elements = {f"e{number}": name for number, name in enumerate(names)} if control.scope in SECTIONS else {}
    told = "".join(f"  {element}: {{}}\n" for element in elements)
    section = f"{SECTIONS[control.scope]}:\n{told}" if elements else "functions: {other: {}}\n"
    mapped = ", ".join(f"{element}: {name}" for element, name in elements.items())
    kind, text = evidence
    source = f"{{{kind}: evidence, resources: {{{mapped}}}}}"
    model = f"name: x\n{section}account: {{}}\npipeline: {{}}\nevidence:\n  - {source}\n"
    files = Files(texts={folder / "m.yaml": model, folder / "evidence": text})
    system = load_model(files, folder / "m.yaml")
    shown, found = collected(system, files, WAYS, AS_OF)
    alone = replace(control, requires=(), needs=())  # what else it takes must not hide what the file shows of it
    states = States(build(system, shown, AS_OF, found), LIBRARY, AS_OF)
    if control.scope in SECTIONS:
        return {name: states.at(alone, element).state for element, name in elements.items()}
    return {control.scope: states.at(alone, control.scope).state}
