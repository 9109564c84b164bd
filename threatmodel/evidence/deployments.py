"""One file of infrastructure code with what is known of its deployment: parameters, answers of AWS, age, and Region."""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path

from threatmodel.evidence.ages import Age, other_files, plan_age
from threatmodel.model.system import EvidenceFile, System
from threatmodel.reading.files import Files, shown_path
from threatmodel.reading.problems import InputError, Place, listed, quoted
from threatmodel.stacks.assumed import DEFAULTS, Assumed
from threatmodel.stacks.cloudformation.described import Described
from threatmodel.stacks.deployment import described_stacks, description, given_values
from threatmodel.stacks.readers import read, shows_deployed
from threatmodel.stacks.stack import Home, Stack

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
