"""One request and its reply: what kind of answer it is, what was done, and how that is said."""

from __future__ import annotations

from collections.abc import Sequence

from threatmodel.probe.cases import Case, Sealed, Send
from threatmodel.probe.outcome import RAISED, ProbeOutcome, Setting, twin
from threatmodel.probe.outcome_names import FAILED, PASSED, UNDECIDED
from threatmodel.probe.protocol import Effect, Reply
from threatmodel.probe.replies import (
    ending,
    in_words,
    side_effects,
    status_of,
)


class Observed:
    """What is seen of one request of a probe, beside what a genuine one gets."""

    def __init__(self, case: Case, send: Send, reply: Reply, setting: Setting) -> None:
        self.case, self.send, self.reply, self.setting = case, send, reply, setting
        self.genuine = twin(send, setting)
        self.status = status_of(reply, send.shape or setting.shape)
        self.done = side_effects(reply)

    # --- words

    def passed(self, why: str = "") -> ProbeOutcome:
        """It went as it should."""
        return ProbeOutcome(outcome=PASSED, why=why)

    def failed(self, why: str) -> ProbeOutcome:
        """It went as it must not; that shows what the request stands for."""
        shows = () if isinstance(self.send.shows, Sealed) else (self.send.shows,)
        return ProbeOutcome(outcome=FAILED, why=why, shows=shows)

    def undecided(self, why: str) -> ProbeOutcome:
        """It cannot be said how it went."""
        return ProbeOutcome(outcome=UNDECIDED, why=why)

    def by_status(self) -> ProbeOutcome:
        """It went as it should, as far as is seen."""
        return self.passed("" if self.setting.sees_effects else "by its status: side effects are not seen here")

    # --- what kind of answer it is

    @property
    def is_taken(self) -> bool:
        """Whether it answered 2xx."""
        return self.status is not None and 200 <= self.status < 300  # noqa: PLR2004 - HTTP's classes

    @property
    def is_refused(self) -> bool:
        """Whether it answered 4xx."""
        return self.status is not None and 400 <= self.status < 500  # noqa: PLR2004 - the same

    @property
    def is_closed(self) -> bool:
        """Whether it rejected; where something failed on the way, 5xx is a rejection too."""
        return self.is_refused or (
            self.case.expect == "closed" and self.status is not None and 500 <= self.status < 600  # noqa: PLR2004 - the same
        )

    @property
    def raised_before(self) -> bool:
        """Whether it raised, or answered 5xx as a framework does then, and is seen to have done nothing by then."""
        raised = self.reply.ended in RAISED or (self.status or 0) >= 500  # noqa: PLR2004 - HTTP's classes
        return self.setting.sees_effects and raised and not self.done

    def instead(self) -> str:
        """What happened where no answer of the expected kind came."""
        if self.reply.ended:
            return ending(self.reply, self.setting.hidden)
        if self.status is None:
            return "its answer has no status, which a REST API answers with 502"
        return f"it answered {self.status}"

    def did(self) -> str:
        """What it did to the world, in words."""
        return self.in_short(self.done)

    def in_short(self, effects: Sequence[Effect]) -> str:
        """Effects in words."""
        return in_words(effects, self.setting.hidden)

    @property
    def is_unclear(self) -> bool:
        """Whether all that it did is what the stub could not answer."""
        return bool(self.done) and all(effect.unclear for effect in self.done)

    def unclear(self) -> ProbeOutcome:
        """It cannot be said, since the stub could not answer."""
        return self.undecided(f"it tried what the stub cannot answer: {self.did()}")

    def answers_as(self, other: Reply) -> bool:
        """Whether the caller gets the same answer."""
        return (self.reply.status, self.reply.body) == (other.status, other.body)

    @property
    def answers_differ(self) -> bool:
        """Whether answers tell an accepted request: the genuine one, unsigned, gets another answer.

        Where effects are not seen, the genuine request may have had one.
        """
        unsigned, usual = self.setting.unsigned, self.setting.genuine
        same = unsigned is not None and (unsigned.status, unsigned.body) == (usual.status, usual.body)
        return not (same and self.setting.sees_effects)

    @property
    def is_made_for(self) -> bool:
        """Whether the handler works in this form of event: a genuine request gets what it gets in its own."""
        usual = self.setting.genuine
        others = self.send.shape not in {"", self.setting.shape}
        return not others or (self.genuine.status, self.genuine.body) == (usual.status, usual.body)

    @property
    def tells(self) -> bool:
        """Whether its answer says anything: many handlers give every caller an empty one, whatever the request."""
        return self.reply.body not in {"", "null", "{}"}

    @property
    def goes_elsewhere(self) -> bool:
        """Whether it is no request to the address that Slack calls."""
        return self.send.method != "POST" or bool(self.send.path)
