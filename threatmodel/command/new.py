"""`tm.py new`: a threat, a control, a function or a handler to start from."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from threatmodel.command.arguments import Parser, library, model, one_of, path, text
from threatmodel.command.request import Invocation, in_clone
from threatmodel.model.file import TRIGGER
from threatmodel.model.system import THROUGH
from threatmodel.reading.editing import write_edit
from threatmodel.reading.files import shown_path
from threatmodel.reading.home import LIBRARY, PROGRAM
from threatmodel.reading.output import make_folder, say, write_new
from threatmodel.reading.problems import InputError, Place, Problem, listed, quoted

if TYPE_CHECKING:
    from threatmodel.authoring.planned import Plan

STARTS = tuple(key for key in TRIGGER.index if key in THROUGH)
"""What can start a function: the kinds of trigger."""


def options(parser: Parser) -> None:
    """Declares the parts that it makes, each with its options."""
    parts = parser.add_subparsers(dest="part", metavar="PART", required=True)
    shared = parser.libraries
    threat = parts.add_parser("threat", help="a threat's file, every key explained", libraries=shared)
    control = parts.add_parser(
        "control", help="a control's file, every key explained, and the link to it", libraries=shared
    )
    function = parts.add_parser(
        "function", help="an entry in a model; the rest of the file stays as it is", libraries=shared
    )
    said = "the reference handler and its template, for a function of a model"
    handler = parts.add_parser("handler", help=said, libraries=shared)
    for part in (threat, control, function):
        part.add_argument("id", type=text, metavar="ID", help="lower-case letters, digits and single hyphens")
    handler.add_argument("id", type=text, metavar="ID", help="a function of the model that Slack calls")
    for part in (threat, control):
        library(part)
    threat.add_argument("--scenario", type=_scenario, metavar="ID", help="default: exploited-vulnerability")
    control.add_argument("--mitigation", type=_mitigation, metavar="ID", help="default: beyond-the-article")
    control.add_argument("--threat", type=text, metavar="ID", help="a threat of that library that it answers")
    control.add_argument("--effect", type=_effect, metavar="WORD", help="what it does to the threat (default: hinders)")
    model(function)
    model(handler)
    handler.add_argument("--language", choices=("python", "node"), default="python", help="default: python")
    handler.add_argument("--to", type=path, metavar="FOLDER", help="where to (default: handlers/ID)")
    function.add_argument(
        "--trigger",
        type=_trigger,
        metavar="KIND:WHAT",
        help="what starts it: slack:slash-command, slack:events, slack:interactivity, http:POST, queue:ID, store:ID, "
        "'schedule:rate(5 minutes)'",
    )
    function.add_argument("--api", type=text, metavar="ID", help="the api that the trigger comes through")


def _scenario(value: str) -> str:
    from threatmodel.library.entries import SCENARIOS

    return one_of(value, SCENARIOS)


def _mitigation(value: str) -> str:
    from threatmodel.library.entries import BEYOND, MITIGATIONS

    return one_of(value, (*MITIGATIONS, BEYOND))


def _effect(value: str) -> str:
    from threatmodel.library.entries import EFFECTS

    return one_of(value, EFFECTS)


def _trigger(value: str) -> str:
    kind, _, what = value.partition(":")
    if kind not in STARTS or not what.strip() or not what.isprintable():
        raise argparse.ArgumentTypeError(
            f"{quoted(value)} is not KIND:WHAT, such as slack:events; kinds: {listed(STARTS)}"
        )
    return value


def run(request: Invocation) -> int:
    """Writes what was asked for, and says what to do next."""
    if request.output is not None or request.folder is not None:
        request.misused("new writes to the library or the model: give no -o")
    made = {"threat": _threat, "control": _control, "function": _function, "handler": _handler}
    plan = made[request.args.part](request)
    carry_out(plan)
    return 0


def carry_out(plan: Plan) -> None:
    """Writes what is planned, and says so and what to do next."""
    made: list[Path] = []
    try:
        for target, content, _ in plan.files:
            make_folder(target.parent)
            if target in plan.edits:
                write_edit(content, target, plan.edits[target])
            else:
                write_new(content, target)
                made.append(target)
    except InputError:  # what was written before is of no use alone
        for target in made:
            target.unlink(missing_ok=True)
        raise
    say([*(f"wrote {shown_path(target)}{note}" for target, _, note in plan.files), *plan.then])


def _threat(request: Invocation) -> Plan:
    from threatmodel.authoring import library_files, scaffold

    args = request.args
    scenario = args.scenario or library_files.SCENARIO
    return scaffold.new_threat(args.id, scenario, scaffold.Folders(_folders(request), request.given))


def _control(request: Invocation) -> Plan:
    from threatmodel.authoring import library_files, scaffold

    args = request.args
    if args.effect and not args.threat:
        request.misused("--effect says what the control does to a threat: give --threat ID too")
    link = (args.threat, args.effect or "hinders") if args.threat else None
    mitigation = args.mitigation or library_files.MITIGATION
    folders = scaffold.Folders(_folders(request), request.given)
    return scaffold.new_control(args.id, mitigation, folders, request.files, link)


def _folders(request: Invocation) -> list[Path]:
    """The toolkit's own library and those on top; the last is written to.  Raises InputError where it is the own one.

    Only in the clone, which it belongs to, the toolkit's own library is written to.
    """
    layers = request.layers()
    if not layers and not in_clone():
        message = "there is no library of yours to write to: the model names none"
        hint = f"{PROGRAM} init writes one; or name a folder: --library FOLDER"
        raise InputError([Problem(code="no-library", place=Place("new", 0), message=message, hint=hint)])
    return [LIBRARY, *layers]


def _function(request: Invocation) -> Plan:
    from threatmodel.authoring import scaffold

    args = request.args
    if args.api and not args.trigger:
        request.misused("--api belongs to a trigger: give --trigger KIND:WHAT too")
    return scaffold.new_function(args.id, request.model, request.files, args.trigger or "", args.api or "")


def _handler(request: Invocation) -> Plan:
    from threatmodel.authoring.handlers import new_handler

    args = request.args
    folder = args.to or Path("handlers") / args.id
    return new_handler(args.id, request.model, request.files, args.language, folder)
