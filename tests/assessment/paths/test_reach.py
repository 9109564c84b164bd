"""What an attacker reaches from what they hold, and what is revoked first."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest

from tests.assessment.paths.samples import assessed, assessed_text
from tests.support import HOME, TODAY
from threatmodel.assessment.assessed import Assessment
from threatmodel.assessment.paths.reaching import Reach, positions_of, reach
from threatmodel.assessment.paths.steps import steps
from threatmodel.assessment.paths.values import Position

CHAIN = """\
name: Chain
owner: shop-team
owners: {shop-team: shop@example.com}
apis: {api: {}}
stores: {records: {kind: dynamodb}, other: {kind: dynamodb}}
queues: {jobs: {kind: sqs}}
secrets:
  signing: {kept_in: secrets-manager, grants: slack-requests}
  token: {kept_in: secrets-manager, grants: slack-api}
functions:
  front:
    triggers: [{slack: slash-command}]
    sends: [jobs]
    secrets: [signing]
  back:
    triggers: [{queue: jobs}]
    reads: [records]
    writes: [records]
    secrets: [token]
"""


def goals(found: Reach, *strengths: str) -> set[Position]:
    return {one.goal for one in found.reached if not strengths or one.as_claimed in strengths}


def test_a_signing_secret_gives_forged_requests_to_what_verifies_with_it(tmp_path: Path) -> None:
    found = reach(assessed_text(tmp_path, CHAIN), "signing")
    assert found.held == (Position("secret", "signing"),)
    assert Position("act", "front") in goals(found, "open")
    assert Position("secret", "token") not in goals(found, "open")


def test_a_secret_of_which_it_is_unknown_what_it_grants_may_give_any_access_to_slack(tmp_path: Path) -> None:
    text = CHAIN.replace(", grants: slack-requests", "").replace(", grants: slack-api", "")
    of_front = goals(reach(assessed_text(tmp_path, text), "signing"), "undecided")
    assert {Position("act", "front"), Position("workspace")} <= of_front
    of_back = goals(reach(assessed_text(tmp_path, text), "token"), "undecided")
    assert Position("workspace") in of_back
    assert Position("act", "back") not in of_back, "nothing of Slack's calls it"


def test_a_secret_that_grants_something_else_gives_no_access_to_slack(tmp_path: Path) -> None:
    text = CHAIN.replace("grants: slack-api", "grants: other")
    assert Position("workspace") not in goals(reach(assessed_text(tmp_path, text), "token"))


def test_a_function_gives_its_secrets_and_stores_and_what_trusts_its_messages(tmp_path: Path) -> None:
    found = reach(assessed_text(tmp_path, CHAIN), "back")
    assert {Position("secret", "token"), Position("write", "records"), Position("workspace")} <= goals(found, "open")
    assert Position("act", "back") in goals(reach(assessed_text(tmp_path, CHAIN), "front"), "open")
    assert Position("read", "other") not in goals(found, "open")


def test_a_role_gives_what_the_function_uses_and_no_code(tmp_path: Path) -> None:
    assessment = assessed_text(tmp_path, CHAIN)
    found = reach(assessment, "back.role")
    assert Position("read", "records") in goals(found, "open")
    assert Position("code", "back") not in goals(found, "open")


def test_what_reads_a_secret_is_taken_away_before_the_secret_is_rotated(tmp_path: Path) -> None:
    found = reach(assessed_text(tmp_path, CHAIN), "back")
    order = [(task.duty, task.position.element) for task in found.tasks]
    assert order.index(("isolate", "back")) < order.index(("revoke", "back")) < order.index(("rotate", "token"))
    rotated = next(task for task in found.tasks if task.duty == "rotate" and task.position.element == "token")
    assert rotated.used_by == ("back",)
    assert rotated.owner == "shop-team <shop@example.com>"


def test_the_account_gives_everything_and_the_pipeline_all_code(tmp_path: Path) -> None:
    assessment = assessed_text(tmp_path, CHAIN)
    everything = goals(reach(assessment, "account"), "open")
    assert {Position("read", "other"), Position("secret", "signing"), Position("code", "back")} <= everything
    assert {Position("code", "front"), Position("code", "back")} <= goals(reach(assessment, "pipeline"), "open")


def test_what_only_claims_stop_is_listed_and_comes_later(tmp_path: Path) -> None:
    found = reach(assessed(tmp_path, {}), "slack-signing-secret")
    stopped = goals(found, "stopped")
    assert stopped
    assert not {task.position for task in found.tasks} & stopped


@pytest.mark.parametrize("element", ["order-bot", "slack-signing-secret", "pipeline", "orders", "slack-api"])
def test_everything_is_reached_that_no_proven_control_stops(element: str) -> None:
    assessment = _of_default_model()
    found = reach(assessment, element)
    reached = set(found.held)
    passable = [step for step in steps(assessment, beyond=True) if step.proven.strength != "stopped"]
    while more := {step.end for step in passable if step.begin in reached} - reached:
        reached |= more
    assert goals(found) == reached - set(found.held)


@cache
def _of_default_model() -> Assessment:
    from threatmodel import assess, load_library, load_model

    model = load_model(HOME / "models" / "slack-lambda.yaml", today=TODAY)
    return assess(model, load_library(model), today=TODAY)


def test_only_elements_that_give_something_are_taken(tmp_path: Path) -> None:
    graph = assessed_text(tmp_path, CHAIN).graph
    assert positions_of(graph, "front.role") == (Position("role", "front"),)
    for name in ("records.role", "kms", "nothing", "", ".role", "front:jobs:send"):
        assert positions_of(graph, name) == ()


def test_the_search_is_bounded_and_says_what_it_left_out(tmp_path: Path) -> None:
    assert reach(assessed_text(tmp_path, CHAIN), "account").complete
    assert not reach(assessed_text(tmp_path, CHAIN), "account", limit=3).complete
