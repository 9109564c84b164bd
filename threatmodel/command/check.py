"""`tm.py check`: decide whether the risks of a model are acceptable, for pipelines."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from threatmodel.command.arguments import QUIET, Parser, force, library, looking, model, path, text
from threatmodel.command.request import Invocation, models_of, refuse_picture
from threatmodel.command.settings import BANDS, DEFAULT_BAND, FORMS, FormAsked
from threatmodel.reading.output import columns, complain, drafts, flush, silence
from threatmodel.reading.problems import visible
from threatmodel.reading.project import real_path

if TYPE_CHECKING:
    from threatmodel.command.checking import CheckDemands
    from threatmodel.reading.former import Renamed
    from threatmodel.reading.replacing import Replacing
    from threatmodel.render.checks.checked import Form, Outcome, Totals

DESCRIPTION = (
    "Fail on each risk at or above the --fail-on band that is neither treated nor accepted. A risk that an open "
    "question could raise to that band fails too. So do an acceptance or attestation that is not valid, and a "
    "difference between the model and its evidence. Exit codes: 0 the check passes, 1 it fails, 2 a model cannot be "
    "used."
)
_STANDARD = "-"


def options(parser: Parser) -> None:
    """Declare the command's options."""
    demands(parser)
    looking(parser)
    parser.add_argument(
        "--format",
        action=_Format,
        choices=FORMS,
        default=[],
        help="the format (default: text); the -o after it names its file; can be repeated",
    )
    parser.add_argument(
        "-o",
        "--output",
        action=_Output,
        type=text,
        dest="outputs",
        default=argparse.SUPPRESS,
        metavar="FILE",
        help="the file for the --format before it (default: standard output)",
    )
    force(parser)
    much = parser.add_mutually_exclusive_group()
    much.add_argument("-v", "--verbose", action="store_true", help="in text, print one line for each result that fails")
    much.add_argument(
        "-q", "--quiet", action="store_true", help="in text, print only what fails; no progress and no notes"
    )
    for option, what in (("--with", "were in place"), ("--without", "were missing")):
        parser.add_argument(
            option,
            action="append",
            default=[],
            type=text,
            metavar="CONTROL@ELEMENT",
            help=f"show what would change if this control {what}; can be repeated",
        )
    parser.add_argument(
        "--watch", action="store_true", help="check again when a file changes that was read; Ctrl-C ends it"
    )
    parser.add_argument(
        "--reprobe",
        type=text,
        metavar="REVISION",
        help="run the saved probes again, isolated, and fail if a result differs; only handlers that the model of this "
        "revision names already are run",
    )
    keep = parser.add_mutually_exclusive_group()
    keep.add_argument("--write-baseline", action="store_true", help="create that file from the current results")
    keep.add_argument("--update-baseline", action="store_true", help="update that file to the current results")


def demands(parser: Parser) -> None:
    """Declare the options for what is checked and by which rules; a configuration can state them too."""
    parser.add_argument("models", nargs="*", type=path, metavar="MODEL", help="the models to check, instead of -m")
    model(parser)
    library(parser)
    parser.add_argument(
        "--fail-on", choices=BANDS, help=f"the lowest band of risk that fails (default: {DEFAULT_BAND})"
    )
    parser.add_argument("--require-proof", action="store_true", help="judge the risk as proven, not as claimed")
    parser.add_argument(
        "--strict", action="store_true", help="fail on findings that only a statement in the model removes"
    )
    parser.add_argument(
        "--allow-undetermined", action="store_true", help="do not fail on risks that depend on open questions"
    )
    parser.add_argument("--ignore-acceptances", action="store_true", help="ignore accepted risks and exemptions")
    parser.add_argument(
        "--report-only", action="store_true", help="end with exit code 0 even if the check fails; 2 stays 2"
    )
    parser.add_argument(
        "--policy", type=path, metavar="FILE", help="a file of rules for the check, kept outside the repository"
    )
    parser.add_argument(
        "--baseline",
        type=path,
        default=QUIET,
        metavar="FILE",
        help="a file of earlier results: only new and worse ones fail",
    )


def run(request: Invocation) -> int:
    """Writes what fails in every form asked for; 1 where something does, 2 where a model cannot be used."""
    args = request.args
    if not args.watch:
        return _check(request)
    from threatmodel.command.watching import watched

    if args.write_baseline or args.update_baseline or args.reprobe:
        request.misused("--watch only checks; remove --write-baseline, --update-baseline and --reprobe")
    return watched(request, _check)


