"""The benchmarks run and compare like with like; how fast anything is, no test says."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks import compare_pytm, generate, scale, threats, timing
from benchmarks.compare_pytm import Line, Size
from tests.support import HOME, graph_of
from threatmodel.evidence.collect import collect
from threatmodel.evidence.every_function import with_functions
from threatmodel.evidence.sources import read_sources
from threatmodel.library.directions import directions
from threatmodel.library.load import load_library
from threatmodel.model.load import load_model
from threatmodel.reading.files import Files
from threatmodel.stacks.work import USUAL_WORK, Work

pytestmark = pytest.mark.slow

BENCHMARKS = HOME / "benchmarks"
TINY = Size(middle=2, large=3, rounds=1, starts=1)


def test_a_model_has_the_functions_asked_for_and_six_flows_each(tmp_path: Path) -> None:
    graph = graph_of(tmp_path, generate.model(3))
    assert [e.id for e in graph.elements.values() if e.kind == "function"] == ["bot-0", "bot-1", "bot-2"]
    between = [f for f in graph.flows.values() if {"bot-1", "api-1", "table-1"} & {f.source, f.target}]
    assert len([flow for flow in between if flow.view == "runtime"]) >= 6
    assert graph.elements["table-2"].zone == "fn-2"


def test_neighbours_differ(tmp_path: Path) -> None:
    graph = graph_of(tmp_path, generate.model(2))
    stated = ({name: said.value for name, said in graph.system.nodes[bot].facts.items()} for bot in ("bot-0", "bot-1"))
    first, second = stated
    assert first.keys() == second.keys()
    assert first != second


def test_known_leaves_nothing_unknown_and_what_was_known_as_it_was(tmp_path: Path) -> None:
    graph = graph_of(tmp_path, generate.model(2))
    whole = threats.known(graph)
    library = load_library(HOME / "threatlib")
    for target, before in zip(whole.targets(), graph.targets(), strict=True):
        assert before.facts.items() <= target.facts.items()
        for threat in library.threats.values():
            if target.kind in threat.targets:
                assert threat.applies[target.kind].truth(target.facts) != 0


def test_every_line_of_the_comparison_is_measured(capsys: pytest.CaptureFixture[str]) -> None:
    lines = compare_pytm.compared(TINY)
    shown = compare_pytm.table(lines)
    assert [line.target for line in lines] == ["20x", "", "", "50x", "4x", "2.5x", "under 0.12 s", "20 s, 1.5 GB"]
    assert all((line.reached is None) == (not line.target) for line in lines)
    assert all(line.count("|") == 7 for line in shown.splitlines())
    assert not capsys.readouterr().out


def test_a_target_that_is_not_reached_fails(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    missed = Line("work", "1 s", "1 s", 1.0, "2x", reached=False)
    monkeypatch.setattr(compare_pytm, "compared", lambda _size: [missed])
    assert compare_pytm.main([]) == 1
    assert "| work | 1 s | 1 s | 1.0x | 2x | **no** |" in capsys.readouterr().out
    assert compare_pytm.main(["--quick"]) == 0


def test_write_puts_the_table_into_the_readme(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    readme = tmp_path / "README.md"
    readme.write_text((BENCHMARKS / "README.md").read_text(encoding="utf-8"), encoding="utf-8")
    reached = Line(r"\1 work", "1 s", "0.1 s", 10.0, "2x", reached=True)
    monkeypatch.setattr(compare_pytm, "compared", lambda _size: [reached])
    monkeypatch.setattr(compare_pytm, "README", readme)
    assert compare_pytm.main(["--write"]) == 0
    assert compare_pytm.main(["--write"]) == 0
    capsys.readouterr()
    text = readme.read_text(encoding="utf-8")
    assert text.count("| \\1 work | 1 s | 0.1 s | 10.0x | 2x | yes |") == 1
    assert text.startswith("# Benchmarks")
    assert "## Growth" in text


def test_works_take_turns_and_the_collector_is_put_back() -> None:
    import gc

    seen: list[tuple[str, bool]] = []
    before = gc.isenabled()
    timing.medians(
        2,
        timing.Timed(lambda: seen.append(("a", gc.isenabled())), "on"),
        timing.Timed(lambda: seen.append(("b", gc.isenabled())), "off"),
    )
    assert seen == [("a", True), ("b", False)] * 2
    assert gc.isenabled() == before


def test_scale_measures_every_stage_in_a_process_of_its_own() -> None:
    figures = scale.measured(2)
    assert figures.keys() == {*scale.STAGES, "elements", "findings", "megabytes"}
    assert all(figures[name] > 0 for name in figures)


def test_calls_are_the_same_in_each_run() -> None:
    first, second = (scale.measured(3, "mixed", "calls") for _ in range(2))
    assert {stage: first[stage] for stage in scale.GROWING} == {stage: second[stage] for stage in scale.GROWING}


@pytest.mark.parametrize("kind", generate.MODELS)
def test_no_stage_costs_more_for_each_function_in_a_larger_model(kind: str) -> None:
    """Counted calls, so that nothing depends on what else the machine does; `scale.py` says what they do not see."""
    found = scale.gate(40, 160, kind, "calls", runs=1)
    assert {stage: ratio for stage, ratio in found.items() if ratio > scale.MOST} == {}


@pytest.mark.long
@pytest.mark.parametrize("kind", generate.MODELS)
def test_no_stage_takes_longer_for_each_function_in_a_model_of_ten_thousand(kind: str) -> None:
    found = scale.gate(scale.SMALL, 10_000, kind, "time", runs=2)
    assert {stage: ratio for stage, ratio in found.items() if ratio > scale.MOST} == {}


def test_a_stage_that_grows_too_fast_fails_the_gate(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def figures(size: int, _kind: str, _measure: str) -> dict[str, float]:
        return {**dict.fromkeys(scale.GROWING, float(size)), "report": float(size * size)}

    monkeypatch.setattr(scale, "measured", figures)
    assert scale.main(["--sizes", "10", "20"]) == 1
    assert "| regular | 1.00 | 1.00 | 1.00 | **2.00** |" in capsys.readouterr().out


def test_scale_prints_a_table(capsys: pytest.CaptureFixture[str]) -> None:
    assert scale.main(["--table", "1", "2"]) == 0
    lines = [line for line in capsys.readouterr().out.splitlines() if line.startswith("|")]
    assert [line.split("|")[1].strip() for line in lines] == ["functions", "---:", "1", "2"]


def test_a_mixed_model_is_the_same_each_time_and_shares_its_parts(tmp_path: Path) -> None:
    assert generate.mixed(20) == generate.mixed(20)
    graph = graph_of(tmp_path, generate.mixed(20))
    assert sum(element.kind == "api" for element in graph.elements.values()) == 1
    assert sum(element.kind == "function" for element in graph.elements.values()) == 20


@pytest.mark.parametrize("script", ["generate.py", "scale.py", "compare_pytm.py", "pytm_side.py"])
def test_scripts_run_from_anywhere(script: str, tmp_path: Path) -> None:
    arguments = {"generate.py": ["2"], "pytm_side.py": ["1", "--dfd"]}.get(script, ["--help"])
    made = subprocess.run(
        [sys.executable, str(BENCHMARKS / script), *arguments], check=True, capture_output=True, text=True, cwd=tmp_path
    )
    assert made.stdout
    assert not made.stderr


def test_figures_of_a_file_are_json(tmp_path: Path) -> None:
    path = tmp_path / "model.yaml"
    path.write_text(generate.model(1), encoding="utf-8")
    command = [sys.executable, str(BENCHMARKS / "scale.py"), "--file", str(path)]
    made = subprocess.run(command, check=True, capture_output=True, text=True)
    assert json.loads(made.stdout)["findings"] > 0


def test_a_file_of_many_choices_takes_less_than_the_usual_work(tmp_path: Path) -> None:
    """Counted operations, so that nothing depends on the machine; `gate.py` measures time and memory of the same."""
    (tmp_path / "template.yaml").write_text(generate.template(20, 20, 50), encoding="utf-8")
    model = tmp_path / "model.yaml"
    model.write_text("name: Choices\nevidence: [{template: template.yaml, functions: all}]\n", encoding="utf-8")
    files, work = Files(), Work()
    system = load_model(files, model)
    sources = read_sources(system, files, work)
    system = with_functions(system, sources)
    evidence, _ = collect(system, sources, directions(load_library(HOME / "threatlib")), work=work)
    assert work.spent < USUAL_WORK / 2
    stated = [evidence[f"f{n}"]["timeout_seconds"][0] for n in range(50)]
    assert {one.defaults for one in stated} == {(f"P{n}",) for n in range(20)}, "each depends on one condition"
