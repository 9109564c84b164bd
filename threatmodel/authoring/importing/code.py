"""The source of handlers beside the files that deploy them: which folder a model names, and of which function."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path, PurePosixPath
from types import MappingProxyType
from typing import NamedTuple

from threatmodel.authoring.importing.beside import not_read
from threatmodel.authoring.importing.entries import ElementEntry
from threatmodel.authoring.importing.model import NamedFile, reference_to
from threatmodel.beside.code.inline import read_template
from threatmodel.beside.code.look import Look, look
from threatmodel.beside.code.modules import Parsed
from threatmodel.beside.code.source import ENDINGS, UNREAD, handler_file, handler_names, module_path, read_source
from threatmodel.beside.folder import NOT_SOURCE
from threatmodel.beside.slack_manifest import RequestUrl
from threatmodel.evidence.beside.code import serves
from threatmodel.evidence.beside.handlers import Handler, in_template, is_index
from threatmodel.evidence.deployed import Deployed, archived, code_root, inline, no_folder
from threatmodel.reading.files import Files, is_file, shown_path
from threatmodel.reading.problems import listed
from threatmodel.reading.project import real_path, repository
from threatmodel.stacks.joining import own_name
from threatmodel.stacks.stack import Stack
from threatmodel.stacks.values import get, text


class CodeBeside(NamedTuple):
    """The source beside the imported files: entries for the evidence, notes, and who calls functions by their code.

    `served` has the features of Slack by resource.
    """

    named: tuple[NamedFile, ...] = ()
    notes: tuple[str, ...] = ()
    served: Mapping[str, Sequence[RequestUrl]] = MappingProxyType({})


_TESTS = re.compile(r"(?:^|/)(?:tests?|__tests__|fixtures|examples?|docs)/")
_MOST = 20_000
"""Files of a repository among which a handler is looked for."""


def code_beside(
    stacks: Mapping[str, Stack], found: Sequence[ElementEntry], project: Path, model: Path, files: Files
) -> CodeBeside:
    """Return the entries of the evidence for the source of handlers, and what the source says of who calls.

    Functions whose folder the files name are one entry, with the folder that is around all of them.  Of another one the
    entry names the function, where only one file of the project can be its handler, and is not that of these functions.
    """
    root = repository(project) or real_path(project)
    handlers: dict[str, tuple[Path, str]] = {}
    others: dict[str, str] = {}
    templates: dict[str, dict[str, Deployed]] = {}
    named: list[NamedFile] = []
    missing: list[str] = []
    search = _search(root, files)
    for function, deployed in _functions(stacks, found):
        handler = text(get(deployed.resource.properties, "Handler"))
        if (written := inline(deployed) or archived(deployed)) is not None:
            if (is_index(handler) and inline(deployed)) or search(handler or "") is None:
                templates.setdefault(written.place.file, {})[function] = deployed
                continue
        elif no_folder(deployed):
            continue
        if handler is None:
            continue
        folder = code_root(deployed)
        if folder is not None and real_path(folder).is_relative_to(root) and _has(real_path(folder), handler):
            handlers[function] = (real_path(folder), handler)
        else:
            others[function] = handler
    folders = [folder for folder, _ in handlers.values()]
    for function, handler in others.items():
        only = search(handler)
        if only is not None and real_path(only) not in folders:
            handlers[function] = (real_path(only), handler)
            named.append(NamedFile("code", reference_to(only, model), function=function))
        else:
            missing.append(function)
    if folders:
        whole = Path(os.path.commonpath(folders))
        named.insert(0, NamedFile("code", reference_to(whole, model)))
    named += [NamedFile("code", reference_to(Path(file), model)) for file in templates]
    notes = [f"{shown_path(root)}: no source was found of the handlers of {listed(missing)}"] if missing else []
    resources = {entry.id: entry.resource for entry in found}
    read = dict.fromkeys(folder for folder, _ in handlers.values())
    parsed = {folder: Parsed(read_source(folder, files)) for folder in read}
    seen = (*_looks(handlers, parsed), *_inline_looks(templates, files))
    notes += not_read([left for one in parsed.values() for left in (*one.folder.unread, *one.folder.skipped)])
    served = {resources[function]: urls for function, one in seen if (urls := serves(one))}
    return CodeBeside(tuple(named), tuple(notes), served)


def _inline_looks(templates: Mapping[str, Mapping[str, Deployed]], files: Files) -> Iterator[tuple[str, Look]]:
    """Yield what is seen of each function whose code is inline."""
    for file, functions in templates.items():
        template = read_template(Path(file), files)
        for function, deployed in functions.items():
            one = in_template(template, deployed)
            if isinstance(one, Handler):
                yield function, look(one.parsed, one.file, one.name, one.root)


def _looks(handlers: Mapping[str, tuple[Path, str]], parsed: Mapping[Path, Parsed]) -> Iterator[tuple[str, Look]]:
    """Yield what is seen of each function by the source of its handler in a folder."""
    for function, (folder, handler) in handlers.items():
        file = handler_file(parsed[folder].folder, module_path(handler))
        if file is not None:
            yield function, look(parsed[folder], file, handler.rpartition(".")[2], ".")


def _functions(stacks: Mapping[str, Stack], found: Sequence[ElementEntry]) -> Iterator[tuple[str, Deployed]]:
    """Yield the functions of an import, each with what its file makes of it."""
    for entry in found:
        if entry.kind == "function":
            label, name = own_name(entry.resource, filter(None, stacks))
            stack = stacks.get(label) or next(iter(stacks.values()))
            if name in stack.resources:
                resource = stack.resources[name]
                yield entry.id, Deployed(stack, resource, Path(stack.file).parent, (), lambda _: (), lambda: (), {})


def _has(folder: Path, handler: str) -> bool:
    """Return whether a folder has the file of a handler, or one of a language whose handlers are not read."""
    module = module_path(handler)
    if any(is_file(folder / name) for name in (*handler_names(module), *(f"{module}{ending}" for ending in UNREAD))):
        return True
    return folder.is_dir() and any(one.suffix in UNREAD for one in (folder / module.parent).glob("*"))


def _search(root: Path, files: Files) -> Callable[[str], Path | None]:
    """Return what finds the only folder of a project that can hold a handler; None where several can, or none."""
    listed_once: list[PurePosixPath] = []

    def search(handler: str) -> Path | None:
        if not listed_once:
            every = files.below(root, [], NOT_SOURCE, _MOST)
            listed_once.extend(PurePosixPath(one.relative_to(root).as_posix()) for one in every)
        module = module_path(handler)
        fitting = [
            one
            for one in listed_once
            if one.suffix in ENDINGS
            and f"/{one.with_suffix('')}".endswith(f"/{module}")
            and not _TESTS.search(str(one))
        ]
        folders = {root / str(one.with_suffix(""))[: -len(str(module))] for one in fitting}
        return folders.pop() if len(folders) == 1 else None

    return search
