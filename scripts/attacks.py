#!/usr/bin/env python3
"""Attempts of an insider: changes that weaken a deployed system, and whether a proof remains.

    .venv/bin/python scripts/attacks.py [--write | --check] [ID ...]

Runs the attempts of tests/evidence/attacks/*.yaml, all or those that are named, and prints what each did.  Fails if
one has another result than its file states.  `--write` keeps the table in docs/maintainers/adversary.md; `--check`
fails if that page differs.
"""

from __future__ import annotations

import argparse
import contextlib
import datetime
import functools
import sys
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import yaml

HOME = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(HOME))  # started as a script, it finds the engine beside its own folder

from scripts.attack_plans import as_plan  # noqa: E402
from scripts.control_states import control_states  # noqa: E402
from threatmodel.evidence.collect import collect  # noqa: E402
from threatmodel.evidence.every_function import with_functions  # noqa: E402
from threatmodel.evidence.sources import read_sources  # noqa: E402
from threatmodel.graph.building import build  # noqa: E402
from threatmodel.library.directions import Directions, directions  # noqa: E402
from threatmodel.library.entries import Library  # noqa: E402
from threatmodel.library.load import load_library  # noqa: E402
from threatmodel.model.facts import EVIDENCE  # noqa: E402
from threatmodel.model.load import load_model  # noqa: E402
from threatmodel.reading.files import Files  # noqa: E402
from threatmodel.reading.problems import InputError  # noqa: E402

ATTACKS = HOME / "tests" / "evidence" / "attacks"
BASES = ATTACKS / "bases"
PAGE = HOME / "docs" / "maintainers" / "adversary.md"

AS_OF = datetime.date(2026, 11, 25)
"""The day for which states are worked out."""
PROVEN = "proven"
REFUSED = "refused"
"""The state if the files are rejected."""

EXAMPLE: Mapping[str, Path] = {
    "model": HOME / "models" / "slack-lambda.yaml",
    "platform": HOME / "models" / "platform.yaml",
    "template": HOME / "examples" / "slack-app" / "template.yaml",
    "probe": HOME / "examples" / "slack-app" / "order-bot.probe.json",
}
"""The files of the base that is called `example`, by the names under which an attempt changes them."""


class Change(NamedTuple):
    """A text that occurs once in a file, and what is there instead."""

    find: str
    replace: str


