"""What a user is advised where a handler refuses the genuine request."""

from __future__ import annotations

from threatmodel.probe.advice import what_to_do
from threatmodel.probe.protocol import Effect, Reply

ASKED_A_TABLE = Effect(service="dynamodb", operation="GetItem", detail="t")


def test_a_table_comes_before_what_became_of_the_request() -> None:
    for reply in (Reply(ended="error", effects=(ASKED_A_TABLE,)), Reply(status=403, loading=(ASKED_A_TABLE,))):
        assert what_to_do(reply).startswith("it asks a table, which is empty in a probe")


def test_an_exception_may_come_of_another_event() -> None:
    assert what_to_do(Reply(ended="error")).startswith("it may need an event that the probe lacks")


def test_a_refusal_may_want_a_key_of_its_own() -> None:
    assert "Slack never sends a custom key" in what_to_do(Reply(status=403))
    assert what_to_do(Reply(status=200)) == what_to_do(Reply(status=500)) == ""
