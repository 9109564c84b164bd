"""`tm.py due`: list what has expired or expires soon, by owner."""

from __future__ import annotations

import argparse
import re

from threatmodel.command.arguments import Parser, common, path
from threatmodel.command.request import Invocation, models_of

DESCRIPTION = (
    "List the acceptances, attestations, plans and tasks of one or more models that have expired or expire soon, by "
    "owner. The exit code is 0 even if one has expired; use check to fail on it."
)
_DAYS = re.compile(r"([0-9]{1,5})d?\Z")


def options(parser: Parser) -> None:
    """Declare the command's options."""
    parser.add_argument("models", nargs="*", type=path, metavar="MODEL", help="the models, instead of -m")
    common(parser)
    parser.add_argument(
        "--within",
        type=_days,
        default=60,
        metavar="DAYS",
        help="the number of days to look ahead, such as 60d (default: 60d)",
    )


def run(request: Invocation) -> int:
    """Print what expires, soonest first under each owner; return 2 where a model cannot be used."""
    from threatmodel.command.checking import dated
    from threatmodel.render.ending import ending

    found, code = dated(request, models_of(request), request.args.within)
    request.print(ending(found, request.today, request.args.within))
    return code


def _days(value: str) -> int:
    """Return a number of days."""
    found = _DAYS.match(value)
    if found is None:
        raise argparse.ArgumentTypeError(f"'{value[:40]}' is not a number of days such as 60d")
    return int(found.group(1))
