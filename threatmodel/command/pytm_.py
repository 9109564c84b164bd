"""`tm.py --pytm`: print the model as a plain pytm script."""

from __future__ import annotations

from argparse import _MutuallyExclusiveGroup

from threatmodel.command.request import Invocation


def options(what: _MutuallyExclusiveGroup) -> None:
    """Declare the option."""
    what.add_argument("--pytm", action="store_true", help="the model as a plain pytm script")


def run(request: Invocation) -> int:
    """Print the script."""
    from threatmodel.pytm_model import pytm_script

    graph = request.graph()
    return request.print(pytm_script(graph, request.library_of(graph)), sources=[".py"])
