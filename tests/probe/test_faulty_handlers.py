"""Handlers that are right pass every probe; each way to get one wrong fails the probes that are there to see it."""

from __future__ import annotations

import datetime
import shutil
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.probe.judged import SOUND
from tests.support import HOME
from threatmodel.probe.cases import Case, load_cases
from threatmodel.probe.hints import hints_of
from threatmodel.probe.outcome import FAILED, PASSED
from threatmodel.probe.probing import Options, probe
from threatmodel.probe.requests import Genuine, sent
from threatmodel.probe.result import Result
from threatmodel.probe.runners.target import runner_for
from threatmodel.probe.source_check import check_handler
from threatmodel.probe.variables import variables
from threatmodel.reading.problems import InputError

pytestmark = pytest.mark.slow

EXAMPLES = HOME / "examples"
GOOD = HOME / "tests" / "probe" / "handlers" / "good.py"
INSTALLING = HOME / "tests" / "probe" / "installing" / "app.py"
FAULTS: list[dict[str, Any]] = yaml.safe_load(GOOD.with_name("faults.yaml").read_text(encoding="utf-8"))
INSTALLING_FAULTS: list[dict[str, Any]] = yaml.safe_load(
    INSTALLING.with_name("faults.yaml").read_text(encoding="utf-8")
)
INSTALLING_VARIABLES = {"SECRET_NAME": "bot/signing", "INSTALLATIONS_TABLE": "installations"}
PROBE_ENV = EXAMPLES / "slack-app" / "probe.env"

needs_node = pytest.mark.skipif(shutil.which("node") is None, reason="node is not installed")


def probed(path: Path, kind: str = "python", cases: Sequence[Case] = ()) -> Result:
    environment = variables(PROBE_ENV.read_text(encoding="utf-8"), PROBE_ENV.name) | INSTALLING_VARIABLES
    now = datetime.datetime.now(datetime.UTC)
    options = Options(
        target=str(path),
        kind=kind,
        now=now,
        version="1",
        shape="rest-api",
        hints=hints_of(path, environment),
        environment=environment,
        threads=2,
    )
    return probe(runner_for(str(path), environment=environment), options, cases)


@cache
def good() -> Result:
    return probed(GOOD)


@cache
def installing() -> Result:
    return probed(INSTALLING)


def went(result: Result, outcome: str) -> set[str]:
    return {row.probe for row in result.rows if row.outcome == outcome}


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
@pytest.mark.parametrize("name", ["good.py", pytest.param("slack-app-node/app.mjs", marks=needs_node)])
def test_good_handlers_pass_every_probe_that_applies(name: str) -> None:
    result = good() if name == "good.py" else probed(EXAMPLES / name, "node")
    assert {row.probe: row.why for row in result.rows if row.outcome != PASSED}.keys() == NOT_ASKED[name] | NO_FLOW
    check_facts(result)


def test_a_good_handler_with_an_installation_passes_too() -> None:
    result = installing()
    assert {row.probe: row.why for row in result.rows if row.outcome != PASSED}.keys() == NOT_ASKED["installing.py"]
    check_facts(result)


def check_facts(result: Result) -> None:
    assert {fact: value for fact, value in result.decided.items() if fact != "ignores_own_messages"} == SOUND


EVERY = [
    *(pytest.param(GOOD, fault, id=fault["id"]) for fault in FAULTS),
    *(pytest.param(INSTALLING, fault, id=f"installing-{fault['id']}") for fault in INSTALLING_FAULTS),
]
BESIDE = {
    "genuine",
    "no-signature",
    "oauth-state-used-twice",
    "replay",
    "secrets-in-answers",
    "timestamp-299-seconds",
    "wrong-secret",
}
"""Probes that the ordinary tests ask of each fault beside its own: all of them are asked with `long`."""


@pytest.mark.parametrize(("handler", "fault"), EVERY)
def test_fault_is_seen_by_its_probes(handler: Path, fault: dict[str, Any], tmp_path: Path) -> None:
    cases = [case for case in load_cases() if case.id in BESIDE | set(fault["fails"])]
    check_fault(handler, fault, tmp_path, cases)


