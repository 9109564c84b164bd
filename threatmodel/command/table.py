"""The commands and pytm's options: a line a command here, a module of its name beside this file.

A command's module has `options(parser)`, which declares its options, and `run(request)`, which does it and returns the
exit code; its `DESCRIPTION`, if it has one, opens its `--help`.  Only what was asked for is imported.  An option's
module has `options(what)`, the option itself, and `details(how)` where others go with it.
"""

from __future__ import annotations

import importlib
from argparse import _MutuallyExclusiveGroup
from collections.abc import Mapping
from typing import Protocol, cast

from threatmodel.command.arguments import Parser
from threatmodel.command.request import Invocation

COMMANDS: Mapping[str, str] = {
    "check": "exit code 1 where a risk is left untreated; for pipelines, in many forms",
    "diff": "what changed between two models, or two revisions: lost controls and proofs first",
    "due": "what expires or is due, by owner",
    "ask": "answer what nobody has said, on the terminal",
    "summary": "write report.html, report.md and dfd.svg to a folder",
    "import": "a model of what a template, plan or serverless.yml deploys",
    "probe": "run a handler on genuine and hostile requests, and see",
    "schema": "the JSON Schema of model files or of --json",
    "explain": "a threat or a control, with everything that links to it",
    "new": "a threat, a control, a function or a handler to start from",
    "migrate": "rewrite former names in files to the current ones",
    "init": "the first files of a threat model, in a repository of your own",
    "completion": "what makes a shell complete options, commands and ids",
    "docs": "write what is generated: schemas, references of facts and library",
}
"""Each command with what `--help` says of it."""

OPTIONS = ("report", "dfd", "seq", "list", "json", "describe", "pytm")
"""What pytm's options ask for, in the order of `--help`."""

_TAKEN = {"import", "list", "json", "pytm"}
"""Names that Python, its library or a package has: their modules end in an underscore."""


class Command(Protocol):
    """A command's module."""

    def options(self, parser: Parser, /) -> None:
        """Declares its options."""

    def run(self, request: Invocation, /) -> int:
        """Does it; returns the exit code."""


class Option(Protocol):
    """The module of an option that asks for something, as pytm's do."""

    def options(self, what: _MutuallyExclusiveGroup, /) -> None:
        """Declares it."""

    def run(self, request: Invocation, /) -> int:
        """Does it; returns the exit code."""


def command(name: str) -> Command:
    """The module of a command."""
    return cast("Command", importlib.import_module(module_of(name)))


def option(name: str) -> Option:
    """The module of an option."""
    return cast("Option", importlib.import_module(module_of(name)))


def module_of(name: str) -> str:
    """The name of the module that does what a command or option says."""
    return f"threatmodel.command.{name}{'_' if name in _TAKEN else ''}"
