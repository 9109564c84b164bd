"""What the branches that no request took leave open of the facts that other probes decide."""

from __future__ import annotations

from collections.abc import Iterator

from threatmodel.probe.branches.taken import Mask
from threatmodel.probe.cases import REFUSING, Case, Send
from threatmodel.probe.outcome import ProbeOutcome, Setting
from threatmodel.probe.outcome_names import PASSED, UNDECIDED
from threatmodel.probe.replies import accepted, side_effects
from threatmodel.reading.problems import listed

_MOST = 3
_REMEDY = "send a request that does (--body, --header, --env), or remove the branch"


def all_taken(case: Case, setting: Setting) -> ProbeOutcome:
    """Whether each branch was taken that a rejected request of the same facts reached, unless it evidently rejects."""
    if setting.taken is None:
        return ProbeOutcome(outcome=PASSED)  # a runner of another kind, which shows no fact
    if setting.taken.unrecorded:
        names = listed(setting.taken.unrecorded, _MOST)
        return ProbeOutcome(outcome=UNDECIDED, why=f"it is not recorded which branches {names} takes")
    refused, taken = set(ways_of_rejected(case, setting)), set(ways_of_accepted(setting))
    found = setting.taken.untested(refused, taken)
    if not found:
        return ProbeOutcome(outcome=PASSED)
    rest = f"; and {len(found) - _MOST} more" if len(found) > _MOST else ""
    return ProbeOutcome(outcome=UNDECIDED, why=f"{'; '.join(map(str, found[:_MOST]))}{rest}: {_REMEDY}")


def ways_of_rejected(case: Case, setting: Setting) -> Iterator[Mask]:
    """Yield the ways of hostile requests of the same facts that were rejected."""
    acts = bool(side_effects(setting.genuine))
    for one, replies in setting.replies:
        if one.expect in REFUSING and one.decides.keys() & case.decides.keys():
            for send, reply in zip(one.send, replies, strict=False):
                if (
                    not send.control
                    and _is_hostile(one, send)
                    and not side_effects(reply)
                    and (acts or not accepted(reply, setting.shape))
                ):
                    yield reply.taken


def _is_hostile(case: Case, send: Send) -> bool:
    """Whether it is not signed, wrongly or long ago, or repeated: what is signed as it is reaches all of the code."""
    if case.expect == "once":
        return True
    changed = send.tamper or send.after_signing or send.instead is not None or send.timestamp != "{now}"
    signed = send.signature == "{signature}" and send.secret == "right" and send.base == "slack"  # noqa: S105 - a word of the format
    return not signed or bool(changed) or abs(send.clock) > _WINDOW


_WINDOW = 300


def ways_of_accepted(setting: Setting) -> Iterator[Mask]:
    """Yield the ways of requests that were accepted."""
    for one, replies in setting.replies:
        for reply in replies:
            if one.id == "genuine" or side_effects(reply):
                yield reply.taken
