"""From what a probe sends, as data, to the events that a handler gets."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import NamedTuple
from urllib.parse import parse_qsl, urlencode

from threatmodel.probe.cases import Case, Send
from threatmodel.probe.events import AGENT, DOMAIN, SOURCE, Request, event_of
from threatmodel.probe.protocol import Call, Scenario
from threatmodel.probe.slack import PUBLISHED, signature

TEXT = "probe-7f3a9c21d4"
"""What the caller types in the genuine request: nothing else says it, so that it is known again in a log."""
BODY = PUBLISHED.body.replace("&text=&", f"&text={TEXT}&")
"""The genuine request: the slash command of Slack's own example."""
SECRET = "5b1d7c0e94a2f6388d03c7be1f4a9e62"  # noqa: S105 - a made-up signing secret, in the form of Slack's
CHALLENGE = "3eZbrw1aBm2rZgRNFdxV2595E9CY3gmdALWMmHkvFXO7tYXAYM8P"
LARGE = 5_900_000
"""Bytes of the largest body in an event: with its headers it just fits into the six megabytes of an invocation."""
MARGIN = 10
"""Seconds that are added to a timestamp ahead where the clock cannot be set, since time passes on the way."""

_FORM = "application/x-www-form-urlencoded"
_NOT_UTF8 = b"&text=\xff\xfe"


@dataclass(frozen=True, slots=True, kw_only=True)
class Genuine:
    """What a genuine request is: its body, the secret that signs it, path, shape, and the time (seconds, UTC)."""

    body: str = BODY
    secret: str = SECRET
    path: str = "/slack/command"
    shape: str = "rest-api"
    now: float = 0.0
    sets_clock: bool = True
    fields: Mapping[str, str] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        object.__setattr__(self, "fields", dict(parse_qsl(self.body, keep_blank_values=True)))


class Sent(NamedTuple):
    """A scenario, and the signatures in it: a log must not hold them."""

    scenario: Scenario
    signatures: tuple[str, ...]


def sent(case: Case, genuine: Genuine) -> Sent:
    """What a probe sends, in one fresh environment.  The case sends something."""
    calls: list[Call] = []
    signatures: list[str] = []
    for number, send in enumerate(case.send):
        if send.again:
            call = replace(calls[-1], fresh=send.fresh)
        else:
            call, signed = _call(send, genuine)
            signatures += signed
        calls.append(_as_request(call, number, send.later))
    secrets = {"right": genuine.secret, "published": PUBLISHED.secret, "empty": "", "missing": None}
    return Sent(Scenario(name=case.id, calls=tuple(calls), secret=secrets[case.secret]), tuple(signatures))


def _as_request(call: Call, number: int, later: int) -> Call:
    """The call as a request of its own: AWS names and dates each, the same one sent again too."""
    at = None if call.at is None else call.at + later
    context = {**call.event["requestContext"], "requestId": f"5f2c9f6e-0000-4000-8000-{number:012d}"}
    if at is not None:
        context["timeEpoch" if "http" in context else "requestTimeEpoch"] = int(at * 1000)
    return replace(call, event={**call.event, "requestContext": context}, at=at)


def _call(send: Send, genuine: Genuine) -> tuple[Call, tuple[str, ...]]:
    published = send.body == "published"
    at = float(PUBLISHED.timestamp) if published else genuine.now
    body = _body(send, genuine)
    now = str(_second(at, send.clock, genuine))
    timestamp = None if send.timestamp is None else send.timestamp.replace("{now}", now)
    signed = PUBLISHED.signature if published else _signature(send, genuine, timestamp or "", body)
    given = None if send.signature is None else _filled(send.signature, signed)
    headers = tuple(_headers(send, genuine, timestamp, given, at))
    request = Request(
        path=genuine.path,
        headers=None if send.no_headers else headers,
        body=body + send.after_signing.encode(),
        base64=send.base64,
    )
    event = event_of(request, send.shape or genuine.shape)
    call = Call(event=event, at=at if genuine.sets_clock else None, fresh=send.fresh)
    return call, (signed, *({given} - {signed, None, ""}))  # type: ignore[arg-type]


def _second(at: float, clock: int, genuine: Genuine) -> int:
    """The timestamp that lies `clock` seconds from a time."""
    return int(at) + clock + (MARGIN if clock > 1 and not genuine.sets_clock else 0)


def _signature(send: Send, genuine: Genuine, timestamp: str, body: bytes) -> str:
    known = {"right": genuine.secret, "wrong": genuine.secret[::-1] + "0", "published": PUBLISHED.secret}
    secret = known.get(send.secret, send.secret)
    return signature(secret, timestamp, body, send.base)


def _filled(text: str, signed: str) -> str:
    digest = signed.removeprefix("v0=")
    words = {
        "signature": signed,
        "digest": digest,
        "capitals": digest.upper(),
        "cut": digest[:10],
        "first": _other(digest[:1]) + digest[1:],
        "last": digest[:-1] + _other(digest[-1:]),
    }
    for word, meant in words.items():
        text = text.replace(f"{{{word}}}", meant)
    return text


def _other(digit: str) -> str:
    return "1" if digit == "0" else "0"


def _headers(
    send: Send, genuine: Genuine, timestamp: str | None, signed: str | None, at: float
) -> Iterator[tuple[str, str]]:
    """The headers as Slack sends them, with what the probe changes."""
    changes = dict(send.headers or {})
    for name, value in _slack_headers(send, genuine, timestamp, signed, at):
        changed = changes.pop(name, value)
        if changed is not None:
            yield _cased(name, send.header_names), changed.replace("{now}", str(int(at)))
    for name, value in changes.items():
        if value is not None:
            yield _cased(name, send.header_names), value


