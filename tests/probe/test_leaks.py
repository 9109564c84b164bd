"""What must not show is found, and the search takes a time that grows with the text and no faster."""

from __future__ import annotations

import time

import pytest

from threatmodel.probe.kinds import BODY
from threatmodel.probe.leaks import Hidden
from threatmodel.probe.requests import SECRET, Genuine

pytestmark = pytest.mark.slow

HIDDEN = Hidden(
    Genuine(body=BODY, secret=SECRET, path="/", now=1.0, sets_clock=True), ["v0=" + "ab" * 32], {"A": "1" * 9}
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("app.py:12", "a path"),
        ("at x in handler-v2.mjs:7)", "a path"),
        ("oh no\n    at Object.handler (x", "a stack trace"),
        ('File "/var/x.py", line 3', "a stack trace"),
        ("arn:aws-cn:sqs:eu-west-1", "an ARN"),
    ],
)
def test_what_an_answer_tells_is_found(text: str, expected: str) -> None:
    assert expected in HIDDEN.in_answer(text)


PIECES = [
    "x",
    'File "a',
    "\n ",
    "\n  at a.",
    "arn:aws-",
    "AbcdeABC",
    "eyJ",
    "eyJeyJeyJ.",
    ".py",
    "v0=",
    "xoxb-",
    " AKIA0",
    "a-",
]
"""What the patterns begin with: repeated, each made one of them begin anew at every character and run to the end."""


@pytest.mark.parametrize("piece", PIECES)
def test_six_megabytes_of_anything_are_searched_in_a_moment(piece: str) -> None:
    text = piece * (6_000_000 // len(piece))
    started = time.process_time()  # not of a clock: other processes do not count
    HIDDEN.in_answer(text)
    HIDDEN.in_logs(text[:1_000_000])
    HIDDEN.excerpt(text)
    assert time.process_time() - started < 10  # it takes half a second; the square of it would take days
