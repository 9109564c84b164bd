"""What workflows show: credentials, deployments, code of others, scanners, each with its line.

Each audit yields sightings of its topics and knows no fact.  No value of an input or a variable is shown, because it
may be a secret; names are.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from threatmodel.beside.nodes import text
from threatmodel.beside.repository import tools
from threatmodel.beside.repository.workflow import Command, Job, Reference, Sighting, Step, Workflow
from threatmodel.reading.problems import Place, quoted
from threatmodel.stacks.values import Node, Unknown

_CONFIGURE = "aws-actions/configure-aws-credentials"
_KEY = re.compile(r"aws[-_]?(?:access[-_]?key[-_]?id|secret[-_]?access[-_]?key)\Z", re.IGNORECASE)
_SESSION = re.compile(r"aws[-_]?session[-_]?token\Z", re.IGNORECASE)
_KEY_IN_TEXT = re.compile(r"aws_(?:access_key_id|secret_access_key)", re.IGNORECASE)
_KEY_WRITTEN = re.compile(r"aws_secret_access_key[\s=]{1,3}[\"']?[A-Za-z0-9/+]{40}(?![A-Za-z0-9/+])", re.IGNORECASE)
_FROM_JOB = re.compile(r"\$\{\{\s*(?:steps|needs|env|inputs|github)\s*[.\[]")
_SECRET = re.compile(r"\$\{\{[^}]{0,400}\b(?:secrets|vars)\s*[.\[]")
_HEAD = re.compile(
    r"""(?x)github\.(?:event\.pull_request\.head\.|head_ref\b|event\.workflow_run\.head_) |
    refs/(?:remotes/)?pull/ | github\.event\.issue\.number | github\.event\.number"""
)
_FETCHES_HEAD = re.compile(
    r"gh\s+pr\s+checkout\b|git\s+(?:fetch|checkout|pull|switch)\b.*(?:\bpull/|head_ref|head\.(?:sha|ref))"
)
_GATED = re.compile(
    r"author_association|\.label|labels|head\.repo\.(?:full_name|fork|owner)|repository_owner|github\.actor|sender|"
    r"permission|github\.event_name|event\.action|workflow_run\.event|head_repository"
)
_PRIVILEGED = frozenset(("pull_request_target", "workflow_run", "issue_comment"))
"""Events that pull requests from forks cause, and whose jobs have the repository's secrets and token."""
_CHANGES = frozenset(("push", "pull_request", "pull_request_target", "merge_group", "merge_request"))
"""Events of each build; a schedule is none."""


def sightings(workflow: Workflow) -> Iterator[Sighting]:
    """Yield all that a workflow shows."""
    for audit in (_hosted, _credentials, _deployments, _untrusted, _references, _agents, _scans, _tests, _compares):
        yield from audit(workflow)


def name_of(action: str) -> str:
    """Return an action without its version, in the form in which it is looked up."""
    return action.partition("@")[0].lower()


def _hosted(workflow: Workflow) -> Iterator[Sighting]:
    yield Sighting("hosted", f"it has a workflow of {workflow.service}", Place(workflow.file))


# --- credentials


def _credentials(workflow: Workflow) -> Iterator[Sighting]:
    for job in workflow.jobs:
        yield from _keys_in(job.env, job)
        for step in job.steps:
            yield from _keys_in(step.env, job)
            yield from _keys_in(step.inputs, job)
            yield from _keys_in_commands(step)
            yield from _federated(job, step)


def _keys_in(variables: Mapping[str, Node], job: Job) -> Iterator[Sighting]:
    """Long-lived keys among variables or inputs: from a secret of the repository, or written out."""
    if any(map(_SESSION.match, variables)):
        return  # temporary credentials
    for name, node in variables.items():
        if _KEY.match(name) and (how := _lasting(node)):
            yield Sighting("long-lived-keys", f"the job {quoted(job.name)} uses long-lived AWS keys, {how}", node.place)
            return


def _lasting(node: Node) -> str:
    """Where the value of a key comes from, if it lasts; '' where it may be of the same job."""
    value = text(node)
    if not value or isinstance(node, Unknown):
        return ""
    if _SECRET.search(value):
        return "from secrets of the repository"
    if _FROM_JOB.search(value) or "$" in value:
        return ""
    return "written in the file"


