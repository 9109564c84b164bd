"""Sequence diagrams: every flow once and in order, one line each, whatever a name holds."""

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from threatmodel.graph.building import VIEWS, Graph, build
from threatmodel.model.load import load_model
from threatmodel.reading.files import Files
from threatmodel.render.sequence import mermaid, plantuml

Make = Callable[..., str]

MODEL = """
name: Orders
data: {order: {classification: internal}}
apis: {front: {kind: rest, waf_rate_rule: true}}
stores: {orders: {kind: dynamodb, holds: [order]}}
queues: {work: {kind: sqs, holds: [order]}}
functions:
  bot: {triggers: [{slack: slash-command, api: front}], sends: [work]}
  worker: {triggers: [{queue: work}], reads: [orders], writes: [orders], calls: [slack]}
"""

BOTH = pytest.mark.parametrize("make", [plantuml, mermaid])
WHO = {
    plantuml: re.compile(r'^  (?:actor|participant|database|queue) "(.*)" as (\w+)$'),
    mermaid: re.compile(r"^    (?:actor|participant) (?P<alias>\w+) as (?P<name>.*)$"),
}
WHAT = {
    plantuml: re.compile(r"^(p\d+) -(?:\[#\w+\])?-?> (p\d+) : (.+)$"),
    mermaid: re.compile(r"^  (p\d+)--?>>(p\d+): (.+)$"),
}
FRAME = {
    plantuml: re.compile(
        r"@startuml|' Written by threatmodel|title .*|autonumber|hide footbox|box \".*\" #FFFFFF|end box|"
        r"note right : .*|@enduml|(?:alt|else) .*|end|autonumber (?:stop|resume)"
    ),
    mermaid: re.compile(
        r"sequenceDiagram|  %% Written by threatmodel|  title .*|  autonumber|"
        r"  box transparent .*|  end|  Note over p\d+,p\d+: .*|  (?:alt|else) .*|  autonumber (?:off|\d+)"
    ),
}


@pytest.fixture
def graph(tmp_path: Path) -> Graph:
    return loaded(tmp_path, MODEL)


def loaded(folder: Path, text: str) -> Graph:
    path = folder / "model.yaml"
    path.write_text(text, encoding="utf-8")
    return build(load_model(Files(), path))


def messages(make: Make, text: str) -> Iterator[tuple[str, str, str]]:
    """From whom, to whom and what, by name; not what happens instead, which has no number."""
    names = {}
    for before, line in pairwise(text.splitlines()):
        if before.strip() in {"autonumber off", "autonumber stop"}:
            continue
        if found := WHO[make].match(line):
            name, alias = found.groups() if make is plantuml else found.groups()[::-1]
            names[alias] = name
        elif found := WHAT[make].match(line):
            yield names[found[1]], names[found[2]], found[3]


@BOTH
@pytest.mark.parametrize("view", VIEWS)
def test_every_flow_of_a_view_is_a_message_in_order(make: Make, view: str, graph: Graph) -> None:
    flows = [flow for flow in graph.flows.values() if flow.view == view]
    want = [(graph.elements[flow.source].name, graph.elements[flow.target].name) for flow in flows]
    found = list(messages(make, make(graph, view)))
    assert [(source, target) for source, target, _ in found] == want
    assert all(text.startswith(flow.label.split(",")[0]) for (_, _, text), flow in zip(found, flows, strict=True))


@BOTH
def test_only_known_lines_are_written(make: Make, graph: Graph) -> None:
    for line in make(graph).splitlines():
        assert FRAME[make].fullmatch(line) or WHO[make].fullmatch(line) or WHAT[make].fullmatch(line), line


@BOTH
def test_what_crosses_the_outermost_boundaries_is_noted(make: Make, graph: Graph) -> None:
    assert "Internet → AWS account" in make(graph)
    assert "AWS account → AWS account" not in make(graph)


def test_answers_are_dashed_and_hostile_callers_red(graph: Graph) -> None:
    assert re.search(r"^p\d+ --> p\d+ : answer", plantuml(graph), re.MULTILINE)
    assert re.search(r"^p\d+ -\[#CF222E\]> p\d+ : any request", plantuml(graph), re.MULTILINE)
    assert re.search(r"^  p\d+-->>p\d+: answer", mermaid(graph), re.MULTILINE)


@BOTH
def test_who_calls_stands_left_of_who_is_called(make: Make, graph: Graph) -> None:
    found = [WHO[make].match(line) for line in make(graph).splitlines()]
    names = [name for match in found if match for name in match.groups() if not re.fullmatch(r"p\d+", name)]
    want = ["Anyone", "Slack user", "Slack platform", "WAF web ACL", "front", "bot", "worker", "work", "orders"]
    assert [name for name in names if name in want] == want


