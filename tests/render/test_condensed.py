"""Which elements a picture for paper and screens draws as one, and what a box says that may be missing."""

import re
from collections.abc import Sequence

import pytest

from tests.render.test_fitted import SVG, Load, bot, groups, load, texts
from threatmodel.graph.building import Graph
from threatmodel.render.condensed import Box, Grouping, condensed
from threatmodel.render.draw import bundled
from threatmodel.render.fitted import Wanted, fitted
from threatmodel.render.labels import lines
from threatmodel.render.layout import STYLES, Layout, Sheet
from threatmodel.render.palette import RISK, Worst

__all__ = ["load"]  # a fixture

pytestmark = pytest.mark.skipif(not bundled(), reason="the graphviz-pure wheel is not installed")


def boxes(graph: Graph, kind: str = "function", most: tuple[int, int] = (9, 9)) -> list[Box]:
    """The boxes of a kind in the picture of a graph."""
    return [box for box in condensed(graph, grouping=Grouping(most=most)).boxes.values() if box.kind == kind]


def members(found: Sequence[Box]) -> list[list[str]]:
    return sorted(sorted(member.id for member in box.members) for box in found)


# --- what may be missing


UNKNOWN = """\
name: Unknown
apis: {front: {}}
stores: {orders: {kind: dynamodb}}
functions:
  none: {}
  bot: {triggers: [{slack: events, api: front}]}
  worker: {triggers: [{schedule: rate(1 day)}], writes: [orders], calls: []}
  open: {triggers: [{schedule: rate(1 day)}], reads: [orders], calls: [], incomplete: [reads]}
  left: {out_of_scope: another team has it}
"""


def test_a_function_says_which_of_its_arrows_may_be_missing(load: Load) -> None:
    """Where nothing is stated, no arrow does not mean that there is nothing."""
    graph = load(UNKNOWN)
    drawn = fitted(graph, "screen", Wanted(full=True))
    said = {name: " ".join(group.itertext()) for name, group in groups(drawn).items()}
    found = {name: re.findall(r"unknown:((?:\s+\w+,?)*?)\s+1 log", said[f"box-{name}"]) for name in graph.lists}
    words = {name: " ".join(one[0].split()) if one else "" for name, one in found.items() if name in UNKNOWN}
    expected = {"none": "triggers, uses, calls", "bot": "uses, calls", "worker": "", "open": "uses", "left": ""}
    assert {name: words[name] for name in expected} == expected
    assert "unknown: not stated, so arrows may be missing" in " ".join(texts(drawn)).replace("\xa0", " ")
    assert "unknown" not in " ".join(texts(fitted(graph, "screen", Wanted("deployment"))))
    stated = load("name: Stated\nfunctions: {f: {triggers: [{schedule: daily}], reads: [], calls: []}}\n")
    assert "unknown:" not in " ".join(texts(fitted(stated, "screen", Wanted())))


def test_a_group_says_of_how_many_functions_arrows_may_be_missing(load: Load) -> None:
    some = "".join(f"  f{n}: {{triggers: [{{schedule: daily}}]}}\n" for n in range(6))
    rest = "".join(f"  g{n}: {{triggers: [{{schedule: daily}}], reads: [], calls: []}}\n" for n in range(2))
    [box] = [
        box
        for box in condensed(load(f"name: Group\nfunctions:\n{some}{rest}")).boxes.values()
        if box.kind == "function"
    ]
    assert box.unknown == "unknown: uses (6), calls (6)"


PASSING = """
name: Passing
apis: {front: {passes_to: [jobs]}, side: {passes_to: []}}
stores: {orders: {kind: s3}, archive: {kind: s3, passes_to: []}}
queues: {jobs: {kind: sqs}}
functions: {bot: {triggers: [{schedule: daily}], reads: [orders, archive], sends: [jobs], calls: []}}
"""


def test_an_api_a_store_and_a_queue_say_that_targets_may_be_missing(load: Load) -> None:
    """What is passed on without a function is an arrow too."""
    shown = condensed(load(PASSING)).boxes
    said = {name: shown[name].unknown for name in ("front", "side", "orders", "archive", "jobs", "bot")}
    missing = "unknown: targets"
    assert said == {"front": "", "side": "", "orders": missing, "archive": "", "jobs": missing, "bot": ""}
    one = boxes(load(bot(40)), "store", (4, 1))
    assert [box.unknown for box in one] == [missing]
    drawn = groups(fitted(load(PASSING), "phone", Wanted()))
    assert "unknown: targets" in " ".join(drawn["box-orders"].itertext())


