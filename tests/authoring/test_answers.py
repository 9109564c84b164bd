"""An answer in a model file: at the right line, and everything else as it was."""

from __future__ import annotations

import pytest

from threatmodel.authoring.answers import Edit, Said, with_caller, with_edit, without_hints
from threatmodel.authoring.surfaces import granted
from threatmodel.reading.problems import InputError
from threatmodel.reading.source import as_read, parse

FACT = Edit(("functions", "bot"), "verifies_signature", "true")


def written(text: str, edit: Edit, note: str = "Ana, 2026-11-27") -> tuple[str, int]:
    return with_edit(text, parse(as_read(text), "model.yaml"), edit, note)


@pytest.mark.parametrize(
    ("text", "after", "line"),
    [
        pytest.param(
            "functions:\n  bot:\n    runtime: python3.13\n  other:\n    runtime: python3.13\n",
            "functions:\n  bot:\n    runtime: python3.13\n    verifies_signature: true  # Ana, 2026-11-27\n"
            "  other:\n    runtime: python3.13\n",
            4,
            id="lines",
        ),
        pytest.param(
            "functions:\n    bot:\n        runtime: python3.13\n\n# about the next\nstores: {}\n",
            "functions:\n    bot:\n        runtime: python3.13\n        verifies_signature: true  # Ana, 2026-11-27\n"
            "\n# about the next\nstores: {}\n",
            4,
            id="the comment before the next section stays there",
        ),
        pytest.param(
            "functions:\n  bot:\n    triggers:\n      - {http: POST}",
            "functions:\n  bot:\n    triggers:\n      - {http: POST}\n"
            "    verifies_signature: true  # Ana, 2026-11-27\n",
            5,
            id="no line end at the end",
        ),
        pytest.param(
            "functions:\r\n  bot:\r\n    runtime: x\r\n",
            "functions:\r\n  bot:\r\n    runtime: x\r\n    verifies_signature: true  # Ana, 2026-11-27\r\n",
            4,
            id="line ends of Windows",
        ),
        pytest.param(
            "functions:\n  bot: {runtime: python3.13}\n",
            "functions:\n  bot: {runtime: python3.13, verifies_signature: true}"
            "  # verifies_signature: Ana, 2026-11-27\n",
            2,
            id="braces",
        ),
        pytest.param(
            "functions:\n  bot: {runtime: python3.13}   # the bot\n",
            "functions:\n  bot: {runtime: python3.13, verifies_signature: true}   # the bot"
            "; verifies_signature: Ana, 2026-11-27\n",
            2,
            id="braces and a comment",
        ),
        pytest.param(
            "functions:\n  bot: {description: 'ends in }',\n        triggers: [{http: POST}]}\nx: 1\n",
            "functions:\n  bot: {description: 'ends in }',\n"
            "        triggers: [{http: POST}], verifies_signature: true}"
            "  # verifies_signature: Ana, 2026-11-27\nx: 1\n",
            3,
            id="braces over two lines, with braces in texts",
        ),
        pytest.param(
            "functions:\n  bot: {}   # the bot\n  other: {}\n",
            "functions:\n  bot:   # the bot\n    verifies_signature: true  # Ana, 2026-11-27\n  other: {}\n",
            3,
            id="empty braces become lines",
        ),
        pytest.param(
            "functions:\n  other: {}\n",
            "functions:\n  other: {}\n  bot:\n    verifies_signature: true  # Ana, 2026-11-27\n",
            4,
            id="an element that only the evidence has",
        ),
        pytest.param(
            "name: x\n",
            "name: x\nfunctions:\n  bot:\n    verifies_signature: true  # Ana, 2026-11-27\n",
            4,
            id="a section that is not there",
        ),
        pytest.param(
            "functions: {bot: {runtime: x}, other: {}}\n",
            "functions: {bot: {runtime: x, verifies_signature: true}, other: {}}"
            "  # verifies_signature: Ana, 2026-11-27\n",
            1,
            id="braces within braces",
        ),
    ],
)
def test_answer_stands_where_it_belongs(text: str, after: str, line: int) -> None:
    assert written(text, FACT) == (after, line)


@pytest.mark.parametrize(
    "text", ["functions:\n  bot:\n    verifies_signature: false\n", "functions: {bot: {verifies_signature: null}}\n"]
)
def test_nothing_is_written_over(text: str) -> None:
    with pytest.raises(InputError) as raised:
        written(text, FACT)
    assert [problem.code for problem in raised.value.problems] == ["stated-twice"]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("    incomplete: [triggers, reads]\n", "    incomplete: [reads]\n"),
        ("    incomplete: [reads, triggers]\n", "    incomplete: [reads]\n"),
        ("    incomplete: [triggers]\n", ""),
        (
            "    incomplete: {triggers: 'a, b: }', reads: who knows}\n",
            "    incomplete: {reads: who knows}\n",
        ),
        # as import writes it
        (
            "    incomplete:   # what a file cannot show\n      triggers: a file\n      reads: b\n",
            "    incomplete:   # what a file cannot show\n      reads: b\n",
        ),
        (
            "    incomplete:\n      reads: b\n      triggers: >-\n        a file\n",
            "    incomplete:\n      reads: b\n",
        ),
        ("    incomplete:\n      triggers: a file\n", ""),
        ("    incomplete:\n      - triggers\n      - reads\n", "    incomplete:\n      - reads\n"),
    ],
)
def test_a_list_is_no_longer_incomplete(before: str, after: str) -> None:
    frame = "functions:\n  bot:\n    triggers: [{{http: POST}}]\n{}    runtime: x\n"
    found, _ = written(frame.format(before), Edit(("functions", "bot"), "triggers", closes=True))
    assert found == frame.format(after)


