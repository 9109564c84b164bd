"""What is expected of all answers of a run together."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from threatmodel.probe.cases import Case, Send
from threatmodel.probe.outcome import RAISED, ProbeOutcome, Setting
from threatmodel.probe.outcome_names import FAILED, NOT_RUN, PASSED, UNDECIDED
from threatmodel.probe.protocol import Reply
from threatmodel.probe.replies import KEEPING_SECRETS, status_of

CLIENT = 4
"""The class of a status that rejects."""
MOST_READ = 64 * 1024 * 1024
"""Characters of answers that are searched in a run: ten of the largest that Lambda allows, five seconds' work."""
_LOGS = frozenset({"logs", "xray", "cloudwatch"})
"""Services to which a handler may send its logs itself."""


def _every(setting: Setting) -> list[tuple[Case, Send, Reply]]:
    return [
        (case, send, reply)
        for case, replies in setting.replies
        for send, reply in zip(case.send, replies, strict=False)
        if reply.ended != "not-run"
    ]


def _no_crash(setting: Setting) -> ProbeOutcome:
    wrong = []
    replies = _every(setting)
    for case, send, reply in replies:
        status = status_of(reply, send.shape or setting.shape)
        if _not_as_deployed(case, send, setting):
            continue
        if status is None or status >= 500:  # noqa: PLR2004 - HTTP's classes
            wrong.append(case.id)
    if wrong and setting.genuine.ended in RAISED:  # for want of something, or of another form of event
        why = "; ".join(filter(None, ["a genuine request ends in one too", setting.lacking]))
        return ProbeOutcome(outcome=UNDECIDED, why=why)
    return _overall(wrong, replies, "after: ")


def _not_as_deployed(case: Case, send: Send, setting: Setting) -> bool:
    """Whether no caller of the API can cause it: another front or secret, a fault of AWS, Slack's rejection.

    To raise where the secret is missing is to fail closed, and the alarm that this rings is meant for it.
    """
    elsewhere = send.event is not None or send.shape not in {"", setting.shape} or case.expect == "unkept"
    under = send.failing or send.store or case.environment or send.rule == "variables"
    return elsewhere or bool(under) or case.secret in {"empty", "missing"}


def _discreet_answers(setting: Setting) -> ProbeOutcome:
    replies = _every(setting)
    wrong = []
    texts: dict[str, str] = {}
    for case, _send, reply in replies:
        texts.setdefault("\n".join([reply.body, *reply.headers.values()]), case.id)
    read = 0
    for text, case_id in texts.items():
        read += len(text)
        if read <= MOST_READ:
            wrong += [f"{name} ({case_id})" for name in setting.hidden.in_answer(text)]
    if not wrong and read > MOST_READ:
        return ProbeOutcome(outcome=UNDECIDED, why="the answers together were longer than what is read")
    return _overall(wrong, replies, "")


def _discreet_logs(setting: Setting) -> ProbeOutcome:
    """Whether a secret is in what was printed, or sent to a service for logs."""
    replies = _every(setting)
    texts = [
        (case, logs)
        for case, _send, reply in replies
        for logs in (reply.logs, *(one.content for one in (*reply.loading, *reply.effects) if one.service in _LOGS))
    ]
    held = {logs: setting.hidden.in_logs(logs) for logs in {logs for _, logs in texts}}
    wrong = [f"{name} ({case.id})" for case, logs in texts for name in held[logs]]
    if not wrong and any(reply.ended == "output" for _case, _send, reply in replies):
        return ProbeOutcome(outcome=UNDECIDED, why="a log was longer than what is read")
    return _overall(wrong, replies, "")


def _discreet_calls(setting: Setting) -> ProbeOutcome:
    """Whether a secret went to a service that it is not for; a store of secrets and Slack's API may have theirs."""
    replies = _every(setting)
    wrong = []
    sent = False
    for case, _send, reply in replies:
        for effect in (*reply.loading, *reply.effects):
            if not effect.content or effect.service in KEEPING_SECRETS:
                continue
            sent = True
            to_slack = effect.service == "slack" or effect.detail.endswith("slack.com")
            names = setting.hidden.in_call(effect.content, to_slack=to_slack)
            wrong += [f"{name} in {effect.service} {effect.operation} ({case.id})" for name in names]
    if not wrong and not sent:
        return ProbeOutcome(outcome=NOT_RUN, why="nothing was sent to other services")
    return _overall(wrong, replies, "")


def _alike(setting: Setting) -> ProbeOutcome:
    found: dict[tuple[int | None, str], str] = {}
    for case, send, reply in _every(setting):
        if (
            "verifies_signature" in case.decides
            and not _elsewhere(send)
            and (status_of(reply, setting.shape) or 0) // 100 == CLIENT
        ):
            found.setdefault((reply.status, reply.body), case.id)
    if not found:
        return ProbeOutcome(outcome=UNDECIDED, why="nothing was rejected")
    if len(found) == 1:
        return ProbeOutcome(outcome=PASSED)
    return ProbeOutcome(outcome=FAILED, why=f"{len(found)} different ones: {_some(sorted(set(found.values())))}")


def _elsewhere(send: Send) -> bool:
    """Whether a request goes by another way, where another answer is as it should be: 404, 405."""
    return bool(send.path or send.method != "POST" or send.shape or send.query or send.event is not None)


def _overall(wrong: Sequence[str], replies: Sequence[object], before: str) -> ProbeOutcome:
    if wrong:
        return ProbeOutcome(outcome=FAILED, why=before + _some(list(dict.fromkeys(wrong))))
    return ProbeOutcome(outcome=PASSED if replies else UNDECIDED, why="" if replies else "nothing was sent")


def _some(names: Sequence[str]) -> str:
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")  # noqa: PLR2004 - a line's worth


OVERALL_JUDGEMENTS: dict[str, Callable[[Setting], ProbeOutcome]] = {
    "no-crash": _no_crash,
    "alike": _alike,
    "discreet-answers": _discreet_answers,
    "discreet-logs": _discreet_logs,
    "discreet-calls": _discreet_calls,
}
