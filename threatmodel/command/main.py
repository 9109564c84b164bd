"""Arguments in, exit code out.

Exit codes: 0 success, 1 the check fails, 2 the input cannot be used, 70 internal error.
"""

from __future__ import annotations

import argparse
import gc
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from threatmodel.command.arguments import READS_NO_MODEL, Parser
from threatmodel.command.request import Invocation
from threatmodel.command.settings import NONE, settled
from threatmodel.command.table import OPTIONS, command, option, parser
from threatmodel.reading.files import Files
from threatmodel.reading.former import warnings
from threatmodel.reading.home import CONTENT, EXPLAIN, check_home
from threatmodel.reading.output import StreamError, complain, flush, prepare_streams, silence
from threatmodel.reading.problems import InputError, render_problems, shown, visible


def main(arguments: Sequence[str]) -> int:
    """Run the command line; return the exit code.

    The caller handles a missing package, Ctrl-C and internal errors.
    """
    gc.disable()  # values form no cycles, and collection is slow with a hundred thousand of them
    prepare_streams()
    files = Files(CONTENT)
    try:
        code = _run(arguments, files)
        flush()
    except InputError as error:
        complain(render_problems(error, files.read, EXPLAIN))
        code = 2
    except BrokenPipeError:
        silence(sys.stdout)
        return 0
    except StreamError as error:
        complain(f"standard output: unwritable-file: cannot be written: {error}\n")
        return 2
    except OSError as error:
        if error.filename is None:
            raise
        return _unusable(error)
    if files.renamed:
        complain(shown(warnings(files.renamed), files.read) + "\n")
    return code


def _unusable(error: OSError) -> int:
    """Report an error of the file system that no stage handles; return the exit code."""
    name = visible(os.fsdecode(error.filename)[:200])
    complain(f"{name}: unreadable-file: cannot be used: {error.strerror}\n")
    return 2


def _run(arguments: Sequence[str], files: Files) -> int:
    """Run the command or option that is given; print the help where none is."""
    if "_ARGCOMPLETE" in os.environ:  # a shell asks for completions: nothing else may happen
        from threatmodel.command.completion import complete

        return complete(parser())
    line = parser(arguments)
    args = _parsed(line, arguments)
    check_home()

    def request_of(read: Files) -> Invocation:
        own = argparse.Namespace(**vars(args))  # settings are entered in it
        settings = NONE if args.command in READS_NO_MODEL else settled(own, read, Path.cwd())
        return Invocation(own, read, line.error, settings, request_of)

    request = request_of(files)
    asked = [name for name in OPTIONS if getattr(args, name)]
    if args.command:
        if asked:
            line.error(f"--{asked[0]} and {args.command} exclude each other; give only one")
        if args.command in READS_NO_MODEL and getattr(args, "model", None) is not None:
            line.error(f"{args.command} reads no model; leave -m out")
        if args.command != "diff":
            request.refuse_pictures()
        return command(args.command).run(request)
    if asked:
        if asked[0] != "dfd" and args.report != "pdf":
            request.refuse_pictures()
        return option(asked[0]).run(request)
    line.print_help()
    return 0


def _parsed(line: Parser, arguments: Sequence[str]) -> argparse.Namespace:
    """Return the arguments by name; --help and --version print and exit here."""
    try:
        found, left = line.parse_known_args(arguments)
        if left:
            line.named = found.command or ""
            line.error(f"unrecognized arguments: {' '.join(left)}")
    except SystemExit:
        flush()
        raise
    return found
