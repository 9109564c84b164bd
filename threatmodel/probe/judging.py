"""How each probe went: passed, failed, undecided or not run, and why."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from threatmodel.probe.branching import all_taken
from threatmodel.probe.cases import Case, Send
from threatmodel.probe.expectations import judged
from threatmodel.probe.outcome import ProbeOutcome, Setting, twin
from threatmodel.probe.outcome_names import FAILED, NOT_RUN, PASSED, UNDECIDED
from threatmodel.probe.overall import OVERALL_JUDGEMENTS
from threatmodel.probe.protocol import Reply
from threatmodel.probe.replies import accepted, exchanges, side_effects, status_of
from threatmodel.reading.values import replace

_ALTERED_SHOWS_NOTHING = "the same body, re-encoded without a change, is not accepted like the genuine one"


_GREETED = "it accepts only Slack's URL verification, so its behavior for other requests was not seen"


def judge(case: Case, replies: Sequence[Reply], setting: Setting) -> ProbeOutcome:
    """How a probe went.  `replies` are in the order of what it sends."""
    if case.expect == "taken":
        return _gated(case, all_taken(case, setting), setting)
    if case.expect in OVERALL_JUDGEMENTS:
        return _gated(case, OVERALL_JUDGEMENTS[case.expect](setting), setting)
    if not case.send:
        return ProbeOutcome(outcome=NOT_RUN, why="the handler's source names nothing that could be sent")
    if len(replies) != len(case.send):
        return ProbeOutcome(outcome=UNDECIDED, why=f"{len(replies)} answers came back to {len(case.send)} requests")
    return _gated(case, _worst(list(_each(case, replies, setting))), setting)


def _each(case: Case, replies: Sequence[Reply], setting: Setting) -> Iterator[ProbeOutcome]:
    """Each request held against the control before it; what follows a control that was rejected shows nothing."""
    controls: dict[str, Reply] = {}
    compared: Setting | None = setting
    for at, (send, reply) in enumerate(zip(case.send, replies, strict=True)):
        if send.control:
            taken = _is_taken(send, reply, setting)
            controls[send.path] = reply
            compared = replace(setting, control=reply) if taken else None
            if not taken:
                yield _needless(send, setting, at)
        elif compared is not None:
            alike = replace(compared, control=controls.get(send.path, compared.control))  # the same step of a flow
            yield replace(_one(case, send, reply, alike), at=at)


def _is_taken(send: Send, reply: Reply, setting: Setting) -> bool:
    """Whether a control went as it should: a step of an installation leads on, and the last asks Slack for a token."""
    match send.path:
        case "install":
            return accepted(reply, setting.shape) or 300 <= (status_of(reply, setting.shape) or 0) < 400  # noqa: PLR2004 - HTTP's classes
        case "callback":
            return any(exchanges(effect) for effect in reply.effects)
        case _:
            return accepted(reply, send.shape or setting.shape)


def _one(case: Case, send: Send, reply: Reply, setting: Setting) -> ProbeOutcome:
    """One request.  What a changed body shows, it shows only where the same one written again is taken."""
    judgement = judged(case, send, reply, setting)
    if judgement.outcome != PASSED or not case.needs_genuine:
        return judgement
    altered = bool(send.change or send.pad) and accepted(setting.genuine, setting.shape)
    if altered and not _is_taken_anew(send, setting):
        return ProbeOutcome(outcome=UNDECIDED, why=_ALTERED_SHOWS_NOTHING)
    return judgement


def _is_taken_anew(send: Send, setting: Setting) -> bool:
    """Whether the genuine request, written again, is accepted with the effects that it has as it was written."""
    if send.body != "genuine" or setting.round_trip is None:
        return True  # it is written by the probe in any case, and its control comes before it
    return accepted(setting.round_trip, setting.shape) and _effects(setting.round_trip) == _effects(setting.genuine)


def _effects(reply: Reply) -> Counter[tuple[str, str, str]]:
    return Counter((effect.service, effect.operation, effect.detail) for effect in side_effects(reply))


def _needless(send: Send, setting: Setting, at: int) -> ProbeOutcome:
    """What a probe is worth whose own genuine request is rejected."""
    if send.path in {"install", "callback"}:
        why = "an installation with the state that the app issued is not completed"
        return ProbeOutcome(outcome=NOT_RUN, why=why, at=at)
    if send.clock > 0 and accepted(setting.genuine, setting.shape):
        return ProbeOutcome(outcome=PASSED, why="it accepts no request from so far ahead", at=at)
    if send.body != "genuine" and accepted(setting.genuine, setting.shape):
        why = f"the handler accepts no such request: it rejects a genuine {send.body}"
        return ProbeOutcome(outcome=NOT_RUN, why=why, at=at)
    if accepted(twin(send, setting), send.shape or setting.shape):
        return ProbeOutcome(outcome=UNDECIDED, why=_ALTERED_SHOWS_NOTHING, at=at)
    return ProbeOutcome(outcome=UNDECIDED, why="a genuine request is rejected too", at=at)


def _gated(case: Case, judgement: ProbeOutcome, setting: Setting) -> ProbeOutcome:
    """A rejection shows nothing where a genuine request is rejected too; an acceptance shows what it shows."""
    if judgement.outcome == PASSED and case.needs_genuine and not accepted(setting.genuine, setting.shape):
        return ProbeOutcome(outcome=UNDECIDED, why="a genuine request is rejected too", at=judgement.at)
    if judgement.outcome == PASSED and case.needs_genuine and setting.kind == "url_verification":
        return ProbeOutcome(outcome=UNDECIDED, why=_GREETED, at=judgement.at)
    return judgement


def _worst(found: Sequence[ProbeOutcome]) -> ProbeOutcome:
    """A failure before what is undecided before what was not run before a pass; what every failure shows.

    Of failures the one that no rejection followed counts most; of the others the first.
    """
    failed = [one for one in found if one.outcome == FAILED]
    if failed:
        shows = tuple(value for one in failed for value in one.shows)
        late = all(one.late for one in failed)
        return replace(next(one for one in failed if one.late is late), shows=shows)
    for outcome in (UNDECIDED, NOT_RUN, PASSED):
        some = [one for one in found if one.outcome == outcome]
        if some:
            return next((one for one in some if one.why), some[0]) if outcome == PASSED else some[0]
    return ProbeOutcome(outcome=NOT_RUN, why="no request was sent that can be judged")
