"""Requests that are derived by rule: each pair of a name and a value is among them, and each says what it changes."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.probe.running import written
from threatmodel.probe.cases import WORDS, Send, load_cases
from threatmodel.probe.command import stored_in
from threatmodel.probe.crossing.candidates import lengths, values
from threatmodel.probe.crossing.pairing import paired
from threatmodel.probe.crossing.rules import RULES
from threatmodel.probe.crossing.samples import samples
from threatmodel.probe.expanding import expanded
from threatmodel.probe.hints import hints_of
from threatmodel.probe.kinds import KINDS, body_of, caller_of
from threatmodel.probe.protocol import Call, Scenario
from threatmodel.probe.requests import Genuine, groups
from threatmodel.probe.runners.target import runner_for
from threatmodel.probe.source_files import block_of
from threatmodel.probe.source_literals import literals_of
from threatmodel.probe.wording import in_words
from threatmodel.reading.values import replace

NAMES = st.lists(st.text("abc", min_size=1, max_size=3), min_size=1, max_size=12, unique=True)


@given(NAMES, NAMES, st.integers(1, 40))
def test_each_pair_is_in_some_request_and_there_are_few(names: list[str], values: list[str], most: int) -> None:
    requests = list(paired(names, values, most))
    assert {(name, value) for one in requests for name, value in one.items()} == {(n, v) for n in names for v in values}
    assert len(requests) <= max(most, len(values)) + len(values)


def test_every_rule_has_a_word() -> None:
    assert set(RULES) == set(WORDS)


SOURCE = """\
import os
def handler(event, context):
    form = event["queryStringParameters"]
    if event["headers"].get("x-warm-up") == "please" or os.environ.get("STAGE") == "dev":
        return f"Bearer {form['team']}"
