"""`tm.py new`: create a threat, a control, a function or a handler to start from."""

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
from threatmodel.reading.problems import InputError, Place, listed, quoted, refusal

if TYPE_CHECKING:
    from threatmodel.authoring.planned import Plan

STARTS = tuple(key for key in TRIGGER.index if key in THROUGH)
"""The kinds of trigger that can start a function."""


def options(parser: Parser) -> None:
    """Declare the parts that the command creates, each with its options."""
    parts = parser.add_subparsers(dest="part", metavar="PART", required=True)
    shared = parser.libraries
    threat = parts.add_parser(
        "threat", help="create the file of a threat, with an explanation of every key", libraries=shared
    )
    control = parts.add_parser(
        "control", help="create the file of a control, with an explanation of every key, and link it", libraries=shared
    )
    function = parts.add_parser("function", help="add a function to a model, and change nothing else", libraries=shared)
    said = "create the reference handler and its template for a function of a model"
    handler = parts.add_parser("handler", help=said, libraries=shared)
    for part in (threat, control, function):
        part.add_argument("id", type=text, metavar="ID", help="the id: lowercase letters, digits and single hyphens")
    handler.add_argument("id", type=text, metavar="ID", help="the id of a function that Slack calls")
    for part in (threat, control):
        library(part)
    threat.add_argument(
        "--scenario", type=_scenario, metavar="ID", help="the scenario (default: exploited-vulnerability)"
    )
    control.add_argument(
        "--mitigation", type=_mitigation, metavar="ID", help="the mitigation (default: beyond-the-article)"
    )
    control.add_argument("--threat", type=text, metavar="ID", help="the id of a threat that the control addresses")
    control.add_argument("--effect", type=_effect, metavar="EFFECT", help="the effect on the threat (default: hinders)")
    model(function)
    model(handler)
    handler.add_argument(
        "--language", choices=("python", "node"), default="python", help="the language (default: python)"
    )
    handler.add_argument("--to", type=path, metavar="FOLDER", help="the folder to write to (default: handlers/ID)")
    function.add_argument(
        "--trigger",
        type=_trigger,
        metavar="KIND:WHAT",
        help="what starts the function: slack:slash-command, slack:events, slack:interactivity, http:POST, queue:ID, "
        "store:ID, 'schedule:rate(5 minutes)'",
    )
    function.add_argument("--api", type=text, metavar="ID", help="the id of the API that passes the trigger on")


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
            f"{quoted(value)} is not KIND:WHAT, such as slack:events; the kinds are {listed(STARTS)}"
        )
    return value


def run(request: Invocation) -> int:
    """Write the files, and print the next steps."""
    if request.output is not None or request.folder is not None:
        request.misused("new writes to the library or the model; remove -o")
    made = {"threat": _threat, "control": _control, "function": _function, "handler": _handler}
    plan = made[request.args.part](request)
    carry_out(plan)
    return 0


def carry_out(plan: Plan) -> None:
    """Write the planned files; print their names and the next steps."""
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
        request.misused("--effect needs a threat; add --threat ID")
    link = (args.threat, args.effect or "hinders") if args.threat else None
    mitigation = args.mitigation or library_files.MITIGATION
    folders = scaffold.Folders(_folders(request), request.given)
    return scaffold.new_control(args.id, mitigation, folders, request.files, link)


def _folders(request: Invocation) -> list[Path]:
    """Return the toolkit's own library and those on top; the last one is written to.

    The toolkit's own library is written to only in its clone. Raises InputError elsewhere.
    """
    layers = request.layers()
    if not layers and not in_clone():
        message = "there is no library to write to; the model names none"
        hint = f"create one with {PROGRAM} init, or name a folder with --library FOLDER"
        raise refusal("no-library", Place("new", 0), message, hint)
    return [LIBRARY, *layers]


def _function(request: Invocation) -> Plan:
    from threatmodel.authoring import scaffold

    args = request.args
    if args.api and not args.trigger:
        request.misused("--api needs a trigger; add --trigger KIND:WHAT")
    return scaffold.new_function(args.id, request.model, request.files, args.trigger or "", args.api or "")


def _handler(request: Invocation) -> Plan:
    from threatmodel.authoring.handlers import new_handler

    args = request.args
    folder = args.to or Path("handlers") / args.id
    return new_handler(args.id, request.model, request.files, args.language, folder)
