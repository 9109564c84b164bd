"""How each probe went: passed, failed, undecided or not run, and why."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from threatmodel.probe.cases import Case, Send
from threatmodel.probe.expectations import FAILED, NOT_RUN, PASSED, UNDECIDED, Judgement, Setting, judged
from threatmodel.probe.overall import OVERALL_JUDGEMENTS
from threatmodel.probe.protocol import Reply
from threatmodel.probe.replies import accepted


def judge(case: Case, replies: Sequence[Reply], setting: Setting) -> Judgement:
    """How a probe went.  `replies` are in the order of what it sends."""
    if case.expect in OVERALL_JUDGEMENTS:
        return _gated(case, OVERALL_JUDGEMENTS[case.expect](setting), setting)
    if len(replies) != len(case.send):
        return Judgement(outcome=UNDECIDED, why=f"{len(replies)} answers came back to {len(case.send)} requests")
    compared = setting
    for at, (send, reply) in enumerate(zip(case.send, replies, strict=True)):
        if send.control:
            compared = replace(setting, genuine=reply)
            if not accepted(reply, setting.shape):
                before = _each(case, replies[:at], setting)
                return _gated(case, _worst([*before, _needless(send, setting, at)]), setting)
    return _gated(case, _worst(_each(case, replies, compared)), setting)


def _each(case: Case, replies: Sequence[Reply], compared: Setting) -> list[Judgement]:
    return [
        replace(judged(case, send, reply, compared), at=at)
        for at, (send, reply) in enumerate(zip(case.send, replies, strict=False))
        if not send.control
    ]


def _needless(send: Send, setting: Setting, at: int) -> Judgement:
    """What a probe is worth whose own genuine request is refused."""
    if send.body != "genuine" and accepted(setting.genuine, setting.shape):
        return Judgement(
            outcome=NOT_RUN, why=f"the handler takes no such request: it refuses a genuine {send.body}", at=at
        )
    return Judgement(outcome=UNDECIDED, why="a genuine request is refused too", at=at)


def _gated(case: Case, judgement: Judgement, setting: Setting) -> Judgement:
    """A refusal shows nothing where a genuine request is refused too; an acceptance shows what it shows."""
    if judgement.outcome == PASSED and case.needs_genuine and not accepted(setting.genuine, setting.shape):
        return Judgement(outcome=UNDECIDED, why="a genuine request is refused too", at=judgement.at)
    return judgement


def _worst(found: Sequence[Judgement]) -> Judgement:
    """A failure before what is undecided before a pass, the first of each; what every failure shows."""
    for outcome in (FAILED, UNDECIDED, NOT_RUN, PASSED):
        some = [one for one in found if one.outcome == outcome]
        if some:
            shows = tuple(value for one in found for value in one.shows)
            return replace(some[0], shows=shows, late=all(one.late for one in some))
    return Judgement(outcome=UNDECIDED, why="nothing was sent")
