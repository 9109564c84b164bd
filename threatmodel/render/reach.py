"""What an attacker who holds an element reaches, on a terminal: what, how, and what to do about it in which order."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import assert_never

from threatmodel.assessment.assessed import Assessment
from threatmodel.assessment.paths.reaching import Reach, Task
from threatmodel.assessment.paths.values import AIM_OF, Path, Strength
from threatmodel.graph.elements import Graph
from threatmodel.reading.problems import listed, visible
from threatmodel.render import path_words as words
from threatmodel.render.text import wrapped

_MOST = 40
"""Lines of a part of the text; --json has all."""

_PARTS: tuple[tuple[tuple[Strength, ...], str], ...] = (
    (("open",), "Reached: no control stops it"),
    (("undecided",), "Possibly reached: an open question decides"),
    (("unlikely",), "Unlikely, but no control stops it"),
    (("stopped",), "Stopped by controls that are only claimed"),
)
_ORDER = (
    "What is reached for certain comes before what is unlikely, and the nearest first. A new value is of no use while "
    "the attacker still holds what reads it."
)
_GRANTED = {
    "slack-requests": "regenerate the signing secret in the Slack app's settings",
    "slack-api": "revoke the token (auth.revoke), then install the app again",
    "slack-app-level": "revoke the app-level token and generate a new one",
    "slack-webhook": "remove the webhook and create a new one",
    "slack-trigger": "delete the workflow trigger and create a new one",
    "slack-app-credentials": "regenerate the client secret in the Slack app's settings",
}
"""How a secret of Slack's is rotated, by what it grants."""


def reach_text(found: Reach, assessment: Assessment, width: int = 100) -> str:
    """Return what is reached and what to do, in lines of so many columns."""
    held = " and ".join(words.held(one) for one in found.held)
    lines = [*wrapped(f"Reach of {found.element}: an attacker {held}", width)]
    for strengths, title in _PARTS:
        lines += _part(title, [one for one in found.reached if one.as_claimed in strengths], width)
    if not any(one.goal.hold in AIM_OF for one in found.reached):
        is_secret = any(one.hold == "secret" for one in found.held)
        beyond = " What the secret opens outside this model is not traced." if is_secret else ""
        lines += ["", *wrapped(f"Nothing else that an attacker wants is reached from there.{beyond}", width)]
    lines += ["", "What to do, in this order", *wrapped(_ORDER, width)]
    lines += _tasks(found.tasks, assessment.graph, width)
    if found.later:
        names = dict.fromkeys(visible(task_name(one)) for one in found.later)
        text = f"If a claimed control is not in place, also: {listed(names, 8, 'element')}"
        lines += ["", *wrapped(text, width)]
    if not found.complete:
        lines += ["", words.INCOMPLETE]
    return "\n".join(lines) + "\n"


def _part(title: str, paths: Sequence[Path], width: int) -> Iterator[str]:
    paths = [one for one in paths if one.goal.hold in AIM_OF or one.goal.hold == "code"]
    if not paths:
        return
    yield ""
    yield title
    for one in paths[:_MOST]:
        steps = [step for step in words.shown(one) if step.end != one.goal or step.threat is not None]
        by = ", ".join(step.finding or step.along for step in steps)
        yield from wrapped(f"{words.held(one.goal)}{f'  by {by}' if by else '  by design'}", width, "  ", "      ")
    if len(paths) > _MOST:
        yield f"  {len(paths) - _MOST} more (--json has all)"


def _tasks(tasks: Sequence[Task], graph: Graph, width: int) -> Iterator[str]:
    for number, task in enumerate(tasks[:_MOST], 1):
        owner = task.owner or "owner: not assigned"
        yield from wrapped(f"{todo(task, graph)} [{owner}]", width, f"  {number}. ", "     ")
    if len(tasks) > _MOST:
        yield f"  {len(tasks) - _MOST} more (--json has all)"


def task_name(task: Task) -> str:
    """Return the element of a task, or the plane."""
    return task.position.element or task.position.hold


def todo(task: Task, graph: Graph) -> str:
    """Return what to do, in the imperative."""
    name = task.position.element
    match task.duty:
        case "isolate":
            return f"Isolate {name}: set its reserved concurrency to 0, then deploy code from a reviewed commit"
        case "rotate":
            return _rotate(task, graph)
        case "restore":
            return f"Check what was written to {name}, and restore it from a backup"
        case "check":
            return f"Find out what was read from {name}, and who has to be notified"
        case "revoke":
            return _revoke(task)
        case other:
            assert_never(other)


def _rotate(task: Task, graph: Graph) -> str:
    name = task.position.element
    grants = graph.elements[name].facts.get("grants")
    how = _GRANTED.get(str(grants.value), "") if grants is not None and grants.size else ""
    used = f"; then restart what uses it ({listed(task.used_by, 4, 'function')})" if task.used_by else ""
    return f"Rotate {name}{f': {how}' if how else ''}{used}"


def _revoke(task: Task) -> str:
    position = task.position
    if position.hold == "role":
        return f"Revoke the sessions of the role of {position.element} (policy AWSRevokeOlderSessions)"
    if position.hold == "deploy":
        return (
            "Disable the pipeline's deploy role and stored keys, and compare what is deployed with the last good build"
        )
    if position.hold == "account":
        return "Revoke all sessions and access keys of the account, and follow the plan for a compromised account"
    return "Revoke the Slack app's tokens and sessions, and review what it posted and its collaborators"
