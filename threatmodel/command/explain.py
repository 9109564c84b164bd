"""`tm.py explain`: a threat or a control, with everything that links to it."""

from __future__ import annotations

from threatmodel.command.arguments import Parser, common, text
from threatmodel.command.request import Request
from threatmodel.reading.home import LIBRARY, PROGRAM
from threatmodel.reading.problems import InputError, Place, Problem, quoted, suggestion


def options(parser: Parser) -> None:
    """Declares its options."""
    parser.add_argument("id", type=text, metavar="ID", help="its id, or a word of the trade such as SSRF")
    common(parser)


def run(request: Request) -> int:
    """Prints the page of a threat or a control, or of each that a word of the trade names."""
    from threatmodel.library.format import Threat
    from threatmodel.library.lookup import aliases, named
    from threatmodel.library.standards import load_standards
    from threatmodel.render.pages.library import Book, control_page, threat_page

    library, name = request.library(), request.args.id
    book = Book(library, load_standards(LIBRARY, request.files), pages=False)
    if found := named(library, name):
        pages = (threat_page(one, book) if isinstance(one, Threat) else control_page(one, book) for one in found)
        return request.print("\n".join(pages))
    hint = (
        suggestion(name, [*library.threats, *library.controls, *aliases(library)])
        or f"{PROGRAM} --list shows every threat"
    )
    message = f"there is no threat and no control {quoted(name)}"
    for off in library.off:
        if off.id == name:
            message, hint = f"the {off.part} {quoted(name)} is switched off at {off.place}: {off.reason}", ""
    raise InputError([Problem(code="unknown-id", place=Place("explain"), message=message, hint=hint)])
