"""`tm.py --describe`: list the facts of a kind of element."""

from __future__ import annotations

from argparse import _MutuallyExclusiveGroup
from pathlib import Path

from threatmodel.command.arguments import named_with, text
from threatmodel.command.request import Invocation
from threatmodel.model.vocabulary import FORMER_KINDS, KINDS
from threatmodel.reading.former import Renamed
from threatmodel.reading.problems import Place, listed, refusal, suggestion


def options(what: _MutuallyExclusiveGroup) -> None:
    """Declare the option."""
    what.add_argument("--describe", type=text, metavar="KIND", help=f"the facts of a kind: {', '.join(KINDS)}")


def run(request: Invocation) -> int:
    """Print one line for each fact."""
    from threatmodel.render.listing import description

    kind = dict(FORMER_KINDS).get(request.args.describe.lower(), request.args.describe)
    if kind != request.args.describe and kind in KINDS:
        request.files.renamed.append(Renamed(Place("--describe", 0), request.args.describe, kind))
    if kind.lower() not in KINDS:
        message = f"'{kind[:60]}' is not a kind of element"
        hint = suggestion(kind, KINDS) or f"known: {listed(KINDS)}"
        if Path(kind).suffix.lower() in {".yaml", ".yml"}:
            hint = named_with(kind)
        raise refusal("unknown-kind", "--describe", message, hint)
    return request.print(description(kind.lower()))
