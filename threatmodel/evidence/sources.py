"""All that a model names as evidence, read before anything is concluded from it: this stage alone opens files."""

from __future__ import annotations

import datetime
import hashlib
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from threatmodel.evidence.ages import Age, other_files, plan_age
from threatmodel.evidence.environments import Environment, environments
from threatmodel.graph.elements import Source
from threatmodel.model.evidence_shape import BESIDE_KINDS, STACK_KINDS
from threatmodel.model.system import EvidenceFile, System
from threatmodel.reading.files import Files, shown_path
from threatmodel.reading.problems import InputError, Place, Problem, listed, quoted
from threatmodel.reading.project import real_path
from threatmodel.reading.values import dataclass, field, replace
from threatmodel.stacks.assumed import DEFAULTS, Assumed
from threatmodel.stacks.cloudformation.described import Described
from threatmodel.stacks.deployment import described_stacks, description, given_values
from threatmodel.stacks.joining import apart, joined, together
from threatmodel.stacks.readers import LARGEST_PLAN, read, shows_deployed
from threatmodel.stacks.stack import Home, Stack
from threatmodel.stacks.work import Work

if TYPE_CHECKING:
    from threatmodel.beside.readers import Opened
    from threatmodel.evidence.probe_files import ProbeFile


_Key = TypeVar("_Key", int, str)
_Found = TypeVar("_Found")
_OWN_ENVIRONMENT = "it counts as a statement (give it its own environment: NAME)"


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
                what = "account" if home is not None and other.account != home.account else "Region"
                why = f"it shows another {what} than {its}; {_OWN_ENVIRONMENT}"
                ages = {**found[number].ages, label: Age(why=why)}
                found[number] = replace(found[number], ages=ages)
    return found


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


# --- one file with what is known of its deployment
_DEFAULT = "default"


def read_as_deployed(source: EvidenceFile, model: Path, files: Files, given: Assumed | None = None) -> Stack:
    """Return the stack of one file with what its deployment gives, or is `given`.  Raises InputError."""
    path = files.named(source.path, model, source.place)
    found = read(source.kind, path, files, deployed_with(source, model, files) if given is None else given)
    if not source.deployed:
        return found
    from threatmodel.stacks.in_account import answers_in, held_to

    return held_to(found, answers_in(_answers(source, model, files)))


def deployed_with(source: EvidenceFile, model: Path, files: Files) -> Assumed:
    """Return what the deployment gives the file's parameters, as far as the model names it.  Raises InputError."""
    if source.kind == "serverless" and source.stage:
        return Assumed(values={"opt:stage": source.stage}, stated={"opt:stage": source.place})
    if not source.parameters:
        return DEFAULTS
    path = files.named(source.parameters, model, source.place)
    return given_values(files.text(path), shown_path(path), source.stage or _DEFAULT)


def age_of(source: EvidenceFile, stack: Stack | None, model: Path, files: Files) -> Age:
    """Return how old a file is, and why it may not be what is deployed; `stack` is what it holds, if it is read.

    Raises InputError.
    """
    path = files.named(source.path, model, source.place)
    if source.kind == "plan":
        return plan_age(path, files)
    age = _saved(source, path, files)._replace(latest=_latest(source, model, files))
    why = next(_doubts(source, path, stack, age, model, files), "")
    return age._replace(why=why) if why else age


def home_of(source: EvidenceFile, stack: Stack, model: Path, files: Files) -> Home | None:
    """Return the account and the Region of a file's stack, as far as an answer of AWS or a state shows them."""
    found = _described(source, model, files) if source.parameters else None
    return found.home if found is not None else stack.home


def undescribed(system: System, files: Files) -> Mapping[int, Mapping[str, Place]]:
    """Return the stacks that AWS answers and no entry describes, by the number of the first entry with the answer.

    What cannot be read has none: reading it says why.
    """
    model = Path(system.file)
    answers: dict[str, tuple[int, dict[str, Place]]] = {}
    for number, one in enumerate(system.evidence):
        with suppress(InputError):
            found = _described(one, model, files) if one.parameters else None
            if found is not None:
                path = files.named(one.parameters, model, one.place)
                _, stacks = answers.setdefault(
                    str(path), (number, dict(described_stacks(files.text(path), shown_path(path))))
                )
                stacks.pop(found.name, None)
    return dict(answers.values())


def _saved(source: EvidenceFile, path: Path, files: Files) -> Age:
    if not shows_deployed(source.kind, path, files):
        return Age()
    from threatmodel.evidence.ages import saved_age

    return saved_age(path, files)


def _latest(source: EvidenceFile, model: Path, files: Files) -> datetime.datetime | None:
    """The latest time that the answers about a file's stack have."""
    stack = _described(source, model, files) if source.parameters else None
    times = [stack.changed] if stack is not None else []
    if source.deployed:
        from threatmodel.stacks.in_account import answers_in

        times += answers_in(_answers(source, model, files)).times
    return max(filter(None, times), default=None)


def _doubts(  # noqa: PLR0913, PLR0917 - all that is known of one file
    source: EvidenceFile, path: Path, stack: Stack | None, age: Age, model: Path, files: Files
) -> Iterator[str]:
    """Yield why a file may not be what is deployed."""
    if age.why:
        yield age.why
    if stack is not None and stack.outdated:
        yield stack.outdated
    if source.kind == "template":
        yield from filter(None, _elsewhere(source, path, model, files))
    found = _described(source, model, files) if source.parameters else None
    if found is not None:
        from threatmodel.evidence.ages import doubts_of

        yield from doubts_of(found, age, is_saved=bool(age.days))
        known = found.values.keys() | found.withheld
        lacking = sorted(stack.parameters.keys() - known) if stack is not None else ()
        if lacking:
            what = f"the stack {quoted(found.name)} has no parameter {listed(map(quoted, lacking), 3)}"
            yield f"{what}, so it was deployed from another template; this one counts as a statement"


def _elsewhere(source: EvidenceFile, path: Path, model: Path, files: Files) -> Iterator[str]:
    """Yield why another template than this one may be deployed."""
    from threatmodel.evidence.copies import differing_copy

    if source.parameters:
        yield other_files(path, files.named(source.parameters, model, source.place), source.stage or _DEFAULT, files)
    elif files.has(config := path.parent / "samconfig.toml"):
        yield other_files(path, config, "", files)
    yield differing_copy(path, files)


def _described(source: EvidenceFile, model: Path, files: Files) -> Described | None:
    """The stack that the file of parameters describes, where it is an answer of AWS."""
    path = files.named(source.parameters, model, source.place)
    return description(files.text(path), shown_path(path), source.stage)


def _answers(source: EvidenceFile, model: Path, files: Files) -> Mapping[str, str]:
    """The texts of the answers about a template's stack, by their names."""
    paths = [files.named(one, model, source.place) for one in source.deployed]
    return {shown_path(path): files.text(path) for path in paths}
