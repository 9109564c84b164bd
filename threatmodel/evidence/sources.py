"""All that a model names as evidence, read before anything is concluded from it: this stage alone opens files."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from threatmodel.evidence.ages import Age, other_files, plan_age
from threatmodel.evidence.environments import Environment, environments
from threatmodel.graph.elements import Source
from threatmodel.model.file import BESIDE_KINDS
from threatmodel.model.system import EvidenceFile, System
from threatmodel.reading.files import Files, shown_path
from threatmodel.reading.problems import InputError, Problem
from threatmodel.reading.project import real_path
from threatmodel.reading.values import dataclass, replace
from threatmodel.stacks.assumed import DEFAULTS, Assumed
from threatmodel.stacks.joining import apart, joined, together
from threatmodel.stacks.readers import LARGEST_PLAN, read
from threatmodel.stacks.stack import Stack
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
    are those of plans, and why other files do not say what is deployed, by label.
    """

    base: Assumed
    stack: Stack
    in_world: Callable[[Assumed], Stack]
    ages: Mapping[str, Age]


@dataclass(frozen=True, kw_only=True)
class Sources:
    """What was read of a model's evidence, by number among it.

    `stacks` has the files of each environment, under the number of its first one, `probes` the saved results, and
    `beside` what is beside these files.
    `named` has path and digest of each file, and `problems` why others could not be used.
    """

    stacks: Mapping[int, StackFiles]
    probes: Mapping[int, ProbeFile]
    beside: Mapping[int, Opened]
    named: Mapping[int, Source]
    problems: tuple[Problem, ...]


def read_sources(system: System, files: Files, work: Work | None = None) -> Sources:
    """Return all that the evidence of a model holds; the files of each environment have an equal share of the work.

    What cannot be used is among the problems; what exceeds the work is unknown.
    """
    work = Work() if work is None else work
    model = Path(system.file)
    problems: list[Problem] = []
    by_number = {one.number: one for one in environments(system)}
    shares = dict(zip(by_number, work.shares(len(by_number)), strict=True))
    stacks = _usable(by_number, lambda one: _stack_files(by_number[one], model, files, shares[one]), problems)
    probes: dict[int, ProbeFile] = {}
    saved = {number: source for number, source in enumerate(system.evidence) if source.kind == "probe"}
    if saved:
        from threatmodel.evidence.probe_files import read_probe  # most models have no probe

        probes = _usable(saved, lambda number: read_probe(saved[number], model, files), problems)
    others = [number for number, source in enumerate(system.evidence) if source.kind in BESIDE_KINDS]
    beside = _usable(others, lambda number: read_beside(system.evidence[number], model, files), problems)
    read = [*probes, *beside, *(number for one in stacks for number in by_number[one].labels)]
    named = _usable(
        sorted(read), lambda number: _named(system.evidence[number], model, files, beside.get(number)), problems
    )
    return Sources(stacks=stacks, probes=probes, beside=beside, named=named, problems=tuple(problems))


def read_beside(source: EvidenceFile, model: Path, files: Files) -> Opened:
    """Return what a model names beside the files that deploy it.  Raises InputError where it cannot be used."""
    from threatmodel.beside.readers import READERS  # most models name none

    return READERS[source.kind](files.named(source.path, model, source.place), files)


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
    base = together(_each(sources, lambda label: _deployed_with(sources[label], model, files))).within(work)
    paths = _each(sources, lambda label: files.named(sources[label].path, model, sources[label].place))

    def in_world(given: Assumed) -> Stack:
        found = joined(_each(paths, lambda one: read(sources[one].kind, paths[one], files, apart(given, one))))
        return replace(found, work=given.work or found.work)

    ages = {label: age_of(one, model, files) for label, one in sources.items()}
    return StackFiles(base=base, stack=in_world(base), in_world=in_world, ages=ages)


def age_of(source: EvidenceFile, model: Path, files: Files) -> Age:
    """Return how old a plan is, and why another file may not say what is deployed.  Raises InputError."""
    path = files.named(source.path, model, source.place)
    if source.kind == "plan":
        return plan_age(path, files)
    if not source.parameters:
        return Age()
    return Age(why=other_files(source, path, files.named(source.parameters, model, source.place), files))


def read_as_deployed(source: EvidenceFile, model: Path, files: Files) -> Stack:
    """Return the stack of one file with what its deployment gives.  Raises InputError where it cannot be used."""
    path = files.named(source.path, model, source.place)
    return read(source.kind, path, files, _deployed_with(source, model, files))


def _deployed_with(source: EvidenceFile, model: Path, files: Files) -> Assumed:
    """What the deployment gives the file's parameters, as far as the model names it.  Raises InputError."""
    if source.kind == "serverless" and source.stage:
        return Assumed(values={"opt:stage": source.stage}, stated={"opt:stage": source.place})
    if not source.parameters:
        return DEFAULTS
    from threatmodel.stacks.deployment import given_values

    path = files.named(source.parameters, model, source.place)
    return given_values(files.text(path), shown_path(path), source.stage or "default")


def _named(source: EvidenceFile, model: Path, files: Files, opened: Opened | None) -> Source:
    """Which file it is, with its digest, to compare it with a later model that names others."""
    folder = real_path(model.parent)

    def path_of(path: str) -> str:
        return os.path.relpath(files.named(path, model, source.place), folder).replace(os.sep, "/") if path else ""

    chosen = {"parameters": path_of(source.parameters), "stage": source.stage, "code": path_of(source.code)}
    chosen["environment"] = source.environment
    if opened is not None:
        digest = opened.digest
        chosen["function"] = source.function
    else:
        text = files.text(files.named(source.path, model, source.place), LARGEST_PLAN)
        digest = hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()
    return Source(path_of(source.path), {key: value for key, value in chosen.items() if value}, digest, source.place)
