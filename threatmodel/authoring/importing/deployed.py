"""What shows the imported files as deployed: deployed templates, states, other answers of AWS, and results of tools."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from threatmodel.authoring.importing.model import NamedFile, reference_to
from threatmodel.authoring.importing.sources import Source
from threatmodel.beside.folder import NOT_SOURCE
from threatmodel.beside.results import opening
from threatmodel.beside.results.services import parsed
from threatmodel.beside.results.tools import tool_of
from threatmodel.reading.files import Files, shown_path
from threatmodel.reading.problems import InputError, listed, quoted
from threatmodel.stacks.cloudformation.described import is_answer, stack_names
from threatmodel.stacks.in_account import is_about_resources
from threatmodel.stacks.readers import read, shows_deployed
from threatmodel.stacks.stack import Stack

_ENDINGS = (".json", ".sarif", ".csv")
_MOST_FILES = 200
"""Files that are read."""
_LARGEST = 16 * 1024 * 1024
_SHOWN = 5
"""Files that are named because they are cut short."""


class Found(NamedTuple):
    """Files of a folder by what they are: answers of describe-stacks and about resources, and results of tools.

    Those in JSON that are cut short are `unread`.
    """

    stacks: Mapping[Path, Any]
    resources: tuple[Path, ...]
    results: tuple[Path, ...]
    unread: tuple[Path, ...] = ()


def apart(every: Sequence[Source], files: Files) -> tuple[Sequence[Source], Sequence[Source]]:
    """Return the files of which a model is made, and those that show the same as deployed.

    Where all show what is deployed, the model is made of these.
    """
    there = [one for one in every if not one.path.is_fifo() and shows_deployed(one.kind, one.path, files)]
    own = [one for one in every if one not in there]
    return (own, there) if own else (every, ())


def look(paths: Sequence[Path], files: Files) -> Found:
    """Return what is in an imported folder and directly below it; nothing where files are named."""
    stacks: dict[Path, Any] = {}
    resources: list[Path] = []
    results: list[Path] = []
    unread: list[Path] = []
    for path in _json_in(paths[0]) if len(paths) == 1 and files.has_folder(paths[0]) else ():
        try:
            raw = parsed(files.text(path, _LARGEST))
        except json.JSONDecodeError as error:
            if error.pos >= len(error.doc.rstrip()) or error.msg.startswith("Unterminated"):
                unread.append(path)
            continue
        except (InputError, ValueError, RecursionError):
            continue
        if is_answer(raw):
            stacks[path] = raw
        elif is_about_resources(raw):
            resources.append(path)
        elif opening.is_sarif(raw) or tool_of(raw) is not None:
            results.append(path)
    return Found(stacks, tuple(resources), tuple(results), tuple(unread))


def _json_in(folder: Path) -> Iterator[Path]:
    below = [one for one in sorted(folder.iterdir()) if one.is_dir() and not one.is_symlink()]
    folders = [folder, *(one for one in below if one.name not in NOT_SOURCE and not one.name.startswith("."))]
    found = (one for each in folders for one in sorted(each.iterdir()) if one.suffix in _ENDINGS and one.is_file())
    yield from (one for _, one in zip(range(_MOST_FILES), found, strict=False))


class Named(NamedTuple):
    """The entries of the files of a model, those of what shows them as deployed or examined, and notes."""

    own: list[NamedFile]
    beside: tuple[NamedFile, ...]
    notes: tuple[str, ...]


def named(
    own: Sequence[tuple[NamedFile, Stack]], there: Sequence[Source], found: Found, target: Path, files: Files
) -> Named:
    """Return the entries, where answers of AWS belong to the deployed template, or to the template without one."""
    shown = [(NamedFile(one.kind, reference_to(one.path, target)), read(one.kind, one.path, files)) for one in there]
    shown = [(entry._replace(has=frozenset(stack.resources)), stack) for entry, stack in shown]
    every = [entry for entry, _ in (*own, *shown)]
    asked = [at for at, one in enumerate(every) if one.kind == "template" and (not shown or at >= len(own))]
    taken: set[str] = set()
    for at in asked:
        every[at], names = _with_parameters(every[at], (*own, *shown)[at][1], found.stacks, target)
        taken |= names
    notes = [*_seen(there, found), *_undescribed(found.stacks, taken)]
    if len(asked) == 1:
        answers = tuple(reference_to(one, target) for one in found.resources)
        every[asked[0]] = every[asked[0]]._replace(deployed=answers)
    else:
        notes += [f"{shown_path(one)}: name it under deployed: of its template" for one in found.resources]
    notes += [
        f"{shown_path(one)}: not read: it is JSON that is cut short; save it again" for one in found.unread[:_SHOWN]
    ]
    results = [NamedFile("results", reference_to(one, target)) for one in found.results]
    return Named(every[: len(own)], (*every[len(own) :], *results), tuple(notes))


def _seen(there: Sequence[Source], found: Found) -> Iterator[str]:
    deployed = [*(one.path for one in there), *found.stacks, *found.resources]
    for what, paths in (("what is deployed", deployed), ("results of other tools", found.results)):
        if paths:
            yield f"found {what}: {listed(map(shown_path, paths), 10)}"


def _with_parameters(
    one: NamedFile, stack: Stack, answers: Mapping[Path, Any], target: Path
) -> tuple[NamedFile, set[str]]:
    """An entry with the one described stack that has the parameters of its template, and the stack's name."""
    fitting = [
        (path, str(each["StackName"]), len(raw["Stacks"]) > 1)
        for path, raw in answers.items()
        for each in raw["Stacks"]
        if isinstance(each, dict) and isinstance(each.get("StackName"), str)
        if _keys(each.get("Parameters")) == stack.parameters.keys()
    ]
    if len(fitting) != 1 or one.parameters:
        return one, set()
    path, name, several = fitting[0]
    return one._replace(parameters=reference_to(path, target), stage=name if several else ""), {name}


def _keys(parameters: Any) -> frozenset[str]:
    every: Iterable[Any] = parameters if isinstance(parameters, list) else ()
    return frozenset(str(one.get("ParameterKey")) for one in every if isinstance(one, dict))


def _undescribed(answers: Mapping[Path, Any], taken: set[str]) -> Iterator[str]:
    for path, raw in answers.items():
        left = [quoted(name) for name in stack_names(raw) if name not in taken]
        if left:
            yield f"{shown_path(path)}: no file here is known to describe these stacks: {listed(left, 10)}"
