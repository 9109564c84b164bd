"""`tm.py schema`: the JSON Schema of model files, or of the JSON that a command prints."""

from __future__ import annotations

from threatmodel.command.arguments import Parser
from threatmodel.command.request import Invocation


def options(parser: Parser) -> None:
    """Declare the command's options."""
    parser.add_argument(
        "which", choices=("model", "assessment", "paths", "reach"), help="the format to print the schema of"
    )


def run(request: Invocation) -> int:
    """Print the schema."""
    from threatmodel.render.pages.generated import model_schema_text, schema_text

    which: str = request.args.which
    return request.print(model_schema_text() if which == "model" else schema_text(which))
