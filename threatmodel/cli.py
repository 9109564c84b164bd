"""Arguments in, exit code out: the only place that reads the clock and decides what is written where.

Exit codes: 0 clean, 1 findings that fail a check, 2 input that cannot be used.
"""

from __future__ import annotations

import argparse
import datetime
import gc
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

from threatmodel import __version__
from threatmodel.files import Files
from threatmodel.graph import VIEWS, Graph, build
from threatmodel.model.load import load_model
from threatmodel.model.vocabulary import KINDS
from threatmodel.output import make_folder, write
from threatmodel.problems import InputError, Place, Problem, listed, shown, suggestion

HOME = Path(__file__).resolve().parent.parent
MODEL = HOME / "models" / "slack-lambda.yaml"
LIBRARY = HOME / "threatlib"

_PICTURES = {".svg": "svg", ".png": "png", ".pdf": "pdf", ".dot": "dot", ".gv": "dot"}
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
        known = [option for action in self._actions for option in action.option_strings]
        wrong = next((word for word in message.split() if word.startswith("--")), "")
        hint = suggestion(wrong, known) if wrong and wrong not in known else ""
        sys.stderr.write(f"tm.py: usage: {message}{'; ' + hint if hint else ''} (see tm.py --help)\n")
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
    what.add_argument("--json", nargs="?", const="-", metavar="FILE", help="the whole assessment")
    what.add_argument("--describe", metavar="KIND", help=f"the facts of a kind: {', '.join(KINDS)}")
    what.add_argument("--pytm", action="store_true", help="the model as a plain pytm script")
    how = found.add_argument_group("how")
    how.add_argument(
        "--exclude", default="", metavar="IDS", help="threats not to look for, separated by commas; the report says so"
    )
    how.add_argument(
        "--view", choices=(*VIEWS, "all"), default="runtime", help="which planes a diagram shows (default: runtime)"
    )
    how.add_argument("--focus", metavar="ID", help="only this element and its neighbours")
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
    check.add_argument("--exclude", default="", metavar="IDS", help="threats not to look for, separated by commas")
    summary = commands.add_parser("summary", help="write report.html, report.md and dfd.svg to a folder")
    _common(summary)
    summary.add_argument(
        "--out", type=Path, default=Path("build"), metavar="FOLDER", help="the folder (default: build)"
    )
    schema = commands.add_parser("schema", help="the JSON Schema of model files or of --json")
    schema.add_argument("which", choices=("model", "assessment"))
    docs = commands.add_parser("docs", help="write what is generated: schemas and the reference of facts")
    docs.add_argument("--check", action="store_true", help="only say whether they are current")
    return found


_CHECK = (
    "Fails on a risk at or above the band that nobody treated or accepted, on one that could be (an answer is missing), "
    "on a lapsed acceptance, and on a claim that evidence contradicts."
)


def _common(found: argparse.ArgumentParser) -> None:
    """Options that may stand before or behind a command."""
    quiet = argparse.SUPPRESS
    found.add_argument(
        "-m",
        "--model",
        type=Path,
        default=quiet,
        metavar="FILE",
        help="the model (default: models/slack-lambda.yaml beside tm.py)",
    )
    found.add_argument("-o", "--output", default=quiet, metavar="FILE", help="write there instead of standard output")
    found.add_argument(
        "--today", type=_day, default=quiet, metavar="DATE", help="assess as of this day (default: today)"
    )


def _day(text: str) -> datetime.date:
    try:
        return datetime.date.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"'{text[:40]}' is not a date such as 2027-03-31") from None


def main(arguments: Sequence[str]) -> int:
    """Runs the command line; returns the exit code."""
    gc.disable()  # values form no cycles, and a hundred thousand of them are slow to walk
    args = parser().parse_args(arguments)
    files = Files()
    try:
        return _Run(args, files).code()
    except InputError as error:
        sys.stderr.write(shown(error.problems, files.texts) + "\n")
        count = len(set(error.problems))
        sys.stderr.write(f"{count} problem{'' if count == 1 else 's'}; docs/errors.md explains each code\n")
        return 2
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except OSError as error:
        sys.stderr.write(f"standard output: unwritable-file: cannot be written: {error.strerror}\n")
        return 2


