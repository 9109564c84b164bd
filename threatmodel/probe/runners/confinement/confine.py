"""All measures together, in the order in which each still can be taken: what the launcher and its children call."""

# ruff: noqa: PTH112, PTH118, PTH119, PTH120 - pathlib would take a tenth of the time that a scenario may take

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Iterator, Mapping
from typing import Any

from threatmodel.probe.runners.confinement import calls, landlock, limits, namespaces, private_root, privileges
from threatmodel.probe.runners.confinement.kernel import LINUX, KernelError
from threatmodel.probe.runners.confinement.measures import MEASURES
from threatmodel.reading.values import dataclass, field

_NEEDLESS = "the handler's process has a private root folder"


@dataclass(slots=True)
class Confinement:
    """What is done to one handler's processes: by measure, why it does not hold ('' where it does)."""

    config: Mapping[str, Any]
    why: dict[str, str] = field(default_factory=dict)
    groups: list[str] = field(default_factory=list)
    mounts: bool = False
    user: int = 0

    @property
    def parted(self) -> bool:
        """Whether the first child is the first process of its namespaces."""
        return self.why.get("processes") == ""

    def begin(self) -> None:
        """In the launcher, before it makes a child."""
        if not LINUX:
            self.why = dict.fromkeys(MEASURES, "only Linux has it")
            return
        self.user = privileges.unused_user() if os.getuid() == 0 else os.getuid()
        self.groups = limits.groups(os.path.basename(self.config["temporary"]), self.config["memory"])
        found, self.mounts = namespaces.enter()
        self.why |= found

    def close_root(self) -> None:
        """In the first child, which is root in its world: from here on it sees only what the handler needs."""
        if not LINUX:
            return
        self.why["files"] = "no private mounts may be made"
        if not self.mounts:
            return
        config = self.config
        base, home = os.path.join(config["temporary"], "root"), os.path.join(config["temporary"], "home")
        owner = self.user if os.getuid() == 0 else -1
        self.why["files"] = _tried(private_root.build, base, list(_shown(config)), config["socket"], home, owner)

    def give_up_rights(self) -> None:
        """In the handler's process, last of all before its code is run."""
        limits.of_process(memory=self.config["memory"], node=bool(self.config["node"]))
        if not LINUX:
            return
        privileges.hide(hidden=not self.config["node"])
        self.why["user"] = _tried(self._become)
        self.why["programs"] = _tried(privileges.no_new)
        home = os.path.join(self.config["temporary"], "home")
        self.why["writes"] = _tried(landlock.restrict, ["/tmp", home, "/dev/null", "/dev/zero", "/dev/full"])  # noqa: S108 - Lambda's
        node = bool(self.config["node"])
        self.why["programs"] = self.why["programs"] or _tried(_filter, node)
        counted = self.groups or limits.counts_for_user(os.getuid() if self.why["user"] else self.user)
        self.why["number"] = "" if counted else "root's processes are not counted, and no control group may be made"

    def _become(self) -> None:
        if os.getuid() != 0:
            if self.parted:
                privileges.without_capabilities()
            return
        if self.why["files"]:
            privileges.without_capabilities()
            raise KernelError(0, "it is root without capabilities, since files of root's must be reached")
        privileges.become(self.user, reads=not _readable_by_all(self.config))


def _filter(node: bool) -> None:  # noqa: FBT001 - one flag, named by its parameter
    calls.forbid(programs=not node, processes=node)


def _tried(measure: Any, *arguments: Any) -> str:
    """Why a measure does not hold, or ''."""
    try:
        measure(*arguments)
    except OSError as error:
        return error.strerror or type(error).__name__
    return ""


def _shown(config: Mapping[str, Any]) -> Iterator[str]:
    """What a handler needs beside the system's own: its folder, packages, the interpreter, and the stubs."""
    yield config["folder"]
    yield os.path.dirname(config["stubs"])
    yield from (*config["packages"], *config["linked"], *filter(None, [config["bytecode"]]))
    folder, above = config["folder"], ""
    while config["node"] and folder != above:
        modules = os.path.realpath(os.path.join(folder, "node_modules"))
        if os.path.isdir(modules) and os.path.basename(modules) == "node_modules":  # a link to any folder shows none
            yield modules
        folder, above = os.path.dirname(folder), folder
    if config["node"]:
        real = os.path.realpath(config["node"])
        yield from (config["node"], real, os.path.join(os.path.dirname(os.path.dirname(real)), "lib"))
    else:
        yield from (path for path in sys.path if os.path.isdir(path) and path != config["home"])
        yield os.path.join(sys.base_prefix, "lib")


def _readable_by_all(config: Mapping[str, Any]) -> bool:
    """Whether a user of no account reads the handler's folder, its file and its packages."""
    places = [config["folder"], os.path.join(config["folder"], config["file"]), *config["packages"]]
    return all(os.stat(place).st_mode & stat.S_IROTH for place in places)  # noqa: PTH116 - as above
