"""Values of a workflow of any CI service: jobs, their steps, and the commands and actions of these."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from threatmodel.beside.folder import Unread
from threatmodel.reading.problems import Place
from threatmodel.reading.values import dataclass
from threatmodel.stacks.values import Node


class Command(NamedTuple):
    """One command of a script, without what only starts it (`npx`, `poetry run`); `tolerated`: it may fail."""

    text: str
    place: Place
    tolerated: bool = False


class Reference(NamedTuple):
    """Something that others publish and a job runs: an action, a reusable workflow, an image, an include.

    `pinned` is whether it is named by a commit or digest; None where the file does not show it.
    """

    name: str
    place: Place
    pinned: bool | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One step: the action that it uses with its inputs, or its commands; `env` are variables that it sets."""

    place: Place
    action: str = ""
    inputs: Mapping[str, Node]
    commands: tuple[Command, ...] = ()
    env: Mapping[str, Node]
    condition: str = ""
    tolerated: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One job.  `tokens` is the place where it may ask for an OIDC token; None where it may not.

    `writes` is whether its token may change the repository (None where no file shows it), `pushes` that it may push.
    `env` has the variables of the job and of its workflow, `environment` is the deployment environment ('' for none),
    `condition` has the texts of `if`.
    """

    name: str
    place: Place
    steps: tuple[Step, ...] = ()
    references: tuple[Reference, ...] = ()
    env: Mapping[str, Node]
    tokens: Place | None = None
    writes: bool | None = None
    pushes: bool = False
    environment: str = ""
    condition: str = ""
    secrets: bool = False
    needs: tuple[str, ...] = ()

    def commands(self) -> Iterator[tuple[Command, Step]]:
        """Each command, with its step."""
        for step in self.steps:
            yield from ((command, step) for command in step.commands)


@dataclass(frozen=True, slots=True, kw_only=True)
class Workflow:
    """One file of workflows; `service` runs it, `events` start it, and a clock does so `daily` or more often."""

    file: str
    service: str
    events: frozenset[str]
    jobs: tuple[Job, ...]
    daily: bool = False


def skipped(place: Place, why: str, remedy: str) -> Unread:
    """Return that a part was not read, the reason and what to do."""
    return Unread(place.file, f"{why}; {remedy}", place)


class Sighting(NamedTuple):
    """Something that a file shows, in words, with its line; `topic` is the kind of thing that it shows."""

    topic: str
    shown: str
    place: Place
