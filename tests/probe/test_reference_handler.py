"""The example's handler and its twin in Node.js: they behave alike, and accept what Slack's verifier accepts."""

from __future__ import annotations

import base64
import copy
import hashlib
import hmac
import json
import re
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml
from cfnlint.config import ConfigMixIn
from cfnlint.decode.decode import decode_str
from cfnlint.runner import Runner as Linter
from cfnlint.runner import run_template_by_data
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from slack_sdk.signature import Clock, SignatureVerifier

from tests.examples.standing_in import AT, FORGED, FORGERIES, SECRET, UNAUTHORISED, form, headers, rest, signed
from tests.support import HOME
from threatmodel.probe.protocol import Call, Reply, Scenario
from threatmodel.probe.runners.target import runner_for

pytestmark = pytest.mark.slow

EXAMPLES = HOME / "examples"
SCRIPTS = sorted(path for kind in ("*.js", "*.mjs") for path in EXAMPLES.glob(f"*/{kind}"))
HANDLERS = {"python": EXAMPLES / "slack-app" / "app.py", "node": EXAMPLES / "slack-app-node" / "app.mjs"}
ENVIRONMENT = {
    "ALLOWED_COMMANDS": "/order, /webhook-collect",
    "ALLOWED_IDS": "A012AB3CD,T1DC2JH3J,U2CERLKJA",
    "REPLAY_TABLE": "replay",
    "SIGNING_SECRET_ARN": "arn:aws:secretsmanager:eu-west-1:123456789012:secret:slack",
    "WORK_QUEUE_URL": "https://sqs.eu-west-1.amazonaws.com/123456789012/work",
}

needs_node = pytest.mark.skipif(shutil.which("node") is None, reason="node is not installed")
each_handler = pytest.mark.parametrize("name", ["python", pytest.param("node", marks=needs_node)])


def replies(name: str, calls: Sequence[Call], secret: str | None = SECRET) -> Sequence[Reply]:
    """What a handler answers to calls in one environment of Lambda."""
    runner = runner_for(str(HANDLERS[name]), environment=ENVIRONMENT)
    return runner.run(Scenario(name=name, calls=tuple(calls), secret=secret))


def at_its_time(*events: Mapping[str, Any]) -> list[Call]:
    return [Call(event=event, at=float(AT)) for event in events]


def done(reply: Reply) -> list[tuple[str, str]]:
    """What a handler did beside reading its secret."""
    return [(effect.service, effect.operation) for effect in reply.effects if effect.operation != "GetSecretValue"]


ACCEPTED = [("dynamodb", "PutItem"), ("sqs", "SendMessage")]


@each_handler
def test_slack_s_own_request_is_accepted_at_its_time_and_once(name: str) -> None:
    first, second, *_ = replies(name, at_its_time(rest(), rest()))
    assert (first.status, json.loads(first.body)["text"], done(first)) == (200, "Working on it.", ACCEPTED)
    assert (second.status, second.body, done(second)) == (401, "", [("dynamodb", "PutItem")])


# --- url_verification

CHALLENGE = "3eZbrw1aBm2rZgRNFdxV2595E9CY3gmdALWMmHkvFXO7tYXAYM8P"


def asking(challenge: object = CHALLENGE, kind: str = "url_verification") -> str:
    return json.dumps({"token": "Jhj5dZrVaK7ZwHHjRyZWjbDl", "challenge": challenge, "type": kind})


@each_handler
def test_challenge_is_repeated_once_the_signature_fits(name: str) -> None:
    plain, encoded = replies(name, at_its_time(signed(asking()), signed(asking().encode())))
    for reply in (plain, encoded):
        assert (reply.status, reply.body, done(reply)) == (200, CHALLENGE, [])
        assert {key.lower(): value for key, value in reply.headers.items()}["content-type"] == "text/plain"