def _keys_in_commands(step: Step) -> Iterator[Sighting]:
    for command in step.commands:
        if _KEY_IN_TEXT.search(command.text) and _SECRET.search(command.text):
            yield Sighting("long-lived-keys", "a command sets long-lived AWS keys from secrets", command.place)
            return
        if _KEY_WRITTEN.search(command.text):
            yield Sighting("long-lived-keys", "a command sets long-lived AWS keys that it spells out", command.place)
            return


def _federated(job: Job, step: Step) -> Iterator[Sighting]:
    """An AWS role that a job gets with a token of its service; without permission for one, it gets none.

    A job that only tests may have another role: how the pipeline deploys, a job that deploys shows.
    """
    if job.tokens is None:
        return
    topic = (
        "oidc" if any(_deploys(command) for command, _ in job.commands()) or _uses_deployer(job) else "oidc-elsewhere"
    )
    if name_of(step.action) == _CONFIGURE and "role-to-assume" in step.inputs and not any(map(_KEY.match, step.inputs)):
        role = step.inputs["role-to-assume"]
        named = re.search(r":role/([\w+=,.@/-]{1,64})\Z", text(role))
        which = f"the role {quoted(named[1])}" if named else "a role"
        yield Sighting(topic, f"the job {quoted(job.name)} assumes {which} with OIDC", role.place)
    for command in step.commands:
        if "assume-role-with-web-identity" in command.text:
            yield Sighting(topic, f"the job {quoted(job.name)} assumes a role with OIDC", command.place)


# --- deployments


def _deployments(workflow: Workflow) -> Iterator[Sighting]:
    for job in workflow.jobs:
        for command, _ in job.commands():
            if _deploys(command):
                yield Sighting("deploys", _ran(job, command), command.place)
                yield from _environment(job)
            if tools.KEEPS_STATE.match(command.text):
                yield Sighting("keeps-state", _ran(job, command), command.place)
        for step in job.steps:
            if name_of(step.action) in tools.DEPLOYING_ACTIONS:
                yield Sighting("deploys", f"the job {quoted(job.name)} uses {name_of(step.action)}", step.place)
                yield from _environment(job)


def _deploys(command: Command) -> bool:
    """Whether a command deploys, or may: it runs what another file says, which is called so."""
    return tools.DEPLOYS.match(command.text) is not None or (
        tools.ANYTHING.match(command.text) is not None and "deploy" in command.text.lower()
    )


def _uses_deployer(job: Job) -> bool:
    return any(name_of(step.action) in tools.DEPLOYING_ACTIONS for step in job.steps)


def _environment(job: Job) -> Iterator[Sighting]:
    if job.environment:
        yield Sighting("environment", job.environment, job.place)


def _ran(job: Job, command: Command) -> str:
    """Which job runs what: the program and its first words, never an option's value."""
    words = re.match(r"[\w./-]+(?:\s+[a-z][\w-]*){0,2}", command.text)
    return f"the job {quoted(job.name)} runs {quoted(words[0] if words else '')}"


# --- changes from outside


def _untrusted(workflow: Workflow) -> Iterator[Sighting]:
    """Jobs that run the code of a pull request with the repository's credentials."""
    event = next((one for one in sorted(_PRIVILEGED) if one in workflow.events), "")
    if not event:
        return
    for job in workflow.jobs:
        fetched = [at for at, step in enumerate(job.steps) if _is_of_head(step)]
        if not fetched or not _runs_after(job, fetched[0]):
            continue
        step = job.steps[fetched[0]]
        shown = f"on {event}, the job {quoted(job.name)} runs the code of the pull request"
        gated = job.environment or _GATED.search(f"{job.condition} {step.condition}")
        powerful = job.secrets or job.tokens is not None or job.writes is not False
        if powerful and not gated:
            yield Sighting("runs-changes", f"{shown}, with {_power(job)}", _place_of_head(step))
        else:
            why = "a condition decides whether" if gated else "with a token that only reads,"
            yield Sighting("may-run-changes", f"{why} {shown}", _place_of_head(step))


def _is_of_head(step: Step) -> bool:
    """Whether a step fetches what a pull request changes."""
    if name_of(step.action) == "actions/checkout":
        return any(_HEAD.search(text(step.inputs[name])) for name in ("ref", "repository") if name in step.inputs)
    return any(_FETCHES_HEAD.match(command.text) for command in step.commands)


def _place_of_head(step: Step) -> Place:
    """The line that says which revision a step fetches."""
    return step.inputs["ref"].place if "ref" in step.inputs else step.place