"""


@pytest.fixture(scope="module")
def genuine(tmp_path_factory: pytest.TempPathFactory) -> Genuine:
    file = written(tmp_path_factory.mktemp("bot"), SOURCE)
    return Genuine(hints=hints_of(file, {"STAGE": "prod"}), now=1_800_000_000.0)


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("kind", KINDS)
def test_each_request_of_a_rule_has_words_of_its_own(rule: str, kind: str, genuine: Genuine) -> None:
    own = replace(genuine, kind=kind, body=body_of(kind, caller_of(genuine.body)))
    sends = list(RULES[rule](Send(), own))
    assert sends
    assert len(sends) < 3_000
    assert all(in_words(send) for send in sends)


def test_constants_are_put_together() -> None:
    python = literals_of(block_of('A, B = "x", 2\nC = "y"\nhandler = lambda h: h == f"{A}-{B}/" + C\n', ".py"))
    javascript = literals_of(block_of('const A = "x"; if (h === `${A}/1` || h === `${h}/2`) f();', ".js"))
    assert "x-2/y" in python.compared
    assert "x/1" in javascript.compared
    assert not [text for text in javascript.compared if "2" in text and text != "/2"]


def test_products_are_sizes() -> None:
    python = literals_of(
        block_of("A = 128\nB = A << 10\nhandler = lambda h: len(h) > 64 * 1024 or 7 / 2 or 1 << 99", ".py")
    )
    javascript = literals_of(block_of("const A = 1 << 17; if (h.length > 3 * 7000 * 2) f();", ".js"))
    powers = literals_of(block_of("A = 2 ** 12\nB = 10 ** 9 ** 9", ".py"))
    assert {"131072", "65536"} <= set(python.texts)
    assert "4096" in powers.texts
    assert {"131072", "42000"} <= set(javascript.texts)
    assert {*python.texts, *javascript.texts} & {"3.5", "3", str(1 << 99)} == {"3"}


def test_sizes_are_tried_before_codes_of_answers(tmp_path: Path) -> None:
    source = "K = 1 << 10\ndef handler(e, c): return [200, 201, 300, 301, 400, 401, 403, 404, 500, e[: 3 * K]]\n"
    found = lengths(Genuine(hints=hints_of(written(tmp_path, source)), now=1_800_000_000.0))
    assert {1024, 3072} <= set(found)


def test_what_tables_hold_are_words(tmp_path: Path) -> None:
    tables = {"members": [{"id": {"S": "U0KIOSK01"}, "checks": ["fresh"], "secret": "{signing secret}", "n": 7}]}
    stored = stored_in(tables)
    assert set(stored) == {"U0KIOSK01", "fresh"}
    hints = hints_of(written(tmp_path, "def handler(event, context): return event\n"), stored=stored)
    assert set(stored) <= set(values(Genuine(hints=hints, now=1_800_000_000.0)))
    assert "U0KIOSK01" in hints.users


def test_each_key_has_the_texts_that_it_is_compared_with(tmp_path: Path) -> None:
    source = "if (h['x-a']?.startsWith('ELB') || p.get('type') === 'a' || p.type == 'b' || c === 'd') f();"
    assert hints_of(written(tmp_path, source, "index.js")).answers == {"x-a": ("ELB",), "type": ("a",)}


def test_words_of_the_source_are_completed_by_what_is_missing(genuine: Genuine) -> None:
    assert {"please", "dev", "Bearer undefined", "Bearer None"} <= set(values(genuine))
    assert genuine.hints.variables == {"STAGE": "prod"}


@pytest.mark.parametrize(
    "pattern",
    [
        "/(docs|assets)/",
        r"^ticket-\d{4}",
        "^/health(/.*)?$",
        "(?:a|b)(?P<x>c|d)",
        "[^a-z]+x",
        r"[\]x]{2,}\s?y",
        "a{0}|b",
    ],
)
def test_texts_of_an_expression_match_it(pattern: str) -> None:
    assert all(re.search(pattern, text) for text in samples(pattern))


def test_each_alternative_of_an_expression_has_a_text() -> None:
    assert samples(r"^/(docs|static(/v\d)?)/") == ("/docs/", "/static/v1/")
    assert samples("(?=x)y") == ("y",)


@given(st.text(r"ab1(|)[]{}\?*+^$,.:=!<>", max_size=80))
def test_any_text_taken_for_an_expression_has_few_and_short_texts(text: str) -> None:
    found = samples(text)
    assert len(found) <= 8
    assert all(len(one) <= 80 for one in found)


def test_both_languages_name_texts_fields_and_functions() -> None:
    python = literals_of(block_of(SOURCE, ".py"))
    text = (
        "// 'no'\nconst { team } = body; const f = { none: () => 1 };\n"
        "if (/^aws-sdk/.test(h['x-a']) || h.flag === 'yes' || `a ${team} b`) process.env.DEBUG"
    )
    javascript = literals_of(block_of(text, ".js"))
    assert {"x-warm-up", "please", "STAGE", "dev", "team"} <= set(python.texts)
    assert (python.called, python.variables) == (("handler",), ("STAGE",))
    assert set(javascript.texts) == {"1", "^aws-sdk", "x-a", "yes", "a ", " b"}
    assert {"team", "flag"} <= set(javascript.names)
    assert "none" in javascript.called
    assert javascript.variables == ("DEBUG",)
    assert set(python.compared) == {"headers", "x-warm-up", "please", "STAGE", "dev"}
    assert set(javascript.compared) == {"^aws-sdk", "x-a", "yes"}
    assert literals_of(block_of("def (", ".py")) == literals_of(block_of("`", ".js")) == ((), (), (), (), ())


COMPOSED = """\
def handler(event, context):
    if len(event["text"]) > 700 or event["headers"].get("x-param-" + event["name"]):
        return json.loads(event["queryStringParameters"]["overrides"])["detail-type"] == "urgent"
    return event["headers"].get("user-agent", "").startswith("Health/") and event["headers"]["X-Mac"] + event["X-Key"]