NOT_ASKING = {
    "not signed": rest(asking()),
    "signed with another secret": signed(asking(), secret="another"),
    "old": signed(asking(), timestamp=AT - 301),
    "another type": signed(asking(kind="event_callback")),
    "markup": signed(asking("<script>alert(1)</script>")),
    "a line break": signed(asking(f"{CHALLENGE}\n")),
    "no text": signed(asking(1)),
    "a list": signed(asking([CHALLENGE])),
    "nothing": signed(asking("")),
    "undefined": signed(asking().replace("challenge", "change")),
    "a list of such": signed(f"[{asking()}]"),
    "null": signed("null"),
    "a number": signed("1"),
    "cut": signed(asking()[:-1]),
    "deep": signed("[" * 50_000),
}


@each_handler
def test_nothing_else_is_repeated(name: str) -> None:
    answers = replies(name, at_its_time(*NOT_ASKING.values()))
    told = [(reply.ended, reply.status, reply.body, done(reply)) for reply in answers]
    assert dict(zip(NOT_ASKING, told, strict=True)) == dict.fromkeys(NOT_ASKING, ("", 401, "", []))


# --- side by side


def seen(reply: Reply) -> tuple[object, ...]:
    """What anybody can see of a call, beside the log, the time and the blanks in JSON."""
    content = {key.lower(): value for key, value in reply.headers.items()}.get("content-type", "")
    body = json.loads(reply.body) if content == "application/json" else reply.body
    return reply.ended, reply.status, body, content, reply.effects


def assert_alike(calls: Sequence[Call], secret: str | None = SECRET) -> None:
    pairs = zip(calls, replies("python", calls, secret), replies("node", calls, secret), strict=True)
    assert [(call.event, seen(one), seen(other)) for call, one, other in pairs if seen(one) != seen(other)] == []


ODD_FORMS = [
    form(x="100%") + "%",
    form() + "&x=%zz%",
    form() + "&x=%e2%82%ac&y=\u20ac&z=+%2B",
    form() + "&x=%ed%a0%80",
    form() + "&x=%c3&y=%28",
    form() + "&&&x&=y&=",
    form() + "&__proto__=1&constructor=2",
    form() + "&user_id=U999",
    form(user_id="U999") + "&user_id=U2CERLKJA",
    form() + ";user_id=U999",
    form() + "&ssl_check=1",
    form() + "&ssl_check=0",
    form() + "&x" * 85,
    form() + "&" * 99,
    "\ufeff" + form(),
    form(text="\ufeff\u2028\x00\r\n\ufffd\U0001f600"),
    form(api_app_id="A012AB3CD"),
    form(command="/order "),
    form(user_id="T1DC2JH3J", team_id="U2CERLKJA"),
]


NOT_COMPARED = {
    "a large body",  # six megabytes twice, for what the generated requests show with a tenth of one
    "headers of another kind",  # Python ends in an exception of its own making, Node.js looks at multiValueHeaders
}


@needs_node
def test_twins_answer_alike() -> None:
    later = [Call(event=signed(form(text=str(second)), timestamp=AT + second), at=AT + second) for second in (301, 900)]
    events = [
        rest(),
        rest(),
        *(event for name, event in FORGED.items() if name not in NOT_COMPARED),
        *(signed(form(**changes)) for changes in UNAUTHORISED.values()),
        *NOT_ASKING.values(),
        *map(signed, ODD_FORMS),
        signed("ssl_check=1"),
        {**rest(), "isBase64Encoded": True},
    ]
    assert_alike([*at_its_time(*events), *later])


@needs_node
@pytest.mark.parametrize("secret", [None, "", " \n", f"{SECRET}\n"])
def test_twins_treat_the_secret_alike(secret: str | None) -> None:
    guesses = [signed(form(text=str(n)), secret=guess) for n, guess in enumerate(["", " \n", SECRET, f"{SECRET}\n"])]
    assert_alike(at_its_time(*guesses), secret)