class _Run:
    """One run: what was asked for, and what it needs, loaded only where it is needed."""

    def __init__(self, args: argparse.Namespace, files: Files) -> None:
        self.args = args
        self.files = files
        self.model: Path = getattr(args, "model", MODEL)
        self.today: datetime.date = getattr(args, "today", None) or datetime.datetime.now().astimezone().date()
        output: str | None = getattr(args, "output", None)
        self.folder = Path(output) if output and (output.endswith(("/", os.sep)) or Path(output).is_dir()) else None
        self.output = Path(output) if output and output != "-" else None

    def code(self) -> int:
        args = self.args
        match args.command:
            case "check":
                return self.check()
            case "summary":
                return self.summary()
            case "schema":
                return self.print(_schema(args.which))
            case "docs":
                from threatmodel.render.docs import generated

                return generated(HOME, only_check=args.check)
        if args.dfd:
            return self.dfd()
        if args.seq:
            return self.seq()
        if args.list:
            from threatmodel.render.listing import listing

            return self.print(listing(self.library()))
        if args.describe:
            return self.describe(args.describe)
        if args.json:
            return self.json()
        if args.pytm:
            from threatmodel.pytm_model import pytm_script

            return self.print(pytm_script(self.graph(), self.library()))
        if args.report:
            return self.print(self.report(args.report))
        parser().print_help()
        return 0

    def print(self, content: str | bytes) -> int:
        """Writes a result where it was asked for."""
        if self.folder is not None:
            problem = Problem(
                code="unwritable-file", place=Place(str(self.folder)), message="this is a folder", hint="name a file"
            )
            raise InputError([problem])
        write(content, self.output)
        return 0

    # --- what a command needs

    def graph(self) -> Graph:
        return build(load_model(self.files, self.model))

    def library(self):
        from threatmodel.library.load import load_library

        return load_library(LIBRARY, self.files)

    def assessment(self):
        from threatmodel.assess import assess

        excluded = [name.strip() for name in getattr(self.args, "exclude", "").split(",") if name.strip()]
        return assess(self.graph(), self.library(), self.today, excluded)

    # --- commands

    def describe(self, kind: str) -> int:
        from threatmodel.render.listing import description

        if kind.lower() not in KINDS:
            message = f"'{kind[:60]}' is not a kind of element"
            hint = suggestion(kind, KINDS) or f"known: {listed(KINDS)}"
            raise InputError([Problem(code="unknown-kind", place=Place("--describe"), message=message, hint=hint)])
        return self.print(description(kind.lower()))

    def json(self) -> int:
        import json

        from threatmodel.render.contract import contract

        if self.args.json != "-":
            self.output = Path(self.args.json)
        return self.print(json.dumps(contract(self.assessment()), indent=1, ensure_ascii=False) + "\n")

    def check(self) -> int:
        from threatmodel.render.check import checked, failures

        assessment = self.assessment()
        found = failures(assessment, self.args.fail_on, allow_undetermined=self.args.allow_undetermined)
        code = 1 if found else 0
        try:
            self.print(checked(assessment, found))
        except BrokenPipeError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return code

    def seq(self) -> int:
        from threatmodel.render import sequence

        make = sequence.mermaid if self.args.seq == "mermaid" else sequence.plantuml
        return self.print(make(self.graph()))

    def dfd(self) -> int:
        from threatmodel.render.dfd import dfd, needs_overview

        colours = None
        if self.args.colormap:
            from threatmodel.advice import risks

            assessment = self.assessment()
            graph, colours = assessment.graph, risks(assessment)
        else:
            graph = self.graph()
        focus = self._focus(graph)
        overview = False if self.args.full else None
        if self.folder is not None:
            return self._album(graph, colours)
        if overview is None and not focus and needs_overview(graph):
            sys.stderr.write(
                "tm.py: too many functions for one picture: drawing an overview (--focus ID, --full, -o FOLDER/)\n"
            )
        dot = dfd(graph, view=self.args.view, focus=focus, risks=colours, overview=overview)
        return self.print(self._drawn(dot, self.output) if self.output else dot)

    def _focus(self, graph: Graph) -> str:
        focus: str = self.args.focus or ""
        if focus and focus not in graph.elements:
            hint = suggestion(focus, graph.elements)
            problem = Problem(
                code="unknown-element", place=Place("--focus"), message=f"there is no element '{focus[:60]}'", hint=hint
            )
            raise InputError([problem])
        return focus

    def _album(self, graph: Graph, colours) -> int:
        """One picture of the whole, and one a function."""
        from threatmodel.render.dfd import dfd

        if self.folder is None:
            raise AssertionError
        make_folder(self.folder)
        overview = dfd(graph, view=self.args.view, risks=colours)
        write(self._drawn(overview, Path("x.svg")), self.folder / "overview.svg")
        for element in graph.elements.values():
            if element.kind == "function":
                dot = dfd(graph, view=self.args.view, focus=element.id, risks=colours)
                write(self._drawn(dot, Path("x.svg")), self.folder / f"{element.id}.svg")
        return 0

    def _drawn(self, dot: str, path: Path) -> bytes:
        """The picture in the format that the file's name asks for."""
        from threatmodel.render.draw import DrawError, draw

        fmt = _PICTURES.get(path.suffix.lower())
        if fmt is None:
            hint = f"name it {listed(['FILE' + ending for ending in _PICTURES])}"
            problem = Problem(
                code="unknown-format",
                place=Place(str(path)),
                message=f"'{path.suffix}' is no picture format",
                hint=hint,
            )
            raise InputError([problem])
        try:
            return draw(dot, fmt, os.environ.get("DOT", ""))
        except DrawError as error:
            raise InputError([Problem(code="cannot-draw", place=Place(str(path)), message=str(error))]) from None

    def report(self, template: str) -> str:
        from threatmodel.render.report import report

        assessment = self.assessment()
        return report(assessment, template, self._picture(assessment) if template != "md" else "")

    def _picture(self, assessment) -> str:
        """The report's picture as SVG text."""
        from threatmodel.advice import risks
        from threatmodel.render.dfd import dfd

        return self._drawn(dfd(assessment.graph, risks=risks(assessment)), Path("dfd.svg")).decode()

    def summary(self) -> int:
        """Writes the report in both forms and the picture, and says what is in them."""
        from threatmodel.render.report import report
        from threatmodel.render.summary import summary_text

        out: Path = self.args.out
        assessment = self.assessment()
        svg = self._picture(assessment)
        made = {
            "report.html": report(assessment, "html", svg),
            "report.md": report(assessment, "md", ""),
            "dfd.svg": svg,
        }
        make_folder(out)
        for name, content in made.items():
            write(content, out / name)
        return self.print(summary_text(assessment, [out / name for name in made]))


def _schema(which: str) -> str:
    from threatmodel.render.docs import ASSESSMENT_SCHEMA, model_schema_text

    return model_schema_text() if which == "model" else ASSESSMENT_SCHEMA.read_text(encoding="utf-8")
