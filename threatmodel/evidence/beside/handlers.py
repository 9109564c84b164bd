"""Which file is the handler of a function that a file deploys: in a folder, or inline in a template."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from threatmodel.beside.code.inline import Template, archived_code, inline_code, inline_file
from threatmodel.beside.code.modules import Opening, Parsed
from threatmodel.beside.code.source import handler_file, module_path, unread_language
from threatmodel.beside.folder import Folder
from threatmodel.evidence.beside.kinds import Found
from threatmodel.evidence.deployed import Deployed, archived, code_root, inline, no_folder
from threatmodel.reading.problems import Place, quoted
from threatmodel.reading.project import real_path
from threatmodel.stacks.values import Table, Unknown, get, spelling, text, unknowns

Unread = tuple[str, str, Place]
_MARK = re.compile("\x00([^\x01]*)\x01")
_INDEX = PurePosixPath("index")
"""The module of inline code."""


class Handler(NamedTuple):
    """The handler of a function: its file, the name in it, and the folder that is packaged ('' for all).

    `deployed` is what a file makes of the function, `parsed` are the modules among which its file is, and `openings`
    say why its code may be other code.
    """

    file: str
    name: str
    root: str
    deployed: Deployed
    parsed: Parsed
    openings: tuple[Opening, ...] = ()


def handlers(found: Found, parsed: Parsed, unread: list[Unread]) -> Iterator[tuple[str, Handler]]:
    """Yield the handler of each function of an entry's folder; where one is not found, the reason is added."""
    named = found.source.function
    apart = {one.function for one in found.system.evidence if one.kind == "code" and one.function != named}
    for function, every in found.deployed.items():
        if isinstance(parsed.folder, Template) and function in apart:
            continue
        if found.system.nodes[function].kind == "function" and named in {"", function}:
            for deployed in every:
                one = _handler(found, parsed, deployed)
                if isinstance(one, Handler):
                    yield function, one
                elif one:
                    unread.append((function, one, deployed.resource.place))
    if named and named not in found.deployed:
        unread.append((named, "no file of the evidence deploys this function", found.source.place))


def _handler(found: Found, parsed: Parsed, deployed: Deployed) -> Handler | str:
    """Return the handler in the folder, or why there is none; '' where the function's code is elsewhere."""
    folder = parsed.folder
    if isinstance(folder, Template):
        return in_template(folder, deployed)
    written, handler = inline(deployed), text(get(deployed.resource.properties, "Handler"))
    if written is not None and (is_index(handler) or not found.source.function):
        is_named = _is_named(found, written.place.file)
        return "" if is_named else "the template contains the code inline; name the template under code, too"
    if written is None and (why := no_folder(deployed)):
        return f"{why}, and no folder is packaged"
    if handler is None:
        return "it is unknown which handler is deployed"
    root = _root(found, folder, deployed)
    if root is None:
        return ""
    file = handler_file(folder, PurePosixPath(root) / module_path(handler))
    if file is None:
        if other := unread_language(folder, PurePosixPath(root) / module_path(handler)):
            return f"{other}; state what the handler does, or probe it"
        return (
            f"the handler {quoted(handler)} is not in {folder.path}/ as source; name the folder that it is built from"
        )
    return Handler(file, handler.rpartition(".")[2], root, deployed, parsed)


def in_template(template: Template, deployed: Deployed) -> Handler | str:
    """Return the handler that a template has inline, or why it is not read; '' where the code is elsewhere."""
    written, packed = inline(deployed), archived(deployed)
    found = written or packed
    if found is None or found.place.file != template.path:
        return ""
    handler, runtime = (text(get(deployed.resource.properties, name)) for name in ("Handler", "Runtime"))
    if handler is None or runtime is None:
        return "it is unknown which handler and runtime are deployed"
    if written is None and packed is not None:
        return _packed(template, deployed, packed, handler)
    file = inline_file(runtime)
    if not file or written is None:
        return f"inline code of {quoted(runtime)} is not read; state what the handler does, or probe it"
    if not is_index(handler):
        return f"{quoted(handler)} is not in the inline code, which Lambda saves as {file}; name it index.<function>"
    if isinstance(written, Unknown):
        return f"the inline code is unknown: {written.why}"
    folder = inline_code(template, file, _MARK.sub(r"${\1}", spelling(written)), written.place)
    why = "a part of the inline code is given by a parameter, or known only when it is deployed"
    is_open = bool(getattr(written, "given", ())) or any(unknowns(written))
    openings = (Opening(why, written.place),) if is_open else ()
    return Handler(file, handler.rpartition(".")[2], "", deployed, Parsed(folder), openings)


def _packed(template: Template, deployed: Deployed, files: Table, handler: str) -> Handler | str:
    """Return the handler among the files of an archive."""
    texts = {name: text(value) or "" for name, value in files.entries.items()}
    folder = archived_code(template, texts, files.place)
    file = handler_file(folder, module_path(handler))
    if file is None:
        return f"the handler {quoted(handler)} is not among the texts of the archive"
    return Handler(file, handler.rpartition(".")[2], "", deployed, Parsed(folder))


def is_index(handler: str | None) -> bool:
    """Return whether a handler is in the only module that inline code can be; of another name, it is other code."""
    return handler is None or module_path(handler) == _INDEX


def _is_named(found: Found, template: str) -> bool:
    """Return whether an entry of the model names the code in a template."""
    here = Path(found.system.file).parent
    named = (real_path(here / one.path) for one in found.system.evidence if one.kind == "code")
    return real_path(Path(template)) in named


def _root(found: Found, folder: Folder, deployed: Deployed) -> str | None:
    """Return the path in the folder of what is packaged; None where that is elsewhere."""
    root = code_root(deployed)
    own = real_path(Path(folder.path))
    if root is not None and real_path(root).is_relative_to(own):
        return real_path(root).relative_to(own).as_posix()
    return "." if found.source.function else None
