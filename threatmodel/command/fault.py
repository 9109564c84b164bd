"""What no stage foresaw: one line that can be reported, and exit code 70; never 1, which means findings.

It imports nothing but the standard library and what tells the version: it must run where the rest cannot be imported.
"""

from __future__ import annotations

import contextlib
import os
import sys
from pathlib import Path

from threatmodel import __version__

_PACKAGES = Path(__file__).resolve().parent.parent.parent


def fault(error: BaseException, program: str) -> int:
    """Tells of a fault of the program, with the traceback where TM_DEBUG is 1; returns exit code 70.

    What the error says is not shown without being asked for: it may hold a value of the input, and so a secret.
    """
    import traceback  # start-up is a feature

    lines = []
    if os.environ.get("TM_DEBUG") == "1":
        lines = "".join(traceback.format_exception(error)).splitlines()
    lines.append(
        f"{program}: internal error: {type(error).__name__} at {_at(error)}, version {__version__}; please report this"
        " line and the command (TM_DEBUG=1 shows more)"
    )
    with contextlib.suppress(AttributeError, OSError):  # a closed standard error must not hide the exit code
        sys.stderr.write("".join(f"{_visible(line)}\n" for line in lines))
        sys.stderr.flush()
    return 70


def _at(error: BaseException) -> str:
    """The last line of ours that the error came through."""
    import traceback

    if isinstance(error, SyntaxError) and error.filename:  # code that cannot be read has run no line
        frames = [(error.filename, error.lineno)]
    else:
        frames = [(frame.filename, frame.lineno) for frame in traceback.extract_tb(error.__traceback__)]
    ours = [(Path(file), line) for file, line in frames if Path(file).is_relative_to(_PACKAGES)]
    return f"{ours[-1][0].relative_to(_PACKAGES).as_posix()}:{ours[-1][1]}" if ours else "a library"


def _visible(line: str) -> str:
    """A line in which every character can be seen."""
    return "".join(one if one.isprintable() else f"<U+{ord(one):04X}>" for one in line)
