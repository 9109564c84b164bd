"""Flowcharts for Markdown pages: whole, below Mermaid's limits, and the same lines whatever a name holds."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.render.test_dfd import MODEL, RISKS, named
from tests.render.test_dfd import NASTY as NAMES
from tests.render.test_fitted import bot
from tests.render.test_sequence import NASTY as WORDS
from threatmodel.graph.building import VIEWS, Graph, build
from threatmodel.model.load import load_model
from threatmodel.reading.files import Files
from threatmodel.render.condensed import Grouping, condensed
from threatmodel.render.flowchart import as_markdown, flowcharts

Load = Callable[[str], Graph]
TEXT = r'"[^"`<>{}\[\]|\\&\n]*(?:<br/>[^"`<>{}\[\]|\\&\n]*)*"'
LINE = re.compile(
    rf"flowchart LR|  %% Written by threatmodel| +subgraph z\d+b?\[{TEXT}\]| +end|"
    rf" +n\d+(?:\({TEXT}\)|\[\({TEXT}\)\]|\[{TEXT}\])|  n\d+ (?:-->|<-->|-\.->)\|{TEXT}\| n\d+|"
    r"  classDef \w+ [\w#:,\-. ]+|  class [nz]\d+b?(?:,[nz]\d+b?)* \w+|  linkStyle \d+(?:,\d+)* [\w#:,\-]+"
)
ARROW = re.compile(r'^  (n\d+) \S+\|"(.*)"\| (n\d+)$', re.MULTILINE)


@pytest.fixture
def load(tmp_path: Path) -> Load:
    """The graph of a model's text."""

    def loaded(text: str) -> Graph:
        path = tmp_path / "model.yaml"
        path.write_text(text, encoding="utf-8")
        return build(load_model(Files(), path))

    return loaded


@pytest.mark.parametrize("view", [*VIEWS, "all"])
def test_every_box_and_arrow_is_written_once(load: Load, view: str) -> None:
    shown = condensed(load(bot(7)), view)
    (chart,) = flowcharts(shown, RISKS)
    assert all(LINE.fullmatch(line) for line in chart.splitlines())
    assert len(re.findall(r"^ +n\d+[(\[]", chart, re.MULTILINE)) == len(shown.boxes)
    written = [number for _, text, _ in ARROW.findall(chart) for number in re.findall(r"(?:\A|<br/>|, )(\d+)", text)]
    assert sorted(map(int, written)) == sorted(number for link in shown.links for number, _ in link.flows)
    frames = re.findall(r"subgraph (z\d+)", chart)
    assert len(frames) == len(re.findall(r"^ +end$", chart, re.MULTILINE))
    assert len(set(frames)) == len(shown.zones)


def test_signs_say_what_an_arrow_and_a_box_are(load: Load) -> None:
    (chart,) = flowcharts(condensed(load(MODEL)), RISKS)
    chart = re.sub(r"#(\d+);", lambda found: chr(int(found[1])), chart)
    assert '-.->|"3 any request"|' in chart
    assert re.search(r'<-->\|"\d+(, \d+)* invoke<br/>\d+ answer"\|', chart)
    assert re.search(
        r'\("bot<br/>Lambda · python3.13<br/>unknown: calls<br/>■ high · 2 threats<br/>1 secret<br/>1 log group"\)',
        chart,
    )
    assert re.search(r'\[\("orders<br/>.*♦ critical', chart)
    assert re.search(r"^  class n\d+(,n\d+)* high$", chart, re.MULTILINE)
    assert "out of scope" in chart
    assert "HTTPS" not in chart


def test_a_chart_that_is_too_large_is_split_below_the_limits(load: Load) -> None:
    shown = condensed(load(bot(400)), grouping=Grouping(functions=False))
    charts = flowcharts(shown)
    assert len(charts) > 1
    assert all(len(chart) < 50_000 and len(ARROW.findall(chart)) <= 500 for chart in charts)
    assert sum(len(ARROW.findall(chart)) for chart in charts) == len(shown.links)
    for chart in charts:
        boxes = set(re.findall(r"^ +(n\d+)[(\[]", chart, re.MULTILINE))
        assert {end for source, _, target in ARROW.findall(chart) for end in (source, target)} <= boxes
    page = as_markdown(shown, charts)
    assert page.count("```mermaid\nflowchart LR\n") == len(charts)
    assert f"Part {len(charts)} of {len(charts)}" in page
    assert page.splitlines()[-1].startswith("Written by threatmodel")


def test_overviews_of_large_systems_are_one_chart(load: Load) -> None:
    assert len(flowcharts(condensed(load(bot(300))))) == 1


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(names=st.lists(st.sampled_from([*NAMES, *WORDS]) | st.text(max_size=8), min_size=1, max_size=40))
def test_any_names_keep_the_lines_that_there_are(load: Load, names: list[str]) -> None:
    plain = load(MODEL)
    (chart,) = flowcharts(condensed(plain), RISKS)
    (odd,) = flowcharts(condensed(named(plain, names)), RISKS)
    odd.encode()
    assert len(odd.splitlines()) == odd.count("\n") == chart.count("\n")
    assert [line for line in odd.splitlines() if not LINE.fullmatch(line)] == []
    as_markdown(condensed(named(plain, names)), [odd]).encode()
