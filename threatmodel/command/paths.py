"""`tm.py paths`: how an attacker gets from an entry point to data, secrets, rights or an outage."""

from __future__ import annotations

import argparse

from threatmodel.command.arguments import Parser, common, path
from threatmodel.command.request import Invocation

DESCRIPTION = (
    "List the attack paths of a model, worst first: each step with its threat and the controls in its way. The three "
    "worst are shown step by step, and then the smallest set of controls that cuts every path, as claimed and as "
    "proven. The exit code is 0 whatever is found; use check to fail on it."
)
_MOST = 1000


def options(parser: Parser) -> None:
    """Declare the command's options."""
    parser.add_argument("named", nargs="?", type=path, metavar="MODEL", help="the model, instead of -m")
    common(parser)
    parser.add_argument(
        "--whole", type=_number, default=3, metavar="N", help="the number of paths to show step by step (default: 3)"
    )
    parser.add_argument("--json", dest="as_json", action="store_true", help="all paths as JSON")


def run(request: Invocation) -> int:
    """Print the attack paths of a model."""
    from threatmodel.assessment.paths.tracing import paths

    if request.args.named is not None:
        if request.named is not None:
            request.misused(f"-m {request.named} and {request.args.named} both name a model; give only one")
        request.named = request.args.named
    assessment = request.assessment()
    found = paths(assessment)
    if request.args.as_json:
        from threatmodel.render.contract.paths import paths_data
        from threatmodel.render.streaming import json_pieces

        return request.print(json_pieces(paths_data(found, assessment).items()))
    from threatmodel.reading.output import columns
    from threatmodel.render.paths import paths_text

    return request.print(paths_text(found, assessment, request.args.whole, min(max(columns(), 40), 100)))


def _number(value: str) -> int:
    """Return a number of paths."""
    if not (value.isascii() and value.isdecimal() and int(value[:6]) <= _MOST):
        raise argparse.ArgumentTypeError(f"'{value[:40]}' is not a number of paths from 0 to {_MOST}")
    return int(value)
