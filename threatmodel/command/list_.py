"""`tm.py --list`: list every threat of the library."""

from __future__ import annotations

from argparse import _MutuallyExclusiveGroup

from threatmodel.command.request import Invocation
from threatmodel.reading.problems import InputError
from threatmodel.reading.values import replace


def options(what: _MutuallyExclusiveGroup) -> None:
    """Declare the option."""
    what.add_argument("--list", action="store_true", help="every threat of the library: id, scenario, title")


def run(request: Invocation) -> int:
    """Print one line for each threat."""
    from threatmodel.assessment.misdirected import unknown_threats
    from threatmodel.render.listing import listing

    library, excluded = request.library(), request.excluded
    if problems := [*unknown_threats(dict.fromkeys(excluded), library)]:
        raise InputError(problems)
    left = {name: threat for name, threat in library.threats.items() if name not in excluded}
    return request.print(listing(replace(library, threats=left)) if left else "")
