"""All that a model names as evidence, read before anything is concluded from it: this stage alone opens files."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from threatmodel.evidence.ages import Age
from threatmodel.evidence.deployments import age_of, deployed_with, home_of, read_as_deployed, undescribed
from threatmodel.evidence.environments import Environment, environments
from threatmodel.graph.elements import Source
from threatmodel.model.evidence_shape import BESIDE_KINDS, STACK_KINDS
from threatmodel.model.system import EvidenceFile, System
from threatmodel.reading.files import Files
from threatmodel.reading.problems import InputError, Place, Problem
from threatmodel.reading.project import real_path
from threatmodel.reading.values import dataclass, field, replace
from threatmodel.stacks.assumed import Assumed
from threatmodel.stacks.joining import apart, joined, together
from threatmodel.stacks.readers import LARGEST_PLAN, shows_deployed
from threatmodel.stacks.stack import Home, Stack
from threatmodel.stacks.work import Work

if TYPE_CHECKING:
    from threatmodel.beside.readers import Opened
    from threatmodel.evidence.probe_files import ProbeFile


_Key = TypeVar("_Key", int, str)
_Found = TypeVar("_Found")


@dataclass(frozen=True, kw_only=True)
class StackFiles:
    """The files of an environment: their stack with what the deployments give (`base`), and in any other world.

    `in_world` reads the texts again that were read; only what another world alone takes in is opened for it.  `ages`
    are those of plans, and why other files do not say what is deployed, and `homes` where each is, by label;
    `undescribed` are stacks that AWS has there and no entry describes, by the label of the one with the answer.
    """

    base: Assumed
    stack: Stack
    in_world: Callable[[Assumed], Stack]
    ages: Mapping[str, Age]
    homes: Mapping[str, Home | None] = field(default_factory=dict)
    undescribed: Mapping[str, Mapping[str, Place]] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Sources:
    """What was read of a model's evidence, by number among it.

    `stacks` has the files of each environment, under the number of its first one, `probes` the saved results, and
    `beside` what is beside these files.
    `named` has path and digest of each file, `deployed` are the numbers of those that show what was deployed, and
    `problems` say why others could not be used.
    """

    stacks: Mapping[int, StackFiles]
    probes: Mapping[int, ProbeFile]
    beside: Mapping[int, Opened]
    named: Mapping[int, Source]
    problems: tuple[Problem, ...]
    deployed: frozenset[int] = frozenset()


def read_sources(system: System, files: Files, work: Work | None = None) -> Sources:
    """Return all that the evidence of a model holds; the files of each environment have an equal share of the work.

    What cannot be used is among the problems; what exceeds the work is unknown.
    """
    work = Work() if work is None else work
    model = Path(system.file)
    problems: list[Problem] = []
    deployed = deployed_in(system, files)
    by_number = {one.number: one for one in environments(system, deployed)}
    shares = dict(zip(by_number, work.shares(len(by_number)), strict=True))
    stacks = _usable(by_number, lambda one: _stack_files(by_number[one], model, files, shares[one]), problems)
    unnamed = undescribed(system, files)
    stacks = {
        number: replace(one, undescribed={label: unnamed.get(at, {}) for at, label in by_number[number].labels.items()})
        for number, one in _of_one_place(system, stacks).items()
    }
    probes: dict[int, ProbeFile] = {}
    saved = {number: source for number, source in enumerate(system.evidence) if source.kind == "probe"}
    if saved:
        from threatmodel.evidence.probe_files import read_probe  # most models have no probe

        probes = _usable(saved, lambda number: read_probe(saved[number], model, files), problems)
    others = [number for number, source in enumerate(system.evidence) if source.kind in BESIDE_KINDS]
    beside: dict[int, Opened] = {}
    if others:
        from threatmodel.beside.readers import parsed  # most models name none

        beside = _usable(others, lambda one: parsed(read_beside(system.evidence[one], model, files)), problems)
    read = [*probes, *beside, *(number for one in stacks for number in by_number[one].labels)]
    named = _usable(
        sorted(read), lambda number: _named(system.evidence[number], model, files, beside.get(number)), problems
    )
    return Sources(
        stacks=stacks, probes=probes, beside=beside, named=named, problems=tuple(problems), deployed=deployed
    )


def read_beside(source: EvidenceFile, model: Path, files: Files) -> Opened:
    """Return what a model names beside the files that deploy it.  Raises InputError where it cannot be used."""
    from threatmodel.beside.readers import READERS  # most models name none

    return READERS[source.kind](files.named(source.path, model, source.place), files)


def deployed_in(system: System, files: Files) -> frozenset[int]:
    """Return the numbers of the files that show what was deployed; what cannot be read is none of them.

    One that has no resource of the code named for its environment is of another stack: it is read with that code.
    """
    model = Path(system.file)
    found: dict[bool, list[int]] = {True: [], False: []}
    for number, one in enumerate(system.evidence):
        with suppress(InputError):
            if one.kind in STACK_KINDS:
                path = files.named(one.path, model, one.place)
                found[shows_deployed(one.kind, path, files)].append(number)
    if not found[True] or not found[False]:
        return frozenset(found[True])
    written: dict[str, set[tuple[str, str]]] = {}
    for number in found[False]:
        written.setdefault(system.evidence[number].environment, set()).update(_resources(number, system, files))
    return frozenset(
        one
        for one in found[True]
        if not (code := written.get(system.evidence[one].environment)) or code & _resources(one, system, files)
    )


def _resources(number: int, system: System, files: Files) -> set[tuple[str, str]]:
    """The resources of a file; none where it cannot be read."""
    with suppress(InputError):
        stack = read_as_deployed(system.evidence[number], Path(system.file), files)
        return {(one.name, one.type) for one in stack.resources.values()}
    return set()


def _usable(keys: Iterable[_Key], work: Callable[[_Key], _Found], problems: list[Problem]) -> dict[_Key, _Found]:
    """What some work gives for each key; where it finds that a file cannot be used, its problems are noted."""
    found: dict[_Key, _Found] = {}
    for key in keys:
        try:
            found[key] = work(key)
        except InputError as error:
            problems += error.problems
    return found


def _each(labels: Iterable[str], work: Callable[[str], _Found]) -> Mapping[str, _Found]:
    """What some work gives for each file of an environment.  Raises InputError with the problems of all."""
    problems: list[Problem] = []
    found = _usable(labels, work, problems)
    if problems:
        raise InputError(problems)
    return found


def _stack_files(environment: Environment, model: Path, files: Files, work: Work) -> StackFiles:
    """The stack of an environment's files.  Raises InputError with every problem of those that cannot be used."""
    sources = environment.files
    base = replace(together(_each(sources, lambda label: deployed_with(sources[label], model, files))), work=work)

    def in_world(given: Assumed) -> Stack:
        found = joined(_each(sources, lambda one: read_as_deployed(sources[one], model, files, apart(given, one))))
        return replace(found, work=given.work or found.work)

    stack = in_world(base)
    own = {label: stack.joined.get(label, stack) for label in sources}
    ages = {label: age_of(one, own[label], model, files) for label, one in sources.items()}
    homes = {label: home_of(one, own[label], model, files) for label, one in sources.items()}
    return StackFiles(base=base, stack=stack, in_world=in_world, ages=ages, homes=homes)


