"""`tm.py --json`: the whole assessment."""

from __future__ import annotations

from argparse import _MutuallyExclusiveGroup
from pathlib import Path

from threatmodel.command.arguments import text
from threatmodel.command.request import Request
from threatmodel.reading.problems import escaped


def options(what: _MutuallyExclusiveGroup) -> None:
    """Declares the option."""
    what.add_argument("--json", nargs="?", const="-", type=text, metavar="FILE", help="the whole assessment")


def run(request: Request) -> int:
    """Prints the assessment as JSON."""
    import json

    from threatmodel.render.contract import contract

    target: str = request.args.json
    if target != "-":
        if getattr(request.args, "output", None):
            request.misused(f"--json {target} and -o {request.args.output} name two outputs: give one of them")
        request.output = Path(target)
        request.refuse_pictures()
    return request.print(escaped(json.dumps(contract(request.assessment()), indent=1, ensure_ascii=False)) + "\n")
