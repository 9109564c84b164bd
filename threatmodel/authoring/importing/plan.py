"""What `tm.py import` does: a file of infrastructure code to a new model, or to an update of one."""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from threatmodel.assessment.drift import Absence
from threatmodel.authoring.importing import deployed
from threatmodel.authoring.importing.beside import beside
from threatmodel.authoring.importing.entries import NOTHING, ElementEntry, Whole, entries
from threatmodel.authoring.importing.model import (
    ALONE,
    NamedFile,
    check_elements,
    new_model,
    reference_to,
)
from threatmodel.authoring.importing.sources import Source, sources
from threatmodel.evidence.environments import also_named, clashes, labels_of
from threatmodel.evidence.mappings.load import load_mappings
from threatmodel.evidence.mappings.stack_facts import StackFacts
from threatmodel.evidence.outside import outside
from threatmodel.evidence.relations.found import function_relations
from threatmodel.evidence.unmodeled import unmodeled
from threatmodel.model.file import LONGEST_NAME
from threatmodel.reading.files import Files, shown_path
from threatmodel.reading.problems import InputError, Place, Problem, listed
from threatmodel.reading.project import real_path, repository
from threatmodel.stacks.deployment import given_values
from threatmodel.stacks.joining import joined, own_name
from threatmodel.stacks.readers import read
from threatmodel.stacks.stack import Stack

if TYPE_CHECKING:
    from threatmodel.authoring.importing.code import CodeBeside


class Imported(NamedTuple):
    """A model's text, what was added to it, what the file lacks, what its author should know, and its text before."""

    text: str
    added: tuple[ElementEntry, ...]
    gone: tuple[Absence, ...]
    notes: tuple[str, ...]
    before: str = ""


def imported(
    path: Path | Sequence[Path], kind: str, model: Path | None, files: Files, stands_on: Sequence[str] = ALONE
) -> Imported:
    """A new model of what some files deploy, as it would be at `model` (or in the working directory).

    Several files, or those of a folder, are one system.  Raises InputError where one cannot be used or is where that
    model cannot read it, and where they have no function.
    """
    paths = [path] if isinstance(path, Path) else path
    unread: list[str] = []
    own, there = deployed.apart(sources(paths, kind, files, unread), files)
    piped = any(one.path.is_fifo() for one in own)
    target = model or Path("model.yaml")
    for one in (*own, *there):
        if not one.path.is_fifo():
            files.named(reference_to(one.path, target), target, Place(shown_path(one.path)))
    labels = labels_of(one.path.as_posix() for one in own)
    stacks = {label: read(one.kind, one.path, files) for label, one in zip(labels, own, strict=True)}
    stack = joined(stacks)
    if problems := [*clashes(stack)]:
        raise InputError(problems)
    there, apart = _of_this(there, stack, files)
    around = beside(paths, target, files)
    name = _name(own, stack)
    roots = {root.name for one in own if not one.path.is_fifo() and (root := repository(one.path.parent))}
    whole = Whole((name, *sorted(roots)), around.manifests)
    found = entries_of(stack, {}, whole)
    check_elements(found, stack)
    source = _source(paths, stacks, found, target, files)
    if source.served:
        found = entries_of(stack, {}, whole._replace(served=source.served))
    found = [*found, *_only_deployed(there, stack, found, whole, files)]
    named = [
        NamedFile(one.kind, "" if one.path.is_fifo() else reference_to(one.path, target), label=label)
        for label, one in zip(labels, own, strict=True)
    ]
    below = [one.path for one in own if files.has_folder(paths[0]) and one.path.parent != paths[0]]
    notes = [*unread, *apart, *([f"read {listed(map(shown_path, below))}"] if below else ())]
    notes += [*around.notes, *(_called_by_slack(found) if around.notes else ()), *source.notes]
    for at, (one, label) in enumerate(zip(own, labels, strict=True)):
        given, said = _deployed_with(one.path, one.kind, stacks[label], files)
        notes += said
        if given is not None:
            named[at] = named[at]._replace(parameters=reference_to(given, target))
    seen = deployed.look(paths, files)
    shown = deployed.named(list(zip(named, stacks.values(), strict=True)), there, seen, target, files)
    notes += shown.notes
    text = new_model(found, shown.own, name[:LONGEST_NAME], stands_on, (*shown.beside, *source.named, *around.named))
    if piped:
        notes.append("what came through a pipe has no path: name the file under evidence in the model")
    every = dict.fromkeys((*notes_of(stack, {one.resource for one in found}), *notes))
    return Imported(text, tuple(found), (), tuple(every))


