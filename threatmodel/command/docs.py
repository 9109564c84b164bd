"""`tm.py docs`: write the generated files of the clone."""

from __future__ import annotations

from threatmodel.command.arguments import Parser
from threatmodel.command.request import Invocation
from threatmodel.reading.home import CONTENT


def options(parser: Parser) -> None:
    """Declare the command's options."""
    parser.add_argument("--check", action="store_true", help="report outdated pages, and write nothing")


def run(request: Invocation) -> int:
    """Write every generated file; with `--check` return 1 where one is outdated."""
    from threatmodel.render.pages.generated import generated

    return generated(CONTENT, request.files, only_check=request.args.check)
