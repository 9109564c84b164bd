"""Functions that call functions: flows, what follows for the called one, circles, and functions outside the model."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support import graph_of
from threatmodel.graph.building import Graph
from threatmodel.reading.problems import InputError

HEAD = "name: S\napis: {api: {}}\nexternals: {billing: {service: Lambda}, ledger: {}}\n"
ENTRY = "front: {triggers: [{http: POST}], reads: [], invokes: [middle]}"


def functions(tmp_path: Path, *lines: str) -> Graph:
    return graph_of(tmp_path, HEAD + "functions:\n" + "".join(f"  {line}\n" for line in lines))


def fact(graph: Graph, element: str, name: str) -> object:
    found = graph.elements[element].facts.get(name)
    return found.value if found is not None and found.size else None


def test_a_call_is_a_flow_and_the_called_one_inherits_what_its_caller_is_exposed_to(tmp_path: Path) -> None:
    graph = functions(
        tmp_path,
        ENTRY,
        "middle: {triggers: [], reads: [], invokes: [back]}",
        "back: {triggers: [], reads: []}",
        "nightly: {triggers: [{schedule: rate(1 day)}], reads: []}",
    )
    assert "http:request" in graph.flows["front:middle:invoke"].carries
    assert {name: fact(graph, name, "called_by_unverified") for name in ("front", "middle", "back", "nightly")} == {
        "front": False,
        "middle": True,
        "back": True,
        "nightly": False,
    }
    assert fact(graph, "back", "event_driven") is True
    assert fact(graph, "back", "internet_facing") is False, "no route leads to it"
    assert fact(graph, "back", "data_classification") is None, "what it is handed has a class that nobody knows"
    assert graph.flows["clock:nightly:start"].label == "rate(1 day)"


@pytest.mark.parametrize(
    ("front", "middle", "expected"),
    [
        ("{triggers: [{http: POST}], reads: []}", "{triggers: [], reads: []}", False),
        ("{triggers: [{http: POST}]}", "{triggers: [], reads: []}", None),
        ("{reads: [], invokes: [middle]}", "{triggers: [], reads: []}", None),
        ("{triggers: [], reads: [], invokes: [middle]}", "{triggers: [], reads: [], invokes: [front]}", False),
        ("{triggers: [{http: POST}], incomplete: [invokes]}", "{triggers: [], reads: []}", None),
    ],
    ids=["nobody calls", "unknown whom it calls", "unknown what starts the caller", "a circle from inside", "open"],
)
def test_unknown_callers_are_never_none(front: str, middle: str, expected: object, tmp_path: Path) -> None:
    graph = functions(tmp_path, f"front: {front}", f"middle: {middle}")
    assert fact(graph, "middle", "called_by_unverified") is expected


@pytest.mark.parametrize(
    ("more", "worker", "expected"),
    [
        ("queues: {jobs: {}}", "{triggers: [{queue: jobs}], reads: []}", False),
        ("queues: {jobs: {}}\nFRONT", "{triggers: [{queue: jobs}], reads: []}", True),
        ("queues: {jobs: {}, bus: {passes_to: [jobs]}}\nFRONT bus", "{triggers: [{queue: jobs}], reads: []}", True),
        ("queues: {jobs: {}}\nHANDS", "{triggers: [{queue: jobs}], reads: []}", True),
        (
            "queues: {jobs: {passes_to: [bus]}, bus: {passes_to: [jobs]}}",
            "{triggers: [{queue: jobs}], reads: []}",
            False,
        ),
        ("queues: {jobs: {}}\nFRONT", "{triggers: [], reads: []}", False),
        ("queues: {jobs: {}}", "{reads: []}", None),
    ],
    ids=["nobody outside", "a message", "by way of a bus", "the api itself", "a circle", "another's queue", "not told"],
)
def test_what_outsiders_say_travels_in_messages(more: str, worker: str, expected: object, tmp_path: Path) -> None:
    sends = "bus" if "bus" in more.partition("FRONT")[2] else "jobs"
    front = (
        f"front: {{triggers: [{{http: POST}}], sends: [{sends}]}}"
        if "FRONT" in more
        else "front: {triggers: [], reads: []}"
    )
    head = HEAD.replace("{api: {}}", "{api: {passes_to: [jobs]}}") if "HANDS" in more else HEAD
    elements = more.partition("\n")[0]
    graph = graph_of(tmp_path, f"{head}{elements}\nfunctions:\n  {front}\n  worker: {worker}\n")
    assert fact(graph, "worker", "called_by_unverified") is expected


def test_circles_of_calls_are_seen(tmp_path: Path) -> None:
    graph = functions(
        tmp_path,
        "one: {triggers: [{http: GET}], reads: [], calls: [], invokes: [two]}",
        "two: {triggers: [], reads: [], calls: [], invokes: [one]}",
        "lazy: {triggers: [], reads: [], calls: [], invokes: [lazy]}",
        "leaf: {triggers: [], reads: [], calls: []}",
    )
    expected = {"one": True, "two": True, "lazy": True, "leaf": False}
    assert {name: fact(graph, name, "starts_itself") for name in expected} == expected


def test_a_function_outside_the_model_is_drawn_as_outside(tmp_path: Path) -> None:
    graph = functions(tmp_path, "front: {triggers: [], reads: [], invokes: [billing], calls: [ledger]}")
    flow = graph.flows["front:billing:invoke"]
    assert graph.elements["billing"].zone == "account"
    assert flow.facts["leaves_aws"].value is False
    assert graph.flows["front:ledger:call"].facts["leaves_aws"].value is True


@pytest.mark.parametrize(
    ("lists", "message"),
    [
        ("invokes: [nobody]", "there is no function or external system 'nobody'"),
        ("invokes: [api]", "'api' is an api; expected a function or an external system"),
        ("triggers: [{service: nobody}]", "there is no external system 'nobody'"),
        ("triggers: [{authorizes: ledger}]", "'ledger' is an external system; expected an api"),
        ("triggers: [{http: GET, caller: slak}]", "'caller' is 'slak'"),
        ("triggers: [{slack: events, caller: unknown}]", "'slack' says already who calls"),
        ("triggers: [{service: ledger, api: api}]", "a service does not come through an api"),
    ],
)
def test_callers_and_called_ones_that_do_not_exist(lists: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(InputError) as raised:
        functions(tmp_path, f"front: {{{lists}}}")
    assert message in str(raised.value.problems[0].message)


def test_nobody_has_said_whether_slack_calls(tmp_path: Path) -> None:
    graph = functions(
        tmp_path,
        "front: {triggers: [{http: POST, caller: unknown}, {http: GET}], reads: []}",
        "other: {triggers: [{http: GET}], reads: []}",
        "guard: {triggers: [{authorizes: api}], reads: []}",
    )
    assert {name: fact(graph, name, "slack_facing") for name in ("front", "other", "guard", "api")} == {
        "front": None,
        "other": False,
        "guard": False,
        "api": None,
    }
    assert fact(graph, "front", "web_facing") is True, "its other route is no POST"
    assert fact(graph, "guard", "internet_facing") is True
    assert "api:guard:authorise" in graph.flows


def test_a_system_that_nobody_calls_from_slack_has_no_workspace(tmp_path: Path) -> None:
    said = functions(tmp_path, "front: {triggers: [{http: POST}], reads: [], calls: []}")
    assert said.elements["workspace"].out_of_scope
    for lists in (
        "triggers: [{http: POST, caller: unknown}]",
        "triggers: [], calls: [slack]",
        "incomplete: [triggers]",
    ):
        assert not functions(tmp_path, f"front: {{{lists}}}").elements["workspace"].out_of_scope, lists
