"""Arguments in, exit code out: the only place that reads the clock and decides what is written where.

Exit codes: 0 clean, 1 findings that fail a check, 2 input that cannot be used.
"""

from __future__ import annotations

import argparse
import dataclasses
import datetime
import gc
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from threatmodel.command.arguments import names, parser
from threatmodel.graph.building import Graph, build
from threatmodel.model.load import load_model
from threatmodel.model.vocabulary import KINDS
from threatmodel.reading.files import Files, has_read, shown_path
from threatmodel.reading.home import CONTENT, LIBRARY, MODELS
from threatmodel.reading.output import complain, make_folder, prepare_streams, silence, write
from threatmodel.reading.problems import InputError, Place, Problem, escaped, listed, quoted, shown, suggestion

if TYPE_CHECKING:  # what most commands do without is imported where it is used: start-up is a feature
    from threatmodel.assessment.assess import Assessment
    from threatmodel.assessment.risk import Risk
    from threatmodel.library.format import Library

MODEL = MODELS / "slack-lambda.yaml"

_PICTURES = {".svg": "svg", ".png": "png", ".pdf": "pdf", ".dot": "dot", ".gv": "dot"}
_DRAWN = (".svg", ".png", ".pdf")
"""Endings that no text is written to."""


def main(arguments: Sequence[str]) -> int:
    """Runs the command line; returns the exit code."""
    gc.disable()  # values form no cycles, and a hundred thousand of them are slow to walk
    prepare_streams()
    files = Files(CONTENT)
    try:
        code = _Run(_parsed(arguments), files).code()
        sys.stdout.flush()
    except InputError as error:
        count = len(set(error.problems))
        tail = f"{count} problem{'' if count == 1 else 's'}; docs/errors.md explains each code"
        complain(f"{shown(error.problems, files.texts)}\n{tail}\n")
        return 2
    except BrokenPipeError:
        silence(sys.stdout)
        return 0
    except OSError as error:
        silence(sys.stdout)
        complain(f"standard output: unwritable-file: cannot be written: {error.strerror}\n")
        return 2
    return code


