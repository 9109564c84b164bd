"""The look at sound handlers, in many styles: it never says of one that a part of its verification is missing."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from tests.handlers.corpus import ENTRY_FILES, load
from tests.support import HOME
from threatmodel.beside.code.look import look
from threatmodel.beside.code.modules import Parsed
from threatmodel.beside.code.observed import CERTAIN
from threatmodel.beside.folder import Folder

CORPUS = HOME / "tests" / "handlers" / "sound"
ALARMS = {"nothing-verifies", "effect-first", "one-sided", "no-window", "window", "constant-time", "tells-exception"}
SOURCE = {".py", ".js", ".mjs", ".cjs", ".ts", ".json"}


def alarms(texts: dict[str, str], name: str = "handler") -> list[tuple[str, object]]:
    """What is certain of the verification in these files; the first has the handler."""
    folder = Folder(path="src", texts=texts, unread=(), digest="")
    found = look(Parsed(folder), next(iter(texts)), name, "")
    return [(one.what, one.value) for one in found.observed if one.how == CERTAIN and one.what in ALARMS]


def corpus() -> Iterator[tuple[Path, str]]:
    listed = yaml.safe_load((CORPUS / "handlers.yaml").read_text(encoding="utf-8"))["handlers"]
    for name, described in listed.items():
        yield CORPUS / name, described.get("handler", "handler")


@pytest.mark.parametrize(("folder", "name"), [pytest.param(*one, id=one[0].name) for one in corpus()])
def test_a_sound_handler_of_the_corpus(folder: Path, name: str) -> None:
    files = [path for path in folder.rglob("*") if path.suffix in SOURCE]
    files.sort(key=lambda path: (path.name not in ENTRY_FILES, path))
    texts = {path.relative_to(folder).as_posix(): path.read_text(encoding="utf-8") for path in files}
    assert alarms(texts, name) == []


OF_OTHER_FACTS = [
    *(f"replay-key/{one}" for one in ("counted-attempts", "retry-header", "shorter-than-window", "timed-out-attempt")),
    *(
        f"rotated-secret/{one}"
        for one in ("cached-promise", "lru-cache", "read-while-loading", "seconds-as-milliseconds")
    ),
]
"""Mistakes in how long a request or a secret is remembered: the code verifies the signature and the timestamp."""
OF_TIME = {"window", "one-sided", "no-window"}
ACKNOWLEDGED = 31
"""Sound handlers of the corpus whose whole verification is understood; the others are asked about."""


def test_no_mistake_of_the_corpus_is_stated_as_a_verification() -> None:
    stated = []
    for one in load():
        files = [path for path in one.folder.rglob("*") if path.suffix in SOURCE]
        texts = {path.relative_to(one.folder).as_posix(): path.read_text(encoding="utf-8") for path in files}
        parsed = Parsed(Folder(path="src", texts=texts, unread=(), digest=""))
        observed = look(parsed, one.file, one.handler, "").observed
        shown = any(seen.what in OF_TIME and seen.how == CERTAIN for seen in observed)
        if any(seen.what == "verifies" for seen in observed) and not shown:
            stated.append(one)
    assert sorted(one.id for one in stated if not one.sound) == OF_OTHER_FACTS
    assert sum(one.sound for one in stated) >= ACKNOWLEDGED


CHECK = """\
import functools, hashlib, hmac, os, time
KEY = os.environ["SLACK_SIGNING_SECRET"].encode()
{made}
def handler(event, context):
    headers, body = event["headers"], event["body"]
    stamp, given = headers["x-slack-request-timestamp"], headers["x-slack-signature"]
    {window}
    {check}
    return {{"statusCode": 200}}
"""
BOTH = 'if abs(time.time() - int(stamp)) > 300: return {"statusCode": 401}'
TEST = 'if not {}: return {{"statusCode": 401}}'
PLAIN = "def own(b): return 'v0=' + hmac.new(KEY, b.encode(), hashlib.sha256).hexdigest()"
COMPARED = TEST.format("hmac.compare_digest(own(f'v0:{stamp}:{body}'), given)")
MADE = {
    "table of functions": (
        "TABLE = {'v0': lambda b: hmac.new(KEY, b.encode(), hashlib.sha256).hexdigest()}",
        TEST.format("hmac.compare_digest('v0=' + TABLE[given.split('=')[0]](f'v0:{stamp}:{body}'), given)"),
    ),
    "attribute by a computed name": (
        "class Own:\n    def make_v0(self, b): return 'v0=' + hmac.new(KEY, b.encode(), hashlib.sha256).hexdigest()\n",
        TEST.format("hmac.compare_digest(getattr(Own(), 'make_' + given[:2])(f'v0:{stamp}:{body}'), given)"),
    ),
    "registered by a decorator": (
        "KNOWN = []\ndef register(f):\n    KNOWN.append(f)\n    return f\n@register\n" + PLAIN,
        TEST.format("hmac.compare_digest(KNOWN[0](f'v0:{stamp}:{body}'), given)"),
    ),
    "partial": (
        "make = functools.partial(hmac.new, KEY, digestmod='sha256')",
        TEST.format("hmac.compare_digest('v0=' + make(f'v0:{stamp}:{body}'.encode()).hexdigest(), given)"),
    ),
    "a special method": (
        """class Own:
    def __contains__(self, pair):
        return hmac.compare_digest(hmac.new(KEY, pair[0].encode(), 'sha256').hexdigest(), pair[1])
