"""Diagrams for paper and screens: readable type, nothing lost, and drawable whatever a name holds."""

import re
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.render.test_dfd import MODEL, NASTY, RISKS, named
from threatmodel.graph.building import VIEWS, Graph, build
from threatmodel.model.load import load_model
from threatmodel.reading.files import Files
from threatmodel.render.condensed import condensed
from threatmodel.render.draw import bundled
from threatmodel.render.fitted import Fitted, Wanted, fitted
from threatmodel.render.palette import BANDS, CHANGE

pytestmark = pytest.mark.skipif(not bundled(), reason="the graphviz-pure wheel is not installed")
Load = Callable[[str], Graph]
SVG = "{http://www.w3.org/2000/svg}"
PAGE, WINDOW = 527, 960
"""The width in points of the text on A4, with margins of 12 mm, and of a window of 1280 pixels."""


@pytest.fixture
def load(tmp_path: Path) -> Load:
    """The graph of a model's text."""

    def loaded(text: str) -> Graph:
        path = tmp_path / "model.yaml"
        path.write_text(text, encoding="utf-8")
        return build(load_model(Files(), path))

    return loaded


USES = (
    "triggers: [{{slack: slash-command, api: {api}}}], sends: [{queue}], secrets: [signing], writes: [{store}]",
    "triggers: [{{slack: events, api: {api}}}], sends: [{queue}], secrets: [signing], reads: [{store}]",
    "triggers: [{{queue: {queue}}}], reads: [{store}], writes: [{store}], secrets: [token], calls: [slack, erp]",
    "triggers: [{{schedule: rate(1 day)}}], reads: [{store}], calls: [slack], secrets: [token, signing]",
    "triggers: [{{queue: {queue}}}], writes: [{store}], calls: [erp]",
    "triggers: [{{http: POST, api: {api}}}], reads: [{store}], writes: [{store}], sends: [{queue}]",
    "triggers: [{{queue: {queue}}}], calls: [slack, pager], secrets: [token]",
    "triggers: [{{store: {store}}}], writes: [{store}]",
)


