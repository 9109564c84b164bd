"""`tm.py init`: create the first files of a threat model in a repository."""

from __future__ import annotations

from pathlib import Path

from threatmodel.command.arguments import Parser, path
from threatmodel.command.new import carry_out
from threatmodel.command.request import Invocation, in_clone

DESCRIPTION = (
    "Create a first model, a platform file, an empty library, the schema for editors and a check for CI. With --from, "
    "the model describes what a template, plan or serverless.yml deploys. Run it in the root of your repository. "
    "Nothing is overwritten: if one of the files exists, nothing is written."
)


def options(parser: Parser) -> None:
    """Declare the command's options."""
    from threatmodel.model.file import STACK_KINDS

    parser.add_argument(
        "--from",
        dest="source",
        type=path,
        metavar="FILE",
        help="the template, plan or serverless.yml that deploys the system",
    )
    parser.add_argument("--kind", choices=STACK_KINDS, help="the kind of that file (default: detected)")


def run(request: Invocation) -> int:
    """Write the files, and print the next steps."""
    from threatmodel.authoring.starting import first_files

    args = request.args
    if request.output is not None or request.folder is not None:
        request.misused("init writes to the working directory; remove -o")
    if in_clone():
        request.misused("init is for your own repository; this is the toolkit's clone, which has a model")
    plan = first_files(Path(), request.files, args.source, args.kind or "")
    carry_out(plan)
    return 0
