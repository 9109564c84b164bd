"""Handlers that are right pass every probe that applies to them, in both languages."""

from __future__ import annotations

import shutil

import pytest

from tests.probe.faults import BESIDE, EXAMPLES, GOOD, INSTALLING, asked, check_facts, probed, went
from threatmodel.probe.cases import load_cases
from threatmodel.probe.outcome_names import PASSED
from threatmodel.probe.requests import Genuine, sent
from threatmodel.probe.runners.target import runner_for
from threatmodel.probe.source_check import check_handler
from threatmodel.reading.problems import InputError

pytestmark = pytest.mark.slow

NODE = EXAMPLES / "slack-app-node" / "app.mjs"

needs_node = pytest.mark.skipif(shutil.which("node") is None, reason="node is not installed")

# what cannot be asked of a handler: the example refuses events, the small one calls nobody
NOT_ASKED = {
    "slack-app-node/app.mjs": {"bot-message", "redelivered-event", "retry-of-lost-event"},
    "good.py": {"foreign-response-url", "replaced-secret", "rotated-secret"},
    "installing.py": {
        "bot-message",
        "foreign-response-url",
        "redelivered-event",
        "retry-of-lost-event",
        "url-verification",
    },
}
NO_FLOW = {
    "foreign-response-url-payload",
    "oauth-code-replayed",
    "oauth-redirect-elsewhere",
    "oauth-state-foreign",
    "oauth-state-missing",
    "oauth-state-other-browser",
    "oauth-state-used-twice",
}
"""What needs buttons or an installation: neither handler has them."""


# slack-app/app.py is in test_side_by_side.py, with its whole table
def test_a_good_handler_passes_every_probe_that_applies() -> None:
    result = probed(GOOD)
    assert {row.probe: row.why for row in result.rows if row.outcome != PASSED}.keys() == NOT_ASKED["good.py"] | NO_FLOW
    check_facts(result)


def test_a_good_handler_with_an_installation_passes_too() -> None:
    result = probed(INSTALLING)
    assert {row.probe: row.why for row in result.rows if row.outcome != PASSED}.keys() == NOT_ASKED["installing.py"]
    check_facts(result)


def one_of_each() -> set[str]:
    """One probe of each kind of expectation and of each thing that a probe needs."""
    found: dict[object, str] = {}
    for case in load_cases():
        for mark in (case.expect, *case.needs):
            found.setdefault(mark, case.id)
    return set(found.values())


@needs_node
def test_the_example_for_node_passes_a_probe_of_each_kind() -> None:
    """Every probe is asked of it with `long`: each starts a Node.js of its own, and judging knows no language."""
    names = BESIDE | one_of_each()
    result = probed(NODE, "node", asked(names))
    assert names - went(result, PASSED) == (NOT_ASKED["slack-app-node/app.mjs"] | NO_FLOW) & names
    assert False not in result.decided.values()


@pytest.mark.long
@needs_node
def test_the_example_for_node_passes_every_probe_that_applies() -> None:
    result = probed(NODE, "node")
    skipped = NOT_ASKED["slack-app-node/app.mjs"] | NO_FLOW
    assert {row.probe: row.why for row in result.rows if row.outcome != PASSED}.keys() == skipped
    check_facts(result)


@pytest.mark.parametrize("name", ["slack-app/app.py", "slack-app-node/app.mjs"])
def test_source_of_the_example_compares_in_constant_time(name: str) -> None:
    assert check_handler(EXAMPLES / name).value is True


@needs_node
def test_article_s_handler_gets_no_further_than_its_first_line() -> None:
    path = EXAMPLES / "article" / "handler.js"
    (case,) = [case for case in load_cases() if case.id == "genuine"]
    ((scenario, _),) = sent(case, Genuine())
    with pytest.raises(InputError, match="the module 'aws-sdk' is missing"):
        runner_for(str(path)).run(scenario)
    assert check_handler(path).value is False