def bot(functions: int) -> str:
    """A Slack bot of so many functions, with two stores, a queue and an API for every few of them."""
    few, pairs = range(1 + functions // 4), range(1 + functions // 2)
    lines = ["name: Operations bot", "data: {order: {name: order record, classification: confidential}}", "apis:"]
    lines += [*(f"  orders-api-{n}: {{kind: http}}" for n in few), "stores:"]
    lines += [*(f"  customer-orders-{n}: {{kind: dynamodb, holds: [order]}}" for n in pairs), "queues:"]
    lines += [f"  work-queue-{n}: {{kind: sqs, holds: [order]}}" for n in few]
    lines += ["secrets: {signing: {grants: slack-requests}, token: {grants: slack-api}}"]
    lines += ["externals: {erp: {name: ERP system}, pager: {name: PagerDuty}}", "functions:"]
    for n in range(functions):
        names = {"api": f"orders-api-{n % len(few)}", "queue": f"work-queue-{n % len(few)}"}
        uses = USES[n % len(USES)].format(store=f"customer-orders-{n % len(pairs)}", **names)
        lines.append(f"  order-handler-{n}: {{runtime: python3.13, {uses}}}")
    return "\n".join(lines)


def points(svg: bytes, width: float) -> float:
    """The size of the smallest text of a picture that is no wider than a medium: the font's size times its scale."""
    root = ElementTree.fromstring(svg)  # noqa: S314 - drawn here
    left, top, wide, high = map(float, root.get("viewBox", "").split())
    assert (left, top) == (0, 0)
    assert wide <= width
    assert float(root.get("width", "").removesuffix("pt")) == pytest.approx(wide, abs=1)
    scaled = re.search(r"scale\(([0-9.]+)", root.find(f"{SVG}g").get("transform", ""))  # type: ignore[union-attr]
    assert scaled
    assert high > 0
    return min(float(text.get("font-size", "0")) for text in root.iter(f"{SVG}text")) * float(scaled[1])


@pytest.mark.parametrize("functions", [1, 2, 3, 6, 8, 10])
def test_type_can_be_read_on_a_page_and_on_a_screen(load: Load, functions: int) -> None:
    graph = load(bot(functions))
    risks = dict.fromkeys([*graph.elements, *graph.flows], ("medium", 12))
    paper = fitted(graph, "a4", Wanted(marks=risks))
    assert paper.readable
    assert points(paper.picture, PAGE) == pytest.approx(paper.points, abs=0.01)
    assert paper.points >= 7
    screen = fitted(graph, "screen", Wanted(marks=risks))
    assert screen.readable
    assert points(screen.picture, WINDOW) >= 8.25  # 11 pixels


@pytest.mark.parametrize("view", ["deployment", "identity"])
def test_other_views_can_be_read_on_a_page_too(load: Load, view: str) -> None:
    assert fitted(load(bot(8)), "a4", Wanted(view)).readable


def test_an_arrow_of_many_flows_without_a_number_still_says_what_is_wrong_with_them(load: Load) -> None:
    """On a phone, numbers of many flows take too much room; a protocol, a risk and the legend stay."""
    graph = load(bot(300))
    bad = next(name for name in graph.flows if name.startswith("order-handler-0:customer-orders-"))
    drawn = fitted(graph, "phone", Wanted(marks={bad: ("high", 1)}))
    arrows = [group for name, group in groups(drawn).items() if name.startswith("link-")]
    said = {group.get("data-of", ""): [text.text for text in group.iter(f"{SVG}text")] for group in arrows}
    assert [text for flows, text in said.items() if bad in flows.split()] == [["■ high"]]
    assert not any(text for flows, text in said.items() if bad not in flows.split() and len(flows.split()) > 3)
    assert "arrow without a number: more than 3 flows" in " ".join(texts(drawn)).replace("\xa0", " ")


@pytest.mark.parametrize("view", [*VIEWS, "all"])
@pytest.mark.parametrize("functions", [2, 9, 40])
def test_every_flow_and_element_of_a_view_is_in_the_picture_once(load: Load, view: str, functions: int) -> None:
    graph = load(bot(functions))
    shown = condensed(graph, view)
    flows = [one for link in shown.links for one in link.flows]
    flows += [one for box in shown.boxes.values() for one in box.inner]
    want = [(n, flow) for n, flow in enumerate(graph.flows.values(), 1) if view in {"all", flow.view}]
    assert sorted(flows, key=lambda one: one[0]) == want
    members = [member.id for box in shown.boxes.values() for member in box.members]
    folded = {one.id for box in shown.boxes.values() for one in box.folded}
    assert len(members) == len(set(members))
    assert not folded & set(members)
    touched = {end for _, flow in want for end in (flow.source, flow.target)}
    assert touched <= folded | set(members)


def texts(found: Fitted) -> list[str]:
    root = ElementTree.fromstring(found.picture)  # noqa: S314 - drawn here
    return ["".join(text.itertext()) for text in root.iter(f"{SVG}text")]


def test_logs_and_secrets_are_counted_in_their_owner_with_their_worst_risk(load: Load) -> None:
    graph = load(MODEL)
    worst = {"worker": ("critical", 1)}
    said = texts(fitted(graph, "a4", Wanted(marks={**worst, "signing": ("high", 2), "bot": ("low", 0)})))
    assert said[said.index("1 secret") + 1] == "■ high"
    assert said.count("1 log group") == 2
    assert "signing" not in said
    said = texts(fitted(graph, "a4", Wanted(marks={**worst, "signing": ("high", 2), "bot": ("critical", 1)})))
    assert {"1 secret", "■ high"} & set(said) == {"1 secret"}  # the band of its owner covers it


def test_a_secret_in_focus_is_drawn_by_itself(load: Load) -> None:
    assert "signing" in texts(fitted(load(MODEL), "a4", Wanted(focus="signing")))


def test_a_group_names_its_most_pressing_members_first(load: Load) -> None:
    graph = load(bot(40))
    marks = {"erp": ("critical", 4), "order-handler-35": ("critical", 3), "order-handler-3": ("low", 1)}
    said = texts(fitted(graph, "a4", Wanted(marks=marks)))
    assert said[said.index("order-handler-35") - 1] == "♦ critical"
    assert said[said.index("order-handler-3") - 1] == "● low"
    assert any(text.endswith(" more") for text in said)


def test_a_protocol_is_written_where_it_is_not_https(load: Load) -> None:
    said = texts(fitted(load(MODEL), "a4", Wanted()))
    assert not any("HTTPS" in text for text in said)
    plain = "flows:\n  worker:ledger:read: {transport: tcp, tcp_port: 5432, encrypted: false}\n"
    said = texts(fitted(load(MODEL + plain), "a4", Wanted()))
    assert {"TCP 5432", "not encrypted"} <= set(said)


def test_who_points_at_an_arrow_or_a_box_sees_what_it_stands_for(load: Load) -> None:
    root = ElementTree.fromstring(fitted(load(MODEL), "a4", Wanted(marks=RISKS)).picture)  # noqa: S314
    titles = {group.get("id"): group.findtext(f"{SVG}title") for group in root.iter(f"{SVG}g")}
    assert (
        titles["box-bot"]
        == "bot · Lambda · python3.13 · ■ high · 2 threats\nsigning · "
        + titles["box-bot"].split(  # type: ignore[union-attr]
            "signing · "
        )[1]
    )
    arrows = [title or "" for name, title in titles.items() if name and name.startswith("link-")]
    assert any(re.search(r"\d+ worker → orders: read · order record, .* · HTTPS", title) for title in arrows)


def test_who_points_at_many_sees_the_first_and_how_many_more(load: Load) -> None:
    drawn = groups(fitted(load(bot(90)), "a4", Wanted()))
    boxes = {name: group for name, group in drawn.items() if name.startswith("box-")}
    told = {name: (group.findtext(f"{SVG}title") or "").split("\n") for name, group in boxes.items()}
    for name, lines in told.items():
        count = len(boxes[name].get("data-of", "").split())
        assert len(lines) == min(count, 21)
        assert (lines[-1] == f"and {count - 20} more") is (count > 20)
    assert max(map(len, told.values())) == 21


def test_a_called_system_is_on_the_right_and_a_caller_on_the_left(load: Load) -> None:
    boxes = condensed(load(bot(3))).boxes
    lanes = {name: boxes[name].lane for name in ("internet", "slack", "orders-api-0", "order-handler-0", "erp")}
    assert list(lanes.values()) == sorted(lanes.values())
    assert boxes["erp"].beyond
    assert boxes["slack"].lane == boxes["slack-user"].lane


def test_a_boundary_whose_members_talk_to_each_other_has_one_frame(load: Load) -> None:
    """Slack is only called here, so its users are on its side too."""
    graph = load("name: Alarm\nfunctions: {alarm: {triggers: [{schedule: rate(1 day)}], calls: [slack]}}\n")
    boxes = condensed(graph).boxes
    assert boxes["slack"].beyond
    assert boxes["slack-user"].beyond
    assert texts(fitted(graph, "a4", Wanted())).count("Slack workspace") == 1


def groups(found: Fitted) -> dict[str, ElementTree.Element]:
    root = ElementTree.fromstring(found.picture)  # noqa: S314 - drawn here
    return {group.get("id", ""): group for group in root.iter(f"{SVG}g")}


@pytest.mark.parametrize("worst", ["order-handler-5", "customer-orders-1", "signing", "account"])
def test_the_worst_element_alone_has_the_mark_that_the_legend_explains(load: Load, worst: str) -> None:
    """A function of a group, a store, a secret or a plane: the first of the marks, which has a box of its own."""
    marks = {"pipeline": ("critical", 9), worst: ("high", 2), "order-handler-2": ("high", 2), "erp": ("high", 2)}
    found = fitted(load(bot(9)), "a4", Wanted(marks=marks))
    marked = [name for name, group in groups(found).items() if "worst" in group.get("class", "").split()]
    assert marked == [f"{'zone' if worst == 'account' else 'box'}-{worst}"]
    assert texts(found).count("WORST") == 1
    assert any("WORST, thick outline" in text for text in texts(found))
    assert "WORST" not in texts(fitted(load(bot(9)), "a4", Wanted(marks={worst: ("high", 0)})))


def test_the_worst_element_says_how_many_others_of_the_picture_are_as_bad(load: Load) -> None:
    graph = load(bot(8))
    marks = {"pipeline": ("high", 2, 0), "order-handler-5": ("high", 2, 0), "order-handler-1": ("high", 2, 0)}
    drawn = fitted(graph, "a4", Wanted(marks={**marks, "order-handler-0": ("high", 2, 1)}))
    said = {name: "".join(group.itertext()) for name, group in groups(drawn).items()}
    assert [name for name, text in said.items() if "ONE OF 2 WORST" in text and "box" in name] == [
        "box-order-handler-5"
    ]
    assert "ONE OF 2 WORST, thick outline" in " ".join(texts(drawn))
    alone = texts(fitted(graph, "a4", Wanted(marks={"order-handler-5": ("high", 2, 0), "erp": ("high", 2, 1)})))
    assert "WORST" in alone


def test_frames_and_anyone_have_no_color_of_a_risk(load: Load) -> None:
    found = fitted(load(bot(9)), "a4", Wanted())
    strokes = {shape.get("stroke") for group in groups(found).values() for shape in group}
    assert not strokes & {paint.line for paint in BANDS.values()}


def test_a_frame_stands_for_its_plane_or_for_all_that_is_in_it(load: Load) -> None:
    of = {name: group.get("data-of", "").split() for name, group in groups(fitted(load(MODEL), "a4", Wanted())).items()}
    assert of["zone-account"] == ["account"]
    assert of["zone-execution"] == ["bot", "signing", "bot.logs"]
    assert of["zone-back"] == ["worker", "worker.logs"]


def test_what_functions_call_outside_is_written_in_its_box_and_numbered_on_the_arrows(load: Load) -> None:
    found = fitted(load(MODEL), "a4", Wanted(marks={"worker:erp:call": ("high", 1)}))
    box = ["".join(text.itertext()) for text in groups(found)["box-erp"].iter(f"{SVG}text")]
    assert box[2:] == ["17 call", "protocol unknown", "■ high"]
    arrow = next(group for group in groups(found).values() if group.get("data-of") == "worker:erp:call")
    assert ["".join(text.itertext()).isdigit() for text in arrow.iter(f"{SVG}text")] == [True]


CYCLES = """
name: Cycles
queues: {a: {kind: sqs}, b: {kind: sqs}}
functions:
  one: {triggers: [{queue: a}], sends: [b], invokes: [two]}
  two: {triggers: [{queue: b}], sends: [a], invokes: [one]}
"""


@pytest.mark.parametrize("text", ["name: Empty\nfunctions: {only: {triggers: []}}\n", CYCLES])
@pytest.mark.parametrize("medium", ["a4", "screen", "phone"])
def test_no_entry_point_and_cycles_draw(load: Load, text: str, medium: str) -> None:
    for view in (*VIEWS, "all"):
        assert fitted(load(text), medium, Wanted(view=view)).picture


def test_titles_of_300_characters_leave_the_picture_as_it_is(load: Load) -> None:
    found = fitted(named(load(MODEL), ["word " * 60]), "a4", Wanted(marks=RISKS))
    assert found.readable
    assert fitted(named(load(MODEL), ["W" * 300]), "a4", Wanted(marks=RISKS)).picture


@pytest.mark.slow
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(names=st.lists(st.sampled_from(NASTY) | st.text(max_size=8), min_size=1, max_size=40))
def test_any_names_draw(load: Load, names: list[str]) -> None:
    odd = named(load(MODEL), names)
    shown = condensed(odd)
    svg = fitted(odd, "a4", Wanted(marks=RISKS), engine=bundled()).picture
    assert svg.count(b'class="node') == len(shown.boxes)
    root = ElementTree.fromstring(svg)  # noqa: S314 - drawn here
    assert len([one for one in root.iter(f"{SVG}g") if (one.get("id") or "").startswith("link-")]) == len(shown.links)


def test_the_same_model_gives_the_same_picture(load: Load) -> None:
    assert fitted(load(bot(8)), "a4", Wanted()) == fitted(load(bot(8)), "a4", Wanted())


# --- changes


def test_what_changed_is_never_put_together_with_what_did_not(load: Load) -> None:
    graph = load(bot(9))
    marks = {"order-handler-5": ("added", 1), "order-handler-2": ("changed", 1), "signing": ("removed", 1)}
    found = fitted(graph, "screen", Wanted(marks=marks, scale=CHANGE))
    said = texts(found)
    assert "+ added" in said[said.index("order-handler-5") :][:4]
    assert "~ changed" in said[said.index("order-handler-2") :][:4]
    assert "- removed" in said[said.index("signing") :][:3]  # though secrets are folded
    assert b"stroke-dasharray" in found.picture
    assert not any(re.match(r"\d+(, \d+)* (read|write|send|invoke)", text) for text in said)  # each side has its own


def test_a_changed_flow_between_functions_that_would_be_one_box_is_drawn(load: Load) -> None:
    extra = "\n  extra-a: {triggers: [{schedule: now}], invokes: [extra-b]}\n  extra-b: {triggers: [{schedule: now}]}"
    graph = load(bot(8) + extra)
    flow = "extra-a:extra-b:invoke"
    assert flow in graph.flows
    said = texts(fitted(graph, "screen", Wanted(marks={flow: ("added", 1)}, scale=CHANGE)))
    assert "+ invoke" in said


def test_a_risk_of_a_flow_inside_a_box_is_written(load: Load) -> None:
    extra = "\n  extra-{}: {{triggers: [{{schedule: now}}], invokes: [extra-{}]}}"
    graph = load(bot(40) + extra.format("a", "b") + extra.format("b", "a"))
    said = texts(fitted(graph, "a4", Wanted(marks={"extra-a:extra-b:invoke": ("high", 2)})))
    assert said[said.index("2 flows inside") + 1] == "■ high"


def test_a_diagram_of_everything_is_laid_out_quickly(load: Load) -> None:
    graph = load(bot(40))
    assert b'nslimit="0.5"' in fitted(graph, "a4", Wanted(view="all", full=True), "dot").picture
    assert b"nslimit" not in fitted(graph, "a4", Wanted(), "dot").picture


def test_what_takes_requests_from_outside_is_an_entry_point(load: Load) -> None:
    graph = load(MODEL)
    said = {name: "".join(group.itertext()) for name, group in groups(fitted(graph, "a4", Wanted())).items()}
    marked = {name for name, text in said.items() if "ENTRY POINT" in text and name.startswith("box-")}
    assert marked == {"box-front", "box-waf"}  # Slack calls the API, and anyone what is before it
    assert "ENTRY POINT" not in texts(fitted(graph, "a4", Wanted(view="deployment")))


@pytest.mark.parametrize("functions", [1, 3, 6, 10, 30, 60, 300])
def test_a_phone_shows_all_that_paper_shows_in_its_width(load: Load, functions: int) -> None:
    graph = load(bot(functions))
    risks = {"order-handler-0": ("high", 3), **dict.fromkeys(graph.elements, ("medium", 12))}
    phone = fitted(graph, "phone", Wanted(marks=risks))
    assert phone.readable
    assert points(phone.picture, 255) >= 7.5
    assert len(phone.groups) >= 4 or functions < 30
    of = {name for group in groups(phone).values() for name in group.get("data-of", "").split()}
    assert {f"order-handler-{at}" for at in range(functions)} <= of
