"""Which elements a finding of another tool is about: by the folder of the code, a name in a file, or an ARN."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path

from threatmodel.beside.folder import NOT_SOURCE
from threatmodel.beside.results.opening import OpenedResult
from threatmodel.beside.results.values import Finding
from threatmodel.evidence.deployed import Deployed, code_root
from threatmodel.evidence.file_statements import FileStatements
from threatmodel.evidence.resource_types import known
from threatmodel.model.system import System
from threatmodel.reading.project import real_path
from threatmodel.stacks.values import Scalar

_ARN = re.compile(r"arn:[a-z0-9-]+:([a-z0-9-]+):([a-z0-9-]*):(\d{12})?:(.+)")
_SOURCE = (".py", ".js", ".mjs", ".cjs", ".ts", ".mts", ".cts")
_OWN_URL = ("function-url", "web-function")
_MOST_FILES = 5_000
"""Files of a function's source that are held against the list of a tool."""


class Targets:
    """The elements of a model that files of the evidence deploy, as tools call them."""

    def __init__(
        self, held: Sequence[FileStatements], deployed: Mapping[str, Sequence[Deployed]], opened: OpenedResult
    ) -> None:
        self.held, self.deployed, self.opened = held, deployed, opened

    def of(self, one: Finding, kind: str) -> Sequence[str]:
        """Return the elements of a kind that a finding is about."""
        if one.resource:
            found = self.by_arn(one.resource) if one.resource.startswith("arn:") else self.by_name(one)
            return [element for element in found if self.kinds.get(element) == kind]
        return list(self.by_code(one)) if kind == "function" else ()

    def decides(self, only: str, element: str, one: Finding) -> bool:
        """Whether a fault decides, of a rule that does so only somewhere (the first lines of the table say where)."""
        if only == "region":
            return one.region in self.regions
        return only != "no-url" or not any(_may_have_url(held.system, element) for held in self.held)

    @cached_property
    def regions(self) -> frozenset[str]:
        """The Regions of the elements, as far as the files of the evidence or the ARNs of the result show them."""
        shown = {home.region for held in self.held for home in held.opened.homes.values() if home is not None}
        arns = {one.resource for one in self.opened.results.findings if one.resource.startswith("arn:")}
        of_elements = (_ARN.fullmatch(arn) for arn in arns if any(self.by_arn(arn)))
        return frozenset(shown | {found[2] for found in of_elements if found} - {""})

    @cached_property
    def kinds(self) -> Mapping[str, str]:
        """The kind of each element of the model."""
        return {name: node.kind for one in self.held for name, node in one.system.nodes.items()}

    @cached_property
    def account(self) -> str:
        """The account of the files of the evidence, as far as they show it."""
        homes = (home for one in self.held for home in one.opened.homes.values() if home is not None)
        return next((home.account for home in homes), "")

    @cached_property
    def roots(self) -> Mapping[str, Sequence[Path]]:
        """The folders of the code of each function, links resolved."""
        found: dict[str, list[Path]] = {}
        for function, every in self.deployed.items():
            roots = (code_root(one) for one in every)
            found[function] = [real_path(one) for one in roots if one is not None]
        return found

    def by_code(self, one: Finding) -> Iterator[str]:
        """Yield the functions in the folder of whose code a file is."""
        path = self.opened.paths.get(one.file)
        if path is not None:
            for function, roots in self.roots.items():
                if self.kinds.get(function) == "function" and any(map(path.is_relative_to, roots)):
                    yield function

    def by_name(self, one: Finding) -> Iterator[str]:
        """Yield the element of a resource by the name that a file of infrastructure code has for it."""
        path = self.opened.paths.get(one.file)
        for held in self.held:
            for element, name in held.matched.resources.items():
                label, own = held.environment.own(name)
                file = held.stack.joined.get(label, held.stack).file
                if own == one.resource and (path is None or real_path(Path(file)) == path):
                    yield element

    def by_arn(self, arn: str) -> Iterator[str]:
        """Yield the element that has an ARN: by its own, or by the name that its file gives it."""
        found = _ARN.fullmatch(arn)
        for held in self.held if found else ():
            for element, name in held.matched.resources.items():
                resource = held.stack.resources[name]
                row = known(resource.type)
                own = resource.properties.entries.get(row.own_name)
                called = own.value if isinstance(own, Scalar) and not own.given else None
                stated = {
                    one.value
                    for key in ("arn", "Arn")
                    if isinstance(one := resource.properties.entries.get(key), Scalar)
                }
                last = row.arn.replace("{}", str(called)) if called and row.arn else None
                if arn in stated or (found and last == found[4] and found[1] == (*row.services, "")[0]):
                    yield element

    def read_whole(self, read: frozenset[str] | None) -> Iterator[str]:
        """Yield the functions of which a tool read every file of source."""
        if read is None:
            return
        there = {self.opened.paths[name] for name in read if name in self.opened.paths}
        for function, roots in self.roots.items():
            files = [one for root in roots for one in _source_in(root)]
            if files and len(files) <= _MOST_FILES and there.issuperset(files):
                yield function


def _may_have_url(system: System, function: str) -> bool:
    """Whether a function URL may invoke a function, by what the model says."""
    node = system.nodes.get(function)
    if node is None or node.triggers is None:
        return True
    sources = (system.nodes.get(one.source.id) for one in node.triggers if one.source is not None)
    kinds = (one.facts.get("kind") for one in sources if one is not None and one.kind == "api")
    return any(one is None or one.value in _OWN_URL for one in kinds)


def _source_in(root: Path) -> Iterator[Path]:
    """The files of source below a folder, up to one more than are looked at."""
    waiting, count = [root], 0
    while waiting and count <= _MOST_FILES:
        folder = waiting.pop()
        for one in sorted(folder.iterdir()) if folder.is_dir() else ():
            if one.is_dir() and not one.is_symlink() and one.name not in NOT_SOURCE:
                waiting.append(one)
            elif one.suffix in _SOURCE:
                count += 1
                yield real_path(one)