""",
        TEST.format("(f'v0:{stamp}:{body}', given[3:]) in Own()"),
    ),
    "a flag of the module": (
        f"""{PLAIN}
fine = False
def look(base, given):
    global fine
    fine = hmac.compare_digest(own(base), given)
""",
        "look(f'v0:{stamp}:{body}', given)\n    " + TEST.format("fine"),
    ),
    "a flag of an object": (
        f"""{PLAIN}
class State: fine = False
def look(state, base, given):
    state.fine = hmac.compare_digest(own(base), given)
    return None
""",
        "state = State()\n    look(state, f'v0:{stamp}:{body}', given)\n    " + TEST.format("state.fine"),
    ),
}


@pytest.mark.parametrize("how", MADE)
def test_a_check_that_is_called_in_an_unusual_way(how: str) -> None:
    made, check = MADE[how]
    assert alarms({"app.py": CHECK.format(made=made, window=BOTH, check=check)}) == []


NO = "return {'statusCode': 401}"
WINDOWS = {
    "two comparisons": f"age = time.time() - int(stamp)\n    if not (age < 300 and age > -300): {NO}",
    "a chain": f"if not -300 <= time.time() - int(stamp) <= 300: {NO}",
    "two bounds": f"now = time.time()\n    if int(stamp) < now - 300 or int(stamp) > now + 300: {NO}",
    "two lines": f"now, at = time.time(), int(stamp)\n    if now - at > 300: {NO}\n    if at > now: {NO}",
    "a range": f"if int(stamp) not in range(int(time.time()) - 300, int(time.time()) + 300): {NO}",
    "a square": f"if (time.time() - int(stamp)) ** 2 > 300 ** 2: {NO}",
    "a cache": "global KEPT\n    if time.time() > KEPT + 300: KEPT = time.time()\n    check_age(int(stamp))",
}


@pytest.mark.parametrize("how", WINDOWS)
def test_a_window_in_both_directions(how: str) -> None:
    made = f"{PLAIN}\nKEPT = 0\ndef check_age(at):\n    if not -300 < at - int(time.time()) < 300: raise ValueError\n"
    assert alarms({"app.py": CHECK.format(made=made, window=WINDOWS[how], check=COMPARED)}) == []


@pytest.mark.parametrize(
    ("made", "window", "check", "expected"),
    [
        (PLAIN, "if time.time() - int(stamp) > 300: return {'statusCode': 401}", COMPARED, [("one-sided", None)]),
        (PLAIN, "pass", COMPARED, [("no-window", None)]),
        (PLAIN, BOTH, "pass", [("nothing-verifies", "dead")]),
        ("", BOTH, "pass", [("nothing-verifies", "none")]),
        (
            f"{PLAIN}\ndef look(base, given):\n    return hmac.compare_digest(own(base), given)\n",
            BOTH,
            "look(f'v0:{stamp}:{body}', given)",
            [("nothing-verifies", "dropped")],
        ),
        (PLAIN, BOTH, TEST.format("own(f'v0:{stamp}:{body}') == given"), [("constant-time", False)]),
    ],
)
def test_what_is_missing_is_still_certain(made: str, window: str, check: str, expected: object) -> None:
    assert alarms({"app.py": CHECK.format(made=made, window=window, check=check)}) == expected


@pytest.mark.parametrize("name", ["slack-app/app.py", "slack-app-node/app.mjs"])
def test_nothing_is_shown_to_be_bad_of_the_reference_handlers(name: str) -> None:
    text = (HOME / "examples" / name).read_text(encoding="utf-8")
    found = look(Parsed(Folder(path="src", texts={name: text}, unread=(), digest="")), name, "handler", "slack-app")
    assert [one for one in found.observed if one.how == CERTAIN] == []
    assert {one.what: one.value for one in found.observed if one.what == "verifies"} == {"verifies": "own"}


VERIFIER = """\
import os
import boto3
from slack_sdk.signature import SignatureVerifier
sqs = boto3.client("sqs")
verifier = SignatureVerifier(os.environ["SLACK_SIGNING_SECRET"])
def handler(event, context):
    fine = verifier.is_valid_request(event["body"], event["headers"])
    {then}
    sqs.send_message(QueueUrl=os.environ["QUEUE"], MessageBody=event["body"])
    return {{"statusCode": 200}}
"""


@pytest.mark.parametrize(
    ("then", "verifies"),
    [
        (TEST.format("fine"), True),
        ("if fine is False: " + NO, True),
        (TEST.format("(fine or event['headers'].get('x-debug'))"), False),
        ("fine = True\n    " + TEST.format("fine"), False),
        ("fine = fine or bool(os.environ.get('DEBUG'))\n    " + TEST.format("fine"), False),
    ],
)
def test_an_outcome_that_something_else_may_replace_verifies_nothing(then: str, verifies: bool) -> None:
    text = VERIFIER.format(then=then.replace("{{", "{").replace("}}", "}"))
    folder = Folder(path="src", texts={"app.py": text}, unread=(), digest="")
    observed = look(Parsed(folder), "app.py", "handler", "").observed
    assert ("verifies" in {one.what for one in observed}) is verifies
