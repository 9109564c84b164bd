"""Values of a workflow of any CI service: jobs, their steps, and the commands and actions of these."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from threatmodel.beside.folder import Unread
from threatmodel.reading.problems import Place
from threatmodel.reading.values import dataclass
from threatmodel.stacks.values import Node

LONGEST_SCRIPT, LONGEST_LINE = 100_000, 8_000
"""Characters of a script, and of one of its lines, that are looked at."""

_CONTINUED = re.compile(r"\\\n[ \t]*")
_PART = re.compile(
    r"""'[^']*'|"(?:\\.|[^"\\])*"|\\.|\$\{\{.{0,400}?\}\}|(?P<comment>(?<!\S)\#.*)|(?P<end>\|\||&&|[;|&])"""
)
"""What a command consists of where a sign in it separates nothing, a comment, or what ends it."""
_STARTS = re.compile(
    r"""(?x)\A(?:
    (?:if|then|else|elif|do|while|until|!|time|exec|command|sudo|nice|env|\(|\{)(?=\s) |
    [A-Za-z_]\w*=(?:'[^']*'|"[^"]*"|\S)*(?=\s) |
    (?:npx|bunx|uvx|(?:pipx|uv|poetry|pipenv|pdm|hatch)\s+run|bundle\s+exec) (?:\s+--?[\w-]+)* (?=\s) |
    (?:pnpm|yarn)\s+(?:dlx|exec)(?=\s) | npm\s+exec(?:\s+--)?(?=\s) |
    (?:yarn|pnpm)(?=\s+(?:sls|serverless|cdk|sst|sam)\b) |
    python[\d.]*\s+-m(?=\s) | py\s+-m(?=\s)
    )\s+"""
)
"""What only starts another command: words of the shell, variables, runners of packages."""
_FOLDER = re.compile(r"\A(?:\S*/)?(?:node_modules/\.bin|\.?venv/bin|bin)/")
_HEREDOC = re.compile(r"<<-?\s*(['\"]?)([A-Za-z_]\w*)\1")


_LENIENT = re.compile(r"(?m)^\s*set\s+\+(?:\w*e|o\s+errexit)\b")
_STRICT = re.compile(r"(?m)^\s*set\s+-\w*o\s+pipefail\b")
"""Lines that let a script go on after an error, and that let a pipe fail where one of its commands does."""


def commands(script: str, place: Place, lines: Sequence[str], *, pipefail: bool = True) -> Iterator[Command]:
    """Yield the commands of a script at `place` of a file with these `lines`; `pipefail` is as the shell begins."""
    script = script[:LONGEST_SCRIPT]
    goes_on = _LENIENT.search(script) is not None
    lost = "||" if pipefail or _STRICT.search(script) else "|"
    first = _first_line(script, place, lines)
    heredoc = ""
    for number, line in _logical(script):
        if heredoc:
            heredoc = "" if line.strip() == heredoc else heredoc
            continue
        at = place._replace(line=first + number, column=1) if first else place
        for one in _split(line[:LONGEST_LINE], at, lost):
            yield one._replace(tolerated=True) if goes_on else one
        opened = _HEREDOC.search(line)
        heredoc = opened[2] if opened else ""


def _logical(script: str) -> Iterator[tuple[int, str]]:
    """The lines with those that continue them, each with the number of its first."""
    number = 0
    for line in _CONTINUED.sub("\0", script).split("\n"):
        yield number, line.replace("\0", " ")
        number += 1 + line.count("\0")


def _first_line(script: str, place: Place, lines: Sequence[str]) -> int:
    """The line of the file that a block's first line is on; 0 where the script is no block of the file as it is."""
    own = script.split("\n", 1)[0].strip()
    for line in range(place.line, place.line + 3):
        if line <= len(lines) and lines[line - 1].strip() == own:
            return line
    return 0


def _split(line: str, place: Place, lost: str) -> Iterator[Command]:
    """The commands of one line; one that `|| true`, `|| echo` or what is `lost` follows may fail."""
    begin, found = 0, list[tuple[str, str]]()
    for part in _PART.finditer(line):
        if part["comment"] is not None:
            line = line[: part.start()]
            break
        if part["end"]:
            found.append((line[begin : part.start()], part["end"]))
            begin = part.end()
    found.append((line[begin:], ""))
    for index, (text, end) in enumerate(found):
        after = found[index + 1][0].strip() if index + 1 < len(found) else ""
        if bare := _bare(text.strip()):
            kept = re.match(r"exit\s+[1-9]|false\b|\(|\{", after)
            yield Command(bare, place, end in {"||", lost} and not (end == "||" and kept))


def _bare(text: str) -> str:
    """A command without what only starts it."""
    while found := _STARTS.match(text):
        text = text[found.end() :]
    return _FOLDER.sub("", text)


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
