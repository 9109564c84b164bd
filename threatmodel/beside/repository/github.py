"""Workflows of GitHub Actions as values: https://docs.github.com/actions/reference/workflows-and-actions."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from threatmodel.beside.nodes import items, key_place, named, text
from threatmodel.beside.repository.workflow import Job, Reference, Step, Workflow, commands
from threatmodel.reading.problems import Place
from threatmodel.stacks.values import Node, Table, entries, get, leaves

_COMMIT = re.compile(r"[^@]+@(?:[0-9a-f]{40}|[0-9a-f]{64})\Z")
DIGEST = re.compile(r"@sha256:[0-9a-f]{64}\Z")
"""How an image ends that is named by its digest."""
_OWN_TOKEN = re.compile(r"secrets\s*(?:\.\s*|\[\s*['\"])GITHUB_TOKEN\b", re.IGNORECASE)
_SECRET = re.compile(r"\bsecrets\s*[.\[]")


def workflow(root: Node | None, file: str, source: str) -> Workflow | None:
    """Return a workflow; None where the file has no jobs, as GitHub runs none then."""
    jobs = entries(get(root, "jobs")) if isinstance(root, Table) else {}
    if not isinstance(root, Table) or not jobs:
        return None
    lines = source.split("\n")
    found = tuple(_job(name, job, place, root, lines) for name, job, place in named(get(root, "jobs")))
    daily = any(map(_is_daily, items(get(root, "on", "schedule"))))
    return Workflow(file=file, service="GitHub Actions", events=_events(root), jobs=found, daily=daily)


def _is_daily(entry: Node) -> bool:
    """Whether an entry of a schedule is for each day, whatever the hour."""
    fields = text(entry, "cron").split()
    return len(fields) == 5 and fields[2:] == ["*", "*", "*"]  # noqa: PLR2004 - minute, hour, day, month, weekday


def composite(root: Node | None, file: str, source: str) -> Workflow | None:
    """Return a composite action of the repository as a workflow of one job; None for any other action."""
    runs = get(root, "runs")
    if text(runs, "using") != "composite":
        return None
    steps = tuple(_step(step, source.split("\n")) for step in items(get(runs, "steps")))
    place = runs.place if runs is not None else Place(file)
    job = Job(name="composite", place=place, steps=steps, references=tuple(_references(runs, steps)), env={})
    return Workflow(file=file, service="GitHub Actions", events=frozenset(), jobs=(job,))


def _events(root: Table) -> frozenset[str]:
    """The events that start a workflow: one, a list, or the keys of a mapping."""
    node = get(root, "on")
    return frozenset(entries(node)) or frozenset(map(text, items(node)))


def _job(name: str, job: Node, place: Place, root: Table, lines: list[str]) -> Job:
    env = {**entries(get(root, "env")), **entries(get(job, "env"))}
    permissions, at = _permissions(root, job)
    steps = tuple(_step(step, lines) for step in items(get(job, "steps")))
    environment = get(job, "environment")
    return Job(
        name=name,
        place=place,
        steps=steps,
        references=tuple(_references(job, steps)),
        env=env,
        tokens=at if permissions.get("id-token") == "write" else None,
        writes=_writes(permissions, at),
        pushes=permissions.get("contents") == "write",
        environment=text(environment) or text(environment, "name"),
        condition=text(job, "if"),
        secrets=_uses_secrets(job) or _uses_secrets(get(root, "env")),
        needs=tuple(map(text, items(get(job, "needs")))),
    )


def _permissions(root: Table, job: Node) -> tuple[Mapping[str, str], Place | None]:
    """The permissions of a job's token by name, those of its workflow where it has none; where they are stated."""
    for holder in (job, root):
        node = get(holder, "permissions")
        if node is not None:
            all_of = text(node)
            found = {name: text(value) for name, value in entries(node).items()}
            if all_of == "write-all":
                found = {"contents": "write", "id-token": "write"}
            place = key_place(node, "id-token") or key_place(holder, "permissions") or node.place
            return found, place
    return {}, None


def _writes(permissions: Mapping[str, str], at: Place | None) -> bool | None:
    """Whether a token may change anything; None where the settings of the repository decide."""
    return None if at is None else any(value == "write" for name, value in permissions.items() if name != "id-token")


def _step(step: Node, lines: list[str]) -> Step:
    run, shell = get(step, "run"), text(step, "shell")  # without a shell GitHub's bash has no pipefail
    return Step(
        place=key_place(step, "uses") or key_place(step, "run") or step.place,
        action=text(step, "uses"),
        inputs=entries(get(step, "with")),
        commands=tuple(commands(text(run), run.place, lines, pipefail=shell == "bash")) if run is not None else (),
        env=entries(get(step, "env")),
        condition=text(step, "if"),
        tolerated=text(step, "continue-on-error") not in {"", "false"},
    )


def _references(job: Node | None, steps: tuple[Step, ...]) -> Iterator[Reference]:
    """What others publish and a job runs."""
    called = get(job, "uses")
    if called is not None:
        yield from _reference(text(called), key_place(job, "uses") or called.place)
    for step in steps:
        yield from _reference(step.action, step.place)
    for node in (get(job, "container"), *entries(get(job, "services")).values()):
        image = get(node, "image") if isinstance(node, Table) else node
        if image is not None and (name := text(image)):
            yield Reference(name, image.place, image_pinned(name))


def _reference(name: str, place: Place) -> Iterator[Reference]:
    if name.startswith("docker://"):
        yield Reference(name, place, image_pinned(name))
    elif name and not name.startswith(("./", "../")):
        yield Reference(name, place, _COMMIT.match(name) is not None)


def image_pinned(name: str) -> bool | None:
    """Whether an image is named by its digest; None where a variable names it."""
    return True if DIGEST.search(name) else None if "$" in name else False


def _uses_secrets(node: Node | None) -> bool:
    """Whether something uses a secret of the repository, besides the token that each job has."""
    if node is None:
        return False
    texts = (text(leaf) for leaf in leaves(node))
    return text(node, "secrets") == "inherit" or any(_SECRET.search(_OWN_TOKEN.sub("", one)) for one in texts)
