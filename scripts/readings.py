#!/usr/bin/env python3
"""How accurately the example's template is read: one change to it at a time, and its effect on the controls.

    .venv/bin/python scripts/readings.py [--write | --check]

Prints every mutant of scripts/readings.yaml with its effects, and the score: a mutant is caught if every
control that it should move did so as written (none moved, where none should), and collateral is every other control
whose state changed.  Fails where fewer than 98 in 100 are caught, or where one has more than one collateral change.
`--write` keeps table and score in docs/maintainers/readings.md; `--check` fails where that page differs.
"""

from __future__ import annotations

import argparse
import contextlib
import datetime
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

import yaml

HOME = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(HOME))  # started as a script, it finds the engine beside its own folder

from scripts.control_states import control_states  # noqa: E402
from threatmodel.evidence.collect import collect  # noqa: E402
from threatmodel.evidence.sources import read_sources  # noqa: E402
from threatmodel.graph.building import build  # noqa: E402
from threatmodel.library.entries import Library  # noqa: E402
from threatmodel.library.load import load_library  # noqa: E402
from threatmodel.model.load import load_model  # noqa: E402
from threatmodel.model.system import System  # noqa: E402
from threatmodel.reading.files import Files  # noqa: E402
from threatmodel.reading.source import LARGEST  # noqa: E402

MODEL = HOME / "models" / "slack-lambda.yaml"
TEMPLATE = HOME / "examples" / "slack-app" / "template.yaml"
MUTANTS = Path(__file__).with_name("readings.yaml")
PAGE = HOME / "docs" / "maintainers" / "readings.md"

AS_OF = datetime.date(2026, 11, 25)
"""The day for which states are worked out: a runtime that runs out later must not change the table."""
LEAST_CAUGHT = 98
"""Of 100 mutants."""
MOST_COLLATERAL = 1
"""Changes of a mutant that its table does not name."""

# Controls that a template can prove or deny, and that no mutant of this one template can move.
NOT_SHOWN: Mapping[str, str] = {
    "sse-c-blocked": "only S3 accepts a key with a request, and the example has no bucket",
    "encrypted-in-transit": "it applies to flows to a resource (a subscription, a database);"
    " all flows here are calls of AWS or Slack",
    "function-url-authentication": "no element of the model is a function URL",
    "store-public-write-blocked": "it is for buckets, and the example has none",
    "database-address-private": "it is for databases, and the example has none",
    "database-password-managed": "it is for databases, and the example has none",
    "queue-customer-managed-key": "the example's queue has no customer managed key, so there is no proof to remove",
    "guest-identities-off": "the example has no identity pool",
    "other-role-trust-restricted": "a template shows a role that is open to all, and never that no other is",
    "queue-readers-restricted": "the policy of the example's queue restricts who sends, and not who receives",
    "subscribers-restricted": "no element of the model is a topic or a bus",
    "log-data-protection": "the example's log group has no data protection policy, so there is no proof to remove",
    "authorizer-cache-scoped": "no route of the example has an authorizer",
    "uploads-scanned": "it is for buckets, and the example has none",
    "key-deletion-guarded": "the example's key can be deleted by its administrators, so there is no proof to remove",
    "runner-role-bound": "the example's pipeline has OIDC, and no build project",
    "tenant-isolation": "it is for functions that serve several tenants, which the model's statement denies",
}


class Change(NamedTuple):
    """A text that occurs once in the template, and what is there instead."""

    find: str
    replace: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Mutant:
    """A changed template: what its changes do in words, and the state that each `control@element` must get."""

    id: str
    says: str
    changes: tuple[Change, ...]
    moves: Mapping[str, str]

    def of(self, template: str) -> str:
        """The template's text with the changes made.  Raises ValueError where a text does not occur once."""
        for change in self.changes:
            found = template.count(change.find)
            if found != 1:
                raise ValueError(f"{self.id}: {change.find.splitlines()[0]!r} occurs {found} times")
            template = template.replace(change.find, change.replace)
        return template


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What a mutant did: every `control@element` whose state it changed, with the states before and after."""

    mutant: Mutant
    moved: Mapping[str, tuple[str, str]]

    @property
    def caught(self) -> bool:
        """Whether everything moved that should; nothing at all, where nothing should."""
        return not self.missed and bool(self.mutant.moves or not self.moved)

    @property
    def missed(self) -> tuple[str, ...]:
        """What should have got another state and did not."""
        return tuple(name for name, state in self.mutant.moves.items() if self.moved.get(name, ("", ""))[1] != state)

    @property
    def collateral(self) -> tuple[str, ...]:
        """What changed and should not have."""
        return tuple(name for name in self.moved if name not in self.mutant.moves)


@dataclass(frozen=True, slots=True)
class Score:
    """How many mutants are caught, of how many, and the most collateral changes that one has."""

    caught: int
    mutants: int
    collateral: int

    @property
    def good(self) -> bool:
        """Whether it is as good as it has to be."""
        return self.caught * 100 >= self.mutants * LEAST_CAUGHT and self.collateral <= MOST_COLLATERAL

    def __str__(self) -> str:
        """The score as the command prints it."""
        return f"caught {self.caught} of {self.mutants}, collateral {self.collateral}"


class _Changed(Files):
    """Files of which one has another text."""

    def __init__(self, path: Path, text: str) -> None:
        super().__init__()
        self._changed = path.resolve()
        self._text = text

    def text(self, path: Path, largest: int = LARGEST, hint: str = "") -> str:
        return self._text if path.resolve() == self._changed else super().text(path, largest, hint)


def states(system: System, library: Library, template: str) -> dict[str, str]:
    """The state of every control on every element of its scope, by `control@element`, under a template's text."""
    evidence, read = collect(system, read_sources(system, _Changed(TEMPLATE, template)))
    graph = build(system, evidence, AS_OF, read)
    return control_states(graph, library, AS_OF)