# --- beside slack_sdk's verifier


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """A request as somebody may send it, and when it arrives."""

    body: bytes
    timestamp: str
    signature: str
    at: float
    encoded: bool
    lower: bool

    @property
    def call(self) -> Call:
        given = headers(self.timestamp, self.signature)
        event = rest(sent={name.lower() if self.lower else name: value for name, value in given.items()})
        if self.encoded:
            event.update(body=base64.b64encode(self.body).decode(), isBase64Encoded=True)
        else:
            event.update(body=self.body.decode())
        return Call(event=event, at=self.at)


BODIES = st.one_of(
    st.tuples(st.text(max_size=12), st.text(max_size=30)).map(lambda more: form(text=more[1], **{f"x{more[0]}": "1"})),
    st.sampled_from(
        ["", "text=", form(user_id="U999"), form() + "&a=%ff", form() + "&a=\u00e9", form(x="a" * 101_000)]
    ),
).map(lambda text: text.encode("utf-8", "replace"))
TIMESTAMPS = st.one_of(
    st.integers(-302, 302).map(lambda away: str(AT + away)),
    st.sampled_from([-301, -300, 300, 301]).map(lambda away: str(AT + away)),
    st.sampled_from([f" {AT}", f"+{AT}", f"0{AT}", f"{AT}.0", "1_531_420_618", "", "now", "-1", "9" * 13]),
)


@st.composite
def requests(draw: st.DrawFn) -> Sent:
    body = draw(st.one_of(BODIES, BODIES, st.binary(max_size=40)))
    timestamp = draw(TIMESTAMPS)
    secret = draw(st.sampled_from([SECRET] * 6 + ["", "another"]))
    right = "v0=" + hmac.new(secret.encode(), b"v0:%s:%s" % (timestamp.encode(), body), hashlib.sha256).hexdigest()
    forgery = draw(st.sampled_from(["none"] * 8 + sorted(FORGERIES)))
    return Sent(
        body=body,
        timestamp=timestamp,
        signature=FORGERIES[forgery](right),
        at=AT + draw(st.sampled_from([-0.3, 0.3])),  # the clock goes on: no request lies on the edge itself
        encoded=draw(st.booleans()) or not is_text(body),
        lower=draw(st.booleans()),
    )


def is_text(body: bytes) -> bool:
    try:
        body.decode()
    except UnicodeDecodeError:
        return False
    return True


def rightly_signed(body: str, timestamp: str = str(AT)) -> Sent:
    content = body.encode()
    base = b"v0:%s:%s" % (timestamp.encode(), content)
    signature = "v0=" + hmac.new(SECRET.encode(), base, hashlib.sha256).hexdigest()
    return Sent(body=content, timestamp=timestamp, signature=signature, at=AT + 0.3, encoded=False, lower=False)


REFUSED_BY_OURS = [
    rightly_signed(form(), f" {AT}"),
    rightly_signed(form(x="a" * 101_000)),
    rightly_signed(form() + "&a=%ff"),
    rightly_signed(form(user_id="U999")),
]


@cache
def generated() -> tuple[Sent, ...]:
    """Some 300 requests, no two of one timestamp and body: the second would be a replay."""
    found = {(request.timestamp, request.body): request for request in REFUSED_BY_OURS}

    @settings(max_examples=400, phases=[Phase.generate], deadline=None, suppress_health_check=list(HealthCheck))
    @given(requests())
    def collect(request: Sent) -> None:
        found.setdefault((request.timestamp, request.body), request)

    collect()
    return tuple(found.values())


def accepted_by_slack_sdk(sent: Sent) -> bool:
    clock = Clock()
    clock.now = lambda: sent.at  # type: ignore[method-assign]
    try:
        return SignatureVerifier(SECRET, clock).is_valid(sent.body, sent.timestamp, sent.signature)
    except (ValueError, TypeError):  # no UTF-8, no number, no ASCII: a refusal, once a handler has caught it
        return False


