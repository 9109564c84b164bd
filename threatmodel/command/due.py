"""`tm.py due`: what expires or is due, by owner."""

from __future__ import annotations

import argparse
import re

from threatmodel.command.arguments import Parser, common, path
from threatmodel.command.request import Invocation, models_of

DESCRIPTION = (
    "Lists acceptances, attestations, plans and work that have ended or end within some days, by owner, over as many "
    "models as are named. Exit code 0, also where something has ended: check fails on what may not be."
)
_DAYS = re.compile(r"([0-9]{1,5})d?\Z")


def options(parser: Parser) -> None:
    """Declares its options."""
    parser.add_argument("models", nargs="*", type=path, metavar="MODEL", help="the models, in place of -m")
    common(parser)
    parser.add_argument(
        "--within", type=_days, default=60, metavar="DAYS", help="how many days ahead, such as 60d (default: 60d)"
    )


def run(request: Invocation) -> int:
    """Prints what ends, soonest first under each owner; 2 where a model cannot be used."""
    from threatmodel.command.checking import dated
    from threatmodel.render.ending import ending

    found, code = dated(request, models_of(request), request.args.within)
    request.print(ending(found, request.today, request.args.within))
    return code


def _days(value: str) -> int:
    """A number of days."""
    found = _DAYS.match(value)
    if found is None:
        raise argparse.ArgumentTypeError(f"'{value[:40]}' is no number of days such as 60d")
    return int(found.group(1))
