"""`tm.py probe`: run a handler, and report what it does with genuine and hostile requests."""

from __future__ import annotations

import argparse
import datetime
import itertools
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from threatmodel.command import arguments
from threatmodel.command.arguments import Parser, one_of, path, text
from threatmodel.command.new import carry_out
from threatmodel.command.request import Invocation
from threatmodel.reading.files import Files, shown_path
from threatmodel.reading.home import CONTENT, PROGRAM
from threatmodel.reading.output import complain, say, write
from threatmodel.reading.problems import visible

if TYPE_CHECKING:
    from threatmodel.probe.command import ProbeOptions

DESCRIPTION = (
    "Send a handler genuine and hostile requests, and check each response against the rules of Slack and AWS. The "
    "handler's code runs in a separate process, isolated as far as this system allows; the result states how. "
    "Exit codes: 0 every required probe passed, 1 a probe failed, 2 the handler did not run, or rejected the genuine "
    "request."
)


def options(parser: Parser) -> None:
    """Declare the command's options."""
    add = parser.add_argument
    add("target", type=text, metavar="TARGET", help="app.py:handler, index.mjs:handler or http://127.0.0.1:3000/slack")
    add(
        "--init",
        action="store_true",
        help="write probe.env next to the handler, with made-up values for its variables; nothing runs",
    )
    add(
        "--function", type=text, metavar="ID", help="the id of a function of the model; the result becomes its evidence"
    )
    arguments.model(parser)
    add("--strict", action="store_true", help="fail on advised probes too")
    add("--json", dest="as_json", action="store_true", help="print the result as JSON, to keep it as evidence")
    add(
        "-o",
        "--output",
        type=text,
        default=argparse.SUPPRESS,
        metavar="FILE",
        help="the output file; with --json the table is printed too",
    )
    arguments.force(parser)
    add(
        "--secret-env",
        type=text,
        metavar="NAME",
        help="the variable with the signing secret (default: detected, or SLACK_SIGNING_SECRET); a file gets a "
        "made-up value; for an address, it is read from your environment",
    )
    add(
        "--env",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="an environment variable for the handler; can be repeated; '{signing secret}' stands for the secret",
    )
    add(
        "--env-file",
        type=path,
        metavar="FILE",
        help="a file of environment variables for the handler, one on each line",
    )
    add(
        "--body",
        type=text,
        metavar="TEXT",
        help="the body of a genuine request that the handler accepts: a form or JSON",
    )
    add(
        "--kind",
        type=_kind,
        metavar="KIND",
        help="the kind of a genuine request: command, event, action, view, shortcut, options, view_closed, "
        "message_shortcut or url_verification (default: the first one that has an effect)",
    )
    add(
        "--path",
        type=text,
        metavar="PATH",
        help="the path of the request (default: detected, or /slack/command)",
    )
    add(
        "--form",
        type=_form,
        metavar="FORM",
        help="the format of the event: rest-api, http-api, function-url or alb (default: the first accepted)",
    )
    add(
        "--packages",
        type=path,
        action="append",
        default=[],
        metavar="FOLDER",
        help="another folder with dependencies",
    )
    add(
        "--folder",
        type=path,
        metavar="FOLDER",
        help="the folder that is deployed, if the handler is in a subfolder (default: the handler's own folder)",
    )
    for option, what in (("--header", "a header"), ("--query", "a part of the query")):
        add(
            option,
            action="append",
            default=[],
            type=text,
            metavar="NAME=VALUE",
            help=f"{what} that every request has, such as one that a proxy adds; can be repeated",
        )
    add(
        "--table",
        type=path,
        metavar="FILE",
        help="items of DynamoDB tables that the handler reads, as JSON: a list of items for each table; the text "
        "'{signing secret}' stands for the secret",
    )
    add(
        "--provide",
        action="append",
        default=[],
        metavar="PACKAGE",
        help="replace a package that Lambda does not include with a stub, such as aws-sdk",
    )
    add(
        "--allow-remote",
        action="append",
        default=[],
        metavar="HOST",
        help="another host that probes may be sent to",
    )
    add("--unconfined", action="store_true", help="as root, run the handler even if this system cannot isolate it")
    arguments.library(parser)


