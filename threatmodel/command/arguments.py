"""The command line's options: pytm's, kept, and commands for the rest."""

from __future__ import annotations

import argparse
import datetime
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NoReturn

from threatmodel import __version__
from threatmodel.graph.building import VIEWS
from threatmodel.model.file import STACK_KINDS, TRIGGER
from threatmodel.model.vocabulary import KINDS
from threatmodel.reading.output import complain
from threatmodel.reading.problems import listed, quoted, suggestion

_EPILOG = """\
examples:
  python tm.py --report html -o report.html      the threat report of the default model
  python tm.py --dfd | dot -Tpng -o dfd.png      the data-flow diagram
  python tm.py --dfd -o dfd.png                  the same without a system Graphviz
  python tm.py -m models/shop.yaml check         exit code 1 where a high risk is left

exit codes: 0 clean, 1 findings that fail a check, 2 input that cannot be used
"""


STARTS = tuple(key for key in TRIGGER.index if key not in {"api", "path"})
"""What can start a function: the kinds of trigger."""


class _Parser(argparse.ArgumentParser):
    """Usage errors in our form, with a suggestion."""

    def error(self, message: str) -> NoReturn:
        """One line, exit code 2."""
        options = [option for action in self._actions for option in action.option_strings]
        commands = [name for action in self._actions for name in action.choices or ()]
        wrong = message.rsplit(": ", 1)[-1].split(maxsplit=1)[0].strip("',") if ": " in message else ""
        known = options if wrong.startswith("-") else commands
        hint = suggestion(wrong, known) if wrong and wrong not in known else ""
        complain(f"tm.py: usage: {message}{'; ' + hint if hint else ''} (see tm.py --help)\n")
        raise SystemExit(2)


