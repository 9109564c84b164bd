"""The genuine request is the one with which a handler does something, in whatever form of event that is."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from threatmodel.probe.cases import Case, Send
from threatmodel.probe.expanding import expanded
from threatmodel.probe.hints import Hints, hints_of
from threatmodel.probe.kinds import BODY, body_of, caller_of
from threatmodel.probe.protocol import Effect, Reply, Scenario
from threatmodel.probe.requests import RETRY, Genuine, sent
from threatmodel.probe.searching import Found, Wanted, searched

WORK = (Effect(service="sqs", operation="SendMessage", detail="work"),)


def found(answer: Any, hints: Hints | None = None) -> Found:
    """What is found where a handler answers each event so: a body, or a reply."""

    def run(scenario: Scenario) -> Sequence[Reply]:
        told = [answer(call.event) for call in scenario.calls]
        return [one if isinstance(one, Reply) else Reply(status=200, body=one) for one in told]

    return searched(run, Genuine(), Wanted(), hints or Hints())


def is_second(event: Mapping[str, Any]) -> bool:
    return event.get("version") == "2.0"


def is_signed(event: Mapping[str, Any]) -> bool:
    return any(name.lower() == "x-slack-signature" for name in event["headers"])


def test_a_form_with_an_effect_comes_before_one_that_is_only_taken() -> None:
    assert found(lambda event: Reply(status=200, effects=WORK) if is_second(event) else "").genuine.shape == "http-api"


def test_a_form_in_which_a_stranger_gets_another_answer_comes_before_one_in_which_all_get_the_same() -> None:
    taken = found(lambda event: "Hello." if is_second(event) and is_signed(event) else "Oops.")
    assert taken.genuine.shape == "http-api"


def test_where_everybody_gets_the_same_the_first_form_is_taken() -> None:
    assert found(lambda _event: "Hello.").genuine.shape == "rest-api"


def test_a_path_in_the_key_of_a_route_is_tried(tmp_path: Path) -> None:
    file = tmp_path / "app.py"
    file.write_text("ROUTES = {'POST /v1/slack/events': print}\n", encoding="utf-8")
    hints = hints_of(file)
    assert hints.paths == ("/v1/slack/events",)
    works = found(
        lambda event: Reply(status=200, effects=WORK) if event.get("path") == "/v1/slack/events" else "", hints
    )
    assert works.genuine.path == "/v1/slack/events"


def test_a_command_that_wants_several_words_is_tried() -> None:
    works = found(lambda event: Reply(status=200, effects=WORK) if "text=web+production&" in event["body"] else "")
    assert works.genuine.kind == "command"
    assert "text=web+production&" in works.genuine.body


def test_a_bot_s_event_is_of_the_user_that_the_source_names() -> None:
    case = Case(
        id="x", title="", level="advised", expect="denied", failure="", decides={}, send=(Send(body="bot-event"),)
    )
    named = Genuine(hints=Hints(users=("U06CSU56FHA",)))
    assert "U06CSU56FHA" in str(sent(case, named)[0].scenario.calls[0].event["body"])
    assert "U2CERLKJA" in str(sent(case, Genuine())[0].scenario.calls[0].event["body"])


def test_what_a_path_is_compared_with_is_tried(tmp_path: Path) -> None:
    python, node = tmp_path / "app.py", tmp_path / "node" / "app.js"
    node.parent.mkdir()
    python.write_text("if resource == 'slash-endpoint': pass\nif event['path'] == '/x': pass\nif word == 'no': pass\n")
    node.write_text("if (event.rawPath === '/slack/work') {}\nif (path == 'hook') {}\nif (type === 'never') {}\n")
    assert {"/slash-endpoint", "/x"} <= set(hints_of(python).paths)
    assert {"/slack/work", "/hook"} <= set(hints_of(node).paths)
    assert not {"/no", "/never"} & {*hints_of(python).paths, *hints_of(node).paths}


def test_a_handler_of_closed_views_or_of_shortcuts_on_messages_is_found() -> None:
    for word, kind in (("view_closed", "view_closed"), ("message_action", "message_shortcut")):
        works = found(lambda event, word=word: Reply(status=200, effects=WORK) if word in event["body"] else "")
        assert (works.genuine.kind, works.genuine.served) == (kind, ())


def test_of_two_kinds_that_come_by_the_same_way_one_stands_for_both() -> None:
    works = found(lambda event: Reply(status=200, effects=WORK) if "payload" in event["body"] else "").genuine
    assert {works.kind, *works.served} == {"action", "view", "shortcut", "options"}


def test_an_event_happened_when_it_is_sent_and_a_captured_one_when_it_was_captured() -> None:
    sends = (Send(body="event"), Send(body="event", clock=-3600), Send(body="event", clock=1, headers={RETRY: "1"}))
    case = Case(id="x", title="", level="advised", expect="denied", failure="", decides={}, send=sends)
    calls = sent(case, Genuine(now=2_000_000_000.0))[0].scenario.calls
    happened = [json.loads(call.event["body"]) for call in calls]
    assert [one["event_time"] for one in happened] == [2_000_000_000, 1_999_996_400, 2_000_000_000]
    assert happened[1]["event"]["ts"] == "1999996400.000200"


def test_what_a_request_does_not_name_is_not_changed_in_it() -> None:
    change = {"app": "A0PROBE77"}
    send = Send(change=change, if_named=True)
    case = Case(id="x", title="", level="advised", expect="denied", failure="", decides={}, send=(Send(), send))
    assert expanded(case, Genuine()).send == (Send(),)  # Slack's example names no app
    assert expanded(case, Genuine(kind="event", body=body_of("event", caller_of(BODY)))).send == (Send(), send)
