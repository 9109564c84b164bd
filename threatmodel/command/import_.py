"""`tm.py import`: create a model of what a file deploys, or update an existing one, and probe its handlers."""

from __future__ import annotations

import argparse
import datetime
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from threatmodel.command.arguments import Parser, path, text
from threatmodel.command.new import carry_out
from threatmodel.command.request import Invocation
from threatmodel.reading.editing import write_edit
from threatmodel.reading.files import Files, shown_path
from threatmodel.reading.home import COMMAND, CONTENT
from threatmodel.reading.output import complain, say, write, write_new
from threatmodel.reading.problems import InputError, listed, refusal, visible
from threatmodel.reading.replacing import Replacing
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


_RUN = frozenset({".py", ".js", ".mjs", ".cjs"})
"""Endings of handlers that a probe can load as they are."""
_NOT_RUN = 2
"""The exit code of a probe whose handler did not run, or rejected the genuine request."""


def probe_all(model: Path) -> None:
    """Probe each function whose handler can be loaded; a result is written beside it, and the model names it."""
    for function, target in _targets(model):
        if not target:
            complain(f"note: {function} was not probed: its code is inline; save it as a file, and probe that\n")
            continue
        if PurePosixPath(target.rpartition(":")[0]).suffix not in _RUN:
            complain(f"note: {function} was not probed: {target} has to be built first\n")
            continue
        try:
            _probe(model, function, target)
        except InputError as error:
            why = "; ".join(visible(one.message) for one in error.problems)
            complain(f"note: {function} was not probed: {why}\n")


def _targets(model: Path) -> Iterator[tuple[str, str]]:
    """Yield the functions whose source the model names, each with its handler as `tm probe` takes it; '' if inline."""
    from threatmodel.api import load_model

    for read in load_model(model, Files(CONTENT)).evidence:
        if read.kind == "code":
            for function, handler in read.elements.items():
                yield function, (PurePosixPath(read.file) / handler).as_posix() if read.file.endswith("/") else ""


def _probe(model: Path, function: str, target: str) -> None:
    """Probe one handler.  Raises InputError where it cannot be run, or a result is there."""
    from threatmodel.authoring.probe_setup import evidence_of
    from threatmodel.probe.command import ProbeOptions, run
    from threatmodel.probe.folder import RESULT
    from threatmodel.probe.result import to_json
    from threatmodel.render.probe import exit_code

    asked = ProbeOptions(target=target, secret_env="")
    result, notes = run(asked, Files(), datetime.datetime.now(datetime.UTC))
    complain("".join(f"note: {function}: {visible(note)}\n" for note in notes))
    if exit_code(result, strict=False) == _NOT_RUN:
        complain(f"note: {function} was not probed: it rejects genuine requests (give its variables to tm probe)\n")
        return
    kept = Path(target.rpartition(":")[0]).parent / f"{function}.{RESULT}"
    write(to_json(result), kept, Replacing())
    say([f"wrote {shown_path(kept)}"])
    plan = evidence_of(model, Files(), kept, function)
    if plan is not None:
        carry_out(plan)
