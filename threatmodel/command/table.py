"""The commands and pytm's options: one line for each command here, and a module of its name in this folder.

A command's module has `options(parser)`, which declares its options, and `run(request)`, which runs it and returns the
exit code. Its `DESCRIPTION`, if it has one, opens its `--help`. Only the module of the command that runs is imported.
An option's module has `options(what)` for the option itself, and `details(how)` for related options.
"""

from __future__ import annotations

import importlib
from argparse import _MutuallyExclusiveGroup
from collections.abc import Mapping
from typing import Protocol, cast

from threatmodel.command.arguments import Parser
from threatmodel.command.request import Invocation

COMMANDS: Mapping[str, str] = {
    "check": "fail if a risk is not treated; for pipelines, in several formats",
    "config": "print the settings of a check, and where each comes from",
    "diff": "compare two models or two revisions; lost controls and proofs come first",
    "due": "list what has expired or expires soon, by owner",
    "accept": "accept the risk of a finding, with an owner, an end and a reason",
    "paths": "list the attack paths, worst first, and the fewest controls that cut them",
    "reach": "show what an attacker who holds an element reaches, and what to revoke first",
    "ask": "answer the open questions of a model in the terminal",
    "export": "print findings, actions or questions as CSV",
    "summary": "write report.html, report.md and dfd.svg to a folder, and print a summary",
    "import": "create a model from a template, a plan or a serverless.yml",
    "probe": "send a handler genuine and hostile requests, and report what it does",
    "schema": "print the JSON Schema of model files, or of the JSON of --json, paths or reach",
    "explain": "explain a threat, a control, a finding or an error code",
    "new": "create a threat, a control, a function or a handler to start from",
    "migrate": "rewrite former names in files to the current ones",
    "init": "create the first files of a threat model in your repository",
    "completion": "print the shell script that completes options, commands and ids",
    "docs": "write the generated schemas and reference pages",
}
"""Each command with its line in `--help`."""

OPTIONS = ("report", "dfd", "seq", "list", "json", "describe", "pytm")
"""The outputs that pytm's options select, in the order of `--help`."""

_TAKEN = {"import", "list", "json", "pytm"}
"""Names that Python, its library or a package uses: their modules end in an underscore."""


class Command(Protocol):
    """A command's module."""

    def options(self, parser: Parser, /) -> None:
        """Declare the command's options."""

    def run(self, request: Invocation, /) -> int:
        """Run it and return the exit code."""


class Option(Protocol):
    """The module of an option that selects an output, as pytm's do."""

    def options(self, what: _MutuallyExclusiveGroup, /) -> None:
        """Declare the option."""

    def run(self, request: Invocation, /) -> int:
        """Run it and return the exit code."""


def command(name: str) -> Command:
    """Return the module of a command."""
    return cast("Command", importlib.import_module(module_of(name)))


def option(name: str) -> Option:
    """Return the module of an option."""
    return cast("Option", importlib.import_module(module_of(name)))


def module_of(name: str) -> str:
    """Return the name of the module of a command or option."""
    return f"threatmodel.command.{name}{'_' if name in _TAKEN else ''}"
