"""Arguments in, exit code out.

Exit codes: 0 clean, 1 findings that fail a check, 2 input that cannot be used.
"""

from __future__ import annotations

import argparse
import gc
import sys
from collections.abc import Sequence

from threatmodel.command.arguments import Parser
from threatmodel.command.parsing import parser
from threatmodel.command.request import Request
from threatmodel.command.table import OPTIONS, command, option
from threatmodel.reading.files import Files
from threatmodel.reading.home import CONTENT
from threatmodel.reading.output import complain, prepare_streams, silence
from threatmodel.reading.problems import InputError, shown


def main(arguments: Sequence[str]) -> int:
    """Runs the command line; returns the exit code."""
    gc.disable()  # values form no cycles, and a hundred thousand of them are slow to walk
    prepare_streams()
    files = Files(CONTENT)
    try:
        code = _run(arguments, files)
        sys.stdout.flush()
    except InputError as error:
        count = len(set(error.problems))
        tail = f"{count} problem{'' if count == 1 else 's'}; docs/errors.md explains each code"
        complain(f"{shown(error.problems, files.texts)}\n{tail}\n")
        return 2
    except BrokenPipeError:
        silence(sys.stdout)
        return 0
    except OSError as error:
        silence(sys.stdout)
        complain(f"standard output: unwritable-file: cannot be written: {error.strerror}\n")
        return 2
    return code


def _run(arguments: Sequence[str], files: Files) -> int:
    """Does what was asked for; help where nothing was."""
    line = parser(arguments)
    args = _parsed(line, arguments)
    request = Request(args, files, line.error)
    asked = [name for name in OPTIONS if getattr(args, name)]
    if args.command:
        if asked:
            line.error(f"--{asked[0]} and {args.command} ask for two things: give one of them")
        request.refuse_pictures()
        return command(args.command).run(request)
    if asked:
        if asked[0] != "dfd":
            request.refuse_pictures()
        return option(asked[0]).run(request)
    line.print_help()
    return 0


def _parsed(line: Parser, arguments: Sequence[str]) -> argparse.Namespace:
    """The arguments by name; --help and --version end here, once what they say is written."""
    try:
        return line.parse_args(arguments)
    except SystemExit:
        sys.stdout.flush()
        raise
