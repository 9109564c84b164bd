"""An existing model brought up to what some files deploy: its text with what it lacks, the rest as it was."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from threatmodel.assessment.drift import Absence
from threatmodel.authoring.importing.beside import beside
from threatmodel.authoring.importing.code import code_beside
from threatmodel.authoring.importing.entries import EXTERNAL, ElementEntry, Whole
from threatmodel.authoring.importing.model import reference_to, updated
from threatmodel.authoring.importing.plan import Imported, entries_of, notes_of
from threatmodel.authoring.importing.sources import sources
from threatmodel.authoring.insertion import read_back, scalar, with_item, with_pair
from threatmodel.evidence.environments import Environment, clashes, environment_of, environments
from threatmodel.evidence.mappings.load import load_mappings
from threatmodel.evidence.mappings.stack_facts import StackFacts
from threatmodel.evidence.matching import Matches, matches, named_elsewhere
from threatmodel.evidence.sources import deployed_in, read_as_deployed
from threatmodel.model.load import load_model
from threatmodel.model.system import EvidenceFile, System
from threatmodel.reading.files import Files, shown_path
from threatmodel.reading.problems import InputError, Place
from threatmodel.reading.project import real_path
from threatmodel.reading.source import Map, Seq, as_read, parse
from threatmodel.reading.values import replace
from threatmodel.stacks.joining import joined
from threatmodel.stacks.readers import read
from threatmodel.stacks.stack import Stack

_PIPED = "FILE"
"""Stands for the path of what came through a pipe."""


def update(path: Path | Sequence[Path], kind: str, model: Path, files: Files) -> Imported:
    """An existing model with what some files have and it lacks, read together with those that it names.

    A file that the model does not name is added to its evidence.  Raises InputError where one cannot be used.
    """
    system = load_model(files, model)
    place = Place(shown_path(model))
    own: dict[str, Path] = {}
    new: list[EvidenceFile] = []
    unread: list[str] = []
    for one in sources([path] if isinstance(path, Path) else path, kind, files, unread):
        known = _source(system, one.path, model)
        reference = _PIPED if one.path.is_fifo() else reference_to(one.path, model)
        named = known or EvidenceFile(kind=one.kind, path=reference, place=place)
        own[named.path] = one.path
        new += [named] if known is None else []
    around = beside([path] if isinstance(path, Path) else path, model, files)
    others = [EvidenceFile(kind=one.kind, path=one.path, place=place) for one in around.named]
    unnamed = [one for one in others if not any(one.kind == known.kind for known in system.evidence)]
    found = _Update(replace(system, evidence=(*system.evidence, *new)), len(system.evidence), own, model, files)
    found.notes += unread
    found.whole = Whole((system.name,), around.manifests)
    found.name([*new, *unnamed])
    for environment in environments(found.system, deployed_in(found.system, files)):
        if any(one.path in own for one in environment.files.values()):
            found.add(environment)
    paths = [path] if isinstance(path, Path) else path
    if len(paths) == 1 and files.has_folder(paths[0]) and all(one.kind != "code" for one in system.evidence):
        source = code_beside(found.stacks, found.functions, paths[0], model, files)
        found.name(
            [EvidenceFile(kind=one.kind, path=one.path, place=place, function=one.function) for one in source.named]
        )
        found.notes += source.notes
    return Imported(found.text, tuple(found.added), tuple(found.gone), tuple(found.notes), found.before)


def _source(system: System, path: Path, model: Path) -> EvidenceFile | None:
    """The entry of the model's evidence that names the file."""
    wanted = real_path(path)
    return next((one for one in system.evidence if real_path(model.parent / one.path) == wanted), None)