@pytest.mark.long
@pytest.mark.parametrize(("handler", "fault"), EVERY)
def test_fault_is_seen_by_no_other(handler: Path, fault: dict[str, Any], tmp_path: Path) -> None:
    check_fault(handler, fault, tmp_path)


def check_fault(handler: Path, fault: dict[str, Any], folder: Path, cases: Sequence[Case] = ()) -> None:
    """Exactly its probes fail, and exactly its facts are shown to be otherwise than in the right handler."""
    path = edited(handler, fault, folder)
    result = probed(path, cases=cases)
    assert sorted(went(result, FAILED)) == sorted(fault["fails"])
    right = SOUND | {"ignores_own_messages": True}
    shown = {fact: value for fact, value in result.decided.items() if value != right.get(fact)}
    assert shown == fault["shows"]
    assert check_handler(path).value is (fault["id"] != "equality")


def edited(handler: Path, fault: dict[str, Any], folder: Path) -> Path:
    text = handler.read_text(encoding="utf-8")
    for edit in fault.get("edits", [fault]):
        assert text.count(edit["replace"]) == 1
        text = text.replace(edit["replace"], edit["by"])
    path = folder / "app.py"
    path.write_text(text, encoding="utf-8")
    return path


def test_every_probe_is_failed_by_some_fault() -> None:
    seen = {probe for fault in (*FAULTS, *INSTALLING_FAULTS) for probe in fault["fails"]}
    every = {case.id for case in load_cases()}
    # three seconds in each accepted call would be a minute of waiting: test_judging.py has it with a reply made by hand
    assert every - seen == {"first-answer-in-time"}
    assert seen <= every


SUBTLE = {
    "a prefix is enough": (
        'expected.encode(), header(event, "X-Slack-Signature").encode()',
        'expected[:20].encode(), header(event, "X-Slack-Signature")[:20].encode()',
        "wrong-secret",
    ),
    "the published secret counts too": (
        'expected = "v0=" + hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()',
        (
            'keys = (secret, "8f742231b10e8888abcd99yyyzzz85a5")\n'
            '    each = ["v0=" + hmac.new(key.encode(), signed, hashlib.sha256).hexdigest() for key in keys]\n'
            '    expected = next((one for one in each if one == header(event, "X-Slack-Signature")), each[0])'
        ),
        "wrong-secret",
    ),
    "space around the body is not signed": (
        'signed = b"v0:"',
        'body = body.strip()\n    signed = b"v0:"',
        "body-changed",
    ),
    "replays are remembered by one process": (
        "    DYNAMODB.put_item(\n",
        (
            "    seen = globals().setdefault('SEEN', set())\n"
            "    if name in seen:\n        raise KeyError\n    seen.add(name)\n    return\n    DYNAMODB.put_item(\n"
        ),
        "replay",
    ),
    "work goes on behind the refusal": (
        "        if not genuine(event, body):\n            return REFUSAL\n",
        (
            "        queue = dict(QueueUrl=os.environ['WORK_QUEUE_URL'], MessageBody='x')\n"
            "        __import__('threading').Timer(0.1, lambda: SQS.send_message(**queue)).start()\n"
            "        if not genuine(event, body):\n            return REFUSAL\n"
        ),
        "no-signature",
    ),
}
"""Faults that look right in most requests: what stands there, what instead, and the probe that sees it."""


@pytest.mark.parametrize("fault", SUBTLE)
def test_subtle_fault_is_seen(fault: str, tmp_path: Path) -> None:
    replaced, by, seen_by = SUBTLE[fault]
    text = GOOD.read_text(encoding="utf-8")
    assert text.count(replaced) == 1
    path = tmp_path / "app.py"
    path.write_text(text.replace(replaced, by), encoding="utf-8")
    cases = [case for case in load_cases() if case.id in {"genuine", seen_by}]
    assert went(probed(path, cases=cases), FAILED) == {seen_by}


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
