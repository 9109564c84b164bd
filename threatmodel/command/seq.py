"""`tm.py --seq`: the sequence diagram."""

from __future__ import annotations

from argparse import _MutuallyExclusiveGroup

from threatmodel.command.request import Request


def options(what: _MutuallyExclusiveGroup) -> None:
    """Declares the option."""
    what.add_argument(
        "--seq",
        nargs="?",
        const="plantuml",
        choices=("plantuml", "mermaid"),
        help="sequence diagram (default: plantuml)",
    )


def run(request: Request) -> int:
    """Prints the diagram."""
    from threatmodel.render import sequence

    make = sequence.mermaid if request.args.seq == "mermaid" else sequence.plantuml
    return request.print(make(request.graph()))