def parser() -> argparse.ArgumentParser:
    """The command line."""
    found = _Parser(
        prog="tm.py",
        description="A threat model that proves itself: a YAML model becomes data-flow diagrams and a threat report "
        "in which every threat leads to controls and every control to evidence.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    found.add_argument("--version", action="version", version=f"tm.py {__version__}")
    libraries: list[Path] = []
    _common(found, libraries)
    what = found.add_argument_group("what to make (pytm's options)").add_mutually_exclusive_group()
    what.add_argument(
        "--report",
        nargs="?",
        const="md",
        type=_text,
        metavar="TEMPLATE",
        help="threat report: md (default), html, or the path of a template of your own",
    )
    what.add_argument(
        "--dfd",
        action="store_true",
        help="data-flow diagram as DOT; -o FILE.svg, .png or .pdf draws it, -o FOLDER/ draws one a function",
    )
    what.add_argument(
        "--seq",
        nargs="?",
        const="plantuml",
        choices=("plantuml", "mermaid"),
        help="sequence diagram (default: plantuml)",
    )
    what.add_argument("--list", action="store_true", help="every threat of the library: id, scenario, title")
    what.add_argument("--json", nargs="?", const="-", type=_text, metavar="FILE", help="the whole assessment")
    what.add_argument("--describe", type=_text, metavar="KIND", help=f"the facts of a kind: {', '.join(KINDS)}")
    what.add_argument("--pytm", action="store_true", help="the model as a plain pytm script")
    how = found.add_argument_group("how")
    how.add_argument(
        "--view", choices=(*VIEWS, "all"), default="runtime", help="which planes a diagram shows (default: runtime)"
    )
    how.add_argument("--focus", type=_text, metavar="ID", help="only this element and its neighbours")
    how.add_argument("--full", action="store_true", help="every function in one diagram, however many")
    how.add_argument("--colormap", action="store_true", help="colour a diagram by risk (loads the library)")
    commands = found.add_subparsers(dest="command", metavar="COMMAND", title="commands")
    check = commands.add_parser("check", help="exit code 1 where a risk is left untreated", description=_CHECK)
    _common(check, libraries)
    check.add_argument(
        "--fail-on",
        choices=("low", "medium", "high", "critical"),
        default="high",
        help="the lowest band that fails (default: high)",
    )
    check.add_argument(
        "--allow-undetermined", action="store_true", help="what waits for an answer does not fail the check"
    )
    summary = commands.add_parser("summary", help="write report.html, report.md and dfd.svg to a folder")
    _common(summary, libraries)
    summary.add_argument(
        "--out", type=_path, default=Path("build"), metavar="FOLDER", help="the folder (default: build)"
    )
    _import(commands.add_parser("import", help="a model of what a template, plan or serverless.yml deploys"))
    _probe(
        commands.add_parser("probe", help="run a handler on genuine and hostile requests, and see", description=_PROBE),
        libraries,
    )
    schema = commands.add_parser("schema", help="the JSON Schema of model files or of --json")
    schema.add_argument("which", choices=("model", "assessment"))
    explain = commands.add_parser("explain", help="a threat or a control, with everything that links to it")
    explain.add_argument("id", type=_text, metavar="ID", help="its id, as --list and reports name it")
    _common(explain, libraries)
    _new(commands.add_parser("new", help="a threat, a control, a function or a handler to start from"), libraries)
    docs = commands.add_parser("docs", help="write what is generated: schemas, references of facts and library")
    docs.add_argument("--check", action="store_true", help="only say whether they are current")
    return found


_CHECK = (
    "Fails on a risk at or above the band that nobody treated or accepted, on one that could be (an answer is "
    "missing), on a lapsed acceptance, and on anything in which the model and its evidence differ."
)


def _import(found: argparse.ArgumentParser) -> None:
    found.add_argument("file", type=_path, metavar="FILE", help="SAM or CloudFormation, a plan as JSON, serverless.yml")
    found.add_argument("--update", type=_path, metavar="MODEL", help="add to this model what it lacks; the rest stays")
    found.add_argument("--kind", choices=STACK_KINDS, help="what the file is (default: as it looks)")
    found.add_argument("-o", "--output", type=_text, default=argparse.SUPPRESS, metavar="FILE", help="the new model")


_PROBE = (
    "Sends a handler genuine and hostile requests, and says of each whether it did what Slack and AWS ask. It runs the "
    "handler's code: in a process of its own without your credentials and network, but on your machine. Exit code 0: "
    "every required probe passed; 1: one failed; 2: it could not be run, or nothing can be said."
)


def _probe(found: argparse.ArgumentParser, libraries: list[Path]) -> None:
    more = argparse.SUPPRESS
    found.add_argument(
        "target", type=_text, metavar="TARGET", help="app.py:handler, index.mjs:handler or http://127.0.0.1:3000/slack"
    )
    found.add_argument("--strict", action="store_true", help="advised probes that fail count too")
    found.add_argument("--json", dest="as_json", action="store_true", help="the result to keep, as JSON")
    found.add_argument(
        "-o",
        "--output",
        type=_text,
        default=more,
        metavar="FILE",
        help="write there; with --json the table is printed too",
    )
    found.add_argument(
        "--secret-env",
        type=_text,
        default="SLACK_SIGNING_SECRET",
        metavar="NAME",
        help="the variable that holds the signing secret (default: SLACK_SIGNING_SECRET); a handler's file is given a "
        "made-up one, for an address it is read from your environment",
    )
    found.add_argument("--env", action="append", default=[], metavar="NAME=VALUE", help="a variable for the handler")
    found.add_argument("--env-file", type=_path, metavar="FILE", help="variables for the handler, one a line")
    found.add_argument(
        "--body", type=_text, metavar="TEXT", help="a genuine request that the handler accepts, as a form"
    )
    found.add_argument("--path", type=_text, metavar="PATH", help="the path of the request (default: /slack/command)")
    found.add_argument(
        "--form",
        type=_form,
        metavar="FORM",
        help="rest-api, http-api or function-url: the event's (default: the first that is accepted)",
    )
    found.add_argument(
        "--packages", type=_path, action="append", default=[], metavar="FOLDER", help="dependencies that lie elsewhere"
    )
    found.add_argument(
        "--provide", action="append", default=[], metavar="PACKAGE", help="stub a package that Lambda lacks: aws-sdk"
    )
    found.add_argument(
        "--allow-remote",
        action="append",
        default=[],
        metavar="HOST",
        help="a host beside this machine that may be asked",
    )
    _library(found, libraries)


def _new(found: argparse.ArgumentParser, libraries: list[Path]) -> None:
    """The parts that `new` makes, each with its options."""
    parts = found.add_subparsers(dest="part", metavar="PART", required=True)
    threat = parts.add_parser("threat", help="a threat's file, every key explained")
    control = parts.add_parser("control", help="a control's file, every key explained, and the link to it")
    function = parts.add_parser("function", help="an entry in a model; the rest of the file stays as it is")
    handler = parts.add_parser("handler", help="the reference handler and its template, for a function of a model")
    for part in (threat, control, function):
        part.add_argument("id", type=_text, metavar="ID", help="lower-case letters, digits and single hyphens")
    handler.add_argument("id", type=_text, metavar="ID", help="a function of the model that Slack calls")
    for part in (threat, control):
        _library(part, libraries)
    threat.add_argument("--scenario", type=_scenario, metavar="ID", help="default: exploited-vulnerability")
    control.add_argument("--mitigation", type=_mitigation, metavar="ID", help="default: beyond-the-article")
    control.add_argument("--threat", type=_text, metavar="ID", help="a threat of that library that it answers")
    control.add_argument("--effect", type=_effect, metavar="WORD", help="what it does to the threat (default: hinders)")
    _model(function)
    _model(handler)
    handler.add_argument("--language", choices=("python", "node"), default="python", help="default: python")
    handler.add_argument("--to", type=_path, metavar="FOLDER", help="where to (default: handlers/ID)")
    function.add_argument(
        "--trigger",
        type=_trigger,
        metavar="KIND:WHAT",
        help="what starts it: slack:slash-command, slack:events, slack:interactivity, http:POST, queue:ID, store:ID, "
        "'schedule:rate(5 minutes)'",
    )
    function.add_argument("--api", type=_text, metavar="ID", help="the api that the trigger comes through")


def _model(found: argparse.ArgumentParser) -> None:
    found.add_argument(
        "-m",
        "--model",
        type=_path,
        default=argparse.SUPPRESS,
        metavar="FILE",
        help="the model (default: models/slack-lambda.yaml beside tm.py)",
    )


def _library(found: argparse.ArgumentParser, libraries: list[Path]) -> None:
    found.add_argument(
        "--library",
        action=_Gather,
        into=libraries,
        type=_path,
        default=argparse.SUPPRESS,
        metavar="FOLDER",
        help="a library of your own on top of threatlib/: adds, replaces, switches off; may be given more than once",
    )


def _common(found: argparse.ArgumentParser, libraries: list[Path]) -> None:
    """Options that may stand before or behind a command; the folders of `--library` gather in `libraries`."""
    quiet = argparse.SUPPRESS
    _model(found)
    found.add_argument(
        "-o", "--output", type=_text, default=quiet, metavar="FILE", help="write there instead of standard output"
    )
    _library(found, libraries)
    found.add_argument(
        "--exclude",
        default=quiet,
        metavar="IDS",
        help="threats not to look for, separated by commas; the report says so",
    )
    found.add_argument(
        "--today", type=_day, default=quiet, metavar="DATE", help="assess as of this day (default: today)"
    )


class _Gather(argparse.Action):
    """Gathers values given before and behind a command in one list: argparse would forget those before it."""

    def __init__(self, into: list[Path], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._into = into

    def __call__(self, _parser: object, namespace: argparse.Namespace, values: Any, _option: object = None) -> None:
        """Adds one value."""
        self._into.append(values)
        setattr(namespace, self.dest, self._into)


def names(text: str) -> list[str]:
    """The names in a value that holds several, separated by commas."""
    return [name.strip() for name in text.split(",") if name.strip()]


def _text(text: str) -> str:
    if not text:
        raise argparse.ArgumentTypeError("expected a value, not an empty text")
    return text


def _path(text: str) -> Path:
    return Path(_text(text))


def _scenario(text: str) -> str:
    from threatmodel.library.format import SCENARIOS

    return _one_of(text, SCENARIOS)


def _mitigation(text: str) -> str:
    from threatmodel.library.format import BEYOND, MITIGATIONS

    return _one_of(text, (*MITIGATIONS, BEYOND))


def _form(text: str) -> str:
    from threatmodel.probe.cases import SHAPES

    return _one_of(text, SHAPES)


def _effect(text: str) -> str:
    from threatmodel.library.format import EFFECTS

    return _one_of(text, EFFECTS)


def _one_of(word: str, words: Sequence[str]) -> str:
    """One of a few words that only this option needs: what knows them is imported with it."""
    if word not in words:
        hint = suggestion(word, words) or f"expected one of {listed(words)}"
        raise argparse.ArgumentTypeError(f"there is no {quoted(word)}; {hint}")
    return word


def _trigger(text: str) -> str:
    kind, _, what = text.partition(":")
    if kind not in STARTS or not what.strip() or not what.isprintable():
        raise argparse.ArgumentTypeError(
            f"{quoted(text)} is not KIND:WHAT, such as slack:events; kinds: {listed(STARTS)}"
        )
    return text


def _day(text: str) -> datetime.date:
    try:
        return datetime.date.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"'{text[:40]}' is not a date such as 2027-03-31") from None
