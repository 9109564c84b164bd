"""The command line's options: pytm's, kept, and commands for the rest."""

from __future__ import annotations

import argparse
import datetime
from pathlib import Path
from typing import NoReturn

from threatmodel import __version__
from threatmodel.graph import VIEWS
from threatmodel.model.vocabulary import KINDS
from threatmodel.output import complain
from threatmodel.problems import suggestion

_EPILOG = """\
examples:
  python tm.py --report html -o report.html      the threat report of the default model
  python tm.py --dfd | dot -Tpng -o dfd.png      the data-flow diagram
  python tm.py --dfd -o dfd.png                  the same without a system Graphviz
  python tm.py -m models/shop.yaml check         exit code 1 where a high risk is left

exit codes: 0 clean, 1 findings that fail a check, 2 input that cannot be used
"""


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
    _common(found)
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
    _common(check)
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
    _common(summary)
    summary.add_argument(
        "--out", type=_path, default=Path("build"), metavar="FOLDER", help="the folder (default: build)"
    )
    schema = commands.add_parser("schema", help="the JSON Schema of model files or of --json")
    schema.add_argument("which", choices=("model", "assessment"))
    docs = commands.add_parser("docs", help="write what is generated: schemas and the reference of facts")
    docs.add_argument("--check", action="store_true", help="only say whether they are current")
    return found


_CHECK = (
    "Fails on a risk at or above the band that nobody treated or accepted, on one that could be (an answer is "
    "missing), on a lapsed acceptance, and on a claim that evidence contradicts."
)


def _common(found: argparse.ArgumentParser) -> None:
    """Options that may stand before or behind a command."""
    quiet = argparse.SUPPRESS
    found.add_argument(
        "-m",
        "--model",
        type=_path,
        default=quiet,
        metavar="FILE",
        help="the model (default: models/slack-lambda.yaml beside tm.py)",
    )
    found.add_argument(
        "-o", "--output", type=_text, default=quiet, metavar="FILE", help="write there instead of standard output"
    )
    found.add_argument(
        "--exclude",
        default=quiet,
        metavar="IDS",
        help="threats not to look for, separated by commas; the report says so",
    )
    found.add_argument(
        "--today", type=_day, default=quiet, metavar="DATE", help="assess as of this day (default: today)"
    )


def names(text: str) -> list[str]:
    """The names in a value that holds several, separated by commas."""
    return [name.strip() for name in text.split(",") if name.strip()]


def _text(text: str) -> str:
    if not text:
        raise argparse.ArgumentTypeError("expected a value, not an empty text")
    return text


def _path(text: str) -> Path:
    return Path(_text(text))


def _day(text: str) -> datetime.date:
    try:
        return datetime.date.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"'{text[:40]}' is not a date such as 2027-03-31") from None
