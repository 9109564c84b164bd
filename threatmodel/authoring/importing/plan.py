"""What `tm.py import` does: a file of infrastructure code to a new model, or to an update of one."""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from threatmodel.assessment.drift import Absence
from threatmodel.authoring.importing.entries import ElementEntry, entries
from threatmodel.authoring.importing.model import ALONE, check_elements, new_model, reference_to, updated
from threatmodel.authoring.insertion import scalar
from threatmodel.evidence.mappings.stack_facts import StackFacts
from threatmodel.evidence.matching import matches
from threatmodel.evidence.opened import mappings_of
from threatmodel.evidence.relations.found import function_relations
from threatmodel.evidence.unmodeled import unmodeled
from threatmodel.model.file import LONGEST_NAME
from threatmodel.model.load import load_model
from threatmodel.model.system import EvidenceFile, System
from threatmodel.reading.files import Files, shown_path
from threatmodel.reading.problems import InputError, Place, Problem
from threatmodel.reading.project import real_path
from threatmodel.stacks.deployment import given_values
from threatmodel.stacks.readers import kind_of, read
from threatmodel.stacks.stack import Stack


class Imported(NamedTuple):
    """A model's text, what was added to it, what the file lacks, what its author should know, and its text before."""

    text: str
    added: tuple[ElementEntry, ...]
    gone: tuple[Absence, ...]
    notes: tuple[str, ...]
    before: str = ""


def imported(path: Path, kind: str, model: Path | None, files: Files, stands_on: Sequence[str] = ALONE) -> Imported:
    """A new model of what a file deploys, as it would be at `model` (or in the working directory).

    Raises InputError where the file cannot be used, has no function, or is where that model cannot read it.
    """
    piped = path.is_fifo()
    if model is not None and not piped:
        files.named(reference_to(path, model), model, Place(shown_path(path)))
    kind = kind or kind_of(path, files)
    stack = read(kind, path, files)
    found = list(_entries(stack, {}))
    check_elements(found, stack)
    stem = path.stem.removesuffix(".template")
    title = stack.title.strip() if stack.title.isprintable() else ""
    here = real_path(Path()).name if piped else real_path(path).parent.name
    name = title or (here if piped or stem in {"template", "serverless", "plan"} else stem) or stem
    reference = "" if piped else reference_to(path, model or Path("model.yaml"))
    given, notes = _deployed_with(path, kind, stack, files)
    parameters = reference_to(given, model or Path("model.yaml")) if given is not None else ""
    text = new_model(found, (kind, reference, parameters), name[:LONGEST_NAME], stands_on)
    unnamed = ("what came through a pipe has no path: name the file under evidence in the model",) if piped else ()
    return Imported(text, tuple(found), (), (*_notes(stack, {one.resource for one in found}), *notes, *unnamed))


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


def update(path: Path, kind: str, model: Path, files: Files) -> Imported:
    """An existing model with what a file has and it lacks.  Raises InputError where one of the two cannot be used."""
    system = load_model(files, model)
    source = _source(system, path, model)
    kind = kind or (source.kind if source is not None else kind_of(path, files))
    stack = read(kind, path, files)
    reference = "FILE" if path.is_fifo() else reference_to(path, model)
    place = Place(shown_path(model))
    known = source or EvidenceFile(kind=kind, path=reference, resources={}, every_function=False, place=place)
    facts = StackFacts(stack, mappings_of(stack.kind))
    kinds = {name: facts.kinds_of_type(kind) for name, kind in stack.types()}
    matched = matches(system, known, stack, kinds)
    found = list(_entries(stack, {one: (name, system.nodes[name].kind) for name, one in matched.resources.items()}))
    before = files.raw(model)
    text, added = updated(before, shown_path(model), found)
    gone = tuple(Absence(name, of, at, stack.file, in_model=True) for name, of, at in matched.missing)
    notes = _notes(stack, {*matched.resources.values(), *(one.resource for one in added)})
    if source is None:
        notes = (*notes, f"name the file in the model: evidence: [{{{kind}: {scalar(reference)}}}]")
    messages = (
        f"say in the model which resource it is: resources: {{{scalar(one.id)}: {scalar(one.resource)}}}"
        for one in added
        if one.apart
    )
    return Imported(text, added, gone, (*notes, *messages), before)


def _entries(stack: Stack, known: Mapping[str, tuple[str, str]]) -> Sequence[ElementEntry]:
    facts = StackFacts(stack, mappings_of(stack.kind))
    return list(entries(stack, facts, function_relations(stack, facts), known))


def _source(system: System, path: Path, model: Path) -> EvidenceFile | None:
    """The entry of the model's evidence that names the file."""
    wanted = real_path(path)
    return next((one for one in system.evidence if real_path(model.parent / one.path) == wanted), None)


def _notes(stack: Stack, modelled: Container[str]) -> tuple[str, ...]:
    """What an author should know of a file of which the resources `modelled` became elements."""
    unread = (f"{one.place}: {one.name} was not read, so there may be more: {one.why}" for one in stack.unread)
    nested = (f"{one.place}: {one.name} is read from {one.file}" for one in stack.nested)
    left = ", ".join(words for _, _, words in unmodeled(stack, modelled))
    messages = (f"{stack.file}: not modeled: {left}",) if left else ()
    return (*(str_of(problem) for problem in stack.problems), *nested, *unread, *messages)


def str_of(problem: Problem) -> str:
    """A problem that stops nothing, on one line."""
    return f"{problem.place}: {problem.code}: {problem.message}"
