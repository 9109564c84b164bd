"""Each way to get a handler wrong fails the probes that are there to see it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.probe.faults import (
    BESIDE,
    FAULTS,
    GOOD,
    INSTALLING_FAULTS,
    Fault,
    asked,
    check_fault,
    probed,
    went,
)
from threatmodel.probe.cases import load_cases
from threatmodel.probe.outcome_names import FAILED

pytestmark = pytest.mark.slow


def narrow() -> set[str]:
    """The faults that the ordinary tests take: for each probe one that fails it and as few others as there is."""
    seen: set[str] = set()
    taken = {fault["id"] for fault in FAULTS if not fault["fails"]}  # what only the look at the source sees
    for fault in sorted(FAULTS, key=lambda fault: len(fault["fails"])):
        if not seen.issuperset(fault["fails"]):
            taken.add(fault["id"])
            seen.update(fault["fails"])
    return taken


NARROW = [fault for fault in FAULTS if fault["id"] in narrow()]


@pytest.mark.parametrize("fault", NARROW, ids=lambda fault: fault["id"])
def test_fault_is_seen_by_its_probes(fault: Fault, tmp_path: Path) -> None:
    """For each probe the narrowest fault; the few that fail nothing but what others fail too are run with `long`."""
    check_fault(GOOD, fault, tmp_path, asked(BESIDE | set(fault["fails"])))


@pytest.mark.long
@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault["id"])
def test_fault_is_seen_by_no_other(fault: Fault, tmp_path: Path) -> None:
    check_fault(GOOD, fault, tmp_path)


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
    assert went(probed(path, cases=asked(["genuine", seen_by])), FAILED) == {seen_by}
