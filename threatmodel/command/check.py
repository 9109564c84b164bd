"""`tm.py check`: what a pipeline asks."""

from __future__ import annotations

import sys

from threatmodel.command.arguments import Parser, common
from threatmodel.command.request import Request
from threatmodel.reading.output import silence

DESCRIPTION = (
    "Fails on a risk at or above the band that nobody treated or accepted, on one that could be (an answer is "
    "missing), on a lapsed acceptance, and on anything in which the model and its evidence differ."
)


def options(parser: Parser) -> None:
    """Declares its options."""
    common(parser)
    parser.add_argument(
        "--fail-on",
        choices=("low", "medium", "high", "critical"),
        default="high",
        help="the lowest band that fails (default: high)",
    )
    parser.add_argument(
        "--allow-undetermined", action="store_true", help="what waits for an answer does not fail the check"
    )


def run(request: Request) -> int:
    """Prints what fails, a line each; 1 where something does."""
    from threatmodel.render.check import checked, failures

    args = request.args
    assessment = request.assessment()
    found = failures(assessment, args.fail_on, allow_undetermined=args.allow_undetermined)
    try:
        request.print(checked(assessment, found))
    except BrokenPipeError:
        silence(sys.stdout)
    return 1 if found else 0