def _kind(value: str) -> str:
    from threatmodel.probe.kinds import KINDS

    return one_of(value, KINDS)


def _form(value: str) -> str:
    from threatmodel.probe.events import SHAPES

    return one_of(value, SHAPES)


def run(request: Invocation) -> int:
    """Run a handler on every probe; print the table, or the result as JSON."""
    from threatmodel.probe.command import ProbeOptions, check_output, run
    from threatmodel.probe.result import to_json
    from threatmodel.reading.replacing import Replacing
    from threatmodel.render.probe import controls_shown, exit_code, probed

    args = request.args
    if args.init:
        return _init(request)
    kept = _kept(request) if args.function else None
    if request.output is not None:
        check_output(args.target, request.output, args.folder)
        request.replacing().check(request.output)
    asked = ProbeOptions(
        target=args.target,
        secret_env=args.secret_env or "",
        variables=args.env,
        variables_file=args.env_file,
        body=args.body or "",
        kind=args.kind or "",
        path=args.path or "",
        shape=args.form or "",
        packages=args.packages,
        provide=args.provide,
        allow_remote=args.allow_remote,
        unconfined=args.unconfined,
        headers=args.header,
        query=args.query,
        tables=args.table,
        folder=args.folder,
        progress=_progress(),
    )
    if kept is not None:
        _foresee(request, asked, kept)
    library = request.library()
    result, notes = run(asked, request.files, datetime.datetime.now(datetime.UTC))
    if sys.stderr.isatty():
        complain("\r\x1b[K")
    complain("".join(f"note: {visible(note)}\n" for note in notes))
    said = probed(result, controls_shown(result, library))
    request.print(to_json(result) if args.as_json else said)
    if args.as_json and request.output is not None:
        say(said.splitlines())
    if kept is not None:
        write(to_json(result), kept, Replacing(force=request.force))
        say([f"wrote {shown_path(kept)}"])
        _name_it(request, kept)
    return exit_code(result, strict=args.strict)


def _foresee(request: Invocation, asked: ProbeOptions, kept: Path) -> None:
    """Report at once what will keep the result from being evidence: a probe takes a while."""
    from threatmodel.evidence.collect import foreseen
    from threatmodel.evidence.sources import read_sources
    from threatmodel.model.load import load_model
    from threatmodel.probe.command import before

    files = Files(CONTENT)
    system = load_model(files, request.model)
    result = before(asked, files, datetime.datetime.now(datetime.UTC))
    for why in foreseen(system, read_sources(system, files), request.args.function, result, kept.parent):
        complain(f"note: the result will count as a statement: {visible(why)}\n")


def _progress() -> Callable[[int], None]:
    """Return what counts requests on a terminal."""
    if not sys.stderr.isatty():
        return lambda _: None
    sent = itertools.count()
    lock = threading.Lock()
    total = 0

    def show(more: int) -> None:
        nonlocal total
        with lock:
            total += more
            if next(sent) % 5 == 0:
                complain(f"\rprobing: {total} requests sent")

    return show


def _init(request: Invocation) -> int:
    """Write a file with the handler's variables; nothing runs."""
    from threatmodel.authoring.probe_setup import variables_file

    carry_out(variables_file(request.args.target, request.files, PROGRAM))
    return 0


def _kept(request: Invocation) -> Path:
    """Return the file for the result of a function of the model. Raises InputError before anything runs."""
    from threatmodel.authoring.probe_setup import check_function
    from threatmodel.probe.folder import RESULT
    from threatmodel.probe.runners.target import handler_file

    args = request.args
    if args.as_json or request.output is not None:
        request.misused("--function writes the result next to the handler; remove --json and -o")
    file = handler_file(args.target)
    if file is None:
        request.misused("--function needs the file of a handler; a result from an address is not evidence")
    check_function(request.model, request.files, args.function)
    return (args.folder or file.parent) / f"{args.function}.{RESULT}"


def _name_it(request: Invocation, kept: Path) -> None:
    """Add the result to the evidence of the model, unless the model names it already."""
    from threatmodel.authoring.probe_setup import evidence_of

    plan = evidence_of(request.model, Files(), kept, request.args.function)
    if plan is None:
        say([f"{shown_path(request.model)} already names it"])
    else:
        carry_out(plan)
