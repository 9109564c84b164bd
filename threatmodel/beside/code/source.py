"""The source of handlers in a folder, and which file of it a handler is."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath

from threatmodel.beside.folder import Folder, Reads, read_folder
from threatmodel.reading.files import Files

PYTHON = (".py",)
JAVASCRIPT = (".js", ".mjs", ".cjs", ".jsx", ".ts", ".mts", ".cts", ".tsx")
ENDINGS = (*PYTHON, *JAVASCRIPT)
UNREAD: Mapping[str, str] = {
    ".go": "Go",
    ".java": "Java",
    ".kt": "Kotlin",
    ".scala": "Scala",
    ".cs": "C#",
    ".rb": "Ruby",
    ".rs": "Rust",
    ".php": "PHP",
}
"""Languages of handlers that are not parsed, by the endings of their files."""

_DATA = re.compile(
    r"(?:^|/)\.env[^/]*\Z|\.(?:json|ya?ml|toml|ini|cfg|conf|properties|txt|pem|key)\Z(?<!package-lock\.json)"
)
"""Names of files that are packaged with source, and may hold a secret."""

_READS = Reads(
    wanted=lambda name: name.endswith(ENDINGS),
    what="the source of the handlers",
    smaller="name the folder of the handler's source, before it is bundled",
    noticed=tuple(UNREAD),
    data=lambda name: bool(_DATA.search(name)),
)


def module_path(handler: str) -> PurePosixPath:
    """Return the path of a handler's module, without an ending, in the folder that is packaged."""
    module = handler.rpartition(".")[0]
    return PurePosixPath(module if "/" in module else module.replace(".", "/"))


def read_source(path: Path, files: Files) -> Folder:
    """Return the files of a folder that are Python, JavaScript or TypeScript.  Raises InputError."""
    return read_folder(path, files, _READS)


def unread_language(folder: Folder, module: PurePosixPath) -> str:
    """Return why a handler's module cannot be read: a file in another language, its own or the first of its folder.

    '' where there is none.
    """
    own = (f"{module}{ending}" for ending in UNREAD)
    beside = (name for name in folder.noticed if PurePosixPath(name).is_relative_to(module.parent))
    found = next((name for name in (*own, *beside) if name in folder.noticed), "")
    return f"{folder.place(found).file} is {UNREAD[PurePosixPath(found).suffix]}, which is not read" if found else ""


def handler_file(folder: Folder, module: PurePosixPath) -> str | None:
    """Return the file of a handler's module, named as Lambda does: without an ending, from the folder's top."""
    return next((name for name in handler_names(module) if name in folder.texts), None)


def handler_names(module: PurePosixPath) -> Iterator[str]:
    """Yield the names that a handler's file may have: its module's, and those of what it is compiled from."""
    yield from (f"{module}{ending}" for ending in ENDINGS)
    parts = module.parts
    for at, part in enumerate(parts[:-1]):
        if part in _COMPILED:
            for path in ((*parts[:at], "src", *parts[at + 1 :]), (*parts[:at], *parts[at + 1 :])):
                yield from (f"{PurePosixPath(*path)}{ending}" for ending in _TYPESCRIPT)


_TYPESCRIPT = (".ts", ".mts", ".cts", ".tsx")
_COMPILED = frozenset({"dist", "build", "out", "lib", "output", ".build", ".dist"})
"""Names of folders into which TypeScript is compiled, which are not kept in a repository."""