def _of_one_place(system: System, stacks: Mapping[int, StackFiles]) -> dict[int, StackFiles]:
    """The files of each environment, with those in doubt that show another account or Region than the first one."""
    first: dict[str, tuple[Home, str]] = {}
    found = dict(stacks)
    for number, opened in stacks.items():
        environment = system.evidence[number].environment
        for label, home in opened.homes.items():
            file = opened.stack.joined.get(label, opened.stack).file
            other, its = first.setdefault(environment, (home, file)) if home is not None else (None, "")
            if other is not None and other != home:
                ages = {**found[number].ages, label: Age(why=_apart(other, home, its))}
                found[number] = replace(found[number], ages=ages)
    return found


def _apart(one: Home, other: Home | None, file: str) -> str:
    what = "account" if other is not None and one.account != other.account else "Region"
    return f"it shows another {what} than {file}; it counts as a statement (give it its own environment: NAME)"


def _named(source: EvidenceFile, model: Path, files: Files, opened: Opened | None) -> Source:
    """Which file it is, with its digest, to compare it with a later model that names others."""
    folder = real_path(model.parent)

    def path_of(path: str) -> str:
        return os.path.relpath(files.named(path, model, source.place), folder).replace(os.sep, "/") if path else ""

    chosen = {"parameters": path_of(source.parameters), "stage": source.stage, "code": path_of(source.code)}
    chosen["environment"] = source.environment
    chosen["deployed"] = ", ".join(map(path_of, source.deployed))
    if opened is not None:
        digest = opened.digest
        chosen["function"] = source.function
    else:
        text = files.text(files.named(source.path, model, source.place), LARGEST_PLAN)
        digest = hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()
    return Source(path_of(source.path), {key: value for key, value in chosen.items() if value}, digest, source.place)