class Edit(NamedTuple):
    """Changes to files by their names, and what is added to the resources of the first file of evidence."""

    changes: Mapping[str, Sequence[Change]]
    adds: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Attack:
    """One attempt: what it changes where, and what may no longer be proven, or still must be.

    `given` is done to the base first, so that what should fall is proven before.  `through` says why it still gets
    through, where it does: then something that should fall is proven after all.
    """

    id: str
    topic: str
    says: str
    base: str
    given: Edit
    edit: Edit
    falls: tuple[str, ...]
    stays: tuple[str, ...]
    repaired: bool
    through: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What an attempt did to the states that it names: before and after."""

    attack: Attack
    before: Mapping[str, str]
    after: Mapping[str, str]

    @property
    def proven(self) -> tuple[str, ...]:
        """What should have fallen, and is called proven still."""
        return tuple(name for name in self.attack.falls if self.after.get(name) == PROVEN)

    @property
    def lost(self) -> tuple[str, ...]:
        """What should have stayed proven, and is not."""
        return tuple(name for name in self.attack.stays if self.after.get(name) != PROVEN)

    @property
    def empty(self) -> tuple[str, ...]:
        """What was not proven in the first place, so that the attempt shows nothing."""
        named = (*self.attack.falls, *self.attack.stays)
        return tuple(name for name in named if self.before.get(name) != PROVEN)

    @property
    def as_expected(self) -> bool:
        """Whether it comes out as its file says."""
        fell = bool(self.proven) if self.attack.through else not self.proven
        return fell and not self.lost and not self.empty


def attacks(folder: Path = ATTACKS) -> tuple[Attack, ...]:
    """All attempts of a folder, in the order of the files and in them."""
    wholes = (yaml.load(path.read_bytes(), Loader=yaml.CSafeLoader) for path in sorted(folder.glob("*.yaml")))
    return tuple(_attack(one, whole["title"]) for whole in wholes for one in whole["attacks"])


def _attack(one: Mapping[str, Any], topic: str) -> Attack:
    return Attack(
        id=one["id"],
        topic=topic,
        says=one["says"],
        base=one.get("base", "example"),
        given=_edit(one.get("given", {})),
        edit=_edit(one),
        falls=tuple(one.get("falls", ())),
        stays=tuple(one.get("stays", ())),
        repaired=one.get("repaired", False),
        through=one.get("through", ""),
    )


def _edit(one: Mapping[str, Any]) -> Edit:
    changes = one.get("changes", {})
    by_file = changes if isinstance(changes, dict) else {"": changes}
    return Edit({file: tuple(Change(**each) for each in some) for file, some in by_file.items()}, one.get("adds", ""))


def run(attack: Attack) -> Outcome:
    """Makes the changes of an attempt and works out the states that it names."""
    named = (*attack.falls, *attack.stays)
    paths = _paths(attack.base)
    given = _edited(paths, {}, attack.given, attack.id)
    before = _states(attack.base, tuple(sorted(given.items())))
    try:
        after = _states(attack.base, tuple(sorted(_edited(paths, given, attack.edit, attack.id).items())))
    except InputError:
        after = dict.fromkeys(named, REFUSED)
    return Outcome(
        attack=attack,
        before={name: before.get(name, "") for name in named},
        after={name: after.get(name, "") for name in named},
    )


def _paths(base: str) -> Mapping[str, Path]:
    """The files of a base by the names under which they are changed: without their ending, model and the evidence."""
    if base == "example":
        return EXAMPLE
    return {path.name.split(".")[0]: path for path in sorted((BASES / base).iterdir())}


def _edited(paths: Mapping[str, Path], texts: Mapping[str, str], edit: Edit, name: str) -> Mapping[str, str]:
    """The files that an edit and those before it change, by name.  Raises ValueError where it does not fit."""
    found = dict(texts)
    deployed = next(one for one in paths if one not in {"model", "platform", "probe"})
    for file, changes in edit.changes.items():
        at = file or deployed
        text = found.get(at) or paths[at].read_text(encoding="utf-8")
        for change in changes:
            if text.count(change.find) != 1:
                raise ValueError(f"{name}: {change.find!r} occurs {text.count(change.find)} times in {at}")
            text = text.replace(change.find, change.replace)
        found[at] = text
    if edit.adds:
        text = found.get(deployed) or paths[deployed].read_text(encoding="utf-8")
        found[deployed] = _added(text, edit.adds, _DEPTH[deployed])
    return found


_DEPTH = {"template": "  ", "serverless": "    ", "plan": ""}
"""How far resources are indented in a file of evidence."""


def _added(text: str, resources: str, depth: str) -> str:
    """A file with more resources, at the end or before a template's outputs."""
    head, found, tail = text.partition("\nOutputs:")
    return f"{head.rstrip()}\n\n{textwrap.indent(resources, depth)}\n{found}{tail}"


@functools.cache
def _library() -> tuple[Library, Directions]:
    library = load_library(HOME / "threatlib")
    return library, directions(library)


@functools.cache
def _states(base: str, texts: tuple[tuple[str, str], ...]) -> Mapping[str, str]:
    """The state of every control on every element of its scope, by `control@element`, with some files changed.

    `control itself@element` is what its own facts prove, without the controls that it requires.
    """
    paths = _paths(base)
    instead: dict[Path | str, str] = {paths[name]: as_plan(text) if name == "plan" else text for name, text in texts}
    if "plan" in paths and paths["plan"] not in instead:
        instead[paths["plan"]] = as_plan(paths["plan"].read_text(encoding="utf-8"))
    if base == "example":
        instead |= _beside_the_code(instead)
    library, ways = _library()
    with contextlib.chdir(HOME):  # the project that the model's evidence has to be in
        files = Files(HOME, texts=instead)
        system = load_model(files, paths["model"])
        sources = read_sources(system, files)
        system = with_functions(system, sources)
        evidence, read = collect(system, sources, ways, AS_OF)
        graph = build(system, evidence, AS_OF, read)
    by_facts = {
        f"{control.id} itself@{target.id}": PROVEN
        for control in library.controls.values()
        for target in graph.targets()
        if control.requires and target.kind == control.scope and control.in_place is not None
        if control.in_place.truth(target.facts) == EVIDENCE
    }
    return {**control_states(graph, library, AS_OF), **by_facts}


def _beside_the_code(texts: Mapping[Path | str, str]) -> Mapping[Path | str, str]:
    """The example's model and template as if the template lay outside the folder of the code.

    Where it is, it is a part of what was probed, so that any change of it takes every proof of the probe.
    """
    model, template = EXAMPLE["model"], EXAMPLE["template"]
    on_disk = template.read_text(encoding="utf-8")
    named = texts.get(model) or model.read_text(encoding="utf-8")
    return {
        model: named.replace("/slack-app/template.yaml", "/template.yaml"),
        template: on_disk,
        template.parent.parent / template.name: (texts.get(template) or on_disk).replace(
            "CodeUri: .\n", "CodeUri: slack-app\n", 1
        ),
    }