# --- what is drawn as one


def test_functions_are_grouped_by_what_starts_them_from_six_up(load: Load) -> None:
    assert all(len(box.members) == 1 for box in condensed(load(bot(5))).boxes.values() if box.kind == "function")
    boxes = [box for box in condensed(load(bot(9))).boxes.values() if box.kind == "function"]
    assert sum(len(box.members) for box in boxes) == 9
    assert len(boxes) < 9
    assert ["order-handler-5", "order-handler-8"] in [[member.id for member in box.members] for box in boxes]


@pytest.mark.parametrize("functions", [30, 60, 300])
def test_many_functions_are_a_few_groups_besides_the_worst(load: Load, functions: int) -> None:
    graph = load(bot(functions))
    shown = condensed(graph, grouping=Grouping(most=(4, 4), worst=Worst("order-handler-9")))
    boxes = [box for box in shown.boxes.values() if box.kind == "function"]
    assert 3 <= len(boxes) <= 5
    assert [box for box in boxes if box.id == "order-handler-9" and len(box.members) == 1]
    assert sum(len(box.members) for box in boxes) == functions
    assert fitted(graph, "a4", Wanted()).readable


TEAMS = ("orders", "users", "billing", "reports")
VERBS = ("create", "get", "list", "update", "delete", "export")


@pytest.mark.parametrize("name", ["{}-{}", "app-{}-{}", "prod-app-{}-{}"])
def test_the_functions_of_one_api_are_grouped_by_what_their_names_begin_with(load: Load, name: str) -> None:
    ids = [name.format(team, verb) for team in TEAMS for verb in VERBS]
    functions = "\n".join(f"  {one}: {{triggers: [{{http: POST, api: front}}]}}" for one in ids)
    graph = load(f"name: Shop\napis: {{front: {{kind: http}}}}\nfunctions:\n{functions}")
    boxes = [box for box in condensed(graph).boxes.values() if box.kind == "function"]
    assert sorted(len(box.members) for box in boxes) == [6, 6, 6, 6]
    assert all(len({team for one in box.members for team in TEAMS if team in one.id}) == 1 for box in boxes)


def test_names_that_say_nothing_split_nothing(load: Load) -> None:
    functions = "\n".join(f"  job-{n}: {{triggers: [{{http: POST, api: front}}]}}" for n in range(20))
    graph = load(f"name: Shop\napis: {{front: {{kind: http}}}}\nfunctions:\n{functions}")
    assert len([box for box in condensed(graph).boxes.values() if box.kind == "function"]) == 1


def test_functions_of_one_api_whose_names_say_nothing_are_grouped_by_their_stores(load: Load) -> None:
    tables = ("orders", "users", "carts")
    functions = "\n".join(
        f"  job-{n}: {{triggers: [{{http: POST, api: front}}], writes: [{tables[n % 3]}]}}" for n in range(12)
    )
    stores = "".join(f"  {name}: {{kind: dynamodb}}\n" for name in tables)
    graph = load(f"name: Shop\napis: {{front: {{kind: http}}}}\nstores:\n{stores}functions:\n{functions}")
    assert members(boxes(graph)) == [sorted(f"job-{n}" for n in range(at, 12, 3)) for at in range(3)]


SOURCES = """
name: Sources
apis: {front: {kind: http}}
stores: {files: {kind: s3}, table: {kind: dynamodb}}
queues: {jobs: {kind: sqs}}
functions:
"""


