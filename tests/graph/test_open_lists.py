"""Lists of which only a part is known: what a known member makes true, what stays unknown, and what is asked."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.support import HOME, assessed, evidence, graph_of, said
from threatmodel.assessment.drift import differences
from threatmodel.graph.members import weighed
from threatmodel.library.load import load_library
from threatmodel.model.facts import EVIDENCE, STATED, Origin, Statement
from threatmodel.model.vocabulary import LISTS

HEAD = """\
name: x
data: {open: {classification: public}, top: {classification: secret, personal: true}}
apis: {api: {}}
queues: {q: {}, p: {}}
stores: {s: {holds: [top]}, t: {holds: [open], incomplete: [holds]}}
secrets: {key: {}}
"""


def facts(folder: Path, functions: str, of: str = "bot", **found: dict[str, Any]) -> dict[str, tuple[object, int]]:
    graph = graph_of(folder, f"{HEAD}functions: {{{functions}}}\n", evidence(**found))
    return {name: (fact.value, fact.size) for name, fact in graph.elements[of].facts.items() if fact.size}


def opened(*members: str, why: str = "nobody knows", source: Origin = "template") -> Statement:
    return said(members, source)._replace(open=why)


# --- what follows

OPEN = "incomplete: [triggers, reads, writes, sends, secrets, invokes, calls]"


@pytest.mark.parametrize(
    ("stated", "name", "expected"),
    [
        ("triggers: [{slack: events}]", "slack_facing", True),
        ("triggers: [{slack: events}]", "internet_facing", True),
        ("triggers: [{slack: events}]", "web_facing", None),
        ("triggers: [{slack: events}]", "event_driven", None),
        ("triggers: [{queue: q}]", "event_driven", True),
        ("triggers: [{queue: q}]", "internet_facing", None),
        ("triggers: []", "slack_facing", None),
        ("calls: [slack]", "posts_to_slack", True),
        ("calls: []", "posts_to_slack", None),
        ("secrets: [key]", "uses_secrets", True),
        ("secrets: []", "uses_secrets", None),
        ("triggers: [{queue: q}], sends: [q]", "starts_itself", True),
        ("triggers: [{queue: q}], sends: [p]", "starts_itself", None),
        ("reads: [s]", "data_classification", "secret"),
        ("reads: [t]", "data_classification", None),
    ],
)
def test_a_known_member_makes_true_and_only_a_closed_list_makes_false(
    tmp_path: Path, stated: str, name: str, expected: object
) -> None:
    found = facts(tmp_path, f"bot: {{{stated}, {OPEN}}}")
    assert found.get(name, (None, 0))[0] == expected


def test_what_is_closed_again_is_false_again(tmp_path: Path) -> None:
    found = facts(tmp_path, "bot: {triggers: [{queue: q}], reads: [], calls: []}")
    names = ("slack_facing", "web_facing", "posts_to_slack", "uses_secrets", "starts_itself")
    assert all(found[name] == (False, STATED) for name in names)


def test_of_a_neighbour_too(tmp_path: Path) -> None:
    functions = "bot: {triggers: [{slack: events}], incomplete: [triggers]}, two: {triggers: [{queue: q}]}"
    assert facts(tmp_path, functions, "api")["slack_facing"] == (True, STATED)
    assert "web_facing" not in facts(tmp_path, functions, "api")
    assert facts(tmp_path, functions, "q")["starts_functions"] == (True, STATED)
    assert "starts_functions" not in facts(tmp_path, functions, "p")
    assert facts(tmp_path, "bot: {}", "s")["personal_data"] == (True, STATED)
    assert "personal_data" not in facts(tmp_path, "bot: {}", "t")


def test_the_first_list_closes_the_others_except_those_that_are_open(tmp_path: Path) -> None:
    lists = graph_of(
        tmp_path, f"{HEAD}functions: {{bot: {{reads: [s], incomplete: {{writes: its role is shared}}}}}}\n"
    ).lists["bot"]
    assert {name: members.size for name, members in lists.items()} == {
        "reads": 1,
        "writes": 0,
        "sends": 1,
        "secrets": 1,
        "invokes": 1,
    }
    assert lists["writes"].said.open == "its role is shared"


def test_known_members_are_drawn_and_related(tmp_path: Path) -> None:
    text = f"{HEAD}functions: {{bot: {{triggers: [{{http: POST}}], reads: [s], {OPEN}}}}}\n"
    graph = graph_of(tmp_path, text)
    assert {"api:bot:invoke", "bot:s:read"} <= graph.flows.keys()
    related = graph.related(graph.elements["bot"], "store")
    assert (related.ids, related.size) == (("s",), 0)
    assert ("function", "reads", "bot") in related.unknown


# --- evidence and word


def test_evidence_that_may_know_only_a_part_denies_nothing(tmp_path: Path) -> None:
    found = evidence(bot={"reads": opened("s"), "writes": opened()})
    graph = graph_of(tmp_path, f"{HEAD}functions: {{bot: {{reads: [s, t]}}}}\n", found)
    reads = graph.lists["bot"]["reads"]
    assert [(member.item, member.fact.size) for member in reads.known] == [("s", EVIDENCE), ("t", STATED)]
    assert (reads.size, reads.against) == (STATED, ()), "the model says that there is no more"
    assert not list(differences(graph))


def test_evidence_of_what_a_complete_list_lacks_opens_it(tmp_path: Path) -> None:
    graph = graph_of(tmp_path, f"{HEAD}functions: {{bot: {{reads: [s]}}}}\n", evidence(bot={"reads": opened("t")}))
    reads = graph.lists["bot"]["reads"]
    assert (set(reads.items), reads.closed) == ({"s", "t"}, None)
    assert [(one.element, one.name) for one in differences(graph)] == [("bot", "reads")]


def test_complete_evidence_closes_what_the_model_leaves_open(tmp_path: Path) -> None:
    model = f"{HEAD}functions: {{bot: {{reads: [s, t], incomplete: [reads]}}}}\n"
    graph = graph_of(tmp_path, model, evidence(bot={"reads": said(("s",))}))
    reads = graph.lists["bot"]["reads"]
    assert (reads.items, reads.size) == (("s",), EVIDENCE)
    assert [one.name for one in differences(graph)] == ["reads"], "t is stated and not there"


def test_of_two_files_that_differ_only_what_both_have_is_known() -> None:
    both = weighed([said(("s", "t"), line=1), said(("s", "q"), line=2)])
    assert (both.items, both.size) == (("s",), 0)
    assert len(both.against) == 1


def test_the_order_of_statements_does_not_matter() -> None:
    statements = [said(("s", "t"), "model"), opened("t", "q"), said(("s",), "source")]
    first, second = weighed(statements), weighed(statements[::-1])
    assert first == second


# --- questions


def test_one_question_a_list_and_every_undetermined_finding_in_one(tmp_path: Path) -> None:
    model = (
        f"{HEAD}functions:\n"
        "  one: {triggers: [{http: POST}], reads: [s], incomplete: {triggers: another may call it}}\n"
        "  two: {triggers: [{queue: q}], reads: [], calls: [], incomplete: [triggers, writes]}\n"
    )
    found = assessed(tmp_path, model, load_library(HOME / "threatlib"))
    asked = [question for question in found.questions if question.id == "function.triggers"]
    assert [(one.elements, one.ask.partition("?")[0]) for one in asked] == [
        (("one", "two"), "What else triggers the function")
    ]
    decided = {finding for question in found.questions for finding in question.decides}
    waiting = [f for f in found.findings if f.verdict == "undetermined"]
    assert waiting
    assert {finding.id for finding in waiting} <= decided
    assert "unauthenticated-route@one" in {finding.id for finding in found.findings}, "the known route counts"


def test_every_list_can_be_incomplete(tmp_path: Path) -> None:
    model = f"{HEAD}functions: {{bot: {{{OPEN}}}}}\n"
    graph = graph_of(tmp_path, model)
    assert {*graph.lists["bot"], "holds", "passes_to"} == LISTS
    assert all(members.closed is None for members in graph.lists["bot"].values())