def _runs_after(job: Job, fetched: int) -> bool:
    """Whether commands or actions of the fetched code run after a step."""
    return any(step.commands or step.action.startswith("./") for step in job.steps[fetched:])


def _power(job: Job) -> str:
    if job.secrets:
        return "secrets"
    if job.tokens is not None:
        return "an OIDC token"
    return "a token that may write" if job.writes else "the repository's default token"


# --- code of others


def _references(workflow: Workflow) -> Iterator[Sighting]:
    seen: set[str] = set()
    for job in workflow.jobs:
        for one in job.references:
            if one.name not in seen:
                seen.add(one.name)
                yield from _reference(one)


def _reference(one: Reference) -> Iterator[Sighting]:
    yield Sighting("of-others", f"uses {quoted(one.name)}", one.place)
    if one.pinned is False:
        yield Sighting("unpinned", f"uses {quoted(one.name)}, which no commit or digest pins", one.place)
    elif one.pinned is None:
        yield Sighting("maybe-unpinned", f"a variable names the image {quoted(one.name)}", one.place)


def _agents(workflow: Workflow) -> Iterator[Sighting]:
    for job in workflow.jobs:
        actions = [(name_of(one.name), one.place) for one in job.references]
        found = [(f"uses {name}", place) for name, place in actions if name.startswith(tools.AI_ACTIONS)]
        found += [(_ran(job, one), one.place) for one, _ in job.commands() if tools.AI_COMMANDS.match(one.text)]
        yield from (Sighting("ai-agent", shown, place) for shown, place in found)
        if job.pushes:
            why = f"the job {quoted(job.name)} gives an AI agent a token that may push"
            yield from (Sighting("ai-agent-pushes", why, place) for _, place in found)


# --- scanners and tests


def _scans(workflow: Workflow) -> Iterator[Sighting]:
    """Scanners that stop a build; those that only report have a separate topic."""
    each_build = bool(workflow.events & _CHANGES)
    for job in workflow.jobs:
        for step in job.steps:
            for topic, shown, place, stops in (*_scanning_action(step), *_scanning_commands(step)):
                yield Sighting(topic if stops and each_build else f"reports-{topic}", shown, place)


def _scanning_action(step: Step) -> Iterator[tuple[str, str, Place, bool]]:
    action = name_of(step.action)
    for topic, names in tools.SCANNING_ACTIONS.items():
        if any(action == name or action.startswith(f"{name}/") for name in names):
            key, fails_with = tools.LENIENT_ACTIONS.get(action, ("", ""))
            given = text(step.inputs.get(key)) if key else ""
            stops = not step.tolerated and (not key or given in fails_with.split("|"))
            yield topic, f"uses {action}", step.place, stops and not step.condition
    if action in tools.REPORTING_ACTIONS:
        yield tools.REPORTING_ACTIONS[action], f"uses {action}", step.place, False


def _scanning_commands(step: Step) -> Iterator[tuple[str, str, Place, bool]]:
    for command in step.commands:
        for topic, pattern in tools.SCANNERS.items():
            if pattern.match(command.text) and not tools.NO_SCAN.match(command.text):
                shown = f"runs {command.text.split()[0]}"
                softly = tools.LENIENT.search(command.text) or "CKV_SOFT_FAIL" in step.env
                stops = not (softly or command.tolerated or step.tolerated or step.condition)
                yield topic, shown, command.place, stops


def _tests(workflow: Workflow) -> Iterator[Sighting]:
    for job in workflow.jobs:
        for command, _ in job.commands():
            if tools.TESTS.match(command.text):
                yield Sighting("tests", _ran(job, command), command.place)
            elif tools.ANYTHING.match(command.text):
                yield Sighting("runs-anything", _ran(job, command), command.place)


def _compares(workflow: Workflow) -> Iterator[Sighting]:
    """Comparisons of what is deployed with the repository: each day and with a failure, or in another way."""
    for job in workflow.jobs:
        for command, step in job.commands():
            whole = tools.COMPARES.search(command.text) is not None
            if whole or tools.DETECTS.search(command.text):
                fails = not (command.tolerated or step.tolerated or step.condition or job.condition)
                counts = whole and fails and workflow.daily
                yield Sighting("compares" if counts else "may-compare", _ran(job, command), command.place)


__all__ = ["name_of", "sightings"]
