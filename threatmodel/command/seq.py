"""`tm.py --seq`: the sequence diagram."""

from __future__ import annotations

from argparse import _MutuallyExclusiveGroup

from threatmodel.api import render_sequence
from threatmodel.command.request import Invocation


def options(what: _MutuallyExclusiveGroup) -> None:
    """Declare the option."""
    what.add_argument(
        "--seq",
        nargs="?",
        const="plantuml",
        choices=("plantuml", "mermaid"),
        help="sequence diagram (default: plantuml)",
    )


def run(request: Invocation) -> int:
    """Print the diagram."""
    return request.print(render_sequence(request.graph(), request.args.seq))