# --- output


def table(outcomes: Sequence[Outcome]) -> str:
    """One line an attempt, and under it what is not as its file says."""
    lines = []
    for one in outcomes:
        said = "; ".join(f"{name} {one.before[name] or 'none'} -> {one.after[name] or 'none'}" for name in one.before)
        lines.append(f"{'as expected' if one.as_expected else 'WRONG  '} {one.attack.id}: {said}")
        lines += [f"  proven all the same: {name}" for name in one.proven if not one.attack.through]
        lines += [f"  lost: {name}" for name in one.lost]
        lines += [f"  not proven in the first place: {name}" for name in one.empty]
        if one.attack.through and not one.proven:
            lines.append("  no longer gets through")
    return "\n".join(lines)


_INTRODUCTION = """\
# Attacks

A control may be called *proven* only if no pull request can weaken the system and keep the proof. An author may
change the template, the plan, serverless.yml or the model. `tests/evidence/attacks/` has such attempts as data: a
change, and what may no longer be proven after it. `scripts/attacks.py` applies them to the example's files, to a
Terraform plan, to a serverless.yml and to two stacks, and the test suite runs them. Unlike [mutants.md](mutants.md),
they are not generated. Each was written to succeed.

{attempts} attempts: {held} were detected at first, {repaired} were detected after a repair, and {through} still
succeed. {stays} of them also name what must *stay* proven, because a proof that any change removes is worthless
too.

| topic | attempts | detected | repaired | succeed |
| --- | --- | --- | --- | --- |
{rows}

## Attempts that still succeed, and why
"""


def page(every: Sequence[Attack]) -> str:
    """docs/maintainers/adversary.md: the counts by what is attacked, what gets through and why, and every attempt."""
    topics = list(dict.fromkeys(one.topic for one in every))
    rows = "\n".join(_row(topic, [one for one in every if one.topic == topic]) for topic in topics)
    through = [one for one in every if one.through]
    text = _INTRODUCTION.format(
        attempts=len(every),
        held=sum(not one.repaired and not one.through for one in every),
        repaired=sum(one.repaired for one in every),
        through=len(through),
        stays=sum(bool(one.stays) for one in every),
        rows=rows,
    )
    lines = [text, *(f"- `{one.id}`: {one.says} {one.through}" for one in through)]
    for topic in topics:
        lines += ["", f"## {topic}", "", "| attempt | change | no longer proven |", "| --- | --- | --- |"]
        lines += [_attempt(one) for one in every if one.topic == topic]
    return "\n".join(lines) + "\n"


def _row(topic: str, some: Sequence[Attack]) -> str:
    held = sum(not one.repaired and not one.through for one in some)
    counts = len(some), held, sum(one.repaired for one in some), sum(bool(one.through) for one in some)
    return f"| {topic} | {' | '.join(map(str, counts))} |"


def _attempt(one: Attack) -> str:
    falls = ", ".join(f"`{name}`" for name in one.falls)
    stays = ", ".join(f"`{name}`" for name in one.stays)
    what = "; ".join(part for part in (falls, f"stays: {stays}" if stays else "") if part)
    mark = " (succeeds)" if one.through else " (repaired)" if one.repaired else ""
    return f"| `{one.id}` | {one.says} | {what}{mark} |"


def main() -> int:
    """Prints, writes or compares; the exit code."""
    parser = argparse.ArgumentParser(description="Run the attempts to keep a proof that is no longer true.")
    parser.add_argument("ids", nargs="*", metavar="ID", help="an attempt (default: all)")
    parser.add_argument(
        "--folder", type=Path, default=ATTACKS, help="the folder of the attempts (default: the suite's)"
    )
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--write", action="store_true", help="write docs/maintainers/adversary.md")
    what.add_argument("--check", action="store_true", help="fail where docs/maintainers/adversary.md differs")
    arguments = parser.parse_args()
    every = attacks(arguments.folder)
    if arguments.write:
        PAGE.write_text(page(every), encoding="utf-8")
    if arguments.check and PAGE.read_text(encoding="utf-8") != page(every):
        print(f"docs/{PAGE.name} is not current: run scripts/attacks.py --write")
        return 1
    outcomes = [run(one) for one in every if not arguments.ids or one.id in arguments.ids]
    print(table(outcomes))
    return 0 if all(one.as_expected for one in outcomes) else 1


if __name__ == "__main__":
    raise SystemExit(main())