@BOTH
def test_many_functions_are_one(make: Make, tmp_path: Path) -> None:
    functions = "".join(f"  fn-{n}: {{triggers: [], writes: [orders]}}\n" for n in range(20))
    text = make(loaded(tmp_path, MODEL.partition("functions:")[0] + "functions:\n" + functions))
    assert "20 functions" in text
    assert ("20 functions", "orders") in [(source, target) for source, target, _ in messages(make, text)]


@BOTH
def test_focus_shows_one_element(make: Make, graph: Graph) -> None:
    assert all("worker" in found[:2] for found in messages(make, make(graph, focus="worker")))


def cases(text: str) -> dict[str, str]:
    """What happens in each case but the usual one."""
    lines = [line.strip() for line in text.splitlines()]
    at = [index for index, line in enumerate(lines) if line.startswith("else ")]
    return {lines[index].removeprefix("else "): re.split(": ", lines[index + 2], maxsplit=1)[1] for index in at}


@BOTH
def test_rejection_replay_and_retry_happen_instead(make: Make, tmp_path: Path, graph: Graph) -> None:
    said = "unknown: rejects_replay is not stated"
    assert said in [text.replace("#58;", ":") for text in cases(make(graph)).values()]
    text = MODEL.replace("bot: {", "bot: {verifies_signature: true, rejects_replay: false, ")
    found = cases(make(loaded(tmp_path, text.replace("worker: {", "worker: {idempotent: true, "))))
    assert found == {
        "the signature is missing or wrong": "rejected with 401, and nothing is done (stated)",
        "an attacker sends the request again (replay)": "accepted, and done again (stated)",
        "Slack sends the request again after 3 s (retry)": found["Slack sends the request again after 3 s (retry)"],
        "it is delivered again (retry)": "no second effect (stated)",
    }


@BOTH
@pytest.mark.parametrize("view", [*VIEWS, "all"])
def test_cases_are_closed_and_keep_the_numbers_of_flows(make: Make, graph: Graph, view: str) -> None:
    lines = [line.strip() for line in make(graph, view).splitlines()]
    depth, number = 0, 1
    for before, line in pairwise(lines):
        depth += line.startswith("alt ") - (line == "end" and depth > 0)
        assert depth in {0, 1}
        assert not line.startswith("else ") or depth == 1
        if found := re.fullmatch(r"autonumber (\d+)", line):
            assert int(found[1]) == number
        elif WHAT[make].match(f"  {line}" if make is mermaid else line) and before not in {
            "autonumber off",
            "autonumber stop",
        }:
            number += 1
    assert depth == 0


def test_the_secret_that_verifies_is_read_in_every_case(tmp_path: Path) -> None:
    text = MODEL.replace("functions:", "secrets: {key: {grants: slack-requests}}\nfunctions:")
    text = mermaid(loaded(tmp_path, text.replace("sends: [work]", "sends: [work], secrets: [key]")))
    assert text.index("get secret") < text.index("  alt ")


NASTY = [
    *("end", "as", "note", "\n!include /etc/passwd", "\r", "\u2028", '"', "\\n", "@enduml", "%%", "%%{init: {}}%%"),
    *(
        ";",
        "#",
        "#35;",
        ":",
        "->>",
        "-->",
        "<br/>",
        "<script>",
        "[[x]]",
        "{{",
        "}}",
        "/'",
        "'/",
        "$x",
        "wrap:",
        "+",
        "-",
    ),
    *(
        "\x00",
        "\u202e",
        "\ud800",
        "日本",
        "\U0001f642",
        "",
        " ",
        "<U+000A>",
        "box",
        "participant p1 as x",
        "style: #1;",
    ),
]


@BOTH
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(names=st.lists(st.sampled_from(NASTY) | st.text(max_size=8), min_size=1, max_size=20))
def test_any_names_keep_the_lines_that_there_are(make: Make, tmp_path: Path, names: list[str]) -> None:
    graph = loaded(tmp_path, MODEL)
    turn = iter(names * 100)
    odd = replace(
        graph,
        system=replace(graph.system, name=next(turn)),
        elements={name: replace(element, name=next(turn)) for name, element in graph.elements.items()},
        data={name: item._replace(name=next(turn)) for name, item in graph.data.items()},
        zones={name: zone._replace(name=next(turn)) for name, zone in graph.zones.items()},
    )
    text = make(odd)
    text.encode()
    assert len(text.splitlines()) == text.count("\n")
    lines = zip(text.splitlines(), make(graph).splitlines(), strict=True)
    for found, plain in lines:
        kinds = [pattern[make].fullmatch(found) is not None for pattern in (FRAME, WHO, WHAT)]
        assert kinds == [pattern[make].fullmatch(plain) is not None for pattern in (FRAME, WHO, WHAT)], found
