"""Pipelines of GitLab CI as values: https://docs.gitlab.com/ci/yaml/."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from threatmodel.beside.nodes import items, key_place, named, text
from threatmodel.beside.repository.github import image_pinned
from threatmodel.beside.repository.workflow import Command, Job, Reference, Step, Workflow, commands
from threatmodel.reading.problems import Place
from threatmodel.stacks.values import List, Node, Scalar, Table, entries, get

_GLOBAL = frozenset(
    ("default", "include", "stages", "variables", "workflow", "image", "services", "cache", "before_script")
) | {"after_script", "spec", "pages:deploy"}
_SCRIPTS = ("before_script", "script", "after_script")
_SHA = re.compile(r"[0-9a-f]{40}\Z")
_COMPONENT_SHA = re.compile(r"@[0-9a-f]{40}\Z")
_BRANCHES = frozenset(("push", "merge_request"))


def workflow(root: Node | None, file: str, source: str) -> Workflow | None:
    """Return a pipeline; None where the file has neither jobs nor includes."""
    if not isinstance(root, Table):
        return None
    jobs = {name for name, node in root.entries.items() if name not in _GLOBAL and isinstance(node, Table)}
    lines = source.split("\n")
    whole: dict[str, Table] = {}
    found = [
        _job(name, _whole(name, root, whole), place, root, lines)
        for name, _, place in named(root)
        if name in jobs and not name.startswith(".")
    ]
    includes = tuple(_includes(root))
    if includes:
        place = key_place(root, "include") or root.place
        found.append(Job(name="include", place=place, references=includes, env={}))
    return Workflow(file=file, service="GitLab CI", events=_BRANCHES, jobs=tuple(found)) if found else None


def _whole(name: str, root: Table, whole: dict[str, Table]) -> Table:
    """A job with what it extends, each worked out once; its own keys win, and of several the last."""
    if name not in whole:
        job = root.entries[name]
        whole[name] = job if isinstance(job, Table) else Table({}, job.place, {})  # of a circle as it is
        merged: dict[str, Node] = {}
        keys: dict[str, Place] = {}
        for base in dict.fromkeys(map(text, items(get(job, "extends")))):
            if base in root.entries:
                found = _whole(base, root, whole)
                merged |= found.entries
                keys |= found.keys
        own = whole[name]
        whole[name] = Table({**merged, **own.entries}, own.place, {**keys, **own.keys})
    return whole[name]


def _job(name: str, job: Table, place: Place, root: Table, lines: list[str]) -> Job:
    default = get(root, "default")
    env = {**entries(get(root, "variables")), **entries(get(job, "variables"))}
    tokens = get(job, "id_tokens") or get(default, "id_tokens")
    environment = get(job, "environment")
    allowed = get(job, "allow_failure")
    step = Step(
        place=place,
        commands=tuple(_commands(job, default, root, lines)),
        inputs={},
        env={},
        tolerated=isinstance(allowed, Scalar) and allowed.value is True,
    )
    return Job(
        name=name,
        place=place,
        steps=(step,),
        references=tuple(_images(job, default, root)),
        env=env,
        tokens=(key_place(job, "id_tokens") or tokens.place) if tokens is not None else None,
        environment=text(environment) or text(environment, "name"),
        condition="manual" if text(job, "when") == "manual" else "",
        needs=tuple(text(one) or text(one, "job") for one in items(get(job, "needs"))),
    )


def _commands(job: Table, default: Node | None, root: Table, lines: Sequence[str]) -> Iterator[Command]:
    for name in _SCRIPTS:
        found = next((one for one in (get(job, name), get(default, name), get(root, name)) if one is not None), None)
        for line in _flat(found):
            yield from commands(text(line), line.place, lines)


def _flat(node: Node | None) -> Iterator[Node]:
    """The lines of a script, in which lists may stand (anchors)."""
    for one in items(node):
        yield from _flat(one) if isinstance(one, List) else (one,)


def _images(job: Table, default: Node | None, root: Table) -> Iterator[Reference]:
    """The images of a job and of its services."""
    for name in ("image", "services"):
        found = next((one for one in (get(job, name), get(default, name), get(root, name)) if one is not None), None)
        for one in items(found):
            image = text(one) or text(one, "name")
            if image:
                yield Reference(image, one.place, image_pinned(image))


def _includes(root: Table) -> Iterator[Reference]:
    """The files of others that a pipeline includes; those of the same repository are none."""
    for one in items(get(root, "include")):
        if isinstance(one, Scalar):
            if (name := text(one)).startswith(("http://", "https://")):
                yield Reference(name, one.place, pinned=False)
            continue
        project, remote, component = text(one, "project"), text(one, "remote"), text(one, "component")
        if project:
            yield Reference(project, one.place, _SHA.match(text(one, "ref")) is not None)
        elif component:
            yield Reference(component, one.place, _COMPONENT_SHA.search(component) is not None)
        elif remote:
            yield Reference(remote, one.place, bool(text(one, "integrity")))
