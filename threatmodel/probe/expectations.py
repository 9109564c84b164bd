"""What comes back to one request, held against what its probe expects.

A rejection has no side effect; reading the secret is none, and neither is a conditional write whose condition failed.
It is an answer of 4xx, or an exception where effects are seen (which fails `no-exception`), or an answer of 2xx or 3xx
where a genuine request has an effect.  Where that has none, answers are compared: with the one to a genuine request,
and with the one to a body that asks for nothing.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable

from threatmodel.probe.advice import what_to_do
from threatmodel.probe.cases import Case, Send
from threatmodel.probe.crossing.outside import MARK
from threatmodel.probe.handing_over import STORES, carries, done_inline, hands_over
from threatmodel.probe.hints import step_of
from threatmodel.probe.kinds import CHALLENGE
from threatmodel.probe.observed import Observed
from threatmodel.probe.outcome import RAISED, ProbeOutcome, Setting
from threatmodel.probe.outcome_names import FAILED, NOT_RUN
from threatmodel.probe.protocol import MOST_CONTENT, Effect, Reply
from threatmodel.probe.replies import (
    KEEPING_SECRETS,
    accepted,
    asks_a_store,
    begins_installation,
    data_read,
    keeps,
    side_effects,
)
from threatmodel.probe.spelling import decoded
from threatmodel.reading.values import replace

IN_TIME = 3.0
"""Seconds within which Slack waits for an answer."""

_DELIVERY = re.compile(r"398738663015\.[\w.]+|Ev0PROBE\w*")
FOREIGN_HOST = "evil.example"
ASK = "they cannot be distinguished; send a request that has an effect (--kind, --body)"


def judged(case: Case, send: Send, reply: Reply, setting: Setting) -> ProbeOutcome:
    """How one request of a probe went."""
    return _Expected(case, send, reply, setting).judgement()


class _Expected(Observed):
    """A method for each thing that a probe may expect."""

    def judgement(self) -> ProbeOutcome:
        expectations: dict[str, Callable[[], ProbeOutcome]] = {
            "accepted": self.taken,
            "refused": self.refusal,
            "closed": self.refusal,
            "denied": self.denial,
            "plainly-refused": self.plain_refusal,
            "idle": self.idle,
            "not-open": self.not_open,
            "nothing-later": self.nothing_later,
            "once": self.once,
            "as-signed": self.as_signed,
            "unkept": self.unkept,
            "handled": self.handled,
            "harmless": self.harmless,
            "unswayed": self.unswayed,
            "worked": self.worked,
            "challenge": self.challenge,
            "handed-over": self.handed_over,
            "not-fetched": self.not_fetched,
        }
        return expectations[self.case.expect]()

    def taken(self) -> ProbeOutcome:
        if self.is_taken:
            return self.passed()
        answered = self.setting.lacking or (what_to_do(self.reply) if self.case.id == "genuine" else "")
        return self.failed("; ".join(filter(None, [self.instead(), answered])))

    def refusal(self) -> ProbeOutcome:
        if step_of(self.send.path) == "install" and begins_installation(self.reply, self.status):
            return self.passed("it redirects to Slack to start an installation, which needs no signature")
        if self.done:
            if self.is_unclear:
                return self.unclear()
            if self.is_cut:
                return self.passed("it did what was signed, and nothing of what is beyond the stated length")
            taken = self.status is not None and self.status < 400  # noqa: PLR2004 - HTTP's classes
            why = (
                f"it answered {self.status} and did this: {self.did()}"
                if taken
                else f"it did something first: {self.did()}"
            )
            return ProbeOutcome(outcome=FAILED, why=why, late=True) if self.is_closed else self.failed(why)
        if self.is_closed:
            return self.by_status()
        if self.reply.ended in RAISED or (self.status or 0) >= 500:  # noqa: PLR2004 - the same
            if not self.setting.sees_effects:
                return self.undecided(f"{self.instead()}: this is not a rejection")
            return self.passed(f"{self.instead()}, before it did anything")
        if self.reply.ended:
            return self.undecided(f"{self.instead()}: this is not a rejection")
        return self.mild_refusal()

    @property
    def is_cut(self) -> bool:
        """Whether it did what a genuine request does, and what was added is beyond the stated length of the body."""
        beyond = self.send.instead is not None and "Content-Length" in (self.send.headers or {})
        return beyond and _contents(self.reply) == _contents(self.genuine)

    def mild_refusal(self) -> ProbeOutcome:
        """What an answer of 2xx or 3xx, or of no status, without an effect shows: whether the request was accepted."""
        if self.setting.sees_effects and side_effects(self.genuine):
            looked = data_read(self.reply)
            if looked and self.reply.body:
                return self.undecided(f"{self.instead()} and did nothing, but looked up: {self.in_short(looked)}")
            return self.passed(f"{self.instead()} and did nothing, where a genuine request has an effect")
        if self.status is None:
            return self.undecided(f"{self.instead()}: this is not a rejection")
        return self.by_answer()

    def by_answer(self) -> ProbeOutcome:
        """The two are distinguished by their answers alone, since neither has an effect.

        That both get the same one shows nothing where each unsigned one gets it: a rejection with 200 may quote the
        caller. The challenge of a url_verification is no rejection.
        """
        if self.send.body == "genuine" and self.setting.kind == "url_verification" and CHALLENGE in self.reply.body:
            return self.undecided("it accepts only Slack's URL verification, which has a separate probe")
        alike = f"it answered {self.status} as a genuine request, and neither has an effect: {ASK}"
        as_idle = self.setting.nonsense is not None and self.answers_as(self.setting.nonsense)
        if self.answers_as(self.genuine) and not as_idle and self.tells and self.is_made_for:
            if self.answers_differ or CHALLENGE in self.reply.body:
                return self.failed(f"it answered {self.status} and the same as a genuine request")
            return self.undecided(alike)
        looked = data_read(self.reply)
        if looked and self.reply.body:
            return self.undecided(f"{self.instead()} and did nothing, but looked up: {self.in_short(looked)}")
        if self.setting.sees_effects and side_effects(self.setting.genuine):
            return self.passed(f"it answered {self.status} and did nothing: it accepts no such request")
        if self.answers_as(self.genuine):
            return self.undecided(alike)
        if self.setting.sees_effects and (as_idle or self.goes_elsewhere):
            return self.passed(f"it answered {self.status}, and not as it answers a genuine request")
        return self.undecided(f"it answered {self.status}, and neither this nor a genuine request has an effect: {ASK}")

    def plain_refusal(self) -> ProbeOutcome:
        if self.is_refused:
            return self.passed()
        return self.failed(f"{self.instead()}, which tells neither the caller nor an alarm that it was rejected")

    def idle(self) -> ProbeOutcome:
        if not self.done:
            return self.by_status()
        if self.is_unclear:
            return self.unclear()
        return ProbeOutcome(outcome=FAILED, why=f"it did this: {self.did()}", late=self.is_closed)

    def not_open(self) -> ProbeOutcome:
        """Where the store of what was seen fails, the work must not be done all the same."""
        if not any(effect.service in STORES for effect in self.genuine.effects):
            return ProbeOutcome(outcome=NOT_RUN, why="a genuine request reads no store that could fail")
        done = [effect for effect in self.done if not effect.refused]
        if done:
            return self.failed(f"the store failed, but it still did this: {self.in_short(done)}")
        return self.passed()

    def nothing_later(self) -> ProbeOutcome:
        if not self.is_taken:
            return self.undecided("a genuine request is rejected")
        later = side_effects(
            replace(self.reply, effects=self.reply.effects[len(self.reply.effects) - self.reply.after :])
        )
        if self.reply.after and later:
            return self.failed(f"it had answered before it did this: {self.in_short(later)}")
        return self.passed()

    def denial(self) -> ProbeOutcome:
        """Many answer 200 and tell the caller no: that is a denial where a genuine request does more."""
        if self.reply.ended in RAISED and self.setting.sees_effects and not self.done:
            return self.passed(f"{self.instead()}, before it did anything")
        if not (self.is_refused or self.is_taken):
            return self.undecided(f"{self.instead()}: this is not a rejection")
        if not self.done and self.is_refused:
            return self.by_status()
        if not self.setting.sees_effects:
            return self.undecided("it answered 2xx, and side effects are not seen here")
        usual = Counter(_key(effect) for effect in side_effects(self.genuine))
        if not usual and not self.done:
            return self.denial_by_answer()
        if not self.done:
            return self.passed()
        if self.is_unclear:
            return self.unclear()
        if Counter(_key(effect) for effect in self.done) < usual:
            return self.undecided(f"it did a part of its usual work: {self.did()}")
        return self.failed(f"it still did this: {self.did()}")

    def denial_by_answer(self) -> ProbeOutcome:
        """Neither has an effect: it is no denial where the answer is a genuine one's, and not what anything gets."""
        idle = self.setting.idle
        answered = self.tells and self.answers_as(self.genuine)
        if answered and idle is not None and not self.answers_as(idle) and self.answers_differ:
            return self.failed(f"it answered {self.status} and the same as a genuine request")
        return self.undecided("it answered 2xx, and a genuine request has no visible effect either")

    def once(self) -> ProbeOutcome:
        if not (self.is_refused or self.is_taken or self.raised_before):
            return self.undecided(f"{self.instead()}: this is not a rejection")
        beyond = [effect for effect in self.done if effect.service != "dynamodb"]
        first = side_effects(self.genuine)
        if not self.setting.sees_effects:
            why = "it was accepted again, and side effects are not seen here"
            return self.by_status() if self.is_refused else self.undecided(why)
        if not first and not self.done:
            why = "there is nothing to repeat: send a request that has an effect (--kind, --body)"
            return ProbeOutcome(outcome=NOT_RUN, why=why)
        if not self.done:
            return self.remembered()
        if self.is_unclear:
            return self.unclear()
        again = Counter(_key(effect) for effect in self.done)
        usual = Counter(_key(effect) for effect in first)
        if beyond or not again < usual:
            return self.failed(f"it did this again: {self.did()}")
        return self.undecided(f"it wrote again, though not all: {self.did()}")

    def as_signed(self) -> ProbeOutcome:
        """Fail if what was said outside of the signed bytes replaces a value in them."""
        if not self.setting.sees_effects:
            return self.undecided("what it does is not seen here")
        usual, said = (_contents(reply) for reply in (self.genuine, self.reply))
        if not side_effects(self.genuine):
            usual, said = f"{usual} {self.genuine.body}", f"{said} {self.reply.body}"
        cut = any(len(effect.content) >= MOST_CONTENT for effect in self.reply.effects)  # the rest was not kept
        lost = [value for value in self.setting.signed if value in usual and value not in said and not cut]
        before, mark, behind = said.partition(MARK)
        replaced = len(before) + len(behind) < len(usual) and usual.startswith(before) and usual.endswith(behind)
        if mark and (lost or replaced):
            return self.failed(f"what it did has a value that is not signed in place of another: {self.did()}")
        if any(MARK in effect.content for effect in self.reply.effects if effect.service in KEEPING_SECRETS):
            return self.undecided("what is not signed chooses the secret that verifies the request")
        if self.reply.ended and (self.done or self.reply.ended not in RAISED):
            return self.undecided(f"{self.instead()}: this is not a rejection")
        return self.by_status()

    def unkept(self) -> ProbeOutcome:
        """Fail if a token that Slack did not issue is treated as one."""
        kept = [one for one in self.done if keeps(one)]
        if not kept and self.reply.ended and not (self.setting.sees_effects and self.reply.ended in RAISED):
            return self.undecided(f"{self.instead()}: this is not a rejection")
        if not kept:
            return self.by_status()
        usual = Counter(_key(one) for one in side_effects(self.genuine) if keeps(one))
        if self.is_unclear or Counter(_key(one) for one in kept) < usual:
            return self.undecided(f"Slack rejected the code, and it did a part of what it does: {self.in_short(kept)}")
        return self.failed(f"Slack rejected the code, and it did this: {self.in_short(kept)}")

    def remembered(self) -> ProbeOutcome:
        """What one process remembers, the next environment of Lambda does not know.

        A signature that is spelled otherwise, or old by now, may be rejected for that, whatever was seen before. What a
        rule changed may be ignored for that, a retry for one; whether a store is asked shows where nothing is changed.
        """
        for_that = self.send.signature != "{signature}" or self.send.later
        if asks_a_store(self.reply) or self.send.rule or (for_that and (self.is_refused or self.raised_before)):
            return self.passed()
        return self.undecided("it had no second effect, but read no state that other environments share")

    def handled(self) -> ProbeOutcome:
        if self.is_taken or self.is_refused:
            return self.passed()
        return self.failed(self.instead())

    def harmless(self) -> ProbeOutcome:
        if self.done:
            return self.unclear() if self.is_unclear else self.failed(f"it did this: {self.did()}")
        if not (self.is_taken or self.is_refused):
            return self.failed(self.instead())
        if self.is_taken and not self.setting.sees_effects:
            return self.undecided("it answered 2xx, and side effects are not seen here")
        return self.passed()

    def unswayed(self) -> ProbeOutcome:
        answered = self.reply.body + "".join(self.reply.headers.values())
        if FOREIGN_HOST in answered or any(FOREIGN_HOST in effect.detail for effect in self.reply.effects):
            return self.failed("the foreign host is in its response or its calls")
        if self.is_taken or self.goes_elsewhere:
            return self.passed()
        if not accepted(self.genuine, self.setting.shape):
            return self._same_as_genuine()
        return self.failed(f"{self.instead()}, a genuine request is accepted")

    def _same_as_genuine(self) -> ProbeOutcome:
        if self.status is not None and 300 <= self.status < 400:  # noqa: PLR2004 - HTTP's classes
            return self.failed(f"it answered {self.status}, a redirect")
        return self.undecided("a genuine request is rejected too")

    def worked(self) -> ProbeOutcome:
        if not self.is_taken:
            return self.failed(self.instead())
        missing = Counter(map(_key, side_effects(self.genuine))) - Counter(map(_key, self.done))
        if missing and self.setting.sees_effects:
            return self.failed(f"it answered {self.status} and did not do what a genuine request does")
        if not side_effects(self.genuine):
            return ProbeOutcome(outcome=NOT_RUN, why="a genuine request has no visible effect to compare")
        return self.passed()

    def challenge(self) -> ProbeOutcome:
        if self.is_taken and CHALLENGE in self.reply.body:
            return self.passed()
        if self.is_refused:
            return self.undecided("it is rejected: the handler may accept no events")
        return self.failed(f"it answered {self.status} without the challenge" if self.status else self.instead())

    def handed_over(self) -> ProbeOutcome:
        if self.reply.ended == "timeout" or self.reply.seconds >= IN_TIME:
            return self.failed("it took three seconds or more")
        if not self.is_taken:
            return self.undecided("a genuine request is rejected")
        inline = done_inline(self.done)
        if not any(map(hands_over, self.done)):
            waited = f": it waited for {self.in_short(inline)}" if inline else ""
            return self.undecided(f"it answered in time, but no visible work was handed over{waited}")
        if inline:
            return self.undecided(f"it hands work over, but does this first: {self.in_short(inline)}")
        if not carries(self.done, self.setting.signed):
            return self.undecided("it hands nothing of the request over, so what it stores may be the work")
        return self.passed()

    def not_fetched(self) -> ProbeOutcome:
        if any(FOREIGN_HOST in effect.detail for effect in self.reply.effects if effect.service == "network"):
            return self.failed("it called the host that the request named")
        if not self.setting.sees_effects:
            return self.undecided("what it calls is not seen here")
        if self.is_refused:
            return self.passed()
        if self.is_taken and any(effect.service in {"network", "slack"} for effect in side_effects(self.genuine)):
            return self.passed()
        if self.is_taken:
            return ProbeOutcome(outcome=NOT_RUN, why="a genuine request causes no call either")
        return self.undecided(self.instead())


def _contents(reply: Reply) -> str:
    """What was sent to others, as it is and decoded, without the names of the one request and of secrets."""
    sent = (effect.content for effect in reply.effects if effect.service not in KEEPING_SECRETS)
    return _DELIVERY.sub("", " ".join(part for content in sent for part in (content, decoded(content))))


def _key(effect: Effect) -> tuple[str, str, str]:
    return effect.service, effect.operation, effect.detail