"""
VALUES: dict[str, tuple[str, Callable[[Send], bool]]] = {
    "a text longer than a number of the source": ("fields", lambda send: b"x" * 701 in (send.text or b"")),
    "JSON where an app keeps its own": (
        "fields",
        lambda send: b"%5C%22overrides%5C%22%3A+%5C%22urgent" in (send.text or b""),
    ),
    "a signed body of that length": ("tampered", lambda send: send.text is not None and len(send.text) == 700),
    "an object in the query": ("outside", lambda send: '"text":"' in str((send.query or {}).get("overrides"))),
    "a name that begins so": ("outside", lambda send: "x-param-user_id" in (send.headers or {})),
    "a key of the request": ("keys", lambda send: send.secret == "T1DC2JH3J"),
    "a key of the event": ("keys", lambda send: send.secret == "a1b2c3d4e5"),
    "the hash of a value": ("keys", lambda send: send.secret == hashlib.sha256(b"prod").hexdigest()),
    "a key that the request has": ("keys", lambda send: send.secret in (send.query or {}).values()),
    "a charset": ("forms", lambda send: "utf-16" in str((send.headers or {}).get("Content-Type"))),
    "another field in JSON": (
        "forms",
        lambda send: b'"detail-type": "urgent"' in (send.text or b"").replace(b'":"', b'": "'),
    ),
    "a signature in another header": ("signatures", lambda send: len(str((send.headers or {}).get("X-Api-Key"))) == 64),
    "what several comparisons ask for": (
        "places",
        lambda send: (
            send.shape == "alb"
            and (send.headers or {}).get("User-Agent") == "Health/"
            and b'"detail-type": "urgent"' in (send.text or b"")
        ),
    ),
    "a form in parts": ("forms", lambda send: send.base64 and b'name="user_id"\r\n\r\nU2' in (send.text or b"")),
    "a list": ("forms", lambda send: (send.text or b"").startswith(b'[{"token"')),
    "a compressed body": ("forms", lambda send: (send.text or b"").startswith(b"\x1f\x8b")),
    "a closed modal with all switches on": ("fields", lambda send: b"is_cleared%22%3Atrue" in (send.text or b"")),
    "a key beside what it signed": (
        "signatures",
        lambda send: (send.headers or {}).get("X-Mac") == "probe" and len(str((send.headers or {}).get("X-Key"))) == 64,
    ),
    "an event with what its type has": ("fields", lambda send: b'"tokens":{"oauth":["U2' in (send.text or b"")),
    "an event with each field": ("fields", lambda send: b'"overrides":"x"' in (send.text or b"")),
    "the digest with a space in it": ("resent", lambda send: send.signature == "v0={spaced}"),
    "another type of content": ("resent", lambda send: "Content-Type" in (send.headers or {})),
    "a list of words": ("variables", lambda send: "urgent," in ((send.environment or {}).get("FEATURES") or "")),
}


@pytest.mark.parametrize("what", VALUES)
def test_values_are_composed_of_what_source_and_request_have(what: str, tmp_path: Path) -> None:
    rule, holds = VALUES[what]
    source = COMPOSED + 'FEATURES = os.environ["FEATURES"]\n'
    hints = hints_of(written(tmp_path, source), {"STAGE": "prod", "FEATURES": ""})
    kind = "action" if "JSON where" in what else "event" if "an event" in what else "command"
    own = Genuine(hints=hints, now=1_800_000_000.0, kind=kind, body=body_of(kind, caller_of(Genuine().body)))
    assert any(
        holds(send) for signature in ("{signature}", None) for send in RULES[rule](Send(signature=signature), own)
    )


def test_a_rule_of_another_kind_has_one_process(genuine: Genuine) -> None:
    case = next(case for case in load_cases() if case.id == "unsigned-fields")
    several = groups(expanded(case, replace(genuine, served=("action", "event"))).send)
    assert len(several) == 3
    assert all(len(sends) > 100 for sends in several)


ACTS_AFTER = """\
import boto3
SEEN = []
def handler(event, context):
    SEEN.append(event["number"])
    if event["number"] == {acts} and len(SEEN) > {after}:
        boto3.client("sqs").send_message(QueueUrl="https://queue", MessageBody="x")
    return {{"statusCode": 401}}
"""


@pytest.mark.slow
@pytest.mark.parametrize("after", [0, 150])
def test_what_is_done_by_one_of_many_is_seen(after: int, tmp_path: Path) -> None:
    """Handed over together, where it was done by itself and where only what came before made it happen."""
    file = written(tmp_path, ACTS_AFTER.format(acts=180, after=after))
    calls = tuple(Call(event={"number": number}) for number in range(200))
    replies = runner_for(str(file)).run(Scenario(name="test", calls=calls, secret="x", together=True))
    acted = [number for number, reply in enumerate(replies) if reply.effects]
    assert len(replies) == 200
    assert acted == [180] if after == 0 else len(acted) == 1 and 128 <= acted[0] < 192


EXITS = """\
import os
def handler(event, context):
    if event["number"] == 70:
        os._exit(1)
    return {"statusCode": 401}
"""


@pytest.mark.slow
def test_what_follows_an_exit_is_asked_in_another_process(tmp_path: Path) -> None:
    file = written(tmp_path, EXITS)
    calls = tuple(Call(event={"number": number}) for number in range(200))
    replies = runner_for(str(file)).run(Scenario(name="test", calls=calls, secret="x", together=True))
    assert [number for number, reply in enumerate(replies) if reply.ended in {"exit", "crash"}] == [70]
    assert replies[199].status == 401
