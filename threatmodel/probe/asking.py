"""Sends one probe after the other to a handler, in a run that ends in time."""

from __future__ import annotations

import datetime
import hashlib
import time
from collections.abc import Sequence
from itertools import islice
from typing import NamedTuple

from threatmodel.probe.bodies import round_trip
from threatmodel.probe.cases import NEEDS, OVERALL, Case, Send
from threatmodel.probe.kinds import BODY
from threatmodel.probe.protocol import Reply, Runner, Scenario
from threatmodel.probe.replies import side_effects
from threatmodel.probe.requests import Genuine, UnaskableError, is_independent, sent
from threatmodel.reading.problems import InputError
from threatmodel.reading.values import replace

LONGEST_RUN = 300.0
"""Seconds after which no further probe begins: the example's run takes four."""


MOST_SHARED = 1_200
"""Requests of which none depends on another, and that share a process if they decide the same facts."""


class Asked(NamedTuple):
    """What came of one probe: its replies, the signatures that it sent, and why it was not sent ('' where it was)."""

    replies: Sequence[Reply] = ()
    signatures: tuple[str, ...] = ()
    skipped: str = ""


class Asides(NamedTuple):
    """Replies to a body that asks for nothing, unsigned and signed, and to the genuine one, unsigned and rewritten."""

    nonsense: Reply | None
    idle: Reply | None
    unsigned: Reply | None
    round_trip: Reply | None


class Asker:
    """A runner, and why the run was stopped ('' where it goes on)."""

    def __init__(self, runner: Runner, seconds: float) -> None:
        self.runner, self.seconds = runner, seconds
        self.stopped = ""
        self._until = time.monotonic() + seconds
        self._hung = False
        self._known: dict[str, Sequence[Reply]] = {}

    def search(self, scenario: Scenario) -> Sequence[Reply]:
        """The replies to what may be a genuine request; a handler that times out on the first times out on all."""
        if self.stopped:
            return ()
        found = self.runner.run(scenario)
        if found and found[0].ended == "timeout":
            self._hung, self.stopped = True, "the handler timed out on a request of 'genuine'"
        return found

    def asides(self, genuine: Genuine) -> Asides:
        """The replies to what other replies are compared with."""
        return Asides(
            nonsense=self._one(Send(body="nonsense", signature=None), genuine),
            idle=self._one(Send(body="nonsense"), genuine),
            unsigned=self._one(Send(signature=None), genuine),
            round_trip=self._one(Send(), replace(genuine, body=round_trip(genuine.body))),
        )

    def _one(self, send: Send, genuine: Genuine) -> Reply | None:
        case = Case(id="genuine", title="", level="advised", expect="handled", failure="", decides={}, send=(send,))
        replies = self.ask(case, genuine).replies
        return replies[0] if replies else None

    def shared(self, cases: Sequence[Case], genuine: Genuine, *, asks_store: bool) -> list[tuple[Case, ...]]:
        """The cases, several together where one process can serve them: none of their requests depends on another."""
        alone: list[tuple[Case, ...]] = []
        parts: dict[frozenset[str], list[list[Case]]] = {}
        for case in sorted(cases, key=lambda one: -len(one.send)):
            skipped = self._reason_to_skip(case, genuine, asks_store=asks_store)
            if skipped or not is_independent(case) or any(send.change for send in case.send):
                alone.append((case,))
                continue
            alike = parts.setdefault(frozenset(case.decides), [])
            room = (part for part in alike if sum(len(one.send) for one in (*part, case)) <= MOST_SHARED)
            if (part := next(room, None)) is None:
                alike.append(part := [])
            part.append(case)
        return [tuple(part) for several in parts.values() for part in several] + alone

    def ask_shared(self, cases: Sequence[Case], genuine: Genuine, *, asks_store: bool) -> list[Asked]:
        """What came of cases that share a process.

        If one times out there, or has an effect, each is asked again alone: what is remembered of a request that was
        accepted may hide that the next one would be accepted too.
        """
        if len(cases) > 1 and self._goes_on():
            several = [sent(case, self._at_now(genuine))[0] for case in cases]
            calls = tuple(call for one in several for call in one.scenario.calls)
            replies = self._run(cases[0], replace(several[0].scenario, calls=calls))
            if self._goes_on() and not any(map(side_effects, replies)):
                found = iter(replies)
                return [Asked(tuple(islice(found, len(one.scenario.calls))), one.signatures) for one in several]
            self.stopped = ""
        return [self.ask(case, genuine, asks_store=asks_store) for case in cases]

    def _goes_on(self) -> bool:
        return not self.stopped and time.monotonic() <= self._until

    def ask(self, case: Case, genuine: Genuine, *, asks_store: bool = False) -> Asked:
        """What came of a probe that is expanded.

        The genuine request could be sent, so what cannot be run now (a handler that reads a missing secret as it
        loads) is an error of the handler in Lambda too.
        """
        skipped = self._reason_to_skip(case, genuine, asks_store=asks_store)
        if skipped or case.expect in OVERALL or not case.send:
            return Asked(skipped=skipped)
        try:
            several = sent(case, self._at_now(genuine))
        except UnaskableError as error:
            return Asked(skipped=str(error))
        if not self.stopped and time.monotonic() > self._until:
            self.stopped = f"the run had taken {self.seconds:g} seconds"
        if self.stopped and case.id != "genuine":
            return Asked(skipped=self.stopped)
        if self._hung:
            return Asked((Reply(ended="timeout"),))
        replies = [reply for one in several for reply in self._run(case, one.scenario)]
        return Asked(replies, tuple(signature for one in several for signature in one.signatures))

    def _reason_to_skip(self, case: Case, genuine: Genuine, *, asks_store: bool) -> str:
        """Why a probe cannot be run here, or ''."""
        able = {
            "clock": self.runner.sets_clock,
            "environment": self.runner.sees_effects,
            "effects": self.runner.sees_effects,
            "source": self.runner.sees_effects,
            "install": bool(genuine.path_of("install")),
            "callback": bool(genuine.path_of("callback")),
            "store": asks_store,
        }
        if case.secret == "published" and (genuine.body != BODY or genuine.secret_json or genuine.in_base64):  # noqa: S105 - a word of the format
            return "its body is fixed, and another one was given as genuine"
        return next((NEEDS[need] for need in sorted(case.needs) if not able[need]), "")

    def _run(self, case: Case, scenario: Scenario) -> Sequence[Reply]:
        """The replies to a scenario; one that hung stops the run: each further request would cost its whole time."""
        key = hashlib.sha256(repr(replace(scenario, name="")).encode()).hexdigest()
        if key in self._known:
            return self._known[key]
        try:
            found = self.runner.run(scenario)
        except InputError:
            if case.id == "genuine":
                raise
            failed = Reply(ended="error", error="an exception as it was loaded")
            return [failed] * len(scenario.calls)
        if any(reply.ended == "timeout" for reply in found) and not self.stopped:
            self.stopped = f"the handler timed out on a request of '{case.id}'"
        self._known[key] = found
        return found

    def _at_now(self, genuine: Genuine) -> Genuine:
        if self.runner.sets_clock:
            return genuine
        return replace(genuine, now=datetime.datetime.now(datetime.UTC).timestamp())
