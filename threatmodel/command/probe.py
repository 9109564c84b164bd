"""`tm.py probe`: a handler that runs, and what it does with genuine and hostile requests."""

from __future__ import annotations

import argparse
import datetime
from pathlib import Path

from threatmodel.command import arguments
from threatmodel.command.arguments import Parser, one_of, path, text
from threatmodel.command.new import carry_out
from threatmodel.command.request import Invocation
from threatmodel.reading.files import Files, shown_path
from threatmodel.reading.home import PROGRAM
from threatmodel.reading.output import complain, say, write
from threatmodel.reading.problems import visible

DESCRIPTION = (
    "Sends a handler genuine and hostile requests, and says of each whether it did what Slack and AWS ask. It runs the "
    "handler's code: in a process of its own, isolated as far as this system allows, as the head of the result tells. "
    "Exit code 0: every required probe passed; 1: one failed; 2: it could not be run, or nothing can be said."
)


def options(parser: Parser) -> None:
    """Declares its options."""
    add = parser.add_argument
    add("target", type=text, metavar="TARGET", help="app.py:handler, index.mjs:handler or http://127.0.0.1:3000/slack")
    add(
        "--init", action="store_true", help="write probe.env beside the handler: its variables, made up; nothing is run"
    )
    add("--function", type=text, metavar="ID", help="a function of the model (-m): the result becomes its evidence")
    arguments.model(parser)
    add("--strict", action="store_true", help="advised probes that fail count too")
    add("--json", dest="as_json", action="store_true", help="the result to keep, as JSON")
    add(
        "-o",
        "--output",
        type=text,
        default=argparse.SUPPRESS,
        metavar="FILE",
        help="write there; with --json the table is printed too",
    )
    arguments.force(parser)
    add(
        "--secret-env",
        type=text,
        metavar="NAME",
        help="the variable that holds the signing secret (default: the one that the source calls so, else "
        "SLACK_SIGNING_SECRET); a file is given a made-up one, for an address it is read from your environment",
    )
    add("--env", action="append", default=[], metavar="NAME=VALUE", help="a variable for the handler")
    add("--env-file", type=path, metavar="FILE", help="variables for the handler, one a line")
    add("--body", type=text, metavar="TEXT", help="a genuine request that the handler accepts: a form, or JSON")
    add(
        "--kind",
        type=_kind,
        metavar="KIND",
        help="the kind of a genuine request: command, event, action, view, shortcut, options, view_closed, "
        "message_shortcut or url_verification (default: the first with which the handler does something)",
    )
    add(
        "--path",
        type=text,
        metavar="PATH",
        help="the path of the request (default: /slack/command, or one that the source names)",
    )
    add(
        "--form",
        type=_form,
        metavar="FORM",
        help="rest-api, http-api, function-url or alb: the event's (default: the first that is accepted)",
    )
    add("--packages", type=path, action="append", default=[], metavar="FOLDER", help="dependencies that lie elsewhere")
    add("--provide", action="append", default=[], metavar="PACKAGE", help="stub a package that Lambda lacks: aws-sdk")
    add(
        "--allow-remote",
        action="append",
        default=[],
        metavar="HOST",
        help="a host beside this machine that may be asked",
    )
    add("--unconfined", action="store_true", help="as root, run it even where this system cannot isolate it")
    arguments.library(parser)


def _kind(value: str) -> str:
    from threatmodel.probe.kinds import KINDS

    return one_of(value, KINDS)


def _form(value: str) -> str:
    from threatmodel.probe.events import SHAPES

    return one_of(value, SHAPES)


def run(request: Invocation) -> int:
    """Runs a handler on every probe; prints the table, or the result as JSON."""
    from threatmodel.probe.command import ProbeOptions, check_output, run
    from threatmodel.probe.result import to_json
    from threatmodel.reading.replacing import Replacing
    from threatmodel.render.probe import controls_shown, exit_code, probed

    args = request.args
    if args.init:
        return _init(request)
    kept = _kept(request) if args.function else None
    if request.output is not None:
        check_output(args.target, request.output)
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
    )
    library = request.library()
    result, notes = run(asked, request.files, datetime.datetime.now(datetime.UTC))
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


def _init(request: Invocation) -> int:
    """Writes a file with the handler's variables; nothing is run."""
    from threatmodel.authoring.probe_setup import variables_file

    carry_out(variables_file(request.args.target, request.files, PROGRAM))
    return 0


def _kept(request: Invocation) -> Path:
    """Where the result for a function of the model is kept.  Raises InputError before anything is run."""
    from threatmodel.authoring.probe_setup import check_function
    from threatmodel.probe.folder import RESULT
    from threatmodel.probe.runners.target import handler_file

    args = request.args
    if args.as_json or request.output is not None:
        request.misused("--function keeps the result beside the handler: give neither --json nor -o")
    file = handler_file(args.target)
    if file is None:
        request.misused("--function is for a handler's file: what answers at an address proves nothing")
    check_function(request.model, request.files, args.function)
    return file.parent / f"{args.function}.{RESULT}"


def _name_it(request: Invocation, kept: Path) -> None:
    """Adds the result to the evidence of the model, where it is not named there yet."""
    from threatmodel.authoring.probe_setup import evidence_of

    plan = evidence_of(request.model, Files(), kept, request.args.function)
    if plan is None:
        say([f"{shown_path(request.model)} names it already"])
    else:
        carry_out(plan)