def _slack_headers(
    send: Send, genuine: Genuine, timestamp: str | None, signed: str | None, at: float
) -> Iterator[tuple[str, str | None]]:
    form = send.body in {"event", "bot-event", "url-verification"}
    yield "Accept", "*/*"
    yield "Content-Type", "application/json" if form else _FORM
    yield "Host", DOMAIN[send.shape or genuine.shape]
    yield "User-Agent", AGENT
    yield "X-Forwarded-For", SOURCE
    yield "X-Forwarded-Port", "443"
    yield "X-Forwarded-Proto", "https"
    yield "X-Slack-Signature", signed
    if send.first_timestamp is not None:
        yield "X-Slack-Request-Timestamp", str(_second(at, send.first_timestamp, genuine))
    yield "X-Slack-Request-Timestamp", timestamp
    if send.last_timestamp is not None:
        yield "X-Slack-Request-Timestamp", str(_second(at, send.last_timestamp, genuine))


def _cased(name: str, names: str) -> str:
    match names:
        case "lower":
            return name.lower()
        case "upper":
            return name.upper()
        case "mixed":
            return "".join(c.upper() if at % 2 else c.lower() for at, c in enumerate(name))
        case _:
            return name


def _body(send: Send, genuine: Genuine) -> bytes:
    match send.body:
        case "nothing":
            return b""
        case "published":
            return PUBLISHED.body.encode()
        case "bytes":
            return genuine.body.encode() + _NOT_UTF8
        case "large":
            encoded = send.base64 or (send.shape or genuine.shape) != "rest-api"
            size = LARGE * 3 // 4 if encoded else LARGE  # base64 makes four characters of three bytes
            return changed(genuine.body, {"text": "a" * (size - len(genuine.body.encode()))}).encode()
        case "ssl-check":
            return urlencode({"ssl_check": "1", "token": genuine.fields.get("token", "")}).encode()
        case "genuine":
            return changed(genuine.body, send.fields or {}).encode()
        case kind:
            return _json(kind, genuine)


def changed(body: str, fields: Mapping[str, str]) -> str:
    """A form with some fields changed or added; untouched, byte for byte, where there are none."""
    if not fields:
        return body
    return urlencode([*_kept(parse_qsl(body, keep_blank_values=True), fields), *fields.items()])


def _kept(pairs: Iterable[tuple[str, str]], fields: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    return ((name, value) for name, value in pairs if name not in fields)


def _json(kind: str, genuine: Genuine) -> bytes:
    token = genuine.fields.get("token", "")
    if kind == "url-verification":
        return json.dumps({"token": token, "challenge": CHALLENGE, "type": "url_verification"}).encode()
    event = {
        "type": "app_mention",
        "user": genuine.fields.get("user_id", ""),
        "text": genuine.fields.get("text", ""),
        "channel": genuine.fields.get("channel_id", ""),
        "ts": "1531420618.000200",
    }
    if kind == "bot-event":
        event |= {"bot_id": "B0PROBE99", "subtype": "bot_message"}
    whole = {
        "token": token,
        "team_id": genuine.fields.get("team_id", ""),
        "api_app_id": genuine.fields.get("api_app_id", "A0PROBE99"),
        "event": event,
        "type": "event_callback",
        "event_id": "Ev0PROBE02" if kind == "bot-event" else "Ev0PROBE01",
        "event_time": 1531420618,
    }
    return json.dumps(whole).encode()


_WORDS = {
    "genuine": "a genuine request",
    "event": "an event of a person",
    "bot-event": "an event of a bot",
    "url-verification": "a url_verification",
    "ssl-check": "an ssl_check",
    "nothing": "a request without a body",
    "large": "a genuine request with a text of almost 6 MB",
    "bytes": "a genuine request with bytes that are no UTF-8",
    "published": "Slack's published example, at its own time",
}


def in_words(send: Send) -> str:
    """What is sent, in a few words."""
    if send.again:
        return ", ".join(["the same again", *_where(send)])
    return ", ".join([_WORDS[send.body], *_changes(send), *_where(send)])


def _where(send: Send) -> Iterator[str]:
    if send.later:
        yield f"{send.later} seconds later"
    if send.fresh:
        yield "in another environment"


def _changes(send: Send) -> Iterator[str]:  # noqa: C901, PLR0912 - one line for each key of the format
    if send.shape:
        yield f"through {send.shape}"
    if send.base64:
        yield "in base64"
    if send.fields:
        yield f"with {', '.join(f'{name} {value}' for name, value in send.fields.items())}"
    if send.clock:
        yield f"{abs(send.clock)} seconds {'old' if send.clock < 0 else 'ahead'}"
    if send.timestamp is None:
        yield "no timestamp"
    elif send.timestamp != "{now}":
        yield f"timestamp '{send.timestamp[:12]}'"
    if send.first_timestamp is not None or send.last_timestamp is not None:
        yield f"a new timestamp {'before' if send.last_timestamp is None else 'behind'} it"
    if send.secret == "wrong":  # noqa: S105 - a word of the format
        yield "signed with another secret"
    elif send.secret == "published":  # noqa: S105 - the same
        yield "signed with the secret of Slack's example"
    elif send.secret != "right":  # noqa: S105 - the same
        yield f"signed with '{send.secret}'"
    if send.base != "slack":
        yield "signed over timestamp.body"
    if send.signature is None:
        yield "no signature"
    elif send.signature != "{signature}":
        yield f"signature '{send.signature}'"
    if send.after_signing:
        yield f"'{send.after_signing}' added after signing"
    if send.header_names != "as-sent":
        yield f"header names: {send.header_names}"
    if send.no_headers:
        yield "headers: null"
    yield from (f"{name}: {(value or 'none').replace('{now}', 'now')}" for name, value in (send.headers or {}).items())