def _of_this(there: Sequence[Source], own: Stack, files: Files) -> tuple[Sequence[Source], Sequence[str]]:
    """Return the files that show what is deployed of this system, and a note for each that names other resources so."""
    said = {one: also_named(own, read(one.kind, one.path, files)) for one in there}
    notes = [
        f"{shown_path(one.path)}: not named as evidence: {why}; if it shows another deployment, add it to the evidence "
        "with its own environment: NAME"
        for one, why in said.items()
        if why
    ]
    return [one for one, why in said.items() if not why], notes


def _only_deployed(
    there: Sequence[Source], own: Stack, found: Sequence[ElementEntry], whole: Whole, files: Files
) -> Iterator[ElementEntry]:
    """Yield the elements that what is deployed has, and the code for it has not."""
    labels = labels_of(one.path.as_posix() for one in there)
    stacks = {label: read(one.kind, one.path, files) for label, one in zip(labels, there, strict=True)}
    written = {own_name(name, own.joined)[1] for name in own.resources}
    ids = {one.id for one in found}
    for entry in entries_of(joined(stacks), {}, whole) if stacks else ():
        is_written = own_name(entry.resource, stacks)[1] in written
        if not (entry.apart or entry.id in ids or is_written or outside(entry.resource)):
            yield entry


_MOST = 4
"""Routes that a note names."""


def _called_by_slack(found: Sequence[ElementEntry]) -> Iterator[str]:
    """Yield which routes Slack is known to call, each with the line that shows it."""
    every = [(path, entry.id, url) for entry in found for path, url in entry.slack]
    named = [
        f"{path or 'the URL'} of {name} for {url.surface} ({url.place.short})" for path, name, url in every[:_MOST]
    ]
    if named:
        more = f" and {len(every) - _MOST} more" if len(every) > _MOST else ""
        yield f"Slack calls {', '.join(named)}{more}"


def _source(
    paths: Sequence[Path], stacks: Mapping[str, Stack], found: Sequence[ElementEntry], model: Path, files: Files
) -> CodeBeside:
    """The source of the handlers beside a folder that is imported."""
    from threatmodel.authoring.importing.code import CodeBeside, code_beside

    if len(paths) != 1 or not files.has_folder(paths[0]):
        return CodeBeside()
    return code_beside(stacks, found, paths[0], model, files)


def _name(own: Sequence[Source], stack: Stack) -> str:
    """What a system is called that some files deploy."""
    path = own[0].path
    stem = path.stem.removesuffix(".template")
    title = stack.title.strip() if stack.title.isprintable() else ""
    piped = path.is_fifo()
    here = real_path(Path()).name if piped else real_path(path).parent.name
    if here in _SAYS_HOW:
        here = real_path(path).parent.parent.name
    plain = len(own) == 1 and not piped and stem not in {"template", "serverless", "plan"}
    return title or (stem if plain else here) or stem


_SAYS_HOW = frozenset(("cdk.out", "terraform", "infra", "infrastructure", "iac", "deploy", "cloudformation"))
"""Names of folders that say how a system is deployed, and not which: it is that of the folder around them."""
_SAMCONFIG = "samconfig.toml"


def _deployed_with(path: Path, kind: str, stack: Stack, files: Files) -> tuple[Path | None, tuple[str, ...]]:
    """The samconfig.toml beside a template, where it gives parameters of it values; else a note where it gives none."""
    beside = path.with_name(_SAMCONFIG)
    if kind != "template" or not stack.parameters or not files.has(beside):
        return None, ()
    try:
        files.named(_SAMCONFIG, path, Place(shown_path(path)))  # no link out of the project
        found = given_values(files.text(beside), shown_path(beside))
    except InputError as error:
        messages = "; ".join(f"{one.place}: {one.message}" for one in error.problems)
        return None, (f"what the deployment gives the parameters was not read: {messages}",)
    asked = stack.parameters.keys() & found.values.keys()
    return (beside if asked else None), ()


def entries_of(stack: Stack, known: Mapping[str, tuple[str, str]], whole: Whole = NOTHING) -> Sequence[ElementEntry]:
    """Return an entry for each element of a stack that `known` (resource to id and kind) lacks."""
    facts = StackFacts(stack, load_mappings())
    return list(entries(stack, facts, function_relations(stack, facts), known, whole))


def notes_of(stack: Stack, modelled: Container[str]) -> tuple[str, ...]:
    """What an author should know of a file of which the resources `modelled` became elements."""
    unread = (f"{one.place}: {one.name} was not read, so there may be more: {one.why}" for one in stack.unread)
    nested = (f"{one.place}: {one.name} is read from {one.file}" for one in stack.nested)
    left = ", ".join(words for _, _, words in unmodeled(stack, modelled))
    messages = (f"{stack.file}: not modeled: {left}",) if left else ()
    return (*(str_of(problem) for problem in stack.problems), *nested, *unread, *messages)


def str_of(problem: Problem) -> str:
    """A problem that stops nothing, on one line."""
    return f"{problem.place}: {problem.code}: {problem.message}"
