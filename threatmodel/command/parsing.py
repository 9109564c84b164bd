"""The command line: pytm's options, kept, and commands for the rest."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from threatmodel.command.arguments import Parser, common
from threatmodel.command.table import COMMANDS, OPTIONS, command, option
from threatmodel.reading.home import COMMAND, ORIGIN, PROGRAM

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
