"""The command line: pytm's options, kept, and a line for each command, which is a module of its name in this folder.

A command's module has `options(parser)`, which declares its options, and `run(request)`, which runs it and returns the
exit code. Its `DESCRIPTION`, if it has one, opens its `--help`. Only the module of the command that runs is imported.
An option's module has `options(what)` for the option itself, and `details(how)` for related options.
"""

from __future__ import annotations

import argparse
import importlib
from argparse import _MutuallyExclusiveGroup
from collections.abc import Mapping, Sequence
from typing import Protocol, cast

from threatmodel.command.arguments import Parser, common
from threatmodel.command.request import Invocation
from threatmodel.reading.home import COMMAND, ORIGIN, PROGRAM

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


_DESCRIPTION = """\
Turn a YAML model into data-flow diagrams and a threat report. Every threat in
the report links to controls, and every control to evidence."""
_EXAMPLES = {
    "--report html -o report.html": "write the threat report",
    "--dfd | dot -Tpng -o dfd.png": "draw the data-flow diagram",
    "--dfd -o dfd.png": "draw it without a system Graphviz",
    "-m threatmodel.yaml check": "exit with code 1 if an untreated risk is high or critical",
}
_COLUMN = max(map(len, _EXAMPLES))
_EPILOG = "\n".join(
    [
        "examples:",
        *(f"  {COMMAND} {example:<{_COLUMN}}  {text}" for example, text in _EXAMPLES.items()),
        "",
        "exit codes: 0 success, 1 the check fails, 2 the input cannot be used, 70 internal error",
    ]
)


def parser(arguments: Sequence[str] = tuple(COMMANDS)) -> Parser:
    """Return the parser of the command line, with the options of the commands that the arguments name."""
    formatter = argparse.RawDescriptionHelpFormatter
    found = Parser(prog=PROGRAM, description=_DESCRIPTION, epilog=_EPILOG, formatter_class=formatter)
    found.add_argument("--version", action="version", version=f"{PROGRAM} {ORIGIN}")
    common(found)
    what = found.add_argument_group("outputs (the same options as pytm)").add_mutually_exclusive_group()
    how = found.add_argument_group("output options")
    asking = [option(name) for name in OPTIONS]
    for one in asking:
        one.options(what)
    for one in asking:
        if hasattr(one, "details"):
            one.details(how)
    commands = found.add_subparsers(dest="command", metavar="COMMAND", title="commands")
    for name, said in COMMANDS.items():
        its = commands.add_parser(name, help=said, libraries=found.libraries)
        if name in arguments:  # argparse takes a command by its whole name only
            module = command(name)
            its.description = getattr(module, "DESCRIPTION", None)
            module.options(its)
    return found