def _check(request: Invocation) -> int:
    from threatmodel.command.checking import asked, checks
    from threatmodel.reading.values import replace

    args = request.args
    if (args.write_baseline or args.update_baseline) and args.baseline is None:
        request.misused("--write-baseline and --update-baseline need --baseline FILE")
    outputs = _outputs(args, request)
    if getattr(args, "with") or args.without:
        from threatmodel.command.checking import supposed

        if outputs != [("text", _STANDARD)] or args.models:
            request.misused(
                "--with and --without show one model as text; remove --format, -o and MODEL, and name the model with -m"
            )
        return supposed(request)
    models = models_of(request)
    forms = tuple(_forms(outputs, verbose=args.verbose, quiet=args.quiet))
    question = replace(asked(request), forms=forms, several=len(models) > 1)
    replacing = _replacing(outputs, request, models)
    again = _reprobed(models, args.reprobe)
    found = checks(models, question, _progress(0 if args.quiet else len(models)))
    if not question.keep:
        code = max(_written(found, outputs, question, replacing), _models_gone(question), again)
        return _reported(max(code, _not_checked(question, request, models)), request)
    now: list[Outcome] = []
    code = _written(_kept(found, now), outputs, question, replacing)
    if code != 2:  # noqa: PLR2004 - an exit code
        _keep(now, request)
        return 0
    return code


def _reprobed(models: Sequence[Path], revision: str | None) -> int:
    """Run saved probes again, if that is asked for; return 1 where a result differs, 0 otherwise."""
    if revision is None:
        return 0
    from threatmodel.command.reprobing import reprobed  # runs handlers: only this option imports it

    return int(not reprobed(models, revision))


def _models_gone(question: CheckDemands) -> int:
    """Report the models of the baseline whose files no longer exist; return 1 where there is one, 0 otherwise."""
    from threatmodel.command.baselines import models_gone

    gone = models_gone(question.baselines or {}, question.baseline_file)
    for name in gone:
        file = visible(str(question.baseline_file))
        complain(
            f"{file}: the baseline names {visible(name)}, which does not exist; remove it with --update-baseline\n"
        )
    return int(bool(gone))


def _not_checked(question: CheckDemands, request: Invocation, models: Sequence[Path]) -> int:
    """Report the models of the baseline that the configuration leaves out; return 1 where there is one, 0 otherwise."""
    from threatmodel.assessment.gate.baseline_file import key_in

    place = request.settings.held["models"].place
    if place is None:
        return 0
    file = question.baseline_file
    checked = {key_in(file, model) for model in models}
    left = [name for name in sorted(question.baselines or {}) if name not in checked and (file.parent / name).exists()]
    for name in left:
        said = f"{visible(name)} is in the baseline {visible(str(file))}, and 'models' leaves it out"
        complain(f"{place}: {said}; add it, or remove its file and update the baseline\n")
    return int(bool(left))


def _reported(code: int, request: Invocation) -> int:
    """Return the exit code: 0 for a check that fails where only a report is wanted."""
    if code == 1 and request.args.report_only:
        complain("report only: the check fails, and the exit code is 0\n")
        return 0
    return code


def _kept(found: Iterator[Outcome], now: list[Outcome]) -> Iterator[Outcome]:
    """Yield each outcome and add it to `now`, which the baseline is written from."""
    for one in found:
        now.append(one)
        yield one


def _keep(now: Sequence[Outcome], request: Invocation) -> None:
    """Write the baseline."""
    from threatmodel.assessment.gate.baseline_file import key_in
    from threatmodel.command.baselines import create, update
    from threatmodel.reading.replacing import Replacing

    file: Path = request.args.baseline
    fresh = {key_in(file, Path(one.file)): one.now for one in now if one.now is not None}
    replacing = Replacing(inputs=[Path(one.file) for one in now], force=request.force)
    if request.args.write_baseline:
        create(file, fresh, replacing)
    else:
        update(file, fresh, replacing, request)
    complain(f"{file}: baseline of {len(fresh)} {'model' if len(fresh) == 1 else 'models'}\n")


# --- where it goes


class _Format(argparse.Action):
    """Begins an output; the next `-o` names its file."""

    def __call__(self, _parser: object, namespace: argparse.Namespace, values: Any, _option: object = None) -> None:
        """Record a format."""
        namespace.pairs = [*getattr(namespace, "pairs", []), (values, _STANDARD)]


class _Output(argparse.Action):
    """Names the file of the format before it."""

    def __call__(self, _parser: object, namespace: argparse.Namespace, values: Any, _option: object = None) -> None:
        """Record a file."""
        pairs = list(getattr(namespace, "pairs", []))
        if pairs and pairs[-1][1] == _STANDARD:
            pairs[-1] = (pairs[-1][0], values)
        else:
            pairs.append(("text", values))
        namespace.pairs = pairs


