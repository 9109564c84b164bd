"""`tm.py reach`: what an attacker who holds a secret, a role or a function reaches, and what to revoke first."""

from __future__ import annotations

from threatmodel.command.arguments import Parser, common, text
from threatmodel.command.request import Invocation
from threatmodel.graph.elements import Graph
from threatmodel.reading.problems import InputError, Place, article, quoted, refusal, suggestion

DESCRIPTION = (
    "Show what an attacker reaches from an element: from a leaked secret, a compromised function, or the role of a "
    "function (order-bot.role). Then list what to isolate, revoke, rotate and restore, in which order, with the owner "
    "of each."
)


def options(parser: Parser) -> None:
    """Declare the command's options."""
    meaning = "a function, a secret, a store, a queue, an API, a plane such as pipeline, or FUNCTION.role"
    parser.add_argument("element", type=text, metavar="ELEMENT", help=meaning)
    common(parser)
    parser.add_argument("--json", dest="as_json", action="store_true", help="everything as JSON")


def run(request: Invocation) -> int:
    """Print what is reached from an element. Raises InputError for an unknown one."""
    from threatmodel.assessment.paths.reaching import positions_of, reach

    assessment = request.assessment()
    element: str = request.args.element
    if not positions_of(assessment.graph, element):
        raise _unknown(element, assessment.graph)
    found = reach(assessment, element)
    if request.args.as_json:
        from threatmodel.render.contract.paths import reach_data
        from threatmodel.render.streaming import json_pieces

        return request.print(json_pieces(reach_data(found, assessment).items()))
    from threatmodel.reading.output import columns
    from threatmodel.render.reach import reach_text

    return request.print(reach_text(found, assessment, min(max(columns(), 40), 100)))


def _unknown(element: str, graph: Graph) -> InputError:
    place = Place("reach")
    found = graph.elements.get(element)
    if found is not None:
        message = (
            f"{quoted(element)} is {article(found.kind or found.symbol)}, which gives an attacker nothing by itself"
        )
        return refusal("wrong-kind", place, message, "name a function, a secret, a store, a queue, an API or a plane")
    names = [one.id for one in graph.elements.values() if one.kind]
    roles = [f"{one.id}.role" for one in graph.elements.values() if one.kind == "function"]
    message = f"there is no element {quoted(element)}"
    hint = suggestion(element, [*names, *roles]) or "run --json to see the ids of all elements"
    return refusal("unknown-element", place, message, hint)
