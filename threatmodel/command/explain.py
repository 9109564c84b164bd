"""`tm.py explain`: explain a threat or a control, in the library or on an element, or an error code."""

from __future__ import annotations

from threatmodel.command.arguments import Parser, common, text
from threatmodel.command.request import Invocation
from threatmodel.reading.home import LIBRARY, PROBLEMS, PROGRAM
from threatmodel.reading.problems import Place, article, quoted, refusal, suggestion


def options(parser: Parser) -> None:
    """Declare the command's options."""
    meaning = "an id, a common term (SSRF), a finding (threat@element) or an error code"
    parser.add_argument("id", type=text, metavar="ID", help=meaning)
    common(parser)


def run(request: Invocation) -> int:
    """Print the page of an error code, or of each threat or control that an id or a common term names.

    A code is explained whatever the model in this folder holds: its problems are what codes are read about for.
    """
    codes = _problems(request)
    if request.args.id in codes:
        return request.print(codes[request.args.id])
    from threatmodel.library.entries import Threat
    from threatmodel.library.lookup import aliases, named
    from threatmodel.library.standards import load_standards
    from threatmodel.render.pages.library import Book, control_page, threat_page

    library = request.library()
    name = request.current(request.args.id, library, "explain")
    if "@" in name:
        return request.print(_here(request, *name.split("@", 1)))
    book = Book(library, load_standards(LIBRARY, request.files), pages=False)
    if found := named(library, name):
        pages = (threat_page(one, book) if isinstance(one, Threat) else control_page(one, book) for one in found)
        return request.print("\n".join(pages))
    hint = (
        suggestion(name, [*library.threats, *library.controls, *aliases(library), *codes])
        or f"list every threat with {PROGRAM} --list"
    )
    message = f"there is no threat, control or error code {quoted(name)}"
    for off in library.off:
        if off.id == name:
            message, hint = f"the {off.part} {quoted(name)} is switched off at {off.place}: {off.reason}", ""
    raise refusal("unknown-id", "explain", message, hint)


def _problems(request: Invocation) -> dict[str, str]:
    """Return the section of docs/errors.md for each code."""
    sections = request.files.text(PROBLEMS).split("\n## ")[1:]
    return {section.split("\n", 1)[0].strip(): f"# {section.strip()}\n" for section in sections}


def _here(request: Invocation, name: str, element: str) -> str:
    """Return the page of a threat or control on an element. Raises InputError for an unknown name."""
    from threatmodel.render.pages.here import control_here_page, finding_page, ruled_out_page

    assessment = request.assessment()
    library, graph = assessment.library, assessment.graph
    target = graph.elements.get(element) or graph.flows.get(element)
    threat, control = library.threats.get(name), library.controls.get(name)
    place = Place("explain")
    if threat is None and control is None:
        hint = suggestion(name, [*library.threats, *library.controls])
        raise refusal("unknown-id", place, f"there is no threat or control {quoted(name)}", hint)
    if target is None:
        hint = suggestion(element, [one.id for one in graph.targets()])
        raise refusal("unknown-element", place, f"there is no element {quoted(element)}", hint)
    if control is not None:
        if target.kind != control.scope:
            kind = article(target.kind or "party")
            message = f"{quoted(name)} applies to {article(control.scope)}, but {quoted(element)} is {kind}"
            raise refusal("wrong-kind", place, message)
        return control_here_page(control, element, assessment)
    finding = next((f for f in assessment.findings if f.id == f"{name}@{element}"), None)
    if finding is not None:
        return finding_page(finding, assessment)
    return ruled_out_page(library.threats[name], target)
