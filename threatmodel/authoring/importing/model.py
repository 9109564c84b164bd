"""A whole new model file, or an existing one brought up to what a file of infrastructure code has."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from threatmodel.authoring.importing.entries import SECTION_OF, ElementEntry
from threatmodel.authoring.insertion import scalar, with_entry
from threatmodel.evidence.unmodeled import unmodeled
from threatmodel.reading.problems import InputError, Place, Problem, listed, quoted
from threatmodel.reading.project import real_path
from threatmodel.reading.source import as_read, parse
from threatmodel.stacks.joining import own_name
from threatmodel.stacks.stack import Stack


class Updated(NamedTuple):
    """A model's new text, and what was added."""

    text: str
    added: tuple[ElementEntry, ...]


ALONE = ("# uses: [platform.yaml]           # account, pipeline, workspace and organization, described once for all",)
"""Return the lines of a model's head for the planes, where they are not stated yet."""


SCHEMA = "model.schema.json"
"""The schema of models, as `init` and `schema model` write it beside them."""
EDITORS = f"# yaml-language-server: $schema={SCHEMA}"
"""The line by which editors check a model while it is written."""


def head(name: str, stands_on: Sequence[str] = ALONE) -> list[str]:
    """The first lines of a model."""
    said = ("# description: what the system does", "# owner: the team that answers for it")
    return [f"name: {scalar(name)}", *said, *stands_on, ""]


_EVIDENCE = "evidence:                         # its facts are read from there each time: state only what it cannot say"


class NamedFile(NamedTuple):
    """A file as a model names it: its kind, its path ('' for what came through a pipe), and that of its parameters.

    `parameters` is '' where no file gives them values, and `stage` what of that is deployed; `label` is that of its
    resources in the joined stack.  `deployed` are answers about its stack.  A file that shows others as deployed `has`
    resources, by their names.  `function` is the one that it is of, if it is of one.
    """

    kind: str
    path: str
    parameters: str = ""
    label: str = ""
    function: str = ""
    stage: str = ""
    deployed: tuple[str, ...] = ()
    has: frozenset[str] = frozenset()


def new_model(
    found: Sequence[ElementEntry],
    evidence: Sequence[NamedFile],
    name: str,
    stands_on: Sequence[str] = ALONE,
    beside: Sequence[NamedFile] = (),
) -> str:
    """The text of a model of these entries, which come from these files; `beside` says more of the same system."""
    known = "" if all(one.path for one in evidence) else "# "
    lines = [
        EDITORS,
        *head(name, stands_on),
        f"{known}{_EVIDENCE}",
        *(f"{known}  - {{{_named(one)}{_resources(found, one, evidence)}}}" for one in evidence),
        *(f"{known}  - {{{_named(one)}{_resources(found, one, evidence)}}}" for one in beside),
        "",
        "# data:                           # what is kept, and how sensitive it is",
        "#   records: {classification: confidential, personal: true}",
    ]
    for section, entries in _by_section(found):
        lines += ["", f"{section}:", *(f"  {line}" for entry in entries for line in _stated(entry))]
    return "\n".join(lines) + "\n"


def _named(one: NamedFile) -> str:
    given = f", parameters: {scalar(one.parameters)}" if one.parameters else ""
    given += f", stage: {scalar(one.stage)}" if one.stage else ""
    given += f", deployed: [{', '.join(map(scalar, one.deployed))}]" if one.deployed else ""
    given += f", function: {scalar(one.function)}" if one.function else ""
    return f"{one.kind}: {scalar(one.path) if one.path else 'FILE'}{given}"


def _resources(found: Sequence[ElementEntry], file: NamedFile, evidence: Sequence[NamedFile]) -> str:
    """Which resources of a file the elements are whose ids do not tell; what no file holds is named in the first."""
    labels = [one.label for one in evidence]
    own = [(entry.id, *own_name(entry.resource, filter(None, labels))) for entry in found if entry.apart]
    if file not in evidence:
        kept = [(element, name) for element, _, name in own if name in file.has]
    else:
        kept = [(element, name) for element, label, name in own if (label or labels[0]) == file.label]
    apart = ", ".join(f"{scalar(element)}: {scalar(name)}" for element, name in kept)
    return f", resources: {{{apart}}}" if apart else ""


def updated(text: str, file: str, found: Sequence[ElementEntry]) -> Updated:
    """A model's text with entries added at the end of their sections; the rest stays, byte for byte."""
    for entry in found:
        text, _ = with_entry(text, parse(as_read(text), file), SECTION_OF[entry.kind], entry.id, _stated(entry))
    return Updated(text, tuple(found))


def _by_section(found: Sequence[ElementEntry]) -> Iterator[tuple[str, list[ElementEntry]]]:
    for kind, section in SECTION_OF.items():
        if own := [entry for entry in found if entry.kind == kind]:
            yield section, own


def _stated(entry: ElementEntry) -> list[str]:
    """The lines of an entry; one without statements has a comment, because a key without a value is an error."""
    body = [line for line in entry.lines[1:] if not line.lstrip().startswith("#")]
    if body:
        return list(entry.lines)
    head, hash_, comment = entry.lines[0].partition("#")
    return [f"{head.rstrip()} {{}}".ljust(len(head) - 2) + f"  {hash_}{comment}", *entry.lines[1:]]


def reference_to(file: Path, model: Path) -> str:
    """How a model names a file beside or below its project."""
    return os.path.relpath(real_path(file), real_path(model).parent).replace(os.sep, "/")


_SHOWN = 5
"""Kinds of resource that are named of a file without functions."""


def check_elements(found: Sequence[ElementEntry], stack: Stack) -> None:
    """Raises InputError where a file has nothing that a model could be made of; what it only nests is named.

    An API needs no function: it may call services itself.
    """
    if not any(entry.kind in {"function", "api"} for entry in found):
        there = [words for _, _, words in unmodeled(stack, ())][:_SHOWN]
        where = f"any of these {len(stack.joined)} files" if stack.joined else "this file"
        message = f"there is no Lambda function in {where}{f'; it has {listed(there)}' if there else ''}"
        hint = "name the template, plan or serverless.yml that deploys the functions"
        problems = [Problem(code="empty-model", place=Place(stack.file), message=message, hint=hint)]
        for one in stack.unread:
            hint = "import its template alone, after it is copied here"
            said = f"{quoted(one.name)} may have some: {one.why}"
            problems.append(Problem(code="empty-model", place=one.place, message=said, hint=hint))
        raise InputError(problems)
