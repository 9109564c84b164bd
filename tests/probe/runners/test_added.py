"""What a user adds to every request, in each form of event; what a probe sends itself stays."""

from __future__ import annotations

from typing import Any

import pytest

from threatmodel.probe.cases import Case, Send
from threatmodel.probe.events import SHAPES
from threatmodel.probe.requests import Genuine, sent
from threatmodel.probe.runners.added import Added

ADDED = Added(headers={"X-Proxy": "p"}, query={"tenant": "t"})


def event_of(shape: str) -> Any:
    case = Case(id="x", title="", level="advised", expect="accepted", failure="", decides={}, send=(Send(shape=shape),))
    return sent(case, Genuine())[0].scenario.calls[0].event


@pytest.mark.parametrize("shape", sorted(SHAPES))
def test_every_form_of_event_has_it(shape: str) -> None:
    found = ADDED.to(event_of(shape))
    assert found["headers"]["X-Proxy"] == "p"
    assert found["queryStringParameters"]["tenant"] == "t"
    if "rawQueryString" in found:
        assert "tenant=t" in found["rawQueryString"]
    if "multiValueHeaders" in found:
        assert found["multiValueHeaders"]["X-Proxy"] == ["p"]


def test_what_a_request_has_stays_and_what_is_no_request_is_left() -> None:
    event = {"requestContext": {}, "headers": {"x-proxy": "own"}, "queryStringParameters": {"tenant": "own"}}
    assert ADDED.to(event) == event
    assert ADDED.to({"Records": []}) == {"Records": []}
    assert ADDED.to({"requestContext": {}, "headers": None})["headers"] is None