def _parsed(arguments: Sequence[str]) -> argparse.Namespace:
    """The arguments by name; --help and --version end here, once what they say is written."""
    try:
        return parser().parse_args(arguments)
    except SystemExit:
        sys.stdout.flush()
        raise


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
        if getattr(args, "json", None) not in {None, "-"}:
            if output:
                parser().error(f"--json {args.json} and -o {output} name two outputs: give one of them")
            self.output = Path(args.json)

    def code(self) -> int:
        """Does what was asked for; help where nothing was."""
        commands: Mapping[str, Callable[[], int]] = {
            "check": self.check,
            "summary": self.summary,
            "schema": self.schema,
            "docs": self.docs,
            "explain": self.explain,
            "import": self.import_,
            "probe": self.probe,
            "new": self.new,
        }
        options: Mapping[str, Callable[[], int]] = {
            "dfd": self.dfd,
            "seq": self.seq,
            "list": self.list,
            "describe": self.describe,
            "json": self.json,
            "pytm": self.pytm,
            "report": self.report,
        }
        asked = [option for option in options if getattr(self.args, option)]
        if self.args.command:
            if asked:
                parser().error(f"--{asked[0]} and {self.args.command} ask for two things: give one of them")
            self._needs_text()
            return commands[self.args.command]()
        if asked:
            if asked[0] != "dfd":
                self._needs_text()
            return options[asked[0]]()
        parser().print_help()
        return 0

    def _needs_text(self) -> None:
        """Raises InputError where the output's name is one of a picture."""
        if self.output is not None and self.output.suffix.lower() in _DRAWN:
            message = f"'{self.output.suffix}' is a picture format, and this writes text"
            place, hint = Place(str(self.output)), "name it otherwise; --dfd draws a picture"
            raise InputError([Problem(code="unknown-format", place=place, message=message, hint=hint)])

    def print(self, content: str | bytes) -> int:
        """Writes a result where it was asked for."""
        if self.folder is not None:
            place = Place(str(self.folder))
            raise InputError(
                [Problem(code="unwritable-file", place=place, message="this is a folder", hint="name a file")]
            )
        self.write(content, self.output)
        return 0

    def write(self, content: str | bytes, path: Path | None) -> None:
        """Writes a result, but not over a file that it was made from."""
        if path is not None and has_read(self.files.paths, path):
            place, message = Place(f"output {path}"), "this run reads it"
            raise InputError([Problem(code="unwritable-file", place=place, message=message, hint="name another file")])
        write(content, path)

    # --- what a command needs

    def graph(self) -> Graph:
        system = load_model(self.files, self.model)
        if not system.evidence:
            return build(system, today=self.today)
        from threatmodel.evidence.collect import collect

        system, evidence, read = collect(system, self.files)
        return build(system, evidence, self.today, read)

    def library(self) -> Library:
        from threatmodel.library.load import load_library

        return load_library(LIBRARY, self.files, getattr(self.args, "library", ()))

    def assessment(self) -> Assessment:
        from threatmodel.assessment.assess import assess

        return assess(self.graph(), self.library(), self.today, self.excluded())

    def excluded(self) -> Sequence[str]:
        return names(getattr(self.args, "exclude", ""))

    # --- commands

    def list(self) -> int:
        from threatmodel.assessment.assess import unknown_threats
        from threatmodel.render.listing import listing

        library, excluded = self.library(), self.excluded()
        if problems := [*unknown_threats(excluded, library)]:
            raise InputError(problems)
        left = {name: threat for name, threat in library.threats.items() if name not in excluded}
        return self.print(listing(dataclasses.replace(library, threats=left)) if left else "")

    def describe(self) -> int:
        from threatmodel.render.listing import description

        kind: str = self.args.describe
        if kind.lower() not in KINDS:
            message = f"'{kind[:60]}' is not a kind of element"
            hint = suggestion(kind, KINDS) or f"known: {listed(KINDS)}"
            raise InputError([Problem(code="unknown-kind", place=Place("--describe"), message=message, hint=hint)])
        return self.print(description(kind.lower()))

    def pytm(self) -> int:
        from threatmodel.pytm_model import pytm_script

        return self.print(pytm_script(self.graph(), self.library()))

    def new(self) -> int:
        """Writes a threat, a control, a function or a handler to start from, and says what to do next."""
        from threatmodel.authoring import scaffold

        args = self.args
        if self.output is not None or self.folder is not None:
            parser().error("new writes to the library or the model: give no -o")
        folders = [LIBRARY, *getattr(args, "library", ())]
        if args.part == "threat":
            plan = scaffold.new_threat(args.id, args.scenario or scaffold.SCENARIO, folders)
        elif args.part == "control":
            if args.effect and not args.threat:
                parser().error("--effect says what the control does to a threat: give --threat ID too")
            link = (args.threat, args.effect or "hinders") if args.threat else None
            plan = scaffold.new_control(args.id, args.mitigation or scaffold.MITIGATION, folders, self.files, link)
        elif args.part == "handler":
            from threatmodel.authoring.handlers import new_handler

            folder = args.to or Path("handlers") / args.id
            plan = new_handler(args.id, self.model, self.files, args.language, folder)
        else:
            if args.api and not args.trigger:
                parser().error("--api belongs to a trigger: give --trigger KIND:WHAT too")
            plan = scaffold.new_function(args.id, self.model, self.files, args.trigger or "", args.api or "")
        for path, text, _ in plan.files:
            make_folder(path.parent)
            write(text, path)
        print("\n".join([*(f"wrote {shown_path(path)}{note}" for path, _, note in plan.files), plan.then]))
        return 0

    def import_(self) -> int:
        """Prints or writes a model of what a file deploys, or brings one up to it."""
        from threatmodel.authoring.importing.plan import imported, update

        args = self.args
        if args.update is not None:
            if self.output is not None or self.folder is not None:
                parser().error("--update writes to the model: give no -o")
            found = update(args.file, args.kind or "", args.update, self.files)
            if found.added:
                write(found.text, args.update)
            name = shown_path(args.update)
            lines = [f"{name}: added {entry.kind} {entry.id} ({entry.resource})" for entry in found.added]
            lines += [f"{one.place}: {one.name}: {one.file} has no such {one.kind} any more" for one in found.gone]
            lines += found.notes
            print("\n".join(lines or [f"{name} has everything that {shown_path(args.file)} has"]))
            return 0
        if self.output is not None and self.output.exists():
            place, message = Place(str(self.output)), "this file exists already"
            hint = f"give --update {self.output} to add to it what it lacks"
            raise InputError([Problem(code="already-exists", place=place, message=message, hint=hint)])
        found = imported(args.file, args.kind or "", self.output, self.files)
        complain("".join(f"{note}\n" for note in found.notes))
        code = self.print(found.text)
        if self.output is not None:
            name = shown_path(self.output)
            print(f"wrote {name}: {len(found.added)} elements\nnext: python tm.py -m {name} --report")
        return code

    def probe(self) -> int:
        """Runs a handler on every probe; prints the table, or the result as JSON."""
        from threatmodel.probe.command import Asked, check_output, run
        from threatmodel.probe.result import to_json
        from threatmodel.render.probe import controls_shown, exit_code, probed

        args = self.args
        if self.output is not None:
            check_output(args.target, self.output)
        asked = Asked(
            target=args.target,
            secret_env=args.secret_env,
            variables=args.env,
            variables_file=args.env_file,
            body=args.body or "",
            path=args.path or "",
            shape=args.form or "",
            packages=args.packages,
            provide=args.provide,
            allow_remote=args.allow_remote,
        )
        result = run(asked, self.files, datetime.datetime.now(datetime.UTC))
        text = probed(result, controls_shown(result, self.library()))
        self.print(to_json(result) if args.as_json else text)
        if args.as_json and self.output is not None:
            print(text, end="")
        return exit_code(result, strict=args.strict)

    def schema(self) -> int:
        from threatmodel.render.pages.generated import ASSESSMENT_SCHEMA, model_schema_text

        model = self.args.which == "model"
        return self.print(model_schema_text() if model else ASSESSMENT_SCHEMA.read_text(encoding="utf-8"))

    def docs(self) -> int:
        from threatmodel.render.pages.generated import generated

        return generated(CONTENT, self.files, only_check=self.args.check)

    def explain(self) -> int:
        from threatmodel.library.standards import load_standards
        from threatmodel.render.pages.library import Book, control_page, threat_page

        library, name = self.library(), self.args.id
        book = Book(library, load_standards(LIBRARY, self.files), pages=False)
        if name in library.threats:
            return self.print(threat_page(library.threats[name], book))
        if name in library.controls:
            return self.print(control_page(library.controls[name], book))
        hint = suggestion(name, [*library.threats, *library.controls]) or "tm.py --list shows every threat"
        message = f"there is no threat and no control {quoted(name)}"
        for off in library.off:
            if off.id == name:
                message, hint = f"the {off.part} {quoted(name)} is switched off at {off.place}: {off.reason}", ""
        raise InputError([Problem(code="unknown-id", place=Place("explain"), message=message, hint=hint)])

    def json(self) -> int:
        import json

        from threatmodel.render.contract import contract

        return self.print(escaped(json.dumps(contract(self.assessment()), indent=1, ensure_ascii=False)) + "\n")

    def check(self) -> int:
        from threatmodel.render.check import checked, failures

        assessment = self.assessment()
        found = failures(assessment, self.args.fail_on, allow_undetermined=self.args.allow_undetermined)
        code = 1 if found else 0
        try:
            self.print(checked(assessment, found))
        except BrokenPipeError:
            silence(sys.stdout)
        return code

    def seq(self) -> int:
        from threatmodel.render import sequence

        make = sequence.mermaid if self.args.seq == "mermaid" else sequence.plantuml
        return self.print(make(self.graph()))

    def dfd(self) -> int:
        from threatmodel.render.dfd import dfd, needs_overview

        colours: Mapping[str, Risk] | None = None
        if self.args.colormap:
            from threatmodel.assessment.priorities import risks

            assessment = self.assessment()
            graph, colours = assessment.graph, risks(assessment)
        else:
            graph = self.graph()
        focus = self._focus(graph)
        overview = False if self.args.full else None
        if self.folder is not None:
            return self._album(self.folder, graph, colours)
        if overview is None and not focus and needs_overview(graph):
            complain(
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

    def _album(self, folder: Path, graph: Graph, colours: Mapping[str, Risk] | None) -> int:
        """One picture of the whole, and one a function."""
        from threatmodel.render.dfd import dfd

        make_folder(folder)
        overview = dfd(graph, view=self.args.view, risks=colours)
        self.write(self._drawn(overview, Path("x.svg")), folder / "overview.svg")
        for element in graph.elements.values():
            if element.kind == "function":
                dot = dfd(graph, view=self.args.view, focus=element.id, risks=colours)
                self.write(self._drawn(dot, Path("x.svg")), folder / f"{element.id}.svg")
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

    def report(self) -> int:
        from threatmodel.render.report.report import report

        template: str = self.args.report
        if template not in {"md", "html"}:
            self.files.paths.add(Path(template))
        assessment = self.assessment()
        return self.print(report(assessment, template, "" if template == "md" else self._picture(assessment)))

    def _picture(self, assessment: Assessment) -> str:
        """The report's picture as SVG text."""
        from threatmodel.assessment.priorities import risks
        from threatmodel.render.dfd import dfd

        return self._drawn(dfd(assessment.graph, risks=risks(assessment)), Path("dfd.svg")).decode()

    def summary(self) -> int:
        """Writes the report in both forms and the picture, and says what is in them."""
        from threatmodel.render.report.report import report
        from threatmodel.render.summary import summary_text

        out: Path = self.args.out
        assessment = self.assessment()
        svg = self._picture(assessment)
        made = {
            "report.html": report(assessment, "html", svg),
            "report.md": report(assessment, "md", picture_file="dfd.svg"),
            "dfd.svg": svg,
        }
        make_folder(out)
        for name, content in made.items():
            self.write(content, out / name)
        return self.print(summary_text(assessment, [out / name for name in made]))
