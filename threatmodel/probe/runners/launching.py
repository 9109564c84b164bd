"""What the child process is started with: the program, and the launcher's settings for it."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from threatmodel.probe.protocol import Limits
from threatmodel.probe.runners.added import Added
from threatmodel.probe.runners.dynamodb import Tables
from threatmodel.probe.runners.interpreters import THIS, Interpreter
from threatmodel.reading.home import PACKAGES
from threatmodel.reading.values import dataclass, field

STUBS = Path(__file__).resolve().parent / "stubs"
Progress = Callable[[int], None]
"""Called with each number of requests that is about to be sent."""
SOCKET = "s"


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """What to run: a file and its handler's name ('' for the usual ones), with node where that is not Python.

    `folder` is what is deployed, where that is not the file's own folder.

    `linked` are folders that packages are links to, `secret_variable` is the variable that has the signing secret,
    `bytecode` a folder with byte code that was made of the sources as they are, `marks` the file in it that says where
    the handler's own code is marked, and `ways` how many these are.  `required` are the measures of
    confinement without which nothing is run.  `tables` are items of DynamoDB's, `added` what every request has.
    """

    file: Path
    folder: Path | None = None
    name: str = ""
    node: str = ""
    interpreter: Interpreter = THIS
    node_flags: Sequence[str] = ()
    packages: Sequence[Path] = ()
    linked: Sequence[Path] = ()
    provide: Sequence[str] = ()
    required: Sequence[str] = ()
    tables: Tables = field(default_factory=dict)
    added: Added = field(default_factory=Added)
    secret_variable: str = ""
    bytecode: Path | None = None
    marks: Path | None = None
    ways: int = 0

    @property
    def root(self) -> Path:
        """The folder that is deployed."""
        return self.folder or self.file.parent


def config(
    program: Program, temporary: Path, limits: Limits, environment: Mapping[str, str] | None = None
) -> dict[str, Any]:
    """The launcher's settings, as JSON: `temporary` is the folder of this one process."""
    return {
        "environment": dict(environment or {}),
        "socket": str(temporary / SOCKET),
        "home": str(PACKAGES),
        "folder": str(program.root),
        "file": program.file.relative_to(program.root).as_posix(),
        "name": program.name,
        "node": program.node,
        "python": sys.executable if program.node else program.interpreter.program,
        "node_flags": list(program.node_flags),
        "packages": [str(folder) for folder in program.packages],
        "linked": [str(folder) for folder in program.linked],
        "provide": list(program.provide),
        "secret_variable": program.secret_variable,
        "bytecode": str(program.bytecode or ""),
        "marks": str(program.marks or ""),
        "stubs": str(STUBS),
        "temporary": str(temporary),
        "memory": limits.memory,
        "required": list(program.required),
        "look": False,
    }