def exception_of(sent: Sent) -> str:
    """Why the handlers refuse what slack_sdk accepts; '' where they must not."""
    length = len(base64.b64encode(sent.body)) if sent.encoded else len(sent.body.decode())
    if not re.fullmatch(r"[0-9]{1,12}", sent.timestamp):
        return "what int() takes beside digits"
    if length > 100_000:
        return "large"
    if b"%ff" in sent.body:
        return "a field that is no UTF-8"
    if b"user_id=U2CERLKJA" not in sent.body:
        return "not from somebody on the list"
    return ""


@each_handler
def test_accepts_what_slack_sdk_accepts(name: str) -> None:
    cases = generated()
    answers = replies(name, [sent.call for sent in cases])
    expected = {True: ("", 200, ACCEPTED), False: ("", 401, [])}
    wrong = [
        (sent, reply)
        for sent, reply in zip(cases, answers, strict=True)
        if (reply.ended, reply.status, done(reply)) != expected[accepted_by_slack_sdk(sent) and not exception_of(sent)]
    ]
    assert wrong == []


def test_generated_requests_are_of_every_kind() -> None:
    cases = generated()
    assert len(cases) >= 200
    accepted = [sent for sent in cases if accepted_by_slack_sdk(sent)]
    assert {exception_of(sent) for sent in accepted} == {
        "",
        "what int() takes beside digits",
        "large",
        "a field that is no UTF-8",
        "not from somebody on the list",
    }
    assert 20 <= sum(not exception_of(sent) for sent in accepted) <= len(cases) - 50


# --- the files around them


@needs_node
@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.name)
def test_scripts_are_javascript(path: Path) -> None:
    checked = subprocess.run(["node", "--check", path], capture_output=True, text=True, check=False)
    assert (checked.returncode, checked.stderr) == (0, "")


def test_scripts_fit_the_page() -> None:
    lines = [line for path in SCRIPTS for line in path.read_text(encoding="utf-8").splitlines()]
    assert [line for line in lines if len(line) > 120 or line != line.rstrip() or "\t" in line] == []


def test_twins_have_the_same_limits_and_words() -> None:
    python, node = (path.read_text(encoding="utf-8") for path in HANDLERS.values())
    limits = r"^(?:const )?([A-Z_]+) = ([0-9_]+)\b"
    shared = dict(re.findall(limits, python, re.MULTILINE))
    assert shared
    assert shared.items() <= dict(re.findall(limits, node, re.MULTILINE)).items()
    reasons = r"RefusedError\((\"[a-z_]+\")\)"
    assert set(re.findall(reasons, python)) == set(re.findall(reasons, node))


def test_article_s_page_has_every_fault_of_its_handler() -> None:
    folder = EXAMPLES / "article"
    named = re.findall(r"// FAULT ([a-z0-9-]+):", (folder / "handler.js").read_text(encoding="utf-8"))
    rows = re.findall(r"^\| `([a-z0-9-]+)` \|", (folder / "README.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert rows == named


def test_template_takes_the_twin_as_its_page_says() -> None:
    page = (EXAMPLES / "slack-app-node" / "README.md").read_text(encoding="utf-8")
    (block,) = re.findall(r"```yaml\n(.*?)```", page, re.DOTALL)
    changes = yaml.safe_load(block)
    code, _, name = changes["Handler"].partition(".")
    source = (EXAMPLES / "slack-app" / changes["CodeUri"] / f"{code}.mjs").read_text(encoding="utf-8")
    assert f"export async function {name}(" in source
    decoded, errors = decode_str((EXAMPLES / "slack-app" / "template.yaml").read_text(encoding="utf-8"))
    assert not errors
    template = copy.deepcopy(decoded)
    template["Resources"]["OrderBotFunction"]["Properties"].update(changes)
    configuration = ConfigMixIn(regions=["eu-central-1"])
    matches = run_template_by_data(template, configuration, Linter(configuration).rules)
    assert [f"{match.rule.id}: {match.message}" for match in matches] == []
