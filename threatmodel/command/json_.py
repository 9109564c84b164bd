"""`tm.py --json`: the whole assessment."""

from __future__ import annotations

from argparse import _MutuallyExclusiveGroup
from pathlib import Path

from threatmodel.api import render_json
from threatmodel.command.arguments import text
from threatmodel.command.baselines import held_against
from threatmodel.command.request import Invocation


def options(what: _MutuallyExclusiveGroup) -> None:
    """Declares the option."""
    what.add_argument("--json", nargs="?", const="-", type=text, metavar="FILE", help="the whole assessment")


def run(request: Invocation) -> int:
    """Prints the assessment as JSON."""
    target: str = request.args.json
    if target != "-":
        if getattr(request.args, "output", None):
            request.misused(f"--json {target} and -o {request.args.output} name two outputs: give one of them")
        request.output = Path(target)
        request.refuse_pictures()
    assessment, _ = held_against(request, request.assessment())
    return request.print(render_json(assessment))
