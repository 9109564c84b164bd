"""`tm.py schema`: the JSON Schema of model files or of `--json`."""

from __future__ import annotations

from threatmodel.command.arguments import Parser
from threatmodel.command.request import Invocation


def options(parser: Parser) -> None:
    """Declares its options."""
    parser.add_argument("which", choices=("model", "assessment"))


def run(request: Invocation) -> int:
    """Prints the schema."""
    from threatmodel.render.pages.generated import ASSESSMENT_SCHEMA, model_schema_text

    model = request.args.which == "model"
    return request.print(model_schema_text() if model else ASSESSMENT_SCHEMA.read_text(encoding="utf-8"))
