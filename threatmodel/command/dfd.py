"""`tm.py --dfd`: the data-flow diagram."""

from __future__ import annotations

from argparse import _ArgumentGroup, _MutuallyExclusiveGroup
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from threatmodel.command.arguments import picture_options, text
from threatmodel.command.request import PICTURES, Invocation
from threatmodel.reading.home import PROGRAM
from threatmodel.reading.output import complain, make_folder
from threatmodel.reading.problems import refusal, suggestion

if TYPE_CHECKING:
    from threatmodel.assessment.risk import Risk
    from threatmodel.graph.building import Graph


def options(what: _MutuallyExclusiveGroup) -> None:
    """Declare the option."""
    what.add_argument(
        "--dfd",
        nargs="?",
        const="dot",
        choices=("dot", "mermaid"),
        help="data-flow diagram as DOT (default) or a Mermaid flowchart; -o FILE.svg, .png or .pdf draws it, and "
        "-o FOLDER/ one for each function",
    )


def details(how: _ArgumentGroup) -> None:
    """Declare the options of diagrams."""
    picture_options(how)
    how.add_argument("--focus", type=text, metavar="ID", help="show only this element and its neighbors")
    how.add_argument("--full", action="store_true", help="show every function in one diagram, even if there are many")
    how.add_argument("--colormap", action="store_true", help="color a diagram by risk")


def run(request: Invocation) -> int:
    """Print the diagram as DOT, or draw it."""
    from threatmodel.command.drawing import drawn, fitted_to, medium_of
    from threatmodel.render.dfd import dfd, needs_overview

    args = request.args
    colors: Mapping[str, Risk] | None = None
    if args.colormap:
        from threatmodel.assessment.priorities import risks

        assessment = request.assessment()
        graph, colors = assessment.graph, risks(assessment)
    else:
        graph = request.graph()
    focus = _focus(args.focus or "", graph)
    if request.folder is not None:
        return _album(request, request.folder, graph, colors)
    if not args.full and not focus and needs_overview(graph):
        complain(
            f"{PROGRAM}: too many functions for one diagram; drawing an overview (see --focus ID, --full, -o FOLDER/)\n"
        )
    path = request.output
    if args.dfd == "mermaid" or (path is not None and path.suffix.lower() == ".md"):
        return request.print(_flowchart(request, graph, focus, colors))
    medium = args.fit or (medium_of(path) if path is not None else "")
    if medium:
        from threatmodel.render.fitted import Wanted

        return request.print(fitted_to(graph, medium, path, Wanted(args.view, focus, colors, args.full)).picture)
    dot = dfd(graph, view=args.view, focus=focus, risks=colors, overview=False if args.full else None)
    return request.print(drawn(dot, path) if path is not None else dot)


def _flowchart(request: Invocation, graph: Graph, focus: str, colors: Mapping[str, Risk] | None) -> str:
    """Return the diagram as Mermaid; as a Markdown page for a .md file, and where it takes several flowcharts."""
    from threatmodel.render.condensed import Grouping, condensed
    from threatmodel.render.flowchart import as_markdown, flowcharts
    from threatmodel.render.palette import RISK
    from threatmodel.render.picture import picture

    path = request.output
    if path is not None and path.suffix.lower() in PICTURES:
        request.misused("--dfd mermaid is text; name a .md or .mmd file, or use --dfd for a picture")
    worst = RISK.top(colors or {}, picture(graph, request.args.view).elements)
    grouping = Grouping(functions=False if request.args.full else None, worst=worst)
    shown = condensed(graph, request.args.view, focus, grouping)
    charts = flowcharts(shown, colors)
    if len(charts) == 1 and (path is None or path.suffix.lower() != ".md"):
        return charts[0]
    if len(charts) > 1:
        complain(f"{PROGRAM}: too large for one flowchart; writing a Markdown page with {len(charts)}\n")
    return as_markdown(shown, charts)


def _focus(focus: str, graph: Graph) -> str:
    if focus and focus not in graph.elements:
        raise refusal(
            "unknown-element", "--focus", f"there is no element '{focus[:60]}'", suggestion(focus, graph.elements)
        )
    return focus


def _album(request: Invocation, folder: Path, graph: Graph, colors: Mapping[str, Risk] | None) -> int:
    """Write one picture of the whole system, one of each group and function, and a page that lists them."""
    from threatmodel.command.drawing import fitted_to
    from threatmodel.render.fitted import Wanted
    from threatmodel.render.pages.album import address_of, album_index, file_of
    from threatmodel.render.placing import MOST_SHOWN

    make_folder(folder)
    functions = {element.id: element.name for element in graph.elements.values() if element.kind == "function"}
    medium, overview = request.args.fit or "screen", folder / file_of(())
    wanted = Wanted(request.args.view, marks=colors, link=address_of)
    found = fitted_to(graph, medium, overview, wanted)
    request.write(album_index(graph.system.name, functions, found.groups), folder / "index.md")
    request.write(found.picture, overview)
    groups = [group for group in found.groups if len(group) <= MOST_SHOWN]

    def linked(ids: Sequence[str]) -> str:
        return address_of(ids) if len(ids) == 1 or tuple(ids) in groups else ""

    back = wanted._replace(link=linked, back=address_of(()))
    for one in (
        *(back._replace(only=group) for group in groups),
        *(back._replace(focus=function) for function in functions),
    ):
        path = folder / file_of(one.only or (one.focus,))
        request.write(fitted_to(graph, medium, path, one).picture, path)
    return 0
