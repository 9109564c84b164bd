"""Sends an unsigned request after those that first took a branch which no rejected request took.

A handler may remember something of genuine requests, after which it goes another way: that way is taken again.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from threatmodel.probe.asking import Asked, Asker
from threatmodel.probe.branching import ways_of_accepted, ways_of_rejected
from threatmodel.probe.cases import Case, Send
from threatmodel.probe.outcome import Setting
from threatmodel.probe.protocol import Reply, Scenario
from threatmodel.probe.replies import side_effects
from threatmodel.probe.requests import Genuine, call_of, sent
from threatmodel.reading.values import replace

_MOST, _LONGEST = 8, 120
"""Processes, and requests before the one that is unsigned."""


def retraced(
    case: Case, asked: Sequence[tuple[Case, Asked]], setting: Setting, genuine: Genuine, asker: Asker
) -> tuple[Case, Asked]:
    """Return the probe with a request after each history, and what came of them."""
    (unsigned,) = case.send
    sends: list[Send] = []
    replies: list[Reply] = []
    for name, before in _histories(case, asked, setting, genuine):
        if asker.stopped or len(sends) == _MOST:
            break
        call = replace(call_of(unsigned, genuine), at=before.calls[-1].at)
        found = asker.runner.run(replace(before, name=case.id, calls=(*before.calls, call), together=False))
        sends.append(replace(unsigned, rule="history", says=f"after requests of {name}"))
        replies.append(found[-1])
    return (replace(case, send=tuple(sends)), Asked(replies)) if sends else (case, dict(_by_id(asked))[case.id])


def _by_id(asked: Sequence[tuple[Case, Asked]]) -> Iterator[tuple[str, Asked]]:
    for case, one in asked:
        yield case.id, one


def _histories(
    case: Case, asked: Sequence[tuple[Case, Asked]], setting: Setting, genuine: Genuine
) -> Iterator[tuple[str, Scenario]]:
    """Yield the beginnings of scenarios at whose end a way was taken that only accepted requests took."""
    rejected = accepted = 0
    for mask in ways_of_rejected(case, setting):
        rejected |= mask
    for mask in ways_of_accepted(setting):
        accepted |= mask
    left = accepted & ~rejected
    for one, answered in sorted(asked, key=lambda pair: (pair[0].id != "genuine", len(pair[0].send))):
        if answered.skipped or not one.send or not left:
            continue
        replies = iter(answered.replies)
        for scenario in (one.scenario for one in sent(one, genuine)):
            for at, (_, reply) in enumerate(zip(scenario.calls, replies, strict=False)):
                if reply.taken & left and side_effects(reply):
                    left &= ~reply.taken
                    if 0 < at < _LONGEST:
                        yield one.id, replace(scenario, calls=scenario.calls[: at + 1])
