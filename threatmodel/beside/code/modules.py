"""The modules that a handler is made of: its own and those of the folder that it imports, wherever it does so."""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import PurePosixPath
from typing import NamedTuple

from threatmodel.beside.code.javascript.aliases import Alias, aliases
from threatmodel.beside.code.packages import is_known, is_standard, package_of
from threatmodel.beside.code.source import JAVASCRIPT, PYTHON
from threatmodel.beside.code.syntax import Node, ParseError, by_kind, made, walk
from threatmodel.beside.folder import Folder
from threatmodel.reading.problems import Place
from threatmodel.reading.values import dataclass, field, replace

MOST_MODULES = 2_000
"""Modules that are followed from one handler."""
_LOADS = frozenset({"import_module", "__import__", "require", "import"})
_RUNS = frozenset({"exec", "execfile"})
_DATA = (".json", ".css", ".html", ".txt", ".md", ".node", ".wasm", ".graphql", ".sql", ".yaml", ".yml")


class Opening(NamedTuple):
    """Why there may be code that was not read, and where."""

    why: str
    place: Place


@dataclass(eq=False)
class Module:
    """A file, parsed: `imports` are the names that it binds, each with the module and the name there.

    A module of the folder is named by its path, and any other one as it is imported.
    """

    path: str
    block: Node
    python: bool
    kinds: Mapping[str, Sequence[Node]]
    imports: dict[str, tuple[str, str]] = field(default_factory=dict)


@dataclass(eq=False)
class Modules:
    """All modules of a handler by path, the first its own; the packages that they import, and what was not read.

    Of the packages that are `unknown` it is not known what they do with a request.
    """

    folder: Folder
    root: str
    found: dict[str, Module] = field(default_factory=dict)
    packages: dict[str, Place] = field(default_factory=dict)
    unknown: dict[str, Place] = field(default_factory=dict)
    folders: frozenset[str] = frozenset()
    aliases: tuple[Alias, ...] = ()
    openings: list[Opening] = field(default_factory=list)

    def place(self, module: Module, node: Node) -> Place:
        """Return the place of a node."""
        return self.folder.place(module.path, node.line, node.column)


_REMEDY = "run the toolkit with the handler's Python, name the source that it is built from, or probe it"


class Parsed:
    """The modules of a folder, each parsed once for all handlers; `whole`: no block of them is made later."""

    def __init__(self, folder: Folder, *, whole: bool = False) -> None:
        self.folder, self.whole = folder, whole
        self.folders = frozenset(str(one) for name in folder.texts for one in PurePosixPath(name).parents)
        self._parsed: dict[str, Module | ParseError] = {}

    def module(self, path: str) -> Module:
        """Return the module of a file, which has bound no names yet.  Raises ParseError."""
        if path not in self._parsed:
            try:
                block = made(self._parse(path)) if self.whole else self._parse(path)
                self._parsed[path] = Module(path, block, path.endswith(PYTHON), by_kind(block))
            except ParseError as error:
                self._parsed[path] = error
        found = self._parsed[path]
        if isinstance(found, ParseError):
            raise found
        return replace(found, imports={})

    def _parse(self, path: str) -> Node:
        text = self.folder.texts[path]
        if path.endswith(PYTHON):
            from threatmodel.beside.code.python import parse as parse_python

            return parse_python(text)
        from threatmodel.beside.code.javascript.parsing import parse

        return parse(text, posixpath.splitext(path)[1])


def modules_of(parsed: Parsed, files: Iterable[str], root: str) -> Modules:
    """Return the modules of some files, as far as they are in the folder; `root` is what is packaged."""
    modules = Modules(parsed.folder, root, folders=parsed.folders, aliases=tuple(aliases(parsed.folder, root)))
    ahead = [*files]
    for path in ahead:  # it grows on the way
        if path in modules.found:
            continue
        if len(modules.found) >= MOST_MODULES:
            why = f"it imports more than {MOST_MODULES:,} modules of the folder; probe it"
            modules.openings.append(Opening(why, parsed.folder.place(path)))
            break
        try:
            module = parsed.module(path)
        except ParseError as error:
            place = parsed.folder.place(path, error.line, 1)
            modules.openings.append(Opening(f"{path} is not read: {error.why}; {_REMEDY}", place))
            continue
        modules.found[path] = module
        ahead += _Importing(modules, module).all()
    return modules