def _outputs(args: argparse.Namespace, request: Invocation) -> list[tuple[str, str]]:
    """Return each format with its file; no two formats have the same file."""
    pairs: list[tuple[str, str]] = list(getattr(args, "pairs", []))
    if request.output is not None:  # -o before the command
        pairs = [("text", str(request.output)), *pairs]
    more = () if getattr(args, "with") or args.without else request.settings.formats
    pairs = pairs or [("text", _STANDARD), *((form, str(path)) for form, path in more)]
    seen: dict[str, str] = {}
    for form, target in pairs:
        where = target if target == _STANDARD else str(real_path(Path(target)))
        if where in seen:
            what = "standard output" if target == _STANDARD else target
            request.misused(f"{seen[where]} and {form} both go to {what}; give each a separate -o FILE")
        seen[where] = form
    return pairs


class _Outputs(NamedTuple):
    """What outputs may replace, and what becomes known as they are written: files read, former names in them."""

    replacing: Replacing
    inputs: list[Path]
    renamed: list[Renamed]


def _replacing(outputs: Sequence[tuple[str, str]], request: Invocation, models: Sequence[Path]) -> _Outputs:
    """What these outputs may replace.  Raises InputError where one of them may not be written."""
    from threatmodel.reading.replacing import Replacing

    inputs = [*models, *request.files.paths]
    found = Replacing(inputs=inputs, force=request.force)
    for _, target in outputs:
        if target != _STANDARD:
            refuse_picture(Path(target))
            found.check(Path(target))
    request.inputs = inputs
    return _Outputs(found, inputs, request.files.renamed)


def _forms(outputs: Sequence[tuple[str, str]], *, verbose: bool, quiet: bool) -> Iterator[FormAsked]:
    """Yield the format of each output."""
    for form, target in outputs:
        if form != "text":
            yield FormAsked(form)
        elif verbose:
            yield FormAsked("lines")
        elif target == _STANDARD:
            yield FormAsked("text", _width(), _color(), quiet)
        else:
            yield FormAsked("text", quiet=quiet)


def _width() -> int:
    """Return the columns of the terminal; 80 where there is none."""
    return columns() if sys.stdout.isatty() else 80


def _color() -> bool:
    """Return whether to use color: on a terminal, or with FORCE_COLOR, but never with NO_COLOR."""
    if os.environ.get("NO_COLOR"):
        return False
    return bool(os.environ.get("FORCE_COLOR")) or (sys.stdout.isatty() and os.environ.get("TERM") != "dumb")


def _written(
    found: Iterator[Outcome], outputs: Sequence[tuple[str, str]], question: CheckDemands, may: _Outputs
) -> int:
    """Writes each model to every output as it comes; files appear at the end, and together.  Returns the exit code."""
    from threatmodel.command.checking import forms_of
    from threatmodel.render.checks.checked import Totals

    totals = Totals()
    with ExitStack() as stack:
        files = [Path(target) for _, target in outputs if target != _STANDARD]
        writers = iter(stack.enter_context(drafts(files, may.replacing)))
        writes = [_print if target == _STANDARD else next(writers).write for _, target in outputs]
        pens = [_Pen(form, write) for form, write in zip(forms_of(question), writes, strict=True)]
        for one in found:
            totals.add(one)
            may.renamed.extend(one.renamed)
            if one.problems:
                complain(one.problems)
            if one.shared:
                complain(f"{visible(one.file)}: a shared platform file; it is checked with each model that uses it\n")
            may.inputs.extend(Path(path) for path in one.paths)
            for pen, piece in zip(pens, one.pieces, strict=True):
                pen.add(piece)
        for pen in pens:
            pen.end(totals)
    return totals.code


class _Pen:
    """Writes pieces in a form to one output, with what the form has between them."""

    def __init__(self, form: Form, write: Callable[[str], None]) -> None:
        self._form = form
        self._write = write
        self._between = ""
        write(form.start)

    def add(self, piece: str) -> None:
        """Add a piece, unless it is empty."""
        if piece := self._form.kept(piece):
            self._write(self._between + piece)
            self._between = self._form.between

    def end(self, totals: Totals) -> None:
        """Write the end, and report what it has no room for."""
        self._write(self._form.tail(totals))
        if left_out := self._form.left_out():
            complain(f"{left_out}\n")


def _print(piece: str) -> None:
    """Write to standard output; a closed pipe ends the output, but does not change the exit code."""
    if not piece:
        return
    try:
        sys.stdout.write(piece)
        flush()
    except BrokenPipeError:
        silence(sys.stdout)


def _progress(models: int) -> Callable[[int], None]:
    """Return what shows on a terminal how many models are done."""
    if models < 5 or not sys.stderr.isatty():  # noqa: PLR2004 - fewer take no time
        return lambda _: None
    width = 40

    def show(done: int) -> None:
        filled = width * done // models
        complain(f"\r[{'#' * filled}{'.' * (width - filled)}] {done}/{models}" + ("\n" if done == models else ""))

    return show
