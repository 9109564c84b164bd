"""`tm.py --report`: the threat report."""

from __future__ import annotations

from argparse import _MutuallyExclusiveGroup
from pathlib import Path

from threatmodel.api import render_report
from threatmodel.command.arguments import text
from threatmodel.command.request import Request


def options(what: _MutuallyExclusiveGroup) -> None:
    """Declares the option."""
    what.add_argument(
        "--report",
        nargs="?",
        const="md",
        type=text,
        metavar="TEMPLATE",
        help="threat report: md (default), html, or the path of a template of your own",
    )


def run(request: Request) -> int:
    """Prints the report, with the picture in it where a page can hold one."""
    template: str = request.args.report
    if template not in {"md", "html"}:
        request.files.paths.add(Path(template))
    return request.print(render_report(request.assessment(), template))
