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


def new_model(
    found: Sequence[ElementEntry], evidence: tuple[str, str, str], name: str, stands_on: Sequence[str] = ALONE
) -> str:
    """The text of a model of these entries.

    `evidence` is the kind and the path of the file that they come from, and the path of the file with the values that
    its parameters are given ('' where there is none, and where the file came through a pipe).
    """
    kind, reference, parameters = evidence
    given = f", parameters: {scalar(parameters)}" if parameters else ""
    known = "" if reference else "# "  # what came through a pipe has no path
    lines = [
        EDITORS,
        *head(name, stands_on),
        f"{known}{_EVIDENCE}",
        f"{known}  - {{{kind}: {scalar(reference) if reference else 'FILE'}{given}{_resources(found)}}}",
        "",
        "# data:                           # what is kept, and how sensitive it is",
        "#   records: {classification: confidential, personal: true}",
    ]
    for section, entries in _by_section(found):
        lines += ["", f"{section}:", *(f"  {line}" for entry in entries for line in _stated(entry))]
    return "\n".join(lines) + "\n"


def _resources(found: Sequence[ElementEntry]) -> str:
    """Which resources the elements are whose ids do not tell."""
    apart = ", ".join(f"{scalar(entry.id)}: {scalar(entry.resource)}" for entry in found if entry.apart)
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
    return [f"{head.rstrip()} {{}}".ljust(len(head)) + hash_ + comment, *entry.lines[1:]]


def reference_to(file: Path, model: Path) -> str:
    """How a model names a file beside or below its project."""
    return os.path.relpath(real_path(file), real_path(model).parent).replace(os.sep, "/")


_SHOWN = 5
"""Kinds of resource that are named of a file without functions."""


def check_elements(found: Sequence[ElementEntry], stack: Stack) -> None:
    """Raises InputError where a file has nothing that a model could be made of; what it only nests is named."""
    if not any(entry.kind == "function" for entry in found):
        there = [words for _, _, words in unmodeled(stack, ())][:_SHOWN]
        message = f"there is no Lambda function in this file{f'; it has {listed(there)}' if there else ''}"
        hint = "name the template, plan or serverless.yml that deploys the functions"
        problems = [Problem(code="empty-model", place=Place(stack.file), message=message, hint=hint)]
        for one in stack.unread:
            hint = "import its template alone, after it is copied here"
            said = f"{quoted(one.name)} may have some: {one.why}"
            problems.append(Problem(code="empty-model", place=one.place, message=said, hint=hint))
        raise InputError(problems)
