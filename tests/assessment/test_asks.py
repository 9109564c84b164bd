"""What to ask about what is unknown."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support import assessed, graph_of
from threatmodel.assessment.asks import Asks
from threatmodel.library.load import load_library
from threatmodel.model.vocabulary import INPUTS, LISTS
from threatmodel.reading.home import LIBRARY


@pytest.mark.parametrize("functions", [2, 40])
def test_what_the_lists_of_all_functions_decide_is_asked_once(tmp_path: Path, functions: int) -> None:
    """An ask for each function and each store made the work grow with their product."""
    named = "".join(f"  f{at}: {{}}\n" for at in range(functions))
    graph = graph_of(tmp_path, f"name: Open\nstores:\n  orders: {{}}\nfunctions:\n{named}")
    store, asks = graph.elements["orders"], Asks(graph)
    decided = [name for (kind, name), inputs in INPUTS.items() if kind == "store" and _by_functions(inputs)]
    assert decided
    for name in decided:
        about = asks.about(store, name)
        assert len(about) <= len(LISTS)
        assert {element for ask in about for element in ask.elements} >= {f"f{at}" for at in range(functions)}


def _by_functions(inputs: object) -> bool:
    assert isinstance(inputs, tuple)
    return any(one.kind == "function" and one.name in LISTS for one in inputs)


def test_what_follows_from_a_list_alone_is_asked_in_a_sentence(tmp_path: Path) -> None:
    """Behind a load balancer nothing says whether Slack calls the function, and no fact of its own is asked."""
    model = """\
name: x
externals: {balancer: {service: Elastic Load Balancing}}
functions: {bot: {triggers: [{service: balancer}]}}
"""
    asked = {question.ask for question in assessed(tmp_path, model, load_library(LIBRARY)).questions}
    assert "Is this true: Slack calls it?" in asked
    assert not [ask for ask in asked if "_" in ask]
