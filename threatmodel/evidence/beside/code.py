"""The source of a folder as statements about the functions whose handlers are in it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from threatmodel.beside.code.source import handler_file
from threatmodel.beside.folder import Folder
from threatmodel.evidence.beside.kinds import Found
from threatmodel.evidence.deployed import Deployed
from threatmodel.evidence.packaged import code_root, no_folder
from threatmodel.graph.elements import Read
from threatmodel.model.facts import Statements
from threatmodel.reading.problems import Place, quoted
from threatmodel.reading.project import real_path
from threatmodel.stacks.values import get, text

_Unread = tuple[str, str, Place]


class Handler(NamedTuple):
    """The handler of a function: its file in the folder, the name in it, and the folder that is packaged ('' for all).

    `deployed` is what a file makes of the function.
    """

    file: str
    name: str
    root: str
    deployed: Deployed


def state(found: Found) -> tuple[Statements, Read]:
    """Return what the source states of the functions that are deployed from its folder, and what was read."""
    folder: Folder = found.opened
    unread: list[_Unread] = [*folder.unread]
    handlers = dict(_handlers(found, folder, unread))
    if not handlers and not unread:
        why = "no file of the evidence deploys a function from this folder; name the function with function: ID"
        unread.append((f"{folder.path}/", why, found.source.place))
    elements = {function: f"{one.file}:{one.name}" for function, one in handlers.items()}
    return {}, Read(file=f"{folder.path}/", kind=found.source.kind, elements=elements, unread=tuple(unread))


def _handlers(found: Found, folder: Folder, unread: list[_Unread]) -> Iterator[tuple[str, Handler]]:
    """Yield the handler of each function of the folder; where one is not found, the reason is added."""
    named = found.source.function
    for function, every in found.deployed.items():
        if found.system.nodes[function].kind == "function" and named in {"", function}:
            for deployed in every:
                one = _handler(found, folder, deployed)
                if isinstance(one, Handler):
                    yield function, one
                elif one:
                    unread.append((function, one, deployed.resource.place))
    if named and named not in found.deployed:
        unread.append((named, "no file of the evidence deploys this function", found.source.place))


def _handler(found: Found, folder: Folder, deployed: Deployed) -> Handler | str:
    """Return the handler in the folder, or why there is none; '' where the function's code is elsewhere."""
    handler = text(get(deployed.resource.properties, "Handler"))
    if why := no_folder(deployed):
        return f"{why}, and no folder is packaged"
    if handler is None:
        return "it is unknown which handler is deployed"
    root = _root(found, folder, deployed)
    if root is None:
        return ""
    module, _, name = handler.rpartition(".")
    path = PurePosixPath(root) / (module.replace(".", "/") if "/" not in module else module)
    file = handler_file(folder, path)
    if file is None:
        return (
            f"the handler {quoted(handler)} is not in {folder.path}/ as source; name the folder that it is built from"
        )
    return Handler(file, name, root, deployed)


def _root(found: Found, folder: Folder, deployed: Deployed) -> str | None:
    """Return the path in the folder of what is packaged; None where that is elsewhere."""
    root = code_root(deployed)
    own = real_path(Path(folder.path))
    if root is not None and real_path(root).is_relative_to(own):
        return real_path(root).relative_to(own).as_posix()
    return "." if found.source.function else None
