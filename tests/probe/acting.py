"""A handler of our own, sound or with one fault, run in this process: what a probe must find is known of it."""

from __future__ import annotations

import base64
import datetime
import hashlib
import hmac
import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs

from threatmodel.probe.branches.taken import Taken
from threatmodel.probe.probing import Options
from threatmodel.probe.protocol import Effect, Reply, Scenario
from threatmodel.reading.values import replace

NOW = datetime.datetime(2026, 11, 26, 8, 0, 0, 250_000, tzinfo=datetime.UTC)
REFUSAL = Reply(status=401)
TOLERANCES = {"day-window": 100_000, "no-window": 10**12, "past-only": 300}


def options(**changes: Any) -> Options:
    given: dict[str, Any] = {"target": "app.py:handler", "kind": "python", "version": "0.2.0", "now": NOW, **changes}
    return Options(**given)


class ActedError(Exception):
    """The handler raises."""


@dataclass
class World:
    """What one fresh environment keeps."""

    secret: str | None
    failing: str = ""
    seen: set[str] = field(default_factory=set)
    effects: list[Effect] = field(default_factory=list)
    logs: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Acting:
    """A runner whose handler does everything right but the faults that it is given."""

    faults: frozenset[str] = frozenset()
    sees_effects: bool = True
    sets_clock: bool = True
    missing_variables: Sequence[str] = ()
    reads_secret_variable: bool = True
    files_read: Sequence[str] = ()
    taken: Taken | None = None
    events: bool = False

    def run(self, scenario: Scenario) -> Sequence[Reply]:
        world = World(scenario.secret, failing=scenario.failing)
        return [self._call(call.event, time.time() if call.at is None else call.at, world) for call in scenario.calls]

    def _call(self, event: Mapping[str, Any], now: float, world: World) -> Reply:
        world.effects, world.logs = [], []
        seconds = 4.0 if "slow" in self.faults else 0.01
        try:
            reply = self._answer(event, now, world)
        except (ActedError, AttributeError, IndexError, KeyError, TypeError, ValueError):
            reply = Reply(ended="error", error="ValueError")
        if not self.sees_effects:
            return replace(reply, seconds=seconds)
        return replace(reply, effects=tuple(world.effects), logs="\n".join(world.logs), seconds=seconds)

    def has(self, fault: str) -> bool:
        return fault in self.faults

    def _answer(self, event: Mapping[str, Any], now: float, world: World) -> Reply:  # noqa: C901, PLR0912 - a fault a line
        one = {name: values[-1] for name, values in (event.get("multiValueHeaders") or {}).items()}
        headers = {name.lower(): value for name, value in (event.get("headers") or one).items()}
        if self.has("exact-header-names"):
            headers = {name: value for name, value in (event.get("headers") or {}).items() if name != name.lower()}
            headers = {name.lower(): value for name, value in headers.items() if name in SENT}
        several = event.get("multiValueHeaders") or {}
        if self.has("tells-metrics"):
            world.effects.append(Effect(service="cloudwatch", operation="PutMetricData", detail="calls"))
        if self.has("logs-event"):
            world.logs.append(json.dumps(event))
        if self.has("forwarded") and headers.get("x-forwarded-proto") != "https":
            return Reply(status=301, headers={"Location": f"https://{headers.get('host')}/"})
        if self.has("trusts-local") and headers.get("x-forwarded-for") == "127.0.0.1":
            return self._work({}, "", now, world)
        if self.has("retry-first") and "x-slack-retry-num" in headers:
            return Reply(status=200)
        body = self._body(event)
        if self.has("any-method") and self._method(event) != "POST":
            return self._work({}, "", now, world)
        if self.has("challenge-first") and "challenge" in body:
            return Reply(status=200, body=str(json.loads(body)["challenge"]))
        if self.has("works-first"):
            world.effects.append(Effect(service="dynamodb", operation="PutItem", detail="log"))
        if len(body) > 100_000 and not self.has("any-size"):
            return REFUSAL
        timestamp, signature = headers.get("x-slack-request-timestamp"), headers.get("x-slack-signature")
        if any(name.lower() == "x-slack-request-timestamp" and len(given) > 1 for name, given in several.items()):
            if not self.has("two-timestamps"):
                return REFUSAL
            timestamp = several["X-Slack-Request-Timestamp"][0]
            if not self._fresh(several["X-Slack-Request-Timestamp"][-1], now):
                return REFUSAL
        elif not self._fresh(timestamp, now):
            return REFUSAL
        if not self._fits(body, timestamp or "", signature, world.secret):
            return Reply(status=401, body="wrong signature") if self.has("tells") else REFUSAL
        return self._signed(body, signature or "", headers, now, world)

    def _method(self, event: Mapping[str, Any]) -> str:
        context = event.get("requestContext") or {}
        return str(event.get("httpMethod") or context.get("http", {}).get("method") or "POST")

    def _body(self, event: Mapping[str, Any]) -> str:
        body = event.get("body") or ""
        if event.get("isBase64Encoded") and not self.has("ignores-base64"):
            return base64.b64decode(body).decode("utf-8", "strict" if self.has("strict-utf8") else "surrogateescape")
        return str(body)

    def _fresh(self, timestamp: str | None, now: float) -> bool:
        if timestamp is None or not timestamp.isascii() or not timestamp.isdecimal():
            if self.has("raises") or (self.has("raises-on-words") and timestamp):
                raise ActedError
            return self.has("odd-timestamps")
        tolerance = next((value for fault, value in TOLERANCES.items() if self.has(fault)), 300)
        distance = now - int(timestamp)
        return distance <= tolerance if self.has("past-only") else abs(distance) <= tolerance

    def _fits(self, body: str, timestamp: str, signature: str | None, secret: str | None) -> bool:
        if self.has("no-check") or (self.has("token-only") and signature is None and "token=" in body):
            return True
        if not secret and not self.has("open-secret"):
            return False
        base = f"{timestamp}.{body}" if self.has("dots") else f"v0:{timestamp}:{body}"
        if self.has("body-unsigned"):
            base = f"v0:{timestamp}:{body.removesuffix('&text=changed')}"
        for one in [base, f"{timestamp}.{body}"] if self.has("any-base") else [base]:
            expected = (
                "v0="
                + hmac.new((secret or "").encode(), one.encode("utf-8", "surrogateescape"), hashlib.sha256).hexdigest()
            )
            if self.has("prefix") and signature is not None and signature and expected.startswith(signature):
                return True
            if signature == expected:
                return True
        return False

    def _signed(self, body: str, signature: str, headers: Mapping[str, str], now: float, world: World) -> Reply:
        if body.startswith("{"):
            return self._event(json.loads(body), now, world)
        form = {name: values[0] for name, values in parse_qs(body, keep_blank_values=True).items()}
        if form.get("ssl_check"):
            return Reply(status=200)
        if not self.has("anybody") and (form.get("team_id"), form.get("user_id")) != ("T1DC2JH3J", "U2CERLKJA"):
            return Reply(status=200, body="not for you")
        if "evil.example" in form.get("response_url", "") and not self.has("fetches"):
            return REFUSAL
        if self.has("names-host"):
            return replace(self._work(form, signature, now, world), body=f"https://{headers['host']}/")
        return self._work(form, signature, now, world)

    def _event(self, whole: Mapping[str, Any], now: float, world: World) -> Reply:
        if whole.get("type") == "url_verification":
            return Reply(status=200, body=str(whole["challenge"]))
        if not self.events:
            return REFUSAL
        if "event" not in whole:
            return REFUSAL
        if whole["event"].get("bot_id") and not self.has("answers-bots"):
            return Reply(status=200)
        if not self.has("anybody") and (whole["team_id"], whole["event"]["user"]) != ("T1DC2JH3J", "U2CERLKJA"):
            return Reply(status=200)
        return self._work({}, whole["event_id"], now, world)

    def _work(self, form: Mapping[str, str], key: str, _now: float, world: World) -> Reply:
        if world.failing and not self.has("no-memory") and not self.has("fails-open"):
            raise ActedError
        if not self.has("no-memory"):
            refused = key in world.seen
            if not self.has("own-memory"):
                world.effects.append(Effect(service="dynamodb", operation="PutItem", detail="replay", refused=refused))
            if refused:
                return Reply(status=200) if self.events else REFUSAL
            world.seen.add(key)
        if self.has("logs-secret"):
            world.logs.append(f"signing with {world.secret}")
        if self.has("fetches") and form.get("response_url"):
            world.effects.append(Effect(service="network", operation="POST", detail=form["response_url"].split("/")[2]))
        if self.has("inline"):
            world.effects.append(Effect(service="network", operation="POST", detail="slack.com"))
        if not self.has("idle"):
            world.effects.append(Effect(service="sqs", operation="SendMessage", detail="work"))
        answer = f"Working on it. {world.secret}" if self.has("answers-secret") else "Working on it."
        return Reply(status=200, body=answer)


SENT = {"X-Slack-Signature", "X-Slack-Request-Timestamp", "X-Forwarded-Proto", "X-Forwarded-For", "Host"}


def acting(*faults: str, **changes: Any) -> Acting:
    return Acting(frozenset(faults), **changes)
