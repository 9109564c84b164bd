"""`tm.py schema`: the JSON Schema of model files or of `--json`."""

from __future__ import annotations

from threatmodel.command.arguments import Parser
from threatmodel.command.request import Invocation


def options(parser: Parser) -> None:
    """Declare the command's options."""
    parser.add_argument("which", choices=("model", "assessment"), help="the format to print the schema of")


def run(request: Invocation) -> int:
    """Print the schema."""
    from threatmodel.render.pages.generated import ASSESSMENT_SCHEMA, model_schema_text

    model = request.args.which == "model"
    return request.print(model_schema_text() if model else ASSESSMENT_SCHEMA.read_text(encoding="utf-8"))
