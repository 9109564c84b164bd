"""The command line: pytm's options, kept, and commands for the rest."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from threatmodel.command.arguments import Parser, common
from threatmodel.command.table import COMMANDS, OPTIONS, command, option
from threatmodel.reading.home import COMMAND, ORIGIN, PROGRAM

_DESCRIPTION = (
    "A threat model that proves itself: a YAML model becomes data-flow diagrams and a threat report "
    "in which every threat leads to controls and every control to evidence."
)
_EPILOG = f"""\
examples:
  {COMMAND} --report html -o report.html      the threat report of the default model
  {COMMAND} --dfd | dot -Tpng -o dfd.png      the data-flow diagram
  {COMMAND} --dfd -o dfd.png                  the same without a system Graphviz
  {COMMAND} -m models/shop.yaml check         exit code 1 where a high risk is left

exit codes: 0 clean, 1 findings that fail a check, 2 input that cannot be used, 70 a fault of this program
"""


def parser(arguments: Sequence[str] = tuple(COMMANDS)) -> Parser:
    """The command line, with the options of those commands that the arguments may ask for."""
    formatter = argparse.RawDescriptionHelpFormatter
    found = Parser(prog=PROGRAM, description=_DESCRIPTION, epilog=_EPILOG, formatter_class=formatter)
    found.add_argument("--version", action="version", version=f"{PROGRAM} {ORIGIN}")
    common(found)
    what = found.add_argument_group("what to make (pytm's options)").add_mutually_exclusive_group()
    how = found.add_argument_group("how")
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
