"""`tm.py import`: create a model of what a file deploys, or update an existing one."""

from __future__ import annotations

import argparse

from threatmodel.command.arguments import Parser, path, text
from threatmodel.command.request import Invocation
from threatmodel.reading.editing import write_edit
from threatmodel.reading.files import shown_path
from threatmodel.reading.home import COMMAND
from threatmodel.reading.output import complain, say, write, write_new
from threatmodel.reading.problems import listed, refusal, visible
from threatmodel.reading.whole import is_stream


def options(parser: Parser) -> None:
    """Declare the command's options."""
    from threatmodel.model.evidence_shape import STACK_KINDS

    parser.add_argument(
        "file",
        type=path,
        nargs="+",
        metavar="FILE",
        help="a SAM or CloudFormation template, a Terraform plan as JSON, a serverless.yml, or a folder of these; "
        "several are one system",
    )
    parser.add_argument(
        "--update", type=path, metavar="MODEL", help="add what is missing to this model, and change nothing else"
    )
    parser.add_argument("--kind", choices=STACK_KINDS, help="the kind of the files (default: detected)")
    parser.add_argument(
        "--probe",
        action="store_true",
        help="also probe each handler whose source is found, as tm probe does, and name the results in the model (-o)",
    )
    parser.add_argument(
        "-o",
        "--output",
        type=text,
        default=argparse.SUPPRESS,
        metavar="FILE",
        help="the new model (default: standard output)",
    )


def run(request: Invocation) -> int:
    """Print or write a model of what a file deploys."""
    from threatmodel.authoring.importing.model import SCHEMA
    from threatmodel.authoring.importing.plan import imported

    args = request.args
    if args.update is not None:
        return _update(request)
    apart = request.output is None or is_stream(request.output)  # /dev/stdout, or a pipe, is nowhere
    model = None if apart else request.output
    if args.probe and model is None:
        request.misused("--probe names results in a model file; write it with -o FILE")
    if model is not None and model.exists():
        raise refusal(
            "already-exists", str(model), "this file exists already", f"add what is missing to it with --update {model}"
        )
    found = imported(args.file, args.kind or "", model, request.files)
    complain("".join(f"{visible(note)}\n" for note in found.notes))
    if model is None:
        write(found.text, request.output)
        return 0
    write_new(found.text, model)
    name, schema = shown_path(model), model.parent / SCHEMA
    messages = [f"wrote {name}: {len(found.added)} elements", f"next: {COMMAND} -m {name} --report"]
    if not schema.exists():
        messages.append(f"to have your editor check the model, run {COMMAND} schema model > {shown_path(schema)}")
    say(messages)
    if args.probe:
        from threatmodel.command.import_probes import probe_all

        probe_all(model)
    return 0


def _update(request: Invocation) -> int:
    """Add to a model what is missing, and print what was added."""
    from threatmodel.authoring.importing.updating import update

    args = request.args
    if request.output is not None or request.folder is not None:
        request.misused("--update writes to the model; remove -o")
    found = update(args.file, args.kind or "", args.update, request.files)
    if found.text != found.before:
        write_edit(found.text, args.update, found.before)
    name = shown_path(args.update)
    lines = [f"{name}: added {entry.kind} {entry.id} ({entry.called})" for entry in found.added]
    lines += [f"{one.place}: {one.name}: {one.file} no longer has this {one.kind}" for one in found.gone]
    lines += found.notes
    say(lines or [f"{name} already has everything in {listed(map(shown_path, args.file))}"])
    return 0
