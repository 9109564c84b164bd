"""Internal errors: one line to report, and exit code 70, because 1 means findings.

It imports only the standard library and the version, because it must run where the rest cannot be imported.
"""

from __future__ import annotations

import contextlib
import os
import sys
from pathlib import Path

from threatmodel import __version__

_PACKAGES = Path(__file__).resolve().parent.parent.parent


def fault(error: BaseException, program: str) -> int:
    """Report an internal error, with the traceback where TM_DEBUG is 1; return exit code 70.

    The error's own message is shown with TM_DEBUG only, because it may quote a secret from the input.
    """
    import traceback  # imported late for a fast start-up

    lines = []
    if os.environ.get("TM_DEBUG") == "1":
        lines = "".join(traceback.format_exception(error)).splitlines()
    lines.append(
        f"{program}: internal error: {type(error).__name__} at {_at(error)}, version {__version__}; report this"
        " line and the command (set TM_DEBUG=1 for details)"
    )
    with contextlib.suppress(AttributeError, OSError):  # a closed standard error must not hide the exit code
        sys.stderr.write("".join(f"{_visible(line)}\n" for line in lines))
        sys.stderr.flush()
    return 70


def _at(error: BaseException) -> str:
    """Return the last line of this package in the traceback."""
    import traceback

    if isinstance(error, SyntaxError) and error.filename:  # a syntax error has no frame
        frames = [(error.filename, error.lineno)]
    else:
        frames = [(frame.filename, frame.lineno) for frame in traceback.extract_tb(error.__traceback__)]
    ours = [(Path(file), line) for file, line in frames if Path(file).is_relative_to(_PACKAGES)]
    return f"{ours[-1][0].relative_to(_PACKAGES).as_posix()}:{ours[-1][1]}" if ours else "a library"


def _visible(line: str) -> str:
    """Return a line in which every character is visible."""
    return "".join(one if one.isprintable() else f"<U+{ord(one):04X}>" for one in line)
