"""The plain pytm script is the same model."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.pytm_model.systems import HOSTILE, hostile
from tests.pytm_told import told
from tests.support import HOME, graph_of
from threatmodel.graph.elements import Graph
from threatmodel.library.entries import Library
from threatmodel.model.facts import Fact, Statement
from threatmodel.pytm_model.elements import ELEMENTS
from threatmodel.pytm_model.model import to_pytm
from threatmodel.pytm_model.script import _text as literal
from threatmodel.pytm_model.script import pytm_script
from threatmodel.pytm_model.terms import terms


def told_by_script(script: str, folder: Path) -> Any:
    path = folder / "script.py"
    path.write_text(script, encoding="utf-8")
    command = [sys.executable, str(HOME / "tests" / "pytm_told.py"), str(path)]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found.pop("ours") == []
    return found


def told_by_model(graph: Graph, library: Library) -> dict[str, Any]:
    model = to_pytm(graph, library)
    with model.active():
        return told(model)


@pytest.mark.slow
def test_the_script_is_the_same_model(graph: Graph, library: Library, tmp_path: Path) -> None:
    told = told_by_script(pytm_script(graph, library), tmp_path)
    assert told == told_by_model(graph, library)
    assert ["HTTP", 80, False] in [flow[3:6] for flow in told["flows"]]
    assert told["findings"]


@pytest.mark.slow
def test_the_script_is_the_same_model_where_statements_differ(graph: Graph, library: Library, tmp_path: Path) -> None:
    """A fact that is stated twice, differently, is not known."""
    said = Statement(True, "model", None)
    bot = graph.elements["bot"]
    facts = {**bot.facts, "slack_facing": Fact(None, 0, said, (said._replace(value=False),))}
    changed = replace_element(graph, "bot", facts)
    told = told_by_script(pytm_script(changed, library), tmp_path)
    assert told == told_by_model(changed, library)
    assert "slack_facing=None" in pytm_script(changed, library)


def replace_element(graph: Graph, name: str, facts: dict[str, Fact]) -> Graph:
    return replace(graph, elements={**graph.elements, name: replace(graph.elements[name], facts=facts)})


def test_the_script_runs_with_pytms_options(graph: Graph, library: Library, tmp_path: Path) -> None:
    path = tmp_path / "script.py"
    path.write_text(pytm_script(graph, library), encoding="utf-8")
    done = subprocess.run([sys.executable, str(path), "--list"], capture_output=True, text=True, check=True)
    assert "forged - Something bad happens to forged" in done.stdout


def test_the_script_says_what_belongs_to_what(graph: Graph, library: Library) -> None:
    text = pytm_script(graph, library)
    assert "    # 4. Exploited vulnerability: " in text
    assert "bot.controls.verified = True  # verified is in place" in text
    assert text == pytm_script(graph, library)


@pytest.mark.slow
def test_names_stay_literals_in_the_script(tmp_path: Path, library: Library) -> None:
    graph = hostile(tmp_path)
    script = pytm_script(graph, library)
    tree = ast.parse(script)
    calls = {node.func for node in ast.walk(tree) if isinstance(node, ast.Call)}
    assert {ast.unparse(call) for call in calls} <= {*ELEMENTS, "TM", "Data", "Threat", "ExactFlow", "tm.process"} | {
        "super",
        "super().check",
    }
    imports = [node for node in ast.walk(tree) if isinstance(node, ast.Import | ast.ImportFrom)]
    assert [ast.unparse(node).split()[1] for node in imports] == ["pytm"]
    assert not any("coding" in line for line in script.splitlines()[:2])
    told = told_by_script(script, tmp_path)
    assert told == told_by_model(graph, library)
    assert {name for _, name, *_ in told["elements"]} >= set(HOSTILE)


@given(st.text(st.characters(exclude_categories=["Cs"])) | st.sampled_from(HOSTILE))
def test_any_text_is_a_literal_in_the_script(text: str) -> None:
    assert ast.literal_eval(literal(text)) == text
    assert literal(text).isprintable() or literal(text).replace("\n", "").isprintable()


@pytest.mark.slow
@pytest.mark.parametrize("names", [["lambda", "def", "tm", "print"], ["bot", "bot-logs", "bot-environment"]], ids=str)
def test_ids_become_names_of_their_own(names: list[str], library: Library, tmp_path: Path) -> None:
    functions = "".join(f"  {name}: {{triggers: []}}\n" for name in names)
    graph = graph_of(
        tmp_path, f"name: x\ndata: {{bot-configuration: {{classification: public}}}}\nfunctions:\n{functions}"
    )
    assert told_by_script(pytm_script(graph, library), tmp_path) == told_by_model(graph, library)


def test_printing_the_script_needs_no_pytm() -> None:
    code = "import sys, threatmodel.pytm_model.script; sys.exit('pytm' in sys.modules or 'pydantic' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=HOME, check=False).returncode == 0


def test_terms_hold_every_element_and_flow(graph: Graph, library: Library) -> None:
    said = terms(graph, library)
    assert {part.id for part in said.parts} == {*graph.elements, *graph.zones}
    assert [stream.id for stream in said.streams] == list(graph.flows)
    assert [rule.id for rule in said.rules] == list(library.threats)
