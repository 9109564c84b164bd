"""`tm.py init`: the first files of a threat model in a repository of one's own."""

from __future__ import annotations

from pathlib import Path

from threatmodel.command.arguments import Parser, path
from threatmodel.command.new import carry_out
from threatmodel.command.request import Invocation, in_clone

DESCRIPTION = (
    "Writes a first model (of what a template, plan or serverless.yml deploys, with --from), a platform file, an empty "
    "library of your own, the schema for editors and a check for CI. Run it at the top of your repository. Nothing "
    "that exists is written over: if any of them does, nothing is written."
)


def options(parser: Parser) -> None:
    """Declares its options."""
    from threatmodel.model.file import STACK_KINDS

    parser.add_argument("--from", dest="source", type=path, metavar="FILE", help="what deploys the system")
    parser.add_argument("--kind", choices=STACK_KINDS, help="what that file is (default: as it looks)")


def run(request: Invocation) -> int:
    """Writes the files, and says what to do next."""
    from threatmodel.authoring.starting import first_files

    args = request.args
    if request.output is not None or request.folder is not None:
        request.misused("init writes where you stand: give no -o")
    if in_clone():
        request.misused("init is for a repository of your own; this is the toolkit's clone, which has a model")
    plan = first_files(Path(), request.files, args.source, args.kind or "")
    carry_out(plan)
    return 0