def test_functions_of_many_sources_are_grouped_by_requests_and_events(load: Load) -> None:
    """Not all as one, where no more than four boxes have room."""
    of = ("{http: GET, api: front}", "{queue: jobs}", "{store: files}", "{store: table}", "{schedule: daily}")
    some = [f"  f{n}: {{triggers: [{of[n % 5]}]}}" for n in range(15)]
    some += [f"  mixed-{n}: {{triggers: [{of[n]}, {of[n + 1]}]}}" for n in range(3)]
    graph = load(SOURCES + "\n".join([*some, "  none-a: {triggers: []}", "  none-b: {}"]))
    found = members(boxes(graph, most=(4, 4)))
    requests = ["f0", "f10", "f5", "mixed-0"]
    assert requests in found
    assert ["none-a", "none-b"] in found
    assert sorted(map(len, found)) == [2, 2, 4, 12]  # the twelve and two of one way differ in their names
    assert len(fitted(graph, "a4", Wanted()).groups) >= 3


@pytest.mark.parametrize("functions", [6, 8])
def test_a_phone_draws_a_few_functions_as_no_fewer_boxes_than_paper(load: Load, functions: int) -> None:
    graph = load(bot(functions))
    marks = {"order-handler-1": ("critical", 3), **dict.fromkeys(graph.elements, ("medium", 12))}
    phone = fitted(graph, "phone", Wanted(marks=marks))
    assert phone.readable
    assert phone.groups == fitted(graph, "a4", Wanted(marks=marks)).groups
    assert max(map(len, phone.groups), default=0) <= functions // 2


OPEN = """
name: Open
stores:
  site: {kind: s3, open_to_public: true}
  drop: {kind: s3, writable_by_public: true}
  a: {kind: s3, open_to_public: false}
  b: {kind: s3}
functions:
"""


def test_a_store_that_is_open_to_anyone_is_an_entry_point_apart_from_others(load: Load) -> None:
    use = "triggers: [{schedule: daily}], reads: [site, drop, a, b]"
    graph = load(OPEN + "".join(f"  f{n}: {{{use}}}\n" for n in range(6)))
    for most in ((9, 9), (4, 4), (2, 2)):
        assert members(boxes(graph, "store", most)) == [["a", "b"], ["drop", "site"]]
    said = {name: "".join(group.itertext()) for name, group in groups(fitted(graph, "a4", Wanted())).items()}
    marked = {name for name, text in said.items() if "ENTRY POINT" in text and name.startswith("box-")}
    assert marked == {"box-site"}


def test_a_text_in_lines_has_no_line_with_a_dot_alone() -> None:
    assert lines("25, 35, 47 call · protocol unknown", 16) == ["25, 35, 47 call", "protocol unknown"]
    assert lines("Lambda · python3.13", 26) == ["Lambda · python3.13"]


def test_a_text_that_is_cut_still_shows_a_part_of_a_long_word() -> None:
    assert lines("one two three four", 9, 2) == ["one two", "three …"]
    assert lines("a " + "x" * 40, 16, 2) == ["a xxxxxxxxxxxxxx", "xxxxxxxxxxxxxx …"]


def test_a_picture_of_a_group_shows_each_function_by_itself_where_that_can_be_read(load: Load) -> None:
    graph = load(bot(40))
    few, many = (fitted(graph, "a4", Wanted(only=tuple(f"order-handler-{n}" for n in range(end)))) for end in (6, 20))
    assert few.readable
    assert not few.groups
    assert many.readable
    assert len(many.groups) > 1


def test_where_arrows_of_many_flows_have_no_number_no_list_takes_the_room_of_the_picture(load: Load) -> None:
    shown = condensed(load(bot(3)))
    sheet = Sheet(525, 740, 120, "LR", 0, "Bot", leads_back=False)
    named, bare = (Layout(shown, None, RISK, style, sheet).text() for style in STYLES[-2:])
    assert "order-handler-0 to work-queue-0: send" in named
    assert "order-handler-0 to" not in bare


def test_a_group_says_its_band_once_above_its_members(load: Load) -> None:
    """With the number of threats below them where not all members are named."""
    graph = load(bot(40))
    risks = {f"order-handler-{n}": ("high", 2) for n in range(40)}
    drawn = groups(fitted(graph, "a4", Wanted(marks=risks)))
    boxes = [group for name, group in drawn.items() if name.startswith("box-order-handler")]
    said = [" ".join(text.text or "" for text in group.iter(f"{SVG}text")) for group in boxes]
    below = [text.split(" more ")[1] for text in said if " more " in text]
    assert below
    assert all(re.match(r"(unknown: \w+ )?\d+ threats", text) for text in below)