class _Update:
    """A model while it is brought up to some files: `own` are these, by the paths that it has for them.

    The entries of the evidence of `system` that are numbered from `named` on are new.
    """

    def __init__(self, system: System, named: int, own: Mapping[str, Path], model: Path, files: Files) -> None:
        self.system, self.named, self.own, self.files = system, named, own, files
        self.file = shown_path(model)
        self.text = self.before = files.raw(model)
        self.added: list[ElementEntry] = []
        self.gone: list[Absence] = []
        self.notes: list[str] = []
        self.stacks: dict[str, Stack] = {}
        self.functions: list[ElementEntry] = []
        self.whole = Whole((system.name,))

    def name(self, new: Sequence[EvidenceFile]) -> None:
        """Add files to the evidence; a note where a line cannot be added."""
        for one in new:
            of = {"function": one.function} if one.function else {}
            item = (
                f"{{{one.kind}: {scalar(one.path)}{''.join(f', {key}: {scalar(name)}' for key, name in of.items())}}}"
            )
            note = f"name the file in the model: evidence: [{item}]"
            with suppress(InputError):
                document = parse(as_read(self.text), self.file)
                if one.path != _PIPED:
                    self.text, _ = with_item(self.text, document, "evidence", f"- {item}", {one.kind: one.path, **of})
                    note = f"{self.file}: added to its evidence: {one.path}"
            self.notes.append(note)

    def add(self, environment: Environment) -> None:
        """Add what the files of one environment have and the model lacks."""
        own = {label: self.read(one) for label, one in environment.files.items()}
        stack = joined(own)
        source = environment.source
        before = self.before_them(environment)
        stated = replace(source, resources={**before, **source.resources})
        matched = _matches(self.system, stated, stack)
        if problems := [*clashes(stack), *matched.problems]:
            raise InputError(problems)
        self.text, added = updated(self.text, self.file, self.lacking(stack, stated, matched))
        self.added += added
        self.stacks |= own
        self.functions += [one for one in added if one.kind == "function"]
        self.functions += [
            ElementEntry(id=element, kind="function", resource=resource, lines=())
            for element, resource in matched.resources.items()
            if self.kind(element) == "function"
        ]
        in_files = " and ".join(one.file for one in stack.joined.values()) or stack.file
        self.gone += (Absence(name, of, at, in_files, in_model=True) for name, of, at in matched.missing)
        self.notes += notes_of(stack, {*matched.resources.values(), *(one.resource for one in added)})
        plain = _matches(self.system, source, stack).resources
        told = {one: name for one, (name, _) in before.items() if plain.get(one) != name and name in stack.resources}
        for element, name in {**told, **{one.id: one.resource for one in added if one.apart}}.items():
            self.state(environment, element, name)

    def lacking(self, stack: Stack, source: EvidenceFile, matched: Matches) -> Sequence[ElementEntry]:
        """What the stack has and the model lacks, without what the files only name and the model has."""
        nodes = self.system.nodes
        known = {name: (one, nodes[one].kind) for one, name in matched.resources.items()}
        found = entries_of(stack, known, self.whole)
        beyond = named_elsewhere(self.system, source, stack, matched, [one.resource for one in found])
        return (
            entries_of(stack, {**known, **{one: (of, self.kind(of)) for one, of in beyond.items()}}, self.whole)
            if beyond
            else found
        )

    def kind(self, element: str) -> str:
        """The kind of an element of the model."""
        return self.system.nodes[element].kind if element in self.system.nodes else EXTERNAL

    def read(self, one: EvidenceFile) -> Stack:
        """The stack of one file; one that is imported is read as it is."""
        if one.path in self.own:
            return read(one.kind, self.own[one.path], self.files)
        return read_as_deployed(one, Path(self.system.file), self.files)

    def before_them(self, environment: Environment) -> Mapping[str, tuple[str, Place]]:
        """What each element is in the files that the model named already, as the joined stack calls it."""
        old = {n: self.system.evidence[n] for n in environment.labels if n < self.named}
        if not old or len(old) == len(environment.labels):
            return {}
        alone = environment_of(old)
        stack = joined({label: self.read(one) for label, one in alone.files.items()})
        labels = {label: environment.labels[number] for number, label in alone.labels.items()}
        found = _matches(self.system, alone.source, stack).resources
        own = {element: alone.own(name) for element, name in found.items()}
        return {one: (f"{labels[label]}.{name}", Place(self.file)) for one, (label, name) in own.items()}

    def state(self, environment: Environment, element: str, resource: str) -> None:
        """Write which resource an element is, in the entry of its file; a note where that cannot be written."""
        label, name = environment.own(resource)
        number = next(number for number, one in environment.labels.items() if one == label)
        pair = f"{scalar(element)}: {scalar(name)}"
        found = _with_resource(self.text, self.file, number, pair, (element, name))
        if found:
            self.text = found
        else:
            self.notes.append(f"say in the model which resource it is: resources: {{{pair}}}")


def _matches(system: System, source: EvidenceFile, stack: Stack) -> Matches:
    facts = StackFacts(stack, load_mappings())
    return matches(system, source, stack, {name: facts.kinds_of_type(kind) for name, kind in stack.types()})


def _with_resource(text: str, file: str, number: int, pair: str, named: tuple[str, str]) -> str:
    """A model's text with a resource named in an entry of its evidence; '' where that cannot be added."""
    document = parse(as_read(text), file)
    root = document.root
    items = root.get("evidence") if isinstance(root, Map) else None
    if not isinstance(root, Map) or not isinstance(items, Seq) or number >= len(items):
        return ""
    item, mark = items[number], items.marks[number]
    if not isinstance(item, Map):
        return ""
    inner = next((at for key, _, _, at in item.placed() if key == "resources"), None)
    wanted = {**item, "resources": {**item.get("resources", {}), named[0]: named[1]}}
    whole = {**root, "evidence": [wanted if at == number else one for at, one in enumerate(items)]}
    where, added = (mark, f"resources: {{{pair}}}") if inner is None else (inner, pair)
    return next((one for one in with_pair(text, document, where, added) if read_back(as_read(one)) == whole), "")