def test_what_is_written_over_several_lines_is_left_to_its_author() -> None:
    text = "functions:\n  bot:\n    incomplete: [\n      triggers, reads]\n"
    with pytest.raises(InputError) as raised:
        written(text, Edit(("functions", "bot"), "triggers", closes=True))
    assert raised.value.problems[0].code == "cannot-add"


@pytest.mark.parametrize("note", ["Ana\nroot_protected: true", "Ana # x", "\x1b[31mAna", "\u2028verified: true"])
def test_a_name_writes_nothing_but_its_comment(note: str) -> None:
    found, _ = written("functions:\n  bot:\n    runtime: x\n", FACT, note)
    assert parse(found, "").root == {"functions": {"bot": {"runtime": "x", "verifies_signature": True}}}
    assert len(found.splitlines()) == 4


NOTE = "who calls: Ana, 2026-11-27"


@pytest.mark.parametrize(
    ("route", "after"),
    [
        ("[{http: POST, path: /a, caller: unknown}]", "[{slack: events, path: /a}]  # {}"),
        ("[{caller: unknown, http: POST, path: /a}]", "[{slack: events, path: /a}]  # {}"),
        ("[{http: POST, caller: 'unknown', path: '/a, b'}] # mine", "[{slack: events, path: '/a, b'}] # mine; {}"),
        ("[{'http': \"POST\", caller: unknown}]", "[{slack: events}]  # {}"),
        (
            "[{http: POST, path: 'x, caller: unknown', caller: unknown}]",
            "[{slack: events, path: 'x, caller: unknown'}]  # {}",
        ),
        ("[{http: POST,\n        caller: unknown}]", "[{slack: events,  # {}\n        }]"),
        ("[{http: POST, caller:\n        unknown}]", "[{slack: events  # {}\n        }]"),
        ("[{http: POST, caller:\n        unknown, path: /a}]", "[{slack: events  # {}\n        , path: /a}]"),
        (
            "\n      - http: POST\n        caller:\n          unknown\n        path: /a",
            "\n      - slack: events  # {}\n        path: /a",
        ),
        (
            "\n      - http: POST\n        path: /a\n        caller: unknown",
            "\n      - slack: events  # {}\n        path: /a",
        ),
    ],
)
def test_a_route_that_slack_calls(route: str, after: str) -> None:
    frame = "functions:\n  bot:\n    triggers: {}\n    runtime: x\n"
    text = frame.replace("{}", route)
    found, _ = with_caller(text, parse(text, "model.yaml"), Said("bot", 0, "events"), NOTE)
    assert found == frame.replace("{}", after.replace("{}", NOTE))


def test_a_route_that_others_call() -> None:
    text = "functions:\r\n  bot:\r\n    triggers: [{http: GET}, {http: POST, caller: unknown}]\r\n"
    found, line = with_caller(text, parse(as_read(text), ""), Said("bot", 1, "others"), NOTE)
    assert found == text.replace("unknown}]", f"others}}]  # {NOTE}")
    assert line == 3


def test_two_routes_of_one_line_have_one_note() -> None:
    text = "functions:\n  bot: {triggers: [{http: POST, caller: unknown}, {http: PUT, caller: unknown}]}\n"
    for index in (0, 1):
        text, _ = with_caller(text, parse(text, ""), Said("bot", index, "others"), NOTE)
    assert text.count(NOTE) == 1
    assert text.count("caller: others") == 2


@pytest.mark.parametrize(
    ("route", "code"),
    [
        ("{http: POST, caller: others}", "stated-twice"),
        ("\n      - http: POST\n        caller: >-\n          unknown", "cannot-add"),
    ],
)
def test_a_route_that_cannot_be_changed(route: str, code: str) -> None:
    text = (
        f"functions:\n  bot:\n    triggers: [{route}]\n"
        if route.startswith("{")
        else f"functions:\n  bot:\n    triggers: {route}\n"
    )
    with pytest.raises(InputError) as raised:
        with_caller(text, parse(text, "model.yaml"), Said("bot", 0, "events"), NOTE)
    assert [problem.code for problem in raised.value.problems] == [code]


def test_a_hint_goes_when_all_routes_are_answered() -> None:
    hint = "    # where Slack calls: {slack: slash-command, ...} (or interactivity, events); else take caller out\n"
    bot = "functions:\n  bot:\n    triggers: [{http: POST}]\n"
    rest = f"  other:\n    triggers: [{{http: POST, caller: unknown}}]\n{hint}"
    assert without_hints(f"{bot}{hint}{rest}", "bot") == bot + rest
    assert without_hints(f"{bot}{hint}{rest}", "other") == f"{bot}{hint}{rest}"


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("slack-signing-secret", "slack-requests"),
        ("SlackBotToken", "slack-api"),
        ("SLACK_APP_TOKEN", "slack-app-level"),
        ("slack-webhook-url", "slack-webhook"),
        ("slack-client-secret", "slack-app-credentials"),
        ("whatsapp-token", ""),
        ("database-password", ""),
    ],
)
def test_what_a_secret_is_for_by_its_name(name: str, expected: str) -> None:
    assert granted(name) == expected