class _Importing:
    """Follows the imports of one module."""

    def __init__(self, modules: Modules, module: Module) -> None:
        self.modules, self.module, self.texts = modules, module, modules.folder.texts
        self.here = posixpath.dirname(module.path)
        self.name = ""  # of the module that is being resolved

    def all(self) -> Iterator[str]:
        """Yield the files of the folder that the module imports."""
        kinds = self.module.kinds
        typing = {id(node) for test in kinds.get("if", ()) if _is_typing(test) for node in walk(test.parts[1])}
        found = (node for kind in ("import", "call", "assign") for node in kinds.get(kind, ()))
        for node in found:
            if id(node) in typing:
                continue
            if node.kind == "import":
                yield from self.imported(node)
            elif node.kind == "assign":
                if is_required(node.parts[1]):
                    self.bind_required(*node.parts)
            elif node.parts[0].name in _LOADS:
                yield from self.loaded(node)
            elif self.module.python and node.parts[0].kind == "name" and node.parts[0].name in _RUNS:
                self.open(f"{node.parts[0].name}() runs code that is not in a file", node)

    def imported(self, node: Node) -> Iterator[str]:
        paths, name = self.resolved(node.name, node)
        for one in node.parts:
            original = one.parts[0].name
            target = self.member(paths, node.name, original) if self.module.python else ""
            if target:
                yield target
                self.module.imports[one.name] = (target, "*")
            else:
                self.module.imports[one.name] = (name, original)
        yield from paths

    def member(self, paths: list[str], name: str, original: str) -> str:
        """Return the file that a name imported from a package of Python is, if it is one.

        A folder is a package with and without an __init__.py.
        """
        last = paths[-1] if paths else ""
        if last and not last.endswith("__init__.py"):
            return ""
        bases, parts = ([posixpath.dirname(last)], []) if last else self.split(name)
        inside = [posixpath.join(one, *parts, original) for one in bases]
        ends = (f"{path}{end}" for path in inside for end in (".py", "/__init__.py"))
        return next((path for path in ends if path in self.texts), "")

    def split(self, name: str) -> tuple[Iterable[str], list[str]]:
        """Return the folders in which a dotted name of Python can begin, and its parts."""
        level = len(name) - len(name.lstrip("."))
        parts = [part for part in name[level:].split(".") if part]
        if level:
            return ["/".join(self.here.split("/")[: 1 - level or None])], parts
        root = self.modules.root if self.modules.root != "." else ""
        return dict.fromkeys((root, self.here)), parts

    def loaded(self, node: Node) -> Iterator[str]:
        called = node.parts[0]
        if called.kind == "name" and called.name in {"require", "import"} and self.module.python:
            return
        if called.kind == "attribute" and called.name in {"require", "import"}:
            return
        given = node.parts[1] if len(node.parts) > 1 else None
        if given is not None and given.kind == "text":
            paths, name = self.resolved(given.name, node)
            if given.name.startswith("."):
                self.module.imports.setdefault(given.name, (name, "*"))
            yield from paths
        elif given is not None:
            self.open("it imports a module whose name is computed", node)

    def bind_required(self, target: Node, value: Node) -> None:
        """Note the name that a require binds."""
        original = "*"
        while value.kind == "attribute":
            original, value = value.name, value.parts[0]
        if target.kind == "name" and len(value.parts) > 1 and value.parts[1].kind == "text":
            self.module.imports[target.name] = (self.resolved(value.parts[1].name, value)[1], original)

    def resolved(self, name: str, node: Node) -> tuple[list[str], str]:
        """Return the files of the folder that an import runs, and what the module is called."""
        self.name = name
        found = self.python(name) if self.module.python else self.javascript(name)
        if found is not None:
            return found, found[-1] if found else name
        package = package_of(name, python=self.module.python)
        if not is_standard(package if self.module.python else name, python=self.module.python):
            place = self.modules.place(self.module, node)
            self.modules.packages.setdefault(package, place)
            if not is_known(package, python=self.module.python):
                self.modules.unknown.setdefault(package, place)
        return [], name

    def open(self, why: str, node: Node) -> None:
        self.modules.openings.append(Opening(why, self.modules.place(self.module, node)))

    # --- Python

    def python(self, name: str) -> list[str] | None:
        """Return the files of a module of Python; None where it is a package from elsewhere."""
        bases, parts = self.split(name)
        every = (self.package(base, parts, whole=name.startswith(".")) for base in bases)
        return next((found for found in every if found is not None), None)

    def package(self, base: str, parts: list[str], *, whole: bool) -> list[str] | None:
        """Return the files along a dotted name below a folder; None where its first part is not there."""
        found = []
        path = base
        if whole and not parts and f"{base}/__init__.py".lstrip("/") in self.texts:
            return [f"{base}/__init__.py".lstrip("/")]
        for number, part in enumerate(parts):
            path = posixpath.join(path, part)
            file = next((one for one in (f"{path}/__init__.py", f"{path}.py") if one in self.texts), "")
            if file:
                found.append(file)
            elif path not in self.modules.folders:
                if number == 0 and not whole:
                    return None
                self.missing(self.name)
                break
        return found

    # --- JavaScript

    def javascript(self, name: str) -> list[str] | None:
        """Return the file of a module of JavaScript; None where it is a package from elsewhere."""
        own = name.startswith((".", "/"))
        bases = [posixpath.normpath(posixpath.join(self.here, name))] if own else []
        for alias in () if own else self.modules.aliases:
            paths = alias.of(name, self.module.path)
            own = own or bool(paths and alias.own)
            bases += paths
        for base in bases:
            file = self.script(base)
            if file:
                return [file]
        if name.endswith(_DATA):
            return []
        if own:
            self.missing(name)
            return []
        return None

    def script(self, base: str) -> str:
        stem, ending = posixpath.splitext(base)
        names = [base, *(f"{base}{one}" for one in JAVASCRIPT), *(f"{base}/index{one}" for one in JAVASCRIPT)]
        if ending in {".js", ".mjs", ".cjs", ".jsx"}:
            names += [f"{stem}{one}" for one in (".ts", ".tsx", ".mts", ".cts")]
        return next((one for one in names if one in self.texts), "")

    def missing(self, name: str) -> None:
        """Note a module that is not in the folder; as of a package, it matters what it gets."""
        self.modules.unknown.setdefault(name, self.modules.folder.place(self.module.path))


def _is_typing(test: Node) -> bool:
    """Return whether only a type checker reads what is under a test."""
    return test.parts[0].name == "TYPE_CHECKING"


def is_required(value: Node) -> bool:
    """Return whether a value is what `require` gives, or a part of it."""
    while value.kind == "attribute":
        value = value.parts[0]
    return value.kind == "call" and value.parts[0].kind == "name" and value.parts[0].name == "require"
