"""`tm.py export`: findings, actions or questions as CSV."""

from __future__ import annotations

from threatmodel.command.arguments import Parser, common
from threatmodel.command.request import Invocation

DESCRIPTION = (
    "Print the findings, the actions or the open questions of a model as CSV, a line for each, in the order of the "
    "report. Cells that a spreadsheet would run as a formula begin with an apostrophe. To answer questions in a "
    "spreadsheet, use ask --csv."
)


def options(parser: Parser) -> None:
    """Declare the command's options."""
    parser.add_argument("what", choices=("findings", "actions", "questions"), help="what to print")
    common(parser)


def run(request: Invocation) -> int:
    """Print a sheet as CSV."""
    from threatmodel.render.sheets import sheet

    return request.print(sheet(request.args.what, request.assessment()))
