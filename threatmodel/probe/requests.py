"""From what a probe sends, as data, to the events that a handler gets."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple
from urllib.parse import urlencode

from threatmodel.probe.bodies import changed, padded, written_in
from threatmodel.probe.cases import Case, Send
from threatmodel.probe.events import AGENT, DOMAIN, SOURCE, Request, deployed_as, event_of
from threatmodel.probe.hints import Hints, step_of
from threatmodel.probe.kinds import BODY, KINDS, Caller, at_another_time, by_bot, caller_of, nonsense
from threatmodel.probe.kinds import body_of as genuine_body
from threatmodel.probe.protocol import Call, Scenario
from threatmodel.probe.slack import PUBLISHED, signature
from threatmodel.reading.values import dataclass, field, replace

SECRET = "5b1d7c0e94a2f6388d03c7be1f4a9e62"  # noqa: S105 - a made-up signing secret, in the form of Slack's
PREVIOUS = "c0f9d2a86b1e47730a5d8e91f23b64c7"
"""The made-up secret that replaces the other in a rotation."""
LARGE = 5_900_000
"""Bytes of the largest body in an event: with its headers it just fits into the six megabytes of an invocation."""
SHORT = 600
"""Bytes of a body to which the same was added, and little of it."""
MARGIN = 10
"""Seconds that are added to a timestamp ahead where the clock cannot be set, since time passes on the way."""

SIGNERS = frozenset({"right", "wrong", "next", "published"})
"""Words that name a secret; any other text is one itself."""

RETRY = "X-Slack-Retry-Num"
"""What a request has that Slack sends again: its body is that of the first."""

_FORM = "application/x-www-form-urlencoded"
_NOT_UTF8 = b"&text=\xff\xfe"


@dataclass(frozen=True, slots=True, kw_only=True)
class Genuine:
    """What a genuine request is: its body, the secret that signs it, path, shape, and the time (seconds, UTC).

    `bodies` are genuine bodies of other kinds, `routes` the paths that take them, `served` the kinds with which the
    handler does something, `paths` all that are known beside `path`, `secret_json`: the store keeps the secret as JSON
    under each of these keys, `in_base64`: whatever keeps the secret has it in base64.
    """

    body: str = BODY
    kind: str = "command"
    secret: str = SECRET
    path: str = "/slack/command"
    shape: str = "rest-api"
    now: float = 0.0
    sets_clock: bool = True
    bodies: Mapping[str, str] = field(default_factory=dict)
    routes: Mapping[str, str] = field(default_factory=dict)
    served: tuple[str, ...] = ()
    paths: tuple[str, ...] = ()
    hints: Hints = field(default_factory=Hints)
    secret_json: tuple[str, ...] = ()
    in_base64: bool = False

    def kept(self, secret: str | None) -> str | None:
        """Return a secret as a variable or a store keeps it."""
        return base64.b64encode(secret.encode()).decode() if secret and self.in_base64 else secret

    def of_kind(self, kind: str) -> str:
        """A genuine body of a kind, from the same caller."""
        if kind == self.kind:
            return self.body
        return self.bodies.get(kind) or genuine_body(kind, caller_of(self.body), now=self.now)

    def text_of(self, body: str) -> str:
        """The genuine body of what a request names as its own."""
        return self.of_kind(body) if body in KINDS else self.body

    def path_for(self, body: str) -> str:
        """The path that takes it."""
        return self.routes.get(body, self.path)

    def path_of(self, word: str) -> str:
        """A path of the OAuth flow that the source names; '' where there is none."""
        return next((path for path in self.paths if step_of(path) == word), "")


class Sent(NamedTuple):
    """A scenario, and the signatures in it: a log must not hold them."""

    scenario: Scenario
    signatures: tuple[str, ...]


class UnaskableError(ValueError):
    """The genuine request lacks what a probe would change in it; the message says what."""


def sent(case: Case, genuine: Genuine) -> tuple[Sent, ...]:
    """What a probe sends: a scenario for each world in which its requests are made.

    The case sends something, and all of it is for certain paths and kinds (`expanding.expanded`).  Raises
    UnaskableError.
    """
    secrets = {"right": genuine.secret, "published": PUBLISHED.secret, "empty": "", "missing": None}
    found: list[Sent] = []
    for group in groups(case.send):
        calls, signatures = _calls(group, genuine)
        scenario = Scenario(
            name=case.id,
            calls=tuple(_unawaited(calls) if case.expect == "as-signed" else calls),
            secret=genuine.kept(_as_kept(secrets[case.secret], group[0].kept)),
            environment={**(case.environment or {}), **(group[0].environment or {})},
            secret_json=genuine.secret_json,
            failing=next((send.failing for send in group if send.failing), ""),
            together=case.expect in _REFUSING and not any(map(_depends, group)),
        )
        found.append(Sent(scenario, tuple(signatures)))
    return tuple(found)


def _as_kept(secret: str | None, kept: str) -> str | None:
    return secret if secret is None else kept.replace("{secret}", secret)


def is_independent(case: Case) -> bool:
    """Whether each of its requests may be made after others that decide the same, in one process.

    A request that is accepted may be remembered, and hide that the next one would be accepted too. So all that share a
    process are about the same facts, which the first of them denies.
    """
    usual = case.secret == "right" and not case.environment  # noqa: S105 - a word of the format
    return usual and case.expect in _REFUSING and not any(send.apart or _depends(send) for send in case.send)


_REFUSING = frozenset({"refused", "closed"})


def _unawaited(calls: Sequence[Call]) -> list[Call]:
    """The calls, of which only the first and the last wait for what is left at work.

    They are compared with the first one by what is in their effects, whichever of them an effect is of.
    """
    inner = range(1, len(calls) - 1)
    return [replace(call, settles=number not in inner) for number, call in enumerate(calls)]


def _depends(send: Send) -> bool:
    """Whether what comes of a request depends on one before it, or shows something of one after it."""
    state = send.control or send.again or send.fresh or send.stale or send.failing or send.store or send.later
    return bool(state or send.path in {"install", "callback"})


def groups(sends: Iterable[Send]) -> list[tuple[Send, ...]]:
    """Requests by the world in which they are made."""
    found: list[tuple[Send, ...]] = []
    for send in sends:
        if send.apart or not found:
            found.append(())
        found[-1] += (send,)
    return found


def _calls(sends: Iterable[Send], genuine: Genuine) -> tuple[list[Call], list[str]]:
    calls: list[Call] = []
    signatures: list[str] = []
    for number, send in enumerate(sends):
        if send.again:
            call = replace(calls[-1], fresh=send.fresh, stale=send.stale)
        else:
            call, signed = _call(send, genuine)
            known = send.rule or send.secret != "right"  # noqa: S105 - a word: what another key signs is the sender's
            signatures += () if known else signed
        calls.append(_as_request(call, number, send.later))
    return calls, signatures


def call_of(send: Send, genuine: Genuine) -> Call:
    """The call that one request is."""
    return _call(send, genuine)[0]


def _as_request(call: Call, number: int, later: int) -> Call:
    """The call as a separate request: AWS names and dates each, the same one sent again too."""
    at = None if call.at is None else call.at + later
    given = call.event.get("requestContext")
    if not isinstance(given, dict) or "elb" in given:
        return replace(call, at=at)
    context = {**given, "requestId": f"5f2c9f6e-0000-4000-8000-{number:012d}"}
    if at is not None:
        context["timeEpoch" if "http" in context else "requestTimeEpoch"] = int(at * 1000)
    return replace(call, event={**call.event, "requestContext": context}, at=at)


def _call(send: Send, genuine: Genuine) -> tuple[Call, tuple[str, ...]]:
    published = send.body == "published"
    at = float(PUBLISHED.timestamp) if published else genuine.now
    rotated = _STORED[send.store](genuine)
    plain = Call(event={}, at=at if genuine.sets_clock else None, fresh=send.fresh, stale=send.stale, store=rotated)
    if send.event is not None:
        return replace(plain, event=dict(send.event)), ()
    body = _body(send, genuine)
    timestamp = None if send.timestamp is None else send.timestamp.replace("{now}", str(_second(at, send, genuine)))
    signed = PUBLISHED.signature if published else _signature(send, genuine, timestamp or "", body)
    given = None if send.signature is None else _filled(send.signature, signed)
    request = Request(
        method=send.method,
        path=_path(send, genuine),
        query=tuple((send.query or {}).items()),
        headers=None if send.no_headers else tuple(_headers(send, genuine, timestamp, given, at)),
        body=_as_sent(body, send),
        base64=send.base64,
    )
    event = event_of(request, send.shape or genuine.shape)
    if send.deployed:
        event = deployed_as(event, send.deployed)
        plain = replace(plain, alias=send.deployed["stage"])
    expected = signed if send.rule else signature(genuine.secret, timestamp or "", body)  # what a log may hold of it
    return replace(plain, event=event), tuple(one for one in dict.fromkeys((signed, given, expected)) if one)


_STORED: Mapping[str, Callable[[Genuine], tuple[str | None, str | None] | None]] = {
    "": lambda _: None,
    "rotated": lambda genuine: (genuine.kept(PREVIOUS), genuine.kept(genuine.secret)),
    "replaced": lambda genuine: (genuine.kept(PREVIOUS), None),
    "lost": lambda _: (None, None),
}
"""What the store of secrets holds from a request on: the current secret, and the one before it."""


def _as_sent(body: bytes, send: Send) -> bytes:
    if send.instead is not None:
        return send.instead
    return written_in(_tampered(body, send) + send.after_signing.encode(), send.reencoded)


def _tampered(body: bytes, send: Send) -> bytes:
    """A body that is not what was signed any more, and still of the same form."""
    if send.tamper is None:
        return body
    other = changed(body.decode(), send.tamper)
    return body + b" " if other is None or other.encode() == body else other.encode()


def _path(send: Send, genuine: Genuine) -> str:
    if send.path in {"install", "callback"}:
        return genuine.path_of(send.path)
    return send.path or genuine.path_for(send.body)


def _second(at: float, send: Send, genuine: Genuine, clock: int | None = None) -> int:
    """The timestamp that is some seconds from a time."""
    distance = send.clock if clock is None else clock
    return int(at) + distance + (MARGIN if distance > 1 and not genuine.sets_clock else 0)


def _signature(send: Send, genuine: Genuine, timestamp: str, body: bytes) -> str:
    known = {
        "right": genuine.secret,
        "wrong": genuine.secret[::-1] + "0",
        "next": PREVIOUS,
        "published": PUBLISHED.secret,
    }
    return signature(known.get(send.secret, send.secret), timestamp, body, send.base)


def _filled(text: str, signed: str) -> str:
    digest = signed.removeprefix("v0=")
    words = {
        "signature": signed,
        "digest": digest,
        "capitals": digest.upper(),
        "spaced": f"{digest[:2]} {digest[2:]}",
        "parted": f"{digest[:2]}_{digest[2:]}",
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
    changes = {name.lower(): (name, value) for name, value in (send.headers or {}).items()}
    for name, value in _slack_headers(send, genuine, timestamp, signed, at):
        _, given = changes.pop(name.lower(), (name, value))
        if given is not None:
            for _ in range(2 if name in send.repeat else 1):
                yield _cased(name, send.header_names), given.replace("{now}", str(int(at)))
    for name, value in changes.values():
        if value is not None:
            yield _cased(name, send.header_names), value
    yield from send.added


def _slack_headers(
    send: Send, genuine: Genuine, timestamp: str | None, signed: str | None, at: float
) -> Iterator[tuple[str, str | None]]:
    yield "Accept", "*/*"
    yield "Content-Type", "application/json" if _kind(send, genuine) in {"event", "url_verification"} else _FORM
    yield "Host", DOMAIN[send.shape or genuine.shape]
    yield "User-Agent", AGENT
    yield "X-Forwarded-For", SOURCE
    yield "X-Forwarded-Port", "443"
    yield "X-Forwarded-Proto", "https"
    yield "X-Slack-Signature", signed
    stamps = [
        None if send.first_timestamp is None else str(_second(at, send, genuine, send.first_timestamp)),
        timestamp,
        None if send.last_timestamp is None else str(_second(at, send, genuine, send.last_timestamp)),
    ]
    given = [stamp for stamp in stamps if stamp is not None]
    for stamp in [", ".join(given)] if send.joined else given:
        yield "X-Slack-Request-Timestamp", stamp


def _kind(send: Send, genuine: Genuine) -> str:
    """The kind of request that a body is of, which its type of content follows."""
    if send.body in {"genuine", "nonsense", "nothing", "bytes"}:
        return genuine.kind
    return {"bot-event": "event", "bot-user-event": "event"}.get(send.body, send.body)


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
    if send.text is not None:
        return send.text
    match send.body:
        case "nothing":
            return b""
        case "published":
            return PUBLISHED.body.encode()
        case "bytes":
            return genuine.body.encode() + _NOT_UTF8
        case "ssl-check":
            return urlencode({"ssl_check": "1", "token": caller_of(genuine.body).token}).encode()
        case "bot-event" | "bot-user-event" as form:
            text = by_bot(_bot(genuine), genuine.now, classic=form == "bot-event")
        case "nonsense":
            text = nonsense(genuine.body)
        case kind:
            text = genuine.text_of(kind)
    if send.clock and genuine.now and RETRY not in (send.headers or {}):
        text = at_another_time(text, genuine.now, send.clock)
    return written_in(_altered(text, send, genuine).encode(), send.encoding)


def _bot(genuine: Genuine) -> Caller:
    """Who a bot's event is of: a user that the source names and that is not the caller is likely the bot itself."""
    caller = caller_of(genuine.body)
    return caller._replace(user=next((user for user in genuine.hints.users if user != caller.user), caller.user))


def _altered(text: str, send: Send, genuine: Genuine) -> str:
    """A body with what the probe changes in it; untouched, byte for byte, where that is nothing."""
    if send.pad:
        encoded = send.base64 or ((send.shape or genuine.shape) != "rest-api" and not text.startswith("{"))
        large = LARGE * 3 // 4 if encoded else LARGE  # base64 makes four characters of three bytes
        return padded(text, large if send.pad == "large" else len(text.encode()) + SHORT)
    if send.change is None:
        return text
    found = changed(text, send.change)
    if found is None:
        raise UnaskableError(f"the genuine {genuine.kind} names no {' or '.join(send.change)}")
    return found
