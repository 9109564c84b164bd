"""`tm.py docs`: what is generated in the clone."""

from __future__ import annotations

from threatmodel.command.arguments import Parser
from threatmodel.command.request import Invocation
from threatmodel.reading.home import CONTENT


def options(parser: Parser) -> None:
    """Declares its options."""
    parser.add_argument("--check", action="store_true", help="only say whether they are current")


def run(request: Invocation) -> int:
    """Writes every generated file; with `--check` 1 where one is not current."""
    from threatmodel.render.pages.generated import generated

    return generated(CONTENT, request.files, only_check=request.args.check)