def run() -> tuple[dict[str, str], tuple[Outcome, ...]]:
    """The states under the template as it is, and what each mutant does to them.

    A flow that a mutant makes or takes away has no state to compare.
    """
    with contextlib.chdir(HOME):  # the project that the model's evidence has to be in
        model, library = load_model(Files(), MODEL), load_library(HOME / "threatlib")
        # the probe shows what the handler does, whatever the template says
        system = replace(model, evidence=tuple(one for one in model.evidence if one.kind == "template"))
        template = TEMPLATE.read_text(encoding="utf-8")
        before = states(system, library, template)
        outcomes = []
        for mutant in mutants():
            after = states(system, library, mutant.of(template))
            both = ((name, state, after[name]) for name, state in before.items() if name in after)
            moved = {name: (state, new) for name, state, new in both if new != state}
            outcomes.append(Outcome(mutant=mutant, moved=moved))
    return before, tuple(outcomes)


def mutants() -> tuple[Mutant, ...]:
    """The mutants, in the file's order."""
    return tuple(
        Mutant(
            id=one["id"],
            says=one["says"],
            changes=tuple(Change(**change) for change in one["changes"]),
            moves=one["moves"],
        )
        for one in yaml.safe_load(MUTANTS.read_text(encoding="utf-8"))
    )


def score(outcomes: Sequence[Outcome]) -> Score:
    """The score of what mutants did."""
    caught = sum(one.caught for one in outcomes)
    return Score(caught, len(outcomes), max((len(one.collateral) for one in outcomes), default=0))


# --- output


def table(outcomes: Sequence[Outcome]) -> str:
    """One line a mutant; under it what was missed and what changed besides."""
    lines = []
    for one in outcomes:
        lines.append(f"{'caught' if one.caught else 'MISSED'}  {one.mutant.id}: {one.mutant.says}")
        lines += [f"          {name}: {_moved(one, name)}" for name in one.mutant.moves if name not in one.missed]
        lines += [f"  missed  {name}: {one.mutant.moves[name]} expected, {_moved(one, name)}" for name in one.missed]
        lines += [f"  besides {name}: {_moved(one, name)}" for name in one.collateral]
    return "\n".join(lines)


def _moved(one: Outcome, name: str) -> str:
    before, after = one.moved.get(name, ("", ""))
    return f"{before} -> {after}" if after else "it did not change"


_INTRODUCTION = """\
# The effects of single changes to a template

This page measures how accurately a template is read. `examples/slack-app/template.yaml` deploys the default model.
Each row is one change to it, with the effect on the controls. The expected effect is written by hand in
`scripts/readings.yaml`. A mutant is caught if every control in its table gets the expected state. Any other control
whose state changes is an unexpected change.

**{score}**: {caught} of {mutants} mutants are caught, and none has more than {collateral} unexpected change. The
check fails below {least} in 100, or above {most} unexpected change. `scripts/readings.py --write` writes this page,
for states as of {day}.

A state is *contradicted* if the model claims what the template denies, and *absent* if it claims nothing. It is
*claimed* or *unknown* if the template no longer shows it. Flows that a change adds or removes are not counted,
because they lack one of the two states.
"""


def page(outcomes: Sequence[Outcome]) -> str:
    """docs/maintainers/readings.md: the score, every mutant, and what this template cannot show."""
    found = score(outcomes)
    in_hundred = found.caught * 100 // found.mutants
    text = _INTRODUCTION.format(
        score=f"{in_hundred} in 100",
        caught=found.caught,
        mutants=found.mutants,
        collateral=found.collateral,
        least=LEAST_CAUGHT,
        most=MOST_COLLATERAL,
        day=AS_OF,
    )
    rows = ["", "| mutant | change | effect |", "| --- | --- | --- |"]
    rows += [f"| `{one.mutant.id}` | {one.mutant.says} | {'<br>'.join(_cells(one)) or 'nothing'} |" for one in outcomes]
    rows += ["", "## What this template cannot show", ""]
    rows += ["Templates state the facts of these controls too, but no change to this template affects them.", ""]
    rows += [f"- `{control}`: {why}." for control, why in NOT_SHOWN.items()]
    return text + "\n".join(rows) + "\n"


def _cells(one: Outcome) -> Iterator[str]:
    for name in one.mutant.moves:
        yield f"`{name}`: {_moved(one, name)}" + (f" (**missed**: {one.mutant.moves[name]})" * (name in one.missed))
    for name in one.collateral:
        yield f"`{name}`: {_moved(one, name)} (**besides**)"


def main() -> int:
    """Prints, writes or compares; the exit code."""
    parser = argparse.ArgumentParser(description="How well the example's template is read.")
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--write", action="store_true", help="write docs/maintainers/readings.md")
    what.add_argument("--check", action="store_true", help="fail where docs/maintainers/readings.md differs")
    arguments = parser.parse_args()
    _, outcomes = run()
    found = score(outcomes)
    print(f"{table(outcomes)}\n{found}")
    if arguments.write:
        PAGE.write_text(page(outcomes), encoding="utf-8")
    elif arguments.check and (not PAGE.is_file() or PAGE.read_text(encoding="utf-8") != page(outcomes)):
        print(f"docs/{PAGE.name} is not current: run scripts/readings.py --write")
        return 1
    return 0 if found.good else 1


if __name__ == "__main__":
    raise SystemExit(main())
